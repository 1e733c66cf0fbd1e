//! Changes of a scenario that scaling rules speak of.

use super::parse::{AgentGroup, Scenario};
use crate::parameter::Invalid;
use crate::theory::Change;

impl Scenario {
    /// `η → κη, B → δB, ω → βω, N → αN`, in every group of agents. Refused where a number of agents, a batch or a k
    /// would not be whole.
    pub fn rescale(&mut self, change: Change) -> Result<(), Invalid> {
        let Change { learning_rate, batch_size, compression, agents } = change;
        let dimension = self.objective.build()?.dimension();
        self.run.learning_rate *= learning_rate;
        for group in &mut self.agents {
            group.count = whole("agents", "α", agents, "count", group.count)?;
            group.batch_size = whole("batch_size", "δ", batch_size, "batch_size", group.batch_size)?;
            group.compressor = match &group.compressor {
                None if compression == 1.0 => None,
                None => return Err(Invalid::new("compression", "nothing is compressed; expected β = 1")),
                Some(compressor) => {
                    let recompressed = compressor.recompressed(compression, dimension);
                    Some(recompressed.map_err(|invalid| Invalid::new("compression", invalid.message))?)
                }
            };
        }
        Ok(())
    }

    /// As many steps after a change as take the flow of the drift as far as before, observed at their end alone. Refused
    /// where they would not be whole.
    pub fn keep_the_end(&mut self, change: Change, of_signs: bool) -> Result<(), Invalid> {
        let (letter, factor) = if of_signs {
            ("1/(κ√δ)", change.dsignsgd_steps_ratio())
        } else {
            ("1/κ", 1.0 / change.learning_rate)
        };
        self.run.steps = whole("learning_rate", letter, factor, "steps", self.run.steps)?;
        self.run.records = 1;
        Ok(())
    }

    /// The same without compression, and without any mistake: what a change is held against.
    pub fn uncompress(&mut self) {
        self.sde.mutant = None;
        self.agents.iter_mut().for_each(|group: &mut AgentGroup| group.compressor = None);
    }
}

fn whole(key: &str, letter: &str, factor: f64, what: &str, value: usize) -> Result<usize, Invalid> {
    let scaled = factor * value as f64;
    let nearest = scaled.round();
    // Rounding of products and quotients of decimal numbers.
    const MOST: f64 = 1e9;
    if (scaled - nearest).abs() > 1e-9 * scaled || !(1.0..=MOST).contains(&nearest) {
        let message = format!(
            "{letter} = {factor} makes {what} = {value} to {scaled:.6}; expected a whole number from 1 to {MOST}"
        );
        return Err(Invalid::new(key, message));
    }
    Ok(nearest as usize)
}
