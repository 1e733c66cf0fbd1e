//! The law of a stochastic gradient beyond its two moments, for compressors that are not linear.

use super::Noise;
use crate::covariance::Covariance;
use crate::special::{Tail, student_t_tail};

/// The law of g(x) for a noise: its atoms where it is discrete, otherwise its coordinates.
pub trait Law {
    /// Whether g(x) has finitely many values.
    fn is_discrete(&self) -> bool {
        false
    }

    /// Calls `visit(probability, g)` for every value of g(x) where it is discrete.
    fn for_each_atom(&self, _x: &[f64], _v: &[f64], _visit: &mut dyn FnMut(f64, &[f64])) {
        unreachable!("only of a discrete law");
    }

    /// Whether the coordinates of g(x) are independent.
    fn is_independent(&self) -> bool {
        false
    }

    /// Whether g(x) is Gaussian.
    fn is_gaussian(&self) -> bool {
        false
    }

    /// Of `|g_j|` beyond a threshold of at least 0; the density of a discrete law is 0.
    fn tail(&self, x: &[f64], v: &[f64], j: usize, threshold: f64) -> Tail {
        let mut sum = Tail::default();
        self.for_each_atom(x, v, &mut |probability, g| sum = sum + probability * sure_tail(g[j], threshold));
        sum
    }
}

/// What a compressor may know of the gradient that it is applied to.
pub trait GradientLaw {
    /// v.
    fn mean(&self) -> &[f64];

    /// Σ.
    fn covariance(&self) -> &Covariance;

    /// As [`Law::is_discrete`].
    fn is_discrete(&self) -> bool;

    /// As [`Law::for_each_atom`].
    fn for_each_atom(&self, visit: &mut dyn FnMut(f64, &[f64]));

    /// As [`Law::tail`].
    fn tail(&self, j: usize, threshold: f64) -> Tail;
}

/// The stochastic gradient of an agent at x.
pub struct StochasticGradient<'a> {
    /// x.
    pub x: &'a [f64],
    /// `v = ∇f_i(x)`.
    pub mean: &'a [f64],
    /// Σ_i(x).
    pub covariance: &'a Covariance,
    /// The noise.
    pub noise: &'a dyn Noise,
}

impl StochasticGradient<'_> {
    fn law(&self) -> &dyn Law {
        self.noise.law().expect("an SDE whose compressor needs the law is not made without it")
    }
}

impl GradientLaw for StochasticGradient<'_> {
    fn mean(&self) -> &[f64] {
        self.mean
    }

    fn covariance(&self) -> &Covariance {
        self.covariance
    }

    fn is_discrete(&self) -> bool {
        self.law().is_discrete()
    }

    fn for_each_atom(&self, visit: &mut dyn FnMut(f64, &[f64])) {
        self.law().for_each_atom(self.x, self.mean, visit);
    }

    fn tail(&self, j: usize, threshold: f64) -> Tail {
        self.law().tail(self.x, self.mean, j, threshold)
    }
}

/// A gradient of which two moments are known, for compressors that need no more.
pub struct TwoMoments<'a> {
    /// v.
    pub mean: &'a [f64],
    /// Σ.
    pub covariance: &'a Covariance,
}

impl GradientLaw for TwoMoments<'_> {
    fn mean(&self) -> &[f64] {
        self.mean
    }

    fn covariance(&self) -> &Covariance {
        self.covariance
    }

    fn is_discrete(&self) -> bool {
        false
    }

    fn for_each_atom(&self, _visit: &mut dyn FnMut(f64, &[f64])) {
        unreachable!("only of a discrete law");
    }

    fn tail(&self, _j: usize, _threshold: f64) -> Tail {
        unreachable!("only for compressors that need more than two moments");
    }
}

/// Of `|v|` where there is no noise.
pub(super) fn sure_tail(v: f64, threshold: f64) -> Tail {
    let excess = v.abs() - threshold;
    if excess > 0.0 {
        Tail { density: 0.0, probability: 1.0, excess, square: excess * excess }
    } else {
        Tail::default()
    }
}

/// Of `|v + scale · t_ν|` beyond a threshold of at least 0.
pub(super) fn scaled_tail(v: f64, scale: f64, threshold: f64, dof: f64) -> Tail {
    let above = student_t_tail((threshold - v) / scale, dof);
    let below = student_t_tail((threshold + v) / scale, dof);
    (above + below).scaled(scale)
}
