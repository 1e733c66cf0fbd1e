//! Special functions that the theorems need, on top of `libm` only: the same bits on every machine.

mod density;
mod gamma_ratio;
mod mean_of_t;
mod quadrature;
mod sign;
mod sign_covariance;
mod xi;
mod xi_inverse;

pub use density::{ell, xi_derivative};
pub use mean_of_t::MeanOfT;
pub use quadrature::integrate;
pub use sign::sign;
pub use sign_covariance::sign_covariance;
pub use xi::xi;
pub use xi_inverse::xi_inverse;
