//! The SDE as a process.

use super::{Domain, Process};
use crate::ensemble::block::{Block, Paths};
use crate::ensemble::driver::BLOCK;
use crate::ensemble::shadow::{Expansion, Noise, Shadows, StepMoments};
use crate::integrator::{Draws, Scheme, SchemeName};
use crate::random::{Role, Streams};
use crate::rows;
use crate::sde::{Coefficients, Sde};

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
    /// One block of [`BLOCK`] paths in so many carries the coarse paths along; none where it is 0.
    pub coarse_every: u64,
    /// What linear shadows of the paths and of the coarse ones follow, if they carry any.
    pub expansions: Option<[&'a Expansion; 2]>,
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
    fn dimension(&self) -> usize {
        self.start.len()
    }

    fn start(&self, first: u64, count: usize) -> Box<dyn Block + '_> {
        let d = self.start.len();
        let block = first / BLOCK as u64;
        let carries_coarse = self.coarse_every > 0 && block.is_multiple_of(self.coarse_every);
        let integrated = |resolution: usize, substeps: usize| Integrated {
            paths: Paths::at(self.start, count),
            before: vec![0.0; d * count],
            shadows: self.expansions.map(|of| Shadows::new(of[resolution], d, count, substeps)),
        };
        Box::new(SdeBlock {
            process: self,
            fine: integrated(0, 2 * self.substeps),
            coarse: carries_coarse.then(|| integrated(1, self.substeps)),
            streams: Streams::new(self.seed, self.role, first..first + count as u64),
            stepper: Stepper::new(self, count),
            draws: [self.scheme.draws(d, count), self.scheme.draws(d, count)],
        })
    }
}

struct SdeBlock<'a> {
    process: &'a SdeProcess<'a>,
    fine: Integrated<'a>,
    coarse: Option<Integrated<'a>>,
    streams: Streams,
    stepper: Stepper<'a>,
    draws: [Draws; 2],
}

/// Paths that are integrated with one length of step, and their shadows.
struct Integrated<'a> {
    paths: Paths,
    /// Where the paths were before a step.
    before: Vec<f64>,
    shadows: Option<Shadows<'a>>,
}

/// Takes the steps of a scheme, of n paths at once or of one after the other.
struct Stepper<'a> {
    sde: &'a dyn Sde,
    scheme: Box<dyn Scheme>,
    /// Where paths go one after the other: the state of one, what it draws, and its mean.
    one: Option<(Vec<f64>, Draws)>,
    /// `X + b(X) h` of the paths that go at once.
    mean: Vec<f64>,
    /// Whether paths may leave a domain.
    stops: bool,
}

impl<'a> Stepper<'a> {
    fn new(process: &'a SdeProcess, count: usize) -> Self {
        let d = process.start.len();
        let at_once = if process.sde.takes_blocks() && process.scheme.takes_blocks() { count } else { 1 };
        Self {
            sde: process.sde,
            scheme: process.scheme.build(d, at_once),
            one: (at_once < count).then(|| (vec![0.0; d], process.scheme.draws(d, 1))),
            mean: vec![0.0; d * at_once],
            stops: process.domain.is_some(),
        }
    }

    /// One step of length `h` of all paths.
    fn step(&mut self, integrated: &mut Integrated, substep: usize, h: f64, draws: &Draws) {
        let Integrated { paths, before, shadows } = integrated;
        let n = paths.count();
        let Self { sde, scheme, one, mean, .. } = self;
        let has_shadows = shadows.is_some();
        let mut record = |first: usize, mean: &mut Vec<f64>, scheme: &dyn Scheme| {
            if let Some(shadows) = shadows {
                let (Coefficients { drift, diffusion: covariance, .. }, increment) = scheme.martingale();
                rows::add_scaled(mean, h, drift);
                shadows.record(first, substep, Noise { increment, mean, covariance, weight: h });
            }
        };
        if let Some((x, draws_of_path)) = one {
            for path in 0..n {
                if paths.exited()[path] {
                    continue;
                }
                rows::read_column(paths.states(), n, path, x);
                draws.read_path(n, path, draws_of_path);
                mean.copy_from_slice(x);
                scheme.step(*sde, x, h, draws_of_path);
                rows::write_column(paths.states_mut(), n, path, x);
                record(path, mean, &**scheme);
            }
        } else {
            if has_shadows {
                mean.copy_from_slice(paths.states());
            }
            scheme.step(*sde, paths.states_mut(), h, draws);
            record(0, mean, &**scheme);
            if self.stops {
                paths.restore_exited(before);
            }
        }
        if let Some(shadows) = shadows {
            let exited = paths.exited();
            (0..n).filter(|&path| exited[path]).for_each(|path| shadows.rest(path, substep));
        }
    }
}

impl Integrated<'_> {
    fn is_at_rest(&self) -> bool {
        self.shadows.is_none() && self.paths.exited().iter().all(|exited| *exited)
    }
}

impl Block for SdeBlock<'_> {
    fn advance(&mut self) {
        let Self { process, fine, coarse, streams, stepper, draws } = self;
        if fine.is_at_rest() && coarse.as_ref().is_none_or(Integrated::is_at_rest) {
            return;
        }
        if process.domain.is_some() {
            for Integrated { paths, before, .. } in [&mut *fine].into_iter().chain(&mut *coarse) {
                before.copy_from_slice(paths.states());
            }
        }
        let h = process.eta / (2 * process.substeps) as f64;
        // Two fine steps to every coarse one, on the same Brownian path.
        for coarse_step in 0..process.substeps {
            for (fine_step, draws) in (2 * coarse_step..).zip(&mut *draws) {
                draws.renew(h, streams);
                stepper.step(fine, fine_step, h, draws);
            }
            if let Some(coarse) = coarse {
                let [first, second] = &mut *draws;
                first.extend(second);
                stepper.step(coarse, coarse_step, 2.0 * h, first);
            }
        }
        for integrated in [fine].into_iter().chain(coarse) {
            if let Some(domain) = process.domain {
                integrated.paths.stop(|x| domain.stops(x));
            }
            if let Some(shadows) = &mut integrated.shadows {
                shadows.advance();
            }
        }
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
