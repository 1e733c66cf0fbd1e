//! Steps that are drawn from their law given the state, not agent by agent.

use super::{DeclaredIncrement, Optimizer, OptimizerName};
use crate::agent::{Agents, Group, Scratch};
use crate::noise::SignLaw;
use crate::parameter::Invalid;
use crate::random::Streams;
use crate::rows;
use crate::simd::vectorized;
use std::sync::Arc;

/// The optimizer of this name with steps from their law, otherwise as `faithful`; an error where that law is not known.
pub(super) fn exact_in_law(
    name: OptimizerName,
    agents: &Arc<Agents>,
    learning_rate: f64,
    faithful: Box<dyn Optimizer>,
) -> Result<Box<dyn Optimizer>, Invalid> {
    let refusal = |group: &Group| match name {
        OptimizerName::Dsignsgd => {
            let is_known = group.noise.has_independent_coordinates() && group.noise.takes_blocks();
            (!is_known).then_some("noise whose coordinates are independent, so that their signs are")
        }
        _ if gaussian_scale(group).is_none() => Some("noise.gaussian with `scale`, whose sums are Gaussian"),
        _ if group.compressor.keeps().is_none() || group.compressor.shared_block().is_some() => {
            Some("a compressor that keeps coordinates whatever is sent: rand_k, bernoulli or none")
        }
        _ => None,
    };
    for (index, group) in agents.groups().iter().enumerate() {
        if let Some(expected) = refusal(group) {
            let message = format!(
                "\"exact_in_law\", but the sum over agents[{index}] has no law to draw from; expected {expected}, or \"faithful\""
            );
            return Err(Invalid::new("run.sampling", message));
        }
    }
    let agents = Arc::clone(agents);
    Ok(match name {
        OptimizerName::Dsignsgd => Box::new(Signs { agents, learning_rate, faithful }),
        _ => Box::new(KeptSums { agents, learning_rate, faithful }),
    })
}

/// The standard deviations of independent Gaussian coordinates.
fn gaussian_scale(group: &Group) -> Option<&[f64]> {
    let (scale, dof) = group.noise.scaled_student_t()?;
    (dof == f64::INFINITY && group.noise.has_independent_coordinates()).then_some(scale)
}

/// Distributed sign-SGD: given x, every sign is 1 with probability `(1 + E sign g_ij)/2`, independent of all others, so that their
/// sum has the Poisson-binomial law. One uniform number a sign in place of a noise.
struct Signs {
    agents: Arc<Agents>,
    learning_rate: f64,
    faithful: Box<dyn Optimizer>,
}

impl Optimizer for Signs {
    fn step(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        let n = streams.count();
        let mut law = SignLaw::zero(x.len() / n);
        law.resize(n);
        let mut sum = vec![0.0; x.len()];
        self.agents.for_each_group(x, scratch, |_, group, mean_gradient| {
            group.noise.sign_law(x, mean_gradient, &mut law);
            for _ in 0..group.count {
                streams.lend_uniforms(x.len() / n, |uniforms| add_signs(&mut sum, &law.mean, uniforms));
            }
        });
        rows::add_scaled(x, -self.learning_rate / self.agents.count() as f64, &sum);
    }

    fn declared(&self) -> Option<&dyn DeclaredIncrement> {
        self.faithful.declared()
    }
}

/// Distributed SGD with compressors that keep or drop coordinates: c agents that keep a coordinate of mean gradient v, scaled by
/// s, send `s (c v + √c σ z)` together, z one standard normal in place of c.
struct KeptSums {
    agents: Arc<Agents>,
    learning_rate: f64,
    faithful: Box<dyn Optimizer>,
}

impl Optimizer for KeptSums {
    fn step(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        let zero = vec![0.0; x.len()];
        let (mut sum, mut kept, mut of_agent, mut noise) = (zero.clone(), zero.clone(), zero.clone(), zero);
        self.agents.for_each_group(x, scratch, |_, group, mean_gradient| {
            kept.fill(0.0);
            for _ in 0..group.count {
                of_agent.fill(1.0);
                group.compressor.apply(&mut of_agent, streams);
                rows::add(&mut kept, &of_agent);
            }
            streams.normals(&mut noise);
            let scale = gaussian_scale(group).expect("checked when the optimizer was made");
            let s = 1.0 / group.compressor.keeps().expect("checked when the optimizer was made");
            add_kept(&mut sum, &kept, mean_gradient, scale, s, &noise);
        });
        rows::add_scaled(x, -self.learning_rate / self.agents.count() as f64, &sum);
    }

    fn declared(&self) -> Option<&dyn DeclaredIncrement> {
        self.faithful.declared()
    }
}

vectorized! {
    /// Adds signs of these means.
    fn add_signs(sum: &mut [f64], means: &[f64], uniforms: &[f64]) {
        for ((sum, mean), uniform) in sum.iter_mut().zip(means).zip(uniforms) {
            *sum += if 2.0 * uniform < 1.0 + mean { 1.0 } else { -1.0 };
        }
    }

    /// `sum += k v + √(s k) σ z`, where `k = s c` is what a vector of ones becomes.
    fn add_kept(sum: &mut [f64], kept: &[f64], v: &[f64], scale: &[f64], s: f64, z: &[f64]) {
        let n = sum.len() / scale.len();
        for (j, sigma) in scale.iter().enumerate() {
            let row = j * n..(j + 1) * n;
            let columns = kept[row.clone()].iter().zip(&v[row.clone()]).zip(&z[row.clone()]);
            for (sum, ((kept, v), z)) in sum[row].iter_mut().zip(columns) {
                *sum += kept * v + (s * kept).sqrt() * sigma * z;
            }
        }
    }
}
