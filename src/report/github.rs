//! GitHub Actions: annotations on the lines of scenarios, and the summary of a step.
//!
//! Commands and limits as in GitHub's "Workflow commands for GitHub Actions".

use super::Report;
use super::baseline::Comparison;
use crate::claim::Finding;
use crate::scenario::{InputError, Loaded};
use std::env;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

/// Annotations of one kind that GitHub shows of a step.
const MOST_ANNOTATIONS: usize = 10;

/// Longest title of an annotation that GitHub takes, in characters.
const LONGEST_TITLE: usize = 255;

/// Largest summary of a step that GitHub takes, in bytes.
const LARGEST_SUMMARY: u64 = 1 << 20;

/// Bytes of a summary that are kept for the line which says that rows are left out.
const KEPT_FOR_THE_CUT: usize = 200;

/// In a step of GitHub Actions, annotates claims that did not come out as expected, and moments that moved since the baseline,
/// and adds to the step's summary; elsewhere it does nothing.
pub fn tell(out: &mut impl Write, judged: &[(&Loaded, &Report)]) -> io::Result<()> {
    if is_a_step() {
        let moved = judged.iter().filter_map(|(loaded, report)| Annotation::of_move(loaded, report));
        annotate(out, "error", &of_standing(judged, "failed").into_iter().chain(moved).collect::<Vec<_>>())?;
        annotate(out, "warning", &of_standing(judged, "inconclusive"))?;
    }
    match env::var_os("GITHUB_STEP_SUMMARY") {
        Some(path) if !path.is_empty() => add_summary(Path::new(&path), judged),
        _ => Ok(()),
    }
}

/// In a step of GitHub Actions, annotates what is wrong in the input; elsewhere it does nothing.
pub fn tell_errors(out: &mut impl Write, errors: &[InputError]) -> io::Result<()> {
    if !is_a_step() {
        return Ok(());
    }
    let annotations: Vec<Annotation> = errors.iter().map(Annotation::of_error).collect();
    annotate(out, "error", &annotations)
}

fn is_a_step() -> bool {
    env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// A remark on a place in a file.
struct Annotation {
    file: String,
    line: usize,
    column: Option<usize>,
    title: String,
    message: String,
}

impl Annotation {
    fn of_claim(loaded: &Loaded, report: &Report, index: usize) -> Self {
        let Finding { kind, verdict, expected, sentence, .. } = &report.claims[index];
        let stem = loaded.file.file_stem().unwrap_or_default().to_string_lossy();
        Self {
            file: in_workspace(&loaded.file),
            line: loaded.claim_lines.get(index).copied().unwrap_or(1),
            column: None,
            title: format!("{stem}: {kind} {verdict}, expected {expected}"),
            message: format!("{}\n{sentence}", report.scenario.title),
        }
    }

    /// Of the moment that moved farthest since the baseline, where one did.
    fn of_move(loaded: &Loaded, report: &Report) -> Option<Self> {
        let moved = report.baseline.as_ref()?.moved()?;
        let stem = loaded.file.file_stem().unwrap_or_default().to_string_lossy();
        Some(Self {
            file: in_workspace(&loaded.file),
            line: 1,
            column: None,
            title: format!("{stem}: a moment moved since the baseline"),
            message: format!("{}\n{moved}", report.scenario.title),
        })
    }

    fn of_error(error: &InputError) -> Self {
        let (line, column) = error.position().unzip();
        Self {
            file: in_workspace(error.file()),
            line: line.unwrap_or(1),
            column,
            title: "itocheck cannot run this scenario".to_owned(),
            message: error.message().to_owned(),
        }
    }

    fn print(&self, out: &mut impl Write, kind: &str) -> io::Result<()> {
        let column = self.column.map(|column| format!(",col={column}")).unwrap_or_default();
        let title: String = self.title.chars().take(LONGEST_TITLE).collect();
        writeln!(
            out,
            "::{kind} file={},line={}{column},title={}::{}",
            property(&self.file),
            self.line,
            property(&title),
            data(&self.message)
        )
    }
}

fn of_standing(judged: &[(&Loaded, &Report)], standing: &str) -> Vec<Annotation> {
    let mut annotations = Vec::new();
    for (loaded, report) in judged {
        let claims = report.claims.iter().enumerate().filter(|(_, claim)| claim.standing() == standing);
        annotations.extend(claims.map(|(index, _)| Annotation::of_claim(loaded, report, index)));
    }
    annotations
}

/// Prints no more annotations than are shown; where there are more, the last says how many.
fn annotate(out: &mut impl Write, kind: &str, annotations: &[Annotation]) -> io::Result<()> {
    if annotations.len() <= MOST_ANNOTATIONS {
        return annotations.iter().try_for_each(|annotation| annotation.print(out, kind));
    }
    let (shown, rest) = annotations.split_at(MOST_ANNOTATIONS - 1);
    shown.iter().try_for_each(|annotation| annotation.print(out, kind))?;
    writeln!(out, "::{kind} title=itocheck::{} more are not shown here; see the log of this step", rest.len())
}

/// The text as the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The text as a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The file relative to the workspace, as annotations name it; as it was given where it stands elsewhere.
fn in_workspace(file: &Path) -> String {
    let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    let relative = || -> Option<PathBuf> {
        let workspace = whole(Path::new(&env::var_os("GITHUB_WORKSPACE")?)).ok()?;
        Some(whole(file).ok()?.strip_prefix(workspace).ok()?.to_owned())
    };
    let Some(relative) = relative() else { return file.display().to_string() };
    let parts: Vec<_> =
        relative.components().map(Component::as_os_str).map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Appends to the summary of the step what still fits.
fn add_summary(path: &Path, judged: &[(&Loaded, &Report)]) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut file = std::fs::File::options().append(true).create(true).open(path).map_err(named)?;
    let taken = file.metadata().map_err(named)?.len();
    let room = LARGEST_SUMMARY.saturating_sub(taken) as usize;
    file.write_all(summary(judged, room).as_bytes()).map_err(named)
}

/// A table of all claims in Markdown, failures first, of at most `room` bytes: whole rows, and a line that
/// says how many are left out.
fn summary(judged: &[(&Loaded, &Report)], room: usize) -> String {
    const STANDINGS: [&str; 3] = ["failed", "inconclusive", "passed"];
    let reports = judged.iter().map(|(_, report)| *report);
    let interrupted =
        if judged.iter().any(|(_, report)| report.interrupted) { ". **Interrupted.**" } else { "" };
    let mut text = format!(
        "## Does this SDE track this optimizer?\n\n{}{interrupted}\n\n| outcome | scenario | claim | verdict | \
         expected | in words |\n| --- | --- | --- | --- | --- | --- |\n",
        super::summary(reports)
    );
    let most = room.saturating_sub(KEPT_FOR_THE_CUT);
    if text.len() > most {
        return String::new();
    }
    let rows: Vec<String> = STANDINGS.iter().flat_map(|standing| rows(judged, standing)).collect();
    let mut shown = 0;
    for row in &rows {
        if text.len() + row.len() > most {
            break;
        }
        text.push_str(row);
        shown += 1;
    }
    text.push('\n');
    let left_out = rows.len() - shown;
    if left_out > 0 {
        text += &format!(
            "{left_out} more claims are left out: GitHub takes no longer summary. See index.html.\n\n"
        );
    }
    text
}

fn rows(judged: &[(&Loaded, &Report)], standing: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for (loaded, report) in judged {
        let stem = loaded.file.file_stem().unwrap_or_default().to_string_lossy();
        for claim in report.claims.iter().filter(|claim| claim.standing() == standing) {
            rows.push(format!(
                "| {standing} | {} ({}) | {} | {} | {} | {} |\n",
                plain(&report.scenario.title),
                plain(&stem),
                claim.kind,
                claim.verdict,
                claim.expected,
                plain(&claim.sentence)
            ));
        }
        if standing == "failed"
            && let Some(moved) = report.baseline.as_ref().and_then(Comparison::moved)
        {
            rows.push(format!(
                "| failed | {} ({}) | baseline | moved | | {} |\n",
                plain(&report.scenario.title),
                plain(&stem),
                plain(&moved)
            ));
        }
    }
    rows
}

/// The text so that Markdown and HTML take every character for itself: a character reference is never
/// part of their syntax.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            let _ = write!(plain, "&#{};", u32::from(c));
        } else {
            plain.push(if c.is_control() { ' ' } else { c });
        }
    }
    plain
}
