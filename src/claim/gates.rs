//! Hard tests of the linear shadow: what its controls are said to be 0 of is 0, and it moves no mean away from
//! where plain sampling and exact expectations have it. Where they fail, the declared moments are not those of the
//! steps, and nothing may be decided on the shadow.

use super::contradiction::{Contradiction, FALSE_ALARM, contradictions};
use super::tables::finite;
use crate::ensemble::{Estimates, Moments, Observables, Shadowed};
use crate::exact::Exact;
use crate::stats::{Look, Series, student_quantile};

/// A rounding floor, relative to the size of what is rounded.
const ROUNDING: f64 = 1e-12;

/// Why nothing may be decided on the linear shadow.
pub(super) enum Distrust {
    /// It overflowed where the paths did not.
    NotFinite,
    /// The paths contradict it.
    Contradicted(Vec<Contradiction>),
}

impl Distrust {
    /// Of what the shadow gave at a look, if there is a reason. The false alarms of both tests, each with the
    /// probability [`FALSE_ALARM`] at most over all looks, are spent as those of verdicts are.
    pub fn of(
        moments: &Moments,
        observables: &Observables,
        pairs: &[(usize, usize)],
        exact: &Exact,
        weak_order: u32,
        look: Look,
    ) -> Option<Self> {
        let Moments { raw, shadowed, .. } = moments;
        let shadowed = shadowed.as_ref()?;
        if !shadowed.is_finite() {
            return Some(Self::NotFinite);
        }
        let false_alarm = FALSE_ALARM * look.share;
        let mut found = contradicted(raw, shadowed, observables, pairs, false_alarm);
        found.extend(contradictions(&shadowed.estimates, observables, exact, weak_order, false_alarm));
        (!found.is_empty()).then_some(Self::Contradicted(found))
    }

    /// What a sentence says of it.
    pub fn reason(&self) -> String {
        match self {
            Self::NotFinite => {
                "the linear shadow is not finite; shadow = \"off\" in a scenario, or no declared moments, does without it".to_owned()
            }
            Self::Contradicted(found) => {
                let first = found.first().map(ToString::to_string).unwrap_or_default();
                format!(
                    "the paths contradict the linear shadow, so that the declared moments of a step are not those of the \
                     steps ({first}); shadow = \"off\" in a scenario, or no declared moments, does without it"
                )
            }
        }
    }
}

/// All of `E z = 0`, `E v = 0` and `E controlled = E raw` that the paths contradict, with a probability
/// of any false alarm of `false_alarm`.
fn contradicted(
    raw: &Estimates,
    shadowed: &Shadowed,
    observables: &Observables,
    pairs: &[(usize, usize)],
    false_alarm: f64,
) -> Vec<Contradiction> {
    let cells = shadowed.optimizer.len() + observables.functions.len() * observables.times();
    let level = false_alarm / (4 * cells) as f64;
    let mut found = Vec::new();
    for (process, sums, plain, controlled) in [
        ("optimizer", &shadowed.optimizer, &raw.optimizer, &shadowed.estimates.optimizer),
        ("sde", &shadowed.sde, &raw.sde, &shadowed.estimates.sde),
    ] {
        let gate =
            Gate { process, observables, quantile: student_quantile(sums.degrees_of_freedom(), level) };
        gate.zeros(sums, pairs, &mut found);
        gate.means(plain, controlled, &mut found);
    }
    found
}

/// The tests of one process at one level.
struct Gate<'a> {
    process: &'static str,
    observables: &'a Observables,
    quantile: f64,
}

impl Gate<'_> {
    /// `E z = 0` and `E v = 0`.
    fn zeros(&self, sums: &Series, pairs: &[(usize, usize)], found: &mut Vec<Contradiction>) {
        let d = self.observables.flow[0].len();
        let size = sums.len() / self.observables.times();
        let rounding: Vec<f64> = (0..d).map(|i| self.rounding(i)).collect();
        let deviation = |quantity: usize| {
            let of_time = |time: usize| sums.standard_deviation(time * size + quantity);
            (0..self.observables.times()).map(of_time).fold(0.0, f64::max)
        };
        let floor = |quantity: usize| match quantity.checked_sub(d).map(|pair| pairs[pair]) {
            None => rounding[quantity] + ROUNDING * deviation(quantity),
            Some((i, j)) => {
                let of_z = rounding[i] * deviation(j) + rounding[j] * deviation(i);
                of_z + rounding[i] * rounding[j] + ROUNDING * deviation(quantity)
            }
        };
        for quantity in 0..size {
            let floor = floor(quantity);
            for time in 0..self.observables.times() {
                let index = time * size + quantity;
                let mean = sums.mean(index);
                let explained = self.quantile * sums.standard_error(index) + floor;
                if mean.abs() > explained {
                    found.push(self.contradiction(name(quantity, d, pairs), time, mean, 0.0, explained));
                }
            }
        }
    }

    /// `E controlled = E raw`.
    fn means(&self, plain: &Series, controlled: &Series, found: &mut Vec<Contradiction>) {
        let times = self.observables.times();
        for index in 0..plain.len() {
            let errors = plain.standard_error(index) + controlled.standard_error(index);
            let size = plain.mean(index).abs() + controlled.mean(index).abs();
            let explained = self.quantile * errors + ROUNDING * size;
            let (plain, controlled) = (plain.mean(index), controlled.mean(index));
            if (controlled - plain).abs() > explained {
                let name = format!("{}, controlled", self.observables.functions[index / times]);
                found.push(self.contradiction(name, index % times, controlled, plain, explained));
            }
        }
    }

    /// What rounding of x makes of z: the mean of a step and the step round differently.
    fn rounding(&self, coordinate: usize) -> f64 {
        ROUNDING * self.observables.flow.iter().map(|c| c[coordinate].abs()).fold(0.0, f64::max)
    }

    fn contradiction(
        &self,
        function: String,
        time: usize,
        sampled: f64,
        exact: f64,
        explained: f64,
    ) -> Contradiction {
        Contradiction {
            process: self.process.to_owned(),
            function,
            time: self.observables.record_times[time],
            sampled: finite(sampled),
            exact,
            explained: finite(explained),
        }
    }
}

fn name(quantity: usize, dimension: usize, pairs: &[(usize, usize)]) -> String {
    match quantity.checked_sub(dimension) {
        None => format!("z[{quantity}]"),
        Some(pair) => {
            let (i, j) = pairs[pair];
            format!("v[{i},{j}]")
        }
    }
}
