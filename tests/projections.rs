//! Large dimensions: what is compared along random directions, against closed forms.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::{GOOD, experiment};
use itocheck::claim::{Claim, Coefficients, Difference};
use itocheck::ensemble::{Directions, Observables, Process, average};
use itocheck::mutant::{Mutant, SdeMutant};
use itocheck::random::Role;
use itocheck::scenario::Experiment;

/// Standard errors that a sampled mean may be off by: a false alarm of 2e-9 each for Gaussian means.
const Z: f64 = 6.0;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn directions_are_independent_and_uniform_on_the_sphere() {
    let (d, count) = (50, 2000);
    let directions = Directions::random(7, d, count);
    let all: Vec<Vec<f64>> = (0..count).map(|k| directions.direction(k)).collect();
    let mean = |numbers: &mut dyn Iterator<Item = f64>| {
        let numbers: Vec<f64> = numbers.collect();
        numbers.iter().sum::<f64>() / numbers.len() as f64
    };
    assert!(all.iter().all(|u| (dot(u, u) - 1.0).abs() < 1e-14));
    let n = d as f64;
    // Moments of a coordinate of a uniform point: E u = 0, E u² = 1/d, E u⁴ = 3/(d(d + 2)); each mean of 100,000 (or 1000)
    // terms within Z of its standard errors, the deviations those of a Gaussian coordinate.
    let entries = || all.iter().flatten();
    assert!((mean(&mut entries().copied()) * n.sqrt()).abs() < Z / 1e5f64.sqrt());
    let fourth = mean(&mut entries().map(|u| u.powi(4))) * n * (n + 2.0) / 3.0;
    assert!((fourth - 1.0).abs() < Z * (96.0f64 / 9.0 / 1e5).sqrt(), "{fourth}");
    // Of independent ones d(uᵀv)² is close to χ²₁: mean 1, variance 2.
    let pairs = mean(&mut all.chunks_exact(2).map(|pair| n * dot(&pair[0], &pair[1]).powi(2)));
    assert!((pairs - 1.0).abs() < Z * (2.0 / 1000.0f64).sqrt(), "{pairs}");

    // A direction depends on the seed, and not on how many there are.
    assert_eq!(Directions::random(7, d, 3).direction(2), all[2]);
    assert_ne!(Directions::random(8, d, 3).direction(2), all[2]);

    let few = Directions::random(7, d, 3);
    let paths = 5;
    let x: Vec<f64> = (0..d * paths).map(|index| (index as f64).sin()).collect();
    let mut projected = vec![0.0; 3 * paths];
    few.project(&x, &mut projected);
    for (index, projected) in projected.iter().enumerate() {
        let column: Vec<f64> = x.iter().skip(index % paths).step_by(paths).copied().collect();
        // Rounding of sums of 50 products below 1.
        assert!((projected - dot(&few.direction(index / paths), &column)).abs() < 1e-14);
    }
}

const D: usize = 300;
const K: usize = 4;
const AGENTS: f64 = 4.0;
const SCALE: f64 = 0.8;
const ETA: f64 = 0.05;
const STEPS: usize = 20;
const START: f64 = 0.3;
const MINIMISER: f64 = -0.1;

fn quadratic() -> Experiment {
    experiment(&format!(
        "title = \"t\"
        optimizer = \"dsgd\"
        projections = {K}
        [objective.quadratic]
        eigenvalues = {{ from = 0.2, to = 2.0, count = {D} }}
        minimiser = {MINIMISER}
        [[agents]]
        count = {AGENTS}
        noise.gaussian = {{ scale = {SCALE} }}
        [run]
        learning_rate = {ETA}
        steps = {STEPS}
        records = 2
        start = {START}
        [sde]
        substeps = 1
        [monte_carlo]
        [[claims]]
        [claims.trajectory]
        margin.effect = 0.3"
    ))
}

/// λ_j, the mean of `x_j − x*_j` and its variance after `steps` steps of length h: a Gaussian chain of independent coordinates
/// `x ← x − hλ(x − x*) + √(hη/N) σ ξ`, which with h = η is DSGD and with h = η/(2m) its SDE as it is integrated.
fn chain(j: usize, steps: i32, h: f64) -> [f64; 3] {
    let lambda = 0.2 + 1.8 * j as f64 / (D - 1) as f64;
    let r: f64 = 1.0 - h * lambda;
    let of_step = h * ETA * SCALE * SCALE / AGENTS;
    let variance = of_step * (1.0 - r.powi(2 * steps)) / (1.0 - r * r);
    [lambda, r.powi(steps) * (START - MINIMISER), variance]
}

/// The expectations of the test functions, in the order of their names, at time t.
fn expected(directions: &[Vec<f64>], chain: &dyn Fn(usize) -> [f64; 3], t: f64) -> Vec<(String, f64)> {
    let sum = |term: &dyn Fn(usize, [f64; 3]) -> f64| (0..D).map(|j| term(j, chain(j))).sum::<f64>();
    let mut expected = Vec::new();
    for (k, u) in directions.iter().enumerate() {
        expected.push((format!("p[{k}]"), sum(&|j, [_, mean, _]| u[j] * (MINIMISER + mean))));
    }
    let beside_flow =
        |u: &[f64]| sum(&|j, [lambda, mean, _]| u[j] * (mean - (-lambda * t).exp() * (START - MINIMISER)));
    for (k, u) in directions.iter().enumerate() {
        for (l, v) in directions.iter().enumerate().skip(k) {
            let covariance = sum(&|j, [_, _, variance]| u[j] * v[j] * variance);
            let fluctuation = (covariance + beside_flow(u) * beside_flow(v)) / ETA;
            expected.push((format!("(p[{k}]-q[{k}])*(p[{l}]-q[{l}])/η"), fluctuation));
        }
    }
    let square = |mean: f64, variance: f64| mean * mean + variance;
    expected.push(("|x|^2".to_owned(), sum(&|_, [_, mean, variance]| square(MINIMISER + mean, variance))));
    let gradient = |_, [lambda, mean, variance]: [f64; 3]| lambda * lambda * square(mean, variance);
    expected.push(("|grad|^2".to_owned(), sum(&gradient)));
    let loss = |_, [lambda, mean, variance]: [f64; 3]| lambda / 2.0 * square(mean, variance);
    expected.push(("loss".to_owned(), sum(&loss)));
    expected
}

fn assert_means(
    process: &dyn Process,
    observables: &Observables,
    of_time: &dyn Fn(usize) -> Vec<(String, f64)>,
) {
    let means = average(process, observables, STEPS, 0..64);
    for time in 1..observables.times() {
        let expected = of_time(time);
        assert_eq!(expected.len(), observables.functions.len());
        for (index, (name, expected)) in expected.into_iter().enumerate() {
            assert_eq!(observables.functions[index].to_string(), name);
            let cell = index * observables.times() + time;
            let (mean, error) = (means.mean(cell), means.standard_error(cell));
            // The flow is integrated to some 1e-10.
            assert!(
                (mean - expected).abs() <= Z * error + 1e-8,
                "{name}: {mean} ± {error}, expected {expected}"
            );
        }
    }
}

#[test]
fn means_along_directions_are_those_of_gaussian_chains() {
    let Experiment { model, monte_carlo, .. } = quadratic();
    let directions = Directions::random(monte_carlo.seed, D, K);
    let directions: Vec<Vec<f64>> = (0..K).map(|k| directions.direction(k)).collect();
    let observables = model.observables(model.functions().tested);
    let steps = |time: usize| (time * STEPS / 2) as i32;
    let t = |time: usize| f64::from(steps(time)) * ETA;
    assert_means(&model.optimizer_process(1, Role::Optimizer), &observables, &|time| {
        expected(&directions, &|j| chain(j, steps(time), ETA), t(time))
    });
    assert_means(&model.sde_process(1, Role::Sde, 0), &observables, &|time| {
        expected(&directions, &|j| chain(j, 2 * steps(time), ETA / 2.0), t(time))
    });
}

#[test]
fn paths_compared_along_directions_carry_no_shadows_and_have_no_exact_expectations() {
    let text = |line: &str| GOOD.replacen("optimizer =", &format!("{line}\noptimizer ="), 1);
    assert!(experiment(&text("")).model.expansions().is_some());
    let projected = experiment(&text("projections = 2")).model;
    assert!(projected.expansions().is_none());
    let observables = projected.observables(projected.functions().tested);
    let unknown = itocheck::exact::expectations(&projected, &observables).sde.unwrap_err().to_string();
    assert_eq!(unknown, "functions along random directions are sampled alone");
    // But the loss alone has one.
    let loss = projected.observables(vec![itocheck::ensemble::TestFunction::Loss]);
    assert!(itocheck::exact::expectations(&projected, &loss).sde.unwrap()[0].is_some());
}

#[test]
fn squares_without_moments_are_left_out() {
    let text = GOOD
        .replacen("optimizer =", "projections = 1\noptimizer =", 1)
        .replace("gaussian = { scale = 1.0 }", "student_t = { scale = 1.0, dof = 5 }");
    let functions = experiment(&text).model.functions();
    let names = |functions: &[itocheck::ensemble::TestFunction]| {
        functions.iter().map(ToString::to_string).collect::<Vec<String>>()
    };
    assert_eq!(names(&functions.tested), ["p[0]"]);
    let left_out = ["(p[0]-q[0])*(p[0]-q[0])/η", "|x|^2", "|grad|^2", "loss"];
    assert_eq!(names(&functions.left_out), left_out);
}

#[test]
fn orders_are_claimed_of_fluctuations_along_directions() {
    let claim =
        "[monte_carlo]\n[[claims]]\n[claims.order]\nlearning_rates = [0.1, 0.05, 0.025]\nhorizon = 0.4\n";
    let text = GOOD.replacen("optimizer =", "projections = 1\noptimizer =", 1);
    let text = text.split("[[claims]]").next().unwrap().to_owned() + claim;
    assert!(experiment(&text).claims.iter().any(|claim| matches!(claim, Claim::Order(_))));
}

const WIDE: &str = r#"title = "t"
optimizer = "dcsgd"
projections = 3
objective.quadratic = { eigenvalues = { from = 0.5, to = 2.0, count = 1000 } }
[[agents]]
count = 4
noise.gaussian = { scale = 0.05 }
compressor.rand_k = { k = 250 }
[run]
learning_rate = 0.01
steps = 4
records = 2
start = 0.1
"#;

/// How far one step of a wrong SDE is from one of the right one.
fn difference(text: &str, mutant: SdeMutant) -> Difference {
    let Experiment { model, monte_carlo, .. } = experiment(text);
    let wrong = Mutant::Sde(mutant).spoil(&model).unwrap();
    Coefficients::default().exact_difference(&model, &*wrong.sde, monte_carlo.seed)
}

#[test]
fn a_wrong_drift_is_seen_in_a_large_dimension() {
    // ‖b/2‖² = (b/2)², and 5 % of the norm is allowed.
    let half = difference(WIDE, SdeMutant::HalfDrift);
    assert_eq!(half.function, "|E[dx]/η-b|^2");
    assert!((half.margins - 100.0).abs() < 1e-6, "{}", half.margins);
    // No coordinate alone shows it: each is a small part of the norm.
    let by_coordinate = WIDE.replace("projections = 3\n", "");
    assert!(difference(&by_coordinate, SdeMutant::HalfDrift).margins < 1.0);
}

#[test]
fn a_wrong_diffusion_is_seen_in_a_large_dimension() {
    // All variances are four times the right ones, which is sixty margins of 5 % away; without the noise, twenty.
    for (mutant, margins) in [(SdeMutant::AgentsLost, 60.0), (SdeMutant::NoDiffusion, 20.0)] {
        let found = difference(WIDE, mutant);
        assert!((found.margins - margins).abs() < 1e-6, "{mutant:?}: {} {}", found.function, found.margins);
    }
}
