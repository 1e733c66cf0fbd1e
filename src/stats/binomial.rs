//! Exact confidence limits for a probability.

use statrs::function::beta::beta_reg;

/// The interval of Clopper and Pearson (1934) for a probability of which `count` of `n` trials came
/// out; each limit is missed with probability at most `tail`.
pub fn clopper_pearson(count: u64, n: u64, tail: f64) -> (f64, f64) {
    let (k, n_f) = (count as f64, n as f64);
    // P[Bin(n, p) ≥ k] = I_p(k, n − k + 1) rises with p; P[Bin(n, p) ≤ k] = I_{1−p}(n − k, k + 1) falls.
    let lower = if count == 0 { 0.0 } else { crossing(|p| beta_reg(k, n_f - k + 1.0, p) < tail) };
    let upper = if count == n { 1.0 } else { crossing(|p| beta_reg(n_f - k, k + 1.0, 1.0 - p) > tail) };
    (lower, upper)
}

/// The p in [0, 1] where `before` turns from true to false.
fn crossing(before: impl Fn(f64) -> bool) -> f64 {
    let (mut below, mut above) = (0.0, 1.0);
    // 60 halvings reach the spacing of doubles near 1.
    for _ in 0..60 {
        let middle = 0.5 * (below + above);
        if before(middle) {
            below = middle;
        } else {
            above = middle;
        }
    }
    0.5 * (below + above)
}
