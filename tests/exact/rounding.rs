//! Stated errors hold the rounding of states, centres and gradients.

use super::{Answers, fluctuation, scenario};

/// Every expectation of the second scenario is that of the first, the coordinates moved by `shift` where they stand
/// alone, within both stated errors: translation changes nothing but the digits. The SDE's may be refused, where its
/// coefficients have too few of them.
fn assert_translated(near: &str, far: &str, shift: f64) {
    let (near, far) = (Answers::of(near), Answers::of(far));
    let model = &far.experiment.model;
    let centre = model.agents.objective().centre().unwrap();
    let size = model.run.start.iter().chain(centre).fold(1.0, |most: f64, entry| most.max(entry.abs()));
    let mut compared = 0;
    for function in near.observables.functions.iter().map(ToString::to_string) {
        let moved = match function.as_str() {
            "x[0]" | "x[1]" => shift,
            name if name.starts_with("x[") && shift != 0.0 => continue,
            _ => 0.0,
        };
        for time in 0..near.observables.times() {
            let sde = far
                .exact
                .sde
                .is_ok()
                .then(|| ("sde", near.sde_at(&function, time), far.sde_at(&function, time)));
            let optimizer =
                ("optimizer", near.optimizer_at(&function, time), far.optimizer_at(&function, time));
            for (side, a, b) in std::iter::once(optimizer).chain(sde) {
                let off = (b.value - moved - a.value).abs();
                let what =
                    format!("{side} {function} at {time}: {} and {}, off by {off:e}", a.value, b.value);
                assert!(off <= a.error + b.error, "{what}, stated {:e} and {:e}", a.error, b.error);
                // A loss of terms of 1e12 that cancel is known to 4e-3.
                assert!(b.error < 1e-2 * (1.0 + b.value.abs()), "{what}: {:e} states nothing", b.error);
                // Nor is it wider than ten thousand operations in a row, each off by ten units of the last digit of
                // the largest terms: of second order but in fluctuations, which are over η.
                let unit = if function.ends_with("/η") { size / far.observables.eta } else { size * size };
                assert!(b.error <= 1e5 * f64::EPSILON * unit, "{what}: {:e} is too wide", b.error);
                compared += 1;
            }
        }
    }
    assert!(compared >= 20, "{compared}");
}

#[test]
fn laws_far_from_zero_state_the_rounding_of_places() {
    let at = |place: f64| {
        scenario(
            "dsignsgd",
            &format!("quadratic = {{ eigenvalues = [1.0], minimiser = {place:?} }}"),
            "{ count = 3, noise.student_t = { scale = 1.0, dof = 3 } }",
            &format!("learning_rate = 0.01, steps = 50, records = 5, start = {:?}", place + 0.5),
            "",
        )
    };
    assert_translated(&at(0.0), &at(1e6), 1e6);
    assert_translated(&at(0.0), &at(-3e7), -3e7);
}

#[test]
fn moments_far_from_zero_state_the_rounding_of_the_gradient() {
    let at = |minimiser: [f64; 2], start: [f64; 2], noise: &str| {
        scenario(
            "dcsgd",
            &format!("quadratic = {{ matrix = [[1.0, 1.0], [1.0, 1.0]], minimiser = {minimiser:?} }}"),
            &format!("{{ count = 2, noise.{noise}, compressor.rand_k = {{ k = 1 }} }}"),
            &format!("learning_rate = 0.01, steps = 50, records = 5, start = {start:?}"),
            "",
        )
    };
    for noise in ["gaussian = { scale = 0.1 }", "none = {}"] {
        let near = at([0.0, 0.0], [0.5, 0.25], noise);
        // H x* = 0: the objective is the same, but the terms of its gradient are 1e6 and cancel.
        assert_translated(&near, &at([1e6, -1e6], [0.5, 0.25], noise), 0.0);
        assert_translated(&near, &at([1e6, 1e6], [1e6 + 0.5, 1e6 + 0.25], noise), 1e6);
    }
}

/// Steps of ±η about a state of order 1, whose last digit is a large part of η: `E (x − c)² / η = kη` after k steps of a
/// single agent where f = 0, as c is the start.
#[test]
fn fluctuations_in_tiny_steps_state_the_rounding_of_states() {
    let eta = 1e-9;
    let answers = Answers::of(&scenario(
        "dsignsgd",
        "quadratic = { eigenvalues = [0.0] }",
        "{ count = 1, noise.gaussian = { scale = 1.0 } }",
        &format!("learning_rate = {eta:?}, steps = 4, records = 4, start = 0.7"),
        "",
    ));
    for time in 1..=4 {
        let got = answers.optimizer_at(&fluctuation(0, 0), time);
        let (k, n) = (time as f64, 4.0);
        let off = (got.value - k * eta).abs();
        // What was stated before: sums of positive terms.
        assert!(off > n * 9.0 * f64::EPSILON * k * eta, "{off:e}: no test of rounding of states");
        assert!(off <= got.error, "{off:e} beyond the stated {:e}", got.error);
        // An ulp of x is 1e-16, 2|x − c|/η of it is at most 2k ulps; the bound counts 16 half ulps for one of them.
        assert!(got.error <= 64.0 * k * f64::EPSILON, "{:e} at {time}", got.error);
    }
}
