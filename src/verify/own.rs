//! What users write: an optimizer and an SDE, one path at a time.

use crate::agent::Scratch;
use crate::covariance::Covariance;
use crate::optimizer::{self, DeclaredIncrement, Increment};
use crate::random::{Stream, Streams};
use crate::sde::{self, Coefficients};

/// A discrete optimizer `x_{k+1} = step(x_k)` of your own. The state x holds all that it remembers from step to step.
pub trait Optimizer: Clone + Send + Sync + 'static {
    /// One update of the state in place. All randomness comes from `random`, which gives normals, t and uniforms, and is a
    /// generator for the laws of rand_distr.
    fn step(&self, x: &mut [f64], random: &mut Stream);

    /// `E[x_{k+1} − x_k | x_k = x]` and `Cov[x_{k+1} − x_k | x_k = x]`, where they are known; then linear shadows may save paths, and
    /// verdicts assume that these are right. None for all x unless given.
    fn moments(&self, _x: &[f64]) -> Option<Moments> {
        None
    }

    /// Moments of the state of any lower order are finite; ∞ unless given. With heavier tails fewer test functions can
    /// be compared.
    fn degrees_of_freedom(&self) -> f64 {
        f64::INFINITY
    }

    /// The probability of the rarest outcome of a step from x, such as a sign against the gradient; 1, for steps with a
    /// density, unless given. Intervals are not trusted before it was drawn often enough.
    fn rarest_outcome(&self, _x: &[f64]) -> f64 {
        1.0
    }
}

/// Mean and covariance of a step.
#[derive(Clone, Debug)]
pub struct Moments {
    /// d numbers.
    pub mean: Vec<f64>,
    /// `d × d`.
    pub covariance: Covariance,
}

/// An SDE `dX = b(X) dt + A(X)^{1/2} dW` of your own. One step of the optimizer takes the time η, so that A has a factor η where
/// the noise of a step is η times that of the gradient.
pub trait Sde: Clone + Send + Sync + 'static {
    /// `drift = b(x)`.
    fn drift(&self, x: &[f64], drift: &mut [f64]);

    /// `A(x) = d⟨X⟩/dt` into `diffusion`, which is 0 before.
    fn diffusion(&self, x: &[f64], diffusion: &mut Covariance);
}

/// An [`Optimizer`] as the harness takes it.
pub(super) struct OwnOptimizer<O> {
    pub optimizer: O,
    pub declares: bool,
}

impl<O: Optimizer> optimizer::Optimizer for OwnOptimizer<O> {
    fn step(&self, x: &mut [f64], streams: &mut Streams, _scratch: &mut Scratch) {
        each_column(x, streams, |column, random| self.optimizer.step(column, random));
    }

    fn degrees_of_freedom(&self, _of_noise: f64) -> f64 {
        self.optimizer.degrees_of_freedom()
    }

    fn rarest_outcome(&self, x: &[f64]) -> f64 {
        self.optimizer.rarest_outcome(x)
    }

    fn declared(&self) -> Option<&dyn DeclaredIncrement> {
        self.declares.then_some(self)
    }
}

impl<O: Optimizer> DeclaredIncrement for OwnOptimizer<O> {
    fn increment(&self, x: &[f64], out: &mut Increment) {
        match self.optimizer.moments(x) {
            Some(Moments { mean, covariance }) => (out.mean, out.covariance) = (mean, covariance),
            // Nothing is worse than what is declared here and not there.
            None => out.mean.fill(f64::NAN),
        }
    }
}

/// Lets `act` have the state of every path as a vector, with the stream of the path.
fn each_column(x: &mut [f64], streams: &mut Streams, mut act: impl FnMut(&mut [f64], &mut Stream)) {
    let n = streams.count();
    let mut column = vec![0.0; x.len() / n];
    streams.each(|path, stream| {
        crate::rows::read_column(x, n, path, &mut column);
        act(&mut column, stream);
        crate::rows::write_column(x, n, path, &column);
    });
}

/// An [`Sde`] as the harness takes it.
pub(super) struct OwnSde<S>(pub S);

impl<S: Sde> sde::Sde for OwnSde<S> {
    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        self.0.drift(x, &mut out.drift);
        out.diffusion.clear();
        self.0.diffusion(x, &mut out.diffusion);
    }
}
