//! junit.xml as its readers take it, by a parser that is not the writer's.

use itocheck::claim::{Progress, Verdict, judge};
use itocheck::report::{Report, junit};
use itocheck::scenario::{Overrides, check};
use roxmltree::{Document, Node};

const SCENARIO: &str = r#"title = "Rand-1 of 2"
optimizer = "dcsgd"
objective.quadratic = { eigenvalues = [0.5, 2.0] }
agents = [{ count = 2, noise.gaussian = { scale = 1.0 }, compressor.rand_k = { k = 1 } }]
run = { learning_rate = 0.01, steps = 20, records = 4, start = 0.3 }
monte_carlo = { seeds = 4096 }
claims = [{ trajectory = { margin = { effect = 0.3 } } }]
"#;

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

fn report() -> Report {
    let loaded = check("a.toml".as_ref(), SCENARIO.to_owned(), Overrides::default());
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    Report::new(&loaded, judge(&loaded.experiment, &Silent), 1.25, 2)
}

/// With the verdict of the trajectory changed.
fn with(verdict: Verdict, change: impl Fn(&mut Report)) -> Report {
    let mut report = report();
    report.claims[1].verdict = verdict;
    report.claims[1].as_expected = false;
    change(&mut report);
    report
}

/// All that can become of a claim: passed; failed twice; undecided, before an interruption too, and cut short by it.
fn reports() -> Vec<Report> {
    vec![
        report(),
        with(Verdict::Refuted, |_| ()),
        with(Verdict::Upheld, |_| ()),
        with(Verdict::Inconclusive, |_| ()),
        with(Verdict::Inconclusive, |report| report.interrupted = true),
        with(Verdict::Inconclusive, |report| {
            report.interrupted = true;
            report.claims[1].sentence = "interrupted before it was decided".to_owned();
        }),
    ]
}

fn xml(reports: &[Report]) -> String {
    let reports: Vec<&Report> = reports.iter().collect();
    String::from_utf8(junit::render(&reports).unwrap()).unwrap()
}

fn elements<'a>(node: Node<'a, 'a>) -> Vec<Node<'a, 'a>> {
    node.children().filter(Node::is_element).collect()
}

/// What is wrong with the structure, as the schema of Jenkins and the readers of GitLab and GitHub have it:
/// names, the attributes that are needed, their types, and counts that are true.
fn faults(xml: &str) -> Vec<String> {
    let document = match Document::parse(xml) {
        Ok(document) => document,
        Err(error) => return vec![error.to_string()],
    };
    let mut faults = Vec::new();
    let mut need = |is_right: bool, node: Node, what: &str| {
        if !is_right {
            faults.push(format!("{}: {what}", node.tag_name().name()));
        }
    };
    let count = |node: Node, name: &str| node.attribute(name).and_then(|value| value.parse::<usize>().ok());
    let seconds = |node: Node| node.attribute("time").and_then(|value| value.parse::<f64>().ok());
    let root = document.root_element();
    need(root.has_tag_name("testsuites") && root.attribute("name").is_some(), root, "not named testsuites");
    need(seconds(root).is_some_and(|time| time >= 0.0), root, "time");
    let mut cases_of_all = Vec::new();
    for suite in elements(root) {
        need(suite.has_tag_name("testsuite"), suite, "not a suite");
        need(suite.attribute("name").is_some_and(|name| !name.is_empty()), suite, "name");
        need(seconds(suite).is_some_and(|time| time >= 0.0), suite, "time");
        let cases = elements(suite);
        for case in &cases {
            need(case.has_tag_name("testcase"), *case, "not a case");
            for attribute in ["name", "classname"] {
                need(case.attribute(attribute).is_some_and(|text| !text.is_empty()), *case, attribute);
            }
            need(seconds(*case).is_some_and(|time| time >= 0.0), *case, "time");
            let known = ["name", "classname", "time"];
            need(case.attributes().all(|attribute| known.contains(&attribute.name())), *case, "attributes");
            let children = elements(*case);
            need(children.len() <= 1, *case, "more than one result");
            for child in children {
                let name = child.tag_name().name();
                need(["failure", "error", "skipped"].contains(&name), child, "not a result");
                for attribute in ["message", "type"] {
                    need(child.attribute(attribute).is_some_and(|text| !text.is_empty()), child, attribute);
                }
            }
        }
        let with = |name: &str, cases: &[Node]| {
            cases.iter().filter(|case| elements(**case).iter().any(|child| child.has_tag_name(name))).count()
        };
        let counts = [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")];
        for (attribute, element) in counts {
            need(count(suite, attribute) == Some(with(element, &cases)), suite, attribute);
        }
        need(count(suite, "tests") == Some(cases.len()), suite, "tests");
        cases_of_all.extend(cases);
        if suite.next_sibling_element().is_none() {
            for (attribute, element) in &counts[..2] {
                need(count(root, attribute) == Some(with(element, &cases_of_all)), root, attribute);
            }
            need(count(root, "tests") == Some(cases_of_all.len()), root, "tests");
        }
    }
    faults
}

#[test]
fn readers_find_the_structure_they_expect() {
    let xml = xml(&reports());
    assert_eq!(faults(&xml), [""; 0], "{xml}");
    // Negative controls: what the test looks for is found.
    for (from, to) in [
        (" skipped=\"0\"", ""),
        ("failures=\"1\"", "failures=\"0\""),
        (" classname=\"a.toml\"", ""),
        (" time=\"0.000\"", ""),
        (" type=\"refuted\"", ""),
        ("</testsuites>", ""),
        ("Rand-1", "&#0;"),
    ] {
        assert!(xml.contains(from), "{from}");
        assert!(!faults(&xml.replacen(from, to, 1)).is_empty(), "{from} to {to:?}");
    }
}

#[test]
fn each_outcome_has_its_element() {
    let xml = xml(&reports());
    let document = Document::parse(&xml).unwrap();
    let results: Vec<Option<(&str, &str)>> = document
        .descendants()
        .filter(|node| node.has_tag_name("testcase"))
        .map(|case| {
            elements(case).first().map(|node| (node.tag_name().name(), node.attribute("type").unwrap()))
        })
        .collect();
    let of_trajectories: Vec<_> = results.iter().skip(1).step_by(2).copied().collect();
    assert_eq!(
        of_trajectories,
        [
            None,
            Some(("failure", "refuted")),
            Some(("failure", "upheld")),
            Some(("error", "inconclusive")),
            Some(("error", "inconclusive")),
            Some(("skipped", "interrupted"))
        ]
    );
    assert!(results.iter().step_by(2).all(Option::is_none));
}

#[test]
fn a_suite_has_the_time_of_its_scenario() {
    let xml = xml(&reports());
    let document = Document::parse(&xml).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("time"), Some("7.500"));
    for suite in elements(root) {
        assert_eq!(suite.attribute("time"), Some("1.250"));
        assert!(elements(suite).iter().all(|case| case.attribute("time") == Some("0.000")));
    }
}

#[test]
fn what_xml_forbids_does_not_get_in() {
    let forbidden = "a\u{0}\u{8}\u{b}\u{1f}\u{1b}[31mb\u{fffe}\u{ffff}<&>\"']]>\u{7f}é𝔼";
    let mut report = with(Verdict::Refuted, |_| ());
    report.scenario.title = forbidden.to_owned();
    report.scenario.file = forbidden.to_owned();
    report.claims[1].sentence = forbidden.to_owned();
    let xml = xml(&[report]);
    assert_eq!(faults(&xml), [""; 0], "{xml}");
    let is_legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(is_legal));
    let document = Document::parse(&xml).unwrap();
    let name = document.descendants().find_map(|node| node.attribute("classname")).unwrap();
    assert!(name.contains("<&>\"']]>") && name.ends_with("é𝔼"), "{name}");
}
