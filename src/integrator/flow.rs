//! The flow ċ = b(c) of a drift: the deterministic path about which fluctuations are measured.

use crate::sde::{Coefficients, Sde};

/// `c(kη)` for k = 0, `every`, 2·`every`, … up to `steps`, from `start`, by the classical Runge–Kutta
/// scheme with `substeps` steps to each η.
///
/// Any path serves, as long as it is one for both processes: its error shifts both alike.
pub fn drift_flow(
    sde: &dyn Sde,
    start: &[f64],
    eta: f64,
    steps: usize,
    every: usize,
    substeps: usize,
) -> Vec<Vec<f64>> {
    let d = start.len();
    let h = eta / substeps as f64;
    let mut coefficients = Coefficients::new(d);
    let mut drift_at = |c: &[f64]| {
        sde.coefficients(c, &mut coefficients);
        coefficients.drift.clone()
    };
    let along =
        |c: &[f64], t: f64, k: &[f64]| -> Vec<f64> { c.iter().zip(k).map(|(c, k)| c + t * k).collect() };
    let mut c = start.to_vec();
    let mut path = vec![c.clone()];
    for step in 1..=steps {
        for _ in 0..substeps {
            let k1 = drift_at(&c);
            let k2 = drift_at(&along(&c, 0.5 * h, &k1));
            let k3 = drift_at(&along(&c, 0.5 * h, &k2));
            let k4 = drift_at(&along(&c, h, &k3));
            for j in 0..d {
                c[j] += h / 6.0 * (k1[j] + 2.0 * k2[j] + 2.0 * k3[j] + k4[j]);
            }
        }
        if step % every == 0 {
            path.push(c.clone());
        }
    }
    path
}
