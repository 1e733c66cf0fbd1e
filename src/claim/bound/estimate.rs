//! The expected loss beside its bound, for reports.

use super::{Bound, Form};
use crate::claim::Side;
use crate::claim::decision::Gap;
use crate::claim::finding::Verdict;
use crate::claim::tables::{finite, finite_pair};
use crate::theory::LossBound;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `E f − f*` beside a loss bound.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BoundEstimate {
    /// 3 or 4.
    pub theorem: u32,
    /// In which form.
    pub form: Form,
    /// Of which process the loss is.
    pub process: Side,
    /// μ.
    pub mu: f64,
    /// L.
    pub smoothness: f64,
    /// f*.
    pub minimum: f64,
    /// Δ, by which the bound falls like `e^{−2μΔt}`.
    pub delta: f64,
    /// What the bound tends to.
    pub floor: f64,
    /// What the bound needs and the model does not have, such as homogeneous agents.
    pub unmet: Vec<String>,
    /// t, 0 first.
    pub times: Vec<f64>,
    /// The bound at each time.
    pub bound: Vec<f64>,
    /// `E f − f*` at each time.
    pub excess_loss: Vec<Option<f64>>,
    /// Its interval at the level of the verdict; of exact expectations with numerical errors.
    pub interval: Vec<Option<[f64; 2]>>,
    /// `E f − f*` over the bound at the last time, the closer to 1 the tighter; null where the bound is 0.
    pub tightness: Option<f64>,
    /// Its interval.
    pub tightness_interval: Option<[f64; 2]>,
}

impl BoundEstimate {
    /// Of the gaps at all record times `times` but 0, the first.
    pub(super) fn new(claim: &Bound, times: &[f64], gaps: &[Gap], verdict: Verdict) -> Self {
        let Bound { number, form, process, known, loss_bound, ref unmet, .. } = *claim;
        let LossBound { initial, rate, floor } = loss_bound;
        let bound: Vec<f64> = times.iter().map(|&t| loss_bound.at(t)).collect();
        let ratio = |quantity: f64| bound.last().and_then(|bound| finite(quantity / bound));
        let last = gaps.last();
        let ends = last.map(|gap| gap.interval(verdict).map(ratio));
        let start = std::iter::once((Some(initial), Some([initial; 2])));
        let later = gaps.iter().map(|gap| (finite(gap.estimate), finite_pair(gap.interval(verdict))));
        let (excess_loss, interval) = start.chain(later).unzip();
        Self {
            theorem: number,
            form,
            process,
            mu: known.mu,
            smoothness: known.smoothness,
            minimum: known.minimum,
            delta: rate / (2.0 * known.mu),
            floor,
            unmet: unmet.clone(),
            times: times.to_vec(),
            excess_loss,
            interval,
            tightness: last.and_then(|gap| ratio(gap.estimate)),
            tightness_interval: ends.and_then(|[low, high]| Some([low?, high?])),
            bound,
        }
    }
}
