//! `itocheck run --baseline`: what changed since an earlier run, and nothing where nothing did.

#[path = "../examples/baseline_alarms.rs"]
mod alarms;
mod common;

use common::{Called, GOOD, run};
use itocheck::stats::clopper_pearson;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Sampled, without control variates; three looks would do more.
fn sampled(seed: u64) -> String {
    let sampled = format!("[monte_carlo]\nseed = {seed}\nseeds = 4096\nshadow = \"off\"\n[[claims]]");
    GOOD.replace("[[claims]]", &sampled)
}

/// A folder with the scenario `s.toml`.
fn folder(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("s.toml"), text).unwrap();
    folder
}

/// Runs `s.toml` into `out`, compared with `before` where that is named.
fn into(folder: &TempDir, out: &str, before: Option<&str>) -> Called {
    let mut arguments = vec!["s.toml", "--out", out];
    arguments.extend(before.iter().flat_map(|before| ["--baseline", before]));
    run(folder.path(), &arguments)
}

fn file(folder: &TempDir, out: &str) -> PathBuf {
    folder.path().join(out).join("s/report.json")
}

fn report(folder: &TempDir, out: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(file(folder, out)).unwrap()).unwrap()
}

/// The report in `out` is changed by hand, as by another version of itocheck.
fn tamper(folder: &TempDir, out: &str, change: impl Fn(&mut Value)) {
    let mut value = report(folder, out);
    change(&mut value);
    fs::write(file(folder, out), value.to_string()).unwrap();
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// The lines that tell of the baseline, without the last, which sums up.
fn told(called: &Called) -> Vec<&str> {
    called.out.lines().filter(|line| line.contains(": baseline: ")).collect()
}

#[test]
fn an_identical_run_is_silent() {
    for text in [GOOD.to_owned(), sampled(1)] {
        let folder = folder(&text);
        assert_eq!(into(&folder, "a", None).code, 0);
        let again = into(&folder, "b", Some("a"));
        assert_eq!(again.code, 0, "{}", again.out);
        assert_eq!(told(&again), [] as [&str; 0]);
        assert!(
            again.out.contains("baseline a: 1 scenario compared, 0 changed verdicts, moments moved in 0")
        );
        let moments = report(&folder, "b")["baseline"]["moments"].clone();
        assert!(moments["compared"].as_u64().unwrap() > 10);
        assert_eq!(moments["differing"], 0);
        assert_eq!(moments["moved"], json!([]));
    }
}

#[test]
fn without_a_baseline_nothing_is_said_of_one() {
    let folder = folder(GOOD);
    let first = into(&folder, "a", None);
    assert!(!first.out.contains("baseline"));
    assert_eq!(report(&folder, "a").get("baseline"), None);
    assert!(!fs::read_to_string(folder.path().join("a/junit.xml")).unwrap().contains("baseline"));
}

#[test]
fn another_seed_moves_every_mean_and_none_beyond_the_joint_error() {
    let folder = folder(&sampled(1));
    into(&folder, "a", None);
    for seed in 2..12 {
        fs::write(folder.path().join("s.toml"), sampled(seed)).unwrap();
        let other = into(&folder, "b", Some("a"));
        assert_eq!((other.code, told(&other)), (0, vec![]), "seed {seed}");
        let baseline = &report(&folder, "b")["baseline"];
        assert_eq!((&baseline["same_seed"], &baseline["same_file"]), (&json!(false), &json!(false)));
        assert!(baseline["moments"]["differing"].as_u64().unwrap() > 10);
    }
}

#[test]
fn a_mutated_sde_is_named() {
    let folder = folder(&sampled(1));
    into(&folder, "a", None);
    let mutated = sampled(1).replace("[[claims]]", "[sde]\nmutant = \"no_compression_noise\"\n[[claims]]");
    fs::write(folder.path().join("s.toml"), mutated).unwrap();
    let other = into(&folder, "b", Some("a"));
    assert_eq!(other.code, 1);
    let told = told(&other);
    assert!(told[0].starts_with("FAIL s: baseline: SDE: E "), "{told:?}");
    assert!(told[0].contains("error rate 1e-6; the scenario's file is another"), "{told:?}");
    assert!(told.iter().any(|line| line.ends_with("coefficients was upheld, is refuted")), "{told:?}");
    let moved = report(&folder, "b")["baseline"]["moments"]["moved"].clone();
    let moved = moved.as_array().unwrap();
    assert!(!moved.is_empty() && moved.iter().all(|moved| moved["process"] == "sde"), "{moved:?}");
    let junit = fs::read_to_string(folder.path().join("b/junit.xml")).unwrap();
    assert!(junit.contains("baseline: t") && junit.contains("type=\"moved\""), "{junit}");
    let page = fs::read_to_string(folder.path().join("b/index.html")).unwrap();
    let summary = folder.path().join("summary.md");
    let arguments = ["run", "s.toml", "--out", "c", "--baseline", "a"];
    let mut command = assert_cmd::Command::cargo_bin("itocheck").unwrap();
    let command =
        command.current_dir(folder.path()).env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    let output = command.env("GITHUB_WORKSPACE", folder.path()).args(arguments).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let annotation = "::error file=s.toml,line=1,title=s%3A a moment moved since the baseline::t%0ASDE: E ";
    assert!(out.contains(annotation), "{out}");
    assert!(fs::read_to_string(summary).unwrap().contains(" | baseline | moved | | SDE&#58; E "));
    assert!(page.contains("Since the baseline") && page.contains("coefficients was upheld, is refuted"));
}

/// The mean of a process in the first report, moved by `factor` joint errors: it has moved beyond 1 of them, and not below.
fn moves_beyond(joint: f64, seed: &Value, [process, function]: [&str; 2], time: usize, text: &str) {
    let folder = folder(text);
    into(&folder, "fresh", None);
    for (factor, code) in [(0.99, 0), (1.01, 1), (-0.99, 0), (-1.01, 1)] {
        into(&folder, "a", None);
        tamper(&folder, "a", |value| {
            value["provenance"]["seed"] = seed.clone();
            let row = row(value, function);
            let mean = &mut value["moments"][process]["mean"][row][time];
            *mean = json!(number(mean) + factor * joint);
        });
        let called = into(&folder, "b", Some("a"));
        assert_eq!(called.code, code, "{factor} {seed}: {}", called.out);
        assert_eq!(told(&called).len(), code as usize);
        if code == 1 {
            let name = if process == "sde" { "SDE" } else { process };
            assert!(
                told(&called)[0].contains(&format!("{name}: E {function} at t = ")),
                "{:?}",
                told(&called)
            );
            assert!(told(&called)[0].contains("(1 of "));
        }
    }
}

fn row(report: &Value, function: &str) -> usize {
    let functions = report["moments"]["functions"].as_array().unwrap();
    functions.iter().position(|known| *known == function).unwrap()
}

/// The report of a scenario.
fn of(text: &str) -> Value {
    let folder = folder(text);
    into(&folder, "a", None);
    report(&folder, "a")
}

/// What docs/baselines.md makes a joint error of, without the code that it is about: the quantiles of another library.
struct Stated {
    seeds: f64,
    /// Of one comparison, for a run that stopped at its look.
    rate: f64,
    share: f64,
}

impl Stated {
    /// Of the trajectory with the most seeds.
    fn of(report: &Value) -> Self {
        let moments = &report["moments"];
        let count = |name: &str| moments[name].as_array().unwrap().len();
        let trajectories = report["claims"].as_array().unwrap().iter();
        let trajectories = trajectories.filter(|claim| claim["kind"] == "trajectory");
        let seeds_and_looks = trajectories.map(|claim| (number(&claim["seeds"]), number(&claim["looks"])));
        let (seeds, looks) = seeds_and_looks.max_by(|one, other| one.0.total_cmp(&other.0)).unwrap();
        let rate = 1e-6 / (2 * count("times") * count("functions")) as f64;
        Self { seeds, rate, share: 1.0 / (looks * (looks + 1.0)) }
    }

    /// Half the width of an interval of this level, in standard errors.
    fn quantile(&self, level: f64) -> f64 {
        use statrs::distribution::{ContinuousCDF, StudentsT};
        -StudentsT::new(0.0, 1.0, self.seeds / 64.0 - 1.0).unwrap().inverse_cdf(level / 2.0)
    }

    /// Of two runs with the same seed.
    fn dependent(&self) -> f64 {
        2.0 * self.quantile(self.rate / 2.0 * self.share)
    }

    /// Of two runs with other seeds.
    fn independent(&self) -> f64 {
        2f64.sqrt() * self.quantile(self.rate * self.share * self.share)
    }
}

#[test]
fn a_mean_moves_exactly_where_it_is_beyond_the_joint_error() {
    let text = sampled(1);
    let now = of(&text);
    let stated = Stated::of(&now);
    let error = number(&now["moments"]["optimizer"]["standard_error"][0][2]);
    let [dependent, independent] = [stated.dependent() * error, stated.independent() * error];
    assert!(independent < dependent);
    moves_beyond(dependent, &now["provenance"]["seed"], ["optimizer", "x[0]"], 2, &text);
    moves_beyond(independent, &json!(77), ["optimizer", "x[0]"], 2, &text);
}

#[test]
fn a_mean_of_the_sde_may_also_move_by_what_both_solvers_are_off_by() {
    // Long steps of the solver, and little noise.
    let text = sampled(1).replace("[[claims]]", "[sde]\nsubsteps = 1\n[[claims]]");
    let text =
        text.replace("learning_rate = 0.01", "learning_rate = 0.1").replace("scale = 1.0", "scale = 0.01");
    let text = text.replace("rand_k = { k = 1 }", "identity = {}").replace("effect = 0.3", "absolute = 1.0");
    let now = of(&text);
    let sde = &now["moments"]["sde"];
    let (error, bias) = (number(&sde["standard_error"][0][2]), number(&sde["integrator_bias"][0][2]));
    let joint = Stated::of(&now).dependent() * error + 2.0 * bias;
    assert!(bias > 0.02 * joint, "{bias} would hide in {joint}");
    moves_beyond(joint, &now["provenance"]["seed"], ["sde", "x[0]"], 2, &text);
    // Where it cannot be told, nothing can be said to have moved.
    let folder = folder(&text);
    into(&folder, "a", None);
    let compared =
        |folder: &TempDir| report(folder, "b")["baseline"]["moments"]["compared"].as_u64().unwrap();
    into(&folder, "b", Some("a"));
    let all = compared(&folder);
    tamper(&folder, "a", |value| {
        value["moments"]["sde"]["integrator_bias"][0][2] = Value::Null;
        value["moments"]["sde"]["mean"][0][2] = json!(1e9);
    });
    assert_eq!(into(&folder, "b", Some("a")).code, 0);
    assert_eq!(compared(&folder), all - 1);
}

#[test]
fn the_sample_is_that_of_the_last_look() {
    // The first is decided at once, the second stays open to the third look, of which the moments are.
    let later = "[[claims]]\n[claims.trajectory]\nmargin = { effect = 0.01 }\n";
    let text = sampled(1).replace("seeds = 4096", "seeds = 1024\nmax_seeds = 4096\nerror_rate = 1e-6");
    let text = text.replace("effect = 0.3", "effect = 1.0") + later;
    let now = of(&text);
    let trajectories = now["claims"].as_array().unwrap().iter().filter(|claim| claim["kind"] == "trajectory");
    let looks: Vec<u64> = trajectories.map(|claim| claim["looks"].as_u64().unwrap()).collect();
    assert_eq!(looks, [1, 3], "{}", now["claims"]);
    let error = number(&now["moments"]["optimizer"]["standard_error"][0][2]);
    let joint = Stated::of(&now).dependent() * error;
    let folder = folder(&text);
    for (factor, moved) in [(0.99, false), (1.01, true)] {
        into(&folder, "a", None);
        tamper(&folder, "a", |value| {
            let mean = &mut value["moments"]["optimizer"]["mean"][0][2];
            *mean = json!(number(mean) + factor * joint);
        });
        let out = into(&folder, "b", Some("a")).out;
        assert_eq!(out.contains("FAIL s: baseline: optimizer: E x[0]"), moved);
        assert_eq!(out.ends_with(" inconclusive, 1 moved since the baseline\n"), moved, "{out}");
    }
}

#[test]
fn means_of_paths_that_all_agree_may_be_apart_by_rounding() {
    let text = sampled(1).replace("gaussian = { scale = 1.0 }", "none = {}");
    let text = text.replace("rand_k = { k = 1 }", "identity = {}").replace("effect = 0.3", "absolute = 0.1");
    let now = of(&text);
    let optimizer = &now["moments"]["optimizer"];
    assert_eq!(number(&optimizer["standard_error"][0][2]), 0.0);
    // The larger of both means counts, 0.99 or 1.01 roundings away.
    let joint = number(&optimizer["mean"][0][2]) / (1u64 << 33) as f64;
    moves_beyond(joint, &now["provenance"]["seed"], ["optimizer", "x[0]"], 2, &text);
}

#[test]
fn a_probability_of_leaving_the_domain_moves_where_exact_limits_are_apart() {
    use statrs::distribution::{Beta, ContinuousCDF};
    let text = sampled(1).replace("start = 0.3", "start = 0.3\ndomain = { radius = 0.47 }");
    let now = of(&text);
    let last = now["moments"]["times"].as_array().unwrap().len() - 1;
    let Stated { seeds, rate, share } = Stated::of(&now);
    let tail = rate / 4.0 * share;
    let limits = |count: f64| {
        let beta = |a: f64, b: f64, p: f64| Beta::new(a, b).unwrap().inverse_cdf(p);
        [beta(count, seeds - count + 1.0, tail), beta(count + 1.0, seeds - count, 1.0 - tail)]
    };
    let exits =
        |value: &Value| number(&value["moments"]["optimizer"]["mean"][row(value, "exit")][last]) * seeds;
    let count = exits(&now).round();
    assert!(count > 20.0 && count < 0.9 * seeds, "{count}");
    // The fewest exits more whose lower limit is above the upper one of these.
    let first = (count as u64..).find(|&more| limits(more as f64)[0] > limits(count)[1]).unwrap();
    let folder = folder(&text);
    for (other, moved) in [(first - 1, false), (first, true)] {
        into(&folder, "a", None);
        tamper(&folder, "a", |value| {
            let row = row(value, "exit");
            value["moments"]["optimizer"]["mean"][row][last] = json!(other as f64 / seeds);
        });
        let called = into(&folder, "b", Some("a"));
        assert_eq!(
            called.out.contains("FAIL s: baseline: optimizer: E exit at t = "),
            moved,
            "{}",
            called.out
        );
    }
}

/// Pairs of runs of which nothing moved, and how many of them are said to have, against the rate.
#[test]
fn false_alarms_are_no_more_than_the_error_rate_says() {
    // 21 rates: draws that are new fail this with a probability of at most 2.1e-5.
    for case in alarms::cases() {
        let pairs = 300;
        for (count, rate) in case.alarms(pairs).into_iter().zip(alarms::ERROR_RATES) {
            assert!(
                clopper_pearson(count, pairs, 1e-6).0 <= rate,
                "{}: {count} of {pairs} at {rate}",
                case.name
            );
        }
    }
}

#[test]
fn runs_that_mirror_each_other_need_the_limit_for_the_same_seed() {
    let pairs = 4000;
    let [.., count] = alarms::control().alarms(pairs);
    let [.., rate] = alarms::ERROR_RATES;
    assert!(clopper_pearson(count, pairs, 1e-3).0 > rate, "{count} of {pairs} at {rate}");
}

#[test]
fn an_exact_value_moves_beyond_the_errors_that_both_state() {
    let folder = folder(GOOD);
    for (factor, code) in [(0.9, 0), (1.1, 1)] {
        into(&folder, "a", None);
        tamper(&folder, "a", |value| {
            let error = number(&value["moments"]["exact"]["sde_error"][0][3]);
            assert!(error > 0.0 && error < 1e-9, "{error}");
            let exact = &mut value["moments"]["exact"]["sde"][0][3];
            *exact = json!(number(exact) + 2.0 * factor * error);
            value["moments"]["sde"]["mean"][0][3] = value["moments"]["exact"]["sde"][0][3].clone();
        });
        let called = into(&folder, "b", Some("a"));
        assert_eq!(called.code, code, "{factor}: {}", called.out);
        if code == 1 {
            assert!(told(&called)[0].contains("SDE: E x[0], exactly, at t = "), "{:?}", told(&called));
        }
    }
}

#[test]
fn a_mean_that_is_no_longer_finite_has_moved() {
    let folder = folder(&sampled(1));
    into(&folder, "a", None);
    tamper(&folder, "a", |value| value["moments"]["sde"]["mean"][1][1] = Value::Null);
    let called = into(&folder, "b", Some("a"));
    assert_eq!(called.code, 1);
    assert!(told(&called)[0].contains("moved from not finite to "));
}

#[test]
fn verdicts_claims_margins_and_functions_are_told_and_fail_nothing() {
    let folder = folder(&sampled(1));
    into(&folder, "a", None);
    tamper(&folder, "a", |value| {
        let trajectory =
            value["claims"].as_array().unwrap().iter().position(|claim| claim["kind"] == "trajectory");
        let trajectory = &mut value["claims"][trajectory.unwrap()];
        trajectory["verdict"] = json!("refuted");
        trajectory["worst"]["interval"] = json!([-1e-9, 1e-9]);
        trajectory["worst"]["sampling"] = json!(0.0);
        let mut other = trajectory.clone();
        other["kind"] = json!("order");
        value["claims"].as_array_mut().unwrap().push(other);
        value["moments"]["functions"][0] = json!("y");
    });
    let called = into(&folder, "b", Some("a"));
    assert_eq!(called.code, 0, "{}", called.out);
    let all = told(&called).join("\n");
    for line in [
        "trajectory was refuted, is upheld",
        "claims that are gone: order",
        "test functions that are new: x[0]",
        "test functions that are gone: y",
        "of its margin, before 0.00",
    ] {
        assert!(all.contains(line), "{line}\n{all}");
    }
    assert!(!all.contains("FAIL"));
}

#[test]
fn scenarios_that_are_new_or_gone_are_named() {
    let folder = folder(GOOD);
    let checks = folder.path().join("checks");
    fs::create_dir(&checks).unwrap();
    for name in ["kept.toml", "gone.toml"] {
        fs::write(checks.join(name), GOOD).unwrap();
    }
    assert_eq!(run(folder.path(), &["checks", "--out", "a"]).code, 0);
    fs::rename(checks.join("gone.toml"), checks.join("fresh.toml")).unwrap();
    let called = run(folder.path(), &["checks", "--out", "b", "--baseline", "a", "--quiet"]);
    assert_eq!(called.code, 0);
    assert!(called.out.contains("1 new (fresh), 1 gone (gone)"), "{}", called.out);
    // What a call leaves out is not gone.
    let called = run(folder.path(), &["checks/kept.toml", "--out", "b", "--baseline", "a"]);
    assert!(!called.out.contains("gone"), "{}", called.out);
}

#[test]
fn the_baseline_may_stand_where_the_run_writes() {
    let folder = folder(GOOD);
    into(&folder, "a", None);
    tamper(&folder, "a", |value| value["moments"]["sde"]["mean"][0][0] = json!(5.0));
    assert_eq!(into(&folder, "a", Some("a")).code, 1);
    assert_eq!(into(&folder, "a", Some("a")).code, 0);
}

#[test]
fn what_is_no_baseline_is_refused_before_anything_runs() {
    let refused = |change: &dyn Fn(&Path), before: &str, expected: &[&str]| {
        let folder = folder(GOOD);
        into(&folder, "a", None);
        change(folder.path());
        let called = into(&folder, "b", Some(before));
        assert_eq!(called.code, 2, "{}", called.out);
        assert_eq!(called.out, "");
        assert!(!folder.path().join("b").exists());
        for text in expected {
            assert!(called.err.contains(text), "{text:?} in {:?}", called.err);
        }
    };
    let report = |root: &Path| root.join("a/s/report.json");
    let replaced = |from: &'static str, to: &'static str| {
        move |root: &Path| {
            let text = fs::read_to_string(report(root)).unwrap();
            assert!(text.contains(from), "{from}");
            fs::write(report(root), text.replacen(from, to, 1)).unwrap();
        }
    };
    refused(
        &|_| {},
        "nowhere",
        &["error: nowhere: cannot be read (", "expected a folder that `itocheck run --out` wrote"],
    );
    refused(&|_| {}, "s.toml", &["error: s.toml: cannot be read ("]);
    refused(
        &|root| fs::remove_file(report(root)).unwrap(),
        "a",
        &["error: a: no <scenario>/report.json; expected"],
    );
    refused(
        &|root| fs::rename(root.join("a/s"), root.join("a/z")).unwrap(),
        "a",
        &["reports of 1 other scenario (z, for one)"],
    );
    refused(
        &|root| fs::write(report(root), "{\"schema\":\n 3}").unwrap(),
        "a",
        &["a/s/report.json:2:", "expected what itocheck writes"],
    );
    refused(&|root| fs::write(report(root), "").unwrap(), "a", &["a/s/report.json:1:1: EOF"]);
    refused(
        &replaced("itocheck/report/1", "itocheck/report/2"),
        "a",
        &["a/s/report.json: the schema \"itocheck/report/2\"; expected \"itocheck/report/1\""],
    );
    refused(
        &replaced("\"upheld\",\n      \"as_expected", "\"perhaps\",\n      \"as_expected"),
        "a",
        &["unknown variant `perhaps`"],
    );
    refused(
        &replaced("\"functions\": [", "\"functions\": [\"more\", "),
        "a",
        &["tables of different shapes"],
    );
    refused(&replaced("\"version\": \"", "\"version\": \"\\u001b"), "a", &["expected one short line"]);
}
