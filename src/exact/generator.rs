//! The generator of a diffusion on the line, on a uniform grid.

use super::exponential::{APPLICATIONS, act, steps};

/// Neighbours on each side that a difference takes: formulas of order 16.
const REACH: usize = 8;

/// Strength of the dissipation, in units of the largest drift over the grid's spacing.
const DISSIPATION: f64 = 2.0;

/// `L = b ∂ + (a/2) ∂²` by central differences of order 16, with the dissipation
/// `−2 max|b|/h · (δ/2)^16` of order 15: it damps waves of the grid's length, which central
/// differences would send the wrong way (Kreiss and Oliger 1972). The outer nodes stand still.
pub(super) struct Generator {
    nodes: usize,
    /// Coefficients of the neighbours k = −8, …, 8, each for all inner nodes.
    bands: Vec<Vec<f64>>,
    rate: f64,
}

impl Generator {
    /// On `nodes` nodes at the distance `h`, of which `coefficients` gives (b, a).
    pub fn new(h: f64, coefficients: &[(f64, f64)]) -> Self {
        let nodes = coefficients.len();
        let inner = &coefficients[REACH..nodes - REACH];
        let fastest = inner.iter().fold(0.0, |fastest: f64, (b, _)| fastest.max(b.abs()));
        let [first, second, dissipation] = stencils();
        let band = |k: usize| -> Vec<f64> {
            inner
                .iter()
                .map(|(b, a)| {
                    b * first[k] / h + 0.5 * a * second[k] / (h * h)
                        - DISSIPATION * fastest * dissipation[k] / h
                })
                .collect()
        };
        let bands: Vec<Vec<f64>> = (0..=2 * REACH).map(band).collect();
        let row_sum = |row: usize| bands.iter().map(|band| band[row].abs()).sum::<f64>();
        let rate = (0..inner.len()).map(row_sum).fold(0.0, f64::max);
        Self { nodes, bands, rate }
    }

    /// Multiplications that [`Generator::carry`] takes.
    pub fn work(&self, t: f64) -> f64 {
        steps(self.rate, t) * APPLICATIONS * (self.nodes * self.bands.len()) as f64
    }

    /// `weights ← e^{tLᵀ} weights`: what they weigh at the time t, where `Σ_i weights_i g(x_i)` is
    /// `(e^{tL} g)(x_0)` for every g at once.
    pub fn carry(&self, t: f64, weights: &mut [f64]) {
        let steps = steps(self.rate, t);
        for _ in 0..steps as usize {
            act(|w, out| self.transposed(w, out), t / steps, weights);
        }
    }

    /// `out = Lᵀ w`.
    fn transposed(&self, w: &[f64], out: &mut [f64]) {
        let inner = &w[REACH..self.nodes - REACH];
        out.fill(0.0);
        for (band, k) in self.bands.iter().zip(0..) {
            for ((out, band), w) in out[k..].iter_mut().zip(band).zip(inner) {
                *out += band * w;
            }
        }
    }
}

/// The central differences `h∂` and `h²∂²` of order 2m and `(−1)^m (δ/2)^{2m}`, m = [`REACH`], for the
/// neighbours −m, …, m (Fornberg 1988, Generation of Finite Difference Formulas).
fn stencils() -> [[f64; 2 * REACH + 1]; 3] {
    let m = REACH;
    let [mut first, mut second, mut dissipation] = [[0.0; 2 * REACH + 1]; 3];
    // (m!)²/((m − k)! (m + k)!), and C(2m, m + k)/4^m = C(2m, m)/4^m times that.
    let mut ratio = 1.0;
    let mut central = 1.0;
    (1..=m).for_each(|k| central *= (m + k) as f64 / (4 * k) as f64);
    dissipation[m] = central;
    for k in 1..=m {
        ratio *= (m + 1 - k) as f64 / (m + k) as f64;
        let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
        let k_real = k as f64;
        first[m + k] = sign * ratio / k_real;
        first[m - k] = -first[m + k];
        second[m + k] = 2.0 * sign * ratio / (k_real * k_real);
        second[m - k] = second[m + k];
        second[m] -= 2.0 * second[m + k];
        dissipation[m + k] = -sign * central * ratio;
        dissipation[m - k] = dissipation[m + k];
    }
    [first, second, dissipation]
}

#[cfg(test)]
mod tests {
    use super::Generator;

    /// `E cos(3 X_t)` for `dX = −dt + 0.2 dW` from 0 on a grid of spacing h, minus its closed form.
    fn error(h: f64) -> f64 {
        let half = (6.0 / h) as usize;
        let mut weights = vec![0.0; 2 * half + 1];
        weights[half] = 1.0;
        Generator::new(h, &vec![(-1.0, 0.04); 2 * half + 1]).carry(0.5, &mut weights);
        let place = |i: usize| h * (i as f64 - half as f64);
        let mean: f64 = weights.iter().enumerate().map(|(i, w)| w * libm::cos(3.0 * place(i))).sum();
        mean - libm::exp(-0.5 * 9.0 * 0.04 * 0.5) * libm::cos(1.5)
    }

    #[test]
    fn the_error_is_of_order_15() {
        // The dissipation's h^15, with the h^16 of the differences.
        let order = libm::log((error(0.3) / error(0.2)).abs()) / libm::log(1.5);
        assert!((14.0..16.5).contains(&order), "{order}");
        assert!(error(0.05).abs() < 1e-12, "{:e}", error(0.05));
    }
}
