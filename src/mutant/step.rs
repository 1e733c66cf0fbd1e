//! Wrong update rules: what agents share, and in what order they take signs and means.

use crate::agent::{Agents, Scratch};
use crate::optimizer::{Optimizer, Rule, keep_block, permutations};
use crate::random::Streams;
use crate::rows;
use crate::special::sign;
use std::sync::Arc;

/// Random numbers that should be each agent's own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shared {
    /// Those of the gradient noise.
    Noise,
    /// Those of the compressors.
    Masks,
}

/// The update rule of an optimizer whose agents draw some random numbers alike.
pub(super) struct SharedDraws {
    pub agents: Arc<Agents>,
    pub rule: Rule,
    pub learning_rate: f64,
    pub shared: Shared,
}

impl Optimizer for SharedDraws {
    fn step(&self, x: &mut [f64], streams: &mut Streams, _scratch: &mut Scratch) {
        let alike = streams.split();
        let permutations = self.agents.shared_block().map(|block| (block, permutations(x, streams)));
        let mut agent = 0;
        let mut gradient = vec![0.0; x.len()];
        let mut sum = gradient.clone();
        // The agents evaluate at x with buffers of their own, as x is not changed before all have.
        self.agents.for_each_group(x, &mut Scratch::default(), |_, group, mean_gradient| {
            for _ in 0..group.count {
                let mut of_all = alike.clone();
                let (noise, masks) = match self.shared {
                    Shared::Noise => (&mut of_all, &mut *streams),
                    Shared::Masks => (&mut *streams, &mut of_all),
                };
                group.noise.sample(x, mean_gradient, noise, &mut gradient);
                match self.rule {
                    Rule::Dsgd => {}
                    Rule::Dsignsgd => rows::signs(&mut gradient),
                    Rule::Dcsgd => match &permutations {
                        Some((block, permutations)) => keep_block(permutations, agent, *block, &mut gradient),
                        None => group.compressor.apply(&mut gradient, masks),
                    },
                }
                agent += 1;
                rows::add(&mut sum, &gradient);
            }
        });
        let step = self.learning_rate / self.agents.count() as f64;
        rows::add_scaled(x, -step, &sum);
    }
}

/// `x ← x − η sign((1/N) Σ_i g_i)`.
pub(super) struct SignOfMean {
    pub agents: Arc<Agents>,
    pub learning_rate: f64,
}

impl Optimizer for SignOfMean {
    fn step(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        let mean = self.agents.mean_direction(x, streams, scratch, |_, _, _| {});
        x.iter_mut().zip(mean).for_each(|(x, mean)| *x -= self.learning_rate * sign(*mean));
    }
}
