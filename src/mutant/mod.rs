//! Deliberate mistakes, at least one for each factor of each formula: wrong SDEs for a right optimizer, and wrong
//! optimizers for a right SDE. The harness has to tell each from the right one.

mod agents;
mod compressor;
mod identical;
mod noise;
mod optimizer;
mod sde;
mod sign_sde;
mod step;
mod stratonovich;

use crate::model::Model;

pub use optimizer::OptimizerMutant;
pub use sde::SdeMutant;

/// Why there is no mutant to speak of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The mistake cannot be made here.
    #[error("{0}; expected a mistake that can be made here, see itocheck list mutants")]
    Inapplicable(String),
    /// It is none here.
    #[error("changes nothing for these agents ({0}); expected a mistake that does")]
    Equivalent(String),
}

impl Misfit {
    fn inapplicable<T>(reason: impl Into<String>) -> Result<T, Self> {
        Err(Self::Inapplicable(reason.into()))
    }

    fn equivalent<T>(reason: impl Into<String>) -> Result<T, Self> {
        Err(Self::Equivalent(reason.into()))
    }
}

/// Mistakes by their names, each with the formula that it gets wrong.
macro_rules! mistakes {
    ($(#[$meta:meta])* $family:ident { $($variant:ident = $name:literal: $about:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
        pub enum $family {
            $(
                #[doc = $about]
                #[serde(rename = $name)]
                #[schemars(rename = $name)]
                $variant,
            )+
        }

        impl $family {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// As scenarios and reports write it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What is wrong.
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => $about,)+
                }
            }
        }
    };
}
use mistakes;

/// A mistake in one of the two that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// In the SDE.
    Sde(SdeMutant),
    /// In the optimizer.
    Optimizer(OptimizerMutant),
}

impl Mutant {
    /// The whole catalogue, in its order.
    pub fn all() -> Vec<Self> {
        let sdes = SdeMutant::ALL.iter().copied().map(Self::Sde);
        sdes.chain(OptimizerMutant::ALL.iter().copied().map(Self::Optimizer)).collect()
    }

    /// What is wrong: `sde` or `optimizer`.
    pub fn side(self) -> &'static str {
        match self {
            Self::Sde(_) => "sde",
            Self::Optimizer(_) => "optimizer",
        }
    }

    /// Its name, unique on its side.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sde(mutant) => mutant.name(),
            Self::Optimizer(mutant) => mutant.name(),
        }
    }

    /// What is wrong, in a formula.
    pub fn about(self) -> &'static str {
        match self {
            Self::Sde(mutant) => mutant.about(),
            Self::Optimizer(mutant) => mutant.about(),
        }
    }

    /// Whether every single step is right, so that only whole paths tell.
    pub fn has_right_steps(self) -> bool {
        self == Self::Optimizer(OptimizerMutant::StepTooMany)
    }

    /// The model with the mistake. A wrong optimizer keeps the declared moments of the right one.
    pub fn spoil(self, model: &Model) -> Result<Model, Misfit> {
        match self {
            Self::Sde(mutant) => mutant.spoil(model),
            Self::Optimizer(mutant) => mutant.spoil(model),
        }
    }
}
