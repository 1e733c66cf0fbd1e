//! No gradient noise: `g = v`.

use super::{Law, Noise, SignLaw};
use crate::covariance::Covariance;
use crate::objective::Objective;
use crate::parameter::Invalid;
use crate::random::Streams;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

struct Noiseless;

impl Noise for Noiseless {
    fn sample(&self, _x: &[f64], v: &[f64], _streams: &mut Streams, out: &mut [f64]) {
        out.copy_from_slice(v);
    }

    fn add_covariance(&self, _weight: f64, _x: &[f64], _v: &[f64], _out: &mut Covariance) {}

    fn takes_blocks(&self) -> bool {
        true
    }

    /// A sure sign, 0 where the gradient is 0.
    fn sign_law(&self, _x: &[f64], v: &[f64], out: &mut SignLaw) {
        for (mean, v) in out.mean.iter_mut().zip(v) {
            *mean = crate::special::sign(*v);
        }
        out.covariance.clear();
    }

    fn law(&self) -> Result<&dyn Law, &'static str> {
        Ok(self)
    }
}

impl Law for Noiseless {
    fn for_each_atom(&self, _x: &[f64], v: &[f64], visit: &mut dyn FnMut(f64, &[f64])) {
        visit(1.0, v);
    }

    fn is_discrete(&self) -> bool {
        true
    }
}

/// `g = ∇f_i(x)`: the gradient itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {}

impl Parameters {
    pub(super) fn build(
        &self,
        _objective: &Arc<dyn Objective>,
        _batch_size: usize,
    ) -> Result<Box<dyn Noise>, Invalid> {
        Ok(Box::new(Noiseless))
    }
}
