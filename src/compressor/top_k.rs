//! Top-k, which is refused: it is biased.

use super::Compressor;
use crate::parameter::Invalid;
use schemars::JsonSchema;
use serde::Deserialize;

/// Refused: top-k keeps the k largest coordinates and is biased, which Theorem 1 does not allow.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The number of coordinates.
    k: usize,
}

impl Parameters {
    pub(super) fn build(&self, dimension: usize) -> Result<Box<dyn Compressor>, Invalid> {
        Err(Invalid::new(
            "",
            format!(
                "keeps the {} largest of {dimension} coordinates and is biased, E C(g) ≠ g, so that Theorem 1 does not \
                 apply: its drift would not be −∇f; expected an unbiased compressor, such as rand_k = {{ k = {} }}",
                self.k, self.k
            ),
        ))
    }
}
