//! What becomes of one mutant in one scenario.

use super::distance::{Distance, of_coefficients, of_orders};
use crate::claim::{Claim, Expectation, Judgement, Progress, Verdict, judge};
use crate::ensemble::TestFunction;
use crate::model::Model;
use crate::mutant::{Misfit, Mutant};
use crate::scenario::{Experiment, MonteCarlo};
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::Value;

/// What became of a mutant.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "fate", rename_all = "snake_case")]
#[schemars(transform = explain_tag)]
pub enum Fate {
    /// Some claim noticed.
    Killed {
        /// What noticed.
        by: Vec<Killer>,
        /// In words, of the first that did.
        because: String,
    },
    /// No claim is refuted, and it differs from the right one by less than the margin: a mistake that the scenario
    /// allows. Some claims may be undecided, for either verdict would be right.
    Within {
        /// By how much it differs.
        distance: Distance,
    },
    /// All claims are upheld, but it differs from the right one by more than the margin: a gap in the scenario's
    /// claims.
    Beyond {
        /// By how much it differs.
        distance: Distance,
    },
    /// No claim is refuted, and within the budget either some is undecided, or on which side of the margin the mutant
    /// is; it is not known to be within.
    Undecided {
        /// The claim in words, where one is undecided.
        claim: Option<String>,
        /// By how much it differs.
        distance: Distance,
    },
    /// The mistake is none here.
    Equivalent {
        /// In words.
        because: String,
    },
    /// The mistake cannot be made here, or nothing here could notice.
    Inapplicable {
        /// In words.
        because: String,
    },
}

/// No doc comment reaches the tag.
fn explain_tag(schema: &mut Schema) {
    let variants = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    for tag in variants.into_iter().flatten().filter_map(|variant| variant.pointer_mut("/properties/fate")) {
        tag["description"] = "Which of these became of it.".into();
    }
}

/// What notices a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Killer {
    /// The claim of this kind is refuted.
    Coefficients,
    /// As above.
    Trajectory,
    /// As above.
    Order,
    /// Samples of the wrong process contradict exact expectations of the right one, or the moments that it declares.
    Contradiction,
}

/// Where drift and diffusion of a wrong SDE differ from the right ones by less than this part of the margin, claims are
/// judged only if paths differ by more than it: they are not meant to notice what they allow.
const NEGLIGIBLE: f64 = 0.1;

/// What a mutant may cost.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Whether every claim is judged, also of mutants that one has noticed.
    pub every_claim: bool,
    /// Paths of each process at most, where the scenario does not say less.
    pub max_seeds: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { every_claim: false, max_seeds: 262_144 }
    }
}

/// Whether the scenario claims nothing but what should be upheld.
pub fn has_only_upheld_claims(experiment: &Experiment) -> bool {
    experiment.claims.iter().all(|claim| claim.expect() == Expectation::Upheld)
}

/// Judges the claims of an experiment with a mistake in place: those on single steps first, which is cheap, and the
/// others where they do not notice, or where every claim is asked for.
pub fn fate(experiment: &Experiment, mutant: Mutant, effort: Effort, progress: &dyn Progress) -> Fate {
    match mutated(experiment, mutant, effort) {
        Err(Misfit::Inapplicable(because)) => Fate::Inapplicable { because },
        Err(Misfit::Equivalent(because)) => Fate::Equivalent { because },
        Ok((mut mutated, claims)) => {
            let max_seeds = mutated.monte_carlo.max_seeds;
            let measure = |wrong: &Model| Distance::measure(experiment, wrong, mutant, max_seeds, progress);
            if is_negligible(experiment, &mutated, mutant) && !effort.every_claim {
                let distance = measure(&mutated.model);
                if distance.is_within() {
                    return Fate::Within { distance };
                }
            }
            let (of_steps, of_paths): (Vec<Claim>, Vec<Claim>) =
                claims.into_iter().partition(|claim| matches!(claim, Claim::Coefficients(_)));
            let mut evidence = Evidence::default();
            for claims in [of_steps, of_paths] {
                if evidence.killers.is_empty() || effort.every_claim {
                    mutated.claims = claims;
                    evidence.add(&judge(&mutated, progress));
                }
            }
            evidence.fate(|| measure(&mutated.model))
        }
    }
}

/// Whether a wrong SDE hardly differs from the right one at a step, and approaches it as fast as any order that is
/// claimed.
fn is_negligible(experiment: &Experiment, mutated: &Experiment, mutant: Mutant) -> bool {
    let is_small = || {
        let difference = of_coefficients(experiment, &mutated.model, mutant);
        difference.is_some_and(|difference| difference.margins <= NEGLIGIBLE)
    };
    matches!(mutant, Mutant::Sde(_))
        && is_small()
        && of_orders(experiment, mutant).is_none_or(|difference| difference.is_allowed())
}

/// The experiment with the mistake in its model, and the claims that can notice it.
fn mutated(
    experiment: &Experiment,
    mutant: Mutant,
    effort: Effort,
) -> Result<(Experiment, Vec<Claim>), Misfit> {
    let model = mutant.spoil(&experiment.model)?;
    // Exact expectations of an optimizer are those of the right one: a wrong one has to be sampled.
    let is_sampled = experiment.is_sampled || matches!(mutant, Mutant::Optimizer(_));
    let mut claims = Vec::new();
    // What is concluded from the SDE says nothing of whether it tracks the optimizer.
    let compares = |claim: &&Claim| !claim.is_of_conclusions();
    for claim in experiment.claims.iter().filter(compares) {
        if matches!(mutant, Mutant::Sde(_)) || can_notice(claim, experiment, mutant) {
            claims.push(claim.map(|model| mutant.spoil(model))?);
        }
    }
    if claims.is_empty() {
        let because = "the claims are decided on exact expectations, which are those of the right optimizer, and \
                       nothing can be sampled under this noise";
        return Err(Misfit::Inapplicable(because.to_owned()));
    }
    let of_single_steps = claims.iter().all(|claim| matches!(claim, Claim::Coefficients(_)));
    if of_single_steps && mutant.has_right_steps() {
        let because = "each step is right, and no claim on whole paths can be sampled and notice";
        return Err(Misfit::Inapplicable(because.to_owned()));
    }
    let MonteCarlo { max_seeds, .. } = experiment.monte_carlo;
    let max_seeds = max_seeds.min(effort.max_seeds.max(experiment.monte_carlo.first_look()));
    let experiment = Experiment {
        title: experiment.title.clone(),
        source: experiment.source.clone(),
        model,
        monte_carlo: MonteCarlo { max_seeds, ..experiment.monte_carlo },
        is_sampled,
        sweep: None,
        claims: Vec::new(),
    };
    Ok((experiment, claims))
}

/// Whether samples of a wrong optimizer can refute the claim.
fn can_notice(claim: &Claim, experiment: &Experiment, mutant: Mutant) -> bool {
    match claim {
        Claim::Coefficients(_) => true,
        Claim::Trajectory(_) => {
            let functions = experiment.model.functions();
            functions.tested.iter().any(|function| *function != TestFunction::Exit)
        }
        // One step more is O(η), which order 1 allows.
        Claim::Order(order) => experiment.is_sampled && !(mutant.has_right_steps() && order.claimed() == 1),
        Claim::Consequence(_) | Claim::OfSweep(_) => false,
    }
}

/// What the judgements of a mutant come to.
#[derive(Default)]
struct Evidence {
    killers: Vec<Killer>,
    refuted: Option<String>,
    undecided: Option<String>,
}

impl Evidence {
    fn add(&mut self, judgement: &Judgement) {
        for finding in &judgement.findings {
            let kind = match &*finding.kind {
                "coefficients" => Killer::Coefficients,
                "trajectory" => Killer::Trajectory,
                _ => Killer::Order,
            };
            match finding.verdict {
                Verdict::Upheld => {}
                Verdict::Refuted => self.kill(kind, finding.sentence.clone()),
                Verdict::Inconclusive => {
                    self.undecided.get_or_insert_with(|| finding.sentence.clone());
                }
            }
        }
        if let Some(first) = judgement.contradictions.first() {
            self.kill(Killer::Contradiction, first.to_string());
        }
    }

    fn kill(&mut self, by: Killer, sentence: String) {
        if !self.killers.contains(&by) {
            self.killers.push(by);
        }
        self.refuted.get_or_insert(sentence);
    }

    fn fate(self, distance: impl FnOnce() -> Distance) -> Fate {
        if let Some(because) = self.refuted {
            return Fate::Killed { by: self.killers, because };
        }
        let distance = distance();
        if distance.is_within() {
            Fate::Within { distance }
        } else if self.undecided.is_none() && distance.is_beyond() {
            Fate::Beyond { distance }
        } else {
            Fate::Undecided { claim: self.undecided, distance }
        }
    }
}
