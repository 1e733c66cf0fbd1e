//! The tail of Student's t beyond a threshold.

use super::{upper_tail, xi_derivative};
use std::ops::{Add, Mul};

/// What a random variable Y does beyond a threshold k.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tail {
    /// The density of Y at k.
    pub density: f64,
    /// `P[Y > k]`.
    pub probability: f64,
    /// `E (Y − k)⁺`.
    pub excess: f64,
    /// `E ((Y − k)⁺)²`.
    pub square: f64,
}

impl Tail {
    /// Of `scale · Y` beyond `scale · k`.
    pub fn scaled(self, scale: f64) -> Self {
        Self {
            density: self.density / scale,
            probability: self.probability,
            excess: scale * self.excess,
            square: scale * scale * self.square,
        }
    }
}

impl Mul<Tail> for f64 {
    type Output = Tail;
    fn mul(self, tail: Tail) -> Tail {
        Tail {
            density: self * tail.density,
            probability: self * tail.probability,
            excess: self * tail.excess,
            square: self * tail.square,
        }
    }
}

impl Add for Tail {
    type Output = Tail;
    fn add(self, other: Tail) -> Tail {
        Tail {
            density: self.density + other.density,
            probability: self.probability + other.probability,
            excess: self.excess + other.excess,
            square: self.square + other.square,
        }
    }
}

/// Of t_ν beyond k, ν > 2, with `dof = ∞` for the Gaussian. By parts, with `P = P[t > k]`:
/// `E[t; t > k] = Ξ_ν′(k) (ν + k²)/(ν − 1)` and `E[t²; t > k] = (k (ν − 1) E[t; t > k] + νP)/(ν − 2)`.
pub fn student_t_tail(k: f64, dof: f64) -> Tail {
    let density = xi_derivative(k, dof);
    let probability = upper_tail(k, dof);
    if density == 0.0 {
        // So far out that there is nothing, or everything, beyond k.
        let (excess, variance) =
            (-k * probability, if dof == f64::INFINITY { 1.0 } else { dof / (dof - 2.0) });
        let square = if probability == 0.0 { 0.0 } else { k * k + variance };
        return Tail { density, probability, excess: excess.max(0.0), square };
    }
    let (first, second) = if dof == f64::INFINITY {
        (density, k * density + probability)
    } else {
        let first = density * (dof + k * k) / (dof - 1.0);
        (first, (k * (dof - 1.0) * first + dof * probability) / (dof - 2.0))
    };
    let excess = first - k * probability;
    // Of a difference of moments rounding may leave a little below 0.
    let square = second - 2.0 * k * first + k * k * probability;
    Tail { density, probability, excess: excess.max(0.0), square: square.max(0.0) }
}
