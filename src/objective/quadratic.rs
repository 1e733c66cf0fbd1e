//! `f(x) = (x − x*)ᵀ H (x − x*)/2` with positive semidefinite H.

use super::{LARGEST_DIMENSION, Objective};
use crate::parameter::{Invalid, PerCoordinate, checked, rounding_of_eigenvalues, semidefinite};
use crate::rows;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// `f(x) = (x − x*)ᵀ H (x − x*)/2`.
#[derive(Clone, Debug)]
pub struct Quadratic {
    hessian: Hessian,
    minimiser: Vec<f64>,
    /// The least eigenvalue above 0; none where all are 0.
    pl_constant: Option<f64>,
    smoothness: f64,
}

#[derive(Clone, Debug)]
enum Hessian {
    Diagonal(Vec<f64>),
    /// Row by row.
    Full(Vec<f64>),
}

impl Quadratic {
    /// `H (x − centre)` for each path.
    fn product(&self, x: &[f64], centre: &[f64], out: &mut [f64]) {
        match &self.hessian {
            Hessian::Diagonal(eigenvalues) => rows::scale_rows_about(out, eigenvalues, x, centre),
            Hessian::Full(matrix) => {
                let d = self.dimension();
                let n = x.len() / d;
                out.fill(0.0);
                for (out, row) in out.chunks_exact_mut(n).zip(matrix.chunks_exact(d)) {
                    for ((entry, x), centre) in row.iter().zip(x.chunks_exact(n)).zip(centre) {
                        out.iter_mut().zip(x).for_each(|(out, x)| *out += entry * (x - centre));
                    }
                }
            }
        }
    }
}

impl Objective for Quadratic {
    fn dimension(&self) -> usize {
        self.minimiser.len()
    }

    fn values(&self, x: &[f64], out: &mut [f64]) {
        let n = out.len();
        out.fill(0.0);
        match &self.hessian {
            Hessian::Diagonal(eigenvalues) => {
                rows::add_scaled_squares_about(out, eigenvalues, x, &self.minimiser);
            }
            Hessian::Full(_) => {
                let mut gradient = vec![0.0; x.len()];
                self.gradient(x, &mut gradient);
                let deviations = x.chunks_exact(n).zip(&self.minimiser);
                for (gradient, (x, centre)) in gradient.chunks_exact(n).zip(deviations) {
                    for ((out, gradient), x) in out.iter_mut().zip(gradient).zip(x) {
                        *out += gradient * (x - centre);
                    }
                }
            }
        }
        rows::scale(out, 0.5);
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        self.product(x, &self.minimiser, out);
    }

    fn hessian_vector_product(&self, _x: &[f64], v: &[f64], out: &mut [f64]) {
        self.product(v, &vec![0.0; v.len()], out);
    }

    fn smoothness(&self) -> Option<f64> {
        Some(self.smoothness)
    }

    fn pl_constant(&self) -> Option<f64> {
        self.pl_constant
    }

    fn minimum(&self) -> Option<f64> {
        Some(0.0)
    }

    fn growth(&self) -> u32 {
        2
    }

    fn operations(&self) -> f64 {
        let d = self.dimension() as f64;
        match &self.hessian {
            Hessian::Diagonal(_) => d,
            Hessian::Full(_) => d * d,
        }
    }

    fn centre(&self) -> Option<&[f64]> {
        Some(&self.minimiser)
    }

    fn separable_term(&self, j: usize, x: f64) -> Option<f64> {
        let deviation = x - self.minimiser[j];
        match &self.hessian {
            Hessian::Diagonal(eigenvalues) => Some(0.5 * eigenvalues[j] * deviation * deviation),
            Hessian::Full(_) => None,
        }
    }
}

/// `f(x) = (x − x*)ᵀH(x − x*)/2` with positive semidefinite H, given by its `eigenvalues` (then it is diagonal) or
/// as a `matrix`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Diagonal of H, each entry at least 0.
    eigenvalues: Option<Eigenvalues>,
    /// H row by row, symmetric and positive semidefinite, at most 500 × 500.
    matrix: Option<Vec<Vec<f64>>>,
    /// x*; 0 unless given.
    minimiser: Option<PerCoordinate>,
}

/// A list, or `count` numbers evenly spaced over `from..=to`.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(untagged)]
enum Eigenvalues {
    List(Vec<f64>),
    Spaced(Spacing),
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Spacing {
    /// The first.
    from: f64,
    /// The last.
    to: f64,
    /// How many, from 1 to 10000.
    count: usize,
}

impl Parameters {
    pub(super) fn build(&self) -> Result<Arc<dyn Objective>, Invalid> {
        let (hessian, d) = match (&self.eigenvalues, &self.matrix) {
            (Some(eigenvalues), None) => {
                let list = eigenvalues.list()?;
                let d = list.len();
                (Hessian::Diagonal(list), d)
            }
            (None, Some(rows)) => (Hessian::Full(semidefinite("matrix", rows, rows.len())?), rows.len()),
            (Some(_), Some(_)) => {
                return Err(Invalid::new(
                    "matrix",
                    "both `eigenvalues` and `matrix` are given; expected one of them",
                ));
            }
            (None, None) => {
                return Err(Invalid::new(
                    "",
                    "no Hessian; expected `eigenvalues = [..]` or `matrix = [[..]]`",
                ));
            }
        };
        if !(1..=LARGEST_DIMENSION).contains(&d) {
            let message = format!("dimension {d}; expected from 1 to {LARGEST_DIMENSION} coordinates");
            return Err(Invalid::new("", message));
        }
        let minimiser = match &self.minimiser {
            None => vec![0.0; d],
            Some(minimiser) => minimiser.expand("minimiser", d, f64::is_finite, "a finite number")?,
        };
        let eigenvalues = match &hessian {
            Hessian::Diagonal(eigenvalues) => eigenvalues.clone(),
            Hessian::Full(matrix) => {
                let matrix = nalgebra::DMatrix::from_row_slice(d, d, matrix);
                matrix.symmetric_eigenvalues().as_slice().to_vec()
            }
        };
        let smoothness = eigenvalues.iter().copied().fold(0.0, f64::max);
        let is_full = matches!(hessian, Hessian::Full(_));
        // What rounding makes of 0 in a full matrix.
        let zero = if is_full { rounding_of_eigenvalues(d, smoothness) } else { 0.0 };
        let pl_constant = eigenvalues.into_iter().filter(|&eigenvalue| eigenvalue > zero).reduce(f64::min);
        Ok(Arc::new(Quadratic { hessian, minimiser, pl_constant, smoothness }))
    }
}

impl Eigenvalues {
    fn list(&self) -> Result<Vec<f64>, Invalid> {
        let nonnegative = |key: &str, value: f64| {
            let right = "a finite number of at least 0 (for a negative one see objective.saddle)";
            checked(key, value, |value| value >= 0.0, right)
        };
        match self {
            Self::List(list) => {
                for (index, &value) in list.iter().enumerate() {
                    nonnegative(&format!("eigenvalues[{index}]"), value)?;
                }
                Ok(list.clone())
            }
            Self::Spaced(Spacing { from, to, count }) => {
                nonnegative("eigenvalues.from", *from)?;
                nonnegative("eigenvalues.to", *to)?;
                if *count == 0 || *count > LARGEST_DIMENSION {
                    let message = format!("{count}; expected a whole number from 1 to {LARGEST_DIMENSION}");
                    return Err(Invalid::new("eigenvalues.count", message));
                }
                let gaps = (count - 1).max(1) as f64;
                Ok((0..*count).map(|j| from + (to - from) * j as f64 / gaps).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Eigenvalues {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListOrSpacing;
        impl<'de> serde::de::Visitor<'de> for ListOrSpacing {
            type Value = Eigenvalues;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a list of numbers, or { from, to, count }")
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, list: A) -> Result<Eigenvalues, A::Error> {
                Vec::deserialize(serde::de::value::SeqAccessDeserializer::new(list)).map(Eigenvalues::List)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Eigenvalues, A::Error> {
                Spacing::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    .map(Eigenvalues::Spaced)
            }
        }
        deserializer.deserialize_any(ListOrSpacing)
    }
}
