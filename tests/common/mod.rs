//! What several tests share: experiments from scenario text, and draws compared with what is claimed.
#![allow(dead_code)]

pub mod chromium;
pub mod outcomes;

use assert_cmd::Command;
use itocheck::objective::{Objective, ObjectiveParameters};
use itocheck::scenario::{Experiment, Overrides, check};
use std::path::Path;
use std::sync::Arc;

/// A scenario that is decided in a moment.
pub const GOOD: &str = r#"title = "t"
optimizer = "dcsgd"
objective.quadratic = { eigenvalues = [0.5, 2.0] }
[[agents]]
count = 2
noise.gaussian = { scale = 1.0 }
compressor.rand_k = { k = 1 }
[run]
learning_rate = 0.01
steps = 20
records = 4
start = 0.3
[[claims]]
[claims.trajectory]
margin = { effect = 0.3 }
"#;

/// Rounding of a sum of a million terms of size 1.
const ROUNDING: f64 = 1e-10;

/// What a call of `itocheck` came to.
pub struct Called {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Calls `itocheck run` in `folder`.
pub fn run(folder: &Path, arguments: &[&str]) -> Called {
    itocheck(folder, &[&["run"], arguments].concat())
}

/// Calls `itocheck` in `folder`.
pub fn itocheck(folder: &Path, arguments: &[&str]) -> Called {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("itocheck"))
        .current_dir(folder)
        // Under GitHub Actions more is printed, which tests/github.rs tests.
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Called {
        code: output.status.code().expect("ended by a signal"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The experiment of a scenario's text.
pub fn experiment(text: &str) -> Experiment {
    match check(Path::new("test.toml"), text.to_owned(), Overrides::default()) {
        Ok(loaded) => loaded.experiment,
        Err(error) => panic!("{error}"),
    }
}

/// Why a scenario's text is refused.
pub fn refusal(text: &str) -> String {
    match check(Path::new("test.toml"), text.to_owned(), Overrides::default()) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(error) => error.to_string(),
    }
}

/// The objective of a line of TOML such as `quadratic = { eigenvalues = [1.0] }`.
pub fn objective(line: &str) -> Arc<dyn Objective> {
    toml::from_str::<ObjectiveParameters>(line).unwrap().build().unwrap()
}

/// Sample mean and covariance (row by row) of vectors of dimension `d`.
pub fn moments(samples: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let (n, d) = (samples.len() as f64, samples[0].len());
    let mean: Vec<f64> = (0..d).map(|j| samples.iter().map(|sample| sample[j]).sum::<f64>() / n).collect();
    let covariance = (0..d * d)
        .map(|index| {
            let (i, j) = (index / d, index % d);
            samples.iter().map(|sample| (sample[i] - mean[i]) * (sample[j] - mean[j])).sum::<f64>() / n
        })
        .collect();
    (mean, covariance)
}

/// Asserts that sample means and covariances agree with what is claimed within `z` standard errors,
/// those of the covariances from the sample's own fourth moments.
pub fn assert_moments(samples: &[Vec<f64>], mean: &[f64], covariance: impl Fn(usize, usize) -> f64, z: f64) {
    let (sample_mean, sample_covariance) = moments(samples);
    let (n, d) = (samples.len() as f64, mean.len());
    for i in 0..d {
        let error = (sample_covariance[i * d + i] / n).sqrt();
        let gap = sample_mean[i] - mean[i];
        assert!(gap.abs() <= z * error + ROUNDING, "mean[{i}]: {} against {}", sample_mean[i], mean[i]);
        for j in 0..=i {
            let product = |sample: &Vec<f64>| (sample[i] - sample_mean[i]) * (sample[j] - sample_mean[j]);
            let centre = sample_covariance[i * d + j];
            let variance = samples
                .iter()
                .map(|sample| {
                    let deviation = product(sample) - centre;
                    deviation * deviation
                })
                .sum::<f64>()
                / n;
            let error = (variance / n).sqrt();
            let claimed = covariance(i, j);
            assert!(
                (centre - claimed).abs() <= z * error + ROUNDING,
                "covariance[{i}][{j}]: {centre} against {claimed}, standard error {error}"
            );
        }
    }
}
