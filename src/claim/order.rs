//! Claim `order`: as η falls, the gap between optimizer and SDE falls like `η^p`, in raw moments and in scaled
//! fluctuations. Decided on exact expectations.

use super::finding::{Expectation, Finding, OrderEstimate, Verdict};
use super::{Claim, Setting};
use crate::ensemble::{Observables, TestFunction};
use crate::exact::{Table, Unknown, expectations};
use crate::model::Model;
use crate::parameter::{Invalid, checked};
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;

/// Weak orders are whole numbers, and terms of higher order in η move what is seen between two rates: order
/// p is seen where no pair shows less than p by more than this, and not seen where one shows less than p by
/// twice as much, which rounds to a lower order.
const TOLERANCE: f64 = 0.25;

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
/// moments and in scaled fluctuations alike. It takes its own learning rates and steps; it is decided where
/// expectations are exact.
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
            models.push((setting.rebuild)(rate, steps as usize)?);
        }
        Ok(Claim::Order(Order { models: models.into(), claimed: *claimed, expect: *expect }))
    }
}

/// The largest gap at one η, with a bound of its numerical error.
#[derive(Clone, Copy)]
struct Largest {
    gap: f64,
    error: f64,
}

impl Order {
    /// The same claim on other models.
    pub(super) fn map<E>(&self, change: impl Fn(&Model) -> Result<Model, E>) -> Result<Self, E> {
        let models: Result<Vec<Model>, E> = self.models.iter().map(change).collect();
        Ok(Self { models: models?.into(), claimed: self.claimed, expect: self.expect })
    }

    pub(super) fn judge(&self) -> Finding {
        let gaps: Result<Vec<Gaps>, Unknown> = self.models.iter().map(Gaps::of).collect();
        let known = gaps.map(|gaps| [self.orders(&gaps, false), self.orders(&gaps, true)]);
        let verdict = match &known {
            Err(_) => Verdict::Inconclusive,
            Ok(orders) => self.verdict(orders),
        };
        let order = known.as_ref().ok().map(|[raw, fluctuations]| {
            let (raw, fluctuations) = (least(raw), least(fluctuations));
            let smaller = if raw[0] <= fluctuations[0] { raw } else { fluctuations };
            OrderEstimate::new(smaller, raw, fluctuations)
        });
        let version = env!("CARGO_PKG_VERSION");
        let rates = self.models.len();
        let claimed = self.claimed;
        let sentence = match (&known, verdict) {
            (Err(unknown), _) => {
                format!("undecided: no exact expectations at every learning rate: {unknown}")
            }
            (Ok([raw, fluctuations]), verdict) => {
                let said = match verdict {
                    Verdict::Upheld => format!("the SDE is a weak approximation of order {claimed}"),
                    Verdict::Refuted => format!("the SDE is no weak approximation of order {claimed}"),
                    Verdict::Inconclusive => format!("undecided whether the order is {claimed}"),
                };
                format!(
                    "{said}: over {rates} learning rates the gap falls with order {:.3} in raw moments and {:.3} in \
                     scaled fluctuations, or faster (exact expectations, without a seed; itocheck {version})",
                    least(raw)[0],
                    least(fluctuations)[0]
                )
            }
        };
        Finding { order, ..Finding::exact("order", self.expect, verdict, sentence) }
    }

    /// The order between neighbouring rates, as an interval that holds numerical errors.
    fn orders(&self, gaps: &[Gaps], of_fluctuations: bool) -> Vec<[f64; 2]> {
        let scales = &gaps[0].scales;
        let largest: Vec<Largest> = gaps.iter().map(|gaps| gaps.largest(scales, of_fluctuations)).collect();
        let pairs = largest.windows(2).zip(self.models.windows(2));
        pairs
            .map(|(gap, model)| {
                let ratio = libm::log(model[0].run.learning_rate / model[1].run.learning_rate);
                let order = |above: f64, below: f64| libm::log(above.max(0.0) / below.max(0.0)) / ratio;
                let low = order(gap[0].gap - gap[0].error, gap[1].gap + gap[1].error);
                let high = order(gap[0].gap + gap[0].error, gap[1].gap - gap[1].error);
                // Two gaps that are both zero fall as fast as may be claimed.
                [
                    if low.is_nan() { f64::INFINITY } else { low },
                    if high.is_nan() { f64::INFINITY } else { high },
                ]
            })
            .collect()
    }

    fn verdict(&self, orders: &[Vec<[f64; 2]>; 2]) -> Verdict {
        let claimed = f64::from(self.claimed);
        let mut pairs = orders.iter().flatten();
        if orders.iter().flatten().all(|[low, _]| *low >= claimed - TOLERANCE) {
            Verdict::Upheld
        } else if pairs.any(|[_, high]| *high <= claimed - 2.0 * TOLERANCE) {
            Verdict::Refuted
        } else {
            Verdict::Inconclusive
        }
    }
}

fn least(orders: &[[f64; 2]]) -> [f64; 2] {
    let infinite = [f64::INFINITY; 2];
    orders.iter().copied().min_by(|a, b| a[0].total_cmp(&b[0])).unwrap_or(infinite)
}

/// All gaps of one run.
struct Gaps {
    functions: Vec<TestFunction>,
    optimizer: Table,
    sde: Table,
    /// The largest expectation of each function over time.
    scales: Vec<f64>,
}

impl Gaps {
    fn of(model: &Model) -> Result<Self, Unknown> {
        let observables: Observables = model.observables(model.all_functions().collect());
        let exact = expectations(model, &observables);
        let unknown =
            [&exact.optimizer, &exact.sde].into_iter().find_map(|side| side.as_ref().err().cloned());
        let known = exact.complete().ok_or_else(|| {
            unknown.unwrap_or_else(|| Unknown::because("some expectations are not known, or not finite"))
        });
        let (optimizer, sde) = known?;
        let scales = sde
            .iter()
            .map(|row| row.iter().flatten().map(|value| value.value.abs()).fold(0.0, f64::max))
            .collect();
        Ok(Self { functions: observables.functions, optimizer, sde, scales })
    }

    /// Over raw moments or fluctuations, each in units of `scales`.
    fn largest(&self, scales: &[f64], of_fluctuations: bool) -> Largest {
        let mut largest = Largest { gap: 0.0, error: 0.0 };
        for (index, function) in self.functions.iter().enumerate() {
            let is_fluctuation = matches!(function, TestFunction::Fluctuation(..));
            let (Some(optimizer), Some(sde)) = (&self.optimizer[index], &self.sde[index]) else { continue };
            if is_fluctuation != of_fluctuations || scales[index] == 0.0 {
                continue;
            }
            for (optimizer, sde) in optimizer.iter().zip(sde) {
                let gap = (optimizer.value - sde.value).abs() / scales[index];
                let error = (optimizer.error + sde.error) / scales[index];
                if gap > largest.gap {
                    largest.gap = gap;
                }
                largest.error = largest.error.max(error);
            }
        }
        largest
    }
}
