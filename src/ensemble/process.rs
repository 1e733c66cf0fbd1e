//! Processes: what the driver advances. It sees nothing else of optimizers and SDEs.

use super::block::{Block, Paths, streams};
use super::shadow::{Expansion, Noise, Shadows, StepMoments};
use crate::agent::Scratch;
use crate::integrator::{Draws, Scheme, SchemeName};
use crate::optimizer::{DeclaredIncrement, Increment, Optimizer};
use crate::random::{Role, Stream};
use crate::sde::{Coefficients, Sde};

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
    /// What linear shadows of the paths follow, if they carry any and the optimizer declares its increments.
    pub expansion: Option<&'a Expansion>,
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
    mean: Vec<f64>,
    noise: Vec<f64>,
}

impl<'a> OptimizerShadow<'a> {
    fn new(process: &'a OptimizerProcess, count: usize) -> Option<Self> {
        let (expansion, declared) = (process.expansion?, process.optimizer.declared()?);
        let d = process.start.len();
        Some(Self {
            declared,
            increment: Increment::new(d),
            shadows: Shadows::new(expansion, d, count, 1),
            mean: vec![0.0; d],
            noise: vec![0.0; d],
        })
    }

    /// Before a step from `x`.
    fn before(&mut self, x: &[f64]) {
        self.declared.increment(x, &mut self.increment);
        for ((mean, x), increment) in self.mean.iter_mut().zip(x).zip(&self.increment.mean) {
            *mean = x + increment;
        }
    }

    /// After that step, to `x`.
    fn after(&mut self, x: &[f64], path: usize) {
        for ((noise, x), mean) in self.noise.iter_mut().zip(x).zip(&self.mean) {
            *noise = x - mean;
        }
        let Self { noise: increment, mean, increment: Increment { covariance, .. }, .. } = self;
        self.shadows.record(path, 0, Some(Noise { increment, mean, covariance, weight: 1.0 }));
    }
}

impl OptimizerProcess<'_> {
    /// The expansion of so many steps, where the optimizer declares its increments and the expansion exists.
    /// `may_be_cubic` is explained at [`Expansion::along`].
    pub fn expand(&self, steps: usize, may_be_cubic: bool) -> Option<Expansion> {
        let declared = self.optimizer.declared()?;
        let mut increment = Increment::new(self.start.len());
        Expansion::along(self.start, steps, may_be_cubic, |x, pairs| {
            declared.increment(x, &mut increment);
            let covariance = pairs.iter().map(|&(i, j)| increment.covariance.entry(i, j)).collect();
            StepMoments { mean: increment.mean.clone(), covariance }
        })
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
                    shadow.shadows.record(path, 0, None);
                }
                continue;
            }
            if let Some(shadow) = shadow {
                shadow.before(x);
            }
            process.optimizer.step(x, stream, scratch);
            if let Some(shadow) = shadow {
                shadow.after(x, path);
            }
            if let Some(domain) = process.domain {
                domain.stop(x, exited);
            }
        }
        if let Some(shadow) = shadow {
            shadow.shadows.advance();
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
    /// What linear shadows of the paths and of the coarse ones follow, if they carry any.
    pub expansions: Option<[&'a Expansion; 2]>,
}

/// Paths that are integrated with one length of step, and their shadows.
struct Integrated<'a> {
    paths: Paths,
    shadow: Option<IntegratedShadow<'a>>,
}

/// The shadows of integrated paths.
struct IntegratedShadow<'a> {
    shadows: Shadows<'a>,
    mean: Vec<f64>,
}

struct SdeBlock<'a> {
    process: &'a SdeProcess<'a>,
    fine: Integrated<'a>,
    coarse: Option<Integrated<'a>>,
    streams: Vec<Stream>,
    scheme: Box<dyn Scheme>,
    draws: [Draws; 2],
}

impl SdeProcess<'_> {
    /// The expansions of so many optimizer steps, with 2m and with m integrator steps to each, where they exist.
    /// `may_be_cubic` is explained at [`Expansion::along`].
    pub fn expand(&self, steps: usize, may_be_cubic: bool) -> Option<[Expansion; 2]> {
        let mut coefficients = Coefficients::new(self.start.len());
        let mut expand = |substeps: usize| {
            let h = self.eta / substeps as f64;
            Expansion::along(self.start, steps * substeps, may_be_cubic, |x, pairs| {
                let mean = self.scheme.mean(self.sde, x, h, &mut coefficients);
                self.sde.coefficients(x, &mut coefficients);
                let entry = |&(i, j): &(usize, usize)| h * coefficients.diffusion.entry(i, j);
                StepMoments { mean, covariance: pairs.iter().map(entry).collect() }
            })
        };
        Some([expand(2 * self.substeps)?, expand(self.substeps)?])
    }
}

impl Process for SdeProcess<'_> {
    fn start(&self, first: u64, count: usize) -> Box<dyn Block + '_> {
        let d = self.start.len();
        let block = first / count as u64;
        let carries_coarse = self.coarse_every > 0 && block.is_multiple_of(self.coarse_every);
        let integrated = |resolution: usize, substeps: usize| Integrated {
            paths: Paths::at(self.start, count),
            shadow: self.expansions.map(|expansions| IntegratedShadow {
                shadows: Shadows::new(expansions[resolution], d, count, substeps),
                mean: vec![0.0; d],
            }),
        };
        Box::new(SdeBlock {
            process: self,
            fine: integrated(0, 2 * self.substeps),
            coarse: carries_coarse.then(|| integrated(1, self.substeps)),
            streams: streams(self.seed, self.role, first, count),
            scheme: self.scheme.build(d),
            draws: [self.scheme.draws(d), self.scheme.draws(d)],
        })
    }
}

impl Integrated<'_> {
    /// One integrator step of length `h` of one path.
    fn advance(
        &mut self,
        path: usize,
        substep: usize,
        scheme: &mut dyn Scheme,
        sde: &dyn Sde,
        h: f64,
        draws: &Draws,
    ) {
        let (x, exited) = self.paths.path_mut(path);
        if *exited {
            if let Some(shadow) = &mut self.shadow {
                shadow.shadows.record(path, substep, None);
            }
            return;
        }
        if let Some(shadow) = &mut self.shadow {
            shadow.mean.copy_from_slice(x);
        }
        scheme.step(sde, x, h, draws);
        if let Some(IntegratedShadow { shadows, mean }) = &mut self.shadow {
            let (Coefficients { drift, diffusion, .. }, increment) = scheme.martingale();
            mean.iter_mut().zip(drift).for_each(|(mean, drift)| *mean += h * drift);
            shadows.record(path, substep, Some(Noise { increment, mean, covariance: diffusion, weight: h }));
        }
    }

    fn stop(&mut self, path: usize, domain: Domain) {
        let (x, exited) = self.paths.path_mut(path);
        if !*exited {
            domain.stop(x, exited);
        }
    }

    fn is_at_rest(&self, path: usize) -> bool {
        self.shadow.is_none() && self.paths.has_exited(path)
    }
}

impl Block for SdeBlock<'_> {
    fn advance(&mut self) {
        let Self { process, fine, coarse, streams, scheme, draws } = self;
        let h = process.eta / (2 * process.substeps) as f64;
        let deviation = h.sqrt();
        for (path, stream) in streams.iter_mut().enumerate() {
            if fine.is_at_rest(path) && coarse.as_ref().is_none_or(|coarse| coarse.is_at_rest(path)) {
                continue;
            }
            // Two fine steps to every coarse one, on the same Brownian path.
            for coarse_step in 0..process.substeps {
                for (fine_step, draws) in (2 * coarse_step..).zip(&mut *draws) {
                    draws.renew(deviation, stream);
                    fine.advance(path, fine_step, &mut **scheme, process.sde, h, draws);
                }
                if let Some(coarse) = coarse {
                    let [first, second] = &mut *draws;
                    first.extend(second);
                    coarse.advance(path, coarse_step, &mut **scheme, process.sde, 2.0 * h, first);
                }
            }
            if let Some(domain) = process.domain {
                fine.stop(path, domain);
                if let Some(coarse) = coarse {
                    coarse.stop(path, domain);
                }
            }
        }
        for integrated in [fine].into_iter().chain(coarse) {
            if let Some(shadow) = &mut integrated.shadow {
                shadow.shadows.advance();
            }
        }
    }

    fn paths(&self) -> &Paths {
        &self.fine.paths
    }

    fn shadows(&self) -> Option<&Shadows<'_>> {
        self.fine.shadow.as_ref().map(|shadow| &shadow.shadows)
    }

    fn coarse(&self) -> Option<(&Paths, Option<&Shadows<'_>>)> {
        self.coarse
            .as_ref()
            .map(|coarse| (&coarse.paths, coarse.shadow.as_ref().map(|shadow| &shadow.shadows)))
    }
}
