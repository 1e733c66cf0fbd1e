//! What follows from the SDEs: loss bounds, stationary laws and scaling rules, as pure functions. Where the source
//! is wrong or silent, both what is printed and what holds are here, by different names.

mod bounds;
mod moment_balance;
mod scaling;
mod stationary;

pub use bounds::{Delta, Landscape, LossBound, Regime, theorem_3, theorem_4};
pub use moment_balance::stationary_covariance;
pub use scaling::{Change, Rule};
pub use stationary::{Curvature, dcsgd_variance, dsgd_variance, dsignsgd_variance, dsignsgd_variance_1d};
