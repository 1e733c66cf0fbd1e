//! RMSprop and its SDE, `dX = −(∇f(X) dt + √η σ dW)/P(V)`, `dV = ρ(∇f(X)² + σ² − V) dt`, `P(V) = √V + ε`, as it is often
//! written (Compagnoni et al. 2025, Adaptive methods through the lens of SDEs), where V has no noise; and with the noise that v has.
//!
//! Both are right about raw moments to first order in η. But the noise of v is of the same order √η as that of x (Callisti, Romito
//! and Triggiano 2025, arXiv:2509.21614), and correlated with it where ∇f is not 0: scaled fluctuations show it.
//!
//! `cargo run --release --example rmsprop` prints the verdicts; `cargo test --example rmsprop` asserts them.

use itocheck::covariance::Covariance;
use itocheck::random::Stream;
use itocheck::verify::{Margin, Verification};
use itocheck::{Optimizer, Sde, verify};

/// η: one step takes the time η.
const ETA: f64 = 0.004;
/// ρ: `β₂ = 1 − ρη` of v is kept.
const RHO: f64 = 1.0;
const EPSILON: f64 = 1e-8;
/// σ, the standard deviation of the gradient noise.
const SIGMA: f64 = 0.5;

/// `f(x) = x²/2`.
fn gradient(x: f64) -> f64 {
    x
}

/// `v ← v + ηρ(g² − v)`, `x ← x − η g/(√v + ε)`; the state is (x, v).
#[derive(Clone)]
struct Rmsprop;

impl Optimizer for Rmsprop {
    fn step(&self, state: &mut [f64], random: &mut Stream) {
        let g = gradient(state[0]) + SIGMA * random.normal();
        state[1] += ETA * RHO * (g * g - state[1]);
        state[0] -= ETA * g / (state[1].sqrt() + EPSILON);
    }
}

#[derive(Clone)]
struct RmspropSde {
    v_has_noise: bool,
    v_knows_noise: bool,
}

/// P(V); a V that its noise took below 0 counts as 0.
fn p(v: f64) -> f64 {
    v.max(0.0).sqrt() + EPSILON
}

impl Sde for RmspropSde {
    fn drift(&self, state: &[f64], drift: &mut [f64]) {
        let g = gradient(state[0]);
        let variance = if self.v_knows_noise { SIGMA * SIGMA } else { 0.0 };
        drift[0] = -g / p(state[1]);
        drift[1] = RHO * (g * g + variance - state[1]);
    }

    fn diffusion(&self, state: &[f64], diffusion: &mut Covariance) {
        let (g, p, s) = (gradient(state[0]), p(state[1]), SIGMA * SIGMA);
        let of_v = if self.v_has_noise { 1.0 } else { 0.0 };
        // `Cov[g, g²] = 2s∇f` and `Var[g²] = 2s² + 4s∇f²` of a Gaussian.
        let covariances = [
            [ETA * s / (p * p), -of_v * ETA * RHO * 2.0 * s * g / p],
            [-of_v * ETA * RHO * 2.0 * s * g / p, of_v * ETA * RHO * RHO * (2.0 * s * s + 4.0 * s * g * g)],
        ];
        diffusion.add_dense(|i, j| covariances[i][j]);
    }
}

/// The mean and the covariance of a step, all of it.
const OF_THE_STEP: RmspropSde = RmspropSde { v_has_noise: true, v_knows_noise: true };
const WITHOUT_NOISE: RmspropSde = RmspropSde { v_has_noise: false, ..OF_THE_STEP };
/// v as the square of the mean gradient, without its variance.
const WITHOUT_VARIANCE: RmspropSde = RmspropSde { v_knows_noise: false, ..OF_THE_STEP };

fn verification(sde: &RmspropSde) -> Verification<Rmsprop, RmspropSde> {
    let verification = verify(&Rmsprop, sde).learning_rate(ETA).steps(200).records(4).substeps(2);
    verification.start(&[0.2, 0.25]).margin(Margin::Effect(0.2))
}

fn main() {
    for (name, sde) in [
        ("of the step", OF_THE_STEP),
        ("without the noise of v", WITHOUT_NOISE),
        ("without the variance in v", WITHOUT_VARIANCE),
    ] {
        println!("The SDE {name}:");
        match verification(&sde).verdicts() {
            Ok(verdicts) => println!("{verdicts}"),
            Err(invalid) => println!("{invalid}"),
        }
    }
}

#[test]
fn the_sde_of_the_step_tracks_rmsprop() {
    verification(&OF_THE_STEP).assert_upheld();
}

#[test]
fn without_noise_of_v_it_does_not() {
    verification(&WITHOUT_NOISE).assert_refuted();
}

#[test]
fn without_the_variance_in_v_it_does_not() {
    verification(&WITHOUT_VARIANCE).assert_refuted();
}
