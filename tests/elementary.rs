//! The elementary functions that vectorise, against libm, which shares nothing with them: dense grids and random arguments.
//! libm itself is within one unit in the last place.
#![allow(clippy::disallowed_methods)] // the reference may use what the crate may not

use itocheck::random::{Role, Stream};
use itocheck::special::elementary::{self, atan_and_reciprocal, exp_m1, log, sin_cos, sin_pi};

const N: usize = 2_000_000;

/// The distance in units in the last place of `right`.
fn units(value: f64, right: f64) -> f64 {
    if value == right {
        return 0.0;
    }
    let unit = f64::from_bits(right.abs().to_bits() + 1) - right.abs();
    ((value - right) / unit).abs()
}

/// The largest distance over arguments `from + (to − from) u`, u uniform, and the ends.
fn worst(path: u64, from: f64, to: f64, distance: impl Fn(f64) -> f64) -> f64 {
    let mut stream = Stream::new(4, Role::States, path);
    let arguments = (0..N).map(|_| from + (to - from) * stream.uniform());
    arguments.chain([from, to]).map(distance).fold(0.0, f64::max)
}

/// The same over magnitudes from 2^from to 2^to, evenly in their logarithm.
fn worst_over_magnitudes(path: u64, from: f64, to: f64, distance: impl Fn(f64) -> f64) -> f64 {
    worst(path, from, to, |exponent| distance(exponent.exp2()))
}

#[test]
fn logarithms() {
    let distance = |x: f64| units(log(x), libm::log(x));
    assert!(worst(0, f64::EPSILON, 1.0, distance) <= 3.0);
    assert!(worst_over_magnitudes(1, -1000.0, 1000.0, distance) <= 3.0);
    // Next to 1, where most digits cancel in a bad one.
    assert!(worst(2, 1.0 - 1e-6, 1.0 - f64::EPSILON, distance) <= 3.0);
    assert_eq!(log(1.0), 0.0);
}

#[test]
fn exponentials() {
    let distance = |y: f64| units(exp_m1(y), libm::expm1(y));
    assert!(worst(3, 0.0, 2.0, distance) <= 3.0);
    assert!(worst(4, 0.0, 709.0, distance) <= 3.0);
    assert!(worst_over_magnitudes(5, -60.0, 0.0, distance) <= 3.0);
    assert_eq!(exp_m1(0.0), 0.0);
    assert_eq!(exp_m1(f64::INFINITY), exp_m1(709.0));
}

#[test]
fn sines_and_cosines() {
    let eighth = std::f64::consts::FRAC_PI_4;
    assert!(worst(6, -eighth, eighth, |x| units(sin_cos(x).0, libm::sin(x))) <= 3.0);
    assert!(worst(7, -eighth, eighth, |x| units(sin_cos(x).1, libm::cos(x))) <= 3.0);
    let distance = |w: f64| (sin_pi(w) - libm::sin(std::f64::consts::PI * w)).abs();
    assert!(worst(8, -0.5, 0.5, distance) <= 4e-16);
}

#[test]
fn arctangents_and_reciprocals() {
    let distance = |t: f64| {
        let y = 1.0 + t * t;
        let (atan, reciprocal) = atan_and_reciprocal(t, y);
        units(atan, libm::atan(t)).max(units(reciprocal, 1.0 / y))
    };
    assert!(worst(9, 0.0, 4.0, distance) <= 5.0);
    assert!(worst_over_magnitudes(10, -100.0, 33.0, distance) <= 5.0);
}

#[test]
fn reciprocal_roots() {
    let distance = |x: f64| units(elementary::reciprocal_roots(&[x])[0], 1.0 / x.sqrt());
    assert!(worst(11, 0.25, 4.0, distance) <= 4.0);
    assert!(worst_over_magnitudes(12, -1000.0, 1000.0, distance) <= 4.0);
}

#[test]
fn a_lost_digit_is_noticed() {
    // What is off by 1e-14, as it is where a coefficient loses its last two digits, is off by dozens of units.
    let distance = |x: f64| units(log(x) * (1.0 + 1e-14), libm::log(x));
    assert!(worst(13, 0.1, 0.9, distance) > 3.0);
}
