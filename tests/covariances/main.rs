//! Roots of every form of covariance: `A Aᵀ = Σ`, column by column.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod low_rank;

use itocheck::covariance::{Covariance, Root};
use proptest::prelude::*;

/// The matrix of which `root` multiplies by a root: `Σ_k (A e_k)(A e_k)ᵀ`.
fn squared(covariance: &Covariance) -> Vec<f64> {
    let d = covariance.dimension();
    let mut root = Root::default();
    let mut sum = vec![0.0; d * d];
    for k in 0..d {
        let unit: Vec<f64> = (0..d).map(|j| if j == k { 1.0 } else { 0.0 }).collect();
        let mut column = vec![0.0; d];
        root.multiply(covariance, &unit, &mut column);
        for (index, sum) in sum.iter_mut().enumerate() {
            *sum += column[index / d] * column[index % d];
        }
    }
    sum
}

fn assert_root(covariance: &Covariance, tolerance: f64) {
    let d = covariance.dimension();
    let size = covariance.trace();
    for (index, got) in squared(covariance).into_iter().enumerate() {
        let expected = covariance.entry(index / d, index % d);
        assert!(
            (got - expected).abs() <= tolerance * size,
            "[{}][{}]: {got} {expected}",
            index / d,
            index % d
        );
    }
}

/// Rounding of a few dozen operations on entries of the size of the trace.
const ROUNDING: f64 = 1e-14;

proptest! {
    #[test]
    fn form(
        entries in prop::collection::vec((0.1f64..3.0, -1.0f64..1.0, -1.0f64..1.0, -1.0f64..1.0), 1..6),
        coefficient in -1.0f64..1.0, has_dense in any::<bool>(),
    ) {
        let column = |pick: fn(&(f64, f64, f64, f64)) -> f64| entries.iter().map(pick).collect::<Vec<f64>>();
        let [variances, w, u, v] = [column(|e| e.0), column(|e| e.1), column(|e| e.2), column(|e| e.3)];
        let mut covariance = Covariance::zero(entries.len());
        covariance.add_variances(w.iter().map(|w| w * w));
        covariance.add_diagonal(variances.iter().copied());
        covariance.add_rank_one(coefficient, &w);
        if has_dense {
            covariance.add_dense(|i, j| variances[i] * v[j]);
        }
        let pairs = (0..entries.len()).flat_map(|i| (0..entries.len()).map(move |j| (i, j)));
        let expected: f64 = pairs.map(|(i, j)| u[i] * covariance.entry(i, j) * v[j]).sum();
        // Sums of 25 terms below 7.
        prop_assert!((covariance.form(&u, &v) - expected).abs() <= 1e-13);
    }

    #[test]
    fn diagonal(d in prop::collection::vec(0.0f64..3.0, 1..6)) {
        let mut covariance = Covariance::zero(d.len());
        covariance.add_diagonal(d.iter().copied());
        prop_assert!(covariance.is_diagonal());
        assert_root(&covariance, ROUNDING);
    }

    #[test]
    fn diagonal_minus_and_plus_rank_one(
        entries in prop::collection::vec((0.1f64..3.0, -1.0f64..1.0), 1..6), share in -2.0f64..1.0,
    ) {
        // c is chosen so that c‖u‖² = share: 1 is singular, negative values add.
        let norm: f64 = entries.iter().map(|(d, u)| u * u / d).sum();
        prop_assume!(norm > 1e-3);
        let vector: Vec<f64> = entries.iter().map(|(_, u)| *u).collect();
        let mut covariance = Covariance::zero(entries.len());
        covariance.add_diagonal(entries.iter().map(|(d, _)| *d));
        covariance.add_rank_one(-share / norm, &vector);
        assert_root(&covariance, 1e-13);
    }

    #[test]
    fn dense_of_any_rank(columns in prop::collection::vec(prop::collection::vec(-1.0f64..1.0, 5), 1..7)) {
        let mut covariance = Covariance::zero(5);
        for column in &columns {
            covariance.add_dense(|i, j| column[i] * column[j]);
        }
        assert_root(&covariance, 1e-13);
    }

    #[test]
    fn sums_keep_every_term(
        d in prop::collection::vec(0.5f64..2.0, 4), u in prop::collection::vec(-1.0f64..1.0, 4), v in prop::collection::vec(-1.0f64..1.0, 4),
    ) {
        let mut covariance = Covariance::zero(4);
        covariance.add_diagonal(d.iter().copied());
        covariance.add_rank_one(0.3, &u);
        covariance.add_rank_one(0.2, &v);
        covariance.add_dense(|i, j| 0.1 * v[i] * v[j]);
        let mut doubled = Covariance::zero(4);
        doubled.add(2.0, &covariance);
        covariance.scale(2.0);
        for (i, j) in (0..4).flat_map(|i| (0..4).map(move |j| (i, j))) {
            let expected = 2.0 * (if i == j { d[i] } else { 0.0 } + 0.3 * u[i] * u[j] + 0.3 * v[i] * v[j]);
            prop_assert!((covariance.entry(i, j) - expected).abs() < 1e-14);
            prop_assert!((doubled.entry(i, j) - expected).abs() < 1e-14);
        }
        assert_root(&covariance, 1e-13);
    }
}

#[test]
fn a_singular_rank_one_and_zero_entries() {
    // Noise-free Rand-1 of 2 at (0, 1): D = (0, 2), c u uᵀ = (0, 1)(0, 1)ᵀ; then Rand-k's c‖u‖² = 1.
    let mut covariance = Covariance::zero(2);
    covariance.add_diagonal([0.0, 2.0]);
    covariance.add_rank_one(-1.0, &[0.0, 1.0]);
    assert_root(&covariance, ROUNDING);
    let mut singular = Covariance::zero(3);
    singular.add_diagonal([3.0, 12.0, 27.0]);
    singular.add_rank_one(-1.0, &[1.0, 2.0, 3.0]);
    assert_root(&singular, ROUNDING);
}

#[test]
fn a_factor_is_not_used_for_another_matrix() {
    let mut root = Root::default();
    for variance in [4.0, 9.0] {
        let mut covariance = Covariance::zero(2);
        covariance.add_dense(|i, j| if i == j { variance } else { 0.0 });
        let mut out = [0.0; 2];
        root.multiply(&covariance, &[1.0, 0.0], &mut out);
        assert_eq!(out.iter().map(|x| x * x).sum::<f64>(), variance);
    }
}

/// The root of a covariance near `here`, column by column.
fn nearby(here: &Covariance, near: &Covariance) -> Vec<Vec<f64>> {
    let d = here.dimension();
    let mut root = Root::default();
    root.multiply(here, &vec![1.0; d], &mut vec![0.0; d]);
    let column = |k: usize| {
        let unit: Vec<f64> = (0..d).map(|j| if j == k { 1.0 } else { 0.0 }).collect();
        let mut column = vec![0.0; d];
        root.multiply_nearby(near, &unit, &mut column);
        column
    };
    (0..d).map(column).collect()
}

#[test]
fn nearby_the_root_keeps_its_order_of_pivots() {
    // The larger of two variances that cross is the first pivot: a root that starts anew jumps there.
    let crossing = |t: f64| {
        let mut covariance = Covariance::zero(2);
        let entries = [1.0 + t, 0.5, 0.5, 1.0 - t];
        covariance.add_dense(|i, j| entries[2 * i + j]);
        covariance
    };
    let here = crossing(1e-3);
    let near = crossing(-1e-3);
    let (from, kept, anew) = (nearby(&here, &here), nearby(&here, &near), nearby(&near, &near));
    let distance = |a: &[Vec<f64>], b: &[Vec<f64>]| {
        a.concat().iter().zip(b.concat()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    assert!(distance(&from, &kept) < 3e-3 && distance(&from, &anew) > 0.3);
    for i in 0..2 {
        for j in 0..2 {
            let squared: f64 = kept.iter().map(|column| column[i] * column[j]).sum();
            assert!((squared - near.entry(i, j)).abs() < ROUNDING);
        }
    }
}

#[test]
fn nearby_a_covariance_of_lower_rank_has_a_root() {
    let rank_one = |u: [f64; 3]| {
        let mut covariance = Covariance::zero(3);
        covariance.add_dense(|i, j| u[i] * u[j]);
        covariance
    };
    let near = rank_one([1.0, 2.2, -0.9]);
    let root = nearby(&rank_one([1.0, 2.0, -1.0]), &near);
    for i in 0..3 {
        for j in 0..3 {
            let squared: f64 = root.iter().map(|column| column[i] * column[j]).sum();
            assert!((squared - near.entry(i, j)).abs() < 10.0 * ROUNDING);
        }
    }
}

#[test]
fn nan_is_not_hidden() {
    let mut covariance = Covariance::zero(2);
    covariance.add_diagonal([f64::NAN, 1.0]);
    covariance.add_rank_one(0.5, &[1.0, 1.0]);
    let mut out = [0.0; 2];
    Root::default().multiply(&covariance, &[1.0, 1.0], &mut out);
    assert!(out[0].is_nan());
}
