//! What a run is expected to take, before it is run: seeds, detectable gap and time, from a rehearsal on other
//! paths than those of the run.

use super::decision::{Gap, decide};
use super::finding::{Finding, Verdict};
use super::trajectory;
use super::{Claim, Progress};
use crate::scenario::Experiment;
use crate::stats::{Look, Looks, student_quantile};

/// What judging a claim is expected to take, and to come to.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// The kind of the claim.
    pub kind: String,
    /// What it is expected to come to.
    pub verdict: Verdict,
    /// Paths of each process, or draws; 0 for exact expectations.
    pub seeds: u64,
    /// The same in words.
    pub sample: String,
    /// At which look it is decided.
    pub looks: u32,
    /// The smallest gap that the whole budget would refute with probability 0.95, in margins, where a claim is
    /// closest to breaking.
    pub detectable_gap: Option<f64>,
    /// From the first draw to the verdict, with the threads of the rehearsal.
    pub seconds: f64,
}

impl Forecast {
    /// Of a finding on exact expectations, which is known when it is forecast.
    pub(super) fn of_exact(finding: &Finding, seconds: f64) -> Self {
        let margin = finding.worst.as_ref().map(|worst| worst.margin);
        let in_margins = finding.detectable_gap.zip(margin).map(|(gap, margin)| gap / margin);
        Self {
            kind: finding.kind.clone(),
            verdict: finding.verdict,
            seeds: 0,
            sample: "exact expectations".to_owned(),
            looks: 0,
            detectable_gap: in_margins,
            seconds,
        }
    }
}

/// A forecast for each claim, in the order of the claims; none for those that are not rehearsed: an order that is
/// sampled, and conclusions.
pub fn forecast(experiment: &Experiment, progress: &dyn Progress) -> Vec<Option<Forecast>> {
    let mut trajectories = Vec::new();
    let mut forecasts: Vec<Option<Forecast>> = Vec::new();
    for (index, claim) in experiment.claims.iter().enumerate() {
        forecasts.push(match claim {
            Claim::Coefficients(claim) => Some(claim.forecast(experiment, progress)),
            Claim::Order(claim) => claim.forecast(experiment),
            Claim::Consequence(_) | Claim::OfSweep(_) => None,
            Claim::Trajectory(claim) => {
                trajectories.push((index, claim));
                None
            }
        });
    }
    for (index, forecast) in trajectory::forecast(&trajectories, experiment, progress) {
        forecasts[index] = Some(forecast);
    }
    forecasts
}

/// The seed of a rehearsal, so that its paths are not those of the run.
pub(super) fn rehearsal_seed(seed: u64) -> u64 {
    !seed
}

/// How many standard errors a rehearsal of so many blocks may find each of `cells` means away from where it is, in all
/// but one of twenty rehearsals: what is within them is not taken for a gap.
pub(super) fn unseen_quantile(blocks: u64, cells: usize) -> f64 {
    student_quantile(blocks as f64 - 1.0, 0.05 / (2 * cells.max(1)) as f64)
}

/// The look at which a claim is expected to be decided.
pub(super) struct Decided {
    pub verdict: Verdict,
    pub look: Look,
    detectable_gap: Option<f64>,
}

impl Decided {
    /// The forecast of a claim of this `kind`, which takes `seeds` and time.
    pub fn forecast(&self, kind: &'static str, seeds: u64, sample: String, seconds: f64) -> Forecast {
        Forecast {
            kind: kind.to_owned(),
            verdict: self.verdict,
            seeds,
            sample,
            looks: self.look.number,
            detectable_gap: self.detectable_gap,
            seconds,
        }
    }
}

/// Goes through the looks with the gaps that each is expected to see; none where events are too rare for any.
pub(super) fn decided(looks: Looks, gaps: impl Fn(Look) -> Option<Vec<Gap>>) -> Decided {
    let mut last = None;
    for look in looks {
        let (verdict, detectable_gap) = match gaps(look) {
            None => (Verdict::Inconclusive, None),
            Some(gaps) => {
                let (verdict, worst) = decide(&gaps);
                let in_margins = worst.map(|worst| gaps[worst].detectable / gaps[worst].margin);
                (verdict, in_margins.filter(|ratio| ratio.is_finite()))
            }
        };
        last = Some(Decided { verdict, look, detectable_gap });
        if verdict != Verdict::Inconclusive {
            break;
        }
    }
    last.expect("there is always one look")
}
