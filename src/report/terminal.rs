//! The terminal: one line a claim, and progress with the time left.

use super::Report;
use crate::claim::{Finding, Progress};
use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Effects, Style};
use indicatif::{FormattedDuration, ProgressBar, ProgressStyle};
use std::io::{self, StdoutLock, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

// Told apart by every kind of colour vision; the words say the same.
pub(crate) const PASSED: Style = AnsiColor::Blue.on_default();
pub(crate) const FAILED: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
pub(crate) const INCONCLUSIVE: Style = AnsiColor::Yellow.on_default();

/// Whether `stream` shows colours: a terminal, not a dumb one, and without `NO_COLOR`.
fn colours<S: RawStream>(stream: &S) -> ColorChoice {
    if std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb") {
        return ColorChoice::Never;
    }
    AutoStream::choice(stream)
}

/// Standard output, without colours where it does not show them. Its errors name it.
pub struct StandardOutput(AutoStream<StdoutLock<'static>>);

impl StandardOutput {
    /// Standard output, for this thread alone.
    pub fn lock() -> Self {
        let stream = io::stdout().lock();
        let colours = colours(&stream);
        Self(AutoStream::new(stream, colours))
    }
}

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(of_standard_output)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(of_standard_output)
    }
}

fn of_standard_output(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("standard output: {error}"))
}

/// The text without what a terminal or the log of GitHub Actions would obey: control characters, and the
/// commands `##[..]` that the latter takes anywhere in a line.
pub fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    text.chars().map(shown).collect::<String>().replace("##[", "# #[")
}

/// The lines of one scenario; with `quiet` only those of claims that did not come out as expected.
pub fn print(out: &mut impl Write, name: &str, report: &Report, quiet: bool) -> io::Result<()> {
    let name = plain(name);
    for claim in &report.claims {
        if quiet && claim.as_expected {
            continue;
        }
        let Finding { kind, sentence, .. } = claim;
        let expected = if claim.as_expected {
            ", as expected".to_owned()
        } else {
            format!(", expected {}", claim.expected)
        };
        let (style, mark) = mark(claim);
        writeln!(out, "{style}{mark}{style:#} {name}: {kind} {}{expected}: {sentence}", claim.verdict)?;
    }
    if let Some(first) = report.contradictions.first() {
        writeln!(
            out,
            "{FAILED}FAIL{FAILED:#} {name}: an error of itocheck: {first} ({} such)",
            report.contradictions.len()
        )?;
    }
    if let Some(baseline) = &report.baseline {
        if let Some(moved) = baseline.moved() {
            writeln!(out, "{FAILED}FAIL{FAILED:#} {name}: baseline: {moved}")?;
        }
        for remark in baseline.remarks() {
            writeln!(out, "     {name}: baseline: {}", plain(&remark))?;
        }
    }
    Ok(())
}

/// The last line of a run.
pub fn print_summary(out: &mut impl Write, reports: &[&Report]) -> io::Result<()> {
    writeln!(out, "{}", super::summary(reports.iter().copied()))
}

fn mark(claim: &Finding) -> (Style, &'static str) {
    match claim.standing() {
        "passed" => (PASSED, "ok  "),
        "failed" => (FAILED, "FAIL"),
        _ => (INCONCLUSIVE, "??  "),
    }
}

/// How long a scenario takes before a plain line tells of it, and how long from line to line.
const FIRST_LINE: Duration = Duration::from_secs(10);
const NEXT_LINE: Duration = Duration::from_secs(30);

/// Progress on standard error: a bar on a terminal, elsewhere a plain line now and then.
pub struct Bar {
    bar: ProgressBar,
    /// When the next line is due; none on a terminal and where nobody wants lines.
    due: Option<Mutex<Instant>>,
}

impl Bar {
    /// The bar of the scenario `name`, the `number`-th of `total`; no lines where it is to be `quiet`.
    pub fn new(name: &str, number: usize, total: usize, quiet: bool) -> Self {
        Self::with(format!("[{number}/{total}] {}", plain(name)), "left for this look", quiet)
    }

    /// The bar of a whole of `units`, of which all are announced; no lines where it is to be `quiet`.
    pub fn of_whole(name: &str, units: u64, quiet: bool) -> Self {
        let bar = Self::with(name.to_owned(), "left", quiet);
        bar.announce(units);
        bar
    }

    fn with(prefix: String, left: &str, quiet: bool) -> Self {
        let bar = ProgressBar::new(0);
        let colour = if colours(&io::stderr()) == ColorChoice::Never { "" } else { ":.blue" };
        let template = format!("{{prefix}} {{wide_bar{colour}}} {{elapsed_precise}}, {{eta_precise}} {left}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar.set_prefix(prefix);
        let due = (bar.is_hidden() && !quiet).then(|| Mutex::new(Instant::now() + FIRST_LINE));
        Self { bar, due }
    }

    /// Prints something while the bar is out of the way.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Prints a line where one is due.
    fn tell(&self) {
        // Who finds it locked leaves it to the other.
        let Some(mut due) = self.due.as_ref().and_then(|due| due.try_lock().ok()) else { return };
        let now = Instant::now();
        if now < *due {
            return;
        }
        *due = now + NEXT_LINE;
        let [elapsed, left] = [self.bar.elapsed(), self.bar.eta()].map(FormattedDuration);
        // A line that cannot be printed is no reason to stop the work.
        let _ = writeln!(io::stderr(), "{} {elapsed}, {left} left for this look", self.bar.prefix());
    }
}

impl Progress for Bar {
    fn announce(&self, units: u64) {
        self.bar.inc_length(units);
    }

    fn tick(&self, units: u64) {
        self.bar.inc(units);
        self.tell();
    }
}
