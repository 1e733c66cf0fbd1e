//! Files of the documentation that examples make: they are written, or checked to be what would be written.

use itocheck::claim::{Finding, MomentTables, SweepTable};
use itocheck::report::plot::{self, Picture};
use std::path::Path;
use std::process::ExitCode;

/// A file: its path, and its bytes.
pub type Made = (String, Vec<u8>);

/// Who makes the files.
pub struct Maker {
    /// The name of the example.
    pub name: &'static str,
    /// The command that writes the files.
    pub command: &'static str,
}

impl Maker {
    /// Writes the files, or where that `is_check` fails unless they are there as they are.
    pub fn deliver(&self, files: &[Made], is_check: bool) -> ExitCode {
        if is_check { self.check(files) } else { self.write(files) }
    }

    fn write(&self, files: &[Made]) -> ExitCode {
        for (path, bytes) in files {
            if let Some(folder) = Path::new(path).parent()
                && let Err(error) = std::fs::create_dir_all(folder)
            {
                eprintln!("{}: {}: {error}", self.name, folder.display());
                return ExitCode::from(4);
            }
            if let Err(error) = itocheck::report::write_whole(Path::new(path), bytes) {
                eprintln!("{}: {error}", self.name);
                return ExitCode::from(4);
            }
            println!("{path}");
        }
        ExitCode::SUCCESS
    }

    fn check(&self, files: &[Made]) -> ExitCode {
        let differs = |(path, bytes): &&Made| std::fs::read(path).ok().as_ref() != Some(bytes);
        let different: Vec<&Made> = files.iter().filter(differs).collect();
        for (path, bytes) in &different {
            let Self { name, command } = self;
            eprintln!("{name}: {path} is not what the scenarios give; `{command}` writes it anew");
            if path.ends_with(".md") {
                let kept = std::fs::read_to_string(path).unwrap_or_default();
                differences(&kept, &String::from_utf8_lossy(bytes))
                    .iter()
                    .for_each(|line| eprintln!("{line}"));
            }
        }
        if different.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
    }
}

/// The lines that differ, each with its number: `-` before one that is kept, `+` before one that is made.
pub fn differences(kept: &str, made: &str) -> Vec<String> {
    let [kept, made] = [kept, made].map(|text| text.lines().collect::<Vec<&str>>());
    let line = |sign: char, number: usize, line: &str| format!("{sign} {number}: {line}");
    if kept.len() == made.len() {
        let pairs = kept.iter().zip(&made).enumerate().filter(|(_, (kept, made))| kept != made);
        return pairs
            .flat_map(|(index, (kept, made))| [line('-', index + 1, kept), line('+', index + 1, made)])
            .collect();
    }
    // All between the lines at the beginning and at the end that are alike.
    let alike = |(kept, made): &(&&str, &&str)| kept == made;
    let begin = kept.iter().zip(&made).take_while(alike).count();
    let end = kept[begin..].iter().rev().zip(made[begin..].iter().rev()).take_while(alike).count();
    let between = |sign: char, lines: &[&str]| -> Vec<String> {
        let numbered = lines.iter().enumerate().take(lines.len() - end).skip(begin);
        numbered.map(|(index, text)| line(sign, index + 1, text)).collect()
    };
    [between('-', &kept), between('+', &made)].concat()
}

/// A figure of a scenario, as PNG.
pub fn image(
    title: &str,
    findings: &[Finding],
    moments: Option<&MomentTables>,
    sweep: Option<&SweepTable>,
    figure: &str,
) -> Result<Vec<u8>, String> {
    let mut images = plot::draw_claims(title, findings, sweep)?;
    if let Some(moments) = moments {
        images.extend(plot::draw(&Picture { title, moments, golden: None, paths: None })?);
    }
    let name = format!("{figure}.png");
    let found = images.into_iter().find(|image| image.name == name);
    found.map(|image| image.bytes).ok_or_else(|| format!("no figure {figure}"))
}
