//! Perm-k: the agents keep disjoint blocks of k coordinates of one random permutation.

use super::Compressor;
use super::rand_k::RandK;
use crate::covariance::Covariance;
use crate::noise::GradientLaw;
use crate::parameter::Invalid;
use crate::random::Streams;
use schemars::JsonSchema;
use serde::Deserialize;

/// Agent i keeps the coordinates `π(ik), …, π(ik + k − 1)`, scaled by d/k = N (Szlendak, Tyurin and
/// Richtárik 2021). What one agent sends has the law of Rand-k; but what all send is not independent, so
/// that Theorem 1 with its 1/N does not apply.
struct PermK {
    of_one_agent: RandK,
}

impl Compressor for PermK {
    fn apply(&self, g: &mut [f64], streams: &mut Streams) {
        self.of_one_agent.apply(g, streams);
    }

    fn omega(&self) -> f64 {
        self.of_one_agent.omega()
    }

    fn rarest_outcome(&self, v: &[f64]) -> f64 {
        self.of_one_agent.rarest_outcome(v)
    }

    fn add_error_covariance(&self, weight: f64, g: &dyn GradientLaw, out: &mut Covariance) {
        self.of_one_agent.add_error_covariance(weight, g, out);
    }

    fn shared_block(&self) -> Option<usize> {
        Some(self.of_one_agent.k)
    }
}

/// Agent i keeps the i-th block of k coordinates of one permutation that all agents share, scaled by d/k;
/// every agent has this compressor, and d = kN.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// k, the coordinates that an agent keeps: d/N.
    k: usize,
}

impl Parameters {
    pub(super) fn build(&self, dimension: usize) -> Result<Box<dyn Compressor>, Invalid> {
        if !(1..=dimension).contains(&self.k) || !dimension.is_multiple_of(self.k) {
            return Err(Invalid::new(
                "k",
                format!("{}; expected a divisor of the dimension, {dimension}", self.k),
            ));
        }
        Ok(Box::new(PermK { of_one_agent: RandK::new(self.k, dimension) }))
    }
}
