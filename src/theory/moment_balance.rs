//! The stationary covariance where drift and noise balance, for any H: a linear system.

use nalgebra::{DMatrix, DVector};

/// The covariance V at which `F(V) = 0`, for a map F of symmetric matrices that is affine; none where it is not
/// unique, or no covariance.
///
/// F stands for `HV + VH − (η/N) R(V)` of an SDE with drift `−H(x − x*)` and diffusion covariance `(η/N) R`, or for
/// `V − (I − ηH)V(I − ηH) − (η²/N) R(V)` of the algorithm. Its matrix on the d(d + 1)/2 entries of V is found entry by
/// entry.
pub fn stationary_covariance(
    dimension: usize,
    balance: impl Fn(&DMatrix<f64>) -> DMatrix<f64>,
) -> Option<DMatrix<f64>> {
    let pairs: Vec<(usize, usize)> =
        (0..dimension).flat_map(|i| (i..dimension).map(move |j| (i, j))).collect();
    let entries =
        |matrix: &DMatrix<f64>| DVector::from_iterator(pairs.len(), pairs.iter().map(|&pair| matrix[pair]));
    let constant = balance(&DMatrix::zeros(dimension, dimension));
    let mut system = DMatrix::zeros(pairs.len(), pairs.len());
    for (column, &(i, j)) in pairs.iter().enumerate() {
        let mut unit = DMatrix::zeros(dimension, dimension);
        unit[(i, j)] = 1.0;
        unit[(j, i)] = 1.0;
        system.set_column(column, &entries(&(balance(&unit) - &constant)));
    }
    let solution = system.lu().solve(&-entries(&constant))?;
    let mut covariance = DMatrix::zeros(dimension, dimension);
    for (&(i, j), &entry) in pairs.iter().zip(&solution) {
        covariance[(i, j)] = entry;
        covariance[(j, i)] = entry;
    }
    let is_covariance =
        covariance.clone().symmetric_eigenvalues().iter().all(|&eigenvalue| eigenvalue >= 0.0);
    is_covariance.then_some(covariance)
}
