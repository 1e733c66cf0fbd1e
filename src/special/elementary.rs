//! Elementary functions without branches or tables, which loops over many arguments vectorise. Only IEEE operations: the
//! same bits on every machine, whatever the width of its vectors.
//!
//! The polynomials interpolate at Chebyshev points, which is within a small factor of the best approximation.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, LN_2, LOG2_E, PI};

/// `1.5 · 2⁵²`: a number of magnitude below 2⁵¹ added to it is rounded to a whole number, which stands in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// `c_0 + c_1 x + …` of 6 to 10 coefficients, by Estrin's scheme: few operations wait for each other.
#[inline(always)]
fn polynomial<const N: usize>(x: f64, c: &[f64; N]) -> f64 {
    let x2 = x * x;
    let x4 = x2 * x2;
    let pair = |k: usize| c[k] + c[k + 1] * x;
    let four = |k: usize| pair(k) + pair(k + 2) * x2;
    match N {
        6 => four(0) + pair(4) * x4,
        7 => four(0) + (pair(4) + c[6] * x2) * x4,
        8 => four(0) + four(4) * x4,
        9 => four(0) + (four(4) + c[8] * x4) * x4,
        _ => four(0) + (four(4) + pair(8) * x4) * x4,
    }
}

/// `log x` of a normal number x > 0, within 2 units in the last place.
///
/// With `x = 2^k m`, `√½ ≤ m < √2`, and `s = (m − 1)/(m + 1)`: `log m = 2 artanh s = s(2 + s²R(s²))`.
#[inline(always)]
pub fn log(x: f64) -> f64 {
    const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const R: [f64; 7] = [
        0.666_666_666_666_667,
        0.399_999_999_998_995_05,
        0.285_714_286_259_754_87,
        0.222_222_111_347_950_8,
        0.181_828_891_252_617_23,
        0.153_317_216_005_560_42,
        0.146_164_496_850_434_06,
    ];
    let bits = x.to_bits();
    let exponent = (bits.wrapping_sub(ROOT_HALF) as i64) >> 52;
    let m = f64::from_bits(bits.wrapping_sub((exponent as u64) << 52));
    let k = f64::from_bits((exponent as u64).wrapping_add(ROUND.to_bits())) - ROUND;
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    k * LN_2 + (2.0 * s + s * z * polynomial(z, &R))
}

/// `e^y − 1` for `0 ≤ y`, within 2 units in the last place; beyond y = 709 its value at 709, which is finite.
///
/// With `y = k log 2 + r`, `|r| ≤ (log 2)/2`: `2^k (e^r − 1) + (2^k − 1)`.
#[inline(always)]
pub fn exp_m1(y: f64) -> f64 {
    /// log 2 in two parts; the first has so few digits that its multiples by k are exact.
    const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
    /// Of `(e^r − 1 − r − r²/2)/r³`.
    const FROM_THE_CUBE: [f64; 9] = [
        0.166_666_666_666_666_66,
        0.041_666_666_666_651_364,
        0.008_333_333_333_332_157,
        0.001_388_888_890_587_164,
        0.000_198_412_698_543_309_97,
        2.480_153_640_847_632e-5,
        2.755_728_008_223_267_4e-6,
        2.761_379_588_075_554_3e-7,
        2.509_554_623_258_452e-8,
    ];
    let y = if y > 709.0 { 709.0 } else { y };
    let shifted = y * LOG2_E + ROUND;
    let k = shifted - ROUND;
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    let r = (y - k * LN_2[0]) - k * LN_2[1];
    let square = r * r;
    let of_r = r + square * (0.5 + r * polynomial(r, &FROM_THE_CUBE));
    power * of_r + (power - 1.0)
}

/// `sin(πw)` for `|w| ≤ ½`, within 4e-16.
#[inline(always)]
pub fn sin_pi(w: f64) -> f64 {
    /// Of `(sin(x)/x − 1)/x²` over x².
    const FROM_THE_CUBE: [f64; 8] = [
        -0.166_666_666_666_666_66,
        0.008_333_333_333_333_316,
        -0.000_198_412_698_412_549_74,
        2.755_731_921_916_323_4e-6,
        -2.505_210_761_699_618_2e-8,
        1.605_897_731_246_408_7e-10,
        -7.643_970_296_798_572e-13,
        2.731_444_766_986_399_5e-15,
    ];
    let x = PI * w;
    let z = x * x;
    x + x * z * polynomial(z, &FROM_THE_CUBE)
}

/// `(sin x, cos x)` for `|x| ≤ π/4`, within 2 units in the last place.
#[inline(always)]
pub fn sin_cos(x: f64) -> (f64, f64) {
    /// Of `(sin(x)/x − 1)/x²` over x².
    const SIN: [f64; 6] = [
        -0.166_666_666_666_666_66,
        0.008_333_333_333_330_948,
        -0.000_198_412_698_367_585_74,
        2.755_731_610_255_244e-6,
        -2.505_113_184_500_362_4e-8,
        1.591_812_929_486_660_8e-10,
    ];
    /// Of `(cos(x) − 1 + x²/2)/x⁴` over x².
    const COS: [f64; 6] = [
        0.041_666_666_666_666_664,
        -0.001_388_888_888_888_739_8,
        2.480_158_729_876_569e-5,
        -2.755_731_727_172_979_3e-7,
        2.087_614_626_840_32e-9,
        -1.138_263_242_552_171_7e-11,
    ];
    let z = x * x;
    (x + x * z * polynomial(z, &SIN), 1.0 - z * (0.5 - z * polynomial(z, &COS)))
}

/// `1/√x` of normal numbers x > 0, within 3 units in the last place. Faster than a root and a division where there are many.
///
/// Two steps of fourth order from a first value that is the exponent halved (Lomont 2003), within 4 %: with `h = 1 − x y²`,
/// `1/√x = y (1 − h)^{−1/2} = y (1 + h/2 + 3h²/8 + 5h³/16 + …)`. Step by step for all of them, so that a processor has several
/// chains of operations in flight.
#[inline(always)]
pub fn reciprocal_roots<const M: usize>(x: &[f64; M]) -> [f64; M] {
    let mut y = [0.0; M];
    for path in 0..M {
        y[path] = f64::from_bits(0x5fe6_eb50_c7b5_37a9u64.wrapping_sub(x[path].to_bits() >> 1));
    }
    for _ in 0..2 {
        let mut h = [0.0; M];
        for path in 0..M {
            h[path] = 1.0 - x[path] * y[path] * y[path];
        }
        for path in 0..M {
            let h = h[path];
            y[path] += y[path] * (h * (0.5 + h * (0.375 + h * 0.3125)));
        }
    }
    y
}

/// `atan t` for t ≥ 0, and 1/y, within 4 units in the last place, by one division; t below and |y| between 1e-100 and 1e100.
///
/// Beyond tan(π/8) by `atan t = π/4 + atan((t − 1)/(t + 1))` and `atan t = π/2 − atan(1/t)`.
#[inline(always)]
pub fn atan_and_reciprocal(t: f64, y: f64) -> (f64, f64) {
    const TAN_PI_8: f64 = 0.414_213_562_373_095_03;
    const TAN_3_PI_8: f64 = 2.414_213_562_373_095;
    /// Of `(atan(x)/x − 1)/x²` over x².
    const FROM_THE_CUBE: [f64; 10] = [
        -0.333_333_333_333_332_5,
        0.199_999_999_998_984_07,
        -0.142_857_142_660_966_2,
        0.111_111_096_365_343_61,
        -0.090_908_525_571_760_49,
        0.076_910_551_583_931_5,
        -0.066_496_136_952_916_69,
        0.057_363_321_659_076_43,
        -0.044_833_346_222_728_86,
        0.022_750_526_993_361_67,
    ];
    let (is_small, is_large) = (t <= TAN_PI_8, t > TAN_3_PI_8);
    let from = if is_small {
        0.0
    } else if is_large {
        FRAC_PI_2
    } else {
        FRAC_PI_4
    };
    let numerator = if is_small {
        t
    } else if is_large {
        -1.0
    } else {
        t - 1.0
    };
    let denominator = if is_small {
        1.0
    } else if is_large {
        t
    } else {
        t + 1.0
    };
    let reciprocal = 1.0 / (denominator * y);
    let x = numerator * (y * reciprocal);
    let z = x * x;
    (from + (x + x * z * polynomial(z, &FROM_THE_CUBE)), denominator * reciprocal)
}
