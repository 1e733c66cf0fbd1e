use crate::Silent;
use itocheck::claim::{Verdict, judge};
use itocheck::report::Report;
use itocheck::scenario::{Overrides, load};
use std::path::Path;

#[test]
fn every_scenario_of_the_poster_comes_out_as_expected_and_every_control_is_refuted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/poster");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let loaded = load(&path, Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
        let judgement = judge(&loaded.experiment, &Silent);
        for finding in &judgement.findings {
            assert!(finding.as_expected, "{name}: {}", finding.sentence);
        }
        let has_refuted = judgement.findings.iter().any(|finding| finding.verdict == Verdict::Refuted);
        assert!(has_refuted || !name.starts_with("wrong-"), "{name}: nothing is refuted");
        // Reports of all kinds of claims and sweeps are read back to the last digit.
        let bytes = Report::new(&loaded, judgement, 1.0, 1).json().unwrap();
        assert!(Report::read(&bytes, &loaded).is_some(), "{name}");
        count += 1;
    }
    assert!(count >= 24, "{count}");
}
