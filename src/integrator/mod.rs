//! Schemes for SDEs, the flow of their drift and its Jacobian. Nothing here knows an optimizer.

mod euler_maruyama;
mod flow;
mod jacobian;
mod platen;
mod scheme;

pub use euler_maruyama::EulerMaruyama;
pub use flow::drift_flow;
pub use jacobian::{Jacobian, drift_jacobian};
pub use platen::Platen;
pub use scheme::{Draws, Scheme, SchemeName};
