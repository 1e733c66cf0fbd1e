//! Gradient noises: one file each.

mod batch_mean_t;
mod contaminated;
mod elliptical;
mod gaussian;
mod law;
mod minibatch;
mod multivariate_t;
mod none;
mod proportional;
mod student_t;

use crate::covariance::Covariance;
use crate::objective::Objective;
use crate::parameter::registry;
use crate::random::Streams;
use crate::special::twice_xi;
use std::sync::Arc;

pub use law::{GradientLaw, Law, StochasticGradient, TwoMoments};

/// Of the values of `special::xi`: what it states, with a margin of ten for the rounding of its argument.
const XI_ERROR: f64 = 1e-12;

/// The law of a stochastic gradient `g(x)` of mean v, already averaged over its batch.
pub trait Noise: Send + Sync {
    /// `out = g(x)` for the mean `v = ∇f_i(x)`, for each of n paths: x, v and `out` of shape `[d, n]`, drawn from n streams.
    fn sample(&self, x: &[f64], v: &[f64], streams: &mut Streams, out: &mut [f64]);

    /// `out += weight · Σ(x)`, the covariance of g(x). Infinite entries where it does not exist.
    fn add_covariance(&self, weight: f64, x: &[f64], v: &[f64], out: &mut Covariance);

    /// Whether [`Noise::add_covariance`] and [`Noise::sign_law`] take the states of n paths at once, x, v and `out` of shape
    /// `[d, n]`; otherwise they take one.
    fn takes_blocks(&self) -> bool {
        false
    }

    /// The law of `sign g(x)`, as the SDE of DSignSGD needs it.
    fn sign_law(&self, x: &[f64], v: &[f64], out: &mut SignLaw);

    /// A bound of the error of the probabilities of signs in [`Noise::sign_law`].
    fn sign_error(&self) -> f64 {
        XI_ERROR
    }

    /// Why [`Noise::sign_law`] cannot be had, where it cannot.
    fn sign_law_refusal(&self) -> Option<&'static str> {
        None
    }

    /// Roughly the operations, of about a nanosecond, that a draw or its law takes in dimension `d`.
    fn operations(&self, dimension: usize) -> f64 {
        20.0 * dimension as f64
    }

    /// The law of g beyond its moments, which compressors that are not linear need; an error that says why
    /// where it cannot be had.
    fn law(&self) -> Result<&dyn Law, &'static str>;

    /// Moments of g of any lower order are finite; ∞ where all are.
    fn degrees_of_freedom(&self) -> f64 {
        f64::INFINITY
    }

    /// S and ν where the closed form of Theorem 2 takes the noise for `S t_ν` with diagonal S and independent
    /// coordinates (ν = ∞ for the Gaussian). It need not be: coordinates may depend on each other, and a mean
    /// of B samples is not `(σ/√B) t_ν`.
    fn scaled_student_t(&self) -> Option<(&[f64], f64)> {
        None
    }

    /// Whether the coordinates of g(x) − v are independent of each other, of x and of v, and without
    /// atoms, so that every sign is one of two and depends on its own v_j alone.
    fn has_independent_coordinates(&self) -> bool {
        let is_independent = |law: &dyn Law| law.is_independent() && !law.is_discrete();
        self.relative_variance() == 0.0 && self.law().is_ok_and(is_independent)
    }

    /// Whether g(x) is v plus a noise that any v can have, so that agents may have gradients of their own.
    fn is_additive(&self) -> bool {
        true
    }

    /// The factor r in `E‖g − v‖² = r‖v‖² + …` where the noise grows with the gradient. It multiplies the
    /// state as compression does, so that high moments may not exist.
    fn relative_variance(&self) -> f64 {
        0.0
    }
}

/// `E[sign g]` and `Cov[sign g]`.
#[derive(Clone, Debug)]
pub struct SignLaw {
    /// `P[g_j > 0] − P[g_j < 0]`.
    pub mean: Vec<f64>,
    /// `Cov[sign g]`.
    pub covariance: Covariance,
}

impl SignLaw {
    /// The law of a gradient of dimension `d` whose sign is 0.
    pub fn zero(dimension: usize) -> Self {
        Self { mean: vec![0.0; dimension], covariance: Covariance::zero(dimension) }
    }

    /// The probability of the rarest sign of any coordinate that has two; 1 where all are sure.
    pub fn rarest_outcome(&self) -> f64 {
        let rarer =
            self.mean.iter().map(|mean| 0.5 * (1.0 - mean.abs())).filter(|&probability| probability > 0.0);
        rarer.fold(1.0, f64::min)
    }

    /// Room for n paths.
    pub(crate) fn resize(&mut self, paths: usize) {
        self.mean.resize(self.covariance.dimension() * paths, 0.0);
        self.covariance.resize(paths);
    }

    /// Independent coordinates without atoms at 0, of which `mean` has the means: variances `1 − E[sign g_j]²`.
    fn set_variances(&mut self) {
        self.covariance.clear();
        self.covariance.add_variances(std::iter::repeat_n(1.0, self.covariance.dimension()));
        self.covariance.add_squares(-1.0, &self.mean);
    }

    /// Coordinates `v_j + scale_j t_ν`, independent: means `2Ξ_ν(v_j/scale_j)`.
    fn set_student_t(&mut self, v: &[f64], scale: &[f64], dof: f64) {
        twice_xi(v, scale, dof, &mut self.mean);
        self.set_variances();
    }
}

registry! {
    /// The noises by their names in scenarios.
    NoiseParameters builds Box<dyn Noise>, from (objective: &Arc<dyn Objective>, batch_size: usize) by build (objective, batch_size):
    "gaussian" => Gaussian(gaussian::Parameters),
    "student_t" => StudentT(student_t::Parameters),
    "multivariate_t" => MultivariateT(multivariate_t::Parameters),
    "batch_mean_t" => BatchMeanT(batch_mean_t::Parameters),
    "contaminated" => Contaminated(contaminated::Parameters),
    "proportional" => Proportional(proportional::Parameters),
    "none" => None(none::Parameters),
    "minibatch" => Minibatch(minibatch::Parameters),
}
