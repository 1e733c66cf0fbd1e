//! Noise whose deviations are too small or too large.

use crate::covariance::Covariance;
use crate::noise::{Law, Noise, SignLaw};
use crate::random::Streams;
use std::sync::Arc;

/// `g = v + factor · (noise)`, of a noise that is added to v and does not depend on it. A factor of 0 is no noise.
pub(super) struct Stretched {
    noise: Arc<dyn Noise>,
    factor: f64,
    scaled_student_t: Option<(Vec<f64>, f64)>,
}

impl Stretched {
    pub fn new(noise: &Arc<dyn Noise>, factor: f64) -> Self {
        let stretched =
            |(scale, dof): (&[f64], f64)| (scale.iter().map(|scale| factor * scale).collect(), dof);
        let scaled_student_t = noise.scaled_student_t().map(stretched);
        Self { noise: Arc::clone(noise), factor, scaled_student_t }
    }
}

impl Noise for Stretched {
    fn sample(&self, x: &[f64], v: &[f64], streams: &mut Streams, out: &mut [f64]) {
        self.noise.sample(x, v, streams, out);
        for (out, v) in out.iter_mut().zip(v) {
            *out = v + self.factor * (*out - v);
        }
    }

    fn add_covariance(&self, weight: f64, x: &[f64], v: &[f64], out: &mut Covariance) {
        self.noise.add_covariance(weight * self.factor * self.factor, x, v, out);
    }

    /// `sign(v + factor·ξ) = sign(v/factor + ξ)`.
    fn sign_law(&self, x: &[f64], v: &[f64], out: &mut SignLaw) {
        let v: Vec<f64> = v.iter().map(|v| v / self.factor).collect();
        self.noise.sign_law(x, &v, out);
    }

    fn law(&self) -> Result<&dyn Law, &'static str> {
        Err("the law of stretched noise is not computed")
    }

    fn degrees_of_freedom(&self) -> f64 {
        self.noise.degrees_of_freedom()
    }

    fn scaled_student_t(&self) -> Option<(&[f64], f64)> {
        self.scaled_student_t.as_ref().map(|(scale, dof)| (&scale[..], *dof))
    }
}
