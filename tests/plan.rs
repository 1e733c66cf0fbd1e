//! `itocheck plan`: what it says of seeds and of detectable gaps is right within a factor of two.

mod common;

use common::{GOOD, experiment, itocheck};
use itocheck::claim::{Finding, Forecast, Progress, Verdict, forecast, judge};
use std::fs;
use tempfile::TempDir;

struct Silent;

impl Progress for Silent {
    fn announce(&self, _: u64) {}

    fn tick(&self, _: u64) {}
}

fn both(text: &str) -> Vec<(Forecast, Finding)> {
    let experiment = experiment(text);
    let forecasts = forecast(&experiment, &Silent).into_iter().map(Option::unwrap);
    forecasts.zip(judge(&experiment, &Silent).findings).collect()
}

fn is_within_two(planned: f64, was: f64) -> bool {
    (0.5..=2.0).contains(&(planned / was))
}

#[test]
fn seeds_and_gaps_are_right_within_two() {
    let with = |monte_carlo: &str| format!("{GOOD}[monte_carlo]\n{monte_carlo}");
    let mutant =
        |name: &str| with("").replace("[[claims]]", &format!("[sde]\nmutant = \"{name}\"\n[[claims]]"));
    let signs = with("shadow = \"off\"\n")
        .replace("\"dcsgd\"", "\"dsignsgd\"")
        .replace("compressor.rand_k = { k = 1 }\n", "")
        .replace("effect = 0.3", "effect = 0.15");
    for (text, verdict) in [
        (with(""), Verdict::Upheld),
        (with("shadow = \"off\"\n"), Verdict::Upheld),
        (with("shadow = \"off\"\n").replace("effect = 0.3", "effect = 0.1"), Verdict::Upheld),
        (signs, Verdict::Upheld),
        (mutant("no_compression_noise"), Verdict::Refuted),
        (mutant("eta_for_sqrt_eta"), Verdict::Refuted),
        (
            with("shadow = \"off\"\nmax_seeds = 8192\n").replace("effect = 0.3", "effect = 0.03"),
            Verdict::Inconclusive,
        ),
    ] {
        for (planned, was) in both(&text) {
            let about = format!("{planned:?}\n{}\n{text}", was.sentence);
            assert_eq!(planned.kind, was.kind, "{about}");
            if planned.kind == "trajectory" {
                assert_eq!((planned.verdict, was.verdict), (verdict, verdict), "{about}");
            }
            assert!(is_within_two(planned.seeds as f64, was.seeds as f64), "{about}");
            let detectable = was.detectable_gap.unwrap() / was.worst.as_ref().unwrap().margin;
            // In excess of the margin, which nobody has to forecast.
            assert!(is_within_two(planned.detectable_gap.unwrap() - 1.0, detectable - 1.0), "{about}");
        }
    }
}

#[test]
fn exact_claims_need_no_seed() {
    let (planned, was) = both(GOOD).pop().unwrap();
    assert_eq!((&*planned.kind, planned.seeds, planned.looks), ("trajectory", 0, 0));
    assert_eq!((planned.verdict, was.verdict), (Verdict::Upheld, Verdict::Upheld));
}

#[test]
fn a_line_a_claim_and_the_sum() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("s.toml"), format!("{GOOD}[monte_carlo]\n")).unwrap();
    let called = itocheck(place.path(), &["plan", "s.toml", "--quiet"]);
    assert_eq!(called.code, 0, "{}", called.err);
    let lines: Vec<&str> = called.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", called.out);
    assert!(lines[0].starts_with("s: coefficients upheld at look "), "{}", called.out);
    assert!(lines[1].contains("2048 seeds with linear shadows, gaps from 1."), "{}", called.out);
    assert!(lines[2].starts_with("1 scenario: about "), "{}", called.out);
    assert!(fs::read_dir(place.path()).unwrap().count() == 1, "plan writes nothing");
    let refused = itocheck(place.path(), &["plan", "none.toml"]);
    assert_eq!(refused.code, 2);
}
