//! Claim `scaling`: after a change of learning rate, batch size, compression and agents, a process comes to rest at
//! the loss of the uncompressed one before it.

use super::decision::{Gap, Levels, decide};
use super::finding::{Expectation, Finding, Verdict, Worst};
use super::long_run::{LongRun, Schedule, refusal, refusal_at_end};
use super::relaxation::Relaxation;
use super::sampling::{Simulated, looks};
use super::stationary::{Form, predicted_loss};
use super::tables::{finite, finite_pair};
use super::{Claim, Consequence, Progress, Setting, Side};
use crate::ensemble::TestFunction;
use crate::model::Model;
use crate::parameter::{Invalid, checked};
use crate::scenario::{Experiment, Scenario};
use crate::stats::Look;
use crate::theory::{Change, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// What the ratio of the floors is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Invariant {
    /// 1: the floor is preserved.
    #[default]
    Preserved,
    /// What the stationary laws make of the change at this η, on a quadratic.
    Corrected,
}

/// Which losses are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// Those at rest, above the one where the drift vanishes.
    #[default]
    Rest,
    /// Those at the time at which the run ends, above the minimum of f where that is known: after the change a run has
    /// 1/κ times the steps, that of DSignSGD 1/(κ√δ) times, as its drift has a speed of √B.
    End,
}

/// After `η → κη, B → δB, ω → βω, N → αN` the process comes to rest at the loss of uncompressed SGD before it (DSGD, DCSGD),
/// or at its own (DSignSGD); each at its own stationarity, as the speeds differ. The change is a `rule` by name, with
/// the one parameter that is free in it, or is given by its four factors.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// A rule by name, in place of the four factors.
    rule: Option<Rule>,
    /// The free parameter of the rule: β, κ or δ.
    given: Option<f64>,
    /// κ; 1 unless given.
    learning_rate: Option<f64>,
    /// δ; 1 unless given.
    batch_size: Option<f64>,
    /// β; 1 unless given.
    compression: Option<f64>,
    /// α; 1 unless given.
    agents: Option<f64>,
    /// The process.
    #[serde(default = "optimizer")]
    process: Side,
    /// When the losses are compared.
    #[serde(default)]
    at: At,
    /// What the ratio of the losses should be.
    #[serde(default)]
    invariant: Invariant,
    /// How far from it the ratio may be, above 0.
    margin: f64,
    /// What should come out: a negative control says that it is refuted.
    #[serde(default)]
    expect: Expectation,
}

fn optimizer() -> Side {
    Side::Optimizer
}

/// A model and how it comes to rest; none where the end of its run is looked at.
struct Looked {
    model: Model,
    relaxation: Option<Relaxation>,
}

impl Looked {
    /// An error that says why its loss cannot be had.
    fn new(model: Model, at: At, process: Side, is_sampled: bool) -> Result<Self, String> {
        let (relaxation, refused) = match at {
            At::End => (None, refusal_at_end(&model, is_sampled)),
            At::Rest => {
                let relaxation = Relaxation::of(&model).map_err(|unknown| {
                    format!("{unknown}; expected a stationary law before and after the change")
                })?;
                let refused = refusal(&model, process, &[TestFunction::Loss], &relaxation, is_sampled);
                (Some(relaxation), refused)
            }
        };
        refused.map_or(Ok(Self { model, relaxation }), Err)
    }

    fn run(&self, process: Side, seed: u64, is_sampled: bool) -> LongRun<'_> {
        let (model, loss) = (&self.model, vec![TestFunction::Loss]);
        match &self.relaxation {
            Some(relaxation) => LongRun::at_rest(model, process, loss, relaxation, seed, is_sampled),
            None => LongRun::at_end(model, process, seed, is_sampled),
        }
    }

    /// What the loss is counted from.
    fn least(&self) -> f64 {
        let objective = self.model.agents.objective();
        match &self.relaxation {
            Some(relaxation) => objective.value(&relaxation.point),
            None => objective.minimum().unwrap_or(0.0),
        }
    }
}

/// The claim, checked.
struct Scaling {
    rule: Option<Rule>,
    change: Change,
    process: Side,
    /// What the ratio should be.
    target: f64,
    margin: f64,
    expect: Expectation,
    at: At,
    base: Looked,
    scaled: Looked,
}

impl fmt::Debug for Scaling {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Scaling")
            .field("rule", &self.rule)
            .field("change", &self.change)
            .finish_non_exhaustive()
    }
}

impl Parameters {
    pub(super) fn build(&self, setting: &Setting) -> Result<Claim, Invalid> {
        let margin = checked("margin", self.margin, |margin| margin > 0.0, "a number above 0")?;
        setting.model.has_theory("a scaling rule")?;
        let change = self.change(setting)?;
        let of_signs = setting.model.takes_signs();
        let looked = |key: &'static str, change: &dyn Fn(&mut Scenario) -> Result<(), Invalid>| {
            let model = (setting.rebuild)(change).map_err(|invalid| {
                let own = ["agents", "batch_size", "compression"].contains(&&*invalid.path);
                if own && self.rule.is_none() {
                    return invalid;
                }
                let of = if invalid.path.is_empty() {
                    String::new()
                } else {
                    format!("after it, {}: ", invalid.path)
                };
                Invalid::new(key, format!("{of}{}", invalid.message))
            })?;
            Looked::new(model, self.at, self.process, setting.is_sampled)
                .map_err(|refusal| Invalid::new(key, refusal))
        };
        let base = looked("", &|scenario| {
            if !of_signs {
                scenario.uncompress();
            }
            Ok(())
        })?;
        let key = if self.rule.is_some() { "given" } else { "" };
        let scaled = looked(key, &|scenario| {
            scenario.rescale(change)?;
            match self.at {
                At::Rest => Ok(()),
                At::End => scenario.keep_the_end(change, of_signs),
            }
        })?;
        let target = match self.invariant {
            Invariant::Preserved => 1.0,
            Invariant::Corrected if self.at == At::End => {
                let message = "\"corrected\" at the end of a run; expected \"preserved\", or at = \"rest\"";
                return Err(Invalid::new("invariant", message));
            }
            Invariant::Corrected => {
                let predicted = |model| {
                    predicted_loss(model, self.process, Form::Full).map_err(|reason| {
                        let message = format!("no prediction: {reason}; expected \"preserved\"");
                        Invalid::new("invariant", message)
                    })
                };
                predicted(&scaled.model)? / predicted(&base.model)?
            }
        };
        let &Self { rule, process, expect, at, .. } = self;
        let scaling = Scaling { rule, change, process, target, margin, expect, at, base, scaled };
        Ok(Claim::Consequence(Arc::new(scaling)))
    }

    fn change(&self, setting: &Setting) -> Result<Change, Invalid> {
        let factor = |key: &str, given: Option<f64>| {
            given.map_or(Ok(1.0), |factor| checked(key, factor, |factor| factor > 0.0, "a number above 0"))
        };
        let change = Change {
            learning_rate: factor("learning_rate", self.learning_rate)?,
            batch_size: factor("batch_size", self.batch_size)?,
            compression: factor("compression", self.compression)?,
            agents: factor("agents", self.agents)?,
        };
        let Some(rule) = self.rule else {
            return match self.given {
                None => Ok(change),
                Some(_) => Err(Invalid::new("given", "without a rule; expected `rule`, or the four factors")),
            };
        };
        if change != Change::NONE {
            return Err(Invalid::new(
                "rule",
                "with factors of its own; expected a rule with `given`, or factors",
            ));
        }
        let of_signs = setting.model.takes_signs();
        if rule.is_of_signs() != of_signs {
            let right =
                if of_signs { "one that begins with sign_" } else { "one that does not begin with sign_" };
            return Err(Invalid::new("rule", format!("a rule of other optimizers; expected {right}")));
        }
        let Some(given) = self.given else {
            return Err(Invalid::new(
                "",
                format!("no `given`; expected the free parameter of {}", rule.formula()),
            ));
        };
        let given = checked("given", given, |given| given > 0.0, "a number above 0")?;
        let omegas: Vec<f64> =
            setting.model.agents.groups().iter().map(|group| group.compressor.omega()).collect();
        if omegas.iter().any(|&omega| omega != omegas[0]) {
            return Err(Invalid::new("rule", "agents of different ω; expected one ω, or factors"));
        }
        Ok(rule.change(omegas[0], given))
    }
}

/// What a quotient of two positive numbers within intervals is within.
pub(super) fn quotient(above: [f64; 2], below: [f64; 2]) -> [f64; 2] {
    if below[0] <= 0.0 {
        return [0.0, f64::INFINITY];
    }
    [above[0].max(0.0) / below[1], above[1] / below[0]]
}

impl Scaling {
    fn gap(&self, [base, scaled]: [&LongRun; 2], levels: Levels) -> Gap {
        let [least, floor] = [&self.scaled, &self.base].map(Looked::least);
        let ratio = |tail: f64| {
            // Either interval may miss by half of what the ratio may.
            let scaled = scaled.interval(0, tail / 2.0).map(|end| end - least);
            let base = base.interval(0, tail / 2.0).map(|end| end - floor);
            quotient(scaled, base).map(|end| end - self.target)
        };
        let estimate = (scaled.estimate(0) - least) / (base.estimate(0) - floor) - self.target;
        let refuted = ratio(levels.refuted);
        let detectable = self.margin + (refuted[1] - refuted[0]);
        Gap { estimate, upheld: ratio(levels.upheld), refuted, margin: self.margin, detectable }
    }

    fn finding(&self, floors: [&LongRun; 2], experiment: &Experiment, look: Look) -> Option<Finding> {
        let error_rate = experiment.monte_carlo.error_rate;
        let gap = self.gap(floors, Levels::new(error_rate, look, 1));
        let has_diverged = floors.iter().any(|floor| floor.has_diverged());
        let is_unsettled = floors.iter().any(|floor| floor.unsettled().is_some());
        let (verdict, _) = if has_diverged {
            (Verdict::Refuted, None)
        } else if is_unsettled {
            (Verdict::Inconclusive, None)
        } else {
            decide(&[gap])
        };
        let is_sampled = floors.iter().any(|floor| floor.is_sampled());
        if verdict == Verdict::Inconclusive && is_sampled && !look.is_last {
            return None;
        }
        let worst = (!has_diverged && !is_unsettled).then_some(gap);
        let [base, scaled] = floors;
        let sampled = if scaled.is_sampled() { scaled } else { base };
        let finding = Finding {
            allowed: Some(format!("{} of the loss", self.margin)),
            detectable_gap: worst.and_then(|gap| finite(gap.detectable)),
            worst: worst.map(|gap| {
                let name = format!("loss at {}, scaled over base", self.moment());
                let Gap { estimate, margin, .. } = gap;
                let interval = gap.interval(verdict).map(|end| end + self.target);
                let half = (interval[1] - interval[0]) / 2.0;
                Worst {
                    function: name,
                    time: scaled.schedule().burn_in,
                    state: None,
                    estimate: finite(estimate + self.target),
                    interval: finite_pair(interval),
                    margin,
                    integration: if is_sampled { None } else { finite(half) },
                    sampling: if is_sampled { finite(half) } else { Some(0.0) },
                }
            }),
            scaling: Some(self.report(floors, gap)),
            ..Finding::exact(
                "scaling",
                self.expect,
                verdict,
                self.sentence(verdict, worst, sampled, error_rate),
            )
        };
        Some(match sampled.reason() {
            None => finding,
            Some(reason) => Finding {
                error_rate,
                seeds: sampled.seeds(),
                looks: look.number,
                assumes: sampled.assumes(),
                sampled_because: Some(reason.to_string()),
                ..finding
            },
        })
    }

    fn moment(&self) -> &'static str {
        match self.at {
            At::Rest => "rest",
            At::End => "the end",
        }
    }

    fn report(&self, [base, scaled]: [&LongRun; 2], gap: Gap) -> ScaledFloor {
        let Change { learning_rate, batch_size, compression, agents } = self.change;
        ScaledFloor {
            process: self.process,
            rule: self.rule.map(|rule| rule.formula().to_owned()),
            factors: Factors { learning_rate, batch_size, compression, agents },
            target: self.target,
            ratio: finite(gap.estimate + self.target),
            interval: finite_pair(gap.upheld.map(|end| end + self.target)),
            base: finite(base.estimate(0)),
            scaled: finite(scaled.estimate(0)),
            schedules: [base.schedule(), scaled.schedule()],
        }
    }

    fn sentence(&self, verdict: Verdict, gap: Option<Gap>, at_rest: &LongRun, error_rate: f64) -> String {
        let Change { learning_rate, batch_size, compression, agents } = self.change;
        let factors =
            format!("κ = {learning_rate:.4}, δ = {batch_size:.4}, β = {compression:.4}, α = {agents:.4}");
        let rule = self.rule.map_or(factors.clone(), |rule| format!("{} ({factors})", rule.formula()));
        let terms = at_rest.terms(error_rate, gap);
        let (process, margin, target) = (self.process, self.margin, self.target);
        let Some(gap) = gap else {
            if verdict == Verdict::Inconclusive {
                return format!(
                    "undecided under {rule}: exact expectations of {process} are not settled within the steps that can be \
                     computed ({terms})"
                );
            }
            let nowhere = match self.at {
                At::Rest => "comes to no rest",
                At::End => "has no loss at the end",
            };
            return format!(
                "under {rule} {process} {nowhere}: its moments grow without end, or some path is not finite ({terms})"
            );
        };
        let ratio = gap.estimate + target;
        let said = match (self.at, verdict) {
            (At::Rest, Verdict::Upheld) => "comes to rest at",
            (At::Rest, Verdict::Refuted) => "does not come to rest at",
            (At::Rest, Verdict::Inconclusive) => "is undecided to come to rest at",
            (At::End, Verdict::Upheld) => "ends at",
            (At::End, Verdict::Refuted) => "does not end at",
            (At::End, Verdict::Inconclusive) => "is undecided to end at",
        };
        let times = if target == 1.0 { String::new() } else { format!("{target:.4} times ") };
        format!(
            "under {rule} {process} {said} {times}the loss before the change within {margin}: {ratio:.4} times it ({terms})"
        )
    }
}

impl Consequence for Scaling {
    fn kind(&self) -> &'static str {
        "scaling"
    }

    fn expect(&self) -> Expectation {
        self.expect
    }

    fn judge(&self, experiment: &Experiment, progress: &dyn Progress) -> (Finding, Simulated) {
        let Experiment { monte_carlo, is_sampled, .. } = experiment;
        let run = |looked| Looked::run(looked, self.process, monte_carlo.seed, *is_sampled);
        let [mut base, mut scaled] = [&self.base, &self.scaled].map(run);
        for look in looks(monte_carlo.first_look(), monte_carlo) {
            base.extend(look, progress);
            scaled.extend(look, progress);
            if let Some(finding) = self.finding([&base, &scaled], experiment, look) {
                let mut simulated = base.simulated();
                simulated.add(scaled.simulated());
                return (finding, simulated);
            }
        }
        unreachable!("the last look decides")
    }
}

/// The loss at rest, or at the end of the run, before and after a change.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ScaledFloor {
    /// The process.
    pub process: Side,
    /// The rule, where one is named.
    pub rule: Option<String>,
    /// The change.
    pub factors: Factors,
    /// What the ratio of the losses should be.
    pub target: f64,
    /// What it is.
    pub ratio: Option<f64>,
    /// At the level of *upheld*.
    pub interval: Option<[f64; 2]>,
    /// E f before the change.
    pub base: Option<f64>,
    /// E f after it.
    pub scaled: Option<f64>,
    /// When the two are looked at.
    pub schedules: [Schedule; 2],
}

/// `η → κη, B → δB, ω → βω, N → αN`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Factors {
    /// κ.
    pub learning_rate: f64,
    /// δ.
    pub batch_size: f64,
    /// β.
    pub compression: f64,
    /// α.
    pub agents: f64,
}
