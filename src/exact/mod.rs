//! Answers without sampling noise (docs/theory.md): expectations of the test functions under the
//! optimizer and under its SDE, each with a bound of its numerical error.
//!
//! | | DSGD, DCSGD on a quadratic | DSignSGD on a separable f |
//! | --- | --- | --- |
//! | optimizer | moment recursion | law on a lattice |
//! | SDE | moment equations | Kolmogorov equation |
//!
//! The optimizer's side comes from the definition of its step and the laws of its agents; the SDE's side
//! sees nothing but the coefficients of the SDE under test, a deliberately wrong one included. All that
//! the two share is what a mean and a covariance, or a law, say of the test functions.

mod closed_moments;
mod exponential;
mod generator;
mod kolmogorov;
mod lattice;
mod marginal;
mod moment_equations;
mod recursion;

use crate::ensemble::{Observables, TestFunction};
use crate::model::Model;

/// An expectation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// As computed.
    pub value: f64,
    /// A bound of the error of `value`: rounding, errors of the signs' probabilities, and on a grid the change
    /// from the next coarser one.
    pub error: f64,
}

/// Expectations by test function, then by record time, t = 0 included; none for a function whose
/// expectation is not known.
pub type Table = Vec<Option<Vec<Value>>>;

/// Why there is no exact answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unknown(String);

impl Unknown {
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// The expectations of the test functions under both processes, where they are known.
#[derive(Clone, Debug)]
pub struct Exact {
    /// Under the optimizer.
    pub optimizer: Result<Table, Unknown>,
    /// Under the SDE.
    pub sde: Result<Table, Unknown>,
}

impl Exact {
    /// Both tables, optimizer first, where they have the expectation of every one of `functions` and each is a
    /// number; else what is missing.
    pub fn complete(self, functions: &[TestFunction]) -> Result<(Table, Table), Unknown> {
        let is_known = |row: &Option<Vec<Value>>| {
            row.as_ref().is_some_and(|row| row.iter().all(|entry| entry.value.is_finite()))
        };
        let (optimizer, sde) = (self.optimizer?, self.sde?);
        let mut rows = functions.iter().zip(optimizer.iter().zip(&sde));
        match rows.find(|(_, (optimizer, sde))| !is_known(optimizer) || !is_known(sde)) {
            None => Ok((optimizer, sde)),
            Some((function, _)) => Err(Unknown::because(format!(
                "E {function} does not follow from two moments, or is not finite"
            ))),
        }
    }
}

/// Expectations of the test functions of `observables`, which are those of the whole run of `model`.
pub fn expectations(model: &Model, observables: &Observables) -> Exact {
    let neither =
        |reason: &str| Exact { optimizer: Err(Unknown::because(reason)), sde: Err(Unknown::because(reason)) };
    if model.run.domain.is_some() {
        return neither("paths stop at the edge of a domain, which no closed equation follows");
    }
    if observables.times() != model.run.records + 1 {
        return neither("the test functions are not observed over the whole run");
    }
    if observables.functions.iter().any(TestFunction::is_projected) {
        return neither("functions along random directions are sampled alone");
    }
    if model.rule().is_none() {
        return neither("the optimizer is none of the poster's");
    }
    if model.takes_signs() {
        let coordinates = independent_coordinates(model);
        Exact {
            optimizer: coordinates.clone().and_then(|()| lattice::table(model, observables)),
            sde: coordinates.and_then(|()| kolmogorov::table(model, observables)),
        }
    } else {
        let quadratic = quadratic(model);
        Exact {
            optimizer: quadratic.clone().and_then(|()| recursion::table(model, observables)),
            sde: quadratic.and_then(|()| moment_equations::table(model, observables)),
        }
    }
}

/// Moments close where the gradient is affine.
fn quadratic(model: &Model) -> Result<(), Unknown> {
    if model.agents.objective().is_quadratic() {
        Ok(())
    } else {
        Err(Unknown::because("the objective is not quadratic: its moments do not close"))
    }
}

/// Under DSignSGD the coordinates are independent Markov chains where neither f nor the noise couples
/// them; without atoms every sign is one of two, and its law is smooth in x.
fn independent_coordinates(model: &Model) -> Result<(), Unknown> {
    if model.agents.objective().separable_term(0, 0.0).is_none() {
        return Err(Unknown::because("the objective is not a sum of functions of one coordinate each"));
    }
    if model.agents.groups().iter().all(|group| group.noise.has_independent_coordinates()) {
        Ok(())
    } else {
        Err(Unknown::because("the noise of some agents has atoms, or coordinates that depend on each other"))
    }
}

/// A bound of the error of the probability of any sign of any agent.
fn sign_error(model: &Model) -> f64 {
    model.agents.groups().iter().map(|group| group.noise.sign_error()).fold(0.0, f64::max)
}

/// The larger of two; NaN where one is, unlike [`f64::max`].
fn larger(a: f64, b: f64) -> f64 {
    if a >= b || a.is_nan() { a } else { b }
}
