//! Test functions g, whose expectations the two processes are compared by.

use super::{Directions, Paths};
use crate::objective::Objective;
use crate::simd::vectorized;
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;

/// Beyond this dimension only the diagonal and the first coordinate's products are observed.
const LARGEST_DIMENSION_WITH_ALL_PRODUCTS: usize = 32;

/// A test function of the state.
#[derive(Clone, Debug, PartialEq)]
pub enum TestFunction {
    /// `x[i]`.
    Coordinate(usize),
    /// `x[i]*x[j]`.
    Product(usize, usize),
    /// `(x[i]-c[i])*(x[j]-c[j])/η` about the flow c of the drift: what tests the diffusion.
    Fluctuation(usize, usize),
    /// `p[k] = u_kᵀ x`, u_k a random direction.
    Projection(usize),
    /// `(p[k]-q[k])*(p[l]-q[l])/η` with `q[k] = u_kᵀ c`: what tests the diffusion in large dimensions.
    ProjectedFluctuation(usize, usize),
    /// `‖x‖²`.
    SquaredNorm,
    /// `‖∇f(x)‖²`.
    SquaredGradient,
    /// `f(x)`.
    Loss,
    /// The indicator of having left the domain.
    Exit,
    /// A bounded function, whose moments exist whatever the noise.
    Bounded(BoundedFunction),
}

/// The pairs (i, j), i ≤ j, of which products are observed in dimension `d`: all, or for large d the
/// diagonal and those of the first coordinate.
pub fn observed_pairs(d: usize) -> Vec<(usize, usize)> {
    let all = d <= LARGEST_DIMENSION_WITH_ALL_PRODUCTS;
    (0..d).flat_map(|i| (i..if all || i == 0 { d } else { i + 1 }).map(move |j| (i, j))).collect()
}

/// Bounded test functions by their names in scenarios.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BoundedFunction {
    /// `tanh(x[i]/s)`: odd, sees where the path is.
    Tanh(Argument),
    /// `cos(x[i]/s)`: even, sees how wide the law is.
    Cos(Argument),
}

/// Which coordinate, and its scale.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Argument {
    /// i, the coordinate, from 0 on.
    pub coordinate: usize,
    /// s, from 1e-9 to 1e9.
    pub scale: f64,
}

impl BoundedFunction {
    /// Its name in scenarios.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tanh(_) => "tanh",
            Self::Cos(_) => "cos",
        }
    }

    /// Coordinate and scale.
    pub fn argument(&self) -> &Argument {
        match self {
            Self::Tanh(argument) | Self::Cos(argument) => argument,
        }
    }

    /// The function of the value `x` of its coordinate.
    pub fn value(&self, x: f64) -> f64 {
        match self {
            Self::Tanh(argument) => libm::tanh(x / argument.scale),
            Self::Cos(argument) => libm::cos(x / argument.scale),
        }
    }
}

impl TestFunction {
    /// Whether it is one of those that stand for all coordinates where these are too many.
    pub fn is_projected(&self) -> bool {
        match self {
            Self::Projection(_)
            | Self::ProjectedFluctuation(..)
            | Self::SquaredNorm
            | Self::SquaredGradient => true,
            Self::Coordinate(_)
            | Self::Product(..)
            | Self::Fluctuation(..)
            | Self::Loss
            | Self::Exit
            | Self::Bounded(_) => false,
        }
    }

    /// The power of ‖x‖ with which the function grows, given that of the loss.
    pub fn growth(&self, loss: u32) -> u32 {
        match self {
            Self::Exit | Self::Bounded(_) => 0,
            Self::Coordinate(_) | Self::Projection(_) => 1,
            Self::Product(..) | Self::Fluctuation(..) => 2,
            Self::ProjectedFluctuation(..) | Self::SquaredNorm => 2,
            // ∇f grows with one power less than f.
            Self::SquaredGradient => 2 * loss.saturating_sub(1),
            Self::Loss => loss,
        }
    }
}

impl fmt::Display for TestFunction {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Coordinate(i) => write!(f, "x[{i}]"),
            Self::Product(i, j) => write!(f, "x[{i}]*x[{j}]"),
            Self::Fluctuation(i, j) => write!(f, "(x[{i}]-c[{i}])*(x[{j}]-c[{j}])/η"),
            Self::Projection(k) => write!(f, "p[{k}]"),
            Self::ProjectedFluctuation(k, l) => write!(f, "(p[{k}]-q[{k}])*(p[{l}]-q[{l}])/η"),
            Self::SquaredNorm => f.write_str("|x|^2"),
            Self::SquaredGradient => f.write_str("|grad|^2"),
            Self::Loss => f.write_str("loss"),
            Self::Exit => f.write_str("exit"),
            Self::Bounded(BoundedFunction::Tanh(Argument { coordinate, scale })) => {
                write!(f, "tanh(x[{coordinate}]/{scale})")
            }
            Self::Bounded(BoundedFunction::Cos(Argument { coordinate, scale })) => {
                write!(f, "cos(x[{coordinate}]/{scale})")
            }
        }
    }
}

/// The test functions of a run, and what evaluating them takes.
pub struct Observables {
    /// In the order in which they are evaluated.
    pub functions: Vec<TestFunction>,
    /// c at the record times, t = 0 included.
    pub flow: Vec<Vec<f64>>,
    /// The record times, t = 0 included.
    pub record_times: Vec<f64>,
    /// η.
    pub eta: f64,
    /// f.
    pub objective: Arc<dyn Objective>,
    /// What functions of projections are projected by.
    pub projections: Option<Projections>,
}

/// Random directions, and the flow along them.
pub struct Projections {
    directions: Arc<Directions>,
    /// q at the record times, t = 0 included.
    flow: Vec<Vec<f64>>,
}

impl Projections {
    /// Along `directions`, of a flow c at the record times.
    pub fn new(directions: Arc<Directions>, flow: &[Vec<f64>]) -> Self {
        let projected = |c: &Vec<f64>| {
            let mut q = vec![0.0; directions.count()];
            directions.project(c, &mut q);
            q
        };
        let flow = flow.iter().map(projected).collect();
        Self { directions, flow }
    }
}

impl Observables {
    /// The functions observed in a large dimension, along K random directions.
    pub fn projected_functions(count: usize) -> Vec<TestFunction> {
        let projections = (0..count).map(TestFunction::Projection);
        let fluctuations =
            observed_pairs(count).into_iter().map(|(k, l)| TestFunction::ProjectedFluctuation(k, l));
        let sums = [TestFunction::SquaredNorm, TestFunction::SquaredGradient, TestFunction::Loss];
        projections.chain(fluctuations).chain(sums).collect()
    }

    /// The functions observed by default in dimension `d`: coordinates, products, fluctuations, loss.
    pub fn default_functions(d: usize) -> Vec<TestFunction> {
        let pairs = observed_pairs(d);
        let coordinates = (0..d).map(TestFunction::Coordinate);
        let products = pairs.iter().map(|&(i, j)| TestFunction::Product(i, j));
        let fluctuations = pairs.iter().map(|&(i, j)| TestFunction::Fluctuation(i, j));
        coordinates.chain(products).chain(fluctuations).chain([TestFunction::Loss]).collect()
    }

    /// Number of record times, t = 0 included.
    pub fn times(&self) -> usize {
        self.flow.len()
    }

    /// Every (function, time) but t = 0, as an index that runs over the times of one function after another.
    pub fn cells(&self) -> impl Iterator<Item = usize> {
        let times = self.times();
        (0..self.functions.len() * times).filter(move |index| index % times > 0)
    }

    /// The name of the function and the time of an index that runs over the times of one function after
    /// another.
    pub fn place(&self, index: usize) -> (String, f64) {
        let times = self.times();
        (self.functions[index / times].to_string(), self.record_times[index % times])
    }

    /// Calls `visit(index, values)` with the values of every function on all paths at record time `time`, in the order of the
    /// functions.
    pub(super) fn evaluate(&self, time: usize, paths: &Paths, mut visit: impl FnMut(usize, &[f64])) {
        let n = paths.count();
        let row = |i: usize| &paths.states()[i * n..][..n];
        let position = &paths.states()[..self.objective.dimension() * n];
        let c = &self.flow[time];
        let (projected, q) = match &self.projections {
            None => (Vec::new(), &[][..]),
            Some(Projections { directions, flow }) => {
                let mut projected = vec![0.0; directions.count() * n];
                directions.project(paths.states(), &mut projected);
                (projected, &*flow[time])
            }
        };
        let p = |k: usize| &projected[k * n..][..n];
        let mut values = vec![0.0; n];
        for (index, function) in self.functions.iter().enumerate() {
            match function {
                &TestFunction::Coordinate(i) => values.copy_from_slice(row(i)),
                &TestFunction::Product(i, j) => products(row(i), 0.0, row(j), 0.0, 1.0, &mut values),
                &TestFunction::Fluctuation(i, j) => {
                    products(row(i), c[i], row(j), c[j], self.eta, &mut values);
                }
                &TestFunction::Projection(k) => values.copy_from_slice(p(k)),
                &TestFunction::ProjectedFluctuation(k, l) => {
                    products(p(k), q[k], p(l), q[l], self.eta, &mut values);
                }
                TestFunction::SquaredNorm => squared_norms(position, &mut values),
                TestFunction::SquaredGradient => {
                    let mut gradients = vec![0.0; position.len()];
                    self.objective.gradient(position, &mut gradients);
                    squared_norms(&gradients, &mut values);
                }
                TestFunction::Loss => self.objective.values(position, &mut values),
                TestFunction::Exit => {
                    let exited = paths.exited().iter().map(|exited| f64::from(u8::from(*exited)));
                    values.iter_mut().zip(exited).for_each(|(value, exited)| *value = exited);
                }
                TestFunction::Bounded(function) => {
                    let x = row(function.argument().coordinate);
                    values.iter_mut().zip(x).for_each(|(value, x)| *value = function.value(*x));
                }
            }
            visit(index, &values);
        }
    }
}

vectorized! {
    /// `out = (x − a)(y − b)/eta`, path by path.
    fn products(x: &[f64], a: f64, y: &[f64], b: f64, eta: f64, out: &mut [f64]) {
        for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
            *out = (x - a) * (y - b) / eta;
        }
    }

    /// The sum of the squares of every column of x.
    fn squared_norms(x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for row in x.chunks_exact(out.len()) {
            for (sum, x) in out.iter_mut().zip(row) {
                *sum += x * x;
            }
        }
    }
}
