//! The command line: outputs, exit codes, and what is said.

mod common;

use common::{Called, GOOD};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Workplace {
    folder: TempDir,
}

impl Workplace {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Exit code, standard output and standard error of `itocheck run` on the folder.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let Called { code, out, err } = common::run(self.folder.path(), arguments);
        (code, out, err)
    }

    fn report(&self, stem: &str) -> Value {
        let text = fs::read_to_string(self.path("itocheck-out").join(stem).join("report.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_run_writes_reports_and_figures() {
    let place = Workplace::new(&[("good.toml", GOOD)]);
    let (code, out, err) = place.run(&["."]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.contains("ok   good: coefficients upheld") && out.contains("ok   good: trajectory upheld"),
        "{out}"
    );
    assert_eq!(files_in(&place.path("itocheck-out")), ["good", "index.html", "junit.xml"]);
    let names = files_in(&place.path("itocheck-out/good"));
    for figure in ["means", "second_moments", "fluctuations", "loss", "gap", "paths"] {
        for kind in ["svg", "png"] {
            assert!(names.contains(&format!("{figure}.{kind}")), "{figure}.{kind} is not among {names:?}");
        }
    }
    assert!(!names.iter().any(|name| name.contains(".part")));
    let png = fs::read(place.path("itocheck-out/good/gap.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
}

/// The scenario with its paths asked for, so that nothing is decided on exact values.
fn sampled(text: &str) -> String {
    text.replacen("[[claims]]", "[monte_carlo]\nseeds = 4096\n[[claims]]", 1)
}

#[test]
fn report_json_keeps_its_contract() {
    let text = sampled(GOOD).replace("\"t\"", "\"Rand-1 of 2 <&> \\\"quoted\\\"\"");
    let place = Workplace::new(&[("good.toml", &text)]);
    assert_eq!(place.run(&["good.toml"]).0, 0);
    let report = place.report("good");
    assert_eq!(report["schema"], "itocheck/report/1");
    assert_eq!(report["outcome"], "passed");
    assert_eq!(report["interrupted"], false);
    assert_eq!(report["scenario"]["title"], "Rand-1 of 2 <&> \"quoted\"");
    assert_eq!(report["scenario"]["sha256"].as_str().unwrap().len(), 64);
    for key in ["version", "seed", "threads", "cpu", "wall_seconds", "path_steps"] {
        assert!(!report["provenance"][key].is_null(), "{key}");
    }
    let claims = report["claims"].as_array().unwrap();
    assert_eq!(
        (claims[0]["kind"].as_str(), claims[1]["kind"].as_str()),
        (Some("coefficients"), Some("trajectory"))
    );
    for claim in claims {
        assert_eq!(
            (&claim["verdict"], &claim["expected"], &claim["as_expected"]),
            (&"upheld".into(), &"upheld".into(), &true.into())
        );
        assert_eq!(claim["error_rate"], 1e-6);
        assert!(claim["seeds"].as_u64().unwrap() >= 4096 && claim["looks"].as_u64().unwrap() >= 1);
        let worst = &claim["worst"];
        let limits = worst["interval"].as_array().unwrap();
        let (estimate, margin) = (worst["estimate"].as_f64().unwrap(), worst["margin"].as_f64().unwrap());
        assert!(limits[0].as_f64().unwrap() <= estimate && estimate <= limits[1].as_f64().unwrap());
        assert!(limits[0].as_f64().unwrap() > -margin && limits[1].as_f64().unwrap() < margin);
        assert!(claim["detectable_gap"].as_f64().unwrap() > margin);
        assert!(claim["sentence"].as_str().unwrap().contains("error rate 1e-6"));
    }
    let moments = &report["moments"];
    let functions: Vec<&str> =
        moments["functions"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(
        functions,
        [
            "x[0]",
            "x[1]",
            "x[0]*x[0]",
            "x[0]*x[1]",
            "x[1]*x[1]",
            "(x[0]-c[0])*(x[0]-c[0])/η",
            "(x[0]-c[0])*(x[1]-c[1])/η",
            "(x[1]-c[1])*(x[1]-c[1])/η",
            "loss"
        ]
    );
    let times: Vec<f64> = moments["times"].as_array().unwrap().iter().map(|t| t.as_f64().unwrap()).collect();
    assert_eq!(times.len(), 5);
    for (record, t) in times.into_iter().enumerate() {
        assert!((t - 0.05 * record as f64).abs() < 1e-12);
    }
    let tables = [
        ("optimizer", "mean"),
        ("optimizer", "standard_error"),
        ("sde", "mean"),
        ("sde", "standard_error"),
        ("sde", "integrator_bias"),
        ("gap", "estimate"),
        ("gap", "interval"),
        ("gap", "margin"),
    ];
    for (side, table) in tables {
        let rows = moments[side][table].as_array().unwrap();
        assert!(
            rows.len() == 9 && rows.iter().all(|row| row.as_array().unwrap().len() == 5),
            "{side}.{table}"
        );
    }
    for side in ["optimizer", "sde"] {
        let rows = moments["exact"][side].as_array().unwrap();
        assert!(rows.len() == 9 && rows.iter().all(|row| row.as_array().unwrap().len() == 5), "{side}");
    }
    assert_eq!(report["non_finite"], serde_json::json!({ "optimizer": 0, "sde": 0 }));
}

#[test]
fn pages_escape_what_scenarios_say() {
    let place = Workplace::new(&[("good.toml", &GOOD.replace("\"t\"", "\"<script>alert(1)</script>\""))]);
    assert_eq!(place.run(&["good.toml"]).0, 0);
    for file in ["index.html", "junit.xml", "good/means.svg"] {
        let text = fs::read_to_string(place.path("itocheck-out").join(file)).unwrap();
        assert!(!text.contains("<script>alert"), "{file}");
        assert!(text.contains("alert(1)"), "{file}");
    }
    let junit = fs::read_to_string(place.path("itocheck-out/junit.xml")).unwrap();
    assert!(junit.contains("tests=\"2\"") && junit.contains("failures=\"0\""), "{junit}");
}

fn with_margin(margin: &str) -> String {
    GOOD.replace("effect = 0.3", margin)
}

#[test]
fn exit_codes_say_what_happened() {
    let wrong = GOOD.replace("[[claims]]", "[sde]\nmutant = \"no_compression_noise\"\n[[claims]]");
    let undecided = with_margin("effect = 0.001") + "[monte_carlo]\nshadow = \"off\"\n";
    let place =
        Workplace::new(&[("wrong.toml", &wrong), ("undecided.toml", &undecided), ("good.toml", GOOD)]);
    let (code, out, _) = place.run(&["wrong.toml"]);
    assert_eq!(code, 1);
    assert!(out.contains("FAIL wrong: trajectory refuted, expected upheld: the SDE does not track"), "{out}");
    assert!(out.contains("margin"), "{out}");
    let (code, out, _) = place.run(&["undecided.toml", "--max-seeds", "4096"]);
    assert_eq!(code, 3);
    assert!(out.contains("??   undecided: trajectory inconclusive"), "{out}");
    assert!(out.contains("; more paths (max_seeds) or a larger margin may decide it ("), "{out}");
    assert_eq!(place.report("undecided")["outcome"], "inconclusive");
    // 1 comes before 3, and 0 last.
    assert_eq!(place.run(&[".", "--max-seeds", "4096"]).0, 1);
    assert_eq!(place.run(&["good.toml", "undecided.toml", "--max-seeds", "4096"]).0, 3);
    // A negative control that comes out as expected is a success.
    let expected = wrong.replace("effect = 0.3 }", "effect = 0.3 }\nexpect = \"refuted\"");
    let place = Workplace::new(&[("control.toml", &expected)]);
    assert_eq!(place.run(&["control.toml"]).0, 0);
    assert_eq!(place.report("control")["claims"][0]["expected"], "refuted");
}

#[test]
fn coefficients_name_the_entry_to_blame() {
    let wrong = GOOD.replace(
        "[[claims]]",
        "[sde]\nmutant = \"agents_lost\"\n[[claims]]\n[claims.coefficients]\n[[claims]]",
    );
    let place = Workplace::new(&[("wrong.toml", &wrong)]);
    let (code, out, _) = place.run(&["wrong.toml"]);
    assert_eq!(code, 1);
    assert!(out.contains("FAIL wrong: coefficients refuted, expected upheld: diffusion["), "{out}");
}

#[test]
fn wrong_input_is_refused_before_anything_is_written() {
    let place = Workplace::new(&[("good.toml", GOOD), ("bad.toml", &GOOD.replace("k = 1", "k = 3"))]);
    let (code, out, err) = place.run(&["."]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("bad.toml:7:27: agents[0].compressor.rand_k.k: 3; expected a whole number from 1 to the dimension, 2"), "{err}");
    assert!(!place.path("itocheck-out").exists());
    assert_eq!(place.run(&["missing.toml"]).0, 2);
    assert_eq!(place.run(&["good.toml", "--filter", "no such"]).0, 2);
    assert_eq!(place.run(&["good.toml", "--no-such-flag"]).0, 2);
    assert_eq!(place.run(&["good.toml", "--threads", "0"]).0, 2);
    assert_eq!(place.run(&["good.toml", "--seeds", "1"]).0, 2);
    fs::create_dir(place.path("empty")).unwrap();
    assert_eq!(place.run(&["empty"]).0, 2);
    fs::create_dir(place.path("twin")).unwrap();
    fs::write(place.path("twin/good.toml"), GOOD).unwrap();
    let (code, _, err) = place.run(&["good.toml", "twin"]);
    assert!(code == 2 && err.contains("same folder"), "{err}");
    for name in ["...toml", "index.html.toml", "junit.xml.toml"] {
        fs::write(place.path(name), GOOD).unwrap();
        let (code, _, err) = place.run(&[name]);
        assert!(code == 2 && err.contains("expected another file name"), "{err}");
    }
    fs::write(place.path("long.toml"), "#".repeat(5 << 20)).unwrap();
    assert_eq!(place.run(&["long.toml"]).0, 2);
    assert_eq!(place.run(&["/dev/zero"]).0, 2);
    assert!(!place.path("itocheck-out").exists());
}

#[test]
fn flags_are_blamed_for_what_they_say() {
    let text = GOOD.replace("[[claims]]", "[monte_carlo]\nseeds = 600\nmax_seeds = 700\n[[claims]]");
    let place = Workplace::new(&[("good.toml", &text)]);
    let (code, _, err) = place.run(&["good.toml", "--max-seeds", "512"]);
    assert_eq!(
        (code, err.as_str()),
        (2, "error: good.toml: --max-seeds: 512; expected a whole number from 600 to 4294967296\n")
    );
}

#[test]
fn logs_obey_nothing_that_a_file_says() {
    // GitHub Actions takes `##[command]` anywhere in a line.
    let text = GOOD.replace("steps = 20", "steps = 0 # ##[stop-commands]x");
    let place = Workplace::new(&[("##[add-mask]bad.toml", &text)]);
    let (code, _, err) = place.run(&["."]);
    assert!(code == 2 && err.contains("# #[add-mask]bad.toml:10:9: run.steps: 0; expected"), "{err}");
    assert!(!err.contains("##["), "{err}");
}

#[test]
fn a_machine_that_fails_is_told_apart() {
    let place = Workplace::new(&[("good.toml", GOOD), ("file", "")]);
    let (code, _, err) = place.run(&["good.toml", "--out", "file/below"]);
    assert_eq!(code, 4, "{err}");
    assert!(err.starts_with("error: file/below: "), "{err}");
}

#[test]
fn flags_win_over_the_file() {
    let place = Workplace::new(&[("good.toml", GOOD)]);
    assert_eq!(
        place.run(&["good.toml", "--seeds", "8192", "--out", "elsewhere", "--quiet", "--threads", "1"]).0,
        0
    );
    let text = fs::read_to_string(place.path("elsewhere/good/report.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["claims"][1]["seeds"], &report["provenance"]["threads"]), (&8192.into(), &1.into()));
}

#[test]
fn divergence_is_a_result() {
    let text = GOOD
        .replace("learning_rate = 0.01\nsteps = 20", "learning_rate = 1.5\nsteps = 1200")
        .replace("compressor.rand_k = { k = 1 }\n", "")
        .replace("dcsgd", "dsgd");
    let place = Workplace::new(&[("diverges.toml", &text)]);
    let (code, out, _) = place.run(&["diverges.toml", "--max-seeds", "4096"]);
    assert_eq!(code, 1);
    assert!(
        out.contains(
            "trajectory refuted, expected upheld: diverged: 4096 of the optimizer's and 0 of the SDE's"
        ),
        "{out}"
    );
    let report = place.report("diverges");
    assert_eq!(report["non_finite"]["optimizer"], 4096);
    assert!(report["moments"]["optimizer"]["mean"][1][4].is_null());
    assert!(report["claims"][1]["worst"].is_null());
}

#[test]
fn exits_are_a_test_function() {
    let text = GOOD
        .replace(
            "objective.quadratic = { eigenvalues = [0.5, 2.0] }",
            "objective.saddle = { eigenvalues = [1.0, -1.0] }",
        )
        .replace("start = 0.3", "start = [0.1, 0.1]\ndomain = { radius = 0.25 }")
        .replace("effect = 0.3", "effect = 0.5");
    let place = Workplace::new(&[("exits.toml", &text)]);
    let (code, out, err) = place.run(&["exits.toml"]);
    assert_eq!(code, 0, "{out}{err}");
    let moments = &place.report("exits")["moments"];
    let functions = moments["functions"].as_array().unwrap();
    let exit = functions.iter().position(|name| name == "exit").unwrap();
    let probability = moments["optimizer"]["mean"][exit][4].as_f64().unwrap();
    assert!(probability > 0.02 && probability < 0.98, "{probability}");
}

#[test]
fn rare_events_leave_a_right_sde_undecided() {
    // Far in the sign flow a sign against the gradient has probability 3e-7: neither claim may decide.
    let text = sampled(GOOD)
        .replace("dcsgd", "dsignsgd")
        .replace("compressor.rand_k = { k = 1 }\n", "")
        .replace("scale = 1.0", "scale = 0.2")
        .replace("eigenvalues = [0.5, 2.0]", "eigenvalues = [1.0]")
        .replace("start = 0.3", "start = 1.0");
    let place = Workplace::new(&[("rare.toml", &text)]);
    let (code, out, _) = place.run(&["rare.toml", "--max-seeds", "8192"]);
    assert_eq!(code, 3, "{out}");
    assert!(
        out.contains("??   rare: coefficients inconclusive")
            && out.contains("??   rare: trajectory inconclusive"),
        "{out}"
    );
    assert!(out.contains("a start nearer to the minimum or more noise would make it so"), "{out}");
    let absolute = text
        .replace("effect = 0.3", "absolute = 0.001")
        .replace("[[claims]]", "[[claims]]\n[claims.trajectory]\nmargin = { absolute = 0.1 }\n[[claims]]");
    let place = Workplace::new(&[("absolute.toml", &absolute)]);
    assert!(place.run(&["absolute.toml"]).1.contains("ok   absolute: trajectory upheld"));
    assert!(place.report("absolute")["claims"].to_string().contains("rare_events_negligible"));
}

#[test]
fn a_step_too_long_for_its_bias_is_not_upheld() {
    // e^{-10} against the optimizer's exact 0 is 4.54e-5, outside the margin; integrated with 4 and 8 steps
    // to each η the SDE seems closer, and its bias decides.
    let text = sampled(GOOD)
        .replace("dcsgd", "dsgd")
        .replace("compressor.rand_k = { k = 1 }\n", "")
        .replace("gaussian = { scale = 1.0 }", "none = {}")
        .replace("eigenvalues = [0.5, 2.0]", "eigenvalues = [1.0]")
        .replace(
            "learning_rate = 0.01\nsteps = 20\nrecords = 4\nstart = 0.3",
            "learning_rate = 1.0\nsteps = 10\nrecords = 1\nstart = 1.0",
        )
        .replace("effect = 0.3", "absolute = 4e-5");
    let place = Workplace::new(&[("bias.toml", &text)]);
    let (code, out, _) = place.run(&["bias.toml", "--max-seeds", "4096"]);
    assert_eq!(code, 3, "{out}");
    assert!(out.contains("; more `substeps` in [sde] (half or more of the interval is the bias"), "{out}");
}

#[test]
fn a_refuted_trajectory_says_what_the_coefficients_make_of_it() {
    let far = GOOD.replace("start = 0.3", "start = 30.0").replace("effect = 0.3", "effect = 0.1");
    let wrong = GOOD.replace("[[claims]]", "[sde]\nmutant = \"no_compression_noise\"\n[[claims]]");
    let place = Workplace::new(&[
        (
            "far.toml",
            &far.replace("gaussian = { scale = 1.0 }", "gaussian = { scale = 0.1 }")
                .replace("k = 1", "k = 2"),
        ),
        ("wrong.toml", &wrong),
    ]);
    let (_, out, _) = place.run(&["."]);
    assert!(out.contains("see whether it falls with the learning rate"), "{out}");
    assert!(out.contains("one step at a time diffusion["), "{out}");
}
