//! Claim `order`: as η falls, the gap between optimizer and SDE falls like `η^p`, in raw moments and in scaled
//! fluctuations. Decided on exact expectations where both sides have them and nobody asks for sampling, else on
//! sampled paths.

mod difference;
mod estimate;
mod exactly;
mod sampled;

pub use difference::OrderOfDifference;
pub use estimate::{LargestGap, OrderEstimate};

use super::finding::{Expectation, Finding, Verdict};
use super::forecast::Forecast;
use super::sampling::Simulated;
use super::{Claim, Progress, Setting};
use crate::ensemble::TestFunction;
use crate::model::{Model, Run};
use crate::parameter::{Invalid, checked};
use crate::scenario::{Experiment, Scenario};
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// The claim, checked.
#[derive(Clone)]
pub struct Order {
    /// One a learning rate, the largest first.
    models: Arc<[Model]>,
    claimed: u32,
    /// What the scenario expects.
    pub(super) expect: Expectation,
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let rates: Vec<f64> = self.models.iter().map(|model| model.run.learning_rate).collect();
        f.debug_struct("Order").field("learning_rates", &rates).field("claimed", &self.claimed).finish()
    }
}

/// As η falls, the largest gap over test functions and times falls like `η^p`, p the claimed order, in raw
/// moments, and like η in scaled fluctuations. It takes its own learning rates and steps.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// η, at least three, each at most half as large as the one before.
    learning_rates: Vec<f64>,
    /// T, where every run ends: a whole number of steps, which `records` divides, for each η.
    horizon: f64,
    /// p, 1 or 2.
    #[serde(default = "one")]
    claimed: u32,
    /// What should come out: a negative control says that it is refuted.
    #[serde(default)]
    expect: Expectation,
}

fn one() -> u32 {
    1
}

const LEAST_RATES: usize = 3;
const MOST_RATES: usize = 12;

impl Parameters {
    pub(super) fn build(&self, setting: &Setting) -> Result<Claim, Invalid> {
        let Self { learning_rates, horizon, claimed, expect } = self;
        if !(LEAST_RATES..=MOST_RATES).contains(&learning_rates.len()) {
            let message =
                format!("{} of them; expected from {LEAST_RATES} to {MOST_RATES}", learning_rates.len());
            return Err(Invalid::new("learning_rates", message));
        }
        if !(1..=2).contains(claimed) {
            return Err(Invalid::new("claimed", format!("{claimed}; expected 1 or 2")));
        }
        let horizon = checked("horizon", *horizon, |horizon| horizon > 0.0, "a number above 0")?;
        let mut models: Vec<Model> = Vec::new();
        for (index, &rate) in learning_rates.iter().enumerate() {
            let key = format!("learning_rates[{index}]");
            let most = models.last().map_or(f64::INFINITY, |model| model.run.learning_rate / 2.0);
            let right = "a number above 0, at most half of the one before";
            checked(&key, rate, |rate| rate > 0.0 && rate <= most * (1.0 + 1e-12), right)?;
            let steps = (horizon / rate).round();
            // Rounding of a quotient of two decimal numbers.
            let is_whole = (steps * rate - horizon).abs() <= 1e-9 * horizon && steps < 1e9;
            let records = setting.model.run.records;
            if !is_whole || !(steps as usize).is_multiple_of(records) || steps == 0.0 {
                let message = format!(
                    "{rate}; expected one of which the horizon {horizon} is a whole number of steps that records = {records} divides"
                );
                return Err(Invalid::new(key, message));
            }
            let at_rate = |scenario: &mut Scenario| {
                scenario.run.learning_rate = rate;
                scenario.run.steps = steps as usize;
                Ok(())
            };
            let mut model =
                (setting.rebuild)(&at_rate).map_err(|invalid| Invalid::new(key, invalid.message))?;
            model.run.substeps = substeps(&model.run, learning_rates[0] / rate, *claimed);
            models.push(model);
        }
        if setting.is_sampled && !models[0].functions().tested.iter().any(is_fluctuation) {
            return Err(Invalid::new(
                "",
                format!(
                    "no scaled fluctuation has an expectation that sampling can compare (under this noise, compression \
                     and learning rate moments of order below {:.3} exist, and an honest interval needs order 8); \
                     expected lighter tails, or, where expectations are exact, no [monte_carlo]",
                    models[0].tail_index()
                ),
            ));
        }
        Ok(Claim::Order(Order { models: models.into(), claimed: *claimed, expect: *expect }))
    }
}

/// Integrator steps to each η after it was divided by `ratio`, from those at the first η: enough for the integrator's
/// bias to fall as fast as a gap of the claimed order.
fn substeps(at_first: &Run, ratio: f64, claimed: u32) -> usize {
    let power = (f64::from(claimed) / f64::from(at_first.scheme.weak_order()) - 1.0).max(0.0);
    (at_first.substeps as f64 * libm::pow(ratio, power)).round() as usize
}

fn is_fluctuation(function: &TestFunction) -> bool {
    matches!(function, TestFunction::Fluctuation(..) | TestFunction::ProjectedFluctuation(..))
}

impl Order {
    /// p.
    pub fn claimed(&self) -> u32 {
        self.claimed
    }

    /// The same claim on other models.
    pub fn map<E>(&self, change: impl Fn(&Model) -> Result<Model, E>) -> Result<Self, E> {
        let models: Result<Vec<Model>, E> = self.models.iter().map(change).collect();
        Ok(Self { models: models?.into(), claimed: self.claimed, expect: self.expect })
    }

    pub(super) fn judge(&self, experiment: &Experiment, progress: &dyn Progress) -> (Finding, Simulated) {
        let exactly = if experiment.is_sampled { None } else { exactly::judge(self) };
        match exactly {
            Some(finding) => (finding, Simulated::default()),
            None => sampled::judge(self, &experiment.monte_carlo, progress),
        }
    }

    /// What judging it on exact expectations takes; none where it is sampled.
    pub(super) fn forecast(&self, experiment: &Experiment) -> Option<Forecast> {
        let begin = Instant::now();
        let finding = if experiment.is_sampled { None } else { exactly::judge(self) };
        finding.map(|finding| Forecast::of_exact(&finding, begin.elapsed().as_secs_f64()))
    }

    /// What it allows, in words.
    fn allowed(&self) -> String {
        format!("{} less than order {}", estimate::TOLERANCE, self.claimed)
    }

    /// What the verdict says, with its orders.
    fn said(&self, verdict: Verdict, estimate: &OrderEstimate) -> String {
        let claimed = self.claimed;
        let said = match verdict {
            Verdict::Upheld => format!("the SDE is a weak approximation of order {claimed}"),
            Verdict::Refuted => format!("the SDE is no weak approximation of order {claimed}"),
            Verdict::Inconclusive => format!("undecided whether the order is {claimed}"),
        };
        format!(
            "{said}: over {} learning rates the gap falls with order {}",
            self.models.len(),
            estimate.describe()
        )
    }
}
