//! Claim `order`, on exact expectations and by sampling.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::{GOOD, experiment, refusal};
use itocheck::claim::{Finding, LargestGap, Progress, Verdict, judge};

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

/// The same on sampled paths, at most `seeds` of them.
fn sampled(text: &str, seeds: u64) -> String {
    text.replace(
        "[[claims]]",
        &format!("[sde]\nsubsteps = 8\n[monte_carlo]\nseeds = {seeds}\nmax_seeds = {seeds}\n[[claims]]"),
    )
}

/// In the rates and the horizon of these tests λη reaches 0.4.
const COARSE: &str = "learning_rates = [0.2, 0.1, 0.05]\nhorizon = 0.8\n";

fn of_optimizer(text: &str, optimizer: &str) -> String {
    let text = text.replace("\"dcsgd\"", &format!("\"{optimizer}\""));
    if optimizer == "dcsgd" { text } else { text.replace("compressor.rand_k = { k = 1 }\n", "") }
}

#[test]
fn the_order_by_sampling_agrees_with_the_exact_one() {
    for optimizer in ["dsgd", "dcsgd", "dsignsgd"] {
        let text = of_optimizer(&ordered(COARSE), optimizer);
        let (exact, by_sampling) = (finding(&text), finding(&sampled(&text, 2048)));
        assert_eq!((exact.seeds, by_sampling.seeds), (0, 2048));
        assert_eq!(by_sampling.error_rate, 1e-6);
        let (exact, order) = (exact.order.unwrap(), by_sampling.order.unwrap());
        let compared = agreements(&exact.raw_gaps, &order.raw_gaps)
            + agreements(&exact.fluctuation_gaps, &order.fluctuation_gaps);
        assert!(compared >= 2, "{optimizer}: {compared}");
        for sampled in [order.raw, order.fluctuations] {
            // A wrong order of 0 or 2 is not within it.
            let [low, high] = sampled.unwrap();
            assert!(low > 0.3 && high < 1.7, "{optimizer} {sampled:?}");
        }
    }
}

/// How often neighbouring rates have the same largest gap, exactly and by sampling; then by how much it falls has to be
/// the same, as units are, whatever they are.
fn agreements(exact: &[LargestGap], sampled: &[LargestGap]) -> usize {
    let place = |gap: &LargestGap| (gap.function.clone(), gap.time.to_bits());
    let mut count = 0;
    for (exact, sampled) in exact.windows(2).zip(sampled.windows(2)) {
        if exact.iter().chain(sampled).all(|gap| place(gap) == place(&exact[0])) {
            let falls = exact[0].gap.unwrap() / exact[1].gap.unwrap();
            let [above, below] = [&sampled[0], &sampled[1]].map(|gap| gap.interval.unwrap());
            let within = above[0] / below[1]..=above[1] / below[0];
            assert!(within.contains(&falls), "{:?}: {falls} is not in {within:?}", place(&exact[0]));
            count += 1;
        }
    }
    count
}

/// G of the largest gap and its interval hold the exact gap of the same function and time, in its unit. Deviations of
/// x[0] under DSGD with N = 2, H = 0.5, σ = 1 are known: the variance is `η²σ²/N Σ (1 − ηλ)^{2k}`.
#[test]
fn gaps_by_sampling_hold_the_exact_ones_in_their_unit() {
    let text = of_optimizer(&ordered(COARSE), "dsgd")
        .replace("[0.5, 2.0]", "[0.5]")
        .replace("records = 4", "records = 1");
    let order = finding(&sampled(&text, 2048)).order.unwrap();
    let variance = |eta: f64| (0..4).map(|k| eta * eta / 2.0 * (1.0 - 0.5 * eta).powi(2 * k)).sum::<f64>();
    let unit = variance(0.2).sqrt();
    for (at, steps) in order.raw_gaps.iter().zip([4, 8, 16]) {
        let eta = at.learning_rate;
        let gap = 0.3 * ((1.0 - 0.5 * eta).powi(steps) - (-0.4f64).exp()).abs() / unit;
        let [low, high] = at.interval.unwrap();
        // The pilot's deviation is within 10 %, at four of its standard errors; G is at least that of x[0].
        assert!(high > 0.9 * gap, "{eta}: {gap} {low} {high}");
        if at.function == "x[0]" {
            assert!(low < 1.1 * gap && high < 1.5 * gap, "{eta}: {gap} {low} {high}");
        }
    }
}

#[test]
fn sampling_refutes_what_is_wrong_and_tells_raw_moments_from_fluctuations() {
    let with = |optimizer: &str, mutant: &str| {
        let text = sampled(&of_optimizer(&ordered(COARSE), optimizer), 2048);
        finding(&text.replace("[sde]", &format!("[sde]\nmutant = \"{mutant}\"")))
    };
    for optimizer in ["dsgd", "dcsgd", "dsignsgd"] {
        let quiet = with(optimizer, "no_diffusion");
        assert_eq!(quiet.verdict, Verdict::Refuted, "{}", quiet.sentence);
        let order = quiet.order.unwrap();
        // Gradient flow without noise passes in raw moments: fluctuations alone see it.
        assert!(
            order.raw.unwrap()[0] > 0.75 && order.fluctuations.unwrap()[1] < 0.3,
            "{optimizer} {order:?}"
        );
        let slow = with(optimizer, "half_drift");
        assert_eq!(slow.verdict, Verdict::Refuted, "{}", slow.sentence);
        // Raw moments alone refute it, as they do from 0.5 downwards.
        let raw = slow.order.unwrap().raw.unwrap();
        assert!(raw[1] <= 0.5, "{optimizer} {raw:?}");
    }
}

#[test]
fn what_has_no_exact_expectations_is_sampled() {
    // Many agents make the noise small against the gap.
    let text = of_optimizer(&ordered("learning_rates = [0.1, 0.05, 0.025]\nhorizon = 1.0\n"), "dsgd")
        .replace("quadratic = { eigenvalues = [0.5, 2.0] }", "rosenbrock = { steepness = 1.0 }")
        .replace("count = 2", "count = 64")
        .replace("records = 4", "records = 2")
        .replace("[run]", "[sde]\nsubsteps = 8\n[run]")
        .replace("start = 0.3", "start = [-0.5, 1.0]\ndomain = { radius = 6.0 }");
    let found = finding(&text);
    assert_eq!((found.verdict, found.seeds, found.looks), (Verdict::Upheld, 4096, 1), "{}", found.sentence);
    // Exit is no smooth function.
    assert_eq!(found.left_out, ["exit"]);
}

#[test]
fn with_the_modified_drift_raw_moments_are_of_order_two_and_fluctuations_of_order_one() {
    for optimizer in ["dsgd", "dcsgd", "dsignsgd"] {
        let rates = "learning_rates = [0.1, 0.05, 0.025]\nhorizon = 0.8\nclaimed = 2\n";
        let plain = of_optimizer(&ordered(rates), optimizer);
        let modified = plain.replace("[run]", "[sde]\nform = \"modified_order_2\"\n[run]");
        let found = finding(&modified);
        assert_eq!(found.verdict, Verdict::Upheld, "{}", found.sentence);
        let order = found.order.unwrap();
        let within = |[low, high]: [f64; 2], order: f64| low > order - 0.1 && high < order + 0.1;
        assert!(within(order.raw.unwrap(), 2.0), "{optimizer} {order:?}");
        // Variances are O(η), with a gap of O(η²) as long as the diffusion is not modified too: O(η) over η.
        assert!(within(order.fluctuations.unwrap(), 1.0), "{optimizer} {order:?}");
        assert_eq!(finding(&plain).verdict, Verdict::Refuted);
    }
}

#[test]
fn by_sampling_the_modified_drift_is_told_from_the_plain_one() {
    // Many agents make the noise small against the gap.
    let rates = "learning_rates = [0.2, 0.1, 0.05]\nhorizon = 0.4\nclaimed = 2\n";
    let plain = of_optimizer(&ordered(rates), "dsgd")
        .replace("count = 2", "count = 64")
        .replace("records = 4", "records = 1");
    let plain = sampled(&plain, 2048).replace("substeps = 8", "substeps = 32");
    let refuted = finding(&plain);
    assert_eq!(refuted.verdict, Verdict::Refuted, "{}", refuted.sentence);
    let upheld = finding(&plain.replace("[sde]", "[sde]\nform = \"modified_order_2\""));
    assert_eq!(upheld.verdict, Verdict::Upheld, "{}", upheld.sentence);
}

/// At an error rate of 0.1 a true claim is refuted with probability 0.1 at most, for 5 of 12 seeds or more with 0.43 %.
/// The same of a wrong one that is upheld. Intervals are simultaneous, so that none is what is met.
#[test]
fn wrong_verdicts_are_as_rare_as_the_error_rate_says() {
    let text = of_optimizer(&ordered(COARSE), "dsgd");
    let text = sampled(&text.replace("[0.5, 2.0]", "[2.0]").replace("records = 4", "records = 1"), 512);
    let verdicts = |text: &str| -> Vec<Verdict> {
        let of_seed = |seed| {
            let drawn = format!("[monte_carlo]\nerror_rate = 0.1\nseed = {seed}");
            finding(&text.replace("[monte_carlo]", &drawn)).verdict
        };
        (0..12).map(of_seed).collect()
    };
    let wrong = text.replace("[sde]", "[sde]\nmutant = \"no_diffusion\"");
    for (text, right, mistaken) in
        [(text, Verdict::Upheld, Verdict::Refuted), (wrong, Verdict::Refuted, Verdict::Upheld)]
    {
        let verdicts = verdicts(&text);
        let count = |verdict| verdicts.iter().filter(|found| **found == verdict).count();
        assert!(count(mistaken) < 5 && count(right) > 6, "{verdicts:?}");
    }
}

#[test]
fn what_cannot_be_sampled_or_has_no_modified_form_is_refused() {
    let heavy = sampled(&ordered(COARSE), 512)
        .replace("gaussian = { scale = 1.0 }", "student_t = { scale = 1.0, dof = 5 }");
    let message = refusal(&heavy);
    assert!(message.contains("claims[0].order: no scaled fluctuation has an expectation"), "{message}");
    let replaced = ordered(COARSE)
        .replace("[run]", "[sde]\nform = \"modified_order_2\"\nmutant = \"no_compression_noise\"\n[run]");
    let message = refusal(&replaced);
    assert!(message.contains("sde.mutant: this mistake is in an SDE that has no modified form"), "{message}");
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
