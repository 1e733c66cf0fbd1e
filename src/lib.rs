//! itocheck answers one question: does this SDE track this optimizer?

pub mod agent;
pub mod claim;
pub mod cli;
pub mod compressor;
pub mod covariance;
pub mod ensemble;
pub mod integrator;
pub mod model;
pub mod noise;
pub mod objective;
pub mod optimizer;
pub mod parameter;
pub mod random;
pub mod report;
pub mod scenario;
pub mod sde;
pub mod special;
pub mod stats;
