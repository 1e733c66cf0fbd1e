//! Two compressors, one after the other: `C(g) = C₂(C₁(g))`.

use super::{Compressor, CompressorParameters, Knowledge};
use crate::covariance::Covariance;
use crate::noise::GradientLaw;
use crate::parameter::Invalid;
use crate::random::Streams;
use crate::special::Tail;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Unbiased, as both are.
struct Composition {
    first: Box<dyn Compressor>,
    second: Box<dyn Compressor>,
}

impl Compressor for Composition {
    fn apply(&self, g: &mut [f64], streams: &mut Streams) {
        self.first.apply(g, streams);
        self.second.apply(g, streams);
    }

    /// `(1 + ω₁)(1 + ω₂) − 1`, attained where C₂ attains ω₂ on all that C₁ sends; otherwise an upper bound.
    fn omega(&self) -> f64 {
        (1.0 + self.first.omega()) * (1.0 + self.second.omega()) - 1.0
    }

    /// The rarest outcomes of both at once.
    fn rarest_outcome(&self, v: &[f64]) -> f64 {
        let scale = 1.0 / self.first.keeps().unwrap_or(1.0);
        let sent: Vec<f64> = v.iter().map(|v| scale * v).collect();
        self.first.rarest_outcome(v) * self.second.rarest_outcome(&sent)
    }

    /// `E[Φ Φᵀ] = E[Φ₁ Φ₁ᵀ] + E[Φ₂ Φ₂ᵀ]`, Φ₂ the error of C₂ at `C₁(g)`: given that, it has mean 0.
    fn add_error_covariance(&self, weight: f64, g: &dyn GradientLaw, out: &mut Covariance) {
        let mut of_first = Covariance::zero(g.mean().len());
        self.first.add_error_covariance(1.0, g, &mut of_first);
        out.add(weight, &of_first);
        of_first.add(1.0, g.covariance());
        let sent = Sent { g, covariance: of_first, keeps: self.first.keeps() };
        self.second.add_error_covariance(weight, &sent, out);
    }

    fn needs(&self) -> Knowledge {
        self.first.needs().max(self.second.needs())
    }

    fn keeps(&self) -> Option<f64> {
        Some(self.first.keeps()? * self.second.keeps()?)
    }
}

/// The law of `C₁(g)`.
struct Sent<'a> {
    g: &'a dyn GradientLaw,
    /// `Σ + E[Φ₁ Φ₁ᵀ]`.
    covariance: Covariance,
    keeps: Option<f64>,
}

impl GradientLaw for Sent<'_> {
    fn mean(&self) -> &[f64] {
        self.g.mean()
    }

    fn covariance(&self) -> &Covariance {
        &self.covariance
    }

    fn is_discrete(&self) -> bool {
        self.keeps == Some(1.0) && self.g.is_discrete()
    }

    fn for_each_atom(&self, visit: &mut dyn FnMut(f64, &[f64])) {
        self.g.for_each_atom(visit);
    }

    /// With probability p it is g_j/p, and otherwise 0.
    fn tail(&self, j: usize, threshold: f64) -> Tail {
        let p = self.keeps.expect("refused when the composition was built");
        p * self.g.tail(j, p * threshold).scaled(1.0 / p)
    }
}

/// `C(g) = C₂(C₁(g))`; `first` and `second` are compressors such as `{ natural = {} }`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// C₁, a compressor such as `{ natural = {} }`.
    // The schema would have no end.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    first: Box<CompressorParameters>,
    /// C₂, applied to what C₁ sends.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    second: Box<CompressorParameters>,
}

impl Parameters {
    pub(super) fn build(&self, dimension: usize) -> Result<Box<dyn Compressor>, Invalid> {
        let first = self.first.build(dimension).map_err(|invalid| invalid.under("first"))?;
        let second = self.second.build(dimension).map_err(|invalid| invalid.under("second"))?;
        for (key, compressor) in [("first", &first), ("second", &second)] {
            if compressor.shared_block().is_some() {
                let message =
                    "perm_k, which belongs to all agents together; expected a compressor of one agent";
                return Err(Invalid::new(key, message));
            }
        }
        let known = match first.keeps() {
            Some(1.0) => Knowledge::Atoms,
            Some(_) => Knowledge::Marginals,
            None => Knowledge::Moments,
        };
        if second.needs() > known {
            return Err(Invalid::new(
                "second",
                "its error covariance needs the law of what `first` sends, of which only the moments are known (and \
                 the law of each coordinate after rand_k and bernoulli); expected a linear one, rand_k or bernoulli, \
                 as `second`, or natural after one of them",
            ));
        }
        Ok(Box::new(Composition { first, second }))
    }
}
