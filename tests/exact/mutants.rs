//! The SDE under test is the one that is solved.

use super::{Answers, assert_near, scenario};
use itocheck::exact::Value;

#[test]
fn a_mutant_has_its_own_moments() {
    let covariance = |optimizer: &str, agents: &str, sde: &str| {
        let text = scenario(
            optimizer,
            "quadratic = { eigenvalues = [0.5, 1.0] }",
            agents,
            "learning_rate = 0.05, steps = 40, records = 1, start = 0.8",
            sde,
        );
        let answers = Answers::of(&text);
        let of = |value: &dyn Fn(&str) -> Value| {
            let mean = value("x[0]").value;
            value("x[0]*x[0]").value - mean * mean
        };
        (of(&|function| answers.optimizer(function)), of(&|function| answers.sde(function)))
    };
    let plain = "{ count = 4, noise.gaussian = { scale = 1.0 } }";
    let compressed = "{ count = 4, noise.gaussian = { scale = 1.0 }, compressor.rand_k = { k = 1 } }";
    let signs = "{ count = 4, noise.student_t = { scale = 1.0, dof = 1 } }";
    let mutant = |name: &str| format!("sde = {{ mutant = \"{name}\" }}");
    let (optimizer, right) = covariance("dsgd", plain, "");
    assert!((optimizer / right - 1.0).abs() < 0.05);
    // Variances of a linear SDE are proportional to its diffusion.
    let ratio = |name: &str| covariance("dsgd", plain, &mutant(name)).1 / right;
    assert_near(ratio("agents_lost"), 4.0, 1e-11, "agents_lost");
    assert_near(ratio("eta_for_sqrt_eta"), 0.05, 1e-11, "eta_for_sqrt_eta");
    // Theorem 1 without compression noise is the SDE of DSGD.
    let (_, lost) = covariance("dcsgd", compressed, &mutant("no_compression_noise"));
    assert_near(lost / right, 1.0, 1e-11, "no_compression_noise");
    let (optimizer, uncompressed) = covariance("dcsgd", compressed, &mutant("no_compression_noise"));
    assert!(optimizer / uncompressed > 1.9, "{}", optimizer / uncompressed);
    // The optimizer is what it was.
    let (optimizer, right) = covariance("dsignsgd", signs, "");
    // Wrong in the right direction, by a percent at least where the stated error is 1e-8: more diffusion, less
    // drift and so less contraction, no loss of diffusion away from the minimum; a steeper Ξ.
    for (name, more) in [
        ("agents_lost", true),
        ("xi_without_two", true),
        ("identity_diffusion", true),
        ("gaussian_xi", false),
    ] {
        let (same, wrong) = covariance("dsignsgd", signs, &mutant(name));
        assert_eq!(same, optimizer);
        assert!((wrong / right - 1.0).abs() > 0.01 && (wrong > right) == more, "{name}: {}", wrong / right);
    }
    // The closed form is the general one here.
    let (_, closed) = covariance("dsignsgd", signs, "sde = { form = \"closed\" }");
    assert_near(closed / right, 1.0, 1e-9, "closed");
}
