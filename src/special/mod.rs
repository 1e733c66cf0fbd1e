//! Special functions that the theorems need, on top of `libm` only: the same bits on every machine.

mod density;
pub mod elementary;
mod gamma_ratio;
mod mean_of_t;
mod quadrature;
mod sign;
mod sign_covariance;
mod tail;
mod xi;
mod xi_inverse;

pub use density::{ell, xi_derivative};
pub use mean_of_t::MeanOfT;
pub use quadrature::{integrate, integrate_each};
pub use sign::sign;
pub use sign_covariance::sign_covariance;
pub use tail::{Tail, student_t_tail};
pub use xi::{twice_xi, upper_tail, xi};
pub use xi_inverse::xi_inverse;
