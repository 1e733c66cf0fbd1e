//! Processes: what the driver advances. It sees nothing else of optimizers and SDEs.

use super::block::{Block, Paths, streams};
use crate::agent::Scratch;
use crate::integrator::EulerMaruyama;
use crate::optimizer::Optimizer;
use crate::random::{Role, Stream};
use crate::sde::Sde;

/// A ball about the origin that paths may not leave: at its edge they stop for good.
///
/// Both processes are looked at at the times kη. A path found outside is put on the sphere, at the
/// nearest point, and stays there.
#[derive(Clone, Copy, Debug)]
pub struct Domain {
    /// R.
    pub radius: f64,
}

impl Domain {
    fn stop(self, x: &mut [f64], exited: &mut bool) {
        let mut norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm.is_infinite() {
            // The squares may overflow where the norm does not.
            norm = x.iter().fold(0.0, |norm, &x| libm::hypot(norm, x));
        }
        if norm > self.radius && norm.is_finite() {
            *exited = true;
            x.iter_mut().for_each(|x| *x *= self.radius / norm);
        }
    }
}

/// A source of blocks of paths.
pub trait Process: Sync {
    /// The paths `first..first + count`, at t = 0.
    fn start(&self, first: u64, count: usize) -> Box<dyn Block + '_>;
}

/// The optimizer.
pub struct OptimizerProcess<'a> {
    /// What advances the paths.
    pub optimizer: &'a dyn Optimizer,
    /// The state at t = 0.
    pub start: &'a [f64],
    /// Where paths stop, if anywhere.
    pub domain: Option<Domain>,
    /// Seed of the run.
    pub seed: u64,
    /// What the streams are drawn for.
    pub role: Role,
}

struct OptimizerBlock<'a> {
    process: &'a OptimizerProcess<'a>,
    paths: Paths,
    streams: Vec<Stream>,
    scratch: Scratch,
}

impl Process for OptimizerProcess<'_> {
    fn start(&self, first: u64, count: usize) -> Box<dyn Block + '_> {
        Box::new(OptimizerBlock {
            process: self,
            paths: Paths::at(self.start, count),
            streams: streams(self.seed, self.role, first, count),
            scratch: Scratch::default(),
        })
    }
}

impl Block for OptimizerBlock<'_> {
    fn advance(&mut self) {
        for ((x, exited), stream) in self.paths.iter_mut().zip(&mut self.streams) {
            if *exited {
                continue;
            }
            self.process.optimizer.step(x, stream, &mut self.scratch);
            if let Some(domain) = self.process.domain {
                domain.stop(x, exited);
            }
        }
    }

    fn paths(&self) -> &Paths {
        &self.paths
    }
}

/// The SDE, integrated with 2m steps to each η; some blocks carry the same Brownian paths with m
/// steps along, to measure the integrator's bias.
pub struct SdeProcess<'a> {
    /// What is integrated.
    pub sde: &'a dyn Sde,
    /// The state at t = 0.
    pub start: &'a [f64],
    /// Where paths stop, if anywhere.
    pub domain: Option<Domain>,
    /// Seed of the run.
    pub seed: u64,
    /// What the streams are drawn for.
    pub role: Role,
    /// η.
    pub eta: f64,
    /// m.
    pub substeps: usize,
    /// One block in so many carries the coarse paths along; none where it is 0.
    pub coarse_every: u64,
}

struct SdeBlock<'a> {
    process: &'a SdeProcess<'a>,
    fine: Paths,
    coarse: Option<Paths>,
    streams: Vec<Stream>,
    scheme: EulerMaruyama,
    increments: [Vec<f64>; 2],
}

impl Process for SdeProcess<'_> {
    fn start(&self, first: u64, count: usize) -> Box<dyn Block + '_> {
        let d = self.start.len();
        let block = first / count as u64;
        let carries_coarse = self.coarse_every > 0 && block.is_multiple_of(self.coarse_every);
        Box::new(SdeBlock {
            process: self,
            fine: Paths::at(self.start, count),
            coarse: carries_coarse.then(|| Paths::at(self.start, count)),
            streams: streams(self.seed, self.role, first, count),
            scheme: EulerMaruyama::new(d),
            increments: [vec![0.0; d], vec![0.0; d]],
        })
    }
}

impl SdeBlock<'_> {
    /// One path over the time η: two fine steps to every coarse one, on the same Brownian path.
    fn advance_path(
        process: &SdeProcess,
        scheme: &mut EulerMaruyama,
        increments: &mut [Vec<f64>; 2],
        stream: &mut Stream,
        mut fine: Option<&mut [f64]>,
        mut coarse: Option<&mut [f64]>,
    ) {
        let h = process.eta / (2 * process.substeps) as f64;
        let deviation = h.sqrt();
        for _ in 0..process.substeps {
            for dw in &mut *increments {
                dw.fill_with(|| deviation * stream.normal());
                if let Some(x) = fine.as_deref_mut() {
                    scheme.step(process.sde, x, h, dw);
                }
            }
            if let Some(x) = coarse.as_deref_mut() {
                let [first, second] = &mut *increments;
                first.iter_mut().zip(&*second).for_each(|(sum, dw)| *sum += dw);
                scheme.step(process.sde, x, 2.0 * h, first);
            }
        }
    }
}

impl Block for SdeBlock<'_> {
    fn advance(&mut self) {
        let mut coarse = self.coarse.as_mut().map(Paths::iter_mut);
        for ((x, exited), stream) in self.fine.iter_mut().zip(&mut self.streams) {
            let mut along = coarse.as_mut().and_then(Iterator::next);
            let moving = |x, exited: bool| (!exited).then_some(x);
            let fine_x = moving(&mut *x, *exited);
            let coarse_x = along.as_mut().and_then(|(x, exited)| moving(x, **exited));
            if fine_x.is_none() && coarse_x.is_none() {
                continue;
            }
            Self::advance_path(
                self.process,
                &mut self.scheme,
                &mut self.increments,
                stream,
                fine_x,
                coarse_x,
            );
            if let Some(domain) = self.process.domain {
                domain.stop(x, exited);
                if let Some((x, exited)) = along {
                    domain.stop(x, exited);
                }
            }
        }
    }

    fn paths(&self) -> &Paths {
        &self.fine
    }

    fn coarse(&self) -> Option<&Paths> {
        self.coarse.as_ref()
    }
}
