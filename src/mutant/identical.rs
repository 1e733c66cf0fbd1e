//! Whether two SDEs are one: then a mistake is none.

use crate::model::Model;
use crate::random::{Role, Stream};
use crate::sde::{Coefficients, Sde};

/// States at which drift and diffusion are compared.
const STATES: u64 = 16;

/// Rounding of sums of a few terms, with a margin of a hundred.
const ROUNDING: f64 = 1e-13;

/// Whether drift and diffusion of the two agree, up to rounding, at the start of the run and at states as far around
/// it as paths may come. What the optimizer remembers and is above 0, as a second moment, stays so: elsewhere coefficients need not
/// be finite, and then nothing could be compared.
pub(super) fn are_identical(model: &Model, other: &dyn Sde) -> bool {
    let start = &model.run.start;
    let of_position = model.agents.dimension();
    let around = |index: u64| -> Vec<f64> {
        let mut stream = Stream::new(0, Role::States, index);
        let mut near = |(j, x): (usize, &f64)| {
            let moved = x + (0.5 + 0.5 * x.abs()) * stream.normal();
            if j >= of_position && *x > 0.0 { moved.abs() } else { moved }
        };
        start.iter().enumerate().map(&mut near).collect()
    };
    std::iter::once(start.clone()).chain((0..STATES).map(around)).all(|x| agree_at(&*model.sde, other, &x))
}

fn agree_at(one: &dyn Sde, other: &dyn Sde, x: &[f64]) -> bool {
    let d = x.len();
    let evaluated = |sde: &dyn Sde| {
        let mut out = Coefficients::new(d);
        sde.coefficients(x, &mut out);
        out
    };
    let (one, other) = (evaluated(one), evaluated(other));
    let size = one.drift.iter().fold(0.0, |size: f64, drift| size.max(drift.abs()));
    let drifts = one.drift.iter().zip(&other.drift).all(|(a, b)| (a - b).abs() <= ROUNDING * size);
    let allowed = ROUNDING * one.diffusion.trace();
    let entries = (0..d * d).all(|index| {
        let (i, j) = (index / d, index % d);
        let (a, b) = (one.diffusion.entry(i, j), other.diffusion.entry(i, j));
        a == b || (a - b).abs() <= allowed
    });
    drifts && entries
}
