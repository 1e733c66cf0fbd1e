//! The law of the mean of B independent Student-t variables, which is not Student's t.

use super::{ell, xi};
use std::f64::consts::PI;

/// Chebyshev coefficients of a panel: with panels that double, the interpolation is below the quadrature's error.
const COEFFICIENTS: usize = 20;

/// Panels end where the tail is its leading term up to this.
const NEGLIGIBLE: f64 = 1e-11;

/// Spacing of the double exponential rule for Fourier integrals.
const SPACING: f64 = 1.0 / 20.0;

/// `Ξ̄(u) = P[(t¹ + … + tᴮ)/B ≤ u] − 1/2` for independent tⁱ with ν degrees of freedom.
///
/// Gil-Pelaez: `Ξ̄(u) = (1/π) ∫_0^∞ sin(us) φ(s/B)ᴮ ds/s`, φ the characteristic function of t_ν, by the
/// rule of Ooura and Mori (1999) when this is made; afterwards by Chebyshev interpolation. The error is
/// below [`MeanOfT::ERROR`].
#[derive(Clone, Debug)]
pub struct MeanOfT {
    dof: f64,
    batch_size: f64,
    /// The first panel is [0, width], the next [width, 2 width], then [2 width, 4 width] and so on.
    width: f64,
    /// Of Ξ̄(u)/u in the first panel, which keeps Ξ̄ odd, and of Ξ̄ in the others.
    panels: Vec<[f64; COEFFICIENTS]>,
}

impl MeanOfT {
    /// A bound of the error of [`MeanOfT::xi`].
    pub const ERROR: f64 = 1e-10;

    /// The law for ν = `dof` of at least 1/2 and B = `batch_size`.
    pub fn new(dof: f64, batch_size: usize) -> Self {
        let batch_size = batch_size as f64;
        // Sums grow like B^{1/2}, or like the largest of B terms where that grows faster.
        let width = 0.5 * libm::pow(batch_size, (1.0 / dof).max(0.5) - 1.0);
        let mut law = Self { dof, batch_size, width, panels: Vec::new() };
        law.panels.push(interpolant(0.0, width, |u| law.by_quadrature(u) / u));
        let mut start = width;
        while [start, 2.0 * start].iter().any(|&u| law.misses_in_the_tail(u)) {
            law.panels.push(interpolant(start, 2.0 * start, |u| law.by_quadrature(u)));
            start *= 2.0;
        }
        law
    }

    /// `Ξ̄(u)`.
    pub fn xi(&self, u: f64) -> f64 {
        let distance = u.abs();
        if distance < self.width {
            return u * evaluate(&self.panels[0], 2.0 * distance / self.width - 1.0);
        }
        let doublings = libm::floor(libm::log2(distance / self.width));
        let value = match self.panels.get(doublings as usize + 1) {
            Some(panel) => {
                let start = libm::ldexp(self.width, doublings as i32);
                evaluate(panel, 2.0 * (distance - start) / start - 1.0)
            }
            None => 0.5 - self.leading_tail(distance),
        };
        value.copysign(u)
    }

    /// The slope at 0 over that of `t_ν/√B`, as which the poster models a batch: `Ξ̄′(0)/(√B Ξ_ν′(0))`.
    pub fn slope_over_scaled_t(&self) -> f64 {
        evaluate(&self.panels[0], -1.0) / (0.5 * ell(self.dof) * self.batch_size.sqrt())
    }

    /// `1/2 − Ξ̄(u)` far out, where one of the B variables makes the sum as large as it is.
    fn leading_tail(&self, u: f64) -> f64 {
        self.batch_size * (0.5 - xi(self.batch_size * u, self.dof))
    }

    fn misses_in_the_tail(&self, u: f64) -> bool {
        (0.5 - self.leading_tail(u) - self.by_quadrature(u)).abs() > NEGLIGIBLE
    }

    fn by_quadrature(&self, u: f64) -> f64 {
        let power =
            |s: f64| libm::pow(characteristic_function(s / self.batch_size, self.dof), self.batch_size);
        sine_integral(u, |s| power(s) / s) / PI
    }
}

/// `E cos(s t_ν)`, as the mixture `(1/Γ(ν/2)) ∫ exp(νy/2 − eʸ − (νs²/4)e⁻ʸ) dy` over `eʸ = χ²/2`.
///
/// The trapezoidal rule: its error is `e^{−2π²/(h²ν/2)}` for large ν and `e^{−π²/h}` for small.
fn characteristic_function(s: f64, dof: f64) -> f64 {
    const LOWEST: f64 = -45.0;
    let shape = 0.5 * dof;
    let h = (0.5 / shape.sqrt()).min(0.2);
    let quarter = 0.25 * dof * s * s;
    let log_gamma = libm::lgamma(shape);
    let exponent = |y: f64| {
        let chi = libm::exp(y);
        shape * y - chi - quarter / chi - log_gamma
    };
    // The peak, where ν/2 − eʸ + (νs²/4)e⁻ʸ = 0; the exponent is concave.
    let peak = libm::log(0.5 * (shape + (shape * shape + 4.0 * quarter).sqrt()));
    let highest = exponent(peak);
    if highest < -700.0 {
        return 0.0;
    }
    let mut sum = libm::exp(highest);
    for direction in [-h, h] {
        let mut y = peak + direction;
        while exponent(y) - highest > LOWEST {
            sum += libm::exp(exponent(y));
            y += direction;
        }
    }
    h * sum
}

/// `∫_0^∞ g(s) sin(us) ds` for u > 0: Ooura and Mori's map takes the nodes to the zeros of the sine
/// double exponentially.
fn sine_integral(u: f64, g: impl Fn(f64) -> f64) -> f64 {
    let (beta, m) = (0.25, PI / SPACING);
    let alpha = beta / (1.0 + m * libm::log1p(m) / (4.0 * PI)).sqrt();
    let mut sum = 0.0;
    // There the nodes are within 1e-16 of 0 and of the zeros of the sine.
    let (first, last) = ((-7.0 / SPACING) as i32, (5.0 / SPACING) as i32);
    for k in first..=last {
        let y = f64::from(k) * SPACING;
        let (map, slope) = if k == 0 {
            let curvature = 2.0 + alpha + beta;
            (1.0 / curvature, 0.5 * (1.0 + (alpha - beta) / (curvature * curvature)))
        } else {
            let exponent = -2.0 * y - alpha * (1.0 - libm::exp(-y)) - beta * (libm::exp(y) - 1.0);
            let rate = 2.0 + alpha * libm::exp(-y) + beta * libm::exp(y);
            let (decay, left) = (libm::exp(exponent), -libm::expm1(exponent));
            (y / left, 1.0 / left - y * decay * rate / (left * left))
        };
        let s = m * map / u;
        sum += g(s) * libm::sin(m * map) * slope;
    }
    PI * sum / u
}

/// Coefficients of the Chebyshev interpolant on [from, to].
fn interpolant(from: f64, to: f64, f: impl Fn(f64) -> f64) -> [f64; COEFFICIENTS] {
    let n = COEFFICIENTS as f64;
    let angle = |k: usize| PI * (k as f64 + 0.5) / n;
    let values: [f64; COEFFICIENTS] =
        std::array::from_fn(|k| f(from + 0.5 * (to - from) * (1.0 + libm::cos(angle(k)))));
    std::array::from_fn(|j| {
        let terms = values.iter().enumerate().map(|(k, value)| value * libm::cos(j as f64 * angle(k)));
        let share = if j == 0 { 1.0 } else { 2.0 };
        share * terms.sum::<f64>() / n
    })
}

/// A Chebyshev series at y in [−1, 1], by Clenshaw's recurrence.
fn evaluate(coefficients: &[f64], y: f64) -> f64 {
    let (mut next, mut after) = (0.0, 0.0);
    for coefficient in coefficients.iter().skip(1).rev() {
        (next, after) = (coefficient + 2.0 * y * next - after, next);
    }
    coefficients[0] + y * next - after
}
