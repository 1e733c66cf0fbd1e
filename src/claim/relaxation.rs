//! How a model comes to rest: where, how fast, and after how many steps it may be taken to be there.

use super::Side;
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

/// Runge–Kutta steps to each η.
const FLOW_SUBSTEPS: usize = 4;

/// Where the drift vanishes, and how the SDE tends to it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Relaxation {
    /// Where the flow of the drift ends.
    pub point: Vec<f64>,
    /// The slowest rate of the drift's linearization there.
    pub drift_gap: f64,
    /// The spectral gaps of optimizer and SDE: how fast mean and deviation forget where they began; none where they do
    /// not.
    gaps: [Option<f64>; 2],
    /// A deviation of each coordinate that the diffusion there keeps up, no less than the stationary one to
    /// leading order.
    pub deviations: Vec<f64>,
    /// Optimizer steps of the flow of the drift from the start to the point.
    arrival: usize,
    /// η.
    eta: f64,
}

impl Relaxation {
    /// Of the SDE of a model from its start.
    pub fn of(model: &Model) -> Result<Self, Unknown> {
        let eta = model.run.learning_rate;
        if model.rule().is_none() {
            return Err(Unknown::because(
                "how an optimizer that is none of the poster's comes to rest is not known",
            ));
        }
        if !model.agents.objective().comes_to_rest() {
            return Err(Unknown::because(
                "where a network comes to rest is not known, if it does; what a scaling rule or a sweep comes to at the end of a \
                 run is (`at = \"end\"`, `quantity = \"final_loss\"`)",
            ));
        }
        let mut coefficients = Coefficients::new(model.dimension());
        let point = resting_point(model, &mut coefficients)?;
        let jacobian = drift_jacobian(&*model.sde, &point, &mut coefficients);
        let rates = rates(jacobian, point.len());
        let drift_gap = rates.iter().copied().fold(f64::INFINITY, f64::min);
        // Differences tell rates up to rounding.
        if drift_gap <= 1e-7 {
            return Err(Unknown::because(format!(
                "where its flow ends the drift pulls back at the rate {drift_gap:.1e}: some coordinate is held by nothing"
            )));
        }
        model.sde.coefficients(&point, &mut coefficients);
        let variance = |i: usize| coefficients.diffusion.entry(i, i) / (2.0 * drift_gap);
        let deviations: Vec<f64> = (0..point.len()).map(|i| variance(i).sqrt()).collect();
        let start = &model.run.start;
        let covered = start.iter().zip(&point).fold(0.0, |covered: f64, (x, c)| covered.max((x - c).abs()));
        // Where the flow ends is known up to rounding.
        if deviations.iter().any(|&deviation| deviation <= 1e-9 * covered) {
            return Err(Unknown::because(
                "the diffusion vanishes where the drift does: the stationary law is a point in some coordinate",
            ));
        }
        let arrival = arrival(model, &point, &deviations)?;
        let multiplied = if model.takes_signs() { 0.0 } else { model.relative_variance() };
        let gaps = [Side::Optimizer, Side::Sde].map(|side| spectral_gap(&rates, side, eta, multiplied));
        let relaxation = Self { point, drift_gap, gaps, deviations, arrival, eta };
        for side in [Side::Optimizer, Side::Sde] {
            if let Some(gap) = relaxation.gap(side)
                && -libm::log(REMAINS) / (gap * eta) > MOST_STEPS as f64
            {
                let message =
                    format!("a burn-in of more than {MOST_STEPS} steps, as the spectral gap is {gap:.1e}");
                return Err(Unknown::because(message));
            }
        }
        Ok(relaxation)
    }

    /// The spectral gap of a process; none where its mean does not come to rest.
    pub fn gap(&self, side: Side) -> Option<f64> {
        *side.of(&self.gaps)
    }

    /// Optimizer steps until the law of a process with this spectral gap is taken to be stationary: those of the flow
    /// from the start to the point, and `log(1/REMAINS)` over the gap.
    pub fn burn_in(&self, gap: f64) -> usize {
        self.arrival + libm::ceil(-libm::log(REMAINS) / (gap * self.eta)) as usize
    }
}

/// The slowest of the rates at which means and deviations of a process fall, whose drift falls at `rates`: the mean
/// `e^{−λt}` and the mean square `e^{−(2λ − ηλ²r)t}` of the SDE, `(1 − ηλ)^k` and `((1 − ηλ)² + η²λ²r)^k` of the optimizer,
/// where noise grows with the gradient by r. That growth is exact for diagonal H; it is taken to slow the fall 64 times
/// at most, so that what it is elsewhere can be seen. None where the mean grows.
fn spectral_gap(rates: &[f64], side: Side, eta: f64, r: f64) -> Option<f64> {
    const SLOWED: f64 = 64.0;
    let of_rate = |&rate: &f64| {
        let (of_mean, of_square) = match side {
            Side::Sde => (rate, 2.0 * rate - eta * rate * rate * r),
            Side::Optimizer => {
                let factor = 1.0 - eta * rate;
                let square = factor * factor + eta * eta * rate * rate * r;
                (-libm::log(factor.abs()) / eta, -libm::log(square) / eta)
            }
        };
        (of_mean > 0.0).then(|| of_mean.min(0.5 * of_square).max(of_mean / SLOWED))
    };
    rates.iter().map(of_rate).try_fold(f64::INFINITY, |least, rate| Some(rate?.min(least)))
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
        c = drift_flow(&*model.sde, &c, model.run.learning_rate, more, more, FLOW_SUBSTEPS)
            .pop()
            .unwrap_or_default();
        steps += more;
    }
    Err(Unknown::because(format!("the flow of the drift is not at rest after {steps} steps")))
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
            return Err(Unknown::because(format!(
                "the flow of the drift is not at rest after {steps} steps"
            )));
        }
        c = drift_flow(&*model.sde, &c, model.run.learning_rate, EVERY, EVERY, FLOW_SUBSTEPS)
            .pop()
            .unwrap_or_default();
        steps += EVERY;
    }
    Ok(steps)
}

/// The real parts of the eigenvalues of −J.
fn rates(jacobian: Jacobian, d: usize) -> Vec<f64> {
    match jacobian {
        Jacobian::Diagonal(entries) => entries.iter().map(|entry| -entry).collect(),
        Jacobian::Dense(entries) => {
            let eigenvalues = nalgebra::DMatrix::from_row_slice(d, d, &entries).complex_eigenvalues();
            eigenvalues.iter().map(|eigenvalue| -eigenvalue.re).collect()
        }
    }
}
