//! The gamma law by Marsaglia and Tsang (2000), for the χ² under Student's t.

use super::Stream;

/// Gamma with the given shape and scale 1.
pub(super) fn gamma(stream: &mut Stream, shape: f64) -> f64 {
    if shape < 1.0 {
        // Γ(a) = Γ(a + 1) U^{1/a} in law.
        let boost = libm::pow(stream.uniform(), 1.0 / shape);
        return at_least_one(stream, shape + 1.0) * boost;
    }
    at_least_one(stream, shape)
}

fn at_least_one(stream: &mut Stream, shape: f64) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = stream.normal();
        let cube_root = 1.0 + c * x;
        if cube_root <= 0.0 {
            continue;
        }
        let v = cube_root * cube_root * cube_root;
        let u = stream.uniform();
        let squeezed = u < 1.0 - 0.0331 * x * x * x * x;
        if squeezed || libm::log(u) < 0.5 * x * x + d * (1.0 - v + libm::log(v)) {
            return d * v;
        }
    }
}
