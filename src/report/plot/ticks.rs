//! Ranges of axes and their tick marks.

/// Beyond this nothing is drawn, and below its inverse all is 0: sums, differences and powers of ten of
/// what is drawn must be normal numbers.
const LARGEST: f64 = 1e150;

/// A curve whose values differ less than this, relative to their size, is level.
const LEVEL: f64 = 1e-9;

/// Values that can be drawn.
pub(super) fn drawable(value: Option<f64>) -> Option<f64> {
    let value = value.filter(|value| value.abs() < LARGEST)?;
    Some(if value.abs() > 1.0 / LARGEST { value } else { 0.0 })
}

/// The range of `values` with `padding` of its length at both ends; where they are all the same, a
/// range about them. None without values.
pub(super) fn padded(values: impl Iterator<Item = f64>, padding: f64) -> Option<[f64; 2]> {
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return None;
    }
    let size = low.abs().max(high.abs());
    let pad = if high - low > LEVEL * size {
        padding * (high - low)
    } else if size > 0.0 {
        0.1 * size
    } else {
        1.0
    };
    Some([low - pad, high + pad])
}

/// About `count` round values within the range, and their labels.
pub(super) fn ticks([low, high]: [f64; 2], count: usize) -> Vec<(f64, String)> {
    let (step, exponent) = round_step((high - low) / count as f64);
    let size = low.abs().max(high.abs());
    let label = |value: f64| {
        let text = if (1e-3..1e5).contains(&size) {
            format!("{value:.*}", (-exponent).max(0) as usize)
        } else if value == 0.0 {
            "0".to_owned()
        } else {
            let digits = libm::log10(value.abs()).floor() as i32 - exponent;
            format!("{value:.*e}", digits.max(0) as usize)
        };
        text.replace('-', "−")
    };
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|multiple| multiple as f64 * step).map(|value| (value, label(value))).collect()
}

/// 1, 2 or 5 times a power of ten, which of them is nearest to `step` by its factor; and the exponent of
/// that power.
fn round_step(step: f64) -> (f64, i32) {
    let exponent = libm::log10(step).floor() as i32;
    let power = libm::exp10(f64::from(exponent));
    // The limits are the geometric means of neighbours.
    match step / power {
        factor if factor < 1.41 => (power, exponent),
        factor if factor < 3.16 => (2.0 * power, exponent),
        factor if factor < 7.07 => (5.0 * power, exponent),
        _ => (10.0 * power, exponent + 1),
    }
}
