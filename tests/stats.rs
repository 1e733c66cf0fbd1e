//! Series, quantiles, intervals and the decision, against textbook values and counted error rates.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

use itocheck::claim::{Gap, Levels, Verdict, decide};
use itocheck::random::{Role, Stream};
use itocheck::stats::{Looks, Regressions, Series, clopper_pearson, student_quantile};
use proptest::prelude::*;

proptest! {
    #[test]
    fn merged_series_have_the_moments_of_all(values in prop::collection::vec(-1e3f64..1e3, 3..60), cut in 0usize..60) {
        let cut = cut.min(values.len());
        let (mut first, mut second) = (Series::default(), Series::default());
        values[..cut].iter().for_each(|value| first.push(&[*value]));
        values[cut..].iter().for_each(|value| second.push(&[*value]));
        first.merge(second);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        prop_assert_eq!(first.count(), values.len() as u64);
        prop_assert!((first.mean(0) - mean).abs() < 1e-10);
        prop_assert!((first.standard_deviation(0) - variance.sqrt()).abs() < 1e-9);
        prop_assert!((first.standard_error(0) - (variance / n).sqrt()).abs() < 1e-9);
    }
}

#[test]
fn student_quantiles_are_those_of_the_tables() {
    // Standard tables, to their printed digits; closed forms for one and two degrees of freedom.
    for (dof, tail, expected) in
        [(10.0, 0.025, 2.228), (63.0, 0.005, 2.656), (30.0, 0.0005, 3.646), (120.0, 0.05, 1.658)]
    {
        assert!((student_quantile(dof, tail) - expected).abs() < 6e-4);
    }
    for tail in [0.4, 1e-3, 1e-9] {
        let cauchy = 1.0 / (std::f64::consts::PI * tail).tan();
        assert!((student_quantile(1.0, tail) / cauchy - 1.0).abs() < 1e-8);
        let two = (1.0 - 2.0 * tail) / (2.0 * tail * (1.0 - tail)).sqrt();
        assert!((student_quantile(2.0, tail) / two - 1.0).abs() < 1e-8);
    }
    // Gaussian in the limit: Φ(4.753424) = 1 − 1e-6.
    assert!((student_quantile(1e9, 1e-6) - 4.753_424).abs() < 1e-5);
    assert_eq!(student_quantile(0.0, 0.1), f64::INFINITY);
}

#[test]
fn clopper_pearson_limits_are_exact() {
    // No success in n: 1 − tail^{1/n}; all: tail^{1/n}.
    let (low, high) = clopper_pearson(0, 50, 1e-6);
    assert!(low == 0.0 && (high - (1.0 - 1e-6f64.powf(0.02))).abs() < 1e-10);
    let (low, high) = clopper_pearson(50, 50, 1e-6);
    assert!(high == 1.0 && (low - 1e-6f64.powf(0.02)).abs() < 1e-10);
    // The tails of the binomial at the limits are what was asked for, summed term by term.
    let (low, high) = clopper_pearson(3, 20, 0.01);
    let choose = [1.0, 20.0, 190.0, 1140.0];
    let at_most = |k: usize, p: f64| {
        (0..=k).map(|j| choose[j] * p.powi(j as i32) * (1.0 - p).powi(20 - j as i32)).sum::<f64>()
    };
    assert!((at_most(3, high) - 0.01).abs() < 1e-9);
    assert!((1.0 - at_most(2, low) - 0.01).abs() < 1e-9);
}

#[test]
fn looks_double_up_to_the_budget_and_spend_at_most_the_error_rate() {
    let sizes: Vec<(u64, bool)> = Looks::new(3, 25).map(|look| (look.size, look.is_last)).collect();
    assert_eq!(sizes, [(3, false), (6, false), (12, false), (24, false), (25, true)]);
    assert_eq!(Looks::new(8, 4).count(), 1);
    let spent: f64 = Looks::new(1, u64::MAX / 4).map(|look| look.share).sum();
    assert!(spent < 1.0);
}

fn gap(upheld: [f64; 2], refuted: [f64; 2]) -> Gap {
    Gap { estimate: 0.5 * (upheld[0] + upheld[1]), upheld, refuted, margin: 1.0, detectable: 2.0 }
}

#[test]
fn decisions_have_three_values() {
    let inside = gap([-0.5, 0.5], [-0.8, 0.8]);
    let near = gap([-0.9, 0.2], [-1.2, 0.5]);
    let across = gap([0.5, 1.5], [0.2, 1.8]);
    let outside = gap([-3.0, -2.0], [-3.5, -1.5]);
    let barely = gap([1.1, 2.0], [0.9, 2.2]);
    assert_eq!(decide(&[inside, near]), (Verdict::Upheld, Some(1)));
    assert_eq!(decide(&[inside, across]), (Verdict::Inconclusive, Some(1)));
    assert_eq!(decide(&[outside, inside]), (Verdict::Refuted, Some(0)));
    // Outside at the level of one gap only is not outside at the level of all.
    assert_eq!(decide(&[barely, inside]).0, Verdict::Inconclusive);
    let unknown = gap([f64::NAN, f64::NAN], [f64::NAN, f64::NAN]);
    assert_eq!(decide(&[inside, unknown]).0, Verdict::Inconclusive);
}

/// How often `runs` sequential verdicts about five gaps come out as `wrong`, each a mean of Gaussian
/// blocks about `truth`, under the error rate `alpha`.
fn wrong_verdicts(truth: f64, wrong: Verdict, alpha: f64, runs: u64) -> u64 {
    const GAPS: usize = 5;
    let verdict = |run: u64| {
        let mut stream = Stream::new(77, Role::Optimizer, run);
        let mut series = Series::default();
        for look in Looks::new(16, 128) {
            while series.count() < look.size {
                series.push(&[0; GAPS].map(|_: i32| truth + 4.0 * stream.normal()));
            }
            let levels = Levels::new(alpha, look, GAPS);
            let dof = series.degrees_of_freedom();
            let half = |tail: f64, index: usize| student_quantile(dof, tail) * series.standard_error(index);
            let gaps: Vec<Gap> = (0..GAPS)
                .map(|index| {
                    let around = |half: f64| [series.mean(index) - half, series.mean(index) + half];
                    let (upheld, refuted) =
                        (around(half(levels.upheld, index)), around(half(levels.refuted, index)));
                    Gap { estimate: series.mean(index), upheld, refuted, margin: 1.0, detectable: 2.0 }
                })
                .collect();
            let (verdict, _) = decide(&gaps);
            if verdict != Verdict::Inconclusive {
                return verdict;
            }
        }
        Verdict::Inconclusive
    };
    (0..runs).filter(|&run| verdict(run) == wrong).count() as u64
}

#[test]
fn error_rates_hold_on_the_margin() {
    // A gap exactly on its margin is neither: both errors are at their largest. At α = 0.1 and 4,000
    // verdicts at most α + 3 standard errors may be wrong.
    let (alpha, runs) = (0.1, 4000);
    let limit = alpha + 3.0 * (alpha * (1.0 - alpha) / runs as f64).sqrt();
    for wrong in [Verdict::Upheld, Verdict::Refuted] {
        let rate = wrong_verdicts(1.0, wrong, alpha, runs) as f64 / runs as f64;
        assert!(rate <= limit, "{wrong} at rate {rate}");
    }
    // And the counting would notice: a gap well outside is refuted far more often.
    assert!(wrong_verdicts(3.0, Verdict::Refuted, alpha, 200) > 150);
}

/// Three correlated quantities and their noise, drawn anew for each seed.
fn triples(count: usize, seed: u64) -> Vec<[f64; 3]> {
    let mut stream = Stream::new(seed, Role::Optimizer, 0);
    let draw = |_| {
        let (l, q) = (stream.normal(), stream.normal());
        let q = 0.4 * l + q * q;
        [3.0 + 2.0 * l - 0.7 * q + 0.3 * stream.normal(), 10.0 + l, q]
    };
    (0..count).map(draw).collect()
}

/// β, the variance of g and what is left of it, by the normal equations of centred sums.
fn naive_fit(observations: &[[f64; 3]]) -> ([f64; 2], f64, f64) {
    let n = observations.len() as f64;
    let mean = |i: usize| observations.iter().map(|o| o[i]).sum::<f64>() / n;
    let means = [mean(0), mean(1), mean(2)];
    let covariance = |i: usize, j: usize| {
        observations.iter().map(|o| (o[i] - means[i]) * (o[j] - means[j])).sum::<f64>() / (n - 1.0)
    };
    let [ll, lq, qq] = [covariance(1, 1), covariance(1, 2), covariance(2, 2)];
    let [gl, gq] = [covariance(0, 1), covariance(0, 2)];
    let determinant = ll * qq - lq * lq;
    let beta = [(gl * qq - gq * lq) / determinant, (gq * ll - gl * lq) / determinant];
    let left = observations.iter().map(|o| {
        let residual = o[0] - means[0] - beta[0] * (o[1] - means[1]) - beta[1] * (o[2] - means[2]);
        residual * residual
    });
    (beta, covariance(0, 0), left.sum::<f64>() / (n - 1.0))
}

fn pushed(observations: &[[f64; 3]]) -> Regressions {
    let mut regressions = Regressions::default();
    observations.iter().for_each(|observation| regressions.push([*observation].into_iter()));
    regressions
}

#[test]
fn regressions_are_those_of_the_normal_equations_however_they_were_merged() {
    for seed in 0..50 {
        let count = 5 + 7 * seed as usize;
        let observations = triples(count, seed);
        let (beta, variance, left) = naive_fit(&observations);
        for cut in [0, 1, count / 3, count - 1, count] {
            let mut regressions = pushed(&observations[..cut]);
            regressions.merge(pushed(&observations[cut..]));
            let fit = regressions.fit(0);
            // Rounding of sums of numbers of size 10, of which normal equations lose twice the digits.
            let is_close = |got: f64, expected: f64| (got - expected).abs() < 1e-9 * (1.0 + expected.abs());
            assert!(is_close(fit.coefficients[0], beta[0]) && is_close(fit.coefficients[1], beta[1]));
            assert!(
                is_close(fit.variance, variance) && is_close(fit.residual_variance, left),
                "{fit:?} {left}"
            );
        }
    }
}

#[test]
fn controls_that_are_one_or_none_are_taken_for_that() {
    let fit = |of: fn(f64) -> [f64; 3]| {
        pushed(&(0..100).map(|k| of((f64::from(k) * 0.7).sin())).collect::<Vec<_>>()).fit(0)
    };
    // g = 3s: one control has all, or both are the same, or none varies.
    assert!((fit(|s| [3.0 * s, s, 0.0]).coefficients[0] - 3.0).abs() < 1e-12);
    assert!((fit(|s| [3.0 * s, 0.0, s]).coefficients[1] - 3.0).abs() < 1e-12);
    let twice = fit(|s| [3.0 * s, s, 2.0 * s]);
    assert!(twice.residual_variance < 1e-12 && twice.coefficients.iter().all(|beta| beta.abs() < 4.0));
    let without = fit(|s| [3.0 * s, 5.0, -1.0]);
    assert_eq!(without.coefficients, [0.0, 0.0]);
    assert_eq!(without.variance, without.residual_variance);
    let constant = fit(|s| [7.0, s, s * s]);
    assert_eq!((constant.coefficients, constant.variance), ([0.0, 0.0], 0.0));
    // What is not a number explains nothing away.
    for broken in [fit(|s| [s, f64::NAN, s]), fit(|s| [s, s, f64::NAN]), fit(|s| [s, f64::INFINITY, s])] {
        assert!(broken.residual_variance.is_nan());
    }
}
