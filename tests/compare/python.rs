//! The Python in the documentation, with real NumPy.

use crate::compared;
use std::env;
use std::fs;
use std::process::Command;
use tempfile::TempDir;

/// The interpreter: `ITOCHECK_PYTHON`, or python3.
fn python() -> String {
    env::var("ITOCHECK_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

fn has_numpy() -> bool {
    let imported = Command::new(python()).args(["-c", "import numpy"]).output();
    let has = imported.is_ok_and(|imported| imported.status.success());
    assert!(
        has || env::var_os("ITOCHECK_NEED_NUMPY").is_none(),
        "ITOCHECK_NEED_NUMPY is set, and {} has no numpy",
        python()
    );
    if !has {
        eprintln!("skipped: {} has no numpy; set ITOCHECK_PYTHON to one that has", python());
    }
    has
}

/// The Python blocks of a page.
fn snippets(page: &str) -> Vec<String> {
    let blocks = page.split("```python\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_snippets_make_files_that_are_upheld() {
    if !has_numpy() {
        return;
    }
    for page in ["README.md", "docs/compare.md"] {
        let found = snippets(&fs::read_to_string(page).unwrap());
        assert_eq!(found.len(), 1, "{page}");
        let folder = TempDir::new().unwrap();
        let ran = Command::new(python()).current_dir(folder.path()).args(["-c", &found[0]]).output().unwrap();
        assert!(ran.status.success(), "{page}: {}", String::from_utf8_lossy(&ran.stderr));
        let files = ["--optimizer", "sgd.npz", "--sde", "sde.npz"];
        let (code, report) = compared(folder.path(), &files);
        assert_eq!(code, 0, "{page}: {}", report["claims"][0]["sentence"]);
    }
}
