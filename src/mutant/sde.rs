//! Wrong SDEs.

use super::compressor::{Mistake, Wrong};
use super::identical::are_identical;
use super::sign_sde::{GaussianXi, TowardsIdentity};
use super::stratonovich::Stratonovich;
use super::{Misfit, agents, mistakes};
use crate::agent::Agents;
use crate::compressor::Knowledge;
use crate::model::Model;
use crate::optimizer::Rule;
use crate::sde::{Coefficients, DcsgdSde, DsgdSde, Form, Sde, derive};
use std::sync::Arc;

mistakes! {
    /// A mistake in the SDE, by its name in scenarios.
    SdeMutant {
        NoCompressionNoise = "no_compression_noise": "Theorem 1 without `E[ΦΦᵀ]`, the noise of the compressors; dcsgd only.",
        EtaForSqrtEta = "eta_for_sqrt_eta": "η in place of √η before the diffusion; every optimizer.",
        AgentsLost = "agents_lost": "The 1/N of the diffusion covariance lost; every optimizer.",
        GaussianXi = "gaussian_xi": "Theorem 2 with ν = ∞ in Ξ, that of Gaussian noise of the same scale; dsignsgd only.",
        XiWithoutTwo = "xi_without_two": "Theorem 2 with Ξ in place of 2Ξ in the drift; dsignsgd only.",
        IdentityDiffusion = "identity_diffusion": "Theorem 2 with `Σ̃ = I`, without −4Ξ²; dsignsgd only.",
        TwoXiSquared = "two_xi_squared": "Theorem 2 with −2Ξ² in place of −4Ξ²; dsignsgd only.",
        NoDiffusion = "no_diffusion": "The flow of the drift without noise; every optimizer.",
        HalfDrift = "half_drift": "Half of the drift; every optimizer.",
        DiagonalDiffusion = "diagonal_diffusion": "Diffusion without its correlations: −G off the diagonal of Rand-k, correlated noise, correlated signs; every optimizer.",
        BatchSizeLost = "batch_size_lost": "Noise of one sample in place of a batch of B; every optimizer.",
        ScaleAsStandardDeviation = "scale_as_standard_deviation": "The scale S of `S t_ν` taken for its standard deviation, which is `S √(ν/(ν − 2))`; every optimizer.",
        SharedMeanGradient = "shared_mean_gradient": "∇f in place of each agent's own ∇f_i; every optimizer.",
        Stratonovich = "stratonovich": "The SDE read in the sense of Stratonovich instead of Itô: its drift gets `½ Σ_jk σ_kj ∂_k σ_ij` more; every optimizer.",
        OmegaForErrorCovariance = "omega_for_error_covariance": "The bound ω in place of what happens, `(ω/d) E‖g‖² I` in place of `E[ΦΦᵀ]`; dcsgd only.",
        NoiseNotCompressed = "noise_not_compressed": "`E[ΦΦᵀ]` at `G = ∇f ∇fᵀ`, without Σ; dcsgd only.",
        GradientNotCompressed = "gradient_not_compressed": "`E[ΦΦᵀ]` at `G = Σ`, without ∇f ∇fᵀ; dcsgd only.",
        IndependentPermutations = "independent_permutations": "Theorem 1 with its 1/N for Perm-k, whose agents are not independent; dcsgd only.",
    }
}

/// Whose SDE a mistake can be in, where it is one alone.
fn belongs_to(mutant: SdeMutant) -> Option<(Rule, &'static str)> {
    use SdeMutant as M;
    match mutant {
        M::NoCompressionNoise
        | M::OmegaForErrorCovariance
        | M::NoiseNotCompressed
        | M::GradientNotCompressed
        | M::IndependentPermutations => Some((Rule::Dcsgd, "dcsgd")),
        M::GaussianXi | M::XiWithoutTwo | M::IdentityDiffusion | M::TwoXiSquared => {
            Some((Rule::Dsignsgd, "dsignsgd"))
        }
        _ => None,
    }
}

impl SdeMutant {
    /// The model with the mistake in its SDE.
    pub fn spoil(self, model: &Model) -> Result<Model, Misfit> {
        if let Some((needed, name)) = belongs_to(self)
            && Some(needed) != model.rule()
        {
            return Misfit::inapplicable(format!("this mistake is one in the SDE of {name}"));
        }
        if model.form == Form::ModifiedOrder2 && self.replaces_the_sde() {
            return Misfit::inapplicable("this mistake is in an SDE that has no modified form");
        }
        let sde = self.sde(model)?;
        if are_identical(model, &*sde) {
            return Misfit::equivalent(self.same_where());
        }
        Ok(Model { sde, ..model.clone() })
    }

    /// Whether it is made in an SDE of its own, whatever the one that is given.
    fn replaces_the_sde(self) -> bool {
        matches!(self, Self::NoCompressionNoise | Self::GaussianXi | Self::IndependentPermutations)
    }

    fn sde(self, model: &Model) -> Result<Arc<dyn Sde>, Misfit> {
        let Model { sde, agents, .. } = model;
        let eta = model.run.learning_rate;
        let n = agents.count() as f64;
        let scaled = |drift: f64, diffusion: f64| -> Arc<dyn Sde> {
            Arc::new(Scaled { sde: Arc::clone(sde), drift, diffusion })
        };
        let towards_identity = |own: f64| -> Arc<dyn Sde> {
            Arc::new(TowardsIdentity { sde: Arc::clone(sde), own, variance: eta / n })
        };
        Ok(match self {
            Self::NoCompressionNoise => Arc::new(DsgdSde { agents: Arc::clone(agents), learning_rate: eta }),
            Self::EtaForSqrtEta => scaled(1.0, eta),
            Self::AgentsLost => scaled(1.0, n),
            Self::XiWithoutTwo => scaled(0.5, 1.0),
            Self::HalfDrift => scaled(0.5, 1.0),
            Self::NoDiffusion => scaled(1.0, 0.0),
            Self::IdentityDiffusion => towards_identity(0.0),
            Self::TwoXiSquared => towards_identity(0.5),
            Self::GaussianXi => Arc::new(GaussianXi::new(Arc::clone(agents), eta)?),
            Self::DiagonalDiffusion => Arc::new(Diagonal { sde: Arc::clone(sde) }),
            Self::BatchSizeLost => of(model, agents::without_batches(agents)?)?,
            Self::ScaleAsStandardDeviation => of(model, agents::of_unit_deviation(agents)?)?,
            Self::SharedMeanGradient => of(model, agents::alike(agents)?)?,
            Self::Stratonovich => Arc::new(Stratonovich { sde: Arc::clone(sde) }),
            Self::OmegaForErrorCovariance => of(model, compressing(agents, Mistake::Omega)?)?,
            Self::NoiseNotCompressed => of(model, compressing(agents, Mistake::OfMeanGradient)?)?,
            Self::GradientNotCompressed => of(model, compressing(agents, Mistake::OfNoise)?)?,
            Self::IndependentPermutations if agents.shared_block().is_none() => {
                return Misfit::inapplicable("no compressor is perm_k");
            }
            Self::IndependentPermutations => {
                let sde = DcsgdSde::new(Arc::clone(agents), eta);
                Arc::new(sde.or_else(|refused| Misfit::inapplicable(refused.to_string()))?)
            }
        })
    }

    /// Where the mistake is none.
    fn same_where(self) -> &'static str {
        match self {
            Self::NoCompressionNoise => "nothing is compressed",
            Self::AgentsLost | Self::IndependentPermutations => "N = 1",
            Self::GaussianXi => "ν = ∞",
            Self::HalfDrift => "there is no drift",
            Self::NoDiffusion => "there is no noise",
            Self::DiagonalDiffusion => "the diffusion has no correlations",
            Self::BatchSizeLost => "B = 1",
            Self::ScaleAsStandardDeviation => "the SDE does not depend on the scale",
            Self::SharedMeanGradient => "agents have one gradient, or the diffusion does not depend on it",
            Self::Stratonovich => "the diffusion does not depend on x",
            Self::OmegaForErrorCovariance => "E[ΦΦᵀ] = (ω/d) E‖g‖² I",
            Self::NoiseNotCompressed => "there is no noise, or nothing is compressed",
            Self::GradientNotCompressed => "nothing is compressed",
            Self::EtaForSqrtEta => "there is no noise, or η = 1",
            Self::XiWithoutTwo | Self::IdentityDiffusion | Self::TwoXiSquared => "E[sign g] = 0",
        }
    }
}

/// The SDE of the same optimizer with other agents.
fn of(model: &Model, agents: Arc<Agents>) -> Result<Arc<dyn Sde>, Misfit> {
    let Some(optimizer) = &model.named else {
        return Misfit::inapplicable("the SDE is given as code");
    };
    match derive(optimizer, model.form, &agents, model.run.learning_rate) {
        Ok(sde) => Ok(sde.into()),
        Err(refused) => Misfit::inapplicable(refused.to_string()),
    }
}

/// The agents with compressors whose error covariance is wrong.
fn compressing(agents: &Agents, mistake: Mistake) -> Result<Arc<Agents>, Misfit> {
    if agents.shared_block().is_some() {
        return Misfit::inapplicable("the agents of perm_k compress together");
    }
    let is_linear =
        |agents: &Agents| agents.groups().iter().all(|group| group.compressor.needs() == Knowledge::Moments);
    if !matches!(mistake, Mistake::Omega) && !is_linear(agents) {
        return Misfit::inapplicable("a compressor is not linear in the gradient");
    }
    agents::changed(agents, |group| {
        group.compressor = Arc::new(Wrong { original: Arc::clone(&group.compressor), mistake });
        Ok(())
    })
}

/// Drift and diffusion covariance times constants.
struct Scaled {
    sde: Arc<dyn Sde>,
    drift: f64,
    diffusion: f64,
}

impl Sde for Scaled {
    fn knows_shared_compression(&self) -> bool {
        self.sde.knows_shared_compression()
    }

    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        self.sde.coefficients(x, out);
        out.drift.iter_mut().for_each(|drift| *drift *= self.drift);
        out.diffusion.scale(self.diffusion);
    }
}

/// The diffusion without its correlations.
struct Diagonal {
    sde: Arc<dyn Sde>,
}

impl Sde for Diagonal {
    fn knows_shared_compression(&self) -> bool {
        self.sde.knows_shared_compression()
    }

    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        self.sde.coefficients(x, out);
        let variances: Vec<f64> = (0..x.len()).map(|j| out.diffusion.entry(j, j)).collect();
        out.diffusion.clear();
        out.diffusion.add_diagonal(variances);
    }
}
