//! The Jacobian of a drift, by differences.

use crate::sde::{Coefficients, Sde};

/// The step of a central difference relative to the size of its coordinate: the cube root of the spacing of
/// floating-point numbers, where its errors of truncation and of rounding are alike.
const STEP: f64 = 6e-6;

/// A Jacobian matrix `J`.
#[derive(Clone, Debug, PartialEq)]
pub enum Jacobian {
    /// Its diagonal, where all other entries are 0.
    Diagonal(Vec<f64>),
    /// Row by row.
    Dense(Vec<f64>),
}

impl Jacobian {
    /// Whether every entry is finite.
    pub fn is_finite(&self) -> bool {
        let (Self::Diagonal(entries) | Self::Dense(entries)) = self;
        entries.iter().all(|entry| entry.is_finite())
    }

    /// The same with its off-diagonal entries dropped.
    pub fn into_diagonal(self, dimension: usize) -> Self {
        match self {
            Self::Dense(entries) => Self::Diagonal(entries.into_iter().step_by(dimension + 1).collect()),
            diagonal @ Self::Diagonal(_) => diagonal,
        }
    }
}

/// The Jacobian `∂b_i/∂x_j` of the drift of `sde` at `c`, by central differences.
///
/// It has errors of about 1e-10 of the drift's size, which is enough wherever any deterministic matrix serves.
pub fn drift_jacobian(sde: &dyn Sde, c: &[f64], coefficients: &mut Coefficients) -> Jacobian {
    let d = c.len();
    let mut x = c.to_vec();
    let mut entries = vec![0.0; d * d];
    for j in 0..d {
        let step = STEP * c[j].abs().max(1.0);
        let (above, below) = (c[j] + step, c[j] - step);
        x[j] = above;
        sde.coefficients(&x, coefficients);
        let at_above = coefficients.drift.clone();
        x[j] = below;
        sde.coefficients(&x, coefficients);
        for (i, (above_b, below_b)) in at_above.iter().zip(&coefficients.drift).enumerate() {
            entries[i * d + j] = (above_b - below_b) / (above - below);
        }
        x[j] = c[j];
    }
    let is_diagonal = (0..d * d).all(|index| index / d == index % d || entries[index] == 0.0);
    let jacobian = Jacobian::Dense(entries);
    if is_diagonal { jacobian.into_diagonal(d) } else { jacobian }
}
