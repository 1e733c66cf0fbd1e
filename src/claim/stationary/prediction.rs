//! The stationary covariance that theory predicts on a quadratic (docs/theory.md).

use super::{Form, Side};
use crate::agent::Group;
use crate::compressor::Compressor;
use crate::covariance::Covariance;
use crate::model::Model;
use crate::theory::{
    Curvature, dcsgd_variance, dsignsgd_variance, dsignsgd_variance_1d, stationary_covariance,
};
use nalgebra::DMatrix;

/// Largest dimension: the linear system has d(d + 1)/2 unknowns.
const LARGEST_DIMENSION: usize = 24;

/// The covariance at rest, about the minimiser; an error that says why there is none.
pub fn predicted_covariance(model: &Model, side: Side, form: Form) -> Result<DMatrix<f64>, String> {
    let d = model.dimension();
    if !model.agents.objective().is_quadratic() {
        return Err("the objective is not quadratic".to_owned());
    }
    if d > LARGEST_DIMENSION {
        return Err(format!("dimension {d}; expected at most {LARGEST_DIMENSION}"));
    }
    let hessian = hessian(model);
    if model.takes_signs() {
        of_signs(model, &hessian, side, form)
    } else {
        of_gradients(model, &hessian, side, form)
    }
}

/// H, column by column.
pub fn hessian(model: &Model) -> DMatrix<f64> {
    let d = model.dimension();
    let mut matrix = DMatrix::zeros(d, d);
    let (mut unit, mut column) = (vec![0.0; d], vec![0.0; d]);
    for j in 0..d {
        unit[j] = 1.0;
        model.agents.objective().hessian_vector_product(&model.run.start, &unit, &mut column);
        matrix.column_mut(j).copy_from_slice(&column);
        unit[j] = 0.0;
    }
    matrix
}

fn is_diagonal(matrix: &DMatrix<f64>) -> bool {
    let d = matrix.nrows();
    (0..d * d).all(|index| index / d == index % d || matrix[index] == 0.0)
}

/// DSGD and DCSGD, for any H and Σ.
fn of_gradients(model: &Model, h: &DMatrix<f64>, side: Side, form: Form) -> Result<DMatrix<f64>, String> {
    let eta = model.run.learning_rate;
    let n = model.agents.count() as f64;
    let noise = Noise::of(model)?;
    let unstable = || "it is not stable: there is no stationary covariance".to_owned();
    if form == Form::Diagonal {
        let [OfGroup { sigma, sparsifier, .. }] = &*noise.of_groups else {
            return Err("the agents differ".to_owned());
        };
        let variance = |j: usize| {
            let at = Curvature { lambda: h[(j, j)], eta, agents: n };
            let [sde, optimizer] = dcsgd_variance(at, sigma[(j, j)], sparsifier.omega());
            match side {
                Side::Sde => sde,
                Side::Optimizer => optimizer,
            }
        };
        let variances: Option<Vec<f64>> = (0..h.nrows()).map(variance).collect();
        return Ok(DMatrix::from_diagonal(&variances.ok_or_else(unstable)?.into()));
    }
    let zero = DMatrix::zeros(h.nrows(), h.nrows());
    let at_rest = noise.covariance(h, &zero);
    let covariance = match (form, side) {
        (Form::Leading, _) => stationary_covariance(h.nrows(), |v| h * v + v * h - eta / n * &at_rest),
        (_, Side::Sde) => {
            stationary_covariance(h.nrows(), |v| h * v + v * h - eta / n * noise.covariance(h, v))
        }
        (_, Side::Optimizer) => {
            let contraction = DMatrix::identity(h.nrows(), h.nrows()) - eta * h;
            stationary_covariance(h.nrows(), |v| {
                v - &contraction * v * &contraction - eta * eta / n * noise.covariance(h, v)
            })
        }
    };
    covariance.ok_or_else(unstable)
}

/// What the gradients and their compression add to a step.
struct Noise {
    of_groups: Vec<OfGroup>,
}

struct OfGroup {
    share: f64,
    /// Σ_i.
    sigma: DMatrix<f64>,
    /// `∇f_i` at the minimiser.
    offset: DMatrix<f64>,
    sparsifier: Sparsifier,
}

/// Compressors whose error covariance is linear in `G = E[g gᵀ]`.
enum Sparsifier {
    /// ω.
    RandK(f64),
    /// ω; 0 is the identity.
    Bernoulli(f64),
}

impl Sparsifier {
    fn of(compressor: &dyn Compressor) -> Result<Self, String> {
        let omega = compressor.omega();
        if compressor.shared_block().is_some() {
            Err("the agents compress together".to_owned())
        } else if compressor.keeps_exactly().is_some() {
            Ok(Self::RandK(omega))
        } else if compressor.keeps().is_some() || omega == 0.0 {
            Ok(Self::Bernoulli(omega))
        } else {
            Err("a compressor that is neither rand_k nor bernoulli".to_owned())
        }
    }

    fn omega(&self) -> f64 {
        let (Self::RandK(omega) | Self::Bernoulli(omega)) = self;
        *omega
    }

    /// `E[ΦΦᵀ]`.
    fn error_covariance(&self, g: &DMatrix<f64>) -> DMatrix<f64> {
        let diagonal = DMatrix::from_diagonal(&g.diagonal());
        match self {
            Self::Bernoulli(omega) => *omega * diagonal,
            Self::RandK(0.0) => 0.0 * diagonal,
            Self::RandK(omega) => {
                let d = g.nrows() as f64;
                *omega / (d - 1.0) * (d * diagonal - g)
            }
        }
    }
}

impl Noise {
    fn of(model: &Model) -> Result<Self, String> {
        let d = model.dimension();
        let n = model.agents.count() as f64;
        let of_group = |group: &Group| -> Result<OfGroup, String> {
            if !group.noise.is_additive() || group.noise.relative_variance() > 0.0 {
                return Err("the covariance of the noise depends on the state".to_owned());
            }
            let mut sigma = Covariance::zero(d);
            group.noise.add_covariance(1.0, &model.run.start, &vec![0.0; d], &mut sigma);
            let offset = group.gradient_offset.clone().unwrap_or_else(|| vec![0.0; d]);
            let compresses = model.compresses();
            Ok(OfGroup {
                share: group.count as f64 / n,
                sigma: DMatrix::from_fn(d, d, |i, j| sigma.entry(i, j)),
                offset: DMatrix::from_fn(d, d, |i, j| offset[i] * offset[j]),
                sparsifier: if compresses {
                    Sparsifier::of(&*group.compressor)?
                } else {
                    Sparsifier::Bernoulli(0.0)
                },
            })
        };
        Ok(Self { of_groups: model.agents.groups().iter().map(of_group).collect::<Result<_, _>>()? })
    }

    /// `R(V) = (1/N) Σ_i (E[Φ_iΦ_iᵀ] + Σ_i)`, with `G_i = HVH + Σ_i + ∇f_i∇f_iᵀ` at the minimiser.
    fn covariance(&self, h: &DMatrix<f64>, v: &DMatrix<f64>) -> DMatrix<f64> {
        let hvh = h * v * h;
        let of_group = |group: &OfGroup| {
            let g = &hvh + &group.sigma + &group.offset;
            group.share * (group.sparsifier.error_covariance(&g) + &group.sigma)
        };
        self.of_groups.iter().map(of_group).sum()
    }
}

/// DSignSGD, for diagonal H and noise `S t_ν`.
fn of_signs(model: &Model, h: &DMatrix<f64>, side: Side, form: Form) -> Result<DMatrix<f64>, String> {
    if form == Form::Diagonal {
        return Err("form \"diagonal\" is of DSGD and DCSGD; expected \"full\" or \"leading\"".to_owned());
    }
    if !is_diagonal(h) {
        return Err("H is not diagonal".to_owned());
    }
    let [group] = model.agents.groups() else { return Err("the agents differ".to_owned()) };
    let Some((scale, dof)) = group.noise.scaled_student_t() else {
        return Err("the noise is not a scaled Student-t with independent coordinates".to_owned());
    };
    if group.gradient_offset.is_some() {
        return Err("the agents' gradients differ".to_owned());
    }
    let variance = |j: usize| {
        let agents = model.agents.count() as f64;
        let at = Curvature { lambda: h[(j, j)], eta: model.run.learning_rate, agents };
        match (form, side) {
            (Form::Leading, _) => dsignsgd_variance(at, scale[j], dof),
            (_, Side::Sde) => dsignsgd_variance_1d(at, scale[j], dof)[0],
            (_, Side::Optimizer) => dsignsgd_variance_1d(at, scale[j], dof)[1],
        }
    };
    Ok(DMatrix::from_diagonal(&(0..h.nrows()).map(variance).collect::<Vec<f64>>().into()))
}

/// `½ tr(HV)`: the expected loss at rest above its minimum.
pub fn predicted_loss(model: &Model, side: Side, form: Form) -> Result<f64, String> {
    let covariance = predicted_covariance(model, side, form)?;
    let h = hessian(model);
    Ok(0.5 * h.component_mul(&covariance).sum())
}
