//! SGD with heavy-ball momentum and its SDE, `dX = M dt`, `dM = −(γM + ∇f(X)) dt + √η σ dW` (Li, Tai and E 2019,
//! Stochastic modified equations I), and two ways to get the SDE wrong.
//!
//! `cargo run --release --example momentum` prints the verdicts; `cargo test --example momentum` asserts them.

use itocheck::covariance::Covariance;
use itocheck::random::Stream;
use itocheck::verify::{Moments, Verification};
use itocheck::{Optimizer, Sde, verify};

/// η: one step takes the time η.
const ETA: f64 = 0.01;
/// γ: `β = 1 − γη` of the momentum is kept.
const GAMMA: f64 = 1.0;
/// σ, the standard deviation of the gradient noise.
const SIGMA: f64 = 2.0;

/// `f(x) = x²/2`.
fn gradient(x: f64) -> f64 {
    x
}

/// `m ← βm − η g`, `x ← x + η m`; the state is (x, m).
#[derive(Clone)]
struct Momentum;

impl Optimizer for Momentum {
    fn step(&self, state: &mut [f64], random: &mut Stream) {
        let g = gradient(state[0]) + SIGMA * random.normal();
        state[1] = (1.0 - GAMMA * ETA) * state[1] - ETA * g;
        state[0] += ETA * state[1];
    }

    fn moments(&self, state: &[f64]) -> Option<Moments> {
        let mean_of_m = -ETA * (GAMMA * state[1] + gradient(state[0]));
        let mean = vec![ETA * (state[1] + mean_of_m), mean_of_m];
        let mut covariance = Covariance::zero(2);
        covariance.add_rank_one(ETA * ETA * SIGMA * SIGMA, &[ETA, 1.0]);
        Some(Moments { mean, covariance })
    }
}

#[derive(Clone)]
struct MomentumSde {
    friction: f64,
    noise: f64,
}

impl Sde for MomentumSde {
    fn drift(&self, state: &[f64], drift: &mut [f64]) {
        drift[0] = state[1];
        drift[1] = -self.friction * state[1] - gradient(state[0]);
    }

    fn diffusion(&self, _state: &[f64], diffusion: &mut Covariance) {
        diffusion.add_diagonal([0.0, self.noise * self.noise]);
    }
}

/// As it is derived.
fn right() -> MomentumSde {
    MomentumSde { friction: GAMMA, noise: ETA.sqrt() * SIGMA }
}

/// `1 − β` taken for the friction, which is `(1 − β)/η`.
fn without_friction() -> MomentumSde {
    MomentumSde { friction: GAMMA * ETA, ..right() }
}

/// η in place of √η.
fn eta_for_sqrt_eta() -> MomentumSde {
    MomentumSde { noise: ETA * SIGMA, ..right() }
}

fn verification(sde: &MomentumSde) -> Verification<Momentum, MomentumSde> {
    verify(&Momentum, sde).learning_rate(ETA).steps(400).records(4).start(&[0.2, 0.0])
}

fn main() {
    for (name, sde) in
        [("as derived", right()), ("without friction", without_friction()), ("η for √η", eta_for_sqrt_eta())]
    {
        println!("The SDE {name}:");
        match verification(&sde).verdicts() {
            Ok(verdicts) => println!("{verdicts}"),
            Err(invalid) => println!("{invalid}"),
        }
    }
}

#[test]
fn the_sde_tracks_momentum() {
    verification(&right()).assert_upheld();
}

#[test]
fn without_its_friction_it_does_not() {
    verification(&without_friction()).assert_refuted();
}

#[test]
fn with_eta_for_sqrt_eta_it_does_not() {
    verification(&eta_for_sqrt_eta()).assert_refuted();
}
