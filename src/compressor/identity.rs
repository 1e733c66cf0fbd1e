//! No compression: `C(g) = g`, ω = 0.

use super::Compressor;
use crate::covariance::Covariance;
use crate::noise::GradientLaw;
use crate::parameter::Invalid;
use crate::random::Streams;
use schemars::JsonSchema;
use serde::Deserialize;

/// `C(g) = g`.
pub struct Identity;

impl Compressor for Identity {
    fn apply(&self, _g: &mut [f64], _streams: &mut Streams) {}

    fn omega(&self) -> f64 {
        0.0
    }

    fn rarest_outcome(&self, _v: &[f64]) -> f64 {
        1.0
    }

    fn add_error_covariance(&self, _weight: f64, _g: &dyn GradientLaw, _out: &mut Covariance) {}

    fn takes_blocks(&self) -> bool {
        true
    }

    fn keeps(&self) -> Option<f64> {
        Some(1.0)
    }
}

/// `C(g) = g`: nothing is compressed, ω = 0.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {}

impl Parameters {
    pub(super) fn build(&self, _dimension: usize) -> Result<Box<dyn Compressor>, Invalid> {
        Ok(Box::new(Identity))
    }
}
