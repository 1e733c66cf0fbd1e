//! Every statement of the poster with its verdict: `cargo run --release --example poster` judges the scenarios that
//! examples/poster/statements.toml names, and writes docs/poster.md and the pictures it shows. With `--check` it
//! writes nothing and fails where they would change.

#[path = "../made/mod.rs"]
mod made;
mod page;
mod picture;
mod statements;

use made::{Made, Maker};
use std::process::ExitCode;

const POSTER: Maker = Maker { name: "poster", command: "cargo run --release --example poster" };

fn main() -> ExitCode {
    let is_check = std::env::args().skip(1).any(|argument| argument == "--check");
    match files() {
        Err(error) => {
            eprintln!("poster: {error}");
            ExitCode::from(2)
        }
        Ok(files) => POSTER.deliver(&files, is_check),
    }
}

fn files() -> Result<Vec<Made>, String> {
    let sections = statements::read(include_str!("statements.toml"))?;
    let mut files = vec![("docs/sdes-track.png".to_owned(), picture::draw()?)];
    let page = page::make(&sections, &mut files)?;
    files.push(("docs/poster.md".to_owned(), page.into_bytes()));
    Ok(files)
}
