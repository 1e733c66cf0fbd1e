//! Special functions that the theorems need, on top of `libm` only: the same bits on every machine.

mod density;
mod gamma_ratio;
mod sign;
mod xi;
mod xi_inverse;

pub use density::{ell, xi_derivative};
pub use sign::sign;
pub use xi::xi;
pub use xi_inverse::xi_inverse;
