//! Wrong optimizers.

use super::compressor::{Mistake, Wrong};
use super::step::{Shared, SharedDraws, SignOfMean};
use super::{Misfit, agents, mistakes};
use crate::agent::{Agents, Group, Scratch};
use crate::covariance::Covariance;
use crate::model::Model;
use crate::optimizer::{DeclaredIncrement, Optimizer, Rule};
use crate::random::Streams;
use std::sync::Arc;

mistakes! {
    /// A mistake in the optimizer, which the SDE does not make.
    OptimizerMutant {
        SumForMean = "sum_for_mean": "`x ← x − η Σ_i …` without 1/N; every optimizer.",
        LearningRateOfNeighbour = "learning_rate_of_neighbour": "2η in place of η, as of the neighbour in a sweep; every optimizer.",
        StepTooMany = "step_too_many": "One step before the first, so that x_{k+1} is taken for x_k; every optimizer.",
        NoiseLost = "noise_lost": "∇f_i in place of g_i; every optimizer.",
        BatchSizeLost = "batch_size_lost": "One sample in place of a batch of B; every optimizer.",
        ScaleAsStandardDeviation = "scale_as_standard_deviation": "Noise drawn with standard deviation S where S is the scale of t_ν; every optimizer.",
        NoiseShared = "noise_shared": "The noise of one agent for all: every agent draws the same random numbers; every optimizer.",
        MasksShared = "masks_shared": "One mask for all agents: every compressor draws the same random numbers; dcsgd only.",
        CompressionLost = "compression_lost": "g_i in place of C_i(g_i); dcsgd only.",
        Unscaled = "unscaled": "What a compressor keeps is not scaled: Rand-k without d/k, Bernoulli without 1/p; dcsgd only.",
        WithReplacement = "with_replacement": "Rand-k with replacement; dcsgd only.",
        EachForItself = "each_for_itself": "Each coordinate kept with probability k/d, in place of k of d (Bernoulli for Rand-k); dcsgd only.",
        OwnPermutations = "own_permutations": "Perm-k with a permutation for each agent; dcsgd only.",
        SignOfMean = "sign_of_mean": "The sign of the mean gradient in place of the mean of the signs; dsignsgd only.",
    }
}

fn belongs_to(mutant: OptimizerMutant) -> Option<(Rule, &'static str)> {
    use OptimizerMutant as M;
    match mutant {
        M::MasksShared
        | M::CompressionLost
        | M::Unscaled
        | M::WithReplacement
        | M::EachForItself
        | M::OwnPermutations => Some((Rule::Dcsgd, "dcsgd")),
        M::SignOfMean => Some((Rule::Dsignsgd, "dsignsgd")),
        _ => None,
    }
}

impl OptimizerMutant {
    /// The model with the mistake in its optimizer. Everything else, declared moments and exact expectations
    /// included, is that of the right one.
    pub fn spoil(self, model: &Model) -> Result<Model, Misfit> {
        if let Some((needed, name)) = belongs_to(self)
            && Some(needed) != model.rule()
        {
            return Misfit::inapplicable(format!("this mistake is one in {name}"));
        }
        let wrong = self.wrong(model)?;
        let original = Arc::clone(&model.optimizer);
        Ok(Model { optimizer: Arc::new(Declaring { wrong, original }), ..model.clone() })
    }

    fn wrong(self, model: &Model) -> Result<Box<dyn Optimizer>, Misfit> {
        let Model { agents, .. } = model;
        let Some(rule) = model.rule() else {
            return Misfit::inapplicable("this mistake is one in the optimizers of the poster");
        };
        let eta = model.run.learning_rate;
        let n = agents.count();
        let with = |agents: Arc<Agents>| rule.build(agents, eta);
        let shared = |shared: Shared| -> Box<dyn Optimizer> {
            Box::new(SharedDraws { agents: Arc::clone(agents), rule, learning_rate: eta, shared })
        };
        let is_alone = n == 1;
        Ok(match self {
            Self::SumForMean | Self::NoiseShared | Self::MasksShared | Self::SignOfMean if is_alone => {
                return Misfit::equivalent("N = 1");
            }
            Self::SumForMean => rule.build(Arc::clone(agents), n as f64 * eta),
            Self::LearningRateOfNeighbour => rule.build(Arc::clone(agents), 2.0 * eta),
            Self::StepTooMany => Box::new(StepTooMany { original: Arc::clone(&model.optimizer) }),
            Self::NoiseLost | Self::NoiseShared if is_noise_free(model) => {
                return Misfit::equivalent("there is no noise");
            }
            Self::NoiseLost => with(agents::without_noise(agents)?),
            Self::BatchSizeLost => with(agents::without_batches(agents)?),
            Self::ScaleAsStandardDeviation => with(agents::of_unit_deviation(agents)?),
            Self::NoiseShared => shared(Shared::Noise),
            Self::MasksShared if agents.shared_block().is_some() => {
                return Misfit::inapplicable("the agents of perm_k share their permutation");
            }
            Self::MasksShared if all(agents, |group| group.compressor.omega() == 0.0) => {
                return Misfit::equivalent("nothing is compressed");
            }
            Self::MasksShared => shared(Shared::Masks),
            Self::SignOfMean => Box::new(SignOfMean { agents: Arc::clone(agents), learning_rate: eta }),
            Self::CompressionLost
            | Self::Unscaled
            | Self::WithReplacement
            | Self::EachForItself
            | Self::OwnPermutations => with(self.compressing(agents)?),
        })
    }

    /// The agents with the mistake in their compressors.
    fn compressing(self, agents: &Agents) -> Result<Arc<Agents>, Misfit> {
        if all(agents, |group| group.compressor.omega() == 0.0) {
            return Misfit::equivalent("nothing is compressed");
        }
        if self == Self::OwnPermutations && agents.shared_block().is_none() {
            return Misfit::inapplicable("no compressor is perm_k");
        }
        let d = agents.dimension() as f64;
        let mistake = |group: &Group| {
            let compressor = &group.compressor;
            match self {
                Self::Unscaled => compressor.keeps().map(|kept| Mistake::Unscaled { kept }),
                Self::WithReplacement => compressor.keeps_exactly().map(|k| Mistake::WithReplacement { k }),
                Self::EachForItself => {
                    compressor.keeps_exactly().map(|k| Mistake::EachForItself { kept: k as f64 / d })
                }
                Self::OwnPermutations => Some(Mistake::OfOneAgent),
                _ => Some(Mistake::Nothing),
            }
        };
        if all(agents, |group| mistake(group).is_none()) {
            return Misfit::inapplicable(match self {
                Self::Unscaled => "no compressor keeps coordinates and scales them",
                _ => "no compressor is rand_k",
            });
        }
        let one_is_kept = |group: &Group| group.compressor.keeps_exactly().is_none_or(|k| k == 1);
        if self == Self::WithReplacement && all(agents, one_is_kept) {
            return Misfit::equivalent("k = 1");
        }
        agents::changed(agents, |group| {
            if let Some(mistake) = mistake(group) {
                group.compressor = Arc::new(Wrong { original: Arc::clone(&group.compressor), mistake });
            }
            Ok(())
        })
    }
}

fn all(agents: &Agents, test: impl Fn(&Group) -> bool) -> bool {
    agents.groups().iter().all(test)
}

/// Whether the gradients are sure at the start.
fn is_noise_free(model: &Model) -> bool {
    let start = &model.run.start;
    let mut sigma = Covariance::zero(start.len());
    model.agents.for_each_group(start, &mut Scratch::default(), |share, group, mean_gradient| {
        group.noise.add_covariance(share, start, mean_gradient, &mut sigma);
    });
    sigma.trace() == 0.0
}

/// Does one thing and declares the moments of another.
struct Declaring {
    wrong: Box<dyn Optimizer>,
    original: Arc<dyn Optimizer>,
}

impl Optimizer for Declaring {
    fn begin(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        self.wrong.begin(x, streams, scratch);
    }

    fn step(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        self.wrong.step(x, streams, scratch);
    }

    fn degrees_of_freedom(&self, of_noise: f64) -> f64 {
        self.original.degrees_of_freedom(of_noise)
    }

    fn declared(&self) -> Option<&dyn DeclaredIncrement> {
        self.original.declared()
    }
}

/// Every step is right, but the first comes too early.
struct StepTooMany {
    original: Arc<dyn Optimizer>,
}

impl Optimizer for StepTooMany {
    fn begin(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        self.original.step(x, streams, scratch);
    }

    fn step(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        self.original.step(x, streams, scratch);
    }
}
