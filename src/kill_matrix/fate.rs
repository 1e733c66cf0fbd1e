//! What becomes of one mutant in one scenario.

use crate::claim::{
    Claim, Coefficients, Difference, Judgement, Progress, Verdict, judge, sampled_difference,
};
use crate::claim::{Expectation, Trajectory};
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
    /// No claim is refuted: all are upheld, or some undecided while the mutant is within the margin, where either
    /// verdict is right.
    Survived {
        /// Whether it differs from the right one by more than the margin: a gap in the scenario's claims.
        beyond_margin: bool,
        /// Where drift and diffusion of a wrong SDE differ most from the right ones; exact.
        coefficients: Option<Difference>,
        /// Where the moments of paths differ most from those of the right process; sampled.
        trajectory: Option<Difference>,
    },
    /// Not all claims could be decided within the budget, none is refuted, and the mutant is not within the margin.
    Undecided {
        /// In words.
        because: String,
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

/// A wrong SDE that differs from the right one by less than this part of the margin everywhere is not simulated: a
/// claim that allows ten times as much is not meant to notice it.
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
        Self { every_claim: false, max_seeds: 65536 }
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
            let (of_steps, of_paths): (Vec<Claim>, Vec<Claim>) =
                claims.into_iter().partition(|claim| matches!(claim, Claim::Coefficients(_)));
            if let Some(difference) = exact_difference(experiment, &mutated.model, mutant)
                && difference.margins <= NEGLIGIBLE
                && !effort.every_claim
                && mutated.is_sampled
            {
                let coefficients = Some(difference);
                return Fate::Survived { beyond_margin: false, coefficients, trajectory: None };
            }
            let mut evidence = Evidence::default();
            for claims in [of_steps, of_paths] {
                if evidence.killers.is_empty() || effort.every_claim {
                    mutated.claims = claims;
                    evidence.add(&judge(&mutated, progress));
                }
            }
            evidence.fate(|| survived(experiment, &mutated.model, mutant, progress))
        }
    }
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
    for claim in &experiment.claims {
        if matches!(mutant, Mutant::Sde(_)) || can_be_sampled(claim, &model) {
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
        let because = "each step is right, and no claim on whole paths can be sampled";
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
        claims: Vec::new(),
    };
    Ok((experiment, claims))
}

fn can_be_sampled(claim: &Claim, model: &Model) -> bool {
    match claim {
        Claim::Coefficients(_) => true,
        Claim::Trajectory(_) => {
            model.functions().tested.iter().any(|function| *function != TestFunction::Exit)
        }
        Claim::Order(_) => false,
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
            let kind = match finding.kind {
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
            let sentence = first.to_string();
            let sentence = sentence.strip_prefix("an error of itocheck: ").unwrap_or(&sentence).to_owned();
            self.kill(Killer::Contradiction, sentence);
        }
    }

    fn kill(&mut self, by: Killer, sentence: String) {
        if !self.killers.contains(&by) {
            self.killers.push(by);
        }
        self.refuted.get_or_insert(sentence);
    }

    fn fate(self, survived: impl FnOnce() -> Fate) -> Fate {
        match (self.refuted, self.undecided) {
            (Some(because), _) => Fate::Killed { by: self.killers, because },
            (None, None) => survived(),
            (None, Some(because)) => match survived() {
                within @ Fate::Survived { beyond_margin: false, .. } => within,
                _ => Fate::Undecided { because },
            },
        }
    }
}

/// How far a mutant that all claims uphold is from the right one. The claims compare the optimizer with the SDE; this
/// compares the wrong one with the right one, so that no mistake hides behind what the two differ by anyway.
fn survived(experiment: &Experiment, wrong: &Model, mutant: Mutant, progress: &dyn Progress) -> Fate {
    let trajectory = |claim: &Claim| match claim {
        Claim::Trajectory(claim) => Some(*claim),
        _ => None,
    };
    let claims = &experiment.claims;
    let coefficients = exact_difference(experiment, wrong, mutant);
    let trajectory = claims
        .iter()
        .filter_map(trajectory)
        .filter_map(|claim: Trajectory| sampled_difference(&claim, experiment, wrong, progress));
    let trajectory = trajectory.max_by(|a, b| a.at_least.total_cmp(&b.at_least));
    let beyond = |difference: &Option<Difference>| {
        difference.as_ref().is_some_and(|difference| difference.at_least > 1.0)
    };
    let is_unmeasured = coefficients.is_none() && trajectory.is_none();
    Fate::Survived {
        beyond_margin: is_unmeasured || beyond(&coefficients) || beyond(&trajectory),
        coefficients,
        trajectory,
    }
}

/// The largest difference between drift and diffusion of a wrong SDE and the right ones.
fn exact_difference(experiment: &Experiment, wrong: &Model, mutant: Mutant) -> Option<Difference> {
    let claimed = |claim: &Claim| match claim {
        Claim::Coefficients(claim) => Some(*claim),
        _ => None,
    };
    matches!(mutant, Mutant::Sde(_)).then(|| {
        let claim: Coefficients = experiment.claims.iter().find_map(claimed).unwrap_or_default();
        claim.exact_difference(&experiment.model, &*wrong.sde, experiment.monte_carlo.seed)
    })
}
