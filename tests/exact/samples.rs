//! Samples agree with exact answers.

use super::{Answers, assert_near, scenario};
use itocheck::ensemble::{BLOCK, Moments, Pair};
use itocheck::random::Role;

/// Within five standard errors, the SDE's bias bounded by what halving the integrator's step changes: some 300
/// comparisons, a false alarm below 2e-4 for one choice of seed, which was made before the values were seen.
#[test]
fn samples_agree() {
    let full = "quadratic = { matrix = [[1.5, 0.5], [0.5, 0.8]], minimiser = [0.2, -0.1] }";
    let cases = [
        scenario(
            "dcsgd",
            full,
            "{ count = 1, noise.gaussian = { covariance = [[1.0, 0.5], [0.5, 2.0]] }, compressor.rand_k = { k = 1 }, gradient_offset = [1.0, -1.0] }, \
             { count = 2, batch_size = 2, noise.student_t = { scale = 0.5, dof = 12 }, compressor.bernoulli = { probability = 0.5 }, gradient_offset = [-0.5, 0.5] }",
            "learning_rate = 0.05, steps = 40, records = 4, start = [1.0, -0.5]",
            "",
        ),
        scenario(
            "dsignsgd",
            "saddle = { eigenvalues = [1.0, -0.5] }",
            "{ count = 2, noise.student_t = { scale = 1.0, dof = 1 }, gradient_offset = [0.5, -0.5] }, \
             { count = 2, noise.gaussian = { scale = [0.5, 1.0] }, gradient_offset = [-0.5, 0.5] }",
            "learning_rate = 0.05, steps = 40, records = 4, start = [0.4, 0.1]",
            "functions = [{ tanh = { coordinate = 1, scale = 0.3 } }, { cos = { coordinate = 0, scale = 0.2 } }]",
        ),
    ];
    for text in cases {
        let answers = Answers::of(&text);
        let (model, observables) = (&answers.experiment.model, &answers.observables);
        let mut moments = Moments::default();
        let (optimizer, sde) =
            (model.optimizer_process(7, Role::Optimizer), model.sde_process(7, Role::Sde, 4));
        let pair =
            Pair { optimizer: &optimizer, sde: &sde, observables, steps: model.run.steps, controls: None };
        moments.extend(&pair, 0..(1 << 14) / BLOCK as u64, &|| {});
        for (place, function) in observables.functions.iter().enumerate() {
            for time in 1..observables.times() {
                let index = place * observables.times() + time;
                let name = function.to_string();
                let exact = answers.optimizer_at(&name, time);
                let limit = 5.0 * moments.raw.optimizer.standard_error(index) + exact.error;
                assert_near(
                    moments.raw.optimizer.mean(index),
                    exact.value,
                    limit,
                    &format!("optimizer, {name}"),
                );
                let exact = answers.sde_at(&name, time);
                let bias = moments.raw.refinement.mean(index).abs()
                    + 5.0 * moments.raw.refinement.standard_error(index);
                let limit = 5.0 * moments.raw.sde.standard_error(index) + bias + exact.error;
                assert_near(moments.raw.sde.mean(index), exact.value, limit, &format!("SDE, {name}"));
            }
        }
    }
}
