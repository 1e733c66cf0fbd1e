//! The error variances of dithering by the Euclidean norm in the plane, over scales that are far apart, against
//! quadrature over the direction of g.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use itocheck::compressor::CompressorParameters;
use itocheck::covariance::Covariance;
use itocheck::noise::{NoiseParameters, StochasticGradient};
use itocheck::random::{Role, Stream};
use std::f64::consts::{FRAC_PI_2, PI};
use std::time::{Duration, Instant};

/// Its stated error, in units of `E‖g‖²/s²`.
const STATED: f64 = 1e-6;

/// A Gaussian gradient.
#[derive(Clone, Debug)]
struct Gaussian {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl Gaussian {
    fn square(&self) -> f64 {
        self.mean.iter().chain(&self.scale).map(|entry| entry * entry).sum()
    }

    /// `s²` times the error variance of every coordinate, over `E‖g‖²`.
    fn error_variances(&self, levels: u32) -> Vec<f64> {
        let d = self.mean.len();
        let parameters = format!("dithering = {{ levels = {levels}, norm = \"2\" }}");
        let compressor = toml::from_str::<CompressorParameters>(&parameters).unwrap().build(d).unwrap();
        let objective = common::objective(&format!("quadratic = {{ eigenvalues = {:?} }}", vec![1.0; d]));
        let parameters = format!("gaussian = {{ scale = {:?} }}", self.scale);
        let noise = toml::from_str::<NoiseParameters>(&parameters).unwrap().build(&objective, 1).unwrap();
        let (mut covariance, mut out) = (Covariance::zero(d), Covariance::zero(d));
        let v = &self.mean;
        noise.add_covariance(1.0, v, v, &mut covariance);
        let g = StochasticGradient { x: v, mean: v, covariance: &covariance, noise: &*noise };
        compressor.add_error_covariance(1.0, &g, &mut out);
        let unit = self.square() / f64::from(levels * levels);
        (0..d).map(|j| out.entry(j, j) / unit).collect()
    }

    /// `∫ r² p(r e) r dr` along the direction e, by Simpson's rule about its peak.
    fn along(&self, angle: f64) -> f64 {
        let (v, s, e) = (&self.mean, &self.scale, [angle.cos(), angle.sin()]);
        let precision = (e[0] / s[0]).powi(2) + (e[1] / s[1]).powi(2);
        let width = 1.0 / precision.sqrt();
        let peak = (e[0] * v[0] / (s[0] * s[0]) + e[1] * v[1] / (s[1] * s[1])) / precision;
        let off = (v[0] * e[1] - v[1] * e[0]) / (s[0] * s[1]) * width;
        let (from, to) = ((peak - 10.0 * width).max(0.0), (peak + 10.0 * width).max(10.0 * width));
        let f = |r: f64| r.powi(3) * (-0.5 * (((r - peak) / width).powi(2) + off * off)).exp();
        let n = 400;
        let h = (to - from) / f64::from(n);
        let inner: f64 =
            (1..n).map(|i| f(from + h * f64::from(i)) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
        (f(from) + inner + f(to)) * h / (3.0 * 2.0 * PI * s[0] * s[1])
    }

    /// What [`Self::error_variances`] has for coordinate 0, in the plane: over all directions, cut at the levels and
    /// wherever the density may be narrow, by Simpson's rule until it agrees to 1e-11.
    fn expected(&self, levels: u32) -> f64 {
        let s = f64::from(levels);
        let mut cuts = vec![2.0 * PI];
        for level in 0..=levels {
            let angle = (f64::from(level) / s).acos();
            cuts.extend([angle, PI - angle, PI + angle, 2.0 * PI - angle]);
        }
        let centre = self.mean[1].atan2(self.mean[0]);
        let length = self.mean[0].hypot(self.mean[1]);
        for k in 0..2 {
            for deviations in [1.0, 3.0, 6.0, 12.0, 40.0] {
                let of_mean = deviations * self.scale[k] / length;
                let of_axes = deviations * self.scale[k] / self.scale[1 - k];
                cuts.extend(
                    [-of_mean, 0.0, of_mean].map(|turn| centre + turn).iter().filter(|_| of_mean < 0.5),
                );
                let axes = (0..4).map(|quarter| f64::from(quarter) * FRAC_PI_2);
                cuts.extend(axes.filter(|_| of_axes < 0.5).flat_map(|axis| [axis - of_axes, axis + of_axes]));
            }
        }
        cuts.iter_mut().for_each(|cut| *cut = cut.rem_euclid(2.0 * PI));
        cuts.push(2.0 * PI);
        cuts.sort_by(f64::total_cmp);
        let f = |angle: f64| {
            let up = (s * angle.cos().abs()).fract();
            up * (1.0 - up) * self.along(angle) / self.square()
        };
        let part = |ends: &[f64]| {
            let middle = 0.5 * (ends[0] + ends[1]);
            simpson(&f, [ends[0], middle, ends[1]], [f(ends[0]), f(middle), f(ends[1])], 40)
        };
        cuts.windows(2).map(part).sum()
    }
}

fn simpson(f: &dyn Fn(f64) -> f64, [a, b, c]: [f64; 3], [fa, fb, fc]: [f64; 3], depth: u32) -> f64 {
    let (left, right) = (0.5 * (a + b), 0.5 * (b + c));
    let (fl, fr) = (f(left), f(right));
    let once = (c - a) / 6.0 * (fa + 4.0 * fb + fc);
    let twice = (c - a) / 12.0 * (fa + 4.0 * fl + 2.0 * fb + 4.0 * fr + fc);
    if depth == 0 || (twice - once).abs() < 1e-10 {
        return twice;
    }
    simpson(f, [a, left, b], [fa, fl, fb], depth - 1) + simpson(f, [b, right, c], [fb, fr, fc], depth - 1)
}

#[test]
fn the_stated_error_holds_where_an_angle_is_narrow() {
    // Those that an integration from level to level is wrong about, by up to 2e-4, as it does not see the angle.
    let mut cases = vec![
        (2, Gaussian { mean: vec![0.0, 0.00388], scale: vec![0.00195, 13.44] }),
        (1, Gaussian { mean: vec![-0.0037, 0.00144], scale: vec![0.00513, 17.33] }),
        (16, Gaussian { mean: vec![-0.017, 0.00712], scale: vec![2.2, 0.00277] }),
        (2, Gaussian { mean: vec![1.862, 1.186], scale: vec![0.0157, 0.336] }),
        (64, Gaussian { mean: vec![2.122, 19.9], scale: vec![0.0315, 15.6] }),
    ];
    let mut stream = Stream::new(77, Role::States, 0);
    for case in 0..150 {
        let levels = [1, 2, 3, 5, 16, 64][stream.index(6)];
        let mut size = || (10.0 * stream.uniform() - 7.0).exp();
        let (mut mean, scale) = (vec![size(), size()], vec![size(), size()]);
        mean[case % 2] *= [1.0, 0.0, -1.0][case % 3];
        cases.push((levels, Gaussian { mean, scale }));
    }
    for (levels, gaussian) in cases {
        let (got, expected) = (gaussian.error_variances(levels)[0], gaussian.expected(levels));
        assert!((got - expected).abs() <= STATED, "s = {levels}, {gaussian:?}: {got} {expected}");
    }
}

#[test]
fn scales_that_underflow_take_no_longer() {
    for mean in [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1e-160, 1.0, 1.0], [1e100, 1.0, 0.0]] {
        for scale in [[1e-30, 1.0, 1.0], [1.0, 1e-20, 1e-30], [1e20, 1.0, 1e-20], [1e-9, 1e-9, 1e-9]] {
            let started = Instant::now();
            let gaussian = Gaussian { mean: mean.to_vec(), scale: scale.to_vec() };
            let variances = gaussian.error_variances(3);
            // ‖g‖² r(1 − r) is at most ‖g‖²/4.
            assert!(
                variances.iter().all(|variance| (0.0..=0.25 + STATED).contains(variance)),
                "{gaussian:?}: {variances:?}"
            );
            // Milliseconds; half a minute and more when something does not end.
            assert!(started.elapsed() < Duration::from_secs(5), "{gaussian:?}");
        }
    }
}
