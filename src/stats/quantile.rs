//! Upper quantiles of Student's t.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The t with `P[T > t] = tail` for Student's t with `dof` degrees of freedom and a tail in (0, 1/2].
///
/// By bisection on the survival function, which keeps its relative precision in the tail; accurate
/// to 1e-12 relative. Infinite where `dof` is below 1.
pub fn student_quantile(dof: f64, tail: f64) -> f64 {
    let Ok(law) = StudentsT::new(0.0, 1.0, dof) else { return f64::INFINITY };
    if dof < 1.0 {
        return f64::INFINITY;
    }
    let mut below = 0.0;
    let mut above = 1.0;
    while law.sf(above) > tail {
        below = above;
        above *= 2.0;
        if above > 1e200 {
            return f64::INFINITY;
        }
    }
    while above - below > 1e-12 * above {
        let middle = 0.5 * (below + above);
        if law.sf(middle) > tail {
            below = middle;
        } else {
            above = middle;
        }
    }
    above
}
