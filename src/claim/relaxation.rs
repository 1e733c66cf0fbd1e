//! How a model comes to rest: where, how fast, and after how many steps it may be taken to be there.

use crate::exact::Unknown;
use crate::integrator::{Jacobian, drift_flow, drift_jacobian};
use crate::model::Model;
use crate::sde::Coefficients;

/// The flow of the drift comes within this part of a stationary deviation of where it ends, and what the law
/// remembers of its start is this part of what it was, before it is taken to be stationary.
const REMAINS: f64 = 1e-3;

/// Longest burn-in, and steps of the flow that may be followed.
const MOST_STEPS: usize = 50_000_000;
const MOST_FLOW_STEPS: usize = 4_000_000;

/// Where the drift vanishes, and how the SDE tends to it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Relaxation {
    /// Where the flow of the drift ends.
    pub point: Vec<f64>,
    /// The spectral gap: the slowest rate of the drift's linearization there.
    pub gap: f64,
    /// A deviation of each coordinate that the diffusion there keeps up, no less than the stationary one to
    /// leading order.
    pub deviations: Vec<f64>,
    /// Optimizer steps until the law is taken to be stationary: those of the flow from the start to the point, and
    /// `log(1/REMAINS)` over the gap.
    pub burn_in: usize,
}

impl Relaxation {
    /// Of the SDE of a model from its start.
    pub fn of(model: &Model) -> Result<Self, Unknown> {
        let eta = model.run.learning_rate;
        let mut coefficients = Coefficients::new(model.dimension());
        let point = resting_point(model, &mut coefficients)?;
        let gap = spectral_gap(drift_jacobian(&*model.sde, &point, &mut coefficients), point.len())?;
        model.sde.coefficients(&point, &mut coefficients);
        let variance = |i: usize| coefficients.diffusion.entry(i, i) / (2.0 * gap);
        let deviations: Vec<f64> = (0..point.len()).map(|i| variance(i).sqrt()).collect();
        if deviations.contains(&0.0) {
            return Err(Unknown::because(
                "the diffusion vanishes where the drift does: the stationary law is a point in some coordinate",
            ));
        }
        let arrival = arrival(model, &point, &deviations)?;
        let forgetting = libm::ceil(-libm::log(REMAINS) / (gap * eta));
        if forgetting > MOST_STEPS as f64 {
            let message = format!("a burn-in of {forgetting:.1e} steps, as the spectral gap is {gap:.1e}");
            return Err(Unknown::because(message));
        }
        Ok(Self { point, gap, deviations, burn_in: arrival + forgetting as usize })
    }
}

/// Where the drift vanishes to rounding.
fn resting_point(model: &Model, coefficients: &mut Coefficients) -> Result<Vec<f64>, Unknown> {
    let mut size = |x: &[f64]| {
        model.sde.coefficients(x, coefficients);
        coefficients.drift.iter().fold(0.0, |size: f64, b| size.max(b.abs()))
    };
    let mut c = model.run.start.clone();
    let first = size(&c);
    let (mut steps, mut best) = (0, first);
    while steps < MOST_FLOW_STEPS {
        let left = size(&c);
        if left <= 1e-13 * first {
            return Ok(c);
        }
        // Rounding of x leaves a drift that falls no more.
        if steps > 0 && left >= 0.5 * best && left <= 1e-9 * first {
            return Ok(c);
        }
        best = best.min(left);
        let more = (steps / 2).max(64);
        c = drift_flow(&*model.sde, &c, model.run.learning_rate, more, more, 1).pop().unwrap_or_default();
        steps += more;
    }
    Err(Unknown::because("the flow of the drift comes to no rest"))
}

/// Steps until the flow of the drift is near its end.
fn arrival(model: &Model, point: &[f64], deviations: &[f64]) -> Result<usize, Unknown> {
    const EVERY: usize = 16;
    let mut c = model.run.start.clone();
    let mut steps = 0;
    let is_far = |c: &[f64]| {
        c.iter()
            .zip(point)
            .zip(deviations)
            .any(|((c, point), deviation)| (c - point).abs() > REMAINS * deviation)
    };
    while is_far(&c) {
        if steps > MOST_FLOW_STEPS {
            return Err(Unknown::because("the flow of the drift comes to no rest"));
        }
        c = drift_flow(&*model.sde, &c, model.run.learning_rate, EVERY, EVERY, 1).pop().unwrap_or_default();
        steps += EVERY;
    }
    Ok(steps)
}

/// The smallest real part of an eigenvalue of −J.
fn spectral_gap(jacobian: Jacobian, d: usize) -> Result<f64, Unknown> {
    let gap = match jacobian {
        Jacobian::Diagonal(entries) => entries.iter().map(|entry| -entry).fold(f64::INFINITY, f64::min),
        Jacobian::Dense(entries) => {
            let eigenvalues = nalgebra::DMatrix::from_row_slice(d, d, &entries).complex_eigenvalues();
            eigenvalues.iter().map(|eigenvalue| -eigenvalue.re).fold(f64::INFINITY, f64::min)
        }
    };
    // Differences tell rates up to rounding.
    if gap > 1e-7 {
        Ok(gap)
    } else {
        Err(Unknown::because(
            "the drift has no spectral gap where it vanishes: nothing holds some coordinate",
        ))
    }
}
