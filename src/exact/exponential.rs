//! The action of a matrix exponential, without the matrix.

/// A step h has `h‖L‖` at most this. Rounding grows by at most `e^REACH` in a step.
const REACH: f64 = 3.0;

/// Terms of the Taylor series: the first one left out is below `3^31/31! = 8e-20` of the state.
const DEGREE: usize = 30;

/// How many steps take the time `t` where the norm of L is at most `rate`.
pub(super) fn steps(rate: f64, t: f64) -> f64 {
    (rate * t / REACH).ceil().max(1.0)
}

/// How often L is applied in one step.
pub(super) const APPLICATIONS: f64 = DEGREE as f64;

/// `z ← e^{hL} z` by its Taylor series, where `apply(z, out)` is `out = L z`, and h one of [`steps`]: exact
/// up to rounding (Al-Mohy and Higham 2011, Computing the Action of the Matrix Exponential).
pub(super) fn act(mut apply: impl FnMut(&[f64], &mut [f64]), h: f64, z: &mut [f64]) {
    let mut term = z.to_vec();
    let mut image = vec![0.0; z.len()];
    for k in 1..=DEGREE {
        apply(&term, &mut image);
        let factor = h / k as f64;
        for ((z, term), image) in z.iter_mut().zip(&mut term).zip(&image) {
            *term = factor * image;
            *z += *term;
        }
    }
}
