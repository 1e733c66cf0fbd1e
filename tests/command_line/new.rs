//! `itocheck new`.

use super::{good, is_read, itocheck, names, outcome, printed, schema};
use std::fs;
#[cfg(unix)]
use std::process::Command;
use tempfile::TempDir;

fn optimizers() -> Vec<String> {
    let names = names("/properties/optimizer/oneOf");
    assert!(names.contains(&"dsgd".to_owned()));
    names
}

#[test]
fn new_scenarios_explain_every_key_and_pass() {
    let place = TempDir::new().unwrap();
    let schema = schema("scenario");
    for optimizer in optimizers() {
        let text = printed(&["new", &optimizer]);
        let scenario: toml::Table = text.parse().unwrap();
        let named = match &scenario["optimizer"] {
            toml::Value::Table(table) => table.keys().next().unwrap().as_str(),
            name => name.as_str().unwrap(),
        };
        assert_eq!(named, optimizer);
        for key in schema["properties"].as_object().unwrap().keys() {
            // A sweep is another run, and projections are other test functions, for which a newcomer does not ask.
            let is_offered =
                text.contains(&format!("\n# [{key}]\n")) || text.contains(&format!("\n# {key} = "));
            assert!(scenario.contains_key(key) || is_offered, "{key} is not in\n{text}");
        }
        let compresses = is_read(&good().replace("\"dcsgd\"", &format!("\"{optimizer}\"")));
        for table in ["agents/items", "run", "sde", "monte_carlo", "sweep"] {
            let keys =
                schema.pointer(&format!("/properties/{table}/properties")).unwrap().as_object().unwrap();
            for key in keys.keys().filter(|key| compresses || *key != "compressor") {
                let gives =
                    |line: &str| line.trim_start_matches("# ").starts_with(&**key) && line.contains('=');
                assert!(text.lines().any(gives), "{table}: {key} is not in\n{text}");
            }
        }
        assert_eq!(text.contains("\ncompressor."), compresses);
        assert!(text.lines().all(|line| line.chars().count() <= 100));
        // Behind every empty line stands a comment, and behind comments a key.
        let blocks = text.split("\n\n").skip(1);
        assert!(blocks.clone().count() > 20);
        for block in blocks {
            assert!(block.starts_with("# ") || block.starts_with("[[claims]]"), "{block}");
        }

        let file = format!("{optimizer}.toml");
        let new = ["new", &*optimizer, &*file];
        assert_eq!(
            outcome(itocheck().current_dir(place.path()).args(new)),
            (0, String::new(), String::new())
        );
        assert_eq!(fs::read_to_string(place.path().join(&file)).unwrap(), text);
        let (code, out, err) = outcome(itocheck().current_dir(place.path()).args(["run", &file]));
        assert_eq!(code, 0, "{out}{err}");
        assert!(out.contains(&format!("ok   {optimizer}: trajectory upheld")), "{out}");
    }
}

#[test]
fn new_overwrites_nothing() {
    let place = TempDir::new().unwrap();
    let new = |arguments: &[&str]| outcome(itocheck().current_dir(place.path()).arg("new").args(arguments));
    fs::write(place.path().join("mine.toml"), "mine").unwrap();
    let error = "error: mine.toml: exists already; expected the name of a new file\n";
    assert_eq!(new(&["dsgd", "mine.toml"]), (2, String::new(), error.to_owned()));
    assert_eq!(fs::read_to_string(place.path().join("mine.toml")).unwrap(), "mine");
    let (code, out, err) = new(&["adam", "other.toml"]);
    assert!(code == 2 && out.is_empty() && err.contains("dsgd, dcsgd, dsignsgd"), "{err}");
    assert!(!place.path().join("other.toml").exists());
    // A file is no folder.
    let (code, out, err) = new(&["dsgd", "mine.toml/below"]);
    assert!(code == 4 && out.is_empty() && err.starts_with("error: mine.toml/below: "), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[cfg(unix)]
#[test]
fn new_leaves_nothing_where_nothing_fits() {
    let place = TempDir::new().unwrap();
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" new dsgd full.toml";
    let program = itocheck().get_program().to_owned();
    let (code, _, err) =
        outcome(Command::new("sh").current_dir(place.path()).args(["-c", script]).arg(program));
    assert!(code == 4 && err.starts_with("error: full.toml: ") && err.lines().count() == 1, "{code}: {err}");
    assert!(!place.path().join("full.toml").exists());
}
