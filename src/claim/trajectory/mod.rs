//! Claim `trajectory`: along the run, `E g(x_k) − E g(X_{kη})` stays within its margin for every test
//! function and record time. Decided on exact expectations where both sides have them and nobody asks for
//! sampling, else on sampled paths.

mod difference;
mod exactly;
mod forecast;
mod margins;
mod recorded;
mod sampled;

pub use difference::sampled_difference;
pub use recorded::{Recorded, RecordedPaths, judge_recorded};

use super::finding::{Expectation, Finding};
pub(super) use forecast::forecast;

use super::sampling::Simulated;
use super::tables::MomentTables;
use super::{Progress, Setting};
use crate::ensemble::TestFunction;
use crate::parameter::{Invalid, checked};
use crate::scenario::Experiment;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How large a gap is allowed.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Margin {
    /// In standard deviations of the test function under the SDE at that time.
    Effect(f64),
    /// In the units of each test function.
    Absolute(f64),
    /// C in `Cη`, as weak approximation of order 1 has it.
    Constant(f64),
}

impl Margin {
    /// Whether it is in units of standard deviations.
    pub fn is_relative(self) -> bool {
        matches!(self, Self::Effect(_))
    }

    /// Its name in scenarios, and its size.
    fn parts(self) -> (&'static str, f64) {
        match self {
            Self::Effect(size) => ("effect", size),
            Self::Absolute(size) => ("absolute", size),
            Self::Constant(size) => ("constant", size),
        }
    }

    fn describe(self) -> String {
        match self {
            Self::Effect(effect) => format!("{effect} standard deviations"),
            Self::Absolute(margin) => format!("{margin}"),
            Self::Constant(constant) => format!("{constant}·η"),
        }
    }
}

/// The claim, checked.
#[derive(Clone, Copy, Debug)]
pub struct Trajectory {
    /// What is allowed.
    pub margin: Margin,
    /// What the scenario expects.
    pub expect: Expectation,
}

/// `|E g(x_k) − E g(X_{kη})|` stays within its margin for every test function g at every record time: moments of the
/// optimizer x and of the SDE X agree along the run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How large a gap is allowed, above 0.
    margin: Margin,
    /// Whether the claim should hold.
    #[serde(default)]
    expect: Expectation,
}

impl Parameters {
    pub(super) fn build(&self, setting: &Setting) -> Result<super::Claim, Invalid> {
        let &Setting { model, is_sampled, .. } = setting;
        let (name, size) = self.margin.parts();
        checked(&format!("margin.{name}"), size, |size| size > 0.0, "a number above 0")?;
        let cannot_be_sampled =
            model.functions().tested.iter().all(|function| *function == TestFunction::Exit);
        let needs_sampling = is_sampled || self.margin.is_relative() || !exactly::is_known(model);
        if cannot_be_sampled && needs_sampling {
            return Err(Invalid::new(
                "",
                format!(
                    "no test function has moments that sampling can compare (under this noise, compression and \
                     learning rate those of order below {:.3} exist, and an honest interval for x[i] needs order 4); \
                     expected bounded ones, such as [[functions]] tanh = {{ coordinate = 0, scale = 1.0 }}, or, where \
                     expectations are exact, an absolute margin without [monte_carlo]",
                    model.tail_index()
                ),
            ));
        }
        Ok(super::Claim::Trajectory(Trajectory { margin: self.margin, expect: self.expect }))
    }
}

/// What the trajectory claims of one experiment came to.
#[derive(Default)]
pub(super) struct Compared {
    /// By the indices of their claims.
    pub findings: BTreeMap<usize, Finding>,
    pub moments: Option<MomentTables>,
    pub simulated: Simulated,
}

/// Judges trajectory claims of one experiment together.
pub(super) fn judge(
    claims: &[(usize, &Trajectory)],
    experiment: &Experiment,
    progress: &dyn Progress,
) -> Compared {
    if claims.is_empty() {
        return Compared::default();
    }
    if experiment.is_sampled {
        return sampled::judge(claims, experiment, None, progress);
    }
    let exactly = exactly::judge(claims, experiment, progress);
    exactly.unwrap_or_else(|unknown| sampled::judge(claims, experiment, Some(unknown), progress))
}
