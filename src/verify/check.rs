//! Whether what users declare makes sense, at some states of a path of their optimizer: vectors of the right length, of finite
//! numbers, and covariances that are some.

use super::own::{Moments, Optimizer, Sde};
use crate::covariance::Covariance;
use crate::parameter::{Invalid, shown};
use crate::random::{Role, Stream};

/// Steps after which the path is looked at, besides the start.
const AFTER: [usize; 4] = [1, 10, 100, 1000];

/// Largest dimension in which all eigenvalues are computed; beyond it, variances are looked at alone.
const LARGEST_MATRIX: usize = 200;

/// What rounding may have left of symmetry, and of eigenvalues that are 0, in units of the dimension and the largest
/// variance: a thousandfold of what it leaves where A is computed as a product `B Bᵀ`.
const ROUNDING: f64 = 1000.0 * f64::EPSILON;

/// Drift, diffusion and declared moments along a path of so many steps, as far as it is finite.
pub(super) fn check(
    optimizer: &impl Optimizer,
    sde: &impl Sde,
    start: &[f64],
    steps: usize,
    seed: u64,
) -> Result<(), Invalid> {
    let mut random = Stream::new(seed, Role::States, 0);
    let (mut x, mut taken) = (start.to_vec(), 0);
    for after in [0].into_iter().chain(AFTER).take_while(|after| *after <= steps) {
        for _ in taken..after {
            optimizer.step(&mut x, &mut random);
        }
        taken = after;
        if x.iter().any(|x| !x.is_finite()) {
            return Ok(());
        }
        let mut drift = vec![0.0; x.len()];
        sde.drift(&x, &mut drift);
        is_vector("drift", &drift, &x)?;
        let mut diffusion = Covariance::zero(x.len());
        sde.diffusion(&x, &mut diffusion);
        is_covariance("diffusion", &diffusion, &x)?;
        if let Some(Moments { mean, covariance }) = optimizer.moments(&x) {
            is_vector("moments.mean", &mean, &x)?;
            is_covariance("moments.covariance", &covariance, &x)?;
        }
    }
    Ok(())
}

fn is_vector(name: &str, vector: &[f64], x: &[f64]) -> Result<(), Invalid> {
    if vector.len() != x.len() {
        let message = format!("{} numbers; expected {}, as many as the start has", vector.len(), x.len());
        return Err(Invalid::new(name, message));
    }
    match vector.iter().position(|entry| !entry.is_finite()) {
        None => Ok(()),
        Some(i) => {
            let message = format!("{} at {}; expected a finite number", shown(vector[i]), state(x));
            Err(Invalid::new(format!("{name}[{i}]"), message))
        }
    }
}

fn is_covariance(name: &str, covariance: &Covariance, x: &[f64]) -> Result<(), Invalid> {
    let d = x.len();
    if covariance.dimension() != d {
        let message =
            format!("of dimension {}; expected {d}, as many as the start has", covariance.dimension());
        return Err(Invalid::new(name, message));
    }
    let off_diagonal = if covariance.is_diagonal() || d > LARGEST_MATRIX { 0..0 } else { 0..d };
    let pairs = off_diagonal.flat_map(|i| (0..i).map(move |j| (i, j)));
    let both = pairs.clone().flat_map(|(i, j)| [(i, j), (j, i)]);
    for (i, j) in (0..d).map(|i| (i, i)).chain(both) {
        let entry = covariance.entry(i, j);
        if !entry.is_finite() {
            let message = format!("{} at {}; expected a finite number", shown(entry), state(x));
            return Err(Invalid::new(format!("{name}[{i}][{j}]"), message));
        }
    }
    let negligible = d as f64 * ROUNDING * (0..d).map(|i| covariance.entry(i, i).abs()).fold(0.0, f64::max);
    for i in 0..d {
        let variance = covariance.entry(i, i);
        if variance < -negligible {
            let message = format!("{} at {}; expected a variance", shown(variance), state(x));
            return Err(Invalid::new(format!("{name}[{i}][{i}]"), message));
        }
    }
    if pairs.clone().next().is_none() {
        return Ok(());
    }
    for (i, j) in pairs {
        let (below, above) = (covariance.entry(i, j), covariance.entry(j, i));
        if (below - above).abs() > negligible {
            let message = format!(
                "{} at {}, but [{j}][{i}] is {}; expected a symmetric matrix",
                shown(below),
                state(x),
                shown(above)
            );
            return Err(Invalid::new(format!("{name}[{i}][{j}]"), message));
        }
    }
    let least = nalgebra::DMatrix::from_fn(d, d, |i, j| covariance.entry(i, j)).symmetric_eigenvalues().min();
    if least < -negligible {
        let message = format!(
            "has the eigenvalue {least:.3e} at {}; expected a positive semidefinite matrix",
            state(x)
        );
        return Err(Invalid::new(name, message));
    }
    Ok(())
}

/// A state, or its first coordinates where it has many.
fn state(x: &[f64]) -> String {
    const SHOWN: usize = 4;
    let numbers: Vec<String> = x.iter().take(SHOWN).map(|x| format!("{x:.4}")).collect();
    let more = if x.len() > SHOWN { ", …" } else { "" };
    format!("x = ({}{more})", numbers.join(", "))
}
