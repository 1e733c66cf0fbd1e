//! Brute force over all draws of a few steps.

use super::{Answers, assert_near, assert_stated, fluctuation, scenario};
use std::f64::consts::PI;

/// States that may follow, with their probabilities.
type Successors = Vec<(f64, Vec<f64>)>;

/// Expectations of functions of x over all equally likely or weighted draws of all steps.
fn enumerate(
    x: &[f64],
    steps: usize,
    successors: &dyn Fn(&[f64]) -> Successors,
    functions: &dyn Fn(&[f64]) -> Vec<f64>,
) -> Vec<f64> {
    if steps == 0 {
        return functions(x);
    }
    let mut sums = Vec::new();
    for (probability, next) in successors(x) {
        let values = enumerate(&next, steps - 1, successors, functions);
        sums.resize(values.len(), 0.0);
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += probability * value);
    }
    sums
}

/// All draws of independent agents: products of the agents' own, as sums of what they send.
fn all_draws(agents: Vec<Vec<(f64, [f64; 2])>>) -> Vec<(f64, [f64; 2])> {
    agents.into_iter().fold(vec![(1.0, [0.0, 0.0])], |sums, agent| {
        sums.iter()
            .flat_map(|(p, a)| agent.iter().map(move |(q, b)| (p * q, [a[0] + b[0], a[1] + b[1]])))
            .collect()
    })
}

/// The values that [`functions_of_two`] names.
fn two(x: &[f64], c: &[f64], eta: f64, loss: f64) -> Vec<f64> {
    let (y, z) = (x[0] - c[0], x[1] - c[1]);
    vec![x[0], x[1], x[0] * x[0], x[0] * x[1], x[1] * x[1], y * y / eta, y * z / eta, z * z / eta, loss]
}

fn functions_of_two() -> Vec<String> {
    let plain = ["x[0]", "x[1]", "x[0]*x[0]", "x[0]*x[1]", "x[1]*x[1]"].map(str::to_owned);
    let central = [fluctuation(0, 0), fluctuation(0, 1), fluctuation(1, 1)];
    plain.into_iter().chain(central).chain(["loss".to_owned()]).collect()
}

/// Two agents, Rand-1 and Bernoulli ½, with gradients of their own, under a full H, for three steps. Second moments
/// see no more of the noise than its covariance: fair coins ±σ serve for Gaussian noise.
fn dcsgd_by_brute_force(n: f64) -> (Answers, Vec<f64>) {
    let answers = Answers::of(&scenario(
        "dcsgd",
        "quadratic = { matrix = [[1.5, 0.5], [0.5, 0.8]], minimiser = [0.3, -0.2] }",
        "{ count = 1, noise.gaussian = { scale = [0.5, 1.0] }, compressor.rand_k = { k = 1 }, gradient_offset = [1.0, -0.5] }, \
         { count = 1, noise.none = {}, compressor.bernoulli = { probability = 0.5 }, gradient_offset = [-1.0, 0.5] }",
        "learning_rate = 0.2, steps = 3, records = 3, start = [1.0, -2.0]",
        "",
    ));
    let gradient = |x: &[f64]| {
        let (y, z) = (x[0] - 0.3, x[1] + 0.2);
        [1.5 * y + 0.5 * z, 0.5 * y + 0.8 * z]
    };
    let loss = |x: &[f64]| {
        let (y, z) = (x[0] - 0.3, x[1] + 0.2);
        0.5 * (1.5 * y * y + y * z + 0.8 * z * z)
    };
    let successors = |x: &[f64]| {
        let g = gradient(x);
        let mut first = Vec::new();
        for signs in 0..4 {
            let sign = |bit: u32| if signs >> bit & 1 == 1 { 1.0 } else { -1.0 };
            let sent = [g[0] + 1.0 + 0.5 * sign(0), g[1] - 0.5 + sign(1)];
            first.push((0.125, [2.0 * sent[0], 0.0]));
            first.push((0.125, [0.0, 2.0 * sent[1]]));
        }
        let mut second = Vec::new();
        for mask in 0..4 {
            let kept = |bit: u32| f64::from(mask >> bit & 1);
            second.push((0.25, [2.0 * kept(0) * (g[0] - 1.0), 2.0 * kept(1) * (g[1] + 0.5)]));
        }
        let next = |sum: [f64; 2]| vec![x[0] - 0.2 / n * sum[0], x[1] - 0.2 / n * sum[1]];
        all_draws(vec![first, second]).into_iter().map(|(p, sum)| (p, next(sum))).collect()
    };
    let c = answers.observables.flow[3].clone();
    let expected = enumerate(&[1.0, -2.0], 3, &successors, &|x| two(x, &c, 0.2, loss(x)));
    (answers, expected)
}

#[test]
fn dcsgd_matches_all_masks_and_signs() {
    let (answers, expected) = dcsgd_by_brute_force(2.0);
    for (function, expected) in functions_of_two().iter().zip(expected) {
        assert_near(answers.optimizer(function).value, expected, 1e-13 * (1.0 + expected.abs()), function);
        assert_stated(answers.optimizer(function), expected, function);
    }
}

#[test]
#[should_panic(expected = "x[0]")]
fn a_wrong_number_of_agents_is_noticed() {
    let (answers, expected) = dcsgd_by_brute_force(2.001);
    for (function, expected) in functions_of_two().iter().zip(expected) {
        assert_near(answers.optimizer(function).value, expected, 1e-13 * (1.0 + expected.abs()), function);
    }
}

/// Three agents of two groups with gradients of their own on a saddle, for three steps.
#[test]
fn dsignsgd_matches_all_signs() {
    let answers = Answers::of(&scenario(
        "dsignsgd",
        "saddle = { eigenvalues = [1.0, -0.5], quartic = 0.7 }",
        "{ count = 2, noise.student_t = { scale = [0.5, 1.0], dof = 1 }, gradient_offset = [0.5, 0.25] }, \
         { count = 1, batch_size = 4, noise.student_t = { scale = 2.0, dof = 2 }, gradient_offset = [-1.0, -0.5] }",
        "learning_rate = 0.2, steps = 3, records = 3, start = [0.4, -0.3]",
        "functions = [{ tanh = { coordinate = 1, scale = 0.3 } }, { cos = { coordinate = 0, scale = 0.2 } }]",
    ));
    let f = |x: f64, lambda: f64| 0.5 * lambda * x * x + 0.25 * 0.7 * x.powi(4);
    let slope = |x: f64, lambda: f64| lambda * x + 0.7 * x.powi(3);
    let negative_cauchy = |u: f64| 0.5 - u.atan() / PI;
    let negative_t2 = |u: f64| 0.5 - 0.5 * u / (2.0 + u * u).sqrt();
    let signs = |p: f64, q: f64| -> Vec<(f64, [f64; 2])> {
        vec![
            (p * q, [-1.0, -1.0]),
            (p * (1.0 - q), [-1.0, 1.0]),
            ((1.0 - p) * q, [1.0, -1.0]),
            ((1.0 - p) * (1.0 - q), [1.0, 1.0]),
        ]
    };
    let successors = |x: &[f64]| {
        let g = [slope(x[0], 1.0), slope(x[1], -0.5)];
        let cauchy = signs(negative_cauchy((g[0] + 0.5) / 0.5), negative_cauchy(g[1] + 0.25));
        let t2 = signs(negative_t2(g[0] - 1.0), negative_t2(g[1] - 0.5));
        let next = |sum: [f64; 2]| vec![x[0] - 0.2 / 3.0 * sum[0], x[1] - 0.2 / 3.0 * sum[1]];
        all_draws(vec![cauchy.clone(), cauchy, t2]).into_iter().map(|(p, sum)| (p, next(sum))).collect()
    };
    let c = answers.observables.flow[3].clone();
    let mut functions = functions_of_two();
    functions.extend(["tanh(x[1]/0.3)".to_owned(), "cos(x[0]/0.2)".to_owned()]);
    let expected = enumerate(&[0.4, -0.3], 3, &successors, &|x| {
        let mut values = two(x, &c, 0.2, f(x[0], 1.0) + f(x[1], -0.5));
        values.extend([(x[1] / 0.3).tanh(), (x[0] / 0.2).cos()]);
        values
    });
    for (function, expected) in functions.iter().zip(expected) {
        assert_near(answers.optimizer(function).value, expected, 1e-13, function);
    }
}
