//! Every statement of the poster with its verdict: `cargo run --release --example poster` judges the scenarios that
//! examples/poster/statements.toml names, and writes docs/poster.md and the pictures it shows. With `--check` it
//! writes nothing and fails where they would change.

mod page;
mod picture;
mod statements;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let is_check = std::env::args().skip(1).any(|argument| argument == "--check");
    match made() {
        Err(error) => {
            eprintln!("poster: {error}");
            ExitCode::from(2)
        }
        Ok(files) if is_check => check(&files),
        Ok(files) => write(&files),
    }
}

/// A file of the page: its path, and its bytes.
type Made = (String, Vec<u8>);

fn made() -> Result<Vec<Made>, String> {
    let sections = statements::read(include_str!("statements.toml"))?;
    let mut files = vec![("docs/sdes-track.png".to_owned(), picture::draw()?)];
    let page = page::make(&sections, &mut files)?;
    files.push(("docs/poster.md".to_owned(), page.into_bytes()));
    Ok(files)
}

fn write(files: &[Made]) -> ExitCode {
    for (path, bytes) in files {
        if let Some(folder) = Path::new(path).parent()
            && let Err(error) = std::fs::create_dir_all(folder)
        {
            eprintln!("poster: {}: {error}", folder.display());
            return ExitCode::from(4);
        }
        if let Err(error) = itocheck::report::write_whole(Path::new(path), bytes) {
            eprintln!("poster: {error}");
            return ExitCode::from(4);
        }
        println!("{path}");
    }
    ExitCode::SUCCESS
}

fn check(files: &[Made]) -> ExitCode {
    let differs = |(path, bytes): &&Made| std::fs::read(path).ok().as_ref() != Some(bytes);
    let different: Vec<&Made> = files.iter().filter(differs).collect();
    for (path, bytes) in &different {
        eprintln!(
            "poster: {path} is not what the scenarios give; `cargo run --release --example poster` writes it anew"
        );
        if path.ends_with(".md") {
            tell(path, bytes);
        }
    }
    if different.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// The lines that differ.
fn tell(path: &str, bytes: &[u8]) {
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let made = String::from_utf8_lossy(bytes);
    for (kept, made) in kept.lines().zip(made.lines()).filter(|(kept, made)| kept != made) {
        eprintln!("- {kept}\n+ {made}");
    }
}
