//! The files that a run writes, and those that it finds finished.

use super::create_folder;
use crate::golden::Golden;
use crate::report::plot::{PathPicture, Picture};
use crate::report::{Report, html, junit, plot, whole_name, write_whole};
use crate::scenario::Loaded;
use std::io;
use std::path::Path;

/// Figures as SVG, each with its name.
pub(super) type Figures = Vec<(String, String)>;

/// Removes what an earlier run may have left.
fn remove(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io::Error::new(error.kind(), format!("{}: {error}", file.display())))
        }
        _ => Ok(()),
    }
}

/// Writes the figures and then report.json of one scenario, in place of all that an earlier run left of
/// them; returns the SVG figures.
pub(super) fn write_scenario(
    folder: &Path,
    report: &Report,
    golden: Option<&Golden>,
    paths: Option<PathPicture>,
) -> io::Result<Figures> {
    create_folder(folder)?;
    let report_file = folder.join("report.json");
    remove(&report_file)?;
    for figure in plot::NAMES {
        remove(&folder.join(format!("{figure}.svg")))?;
        remove(&folder.join(format!("{figure}.png")))?;
    }
    let mut figures = Vec::new();
    let title = &report.scenario.title;
    let claims = plot::draw_claims(title, &report.claims, report.sweep.as_ref());
    let mut images = claims.map_err(io::Error::other)?;
    if let Some(moments) = &report.moments {
        let golden = golden.map(Golden::curves);
        let picture = Picture { title, moments, golden, paths };
        images.extend(plot::draw(&picture).map_err(io::Error::other)?);
    }
    for plot::Image { name, bytes } in images {
        write_whole(&folder.join(&name), &bytes)?;
        if let Some(stem) = name.strip_suffix(".svg") {
            figures.push((stem.to_owned(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    write_whole(&report_file, &report.json()?)?;
    Ok(figures)
}

/// Writes what tells of the run as a whole; `compared` sums up what changed since a baseline.
pub(super) fn write_run(out: &Path, entries: &[html::Entry], compared: Option<&str>) -> io::Result<()> {
    write_whole(&out.join("index.html"), &html::render(entries, compared).map_err(io::Error::other)?)?;
    let reports: Vec<&Report> = entries.iter().map(|entry| entry.report).collect();
    write_whole(&out.join("junit.xml"), &junit::render(&reports).map_err(io::Error::other)?)
}

/// The report and the figures of a scenario that an earlier run finished, if all that decides their bits is as it was. The
/// report is written last, so that figures are whole where it is.
pub(super) fn finished(folder: &Path, loaded: &Loaded) -> Option<(Report, Figures)> {
    let report = Report::read(&std::fs::read(folder.join("report.json")).ok()?, loaded)?;
    let read = |name: &&str| {
        Some((name.to_string(), std::fs::read_to_string(folder.join(format!("{name}.svg"))).ok()?))
    };
    Some((report, plot::NAMES.iter().filter_map(read).collect()))
}

/// Removes files that were being written when a run was killed, and nothing that is not ours.
pub(super) fn remove_parts(folder: &Path) -> io::Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file()
            && entry.file_name().to_str().and_then(whole_name).is_some_and(is_output)
        {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Whether runs write files of this name.
fn is_output(name: &str) -> bool {
    let figure = name.strip_suffix(".svg").or_else(|| name.strip_suffix(".png"));
    ["index.html", "junit.xml", "report.json"].contains(&name)
        || figure.is_some_and(|figure| plot::NAMES.contains(&figure))
}
