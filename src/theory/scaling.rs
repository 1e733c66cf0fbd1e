//! Scaling rules: changes of learning rate, batch size, compression rate and number of agents under which the
//! stationary loss of compressed SGD is that of uncompressed SGD before the change.

use schemars::JsonSchema;
use serde::Deserialize;

/// `η → κη, B → δB, ω → βω, N → αN`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// κ.
    pub learning_rate: f64,
    /// δ.
    pub batch_size: f64,
    /// β.
    pub compression: f64,
    /// α.
    pub agents: f64,
}

impl Change {
    /// None at all.
    pub const NONE: Self = Self { learning_rate: 1.0, batch_size: 1.0, compression: 1.0, agents: 1.0 };

    /// `κ(1 + βω)/(αδ)`: the floor of compressed SGD after the change over that of uncompressed SGD before it, at
    /// leading order in η; for compressors with `E‖Φ‖² = ω E‖g‖²`.
    pub fn dcsgd_floor_ratio(&self, omega: f64) -> f64 {
        let Self { learning_rate, batch_size, compression, agents } = self;
        learning_rate * (1.0 + compression * omega) / (agents * batch_size)
    }

    /// The same for the SDE on an isotropic quadratic of curvature L, exact in η: divided by
    /// `1 − κηLβω/(2αN)`.
    pub fn dcsgd_sde_floor_ratio(&self, omega: f64, eta: f64, curvature: f64, agents: f64) -> f64 {
        let Self { learning_rate, compression, agents: alpha, .. } = self;
        let correction = learning_rate * eta * curvature * compression * omega / (2.0 * alpha * agents);
        self.dcsgd_floor_ratio(omega) / (1.0 - correction)
    }

    /// The same for the algorithm on an isotropic quadratic of curvature L, exact in η:
    /// `κ(1 + βω)(1 − ηL/2) / (αδ(1 − κηL/2 − κηLβω/(2αN)))`.
    pub fn dcsgd_algorithm_floor_ratio(&self, omega: f64, eta: f64, curvature: f64, agents: f64) -> f64 {
        let Self { learning_rate, compression, agents: alpha, .. } = self;
        let half = eta * curvature / 2.0;
        let left = 1.0 - learning_rate * half * (1.0 + compression * omega / (alpha * agents));
        self.dcsgd_floor_ratio(omega) * (1.0 - half) / left
    }

    /// `κ/(α√δ)`: the floor of DSignSGD after the change over its own before, at leading order in η and with noise
    /// `(σ/√B) t_ν`.
    pub fn dsignsgd_floor_ratio(&self) -> f64 {
        self.learning_rate / (self.agents * self.batch_size.sqrt())
    }

    /// `1/(κ√δ)`: steps of DSignSGD after the change over those before it that lead equally far. Its drift is
    /// `−(ℓ_ν√B/σ)∇f` where gradients are small beside the noise, so that larger batches make it faster, as a larger η
    /// does; after so many steps a change with `κ = α√δ` has the law of the SDE before it, at rest or not.
    pub fn dsignsgd_steps_ratio(&self) -> f64 {
        1.0 / (self.learning_rate * self.batch_size.sqrt())
    }
}

/// Rules by name. Of the two free parameters of each, one is given and the other follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// `α = 1 + βω`: more compression, more agents.
    AgentsForCompression,
    /// `α = κ(1 + ω)`: a larger learning rate, more agents.
    AgentsForLearningRate,
    /// `α = (1 + ω)/δ`: smaller batches, more agents.
    AgentsForBatchSize,
    /// `κ = 1/(1 + βω)`: more compression, a smaller learning rate.
    LearningRateForCompression,
    /// `δ = 1 + βω`: more compression, larger batches.
    BatchSizeForCompression,
    /// `κ = δ/(1 + ω)`: larger batches, a larger learning rate.
    LearningRateForBatchSize,
    /// Row 3 of the table as printed, `α = (1 + ω)/(1 + βω)`, which lacks the δ that it speaks of.
    PrintedAgentsForBatchSize,
    /// Row 4 of the table as printed, `κ = (1 + ω)/(1 + βω)`: it preserves the floor of *compressed* SGD.
    PrintedLearningRateForCompression,
    /// `κ = α√δ` for DSignSGD, with α = 1: larger batches, a larger learning rate by their root.
    SignLearningRateForBatchSize,
    /// `κ = αδ` with α = 1: what holds for DSGD, and not for DSignSGD.
    SignLearningRateLikeBatchSize,
    /// `κ = α√δ` for DSignSGD, with κ = 1: smaller batches, more agents by their root.
    SignAgentsForBatchSize,
}

impl Rule {
    /// The change that follows from the `given` parameter of the rule, where it does not stand in the rule itself.
    pub fn change(self, omega: f64, given: f64) -> Change {
        let none = Change::NONE;
        match self {
            Self::AgentsForCompression => Change { compression: given, agents: 1.0 + given * omega, ..none },
            Self::AgentsForLearningRate => {
                Change { learning_rate: given, agents: given * (1.0 + omega), ..none }
            }
            Self::AgentsForBatchSize => Change { batch_size: given, agents: (1.0 + omega) / given, ..none },
            Self::LearningRateForCompression => {
                Change { compression: given, learning_rate: 1.0 / (1.0 + given * omega), ..none }
            }
            Self::BatchSizeForCompression => {
                Change { compression: given, batch_size: 1.0 + given * omega, ..none }
            }
            Self::LearningRateForBatchSize => {
                Change { batch_size: given, learning_rate: given / (1.0 + omega), ..none }
            }
            // β is 1 in it, so that α is.
            Self::PrintedAgentsForBatchSize => Change { batch_size: given, agents: 1.0, ..none },
            Self::PrintedLearningRateForCompression => {
                Change { compression: given, learning_rate: (1.0 + omega) / (1.0 + given * omega), ..none }
            }
            Self::SignLearningRateForBatchSize => {
                Change { batch_size: given, learning_rate: given.sqrt(), ..none }
            }
            Self::SignLearningRateLikeBatchSize => Change { batch_size: given, learning_rate: given, ..none },
            Self::SignAgentsForBatchSize => Change { batch_size: given, agents: 1.0 / given.sqrt(), ..none },
        }
    }

    /// Whether it is about DSignSGD, whose own floor it preserves, and not about DSGD and DCSGD.
    pub fn is_of_signs(self) -> bool {
        matches!(
            self,
            Self::SignLearningRateForBatchSize
                | Self::SignLearningRateLikeBatchSize
                | Self::SignAgentsForBatchSize
        )
    }

    /// Its formula, as the poster writes it.
    pub fn formula(self) -> &'static str {
        match self {
            Self::AgentsForCompression => "α = 1 + βω",
            Self::AgentsForLearningRate => "α = κ(1 + ω)",
            Self::AgentsForBatchSize => "α = (1 + ω)/δ",
            Self::LearningRateForCompression => "κ = 1/(1 + βω)",
            Self::BatchSizeForCompression => "δ = 1 + βω",
            Self::LearningRateForBatchSize => "κ = δ/(1 + ω)",
            Self::PrintedAgentsForBatchSize => "α = (1 + ω)/(1 + βω)",
            Self::PrintedLearningRateForCompression => "κ = (1 + ω)/(1 + βω)",
            Self::SignLearningRateForBatchSize | Self::SignAgentsForBatchSize => "κ/(α√δ) = 1",
            Self::SignLearningRateLikeBatchSize => "κ/(αδ) = 1",
        }
    }

    /// Whether the floor is preserved at leading order in η.
    pub fn holds(self) -> bool {
        !matches!(
            self,
            Self::PrintedAgentsForBatchSize
                | Self::PrintedLearningRateForCompression
                | Self::SignLearningRateLikeBatchSize
        )
    }
}
