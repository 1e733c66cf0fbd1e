//! Special functions that the theorems need, on top of `libm` only: the same bits on every machine.

mod sign;
mod xi;

pub use sign::sign;
pub use xi::xi;
