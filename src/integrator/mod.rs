//! Schemes for SDEs, and the flow of their drift. Nothing here knows an optimizer.

mod euler_maruyama;
mod flow;

pub use euler_maruyama::{EulerMaruyama, WEAK_ORDER};
pub use flow::drift_flow;
