//! Full verdicts from simulation, by the way that `itocheck run` goes: a scenario's text is read, checked and judged, with
//! another seed each time. The true gaps are known exactly, so that a margin can be put where they are.

use super::tally::{Tally, Truth};
use itocheck::claim::{Finding, Judgement, MomentTables, Progress, judge};
use itocheck::scenario::{Overrides, check};
use rayon::prelude::*;
use std::fmt::Write;

/// A scenario without its margin and its seed.
pub struct Simulated {
    /// Optimizer, objective, agents, run and SDE.
    pub process: &'static str,
    pub margin: Margin,
    /// Seeds at the first look, and at most.
    pub seeds: [u64; 2],
    /// Whether paths carry linear shadows: `auto` or `off`.
    pub shadow: &'static str,
}

/// What is claimed, and where its margin lies.
#[derive(Clone, Copy)]
pub enum Margin {
    /// `trajectory` with an absolute margin: the largest exact gap, times this.
    Gap(f64),
    /// `trajectory` with an effect whose margin, by the mean over pilots, is the exact gap where that is closest. Every
    /// verdict's own pilot says whether its claim is true.
    Effect,
    /// `coefficients` with this margin.
    Coefficients(f64),
}

/// Pilots over which the scale of effects is averaged.
const PILOTS: u64 = 64;

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

fn judgement(text: String) -> Judgement {
    let loaded = check("calibration.toml".as_ref(), text, Overrides::default());
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    judge(&loaded.experiment, &Silent)
}

impl Simulated {
    /// Counts verdicts at the error rate α, from the seeds that start at `first_seed`.
    pub fn run(&self, error_rate: f64, verdicts: u64, first_seed: u64) -> Tally {
        let seeds = first_seed..first_seed + verdicts;
        let (claim, gaps) = match self.margin {
            Margin::Coefficients(margin) => {
                (format!("{{ coefficients = {{ margin = {margin} }} }}"), Vec::new())
            }
            Margin::Gap(factor) => {
                let gaps = self.gaps();
                let largest = gaps.iter().fold(0.0, |largest: f64, gap| largest.max(gap.abs()));
                (trajectory("absolute", factor * largest), gaps)
            }
            Margin::Effect => {
                let gaps = self.gaps();
                (trajectory("effect", self.effect(&gaps, error_rate)), gaps)
            }
        };
        let one = |seed| {
            let judgement = judgement(self.text(&claim, error_rate, Some(seed)));
            let Finding { verdict, looks, .. } = *judgement.findings.last().expect("a claim is made");
            Tally::of(verdict, looks, self.truth(&judgement, &gaps))
        };
        seeds.into_par_iter().map(one).reduce(Tally::default, Tally::merged)
    }

    /// The scenario with `claim` as its last. Without a seed nothing is sampled where expectations are exact.
    fn text(&self, claim: &str, error_rate: f64, seed: Option<u64>) -> String {
        let mut text = format!("title = \"calibration\"\n{}\n", self.process);
        if let Some(seed) = seed {
            let ([first, most], shadow) = (self.seeds, self.shadow);
            let _ = writeln!(
                text,
                "monte_carlo = {{ seed = {seed}, seeds = {first}, max_seeds = {most}, error_rate = {error_rate:e}, shadow = \
                 \"{shadow}\" }}"
            );
        }
        // Every scenario claims its coefficients; where they are not what is counted, they may be far off.
        let first = match self.margin {
            Margin::Coefficients(_) => "",
            Margin::Gap(_) | Margin::Effect => "{ coefficients = { margin = 1.0 } }, ",
        };
        let _ = writeln!(text, "claims = [{first}{claim}]");
        text
    }

    /// The exact gap of every test function at every record time.
    fn gaps(&self) -> Vec<f64> {
        let judgement = judgement(self.text(&trajectory("absolute", 1.0), 0.1, None));
        let is_exact = judgement.findings.last().is_some_and(|finding| finding.seeds == 0);
        assert!(is_exact, "a calibration needs exact expectations");
        entries(&judgement, |tables| &tables.gap.estimate)
    }

    /// The effect that puts the closest of `gaps` on its margin, by the mean over pilots.
    fn effect(&self, gaps: &[f64], error_rate: f64) -> f64 {
        let deviations = |seed| {
            let judgement = judgement(self.text(&trajectory("effect", 1.0), error_rate, Some(seed)));
            entries(&judgement, |tables| &tables.gap.margin)
        };
        let pilots: Vec<Vec<f64>> = (0..PILOTS).into_par_iter().map(deviations).collect();
        assert!(pilots.iter().all(|pilot| pilot.len() == gaps.len()), "all test functions are sampled");
        let mean = |index: usize| pilots.iter().map(|pilot| pilot[index]).sum::<f64>() / PILOTS as f64;
        gaps.iter().enumerate().map(|(index, gap)| gap.abs() / mean(index)).fold(0.0, f64::max)
    }

    /// Whether the claim is true, whose margins were frozen before anything was compared.
    fn truth(&self, judgement: &Judgement, gaps: &[f64]) -> Truth {
        match self.margin {
            Margin::Gap(factor) if factor > 1.0 => Truth::Holds,
            Margin::Gap(factor) if factor < 1.0 => Truth::Fails,
            Margin::Gap(_) | Margin::Coefficients(_) => Truth::OnTheMargin,
            Margin::Effect => {
                let margins = entries(judgement, |tables| &tables.gap.margin);
                let are_inside = gaps.iter().zip(&margins).all(|(gap, margin)| gap.abs() <= *margin);
                if are_inside { Truth::Holds } else { Truth::Fails }
            }
        }
    }
}

fn trajectory(unit: &str, margin: f64) -> String {
    format!("{{ trajectory = {{ margin = {{ {unit} = {margin:e} }} }} }}")
}

/// The entries of a table at t > 0, function after function.
fn entries(judgement: &Judgement, table: impl Fn(&MomentTables) -> &Vec<Vec<Option<f64>>>) -> Vec<f64> {
    let tables = judgement.moments.as_ref().expect("a trajectory is claimed");
    let entries = table(tables).iter().flat_map(|row| row.iter().skip(1));
    entries.map(|entry| entry.expect("a number")).collect()
}
