//! A page of text in which tables stand between markers, and which shows figures of scenarios.

use super::tables::{Kind, Tables};
use itocheck::report::plot;
use std::path::Path;

const BEGIN: &str = "<!-- table: ";
const BEHIND: &str = " -->";
const END: &str = "<!-- end -->";

/// A page, line by line.
pub struct Page<'a> {
    /// Its path, for messages.
    file: &'a str,
    /// The folder of its figures, as links have it.
    figures: &'a str,
    parts: Vec<Part<'a>>,
}

/// What a page is made of.
enum Part<'a> {
    /// A line, with its number.
    Line(usize, &'a str),
    /// Markers, and what stands between them.
    Table(Place<'a>, Vec<&'a str>),
}

/// Where a table stands, and what it is of.
struct Place<'a> {
    line: usize,
    kind: Kind,
    folder: &'a str,
}

impl<'a> Page<'a> {
    /// Reads the text of `file`, whose figures stand in a folder of this name beside it.
    pub fn read(file: &'a str, figures: &'a str, text: &'a str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut open: Option<(Place, Vec<&str>)> = None;
        for (line, content) in (1..).zip(text.lines()) {
            let wrong = |message: String| Err(format!("{file}:{line}:1: {message}"));
            match (open.take(), content.strip_prefix(BEGIN)) {
                (Some((place, _)), Some(_)) => {
                    return wrong(format!("{content}; expected {END} of the table of line {}", place.line));
                }
                (None, Some(marker)) => match Place::read(line, marker) {
                    Ok(place) => open = Some((place, Vec::new())),
                    Err(message) => return wrong(format!("{content}: {message}")),
                },
                (Some((place, lines)), None) if content == END => parts.push(Part::Table(place, lines)),
                (Some((place, mut lines)), None) => {
                    lines.push(content);
                    open = Some((place, lines));
                }
                (None, None) if content == END => {
                    return wrong(format!("{END} of no table; expected `{BEGIN}…{BEHIND}` before it"));
                }
                (None, None) => parts.push(Part::Line(line, content)),
            }
        }
        match open {
            None => Ok(Self { file, figures, parts }),
            Some((Place { line, .. }, _)) => {
                Err(format!("{file}:{line}:1: a table to the end of the page; expected {END} behind it"))
            }
        }
    }

    fn places(&self) -> impl Iterator<Item = &Place<'a>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Table(place, _) => Some(place),
            Part::Line(..) => None,
        })
    }

    /// The folders that it has tables of, each once.
    pub fn folders(&self) -> Vec<String> {
        let mut folders: Vec<String> = self.places().map(|place| place.folder.to_owned()).collect();
        folders.sort();
        folders.dedup();
        folders
    }

    /// An error that names the first of these folders that it has no table of.
    pub fn has_tables_of(&self, folders: &[String]) -> Result<(), String> {
        let known = self.folders();
        match folders.iter().find(|folder| !known.contains(folder)) {
            None => Ok(()),
            Some(folder) => {
                Err(format!("{folder}: {} has no table of it; expected {}", self.file, known.join(", ")))
            }
        }
    }

    /// The page with these tables. Those of other folders stay as they are.
    pub fn fill(&self, tables: &Tables) -> Result<String, String> {
        let file = self.file;
        for (kind, folder) in tables.keys() {
            if !self.places().any(|place| place.kind == *kind && place.folder == folder) {
                let marker = format!("{BEGIN}{} of {folder}{BEHIND}", kind.name());
                return Err(format!("{file}: no place for a table; expected `{marker}` and `{END}`"));
            }
        }
        let mut text = String::new();
        for part in &self.parts {
            let Part::Table(Place { line, kind, folder }, kept) = part else {
                if let Part::Line(_, content) = part {
                    text += &format!("{content}\n");
                }
                continue;
            };
            let (name, is_judged) = (kind.name(), tables.keys().any(|(_, judged)| judged == folder));
            let table = match tables.get(&(*kind, (*folder).to_owned())) {
                Some(table) => table.clone(),
                None if is_judged => {
                    return Err(format!("{file}:{line}:1: {folder} has no scenario for the table {name:?}"));
                }
                None => kept.iter().map(|line| format!("{line}\n")).collect(),
            };
            text += &format!("{BEGIN}{name} of {folder}{BEHIND}\n{table}{END}\n");
        }
        Ok(text)
    }

    /// The figures of scenarios that it shows.
    pub fn figures(&self) -> Result<Vec<Figure<'a>>, String> {
        let mut figures = Vec::new();
        for part in &self.parts {
            let Part::Line(line, content) = *part else { continue };
            let link = format!("]({}/", self.figures);
            for (begin, _) in content.match_indices(&link) {
                let begin = begin + link.len();
                let target = content[begin..].split(')').next().unwrap_or_default();
                let place = format!("{}:{line}:{}", self.file, content[..begin].chars().count() + 1);
                let figure = target.strip_suffix(".png").and_then(|stem| stem.rsplit_once('-'));
                match figure.filter(|(_, name)| plot::NAMES.contains(name)) {
                    Some((scenario, name)) => figures.push(Figure { place, scenario, name }),
                    None => {
                        let names = plot::NAMES.join(", ");
                        return Err(format!(
                            "{place}: {target}; expected the name of a scenario, a hyphen, one of {names}, and .png"
                        ));
                    }
                }
            }
        }
        Ok(figures)
    }
}

impl<'a> Place<'a> {
    /// Of what stands in a marker behind its beginning.
    fn read(line: usize, marker: &'a str) -> Result<Self, String> {
        let kinds = Kind::ALL.map(Kind::name).join(", ");
        let Some((name, folder)) = marker.strip_suffix(BEHIND).and_then(|marker| marker.split_once(" of "))
        else {
            return Err(format!("expected `{BEGIN}KIND of FOLDER{BEHIND}`, KIND one of {kinds}"));
        };
        match Kind::ALL.into_iter().find(|kind| kind.name() == name) {
            Some(kind) => Ok(Self { line, kind, folder }),
            None => Err(format!("no such table; expected one of {kinds}")),
        }
    }
}

/// A figure that a page shows.
pub struct Figure<'a> {
    /// File, line and column.
    place: String,
    /// The name of its scenario.
    pub scenario: &'a str,
    /// One of those that reports come with.
    pub name: &'a str,
}

impl Figure<'_> {
    /// An error unless one of the folders has its scenario.
    pub fn is_of_a_scenario_in(&self, folders: &[String]) -> Result<(), String> {
        let file = format!("{}.toml", self.scenario);
        if folders.iter().any(|folder| Path::new(folder).join(&file).exists()) {
            return Ok(());
        }
        Err(self.wrong(&format!("no scenario {}; expected one of {}", self.scenario, folders.join(", "))))
    }

    /// What is wrong with it, and where.
    pub fn wrong(&self, message: &str) -> String {
        format!("{}: {message}", self.place)
    }
}
