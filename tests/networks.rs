//! The page on networks: how its tables are made, and that it has every scenario of the folders that it is about.

mod common;
#[path = "../examples/networks/main.rs"]
#[allow(dead_code)]
mod networks;

use common::GOOD;
use itocheck::claim::{Progress, judge};
use itocheck::report::Report;
use itocheck::scenario::{Overrides, check};
use networks::made::differences;
use networks::page::Page;
use networks::results::{Outcome, Results};
use networks::tables::{Kind, Tables, all};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

fn read(text: &str) -> Result<Page<'_>, String> {
    Page::read("page.md", "figures", text)
}

const PAGE: &str = "# Title\n\n<!-- table: tracking of a -->\n| old |\n<!-- end -->\n\
                    between\n<!-- table: sweeps of b -->\n| kept |\n<!-- end -->\n";

fn tables(entries: &[(Kind, &str, &str)]) -> Tables {
    entries.iter().map(|(kind, folder, table)| ((*kind, (*folder).to_owned()), (*table).to_owned())).collect()
}

#[test]
fn what_stands_between_markers_is_replaced_and_nothing_else() {
    let page = read(PAGE).unwrap();
    assert_eq!(page.folders(), ["a", "b"]);
    let filled = page.fill(&tables(&[(Kind::Tracking, "a", "| new |\n| row |\n")])).unwrap();
    assert_eq!(filled, PAGE.replace("| old |", "| new |\n| row |"));
    // What is there already changes nothing, and neither does a call about nothing.
    assert_eq!(read(&filled).unwrap().fill(&tables(&[])).unwrap(), filled);
    assert_eq!(page.fill(&tables(&[(Kind::Tracking, "a", "| old |\n")])).unwrap(), PAGE);
}

#[test]
fn a_table_without_scenarios_and_scenarios_without_a_table_are_refused() {
    let page = read(PAGE).unwrap();
    let message = page.fill(&tables(&[(Kind::Sweeps, "a", "")])).unwrap_err();
    assert_eq!(
        message,
        "page.md: no place for a table; expected `<!-- table: sweeps of a -->` and `<!-- end -->`"
    );
    let message = page.fill(&tables(&[(Kind::Tracking, "a", ""), (Kind::Tracking, "b", "")])).unwrap_err();
    assert!(message.contains("`<!-- table: tracking of b -->`"), "{message}");
    let text = PAGE.replace("sweeps of b", "sweeps of a");
    let message = read(&text).unwrap().fill(&tables(&[(Kind::Tracking, "a", "")])).unwrap_err();
    assert_eq!(message, "page.md:7:1: a has no scenario for the table \"sweeps\"");
    let message = page.has_tables_of(&["a".to_owned(), "c".to_owned()]).unwrap_err();
    assert_eq!(message, "c: page.md has no table of it; expected a, b");
    assert_eq!(page.has_tables_of(&["b".to_owned()]), Ok(()));
}

#[test]
fn wrong_markers_are_refused_with_their_lines() {
    for (from, to, expected) in [
        (
            "<!-- end -->\nbetween",
            "between",
            "page.md:6:1: <!-- table: sweeps of b -->; expected <!-- end --> of the table of line 3",
        ),
        (
            "| kept |\n<!-- end -->",
            "| kept |",
            "page.md:7:1: a table to the end of the page; expected <!-- end --> behind it",
        ),
        (
            "between",
            "<!-- end -->",
            "page.md:6:1: <!-- end --> of no table; expected `<!-- table: … -->` before it",
        ),
        (
            "tracking of",
            "traces of",
            "page.md:3:1: <!-- table: traces of a -->: no such table; expected one of tracking, scaling, sweeps",
        ),
        (
            "tracking of a",
            "tracking",
            "page.md:3:1: <!-- table: tracking -->: expected `<!-- table: KIND of FOLDER -->`, KIND one of \
             tracking, scaling, sweeps",
        ),
    ] {
        assert_eq!(read(&PAGE.replace(from, to)).err().as_deref(), Some(expected));
    }
    assert!(read(PAGE).is_ok());
}

#[test]
fn figures_are_found_by_scenario_and_name() {
    let text = "![A](figures/wrong-mlp-second_moments.png) ![B](figures/b-sweep.png)\n[c](other/c.png)\n";
    let page = read(text).unwrap();
    let found = page.figures().unwrap();
    let found: Vec<_> = found.iter().map(|figure| (figure.scenario, figure.name)).collect();
    assert_eq!(found, [("wrong-mlp", "second_moments"), ("b", "sweep")]);
    for wrong in ["mlp-sweeps.png", "loss.png", "mlp-loss.svg", "mlp-loss"] {
        let text = format!("\n![A](figures/{wrong})\n");
        let message = read(&text).unwrap().figures().err().unwrap();
        assert!(message.starts_with(&format!("page.md:2:14: {wrong}; expected ")), "{message}");
    }
    let folders = ["scenarios/poster".to_owned()];
    let text = "![A](figures/sweep-agents-dcsgd-sweep.png)";
    assert_eq!(read(text).unwrap().figures().unwrap()[0].is_of_a_scenario_in(&folders), Ok(()));
    let message = found_nowhere(&folders);
    assert_eq!(message, "page.md:1:14: no scenario gone; expected one of scenarios/poster");
}

fn found_nowhere(folders: &[String]) -> String {
    let text = "![A](figures/gone-sweep.png)";
    read(text).unwrap().figures().unwrap()[0].is_of_a_scenario_in(folders).unwrap_err()
}

#[test]
fn lines_that_differ_are_told() {
    assert_eq!(differences("a\nb\nc\n", "a\nb\nc\n"), [] as [&str; 0]);
    assert_eq!(differences("a\nb\nc\n", "a\nB\nc\n"), ["- 2: b", "+ 2: B"]);
    assert_eq!(differences("a\nb\nc\n", "a\nb\nnew\nc\n"), ["+ 3: new"]);
    assert_eq!(differences("a\nb\nb\nc\n", "a\nb\nc\n"), ["- 3: b"]);
    assert_eq!(differences("", "a\n"), ["+ 1: a"]);
    assert_eq!(differences("a\nb\nc\nd\n", "a\nB\nC\nd\ne\n").len(), 7);
}

/// What a scenario comes to, as if it stood in a folder of this name.
fn outcome(folder: &str, text: &str) -> Outcome {
    let file = Path::new(folder).join("scenario.toml");
    let loaded = check(&file, text.to_owned(), Overrides::default()).unwrap();
    let report = Report::new(&loaded, judge(&loaded.experiment, &Silent), 1.0, 1);
    Outcome { folder: folder.to_owned(), loaded, report }
}

const UNSCALED: &str = "[[claims]]\nscaling = { learning_rate = 1.0, margin = 0.05, expect = \"refuted\" }\n";

/// A scenario of the poster with more claims.
fn poster(name: &str, claims: &str) -> Outcome {
    outcome("poster", &(fs::read_to_string(format!("scenarios/poster/{name}.toml")).unwrap() + claims))
}

/// Cells of the rows of a table, but for its head.
fn cells(table: &str) -> Vec<Vec<&str>> {
    let rows = table.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    rows.skip(2).map(|row| row.split('|').map(str::trim).collect()).collect()
}

#[test]
fn every_scenario_is_a_row_of_the_table_of_its_kind() {
    let t_noise = GOOD.replace("gaussian = { scale = 1.0 }", "student_t = { scale = 1.0, dof = 12 }");
    let mutant = format!("{GOOD}expect = \"refuted\"\n[sde]\nmutant = \"half_drift\"\n");
    let mut results = Results::from([
        ("right".to_owned(), outcome("a", GOOD)),
        ("tails".to_owned(), outcome("a", &t_noise)),
        ("scaled".to_owned(), poster("scaling-1-agents-for-compression", UNSCALED)),
        ("swept".to_owned(), poster("sweep-agents-dcsgd", "")),
    ]);
    let before = all(&results).unwrap();
    let keys: Vec<_> = before.keys().map(|(kind, folder)| (kind.name(), folder.as_str())).collect();
    assert_eq!(keys, [("tracking", "a"), ("scaling", "poster"), ("sweeps", "poster")]);

    results.insert("wrong".to_owned(), outcome("a", &mutant));
    let tables = all(&results).unwrap();
    let table = |kind: Kind, folder: &str| tables[&(kind, folder.to_owned())].as_str();
    let tracking = table(Kind::Tracking, "a");
    let rows = cells(tracking);
    let column = |index: usize| rows.iter().map(|row| row[index]).collect::<Vec<_>>();
    assert_eq!(column(0), ["right", "tails", "wrong"].map(|name| format!("[{name}](../a/scenario.toml)")));
    let noises = ["Gaussian noise", "t₁₂ noise", "Gaussian noise"];
    let settings = noises.map(|noise| format!("{noise}, `rand_k` with ω = 1, η = 0.01, 20 steps"));
    assert_eq!(column(1), settings);
    assert_eq!(column(2), ["2"; 3]);
    assert_eq!(column(7), ["upheld", "upheld", "refuted"]);
    assert!(rows.iter().all(|row| row.len() == 10), "{tracking}");
    let report = &results["right"].report;
    let moments = report.moments.as_ref().unwrap();
    let loss = &moments.optimizer.mean[moments.functions.iter().position(|name| name == "loss").unwrap()];
    let ends = [loss[0], loss[moments.times.len() - 1]].map(|loss| format!("{:.3}", loss.unwrap()));
    assert_eq!(column(5)[0], ends.join(" → "));
    assert!(
        tracking.contains("`coefficients` 5 % of a coefficient, `trajectory` 0.3 standard"),
        "{tracking}"
    );
    // The row that is new is what differs, and the table of the others is as it was.
    let told = differences(&before[&(Kind::Tracking, "a".to_owned())], tracking);
    assert!(told.len() == 1 && told[0].starts_with("+ 5: | [wrong]("), "{told:?}");
    let sweeps = (Kind::Sweeps, "poster".to_owned());
    assert_eq!(tables[&sweeps], before[&sweeps]);

    let rows = cells(table(Kind::Scaling, "poster"));
    let column = |index: usize| rows.iter().map(|row| row[index]).collect::<Vec<_>>();
    assert_eq!(column(0), ["[scaled](../poster/scenario.toml)", ""]);
    assert_eq!(column(2), ["4", ""]);
    assert_eq!(column(3), ["α = 1 + βω: β = 3, α = 4", "none, but compressed"]);
    assert_eq!(column(7), ["upheld", "refuted"]);
    let row = &cells(table(Kind::Sweeps, "poster"))[0];
    assert_eq!(row[2..4], ["3", "count = 1, 2, 4, 8, 16, 32, 64"]);
    assert_eq!(row[5].split(", ").count(), 7);
    assert!(row[8].starts_with("−1.00") || row[8].starts_with("−0.99"), "{row:?}");
    assert_eq!(row[9], "−1, upheld; −1, upheld");
}

/// Scenarios of the folders of a page that it has no row of, and rows that no scenario is of.
fn misplaced(text: &str) -> Vec<String> {
    let page = Page::read("docs/networks.md", "networks", text).unwrap();
    let names = page.folders().into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let files = names.map(|entry| entry.unwrap().path());
    let scenarios = files.filter(|file| file.extension().is_some_and(|extension| extension == "toml"));
    let scenarios: BTreeSet<String> =
        scenarios.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let inside = text.split("<!-- table: ").skip(1).map(|part| part.split("<!-- end -->").next().unwrap());
    let rows = inside.flat_map(str::lines).filter_map(|line| line.strip_prefix("| [")?.split(']').next());
    let rows: BTreeSet<String> = rows.map(str::to_owned).collect();
    scenarios.symmetric_difference(&rows).cloned().collect()
}

#[test]
fn the_page_has_every_scenario_and_shows_every_figure() {
    let text = fs::read_to_string("docs/networks.md").unwrap();
    assert_eq!(misplaced(&text), [] as [&str; 0], "see CONTRIBUTING.md on a change of scenarios/neural");
    assert_eq!(misplaced(&text.replace("| [mlp-dsgd]", "| [mlp-new]")), ["mlp-dsgd", "mlp-new"]);

    let page = Page::read("docs/networks.md", "networks", &text).unwrap();
    let figures = page.figures().unwrap();
    let shown = figures.iter().map(|figure| format!("{}-{}.png", figure.scenario, figure.name));
    let there = fs::read_dir("docs/networks").unwrap();
    let there = there.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(shown.collect::<BTreeSet<_>>(), there.collect());
    for figure in &figures {
        assert_eq!(figure.is_of_a_scenario_in(&page.folders()), Ok(()));
    }
}

/// Rows of a page whose setting, or the values of its sweep, are not those of the scenario.
#[cfg(feature = "neural")]
fn outdated(text: &str) -> Vec<String> {
    use networks::tables::{setting, values};
    let is_outdated = |row: &&str| {
        let file = row.split("](../").nth(1).unwrap().split(')').next().unwrap();
        let loaded = itocheck::scenario::load(Path::new(file), Overrides::default()).unwrap();
        let swept = loaded.experiment.sweep.as_ref().map(|sweep| values(&sweep.axes));
        let d = loaded.experiment.model.agents.dimension().to_string();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        cells[2..4] != [&setting(&loaded).unwrap(), &d] || swept.is_some_and(|swept| cells[4] != swept)
    };
    text.lines().filter(|line| line.starts_with("| [")).filter(is_outdated).map(str::to_owned).collect()
}

/// Numbers of the long set are not judged anew by CI; that they are of the scenarios as they are now is looked at here.
#[cfg(feature = "neural")]
#[test]
fn the_page_has_the_settings_of_the_scenarios() {
    let text = fs::read_to_string("docs/networks.md").unwrap();
    assert_eq!(outdated(&text), [] as [&str; 0], "see CONTRIBUTING.md on a change of scenarios/neural");
    for (from, to) in
        [("σ = 1, 2, 4", "σ = 1, 2"), ("η = 0.12, 32 steps", "η = 0.12, 30 steps"), ("| 574 |", "| 575 |")]
    {
        assert!(!outdated(&text.replacen(from, to, 1)).is_empty(), "{from}");
    }
}
