//! Objectives f: one file each.

mod logistic;
#[cfg(feature = "neural")]
pub mod neural;
mod quadratic;
mod rosenbrock;
mod saddle;
mod unknown;

use crate::parameter::registry;
use std::path::Path;
use std::sync::Arc;

pub use logistic::Logistic;
pub use quadratic::Quadratic;
pub use rosenbrock::Rosenbrock;
pub use saddle::Saddle;
pub use unknown::Unknown;

/// Largest dimension that scenarios may ask for.
const LARGEST_DIMENSION: usize = 100_000;

/// A function `f: ℝ^d → ℝ` to be minimised.
pub trait Objective: Send + Sync {
    /// d.
    fn dimension(&self) -> usize;

    /// Whether anything is known of f but where it is defined.
    fn is_known(&self) -> bool {
        true
    }

    /// `out = f(x)` for each of n paths: x of shape `[d, n]`, `out` of shape `[n]`.
    fn values(&self, x: &[f64], out: &mut [f64]);

    /// `f(x)` of one x.
    fn value(&self, x: &[f64]) -> f64 {
        let mut value = [0.0];
        self.values(x, &mut value);
        value[0]
    }

    /// `out = ∇f(x)` for each of n paths, x and `out` of shape `[d, n]`; for n = 1 they are vectors.
    fn gradient(&self, x: &[f64], out: &mut [f64]);

    /// `out = ∇²f(x) v`.
    fn hessian_vector_product(&self, x: &[f64], v: &[f64], out: &mut [f64]);

    /// The smallest L with `‖∇f(x) − ∇f(y)‖ ≤ L‖x − y‖` everywhere; none where ∇f grows faster than
    /// linearly, so that moments under additive noise are ruled by explosions.
    fn smoothness(&self) -> Option<f64>;

    /// The largest μ with `‖∇f(x)‖² ≥ 2μ(f(x) − f*)` everywhere (Polyak–Łojasiewicz); none where there is none, or it
    /// is not known.
    fn pl_constant(&self) -> Option<f64> {
        None
    }

    /// f*, the least value; none where it is not known.
    fn minimum(&self) -> Option<f64> {
        None
    }

    /// The power of ‖x‖ with which f grows.
    fn growth(&self) -> u32;

    /// Roughly the operations, of about a nanosecond, that one gradient takes.
    fn operations(&self) -> f64 {
        4.0 * self.dimension() as f64
    }

    /// Whether the flow of −∇f may be followed to where it ends; not where f falls for ever, or nobody knows.
    fn comes_to_rest(&self) -> bool {
        true
    }

    /// The terms of f, where it is an average of terms that a minibatch can draw from.
    fn finite_sum(&self) -> Option<&dyn FiniteSum> {
        None
    }

    /// The point x* that `∇f(x) = H(x − x*)` is computed about, where f is a polynomial of degree 2; none elsewhere.
    fn centre(&self) -> Option<&[f64]> {
        None
    }

    /// Where runs start unless they say otherwise, of shape `[d]`; none where only the run can say.
    fn initial(&self) -> Option<Vec<f64>> {
        None
    }

    /// Whether f is a polynomial of degree 2, so that ∇f is affine and ∇²f constant.
    fn is_quadratic(&self) -> bool {
        self.centre().is_some()
    }

    /// `f_j(x)`, where `f(x) = Σ_j f_j(x_j)` is a sum of functions of one coordinate each; none elsewhere.
    fn separable_term(&self, _j: usize, _x: f64) -> Option<f64> {
        None
    }
}

/// An objective `f = (1/n) Σ_s f_s`.
pub trait FiniteSum {
    /// n.
    fn terms(&self) -> usize;

    /// `out += weight · ∇f_s(x)`.
    fn add_term_gradient(&self, s: usize, weight: f64, x: &[f64], out: &mut [f64]);
}

registry! {
    /// The objectives by their names in scenarios.
    ObjectiveParameters builds Arc<dyn Objective>, from () by build ():
    "quadratic" => Quadratic(quadratic::Parameters),
    "rosenbrock" => Rosenbrock(rosenbrock::Parameters),
    "saddle" => Saddle(saddle::Parameters),
    "logistic" => Logistic(logistic::Parameters),
    #[cfg(feature = "neural")]
    "mlp" => Mlp(neural::Mlp),
    #[cfg(feature = "neural")]
    "resnet" => ResNet(neural::ResNet),
    #[cfg(feature = "neural")]
    "vit" => Vit(neural::Vit),
    #[cfg(feature = "neural")]
    "gpt2" => Gpt2(neural::Gpt2),
}

/// Names of objectives that only the cargo feature `neural` brings.
pub(crate) const NEURAL: [&str; 4] = ["mlp", "resnet", "vit", "gpt2"];

impl ObjectiveParameters {
    /// Takes the paths of files with data as relative to this folder, that of the scenario.
    #[cfg_attr(not(feature = "neural"), expect(unused_variables, reason = "only networks have files"))]
    pub fn relative_to(&mut self, folder: &Path) {
        match self {
            Self::Quadratic(_) | Self::Rosenbrock(_) | Self::Saddle(_) | Self::Logistic(_) => {}
            #[cfg(feature = "neural")]
            Self::Mlp(parameters) => parameters.relative_to(folder),
            #[cfg(feature = "neural")]
            Self::ResNet(parameters) => parameters.relative_to(folder),
            #[cfg(feature = "neural")]
            Self::Vit(parameters) => parameters.relative_to(folder),
            #[cfg(feature = "neural")]
            Self::Gpt2(parameters) => parameters.relative_to(folder),
        }
    }

    /// The file with data of one's own, where one is named.
    pub fn data_file(&self) -> Option<&Path> {
        match self {
            Self::Quadratic(_) | Self::Rosenbrock(_) | Self::Saddle(_) | Self::Logistic(_) => None,
            #[cfg(feature = "neural")]
            Self::Mlp(parameters) => parameters.data_file(),
            #[cfg(feature = "neural")]
            Self::ResNet(parameters) => parameters.data_file(),
            #[cfg(feature = "neural")]
            Self::Vit(parameters) => parameters.data_file(),
            #[cfg(feature = "neural")]
            Self::Gpt2(parameters) => parameters.data_file(),
        }
    }
}
