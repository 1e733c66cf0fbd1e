//! Does this SDE track this optimizer?
//!
//! Researchers model optimizers by stochastic differential equations and draw conclusions from them.
//! This crate runs an optimizer and its SDE over many seeds and compares their moments with tests
//! whose error rates are stated. The command `itocheck run` does so for scenario files; from Rust:
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
//! Data flow one way: [`scenario`] → [`model`] → [`ensemble`] → [`claim`] → [`report`]. The formulas
//! of the theorems stand in [`sde`], one file each.
#![warn(missing_docs)]

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
