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

/// A gradient that hardly changes: optimizer, SDE and integrator have the same Gaussian law, up to gaps of 1e-3 of the
/// smallest standard error.
const FLAT: &str = r#"
optimizer = "dsgd"
objective.quadratic = { eigenvalues = [1e-4], minimiser = 1e4 }
agents = [{ count = 1, noise.gaussian = { scale = 1.0 } }]
run = { learning_rate = 0.6, steps = 1, records = 1, start = 0.0 }
sde = { substeps = 1 }
"#;

/// The same, but that the SDE has 0.6 of the variance: squares of the optimizer are the noisier ones, their gap is six
/// standard errors of 1024 seeds, and no other comes near it.
const FLAT_LITTLE_NOISE: &str = r#"
optimizer = "dsgd"
objective.quadratic = { eigenvalues = [1e-4], minimiser = 1e4 }
agents = [{ count = 1, noise.gaussian = { scale = 1.0 } }]
run = { learning_rate = 0.6, steps = 1, records = 1, start = -0.6 }
sde = { substeps = 1, mutant = "eta_for_sqrt_eta" }
"#;

/// One long step: the gap of order η of the mean is eight standard errors of 1024 seeds, and the next is
/// three short of it.
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
run = { learning_rate = 0.5, steps = 1, records = 1, start = 1.0 }
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

/// The diffusion covariance of the SDE is half the optimizer's, everywhere.
const HALF_THE_DIFFUSION: &str = r#"
optimizer = "dsgd"
objective.quadratic = { eigenvalues = [1.0] }
agents = [{ count = 1, noise.gaussian = { scale = 1.0 } }]
run = { learning_rate = 0.5, steps = 1, records = 1, start = 1.0 }
sde = { substeps = 1, mutant = "eta_for_sqrt_eta" }
"#;

/// Three looks. 512 seeds are the fewest that a scenario may ask for.
const FEWEST_SEEDS: [u64; 2] = [512, 2048];
const FEW_SEEDS: [u64; 2] = [1024, 4096];
const ONE_LOOK: [u64; 2] = [4096, 4096];

fn full(name: &'static str, wrong: &'static [Verdict], simulated: Simulated) -> Case {
    let source = Source::Simulated(simulated);
    Case { name, wrong, error_rate: 0.01, verdicts: [10_000, 100], source }
}

fn sums(name: &'static str, wrong: &'static [Verdict], synthetic: Synthetic) -> Case {
    let source = Source::Synthetic(synthetic);
    Case { name, wrong, error_rate: 1e-4, verdicts: [1_000_000, 10_000], source }
}

fn of_flat(process: &'static str, factor: f64, seeds: [u64; 2]) -> Simulated {
    Simulated { process, margin: Margin::Gap(factor), seeds, shadow: "off" }
}

/// Cases whose rates must hold.
pub fn cases() -> Vec<Case> {
    use Rule::{HalfForTheBias, WholeLevel};
    let little_noise = |factor, seeds| of_flat(FLAT_LITTLE_NOISE, factor, seeds);
    let on_margin = |process, seeds| Simulated { process, margin: Margin::Gap(1.0), seeds, shadow: "off" };
    let effect = |process, seeds| Simulated { margin: Margin::Effect, ..on_margin(process, seeds) };
    let signs = |shadow| Simulated { shadow, ..on_margin(SIGNS, FEW_SEEDS) };
    let coefficients =
        Simulated { margin: Margin::Coefficients(1.0), ..on_margin(HALF_THE_DIFFUSION, FEWEST_SEEDS) };
    let sum = |noise, blocks| Synthetic { gaps: 1, margin: 1e3, blocks, noise, rule: HalfForTheBias };
    let gaussian_sum = |blocks| Synthetic { rule: WholeLevel, ..sum(gaussian, blocks) };
    let five = Synthetic { gaps: 5, margin: 1e-3, ..gaussian_sum([64, 256]) };
    vec![
        full("true SDE, gap of 0", REFUTED, of_flat(FLAT, 1.0, FEW_SEEDS)),
        full("true SDE, gap of 0, one look", REFUTED, of_flat(FLAT, 1.0, ONE_LOOK)),
        full("true SDE, long step, on the margin", BOTH, on_margin(LONG_STEP, FEW_SEEDS)),
        full("true SDE, signs, on the margin", BOTH, signs("off")),
        full("true SDE, signs, on the margin, linear shadow", BOTH, signs("auto")),
        full("too little noise, just inside the margin", REFUTED, little_noise(1.02, FEW_SEEDS)),
        full("too little noise, on the margin", BOTH, little_noise(1.0, FEW_SEEDS)),
        full("too little noise, on the margin, one look", BOTH, little_noise(1.0, ONE_LOOK)),
        full("too little noise, just outside the margin", UPHELD, little_noise(0.98, FEW_SEEDS)),
        full("no compression noise, on the margin", BOTH, on_margin(NO_COMPRESSION_NOISE, FEWEST_SEEDS)),
        // On its margin this claim takes its whole budget, a million draws at each state.
        Case { verdicts: [500, 4], ..full("coefficients, diffusion on the margin", BOTH, coefficients) },
        full("t_8 noise, squares on the margin", BOTH, on_margin(T8, FEWEST_SEEDS)),
        full("500 signs against the gradient, effect on the margin", BOTH, effect(RARE_SIGNS, ONE_LOOK)),
        full("too little noise, effect on the margin", BOTH, effect(FLAT_LITTLE_NOISE, FEW_SEEDS)),
        sums("Gaussian sums", UPHELD, gaussian_sum([256, 1024])),
        sums("Gaussian sums, 8 blocks", UPHELD, gaussian_sum([8, 32])),
        sums("Gaussian sums, five gaps", REFUTED, five),
        sums("sums of Gaussian squares", UPHELD, sum(gaussian_squares, [64, 256])),
        sums("sums of t_8 squares, 8 blocks", UPHELD, sum(t8_squares, [8, 16])),
        sums("sums of 500 rare events", UPHELD, sum(rare_events, [64, 256])),
    ]
}

/// Cases that are wrong on purpose: their rates must not hold.
pub fn controls() -> Vec<Case> {
    let sum = |rule, noise, blocks| Synthetic { gaps: 1, margin: 1e3, blocks, noise, rule };
    let one_look = || of_flat(FLAT_LITTLE_NOISE, 1.0, ONE_LOOK);
    let at_ten_times = Source::AtAnotherRate(0.1, one_look());
    vec![
        Case { source: at_ten_times, ..full("too little noise, judged at ten times α", UPHELD, one_look()) },
        sums("normal quantiles", UPHELD, sum(Rule::NormalQuantiles, gaussian, [8, 32])),
        sums("α spent at every look", UPHELD, sum(Rule::SpentAtEveryLook, gaussian, [256, 1024])),
        sums("no allowance for skewness", UPHELD, sum(Rule::Symmetric, t8_squares, [8, 16])),
    ]
}
