//! Euler–Maruyama: its weak order on a linear SDE, the bound of its bias against a finer integration,
//! and the flow of the drift.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::experiment;
use itocheck::ensemble::{BLOCK, Moments, Observables, Pair};
use itocheck::integrator::{SchemeName, drift_flow};
use itocheck::model::Model;
use itocheck::random::Role;

fn scenario(substeps: usize, optimizer: &str, agents: &str) -> String {
    format!(
        "title = \"t\"\noptimizer = \"{optimizer}\"\nobjective.quadratic = {{ eigenvalues = [0.5, 2.0] }}\n[[agents]]\ncount = 2\n{agents}\n\
         [run]\nlearning_rate = 0.1\nsteps = 10\nrecords = 2\nstart = 1.0\n[sde]\nsubsteps = {substeps}\n"
    )
}

const RAND_K: &str = "noise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 1 }";

fn moments(model: &Model, paths: u64) -> (Moments, Observables) {
    let observables = model.observables(Observables::default_functions(2));
    let mut moments = Moments::default();
    let (optimizer, sde) = (model.optimizer_process(5, Role::Optimizer), model.sde_process(5, Role::Sde, 1));
    let pair = Pair {
        optimizer: &optimizer,
        sde: &sde,
        observables: &observables,
        steps: model.run.steps,
        controls: None,
    };
    moments.extend(&pair, 0..paths / BLOCK as u64, &|| {});
    (moments, observables)
}

#[test]
fn the_order_is_one() {
    // Halving the step halves E_m − E_2m: on the mean of a linear SDE that is exact up to O(h²).
    assert_eq!(experiment(&scenario(1, "dcsgd", RAND_K)).model.run.scheme, SchemeName::EulerMaruyama);
    assert_eq!(SchemeName::EulerMaruyama.weak_order(), 1);
    let difference = |substeps: usize| {
        let experiment = experiment(&scenario(substeps, "dcsgd", RAND_K));
        let (moments, observables) = moments(&experiment.model, 1 << 13);
        let index = observables.times() + observables.times() - 1;
        assert_eq!(observables.functions[1].to_string(), "x[1]");
        (moments.raw.refinement.mean(index), moments.raw.refinement.standard_error(index))
    };
    let (coarse, coarse_error) = difference(2);
    let (fine, fine_error) = difference(4);
    let mean = |substeps: i32| (1.0 - 2.0 * 0.1 / f64::from(substeps)).powi(10 * substeps);
    // Within five standard errors of the exact E_m − E_2m, whose ratio is near 2.
    assert!((coarse - (mean(2) - mean(4))).abs() < 5.0 * coarse_error);
    assert!((fine - (mean(4) - mean(8))).abs() < 5.0 * fine_error);
    let ratio = coarse / fine;
    let ratio_error = ratio * (coarse_error / coarse).hypot(fine_error / fine);
    assert!((ratio - 2.0).abs() < 0.2 + 5.0 * ratio_error, "{ratio} ± {ratio_error}");
}

#[test]
fn the_bias_bound_covers_what_four_times_the_steps_show() {
    // |E_2m − E_4m| must lie below the bound from |E_m − E_2m| (plus five standard errors of both):
    // the same Brownian paths do not serve both runs, so only their means are compared.
    for (optimizer, agents) in [("dcsgd", RAND_K), ("dsignsgd", "noise.student_t = { scale = 0.5, dof = 1 }")]
    {
        let coarse = experiment(&scenario(2, optimizer, agents));
        let fine = experiment(&scenario(4, optimizer, agents));
        let (by_m, observables) = moments(&coarse.model, 1 << 15);
        let (by_2m, _) = moments(&fine.model, 1 << 15);
        for index in (0..by_m.raw.sde.len()).filter(|index| index % observables.times() > 0) {
            let bound =
                by_m.raw.refinement.mean(index).abs() + 5.0 * by_m.raw.refinement.standard_error(index);
            let seen =
                by_2m.raw.refinement.mean(index).abs() - 5.0 * by_2m.raw.refinement.standard_error(index);
            assert!(
                seen <= bound,
                "{optimizer}, {}: {seen} {bound}",
                observables.functions[index / observables.times()]
            );
        }
    }
}

#[test]
fn fine_paths_do_not_depend_on_whether_coarse_ones_are_carried() {
    let experiment = experiment(&scenario(3, "dcsgd", RAND_K));
    let model = &experiment.model;
    let ends = |coarse_every: u64| {
        itocheck::ensemble::record_paths(&model.sde_process(1, Role::Sde, coarse_every), 10, 1, 8)
    };
    assert_eq!(ends(0), ends(1));
}

#[test]
fn the_flow_of_a_linear_drift_is_exponential() {
    let experiment = experiment(&scenario(1, "dcsgd", RAND_K));
    let flow = drift_flow(&*experiment.model.sde, &[1.0, -2.0], 0.1, 30, 10, 4);
    assert_eq!(flow.len(), 4);
    for (record, c) in flow.iter().enumerate() {
        let t = record as f64;
        // The scheme's error is λ⁵h⁴t/120, below 4e-7 for λ = 2, h = 0.025.
        assert!((c[0] - (-0.5 * t).exp()).abs() < 1e-8 && (c[1] + 2.0 * (-2.0 * t).exp()).abs() < 1e-6);
    }
}
