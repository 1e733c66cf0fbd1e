//! What is known of f: derived where f is quadratic, else given by the scenario and checked at many points.

use crate::model::Model;
use crate::objective::Objective;
use crate::parameter::{Invalid, checked, shown};
use crate::random::{Role, Stream};
use crate::sde::Coefficients;
use schemars::JsonSchema;
use serde::Deserialize;

/// Points of the flow of the drift that are checked, and points about each of them.
const POINTS_OF_FLOW: usize = 64;
const POINTS_ABOUT: usize = 16;

/// How far points about the flow are from it: in units of what the flow and the noise cover, from least to most.
const NEAREST: f64 = 1e-3;
const FARTHEST: f64 = 2.0;

/// Steps of the power iteration that looks for the largest curvature at a point.
const POWER_STEPS: usize = 12;

/// Rounding of f, relative to its size, and of gradients and curvatures.
const ROUNDING: f64 = 1e-12;
const SLACK: f64 = 1e-9;

/// By how much a value that would be right is moved to the safe side, so that it can be shown with four digits.
const ROOM: f64 = 1e-3;

/// What the scenario says of f.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// μ, above 0: `‖∇f(x)‖² ≥ 2μ(f(x) − f*)`.
    mu: f64,
    /// L: `‖∇f(x) − ∇f(y)‖ ≤ L‖x − y‖`; that of the objective unless given.
    smoothness: Option<f64>,
    /// f*, the least value of f. Near it `‖∇f‖²` is compared with f − f*: all digits count.
    minimum: f64,
}

/// What is known of f.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// μ.
    pub mu: f64,
    /// L.
    pub smoothness: f64,
    /// f*.
    pub minimum: f64,
    /// Whether it was given, and checked at points, rather than derived.
    pub is_given: bool,
}

impl Known {
    /// As `given`, where it is, else as the objective knows it.
    pub fn of(given: Option<&Given>, model: &Model) -> Result<Self, Invalid> {
        let objective = model.agents.objective();
        match given {
            Some(given) => given.checked(model).map_err(|invalid| invalid.under("landscape")),
            None => {
                let known = || {
                    Some(Self {
                        mu: objective.pl_constant()?,
                        smoothness: objective.smoothness()?,
                        minimum: objective.minimum()?,
                        is_given: false,
                    })
                };
                let message =
                    "μ, L and f* of this objective are not known; expected { mu, smoothness, minimum }";
                known().ok_or_else(|| Invalid::new("landscape", message))
            }
        }
    }
}

impl Given {
    fn checked(&self, model: &Model) -> Result<Known, Invalid> {
        let smoothness = match self.smoothness.or_else(|| model.agents.objective().smoothness()) {
            Some(smoothness) => checked("smoothness", smoothness, |l| l > 0.0, "a number above 0")?,
            None => {
                let message = "none, and ∇f grows faster than linearly; expected L where the processes go";
                return Err(Invalid::new("smoothness", message));
            }
        };
        let right = format!("a number above 0, at most the smoothness L = {}", shown(smoothness));
        let mu = checked("mu", self.mu, |mu| mu > 0.0 && mu <= smoothness, &right)?;
        let minimum = checked("minimum", self.minimum, |_| true, "a finite number")?;
        let known = Known { mu, smoothness, minimum, is_given: true };
        Extremes::over(&points(model), &**model.agents.objective(), minimum).admit(known)
    }
}

/// The flow of the drift, and points about it as far as flow and noise reach.
fn points(model: &Model) -> Vec<Vec<f64>> {
    let flow = model.observables(Vec::new()).flow;
    let distance = |x: &[f64]| norm(x.iter().zip(&flow[0]).map(|(x, start)| x - start));
    let mut coefficients = Coefficients::new(model.dimension());
    let mut variance = |x: &[f64]| {
        model.sde.coefficients(x, &mut coefficients);
        coefficients.diffusion.trace()
    };
    let horizon = model.run.learning_rate * model.run.steps as f64;
    let noise = (horizon * flow.iter().map(|x| variance(x)).fold(0.0, f64::max)).sqrt();
    let reach = noise + flow.iter().map(|x| distance(x)).fold(0.0, f64::max);
    let mut stream = Stream::new(0, Role::States, 0);
    let mut points = Vec::new();
    for centre in flow.iter().step_by(flow.len().div_ceil(POINTS_OF_FLOW)) {
        points.push(centre.clone());
        for _ in 0..POINTS_ABOUT {
            let direction: Vec<f64> = centre.iter().map(|_| stream.normal()).collect();
            let far = reach * FARTHEST * libm::pow(NEAREST / FARTHEST, stream.uniform());
            let factor = far / norm(direction.iter().copied());
            points.push(centre.iter().zip(&direction).map(|(c, step)| c + factor * step).collect());
        }
    }
    points
}

fn norm(entries: impl Iterator<Item = f64>) -> f64 {
    entries.fold(0.0, libm::hypot)
}

/// What the points admit at most or at least, each with the point that decides it.
struct Extremes<'a> {
    /// The least f.
    lowest: (f64, &'a [f64]),
    /// The least `‖∇f‖²/(2(f − f*))`.
    flattest: (f64, &'a [f64]),
    /// The largest `‖∇²f v‖/‖v‖` that was found.
    steepest: (f64, &'a [f64]),
}

impl<'a> Extremes<'a> {
    fn over(points: &'a [Vec<f64>], objective: &dyn Objective, minimum: f64) -> Self {
        let nowhere: &[f64] = &[];
        let mut extremes = Self {
            lowest: (f64::INFINITY, nowhere),
            flattest: (f64::INFINITY, nowhere),
            steepest: (0.0, nowhere),
        };
        let mut stream = Stream::new(1, Role::States, 0);
        for x in points {
            let value = objective.value(x);
            if value < extremes.lowest.0 {
                extremes.lowest = (value, x);
            }
            let mut gradient = vec![0.0; x.len()];
            objective.gradient(x, &mut gradient);
            let slope = norm(gradient.iter().copied());
            let height = value - minimum - ROUNDING * (value.abs() + minimum.abs());
            if height > 0.0 && slope * slope / (2.0 * height) < extremes.flattest.0 {
                extremes.flattest = (slope * slope / (2.0 * height), x);
            }
            let curvature = largest_curvature(objective, x, &mut stream);
            if curvature > extremes.steepest.0 {
                extremes.steepest = (curvature, x);
            }
        }
        extremes
    }

    /// What is known, unless a point contradicts it.
    fn admit(&self, known: Known) -> Result<Known, Invalid> {
        let Known { mu, smoothness, minimum, .. } = known;
        let (lowest, at) = self.lowest;
        if lowest < minimum - ROUNDING * (lowest.abs() + minimum.abs()) {
            let message = format!(
                "{}; expected at most {}, which is f at {}",
                shown(minimum),
                shown(lowest),
                point(at)
            );
            return Err(Invalid::new("minimum", message));
        }
        let (flattest, at) = self.flattest;
        if mu > flattest * (1.0 + SLACK) {
            let message = format!(
                "{}; expected at most {}: ‖∇f‖² ≥ 2μ(f − f*) fails at {}, unless the minimum f* is too low",
                shown(mu),
                four_digits(flattest * (1.0 - ROOM)),
                point(at)
            );
            return Err(Invalid::new("mu", message));
        }
        let (steepest, at) = self.steepest;
        if smoothness < steepest * (1.0 - SLACK) {
            let least = four_digits(steepest * (1.0 + ROOM));
            let message = format!(
                "{}; expected at least {least}: ∇f changes faster at {}",
                shown(smoothness),
                point(at)
            );
            return Err(Invalid::new("smoothness", message));
        }
        Ok(known)
    }
}

/// A lower bound of the largest curvature at x, by the power iteration from a random direction.
fn largest_curvature(objective: &dyn Objective, x: &[f64], stream: &mut Stream) -> f64 {
    let mut v: Vec<f64> = x.iter().map(|_| stream.normal()).collect();
    let mut product = vec![0.0; x.len()];
    let mut largest: f64 = 0.0;
    for _ in 0..POWER_STEPS {
        let length = norm(v.iter().copied());
        if length == 0.0 {
            break;
        }
        v.iter_mut().for_each(|entry| *entry /= length);
        objective.hessian_vector_product(x, &v, &mut product);
        largest = largest.max(norm(product.iter().copied()));
        v.copy_from_slice(&product);
    }
    largest
}

fn four_digits(value: f64) -> String {
    shown(format!("{value:.3e}").parse().unwrap_or(value))
}

fn point(x: &[f64]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<String> = x.iter().take(SHOWN).map(|x| four_digits(*x)).collect();
    format!("x = [{}{}]", shown.join(", "), if x.len() > SHOWN { ", …" } else { "" })
}
