//! Processes: what the driver advances. It sees nothing else of optimizers and SDEs.

use super::block::{Block, Paths, streams};
use super::shadow::{Linearization, Noise, Shadows};
use crate::agent::Scratch;
use crate::integrator::{Draws, Scheme, SchemeName};
use crate::optimizer::{DeclaredIncrement, Increment, Optimizer};
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
    /// η.
    pub eta: f64,
    /// Seed of the run.
    pub seed: u64,
    /// What the streams are drawn for.
    pub role: Role,
    /// Along what the paths carry linear shadows, if they do and the optimizer declares its increments.
    pub linearization: Option<&'a Linearization>,
}

struct OptimizerBlock<'a> {
    process: &'a OptimizerProcess<'a>,
    paths: Paths,
    streams: Vec<Stream>,
    scratch: Scratch,
    shadow: Option<OptimizerShadow<'a>>,
}

/// The shadows of paths of an optimizer, from its declared increments.
struct OptimizerShadow<'a> {
    declared: &'a dyn DeclaredIncrement,
    increment: Increment,
    shadows: Shadows<'a>,
    noise: Vec<f64>,
    step: usize,
}

impl<'a> OptimizerShadow<'a> {
    fn new(process: &'a OptimizerProcess, count: usize) -> Option<Self> {
        let (linearization, declared) = (process.linearization?, process.optimizer.declared()?);
        let d = process.start.len();
        Some(Self {
            declared,
            increment: Increment::new(d),
            shadows: Shadows::new(linearization, d, count),
            noise: vec![0.0; d],
            step: 0,
        })
    }

    /// Before a step from `x`.
    fn before(&mut self, x: &[f64]) {
        self.declared.increment(x, &mut self.increment);
        for ((noise, x), mean) in self.noise.iter_mut().zip(x).zip(&self.increment.mean) {
            *noise = -(x + mean);
        }
    }

    /// After that step, to `x`.
    fn after(&mut self, x: &[f64], path: usize, eta: f64) {
        for (noise, x) in self.noise.iter_mut().zip(x) {
            *noise += x;
        }
        let noise = Noise { increment: &self.noise, covariance: &self.increment.covariance, weight: 1.0 };
        self.shadows.advance(path, self.step, eta, Some(&noise));
    }
}

impl Process for OptimizerProcess<'_> {
    fn start(&self, first: u64, count: usize) -> Box<dyn Block + '_> {
        let mut paths = Paths::at(self.start, count);
        let mut streams = streams(self.seed, self.role, first, count);
        let mut scratch = Scratch::default();
        for ((x, _), stream) in paths.iter_mut().zip(&mut streams) {
            self.optimizer.begin(x, stream, &mut scratch);
        }
        Box::new(OptimizerBlock {
            process: self,
            paths,
            streams,
            scratch,
            shadow: OptimizerShadow::new(self, count),
        })
    }
}

impl Block for OptimizerBlock<'_> {
    fn advance(&mut self) {
        let Self { process, paths, streams, scratch, shadow } = self;
        for (path, ((x, exited), stream)) in paths.iter_mut().zip(streams).enumerate() {
            if *exited {
                if let Some(shadow) = shadow {
                    shadow.shadows.advance(path, shadow.step, process.eta, None);
                }
                continue;
            }
            if let Some(shadow) = shadow {
                shadow.before(x);
            }
            process.optimizer.step(x, stream, scratch);
            if let Some(shadow) = shadow {
                shadow.after(x, path, process.eta);
            }
            if let Some(domain) = process.domain {
                domain.stop(x, exited);
            }
        }
        if let Some(shadow) = shadow {
            shadow.step += 1;
        }
    }

    fn paths(&self) -> &Paths {
        &self.paths
    }

    fn shadows(&self) -> Option<&Shadows<'_>> {
        self.shadow.as_ref().map(|shadow| &shadow.shadows)
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
    /// How it is integrated.
    pub scheme: SchemeName,
    /// m.
    pub substeps: usize,
    /// One block in so many carries the coarse paths along; none where it is 0.
    pub coarse_every: u64,
    /// Along what the paths carry linear shadows, if they do.
    pub linearization: Option<&'a Linearization>,
}

/// Paths that are integrated with one length of step, and their shadows.
struct Integrated<'a> {
    paths: Paths,
    shadows: Option<Shadows<'a>>,
}

struct SdeBlock<'a> {
    process: &'a SdeProcess<'a>,
    fine: Integrated<'a>,
    coarse: Option<Integrated<'a>>,
    streams: Vec<Stream>,
    scheme: Box<dyn Scheme>,
    draws: [Draws; 2],
    step: usize,
}

impl Process for SdeProcess<'_> {
    fn start(&self, first: u64, count: usize) -> Box<dyn Block + '_> {
        let d = self.start.len();
        let block = first / count as u64;
        let carries_coarse = self.coarse_every > 0 && block.is_multiple_of(self.coarse_every);
        let integrated = || Integrated {
            paths: Paths::at(self.start, count),
            shadows: self.linearization.map(|linearization| Shadows::new(linearization, d, count)),
        };
        Box::new(SdeBlock {
            process: self,
            fine: integrated(),
            coarse: carries_coarse.then(integrated),
            streams: streams(self.seed, self.role, first, count),
            scheme: self.scheme.build(d),
            draws: [self.scheme.draws(d), self.scheme.draws(d)],
            step: 0,
        })
    }
}

impl Integrated<'_> {
    /// One integrator step of length `h` of one path.
    fn advance(
        &mut self,
        path: usize,
        step: usize,
        scheme: &mut dyn Scheme,
        sde: &dyn Sde,
        h: f64,
        draws: &Draws,
    ) {
        let (x, exited) = self.paths.path_mut(path);
        if *exited {
            if let Some(shadows) = &mut self.shadows {
                shadows.advance(path, step, h, None);
            }
            return;
        }
        scheme.step(sde, x, h, draws);
        if let Some(shadows) = &mut self.shadows {
            let (covariance, increment) = scheme.martingale();
            shadows.advance(path, step, h, Some(&Noise { increment, covariance, weight: h }));
        }
    }

    fn stop(&mut self, path: usize, domain: Domain) {
        let (x, exited) = self.paths.path_mut(path);
        if !*exited {
            domain.stop(x, exited);
        }
    }

    fn is_at_rest(&self, path: usize) -> bool {
        self.shadows.is_none() && self.paths.has_exited(path)
    }
}

impl Block for SdeBlock<'_> {
    fn advance(&mut self) {
        let Self { process, fine, coarse, streams, scheme, draws, step } = self;
        let h = process.eta / (2 * process.substeps) as f64;
        let deviation = h.sqrt();
        for (path, stream) in streams.iter_mut().enumerate() {
            if fine.is_at_rest(path) && coarse.as_ref().is_none_or(|coarse| coarse.is_at_rest(path)) {
                continue;
            }
            // Two fine steps to every coarse one, on the same Brownian path.
            for _ in 0..process.substeps {
                for draws in &mut *draws {
                    draws.renew(deviation, stream);
                    fine.advance(path, *step, &mut **scheme, process.sde, h, draws);
                }
                if let Some(coarse) = coarse {
                    let [first, second] = &mut *draws;
                    first.extend(second);
                    coarse.advance(path, *step, &mut **scheme, process.sde, 2.0 * h, first);
                }
            }
            if let Some(domain) = process.domain {
                fine.stop(path, domain);
                if let Some(coarse) = coarse {
                    coarse.stop(path, domain);
                }
            }
        }
        *step += 1;
    }

    fn paths(&self) -> &Paths {
        &self.fine.paths
    }

    fn shadows(&self) -> Option<&Shadows<'_>> {
        self.fine.shadows.as_ref()
    }

    fn coarse(&self) -> Option<(&Paths, Option<&Shadows<'_>>)> {
        self.coarse.as_ref().map(|coarse| (&coarse.paths, coarse.shadows.as_ref()))
    }
}
