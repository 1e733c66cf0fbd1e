//! Schemes for SDEs, the flow of their drift and its Jacobian. Nothing here knows an optimizer.

mod euler_maruyama;
mod flow;
mod jacobian;

pub use euler_maruyama::{EulerMaruyama, WEAK_ORDER};
pub use flow::drift_flow;
pub use jacobian::{Jacobian, drift_jacobian};
