//! Closed forms, and a dense exponential.

use super::{Answers, assert_near, assert_stated, fluctuation, scenario};
use nalgebra::{DMatrix, DVector};
use std::f64::consts::PI;

#[test]
fn the_sde_of_dsgd_is_an_ornstein_uhlenbeck_process() {
    let (lambda, covariance) = ([0.5, 2.0], [[1.0, 0.6], [0.6, 2.0]]);
    let answers = Answers::of(&scenario(
        "dsgd",
        "quadratic = { eigenvalues = [0.5, 2.0], minimiser = [0.0, 3.0] }",
        "{ count = 4, noise.gaussian = { covariance = [[1.0, 0.6], [0.6, 2.0]] } }",
        "learning_rate = 0.05, steps = 60, records = 6, start = [1.0, 2.0]",
        "",
    ));
    for time in 0..=6 {
        let t = 0.5 * time as f64;
        let mean = [(-0.5 * t).exp(), 3.0 - (-2.0 * t).exp()];
        for i in 0..2 {
            assert_stated(answers.sde_at(&format!("x[{i}]"), time), mean[i], "mean");
            for j in i..2 {
                let rate = lambda[i] + lambda[j];
                let v = 0.05 / 4.0 * covariance[i][j] * -(-rate * t).exp_m1() / rate;
                assert_stated(
                    answers.sde_at(&format!("x[{i}]*x[{j}]"), time),
                    v + mean[i] * mean[j],
                    "product",
                );
                let c = &answers.observables.flow[time];
                let about_c = (v + (mean[i] - c[i]) * (mean[j] - c[j])) / 0.05;
                let got = answers.sde_at(&fluctuation(i, j), time);
                // The relative accuracy of fluctuations: nothing cancels in them.
                assert_near(got.value, about_c, 1e-12 * about_c.abs(), "fluctuation");
                assert_stated(got, about_c, "fluctuation");
            }
        }
    }
}

/// A full H and differing agents: the linear system of dimension 1 + d + d² for E x and E x xᵀ about the origin,
/// written out entry by entry, and its dense exponential.
#[test]
fn the_sde_of_dcsgd_matches_a_dense_exponential() {
    let d = 3;
    let answers = Answers::of(&scenario(
        "dcsgd",
        "quadratic = { matrix = [[1.5, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 0.8]], minimiser = [0.2, -0.1, 0.4] }",
        "{ count = 1, noise.gaussian = { covariance = [[1.0, 0.3, 0.0], [0.3, 0.5, 0.1], [0.0, 0.1, 2.0]] }, compressor.rand_k = { k = 2 }, gradient_offset = [1.0, -1.0, 2.0] }, \
         { count = 2, noise.student_t = { scale = 0.5, dof = 4 }, compressor.bernoulli = { probability = 0.25 }, gradient_offset = [-0.5, 0.5, -1.0] }",
        "learning_rate = 0.2, steps = 10, records = 5, start = [1.0, 0.5, -1.0]",
        "",
    ));
    let h = DMatrix::from_row_slice(3, 3, &[1.5, 0.5, 0.0, 0.5, 1.0, -0.3, 0.0, -0.3, 0.8]);
    let minimiser = DVector::from_row_slice(&[0.2, -0.1, 0.4]);
    let sigma = DMatrix::from_row_slice(3, 3, &[1.0, 0.3, 0.0, 0.3, 0.5, 0.1, 0.0, 0.1, 2.0]);
    let offset = DVector::from_row_slice(&[1.0, -1.0, 2.0]);
    // ω = 1/2 and E[ΦΦᵀ] = (1/4)(3 diag(G) − G) for Rand-2; ω = 3 and 3 diag(G) for Bernoulli. t₄ has variance 2.
    let diffusion = |v: &DVector<f64>, q: &DMatrix<f64>| -> DMatrix<f64> {
        // E g gᵀ = E (Hx + a)(Hx + a)ᵀ + Σ with a = offset − H x*, given E x = v and E x xᵀ = q.
        let second = |a: DVector<f64>, sigma: &DMatrix<f64>| {
            let hv = &h * v;
            &h * q * &h + &hv * a.transpose() + &a * hv.transpose() + &a * a.transpose() + sigma
        };
        let diagonal = |g: &DMatrix<f64>| DMatrix::from_diagonal(&g.diagonal());
        let small = DMatrix::identity(3, 3) * 0.5;
        let first = second(&offset - &h * &minimiser, &sigma);
        let others = second(&offset * -0.5 - &h * &minimiser, &small);
        let first = (diagonal(&first) * 3.0 - first) * 0.25 + &sigma;
        let others = diagonal(&others) * 3.0 + small;
        (first + others * 2.0) / 3.0 * (0.2 / 3.0)
    };
    // The derivative of (1, E x, E x xᵀ), which is affine in (E x, E x xᵀ).
    let derivative = |state: &DVector<f64>| -> DVector<f64> {
        let v = DVector::from_iterator(d, (0..d).map(|i| state[1 + i]));
        let q = DMatrix::from_fn(d, d, |i, j| state[1 + d + i * d + j]);
        let b = &h * &minimiser;
        let dv = &b - &h * &v;
        let dq = &b * v.transpose() + &v * b.transpose() - &h * &q - &q * &h + diffusion(&v, &q);
        DVector::from_iterator(
            13,
            std::iter::once(0.0).chain(dv.iter().copied()).chain((0..9).map(|k| dq[(k / 3, k % 3)])),
        )
    };
    let at_zero = derivative(&DVector::zeros(13));
    let mut system = DMatrix::zeros(13, 13);
    system.set_column(0, &at_zero);
    for k in 1..13 {
        let mut unit = DVector::zeros(13);
        unit[k] = 1.0;
        system.set_column(k, &(derivative(&unit) - &at_zero));
    }
    let start = [1.0, 0.5, -1.0];
    let initial = DVector::from_iterator(
        13,
        std::iter::once(1.0).chain(start).chain((0..9).map(|k| start[k / 3] * start[k % 3])),
    );
    for time in 0..=5 {
        let state = (&system * (0.4 * time as f64)).exp() * &initial;
        for i in 0..d {
            assert_near(answers.sde_at(&format!("x[{i}]"), time).value, state[1 + i], 1e-13, "mean");
            for j in i..d {
                let got = answers.sde_at(&format!("x[{i}]*x[{j}]"), time).value;
                assert_near(got, state[1 + d + i * d + j], 1e-12, "product");
            }
        }
    }
}

#[test]
fn moments_become_stationary_where_the_theory_says() {
    // THEORY section 4. 4000 steps of contraction 0.95 leave nothing of the start.
    let (eta, n, omega) = (0.1, 2.0, 2.0);
    let answers = Answers::of(&scenario(
        "dcsgd",
        "quadratic = { eigenvalues = [0.5, 1.0, 2.0] }",
        "{ count = 2, noise.gaussian = { scale = [1.0, 0.5, 2.0] }, compressor.rand_k = { k = 1 } }",
        "learning_rate = 0.1, steps = 4000, records = 1, start = 1.0",
        "",
    ));
    for (i, (lambda, sigma)) in [(0.5, 1.0), (1.0, 0.25), (2.0, 4.0)].into_iter().enumerate() {
        let function = format!("x[{i}]*x[{i}]");
        let sde = eta / (2.0 * n) * (1.0 + omega) * sigma / lambda / (1.0 - eta * omega * lambda / (2.0 * n));
        let optimizer = eta * sigma * (1.0 + omega) / (n * lambda * (2.0 - eta * lambda * (1.0 + omega / n)));
        assert_near(answers.sde(&function).value, sde, 1e-12 * sde, "SDE");
        assert_near(answers.optimizer(&function).value, optimizer, 1e-12 * optimizer, "optimizer");
    }
}

#[test]
fn the_stationary_law_of_dsignsgd_is_as_expanded() {
    // THEORY section 4 in one dimension: (η/2N) σ/(λℓ) times 1 + s((ν + 1)/(2ν) − ℓ²), the algorithm s N ℓ² more,
    // up to O(s²): halving η must leave a quarter of what remains.
    let rest = |eta: f64| {
        let answers = Answers::of(&scenario(
            "dsignsgd",
            "quadratic = { eigenvalues = [1.0] }",
            "{ count = 2, noise.student_t = { scale = 1.0, dof = 3 } }",
            &format!("learning_rate = {eta}, steps = {}, records = 1, start = 0.0", (20.0 / eta) as usize),
            "",
        ));
        let slope = 2.0 * 2.0 / (3f64.sqrt() * PI); // ℓ₃ = 2 · 2/(√3 π) = 0.7351
        let leading = eta / 4.0 / slope;
        let s = eta / (4.0 * slope);
        let sde = 1.0 + s * (4.0 / 6.0 - slope * slope);
        let optimizer = sde + s * 2.0 * slope * slope;
        [
            answers.sde("x[0]*x[0]").value / leading - sde,
            answers.optimizer("x[0]*x[0]").value / leading - optimizer,
        ]
    };
    for (coarse, fine) in rest(0.1).into_iter().zip(rest(0.05)) {
        assert!((3.6..4.4).contains(&(coarse / fine)), "{coarse:e} {fine:e}");
    }
}

#[test]
fn without_a_gradient_signs_walk_and_the_sde_is_brownian() {
    let (start, n, eta, s) = (0.5f64, 4.0, 0.01, 0.05);
    let answers = Answers::of(&scenario(
        "dsignsgd",
        "quadratic = { eigenvalues = [0.0] }",
        "{ count = 4, noise.gaussian = { scale = 1.0 } }",
        "learning_rate = 0.01, steps = 100, records = 4, start = 0.5",
        "functions = [{ cos = { coordinate = 0, scale = 0.05 } }]",
    ));
    for time in 0..=4 {
        let steps = 25 * time;
        let variance = eta / n * (eta * f64::from(steps as u32));
        let walk = (start / s).cos() * (eta / (n * s)).cos().powi(4 * steps as i32);
        let brownian = (start / s).cos() * (-0.5 * variance / (s * s)).exp();
        assert_stated(answers.optimizer_at("cos(x[0]/0.05)", time), walk, "walk");
        assert_stated(answers.sde_at("cos(x[0]/0.05)", time), brownian, "Brownian motion");
        assert_near(answers.sde_at("cos(x[0]/0.05)", time).value, brownian, 1e-11, "Brownian motion");
        for value in [answers.optimizer_at("x[0]*x[0]", time), answers.sde_at("x[0]*x[0]", time)] {
            assert_near(value.value, start * start + variance, 1e-12, "x²");
        }
    }
}

#[test]
fn far_from_the_minimum_the_sde_moves_at_speed_one() {
    // |u| ≥ 8 all the way: the signs are sure up to 1e-15, and so is the motion. Nothing damps a wrong wave.
    let answers = Answers::of(&scenario(
        "dsignsgd",
        "quadratic = { eigenvalues = [1.0] }",
        "{ count = 4, noise.gaussian = { scale = 0.5 } }",
        "learning_rate = 0.01, steps = 100, records = 4, start = 5.0",
        "",
    ));
    for time in 0..=4 {
        let x = 5.0 - 0.25 * time as f64;
        for value in [answers.sde_at("x[0]", time), answers.optimizer_at("x[0]", time)] {
            assert_near(value.value, x, 1e-11, "x");
        }
        assert_near(answers.sde_at(&fluctuation(0, 0), time).value, 0.0, 1e-9, "fluctuation");
    }
}

/// The mean of B Cauchy variables is one of them: a noise whose signs are known to 1e-10 only, beside one whose are to
/// 1e-12.
#[test]
fn errors_hold_those_of_the_signs_probabilities() {
    let answers = |noise: &str| {
        Answers::of(&scenario(
            "dsignsgd",
            "saddle = { eigenvalues = [1.0, -0.5] }",
            &format!("{{ count = 3, noise.{noise} }}"),
            "learning_rate = 0.05, steps = 40, records = 2, start = 0.2",
            "",
        ))
    };
    let batch = answers("batch_mean_t = { scale = 1.0, dof = 1 }, batch_size = 7");
    let one = answers("student_t = { scale = 1.0, dof = 1 }");
    let functions: Vec<String> = one.observables.functions.iter().map(ToString::to_string).collect();
    for function in &functions {
        for (got, expected) in
            [(batch.optimizer(function), one.optimizer(function)), (batch.sde(function), one.sde(function))]
        {
            assert_near(got.value, expected.value, got.error + expected.error, function);
        }
    }
    // A mean step is off by 2η times the error of a probability: after T = 2 by 4 of them, where f is convex.
    assert_near(batch.optimizer("x[0]").error, 4e-10, 1e-12, "convex");
    assert_near(one.optimizer("x[0]").error, 4e-12, 1e-13, "convex");
    assert!(batch.sde("x[0]").error >= 4e-10 && one.sde("x[0]").error >= 4e-12);
    // Where f″ = −1/2 paths part at the rate 2Ξ₁′(0)/2 = 1/π: by e^{2/π} = 1.890, which discrete steps reach but for O(η).
    assert_near(batch.optimizer("x[1]").error / 4e-10, (2.0 / PI).exp(), 0.03, "concave");
    assert!(batch.sde("x[1]").error >= 4e-10 * (2.0 / PI).exp());
}
