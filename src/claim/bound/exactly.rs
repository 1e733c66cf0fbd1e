//! A loss bound without sampling noise: where the process has an exact expected loss, the comparison is of numbers.

use super::{Bound, Comparison};
use crate::claim::decision::{Gap, decide_one_sided};
use crate::claim::finding::Finding;
use crate::claim::intervals::ROUNDING;
use crate::ensemble::Observables;
use crate::exact::{Unknown, Value, expectations};
use crate::model::Model;

/// E f at the record times but 0. Nothing need be known of the other process.
pub(super) fn expected_loss(
    bound: &Bound,
    model: &Model,
    observables: &Observables,
) -> Result<Vec<Value>, Unknown> {
    let table = bound.process.table(expectations(model, observables));
    match table?.pop().flatten() {
        Some(row) if row.iter().all(|loss| loss.value.is_finite()) => Ok(row[1..].to_vec()),
        _ => Err(Unknown::because("E f does not follow from two moments, or is not finite")),
    }
}

/// Judges the claim on them.
pub(super) fn judge(bound: &Bound, losses: &[Value], observables: &Observables) -> Finding {
    let minimum = bound.known.minimum;
    let error = |loss: &Value| loss.error + ROUNDING * minimum.abs();
    let gap = |(loss, &t): (&Value, &f64)| {
        let (estimate, error, margin) = (loss.value - minimum, error(loss), bound.allowed(t));
        let interval = [estimate - error, estimate + error];
        Gap { estimate, upheld: interval, refuted: interval, margin, detectable: margin + 2.0 * error }
    };
    let gaps: Vec<Gap> = losses.iter().zip(&observables.record_times[1..]).map(gap).collect();
    let (verdict, worst) = decide_one_sided(&gaps);
    let comparison = Comparison { gaps, integration: losses.iter().map(error).collect(), verdict, worst };
    let terms = format!("exact expectations, without a seed; itocheck {}", env!("CARGO_PKG_VERSION"));
    bound.finding(observables, &comparison, None, &terms)
}
