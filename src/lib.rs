//! Does this SDE track this optimizer?
//!
//! Researchers model optimizers by stochastic differential equations and draw conclusions from them. This crate runs an optimizer
//! and its SDE over many seeds and compares their moments with tests whose error rates are stated. The command `itocheck run` does
//! so for scenario files, with the optimizers, noises and compressors that it knows. Your own it takes from Rust.
//!
//! # Your own optimizer against your own SDE
//!
//! An optimizer is a step, an SDE its drift and diffusion. The state is all that the optimizer remembers: position,
//! momentum, second moments. Here SGD on `f(x) = x²/2` with Gaussian noise, and its SDE:
//!
//! ```
//! use itocheck::covariance::Covariance;
//! use itocheck::random::Stream;
//! use itocheck::{Optimizer, Sde, verify};
//!
//! const ETA: f64 = 0.01;
//!
//! #[derive(Clone)]
//! struct Sgd;
//!
//! impl Optimizer for Sgd {
//!     fn step(&self, x: &mut [f64], random: &mut Stream) {
//!         x[0] -= ETA * (x[0] + random.normal());
//!     }
//! }
//!
//! #[derive(Clone)]
//! struct SgdSde {
//!     /// √η is right.
//!     noise: f64,
//! }
//!
//! impl Sde for SgdSde {
//!     fn drift(&self, x: &[f64], drift: &mut [f64]) {
//!         drift[0] = -x[0];
//!     }
//!
//!     fn diffusion(&self, _x: &[f64], diffusion: &mut Covariance) {
//!         diffusion.add_diagonal([self.noise * self.noise]);
//!     }
//! }
//!
//! let right = SgdSde { noise: ETA.sqrt() };
//! verify(&Sgd, &right).learning_rate(ETA).steps(100).start(&[0.5]).assert_upheld();
//!
//! let wrong = SgdSde { noise: ETA };
//! verify(&Sgd, &wrong).learning_rate(ETA).steps(100).start(&[0.5]).assert_refuted();
//! ```
//!
//! The first assertion holds because every moment of position, its square and its scaled fluctuation `(x − c)²/η` about the flow c of
//! the drift agrees within 0.1 standard deviations, and every one-step mean and covariance within 5 %; the second because
//! the fluctuation is a hundred times smaller than that of the optimizer. A failed assertion says which moment or coefficient is off,
//! where, by how much, and what the chance of a wrong verdict is. [`verify::Verification`] has what else can be set: times, margins,
//! stopping, seeds, error rate; [`verify::Optimizer`] what an optimizer can say of its steps, so that fewer paths are needed or heavy
//! tails are respected. The examples `momentum` and `rmsprop` of the repository are complete, with wrong SDEs that are refuted.
//!
//! # Scenarios
//!
//! What `itocheck run` does with a file, from Rust:
//!
//! ```
//! use itocheck::claim::{Progress, Verdict, judge};
//! use itocheck::scenario::{Overrides, check};
//!
//! struct Silent;
//! impl Progress for Silent {
//!     fn announce(&self, _units: u64) {}
//!     fn tick(&self, _units: u64) {}
//! }
//!
//! let text = r#"
//! title = "DSignSGD with Cauchy noise"
//! optimizer = "dsignsgd"
//! objective.quadratic = { eigenvalues = [1.0] }
//! agents = [{ count = 4, noise.student_t = { scale = 1.0, dof = 1 } }]
//! run = { learning_rate = 0.01, steps = 20, records = 2, start = 0.5 }
//! claims = [{ trajectory = { margin = { effect = 0.3 } } }]
//! "#;
//! let loaded = check("cauchy.toml".as_ref(), text.to_owned(), Overrides::default())?;
//! let judgement = judge(&loaded.experiment, &Silent);
//! assert!(judgement.findings.iter().all(|finding| finding.verdict == Verdict::Upheld));
//! # Ok::<(), itocheck::scenario::InputError>(())
//! ```
//!
//! # The house
//!
//! Data flow one way: [`scenario`] → [`model`] → [`ensemble`] → [`claim`] → [`report`]. The formulas
//! of the theorems stand in [`sde`], one file each.
#![warn(missing_docs)]

/// The code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod agent;
pub mod claim;
pub mod cli;
pub mod compressor;
pub mod covariance;
pub mod ensemble;
pub mod exact;
pub mod golden;
pub mod integrator;
pub mod kill_matrix;
pub mod model;
pub mod mutant;
pub mod noise;
mod npy;
pub mod objective;
pub mod optimizer;
pub mod parameter;
pub mod random;
pub mod recorded;
pub mod report;
mod rows;
pub mod scenario;
pub mod sde;
mod simd;
pub mod special;
pub mod stats;
pub mod theory;
pub mod verify;

pub use verify::{Optimizer, Sde, verify};
