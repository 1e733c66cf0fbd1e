//! Series, quantiles, intervals and the decision, against textbook values. Error rates are counted by the calibration.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

use itocheck::claim::{Gap, Verdict, decide};
use itocheck::random::{Role, Stream};
use itocheck::stats::{Line, Looks, Point, Regressions, Series, clopper_pearson, student_quantile};
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
        let cubes = values.iter().map(|value| (value - mean).powi(3)).sum::<f64>();
        prop_assert!((first.skewness_of_mean(0) - cubes / n / variance.powf(1.5) / n.sqrt()).abs() < 1e-9);
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
fn limits_move_outwards_against_skewness() {
    let limits = |values: &[f64]| {
        let mut series = Series::default();
        values.iter().for_each(|value| series.push(&[*value]));
        let [low, high] = series.limits(0, 3.0);
        let (mean, error) = (series.mean(0), series.standard_error(0));
        [(mean - low) / error, (high - mean) / error]
    };
    // Eight observations: Fisher's standard deviation of their skewness is √(6·8·7/(6·9·11)) = 0.7521, that of
    // the mean's over √8, and each limit moves by (2·9 + 1)/6 of that.
    let symmetric = limits(&[-2.0, -1.0, -0.5, 0.0, 0.0, 0.5, 1.0, 2.0]);
    let expected = 3.0 + 0.752_10 / 8f64.sqrt() * 19.0 / 6.0;
    for half in symmetric {
        assert!((half - expected).abs() < 1e-4, "{half} for {expected}");
    }
    // Seven zeros and a one: deviation 1/√8, third moment (343 − 7)/8⁴, so that the mean has skewness 0.65625.
    let skewed = limits(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(skewed[0], 3.0);
    assert!((skewed[1] - (expected + 0.656_25 * 19.0 / 6.0)).abs() < 1e-4, "{skewed:?}");
    // What agrees has no width.
    let mut constant = Series::default();
    (0..8).for_each(|_| constant.push(&[1.5]));
    assert_eq!(constant.limits(0, 3.0), [1.5, 1.5]);
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
fn looks_double_up_to_the_budget_and_spend_the_error_rate() {
    let sizes: Vec<(u64, bool)> = Looks::new(3, 25).map(|look| (look.size, look.is_last)).collect();
    assert_eq!(sizes, [(3, false), (6, false), (12, false), (24, false), (25, true)]);
    assert_eq!(Looks::new(8, 4).count(), 1);
    // All of it, and no more, over any number of looks; 1e-14 for the rounding of 63 terms.
    for budget in [1, 2, 3, 100, u64::MAX / 4] {
        let spent: f64 = Looks::new(1, budget).map(|look| look.share).sum();
        assert!((spent - 1.0).abs() < 1e-14, "{spent} over looks up to {budget}");
    }
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

/// How often the upper limit for a mean of 64 blocks lies below the truth, over `tail`, with its standard error: as
/// [`Series::limits`] has it, and symmetric about the estimate. By importance sampling, as a level of 1e-7 asks for:
/// `tilted` draws a block's mean less its expectation from a law whose mean is so many standard errors of the mean
/// lower, and adds the logarithm of the likelihood ratio.
fn misses(tail: f64, tilted: impl Fn(&mut Stream, f64, &mut f64) -> f64) -> [(f64, f64); 2] {
    const BLOCKS: u64 = 64;
    const RUNS: u64 = 400_000;
    let quantile = student_quantile(BLOCKS as f64 - 1.0, tail);
    // A miss is as many standard errors away as the normal law has it.
    let shift = student_quantile(1e9, tail);
    let mut weights = Series::default();
    for run in 0..RUNS {
        let mut stream = Stream::new(run, Role::Sde, 0);
        let (mut blocks, mut log_ratio) = (Series::default(), 0.0);
        (0..BLOCKS).for_each(|_| blocks.push(&[tilted(&mut stream, shift, &mut log_ratio)]));
        let limits = [blocks.limits(0, quantile)[1], blocks.mean(0) + quantile * blocks.standard_error(0)];
        weights.push(&limits.map(|limit| if limit < 0.0 { f64::exp(log_ratio) / tail } else { 0.0 }));
    }
    [0, 1].map(|index| (weights.mean(index), weights.standard_error(index)))
}

#[test]
fn limits_hold_for_skewed_means_at_the_level_of_a_default_verdict() {
    // α = 1e-6, half of it for the first of many looks, and half of that for sampling.
    let tail = 2.5e-7;
    let gaussian = |stream: &mut Stream, shift: f64, log_ratio: &mut f64| {
        let mean = -shift / 8.0;
        let z = stream.normal() + mean;
        *log_ratio += -mean * z + mean * mean / 2.0;
        z
    };
    // χ²_64/64, a block of squares: a χ² with its scale tilted to θ.
    let squares = |stream: &mut Stream, shift: f64, log_ratio: &mut f64| {
        let deviation = (2.0f64 / 64.0).sqrt();
        let theta = 1.0 / (1.0 + shift * deviation / 8.0);
        let chi_squared = theta * stream.chi_squared(64.0);
        *log_ratio += 32.0 * theta.ln() - chi_squared / 2.0 * (1.0 - 1.0 / theta);
        chi_squared / 64.0 - 1.0
    };
    let [(held, error), (plain, _)] = misses(tail, squares);
    assert!(held + 3.0 * error < 1.2, "squares: {held} ± {error} of the level");
    // Without the allowance they miss four times as often as they may; what is Gaussian does not.
    assert!(plain > 3.0, "squares, symmetric: {plain} of the level");
    let [(held, error), (plain, plain_error)] = misses(tail, gaussian);
    assert!(held + 3.0 * error < 1.0, "Gaussian: {held} ± {error} of the level");
    assert!(
        (plain - 1.0).abs() < 4.0 * plain_error,
        "Gaussian, symmetric: {plain} ± {plain_error} of the level"
    );
}

/// How often the slope's interval misses −2, over 2000 noisy points on `y = 1 − 2x` whose intervals reach `quantile`
/// standard errors to either side.
fn missed_slopes(quantile: f64) -> usize {
    let missed = |path: &u64| {
        let mut stream = Stream::new(7, Role::States, *path);
        let errors = [0.05, 0.2, 0.4, 0.3];
        let points = errors.iter().zip([0.0, 1.0, 2.0, 3.0]).map(|(error, x)| {
            let estimate = 1.0 - 2.0 * x + error * stream.normal();
            Point { x, estimate, interval: [estimate - quantile * error, estimate + quantile * error] }
        });
        let slope = Line::through(points.collect()).unwrap().slope();
        assert!(slope.interval[0] <= slope.estimate && slope.estimate <= slope.interval[1]);
        !(slope.interval[0]..=slope.interval[1]).contains(&-2.0)
    };
    (0..2000).filter(missed).count()
}

#[test]
fn intervals_of_slopes_miss_no_more_than_those_of_the_points() {
    // Four intervals that miss with 0.2/4 each, at 1.96 standard errors, miss at once with 0.2 at most: 400 of 2000,
    // and 460 with a probability of 1e-3. Ends of intervals are no joint region: they are conservative.
    assert!(missed_slopes(1.96) <= 460);
    // Intervals a sixth as wide are too narrow, and seen to be.
    assert!(missed_slopes(1.96 / 6.0) > 460, "{}", missed_slopes(1.96 / 6.0));
}

#[test]
fn a_line_goes_through_its_points_and_leaves_out_what_is_hidden() {
    let point = |x: f64, y: f64, low: f64, high: f64| Point { x, estimate: y, interval: [low, high] };
    let hidden = point(3.0, 9.0, f64::NEG_INFINITY, 10.0);
    let line = Line::through(vec![point(0.0, 1.0, 0.9, 1.1), point(2.0, 5.0, 4.9, 5.1), hidden]).unwrap();
    let near = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-12, "{got} {expected}");
    near(line.slope().estimate, 2.0);
    near(line.slope().interval[0], 1.9);
    near(line.slope().interval[1], 2.1);
    near(line.at(1.0).estimate, 3.0);
    near(line.at(1.0).interval[1], 3.1);
    // Beyond the points the band opens: 5 + 2·2 + (0.1 + 0.1)·… of the ends 5.1 and 0.9.
    near(line.at(4.0).interval[1], 5.1 + 4.2);
    assert_eq!(line.left_out().count(), 1);
    assert!(Line::through(vec![point(0.0, 1.0, 0.9, 1.1), hidden]).is_none());
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
