//! The cases: what is counted, and how often.

use super::simulated::{Margin, Simulated};
use super::synthetic::{Rule, Synthetic, gaussian, gaussian_squares, rare_events, t8_squares};
use super::tally::Tally;
use itocheck::claim::Verdict;

/// Verdicts of one kind at one error rate.
pub struct Case {
    pub name: &'static str,
    /// The wrong verdicts that are listed.
    pub wrong: &'static [Verdict],
    /// α, to which the rate of each is held.
    pub error_rate: f64,
    /// How many in a full run, and in a short one.
    pub verdicts: [u64; 2],
    /// Where verdicts come from.
    pub source: Source,
}

pub enum Source {
    Simulated(Simulated),
    Synthetic(Synthetic),
    /// Wrong on purpose: judged at the first error rate, which is not α.
    AtAnotherRate(f64, Simulated),
}

impl Case {
    /// Counts so many verdicts; `position` among the cases keeps their draws apart.
    pub fn run(&self, verdicts: u64, position: usize) -> Tally {
        // No case has as many verdicts as that.
        let first_seed = (position as u64 + 1) * 1_000_000_000;
        match &self.source {
            Source::Simulated(simulated) => simulated.run(self.error_rate, verdicts, first_seed),
            Source::Synthetic(synthetic) => synthetic.run(self.error_rate, verdicts, first_seed),
            Source::AtAnotherRate(rate, simulated) => simulated.run(*rate, verdicts, first_seed),
        }
    }

    /// Whether it is simulated.
    pub fn is_simulated(&self) -> bool {
        !matches!(self.source, Source::Synthetic(_))
    }
}

const UPHELD: &[Verdict] = &[Verdict::Upheld];
const REFUTED: &[Verdict] = &[Verdict::Refuted];
const BOTH: &[Verdict] = &[Verdict::Upheld, Verdict::Refuted];

/// A gradient that hardly changes: optimizer, SDE and integrator have the same Gaussian law, up to a gap of 1e-3 of the
/// smallest standard error.
const NO_CURVATURE: &str = r#"
optimizer = "dsgd"
objective.quadratic = { eigenvalues = [1e-4], minimiser = 1e4 }
agents = [{ count = 1, noise.gaussian = { scale = 1.0 } }]
run = { learning_rate = 0.1, steps = 2, records = 2, start = 0.0 }
sde = { substeps = 1 }
"#;

/// One long step: the gap of order η of the mean, by far the largest, is six standard errors of the first look.
const LONG_STEP: &str = r#"
optimizer = "dsgd"
objective.quadratic = { eigenvalues = [1.0] }
agents = [{ count = 1, noise.gaussian = { scale = 0.5 } }]
run = { learning_rate = 0.5, steps = 1, records = 1, start = 0.8 }
sde = { substeps = 16 }
"#;

/// The same of signs.
const SIGNS: &str = r#"
optimizer = "dsignsgd"
objective.quadratic = { eigenvalues = [1.0] }
agents = [{ count = 2, noise.student_t = { scale = 1.0, dof = 3 } }]
run = { learning_rate = 0.5, steps = 2, records = 1, start = 1.0 }
sde = { substeps = 8 }
"#;

/// The SDE lacks the noise of the compressor, so that squares of the optimizer are the noisier ones.
const NO_COMPRESSION_NOISE: &str = r#"
optimizer = "dcsgd"
objective.quadratic = { eigenvalues = [1.0] }
agents = [{ count = 1, noise.gaussian = { scale = 1.0 }, compressor.bernoulli = { probability = 0.5 } }]
run = { learning_rate = 0.1, steps = 2, records = 1, start = 0.5 }
sde = { substeps = 4, mutant = "no_compression_noise" }
"#;

/// The SDE has a tenth of the variance of the noise, which has the heaviest tails whose squares are admitted.
const T8: &str = r#"
optimizer = "dsgd"
objective.quadratic = { eigenvalues = [1.0] }
agents = [{ count = 1, noise.student_t = { scale = 1.0, dof = 8 } }]
run = { learning_rate = 0.1, steps = 1, records = 1, start = 0.1 }
sde = { substeps = 4, mutant = "eta_for_sqrt_eta" }
"#;

/// A sign against the gradient has probability 0.123, so that 4096 seeds expect 504 of them before the first record.
const RARE_SIGNS: &str = r#"
optimizer = "dsignsgd"
objective.quadratic = { eigenvalues = [1.0] }
agents = [{ count = 1, noise.gaussian = { scale = 1.0 } }]
run = { learning_rate = 0.5, steps = 1, records = 1, start = 1.16 }
sde = { substeps = 8 }
"#;

/// The diffusion covariance of the SDE is twice the optimizer's, everywhere.
const AGENTS_LOST: &str = r#"
optimizer = "dsgd"
objective.quadratic = { eigenvalues = [1.0] }
agents = [{ count = 2, noise.gaussian = { scale = 1.0 } }]
run = { learning_rate = 0.1, steps = 1, records = 1, start = 1.0 }
sde = { substeps = 1, mutant = "agents_lost" }
"#;

/// 512 seeds are the fewest that a scenario may ask for; three looks.
const FEWEST_SEEDS: [u64; 2] = [512, 2048];

fn simulated(process: &'static str, margin: Margin) -> Simulated {
    Simulated { process, margin, seeds: FEWEST_SEEDS, shadow: "off" }
}

fn full(name: &'static str, wrong: &'static [Verdict], simulated: Simulated) -> Case {
    let source = Source::Simulated(simulated);
    Case { name, wrong, error_rate: 0.01, verdicts: [10_000, 500], source }
}

fn sums(name: &'static str, wrong: &'static [Verdict], synthetic: Synthetic) -> Case {
    let source = Source::Synthetic(synthetic);
    Case { name, wrong, error_rate: 1e-4, verdicts: [1_000_000, 20_000], source }
}

/// Cases whose rates must hold.
pub fn cases() -> Vec<Case> {
    use Margin::{Coefficients, Effect, Gap};
    use Rule::{HalfForTheBias, WholeLevel};
    let signs = |shadow| Simulated { shadow, ..simulated(SIGNS, Gap(1.0)) };
    let rare = Simulated { seeds: [4096, 16_384], ..simulated(RARE_SIGNS, Effect) };
    let one_look = Simulated { seeds: [2048, 2048], ..simulated(NO_CURVATURE, Gap(1.0)) };
    let coefficients = full("diffusion off by its margin", BOTH, simulated(AGENTS_LOST, Coefficients(0.5)));
    let sum = |noise, blocks| Synthetic { gaps: 1, margin: 1e3, blocks, noise, rule: HalfForTheBias };
    let plain = Synthetic { rule: WholeLevel, ..sum(gaussian, [64, 256]) };
    let five = Synthetic { gaps: 5, margin: 1e-3, rule: WholeLevel, ..sum(gaussian, [64, 256]) };
    vec![
        full("true SDE, no curvature", REFUTED, simulated(NO_CURVATURE, Gap(1.0))),
        full("true SDE, no curvature, one look", REFUTED, one_look),
        full("true SDE, long step, just inside", REFUTED, simulated(LONG_STEP, Gap(1.02))),
        full("true SDE, long step, on the margin", BOTH, simulated(LONG_STEP, Gap(1.0))),
        full("true SDE, long step, just outside", UPHELD, simulated(LONG_STEP, Gap(0.98))),
        full("true SDE, signs, on the margin", BOTH, signs("off")),
        full("true SDE, signs, on the margin, linear shadow", BOTH, signs("auto")),
        full("no compression noise, on the margin", BOTH, simulated(NO_COMPRESSION_NOISE, Gap(1.0))),
        // On its margin this claim takes its whole budget, a million draws at each state.
        Case { verdicts: [1000, 20], ..coefficients },
        full("t_8 squares, on the margin", BOTH, simulated(T8, Gap(1.0))),
        full("500 rare signs, effect on the margin", BOTH, rare),
        full("long step, effect on the margin", BOTH, simulated(LONG_STEP, Effect)),
        sums("Gaussian sums", UPHELD, plain),
        sums("Gaussian sums, five gaps", REFUTED, five),
        sums("Gaussian sums, 8 blocks", UPHELD, Synthetic { rule: WholeLevel, ..sum(gaussian, [8, 32]) }),
        sums("sums of Gaussian squares", UPHELD, sum(gaussian_squares, [64, 256])),
        sums("sums of t_8 squares, 8 blocks", UPHELD, sum(t8_squares, [8, 32])),
        sums("sums of 500 rare events", UPHELD, sum(rare_events, [64, 256])),
    ]
}

/// Cases that are wrong on purpose: their rates must not hold.
pub fn controls() -> Vec<Case> {
    let sum = |rule, noise, blocks| Synthetic { gaps: 1, margin: 1e3, blocks, noise, rule };
    let at_another_rate = Source::AtAnotherRate(0.1, simulated(LONG_STEP, Margin::Gap(1.0)));
    vec![
        Case {
            source: at_another_rate,
            ..full("judged at ten times α", UPHELD, simulated(LONG_STEP, Margin::Gap(1.0)))
        },
        sums("α spent at every look", UPHELD, sum(Rule::SpentAtEveryLook, gaussian, [64, 256])),
        sums("normal quantiles", UPHELD, sum(Rule::NormalQuantiles, gaussian, [8, 32])),
        sums("no allowance for skewness", UPHELD, sum(Rule::Symmetric, t8_squares, [8, 8])),
    ]
}
