//! Control variates from the linear shadow: of each test function, its own first and second Taylor terms.

use crate::ensemble::{BoundedFunction, Observables, TestFunction};

/// Where test functions are expanded: the path of the process without noise, at each record time.
pub type Centre = Vec<Vec<f64>>;

/// The Taylor terms of a test function at one record time: `L = ∇g(m)·z` and
/// `Q = ½ Σ_ij ∂²g(m)/∂x_i∂x_j v_ij`, as weights of the sums of a shadow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taylor {
    /// Of z_i, with its place among the sums.
    pub linear: Vec<(usize, f64)>,
    /// Of v_ij, with its place among the sums.
    pub quadratic: Vec<(usize, f64)>,
}

impl Taylor {
    /// L and Q, from the sums of a shadow at that time.
    pub fn terms(&self, shadow: &[f64]) -> [f64; 2] {
        let weighed = |weights: &[(usize, f64)]| -> f64 {
            weights.iter().map(|&(place, weight)| weight * shadow[place]).sum()
        };
        [weighed(&self.linear), weighed(&self.quadratic)]
    }

    /// Of every test function at every record time, function after function. `pairs` are those of the
    /// shadow.
    pub fn of_all(observables: &Observables, centre: &Centre, pairs: &[(usize, usize)]) -> Vec<Self> {
        let functions = observables.functions.iter();
        let of_function = |function| {
            centre.iter().enumerate().map(move |(time, m)| Self::of(observables, function, time, m, pairs))
        };
        functions.flat_map(of_function).collect()
    }

    fn of(
        observables: &Observables,
        function: &TestFunction,
        time: usize,
        m: &[f64],
        pairs: &[(usize, usize)],
    ) -> Self {
        let d = m.len();
        let place = |pair: (usize, usize)| pairs.iter().position(|&p| p == pair).map(|p| d + p);
        let product = |i: usize, j: usize, from: &[f64], scale: f64| Self {
            linear: vec![(i, (m[j] - from[j]) * scale), (j, (m[i] - from[i]) * scale)],
            quadratic: place((i, j)).map(|place| (place, scale)).into_iter().collect(),
        };
        match *function {
            TestFunction::Coordinate(i) => Self { linear: vec![(i, 1.0)], quadratic: Vec::new() },
            TestFunction::Product(i, j) => product(i, j, &vec![0.0; d], 1.0),
            TestFunction::Fluctuation(i, j) => product(i, j, &observables.flow[time], 1.0 / observables.eta),
            TestFunction::Loss => Self::of_loss(observables, m, pairs),
            TestFunction::Exit => Self::default(),
            TestFunction::Bounded(ref function) => {
                let i = function.argument().coordinate;
                let [first, second] = derivatives(function, m[i]);
                let quadratic = place((i, i)).map(|place| (place, 0.5 * second)).into_iter().collect();
                Self { linear: vec![(i, first)], quadratic }
            }
            ref projected => unreachable!("no path carries a shadow where {projected} is observed"),
        }
    }

    fn of_loss(observables: &Observables, m: &[f64], pairs: &[(usize, usize)]) -> Self {
        let d = m.len();
        let mut gradient = vec![0.0; d];
        observables.objective.gradient(m, &mut gradient);
        let hessian: Vec<Vec<f64>> = (0..d)
            .map(|i| {
                let mut unit = vec![0.0; d];
                unit[i] = 1.0;
                let mut row = vec![0.0; d];
                observables.objective.hessian_vector_product(m, &unit, &mut row);
                row
            })
            .collect();
        let weight = |(i, j): (usize, usize)| hessian[i][j] * if i == j { 0.5 } else { 1.0 };
        let quadratic = pairs.iter().enumerate().map(|(p, &pair)| (d + p, weight(pair)));
        Self {
            linear: gradient.into_iter().enumerate().collect(),
            quadratic: quadratic.filter(|&(_, weight)| weight != 0.0).collect(),
        }
    }
}

/// The first two derivatives of a bounded function.
fn derivatives(function: &BoundedFunction, x: f64) -> [f64; 2] {
    let s = function.argument().scale;
    let value = function.value(x);
    match function {
        BoundedFunction::Tanh(_) => {
            let slope = 1.0 - value * value;
            [slope / s, -2.0 * value * slope / (s * s)]
        }
        BoundedFunction::Cos(_) => [-libm::sin(x / s) / s, -value / (s * s)],
    }
}

/// The controls of every test function at every record time, with their coefficients, fitted on other paths
/// than they correct: then the expectation of what they correct stays as it is.
#[derive(Clone, Debug)]
pub struct Controls {
    taylor: Vec<Taylor>,
    coefficients: Vec<[f64; 2]>,
    times: usize,
}

impl Controls {
    /// `g − β₁ L − β₂ Q`, with `coefficients` β of every index into the moments.
    pub fn new(taylor: Vec<Taylor>, coefficients: Vec<[f64; 2]>, times: usize) -> Self {
        Self { taylor, coefficients, times }
    }

    /// The controlled means of a block, from the means of the test functions and those of the shadow, which
    /// stand time after time.
    pub(in crate::ensemble) fn apply(&self, means: &[f64], shadow: &[f64]) -> Vec<f64> {
        let sums = shadow.len() / self.times;
        let controlled = |(index, mean): (usize, &f64)| {
            let [linear, quadratic] = self.taylor[index].terms(&shadow[index % self.times * sums..][..sums]);
            let [of_linear, of_quadratic] = self.coefficients[index];
            mean - of_linear * linear - of_quadratic * quadratic
        };
        means.iter().enumerate().map(controlled).collect()
    }
}
