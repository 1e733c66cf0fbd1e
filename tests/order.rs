//! Claim `order`, on exact expectations.

mod common;

use common::{GOOD, experiment, refusal};
use itocheck::claim::{Finding, Progress, Verdict, judge};

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

fn ordered(claim: &str) -> String {
    let run = GOOD.split("[[claims]]").next().unwrap();
    format!("{run}[[claims]]\n[claims.order]\n{claim}")
}

const CLAIM: &str = "learning_rates = [0.04, 0.02, 0.01]\nhorizon = 1.6\n";

fn finding(text: &str) -> Finding {
    judge(&experiment(text), &Silent).findings.into_iter().find(|finding| finding.kind == "order").unwrap()
}

#[test]
fn a_first_order_sde_is_of_order_one_and_not_of_order_two() {
    let first = finding(&ordered(CLAIM));
    assert_eq!(
        (first.verdict, first.seeds, first.error_rate),
        (Verdict::Upheld, 0, 0.0),
        "{}",
        first.sentence
    );
    let order = first.order.unwrap();
    for [low, high] in [order.interval.unwrap(), order.raw.unwrap(), order.fluctuations.unwrap()] {
        // Terms of order η² move the order by O(η), η at most 0.04 times curvatures of at most 2.
        assert!(low > 0.9 && high < 1.1, "{low} {high}");
    }
    assert_eq!(finding(&ordered(&format!("{CLAIM}claimed = 2\n"))).verdict, Verdict::Refuted);
}

#[test]
fn a_wrong_diffusion_shows_in_fluctuations_alone() {
    let wrong = ordered(CLAIM).replace("[run]", "[sde]\nmutant = \"no_compression_noise\"\n[run]");
    let found = finding(&wrong);
    assert_eq!(found.verdict, Verdict::Refuted, "{}", found.sentence);
    let order = found.order.unwrap();
    assert!(order.raw.unwrap()[0] > 0.9 && order.fluctuations.unwrap()[1] < 0.1, "{order:?}");
}

#[test]
fn a_wrong_drift_shows_in_raw_moments() {
    let wrong = ordered(CLAIM)
        .replace("\"dcsgd\"", "\"dsignsgd\"")
        .replace("compressor.rand_k = { k = 1 }\n", "")
        .replace("[run]", "[sde]\nmutant = \"xi_without_two\"\n[run]");
    let found = finding(&wrong);
    assert_eq!(found.verdict, Verdict::Refuted, "{}", found.sentence);
    assert!(found.order.unwrap().raw.unwrap()[1] < 0.1);
}

#[test]
fn without_exact_expectations_it_is_undecided_with_the_reason() {
    let rosenbrock = ordered(CLAIM)
        .replace("quadratic = { eigenvalues = [0.5, 2.0] }", "rosenbrock = { steepness = 1.0 }")
        .replace("start = 0.3", "start = 0.3\ndomain = { radius = 9.0 }");
    let found = finding(&rosenbrock);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(found.sentence.contains("no exact expectations at every learning rate"), "{}", found.sentence);
    assert!(found.sentence.ends_with("a trajectory can be sampled instead"), "{}", found.sentence);
    assert!(found.order.is_none());
    // Nothing rests on what is not known.
    assert!(found.assumes.is_empty() && !found.is_exact(), "{:?}", found.assumes);
    assert!(finding(&ordered(CLAIM)).is_exact());
}

#[test]
fn rates_that_do_not_fit_are_refused() {
    let cases = [
        (
            "learning_rates = [0.04, 0.02]\nhorizon = 1.6\n",
            "learning_rates: 2 of them; expected from 3 to 12",
        ),
        (
            "learning_rates = [0.04, 0.03, 0.01]\nhorizon = 1.6\n",
            "learning_rates[1]: 0.03; expected a number above 0, at most half",
        ),
        (
            "learning_rates = [0.04, 0.02, 0.007]\nhorizon = 1.6\n",
            "learning_rates[2]: 0.007; expected one of which the horizon 1.6",
        ),
        (
            "learning_rates = [0.04, 0.02, 0.0]\nhorizon = 1.6\n",
            "learning_rates[2]: 0; expected a number above 0",
        ),
        ("learning_rates = [0.04, 0.02, 0.01]\nhorizon = 0\n", "horizon: 0; expected a number above 0"),
        ("learning_rates = [0.04, 0.02, 0.01]\nhorizon = 1.6\nclaimed = 3\n", "claimed: 3; expected 1 or 2"),
    ];
    for (claim, expected) in cases {
        let message = refusal(&ordered(claim));
        assert!(message.contains(expected), "{message}");
    }
}
