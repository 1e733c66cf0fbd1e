//! The inverse of Ξ_ν: the quantiles of Student's t.

use super::{ell, xi, xi_derivative};

/// The u with `Ξ_ν(u) = p` for p from −1/2 to 1/2, where it is ∓∞; NaN outside. So the quantile of
/// level q is `xi_inverse(q − 1/2, ν)`, and small p keep their precision.
///
/// Newton's iteration, kept inside a bracket. Near ±1/2, where Ξ is flat, u is as uncertain as
/// the last digit of p makes it: by `ε/(2Ξ_ν′(u))`.
pub fn xi_inverse(p: f64, dof: f64) -> f64 {
    let level = p.abs();
    if level == 0.0 || level.is_nan() || level >= 0.5 {
        let end = if level > 0.5 { f64::NAN } else { f64::INFINITY };
        return if level == 0.0 || level.is_nan() { p } else { end.copysign(p) };
    }
    // Ξ is concave above 0, so that its tangent there lies above it: the root is at 2p/ℓ or further out.
    let mut below = 2.0 * level / ell(dof);
    let mut above = 2.0 * below;
    while xi(above, dof) < level {
        below = above;
        above *= 2.0;
    }
    if above == f64::INFINITY {
        return above.copysign(p);
    }
    let mut u = below;
    loop {
        let gap = level - xi(u, dof);
        if gap > 0.0 {
            below = u;
        } else {
            above = u;
        }
        let newton = u + gap / xi_derivative(u, dof);
        let next = if newton > below && newton < above { newton } else { 0.5 * (below + above) };
        if (next - u).abs() <= 2.0 * f64::EPSILON * u || above - below <= f64::EPSILON * below {
            return next.copysign(p);
        }
        u = next;
    }
}
