//! Claims about what follows from an SDE: stationary laws, scaling rules, sweeps and phases, against closed forms.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

#[path = "../common/mod.rs"]
mod common;

mod phases;
mod poster;
mod scaling;
mod stationary;
mod sweep;

use common::experiment;
use itocheck::claim::{Finding, Judgement, Progress, judge};

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

fn judged(text: &str) -> Judgement {
    judge(&experiment(text), &Silent)
}

/// What the one claim of a scenario comes to.
fn finding(text: &str) -> Finding {
    let findings = judged(text).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.into_iter().next().unwrap()
}

/// A scenario on a quadratic with one claim.
fn scenario(optimizer: &str, quadratic: &str, agents: &str, run: &str, claim: &str) -> String {
    format!(
        "title = \"t\"\noptimizer = \"{optimizer}\"\nobjective.quadratic = {{ {quadratic} }}\n[[agents]]\n{agents}\n\
         [run]\nsteps = 100\nrecords = 10\n{run}\n[[claims]]\n{claim}\n"
    )
}
