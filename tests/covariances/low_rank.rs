//! Covariances `D + w F Fᵀ − c u uᵀ` with fewer columns in F than rows, and what leaves that form.

use super::{assert_root, squared};
use itocheck::covariance::{Covariance, Root};
use nalgebra::{DMatrix, DVector};
use proptest::prelude::*;

const D: usize = 7;

fn numbers(count: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-1.0f64..1.0, count)
}

fn assert_entries(covariance: &Covariance, expected: &DMatrix<f64>) {
    let size = expected.trace().abs().max(1.0);
    for (i, j) in (0..expected.nrows()).flat_map(|i| (0..expected.nrows()).map(move |j| (i, j))) {
        // Rounding of a few dozen operations.
        assert!((covariance.entry(i, j) - expected[(i, j)]).abs() <= 1e-14 * size, "[{i}][{j}]");
    }
}

proptest! {
    #[test]
    fn alone_they_are_their_own_root(columns in prop::collection::vec(numbers(D), 1..D), weight in 0.1f64..3.0) {
        let mut covariance = Covariance::zero(D);
        covariance.add_columns(weight, &columns.concat());
        prop_assert!(!covariance.is_dense() && !covariance.is_diagonal());
        let f = DMatrix::from_columns(&columns.iter().cloned().map(DVector::from_vec).collect::<Vec<_>>());
        assert_entries(&covariance, &(weight * &f * f.transpose()));
        assert_root(&covariance, 1e-14);
    }

    /// `share` is c‖z‖² of the documentation: at 1 the sum is singular, below 0 the rank-one part is added.
    #[test]
    fn beside_a_diagonal_and_a_term_of_rank_one(
        columns in prop::collection::vec(numbers(D), 1..D), weight in 0.1f64..3.0,
        variances in prop::collection::vec(0.01f64..3.0, D), u in numbers(D),
        share in prop_oneof![Just(0.0), Just(1.0), -2.0f64..1.0], size in prop_oneof![Just(1.0), Just(1e-8), Just(1e8)],
    ) {
        let f = DMatrix::from_columns(&columns.iter().cloned().map(DVector::from_vec).collect::<Vec<_>>());
        let sum = DMatrix::from_diagonal(&DVector::from_vec(variances.clone())) + weight * &f * f.transpose();
        let u = DVector::from_vec(u);
        let of_u = u.dot(&(sum.clone().try_inverse().unwrap() * &u));
        prop_assume!(of_u > 1e-3);
        let c = share / of_u;
        let mut covariance = Covariance::zero(D);
        covariance.add_variances(variances.iter().map(|variance| 0.25 * variance));
        covariance.add_columns(0.5 * weight, &columns.concat());
        covariance.add_rank_one(-c, u.as_slice());
        covariance.add_diagonal(variances.iter().map(|variance| 0.75 * variance));
        covariance.add_columns(0.5 * weight, &columns.concat());
        prop_assert!(!covariance.is_dense());
        let expected = sum - c * &u * u.transpose();
        assert_entries(&covariance, &expected);
        covariance.scale(size);
        assert_entries(&covariance, &(size * &expected));
        // Where it is singular, the root of a rounding is left of what vanishes: √1e-16, times the entries of z.
        assert_root(&covariance, 1e-12);

        let (v, w) = (DVector::from_vec(columns[0].clone()), DVector::from_vec(variances));
        let form = size * v.dot(&(&expected * &w));
        prop_assert!((covariance.form(v.as_slice(), w.as_slice()) - form).abs() <= 1e-12 * size);
        let mut doubled = Covariance::zero(D);
        doubled.add(2.0, &covariance);
        assert_entries(&doubled, &(2.0 * size * expected));
    }

    /// Without one of its columns the square of the root is less by that column alone.
    #[test]
    fn a_column_that_is_left_out_is_missing_from_the_square(columns in prop::collection::vec(numbers(D), 2..D), u in numbers(D)) {
        let with = |columns: &[f64]| {
            let mut covariance = Covariance::zero(D);
            covariance.add_variances([1.0; D]);
            covariance.add_rank_one(0.5, &u);
            covariance.add_columns(1.0, columns);
            covariance
        };
        let [all, fewer] = [with(&columns.concat()), with(&columns[1..].concat())];
        let difference: f64 = squared(&all).iter().zip(squared(&fewer)).map(|(a, b)| (a - b).abs()).sum();
        let expected: f64 = columns[0].iter().flat_map(|a| columns[0].iter().map(move |b| (a * b).abs())).sum();
        prop_assert!((difference - expected).abs() <= 1e-12 * (1.0 + expected));
    }
}

#[test]
fn coordinates_without_any_variance_stay_where_they_are() {
    let mut covariance = Covariance::zero(4);
    covariance.add_diagonal([1.0, 0.0, 2.0, 0.5]);
    covariance.add_columns(1.0, &[1.0, 0.0, 0.5, 2.0, -1.0, 0.0, 3.0, 0.25]);
    covariance.add_rank_one(-0.1, &[0.5, 0.0, 0.5, 1.0]);
    assert_root(&covariance, 1e-14);
    assert!(squared(&covariance)[4..8].iter().all(|entry| *entry == 0.0));
    // F goes where the diagonal does not: there is no such root, and a factor is taken.
    covariance.add_columns(2.0, &[0.0, 1.0, 0.0, 0.0]);
    assert_root(&covariance, 1e-14);
    let mut uncovered = Covariance::zero(3);
    uncovered.add_diagonal([1.0, 0.0, 1.0]);
    uncovered.add_columns(1.0, &[1.0, 2.0, 3.0]);
    assert!(!uncovered.is_dense());
    assert_root(&uncovered, 1e-14);
}

#[test]
fn what_cancels_is_gone_and_what_is_subtracted_has_a_factor() {
    let columns = [0.3, -0.7, 0.2, 0.9, 0.1, 0.4];
    let mut covariance = Covariance::zero(3);
    covariance.add_variances([2.0; 3]);
    // A third, three times, is 1 up to rounding.
    (0..3).for_each(|_| covariance.add_columns(-1.0 / 3.0, &columns));
    let negative = covariance.clone();
    covariance.add_columns(1.0 + 2.0 * f64::EPSILON, &columns);
    assert!(covariance.is_diagonal());
    assert_root(&covariance, 1e-14);
    assert!(!negative.is_dense() && negative.entry(0, 0) < 2.0);
    assert_root(&negative, 1e-14);
}

#[test]
fn other_columns_and_too_many_of_them_are_dense() {
    let [first, second] =
        [[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0]].map(|column| DVector::from_column_slice(&column));
    let mut covariance = Covariance::zero(3);
    covariance.add_columns(2.0, first.as_slice());
    assert!(!covariance.is_dense());
    covariance.add_columns(1.0, second.as_slice());
    assert!(covariance.is_dense());
    let expected = 2.0 * &first * first.transpose() + &second * second.transpose();
    assert_entries(&covariance, &expected);
    assert_root(&covariance, 1e-14);

    let square = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let mut covariance = Covariance::zero(3);
    covariance.add_columns(4.0, &square);
    assert!(covariance.is_dense());
    assert_entries(&covariance, &DMatrix::from_diagonal_element(3, 3, 4.0));
}

#[test]
fn clearing_and_nothing_leave_nothing() {
    let mut covariance = Covariance::zero(2);
    covariance.add_columns(0.0, &[1.0, 1.0]);
    covariance.add_columns(1.0, &[]);
    assert!(covariance.is_diagonal());
    covariance.add_columns(1.0, &[1.0, 1.0]);
    covariance.clear();
    assert!(covariance.is_diagonal() && covariance.trace() == 0.0);
    covariance.add_columns(1.0, &[1.0, 1.0]);
    assert_eq!(covariance.trace(), 2.0);
}

#[test]
#[should_panic(expected = "a column of the covariance takes 3")]
fn columns_are_whole() {
    Covariance::zero(3).add_columns(1.0, &[1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn nan_is_not_hidden() {
    for (variance, entry) in [(f64::NAN, 1.0), (1.0, f64::NAN), (0.0, f64::NAN)] {
        let mut covariance = Covariance::zero(3);
        covariance.add_diagonal([variance; 3]);
        covariance.add_columns(1.0, &[entry, 1.0, 1.0]);
        let mut out = [0.0; 3];
        Root::default().multiply(&covariance, &[1.0; 3], &mut out);
        assert!(out[0].is_nan(), "{variance} {entry}");
    }
}
