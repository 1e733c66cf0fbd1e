//! Every objective: gradient and Hessian-vector product against finite differences.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::objective;
use itocheck::objective::Objective;
use proptest::prelude::*;

const OBJECTIVES: [&str; 5] = [
    "quadratic = { eigenvalues = [0.5, 1.0, 2.0], minimiser = [0.1, -0.3, 0.2] }",
    "quadratic = { matrix = [[1.5, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 0.8]], minimiser = [0.2, -0.1, 0.4] }",
    "rosenbrock = { dimension = 4 }",
    "saddle = { eigenvalues = [1.0, -0.5, 0.3], quartic = 0.7 }",
    "logistic = { data = \"iris\", regularisation = 0.05 }",
];

/// Central difference of `g` along `v` with Richardson's step; its error is O(h⁴).
fn derivative(g: impl Fn(f64) -> f64) -> f64 {
    let h = 1e-3;
    let central = |h: f64| (g(h) - g(-h)) / (2.0 * h);
    (4.0 * central(h / 2.0) - central(h)) / 3.0
}

fn along(x: &[f64], v: &[f64], t: f64) -> Vec<f64> {
    x.iter().zip(v).map(|(x, v)| x + t * v).collect()
}

fn gradient(f: &dyn Objective, x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    f.gradient(x, &mut out);
    out
}

/// Rounding of the differences, 1e-16/h of the values, and h⁴ of fifth derivatives, with a margin of 100.
fn close(got: f64, expected: f64, size: f64) -> bool {
    (got - expected).abs() <= 1e-9 * (1.0 + size)
}

proptest! {
    #[test]
    fn derivatives_match_differences(x in prop::collection::vec(-2.0f64..2.0, 5), v in prop::collection::vec(-1.0f64..1.0, 5)) {
        for line in OBJECTIVES {
            let f = objective(line);
            let (x, v) = (&x[..f.dimension()], &v[..f.dimension()]);
            let slope: f64 = gradient(&*f, x).iter().zip(v).map(|(g, v)| g * v).sum();
            let difference = derivative(|t| f.value(&along(x, v, t)));
            prop_assert!(close(slope, difference, f.value(x).abs()), "{line}: {slope} {difference}");
            let mut product = vec![0.0; x.len()];
            f.hessian_vector_product(x, v, &mut product);
            for (j, product) in product.into_iter().enumerate() {
                let difference = derivative(|t| gradient(&*f, &along(x, v, t))[j]);
                let size = gradient(&*f, x)[j].abs();
                prop_assert!(close(product, difference, size), "{line}: {product} {difference}");
            }
        }
    }

    #[test]
    fn gradients_are_lipschitz_with_the_stated_constant(x in prop::collection::vec(-3.0f64..3.0, 5), y in prop::collection::vec(-3.0f64..3.0, 5)) {
        for line in OBJECTIVES {
            let f = objective(line);
            let Some(smoothness) = f.smoothness() else { continue };
            let (x, y) = (&x[..f.dimension()], &y[..f.dimension()]);
            let norm = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
            let change = norm(&gradient(&*f, x), &gradient(&*f, y));
            prop_assert!(change <= smoothness * norm(x, y) * (1.0 + 1e-12));
        }
    }

    #[test]
    fn the_terms_of_a_separable_objective_add_up(x in prop::collection::vec(-2.0f64..2.0, 5)) {
        let separable = OBJECTIVES.map(|line| {
            let f = objective(line);
            let terms: Option<Vec<f64>> = (0..f.dimension()).map(|j| f.separable_term(j, x[j])).collect();
            terms.is_some_and(|terms| {
                let sum: f64 = terms.iter().sum();
                (sum - f.value(&x[..f.dimension()])).abs() < 1e-13 * (1.0 + sum.abs())
            })
        });
        prop_assert_eq!(separable, [true, false, false, true, false]);
    }

    #[test]
    fn the_hessian_of_a_quadratic_and_of_nothing_else_is_constant(x in prop::collection::vec(0.5f64..2.0, 5)) {
        for line in OBJECTIVES {
            let f = objective(line);
            let d = f.dimension();
            let [mut here, mut there] = [vec![0.0; d], vec![0.0; d]];
            f.hessian_vector_product(&x[..d], &[1.0; 5][..d], &mut here);
            f.hessian_vector_product(&[0.0; 5][..d], &[1.0; 5][..d], &mut there);
            prop_assert_eq!(f.is_quadratic(), here == there, "{}", line);
        }
    }

    #[test]
    fn the_terms_of_a_finite_sum_average_to_its_gradient(x in prop::collection::vec(-2.0f64..2.0, 5)) {
        let f = objective(OBJECTIVES[4]);
        let sum = f.finite_sum().unwrap();
        let mut average = vec![0.0; 5];
        (0..sum.terms()).for_each(|s| sum.add_term_gradient(s, 1.0 / sum.terms() as f64, &x, &mut average));
        for (average, gradient) in average.iter().zip(gradient(&*f, &x)) {
            prop_assert!((average - gradient).abs() < 1e-13);
        }
    }
}

#[test]
fn known_values() {
    assert_eq!(objective(OBJECTIVES[0]).value(&[1.1, 0.7, 0.2]), 0.25 + 0.5);
    assert_eq!(objective("rosenbrock = {}").value(&[1.0, 1.0]), 0.0);
    assert_eq!(objective("rosenbrock = {}").value(&[-1.0, 2.0]), 4.0 + 100.0);
    assert_eq!(objective(OBJECTIVES[3]).value(&[0.0, 0.0, 0.0]), 0.0);
    let spaced = objective("quadratic = { eigenvalues = { from = 0.5, to = 2.0, count = 4 } }");
    assert_eq!(gradient(&*spaced, &[1.0; 4]), [0.5, 1.0, 1.5, 2.0]);
}

#[test]
fn the_data_are_standardised_and_not_separable() {
    let f = objective("logistic = { data = \"iris\", regularisation = 0.0 }");
    let sum = f.finite_sum().unwrap();
    assert_eq!((sum.terms(), f.dimension()), (100, 5));
    // At 0 the loss is log 2, and the gradient of each term is −y a/2.
    assert!((f.value(&[0.0; 5]) - 2f64.ln()).abs() < 1e-14);
    let rows: Vec<Vec<f64>> = (0..100)
        .map(|s| {
            let mut row = vec![0.0; 5];
            sum.add_term_gradient(s, -2.0, &[0.0; 5], &mut row);
            row
        })
        .collect();
    for column in 0..4 {
        // The intercept of a row is its label.
        let feature: Vec<f64> = rows.iter().map(|row| row[column] * row[4]).collect();
        let mean = feature.iter().sum::<f64>() / 100.0;
        let variance = feature.iter().map(|a| a * a).sum::<f64>() / 100.0;
        assert!(mean.abs() < 1e-13 && (variance - 1.0).abs() < 1e-12);
    }
    // Gradient descent without regularisation approaches a minimum in the interior: were the data
    // separable, the loss would tend to 0. An independent Newton iteration on the raw table finds
    // the minimum 0.05949273.
    let mut x = vec![0.0; 5];
    for _ in 0..200_000 {
        let g = gradient(&*f, &x);
        x.iter_mut().zip(g).for_each(|(x, g)| *x -= g);
    }
    assert!((f.value(&x) - 0.059_492_73).abs() < 1e-6, "{}", f.value(&x));
    let misclassified =
        rows.iter().filter(|row| row.iter().zip(&x).map(|(a, x)| a * x).sum::<f64>() < 0.0).count();
    assert!(misclassified > 0);
}
