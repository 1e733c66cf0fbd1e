//! What paths were to minimise, where nobody says.

use super::Objective;

/// A function of which nothing is known but where it is defined: all its values are NaN.
pub struct Unknown {
    /// d.
    pub dimension: usize,
}

impl Objective for Unknown {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn values(&self, _x: &[f64], out: &mut [f64]) {
        out.fill(f64::NAN);
    }

    fn gradient(&self, _x: &[f64], out: &mut [f64]) {
        out.fill(f64::NAN);
    }

    fn hessian_vector_product(&self, _x: &[f64], _v: &[f64], out: &mut [f64]) {
        out.fill(f64::NAN);
    }

    fn smoothness(&self) -> Option<f64> {
        None
    }

    fn growth(&self) -> u32 {
        u32::MAX
    }
}
