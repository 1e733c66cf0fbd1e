//! Claim `phases`: far from the optimum DSignSGD descends like the flow of the sign, near it like a linear SDE.

use super::decision::{Gap, decide};
use super::finding::{Expectation, Finding, Verdict, Worst};
use super::sampling::Simulated;
use super::stationary::hessian;
use super::{Claim, Consequence, Progress, Setting, Side};
use crate::ensemble::{Observables, TestFunction};
use crate::exact::{Unknown, Value, expectations};
use crate::model::Model;
use crate::parameter::{Invalid, checked};
use crate::scenario::Experiment;
use crate::special::ell;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Of DSignSGD on a diagonal quadratic with noise `S t_ν`, and of each coordinate with `u = ∂f/σ`: as long as `|u|` is
/// above `far` along the flow of the drift, `E x` is that of `dX = −sign(∇f) dt`; from where it is below `near`, mean and
/// variance are those of `dX = −(ℓ_ν/σ)∇f dt + √(η/N) dW`, begun there. It takes exact expectations.
#[derive(Clone, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The process.
    process: Side,
    /// The least |u| of the first phase.
    far: f64,
    /// The largest |u| of the second.
    near: f64,
    /// What is allowed, above 0: of means relative to the distance from the minimiser at which the phase begins, of
    /// variances relative to the stationary one.
    margin: f64,
    /// What should come out: a negative control says that it is refuted.
    #[serde(default)]
    expect: Expectation,
}

/// A quantity of a coordinate, and its time.
type Place = (String, f64);

/// The claim, checked.
#[derive(Clone, Debug)]
struct Phases {
    process: Side,
    far: f64,
    near: f64,
    margin: f64,
    expect: Expectation,
    coordinates: Vec<Coordinate>,
    /// The exact expectations of [`observables`] over time.
    rows: Vec<Vec<Value>>,
}

/// What the phases of one coordinate depend on.
#[derive(Clone, Copy, Debug)]
struct Coordinate {
    /// λ.
    curvature: f64,
    /// σ.
    scale: f64,
    /// `ℓ_ν λ/σ`.
    rate: f64,
    /// `(η/2N) σ/(ℓ_ν λ)`.
    stationary_variance: f64,
}

impl Parameters {
    pub(super) fn build(&self, setting: &Setting) -> Result<Claim, Invalid> {
        let &Self { process, far, near, margin, expect } = self;
        let margin = checked("margin", margin, |margin| margin > 0.0, "a number above 0")?;
        let far = checked("far", far, |far| far > 0.0, "a number above 0")?;
        let near = checked("near", near, |near| near > 0.0, "a number above 0")?;
        let coordinates =
            coordinates(setting.model).map_err(|reason| Invalid::new("", format!("{reason}; expected dsignsgd on a diagonal quadratic with one group of agents and noise gaussian or student_t")))?;
        let observables = observables(setting.model);
        let unknown = |unknown: Unknown| {
            let message =
                format!("no exact expectations: {unknown}; expected a shorter run, or fewer agents");
            Invalid::new("", message)
        };
        let table = process.table(expectations(setting.model, &observables)).map_err(unknown)?;
        let rows: Option<Vec<Vec<Value>>> = table.into_iter().collect();
        let rows = rows.ok_or_else(|| unknown(Unknown::because("some are not finite")))?;
        let phases = Phases { process, far, near, margin, expect, coordinates, rows };
        phases.are_seen(&observables, setting.model)?;
        Ok(Claim::Consequence(Arc::new(phases)))
    }
}

fn coordinates(model: &Model) -> Result<Vec<Coordinate>, &'static str> {
    if !model.takes_signs() {
        return Err("no sign is taken");
    }
    let h = hessian(model);
    let d = h.nrows();
    if !model.agents.objective().is_quadratic() || (0..d * d).any(|k| k / d != k % d && h[k] != 0.0) {
        return Err("the objective is no diagonal quadratic");
    }
    let [group] = model.agents.groups() else { return Err("the agents differ") };
    let Some((scale, dof)) = group.noise.scaled_student_t().filter(|_| group.gradient_offset.is_none())
    else {
        return Err("the noise is not S t_ν");
    };
    let eta_over_n = model.run.learning_rate / model.agents.count() as f64;
    let coordinate = |j: usize| {
        let rate = ell(dof) * h[(j, j)] / scale[j];
        Coordinate {
            curvature: h[(j, j)],
            scale: scale[j],
            rate,
            stationary_variance: eta_over_n / (2.0 * rate),
        }
    };
    Ok((0..d).map(coordinate).collect())
}

/// Coordinates and their squares about the flow.
fn observables(model: &Model) -> Observables {
    let d = model.dimension();
    let means = (0..d).map(TestFunction::Coordinate);
    model.observables(means.chain((0..d).map(|j| TestFunction::Fluctuation(j, j))).collect())
}

/// One coordinate over time, with what the phases predict.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PhasedCoordinate {
    /// Its name.
    pub function: String,
    /// `E x_j − x*_j`.
    pub mean: Vec<f64>,
    /// What the flow of the sign predicts; null outside of the first phase.
    pub sign_flow: Vec<Option<f64>>,
    /// What the linear SDE predicts; null before the second phase.
    pub linear: Vec<Option<f64>>,
    /// `Var x_j`.
    pub variance: Vec<f64>,
    /// What the linear SDE predicts of it.
    pub linear_variance: Vec<Option<f64>>,
}

/// Both phases over time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PhasedRun {
    /// The process.
    pub process: Side,
    /// t.
    pub times: Vec<f64>,
    /// By coordinate.
    pub coordinates: Vec<PhasedCoordinate>,
}

impl Phases {
    /// Each phase has a record time besides its first in every coordinate.
    fn are_seen(&self, observables: &Observables, model: &Model) -> Result<(), Invalid> {
        for (j, of) in self.coordinates.iter().enumerate() {
            let minimiser = minimiser(model, j, of.curvature);
            let sizes: Vec<f64> = observables
                .flow
                .iter()
                .map(|c| (of.curvature * (c[j] - minimiser) / of.scale).abs())
                .collect();
            let far = sizes.iter().take_while(|&&u| u >= self.far).count();
            let near = sizes.iter().filter(|&&u| u <= self.near).count();
            let (first, last) = (sizes[0], sizes[sizes.len() - 1]);
            let along = format!("|u| of coordinate {j} goes from {first:.3e} to {last:.3e} along the flow");
            let right = "expected one that leaves two record times to the phase, or a longer run";
            if far < 2 {
                return Err(Invalid::new("far", format!("{}; {along}; {right}", self.far)));
            }
            if near < 2 {
                return Err(Invalid::new("near", format!("{}; {along}; {right}", self.near)));
            }
        }
        Ok(())
    }

    /// The gaps at every place of a phase, named, and the curves.
    fn compare(&self, model: &Model) -> (Vec<Place>, Vec<Gap>, PhasedRun) {
        let observables = observables(model);
        let rows = &self.rows;
        let times = observables.record_times.clone();
        let d = self.coordinates.len();
        let (mut places, mut gaps) = (Vec::new(), Vec::new());
        let mut coordinates = Vec::new();
        for (j, coordinate) in self.coordinates.iter().enumerate() {
            let minimiser = minimiser(model, j, coordinate.curvature);
            let flow: Vec<f64> = observables.flow.iter().map(|c| c[j] - minimiser).collect();
            let path = Path::new(&rows[j], &rows[d + j], &flow, minimiser, observables.eta);
            let curves = self.predict(*coordinate, &path, &flow, &times);
            let mut add = |name: String, predicted: &[Option<f64>], seen: &[Value], unit: f64| {
                for (time, predicted) in predicted.iter().enumerate().skip(1) {
                    if let Some(predicted) = predicted {
                        let Value { value, error } = seen[time];
                        let (estimate, margin) = (value - predicted, self.margin * unit);
                        let interval = [estimate - error, estimate + error];
                        let detectable = margin + 2.0 * error;
                        places.push((name.clone(), times[time]));
                        gaps.push(Gap { estimate, upheld: interval, refuted: interval, margin, detectable });
                    }
                }
            };
            let begins = curves.linear.iter().position(Option::is_some).unwrap_or(0);
            let at_entry = path.mean[begins].value.abs();
            add(format!("x[{j}], sign flow"), &curves.sign_flow, &path.mean, flow[0].abs());
            add(format!("x[{j}], linear SDE"), &curves.linear, &path.mean, at_entry);
            let name = format!("variance of x[{j}], linear SDE");
            add(name, &curves.linear_variance, &path.variance, coordinate.stationary_variance);
            coordinates.push(PhasedCoordinate {
                function: format!("x[{j}]"),
                mean: path.mean.iter().map(|mean| mean.value).collect(),
                variance: path.variance.iter().map(|variance| variance.value).collect(),
                ..curves
            });
        }
        (places, gaps, PhasedRun { process: self.process, times, coordinates })
    }

    /// The predicted curves of one coordinate.
    fn predict(&self, of: Coordinate, path: &Path, flow: &[f64], times: &[f64]) -> PhasedCoordinate {
        let u = |time: usize| (of.curvature * flow[time] / of.scale).abs();
        let far = |time: usize| (0..=time).all(|time| u(time) >= self.far);
        let sign_flow = |time: usize| far(time).then(|| flow[0] - times[time] * flow[0].signum());
        let entry = (0..times.len()).find(|&time| u(time) <= self.near);
        let since = |time: usize| {
            entry.filter(|&entry| entry <= time).map(|entry| (entry, times[time] - times[entry]))
        };
        let linear =
            |time: usize| since(time).map(|(entry, t)| path.mean[entry].value * libm::exp(-of.rate * t));
        let variance = |time: usize| {
            since(time).map(|(entry, t)| {
                let left = libm::exp(-2.0 * of.rate * t);
                path.variance[entry].value * left + (1.0 - left) * of.stationary_variance
            })
        };
        let all = |curve: &dyn Fn(usize) -> Option<f64>| (0..times.len()).map(curve).collect();
        PhasedCoordinate {
            function: String::new(),
            mean: Vec::new(),
            sign_flow: all(&sign_flow),
            linear: all(&linear),
            variance: Vec::new(),
            linear_variance: all(&variance),
        }
    }
}

/// Mean, about the minimiser, and variance of one coordinate over time.
struct Path {
    mean: Vec<Value>,
    variance: Vec<Value>,
}

impl Path {
    fn new(means: &[Value], fluctuations: &[Value], flow: &[f64], minimiser: f64, eta: f64) -> Self {
        let about = |mean: &Value| Value { value: mean.value - minimiser, error: mean.error };
        let mean: Vec<Value> = means.iter().map(about).collect();
        let variance = |((mean, fluctuation), flow): ((&Value, &Value), &f64)| {
            let off = mean.value - flow;
            let error = eta * fluctuation.error + 2.0 * off.abs() * mean.error + mean.error * mean.error;
            Value { value: eta * fluctuation.value - off * off, error }
        };
        let variance = mean.iter().zip(fluctuations).zip(flow).map(variance).collect();
        Self { mean, variance }
    }
}

/// Where coordinate `j` of the gradient of a diagonal quadratic vanishes.
fn minimiser(model: &Model, j: usize, curvature: f64) -> f64 {
    let start = &model.run.start;
    let mut gradient = vec![0.0; start.len()];
    model.agents.objective().gradient(start, &mut gradient);
    start[j] - gradient[j] / curvature
}

impl Consequence for Phases {
    fn kind(&self) -> &'static str {
        "phases"
    }

    fn expect(&self) -> Expectation {
        self.expect
    }

    fn judge(&self, experiment: &Experiment, _progress: &dyn Progress) -> (Finding, Simulated) {
        let (places, gaps, run) = self.compare(&experiment.model);
        let (verdict, worst) = decide(&gaps);
        let said = match verdict {
            Verdict::Upheld => "descends",
            Verdict::Refuted => "does not descend",
            Verdict::Inconclusive => "is undecided to descend",
        };
        let place = worst.map_or("no time in either phase".to_owned(), |worst| {
            let ((name, time), gap) = (&places[worst], gaps[worst]);
            format!(
                "{name} at t = {time:.4}: {:+.3e} from its prediction, margin {:.3e}",
                gap.estimate, gap.margin
            )
        });
        let Self { process, far, near, margin, .. } = self;
        let sentence = format!(
            "{process} {said} like the flow of the sign while |∂f/σ| ≥ {far} and like the linear SDE from |∂f/σ| ≤ {near} on, \
             within {margin}; closest is {place} (exact expectations, without a seed; itocheck {})",
            env!("CARGO_PKG_VERSION")
        );
        let worst = worst.map(|worst| {
            let ((name, time), gap) = (places[worst].clone(), gaps[worst]);
            let [low, high] = gap.upheld;
            Worst::of_gap(name, time, gap, verdict, (high - low) / 2.0)
        });
        let finding = Finding {
            worst,
            allowed: Some(format!("{margin} of a distance or variance")),
            phases: Some(run),
            ..Finding::exact("phases", self.expect, verdict, sentence)
        };
        (finding, Simulated::default())
    }
}
