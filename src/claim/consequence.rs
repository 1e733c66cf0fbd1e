//! Claims about what follows from an SDE: each is judged on its own.

use super::Progress;
use super::finding::{Expectation, Finding};
use super::sampling::Simulated;
use crate::scenario::Experiment;
use std::fmt;

/// A conclusion that is drawn from an SDE: a bound, a stationary law, a scaling rule.
pub trait Consequence: fmt::Debug + Send + Sync {
    /// Its name in scenarios.
    fn kind(&self) -> &'static str;

    /// What the scenario expects.
    fn expect(&self) -> Expectation;

    /// Whether it holds, and what was simulated to say so.
    fn judge(&self, experiment: &Experiment, progress: &dyn Progress) -> (Finding, Simulated);
}
