//! Exact answers against an independent implementation's, brute force over all draws, closed forms and
//! samples. Where no other origin is given, tolerances are rounding with a margin of a thousand.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

#[path = "../common/mod.rs"]
mod common;

mod brute_force;
mod closed_forms;
mod independent_values;
mod mutants;
mod samples;
mod speed;
mod unknown;

use common::experiment;
use itocheck::ensemble::Observables;
use itocheck::exact::{Exact, Table, Unknown, Value, expectations};
use itocheck::scenario::Experiment;

/// A scenario and its exact answers.
struct Answers {
    experiment: Experiment,
    observables: Observables,
    exact: Exact,
}

impl Answers {
    fn of(text: &str) -> Self {
        let experiment = experiment(text);
        let split = experiment.model.functions();
        let functions = split.tested.into_iter().chain(split.left_out).collect();
        let observables = experiment.model.observables(functions);
        let exact = expectations(&experiment.model, &observables);
        Self { experiment, observables, exact }
    }

    fn look_up(&self, table: &Result<Table, Unknown>, function: &str, time: usize) -> Value {
        let place =
            self.observables.functions.iter().position(|known| known.to_string() == function).unwrap();
        table.as_ref().unwrap()[place].as_ref().unwrap()[time]
    }

    fn optimizer_at(&self, function: &str, time: usize) -> Value {
        self.look_up(&self.exact.optimizer, function, time)
    }

    fn sde_at(&self, function: &str, time: usize) -> Value {
        self.look_up(&self.exact.sde, function, time)
    }

    /// At the end of the run.
    fn optimizer(&self, function: &str) -> Value {
        self.optimizer_at(function, self.observables.times() - 1)
    }

    /// At the end of the run.
    fn sde(&self, function: &str) -> Value {
        self.sde_at(function, self.observables.times() - 1)
    }
}

fn assert_near(got: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (got - expected).abs() <= tolerance,
        "{what}: {got:e} against {expected:e}, off by {:e}",
        got - expected
    );
}

/// Within its own stated error, which is not 0, and 1e-13 of the closed form, which has rounding of its own.
fn assert_stated(got: Value, expected: f64, what: &str) {
    assert!(got.error > 0.0, "{what}: known without any error");
    assert_near(got.value, expected, got.error + 1e-13 * expected.abs().max(1.0), what);
}

fn scenario(optimizer: &str, objective: &str, agents: &str, run: &str, further: &str) -> String {
    format!(
        "title = \"t\"\noptimizer = \"{optimizer}\"\n{further}\nobjective.{objective}\nagents = [{agents}]\nrun = {{ {run} }}\n"
    )
}

fn fluctuation(i: usize, j: usize) -> String {
    format!("(x[{i}]-c[{i}])*(x[{j}]-c[{j}])/η")
}
