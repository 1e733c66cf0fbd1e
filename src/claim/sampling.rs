//! Sampling: paths of optimizer and SDE, look after look, and what they come to. What every claim about moments
//! shares.

use super::contradiction::{Contradiction, FALSE_ALARM, contradictions};
use super::decision::EVENTS_FOR_AN_INTERVAL;
use super::gates::Distrust;
use super::pilot::Shadowing;
use super::{NonFinite, Progress};
use crate::ensemble::{BLOCK, Estimates, Moments, Observables, Pair};
use crate::exact::{Exact, expectations};
use crate::model::Model;
use crate::random::Role;
use crate::scenario::MonteCarlo;
use crate::stats::{Look, Looks};

/// One block in so many carries the coarse paths that measure the integrator's bias.
pub(super) const COARSE_EVERY: u64 = 4;

/// Why paths are drawn where expectations are exact.
pub(super) const ASKED_FOR: &str = "[monte_carlo], --seeds or --max-seeds asks for it";

/// With linear shadows, few blocks do, and all of them carry coarse paths.
const COARSE_EVERY_SHADOWED: u64 = 1;

/// What was simulated, besides the estimates.
#[derive(Default)]
pub struct Simulated {
    pub contradictions: Vec<Contradiction>,
    pub non_finite: NonFinite,
    /// Optimizer steps.
    pub path_steps: u64,
}

impl Simulated {
    pub fn add(&mut self, other: Self) {
        self.contradictions.extend(other.contradictions);
        self.non_finite.optimizer += other.non_finite.optimizer;
        self.non_finite.sde += other.non_finite.sde;
        self.path_steps += other.path_steps;
    }
}

/// Looks in blocks, from that of `first` paths to the budget.
pub(super) fn looks(first: u64, monte_carlo: &MonteCarlo) -> Looks {
    let whole_blocks = |paths: u64| paths.div_ceil(BLOCK as u64);
    Looks::new(whole_blocks(first.min(monte_carlo.max_seeds)), whole_blocks(monte_carlo.max_seeds))
}

/// Paths of both processes over one run.
pub(super) struct Sampling<'a> {
    pub model: &'a Model,
    pub observables: &'a Observables,
    pub shadowing: Option<&'a Shadowing>,
    pub seed: u64,
    pub moments: Moments,
    /// What is known of the expectations without sampling.
    pub exact: Exact,
    /// Why nothing may be decided on the shadow, as the last look has it.
    pub distrust: Option<Distrust>,
}

impl<'a> Sampling<'a> {
    pub fn new(
        model: &'a Model,
        observables: &'a Observables,
        shadowing: Option<&'a Shadowing>,
        seed: u64,
    ) -> Self {
        let exact = expectations(model, observables);
        Self { model, observables, shadowing, seed, moments: Moments::default(), exact, distrust: None }
    }

    /// Simulates as many blocks as the look has, and tests the shadow on them.
    pub fn extend(&mut self, look: Look, progress: &dyn Progress) {
        let Self { model, observables, shadowing, seed, ref mut moments, .. } = *self;
        let coarse_every = if shadowing.is_some() { COARSE_EVERY_SHADOWED } else { COARSE_EVERY };
        let mut optimizer = model.optimizer_process(seed, Role::Optimizer);
        let mut sde = model.sde_process(seed, Role::Sde, coarse_every);
        if let Some(shadowing) = shadowing {
            (optimizer.expansion, sde.expansions) = shadowing.expansions.of_both();
        }
        let steps = model.run.steps;
        let controls = shadowing.map(|shadowing| &shadowing.controls);
        let pair = Pair { optimizer: &optimizer, sde: &sde, observables, steps, controls };
        let range = moments.raw.gap.count()..look.size;
        let steps_in_block = (BLOCK * steps) as u64;
        progress.announce((range.end - range.start) * steps_in_block);
        moments.extend(&pair, range, &|| progress.tick(steps_in_block));
        self.distrust = self.tested(look);
    }

    fn tested(&self, look: Look) -> Option<Distrust> {
        let pairs = self.shadowing.filter(|_| !self.has_diverged())?.expansions.optimizer.pairs();
        Distrust::of(&self.moments, self.observables, pairs, &self.exact, self.weak_order(), look)
    }

    /// What intervals are made of: estimates after the controls, where there are any that can be trusted.
    pub fn estimates(&self) -> &Estimates {
        let Moments { raw, shadowed, .. } = &self.moments;
        match shadowed {
            Some(shadowed) if self.distrust.is_none() => &shadowed.estimates,
            _ => raw,
        }
    }

    pub fn seeds(&self) -> u64 {
        self.moments.seeds()
    }

    /// Of the integrator.
    pub fn weak_order(&self) -> u32 {
        self.model.run.scheme.weak_order()
    }

    /// The number of paths, in words.
    pub fn describe(&self) -> String {
        let with_shadows = if self.shadowing.is_some() { " with linear shadows" } else { "" };
        format!("{} seeds{with_shadows}", self.seeds())
    }

    /// What the intervals rest on besides the draws.
    pub fn assumes(&self) -> Vec<String> {
        let declared = self.shadowing.map(|_| "declared_moments");
        ["block_means_gaussian", "integrator_bias_extrapolated"]
            .into_iter()
            .chain(declared)
            .chain(self.model.run.sampling.assumption())
            .map(str::to_owned)
            .collect()
    }

    pub fn non_finite(&self) -> NonFinite {
        let Moments { non_finite_optimizer, non_finite_sde, .. } = self.moments;
        NonFinite { optimizer: non_finite_optimizer, sde: non_finite_sde }
    }

    pub fn has_diverged(&self) -> bool {
        self.moments.non_finite_optimizer + self.moments.non_finite_sde > 0
    }

    /// Expected occurrences of the rarest event of a step before the first record.
    pub fn events(&self) -> f64 {
        self.model.rarest_events(self.seeds())
    }

    /// Whether events are too rare for an interval in standard errors.
    pub fn has_rare_events(&self) -> bool {
        self.events() < EVENTS_FOR_AN_INTERVAL
    }

    /// What it came to.
    pub fn simulated(self) -> Simulated {
        Simulated {
            non_finite: self.non_finite(),
            path_steps: self.seeds() * self.model.run.steps as u64,
            contradictions: self.contradictions(),
        }
    }

    /// What contradicts exact expectations, and what of the shadow the paths contradict.
    fn contradictions(self) -> Vec<Contradiction> {
        if self.has_diverged() || self.has_rare_events() {
            return Vec::new();
        }
        let (raw, weak_order) = (&self.moments.raw, self.weak_order());
        let mut found = contradictions(raw, self.observables, &self.exact, weak_order, FALSE_ALARM);
        if let Some(Distrust::Contradicted(of_shadow)) = self.distrust {
            found.extend(of_shadow);
        }
        found
    }
}
