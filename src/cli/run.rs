//! `itocheck run`.

use super::golden::{folder_of_golden_outputs, kept};
use super::interrupt::Workers;
use super::outputs::{self, Figures, write_run, write_scenario};
use super::select::{Scenarios, Seeds, Selection};
use super::timings::Timings;
use super::{create_folder, exit, fail, refuse, standard_output};
use crate::claim::{Finding, Judgement, Progress, interrupted, judge};
use crate::ensemble::record_paths;
use crate::golden::Golden;
use crate::model::Model;
use crate::random::Role;
use crate::report::baseline::{self, Baseline};
use crate::report::plot::PathPicture;
use crate::report::terminal::{Bar, plain, print, print_summary};
use crate::report::{Report, github, html};
use crate::scenario::{InputError, Loaded};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Sample paths of each process in the figure of paths, and points of each at most.
const PATHS_DRAWN: usize = 5;
const POINTS_DRAWN: usize = 2000;

/// Arguments of `itocheck run`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Folder for reports and figures.
    #[arg(long, value_name = "DIR", default_value = "itocheck-out")]
    out: PathBuf,
    /// Folder of golden outputs, whose curves are drawn along [default: golden, where it is there].
    #[arg(long, value_name = "DIR")]
    golden: Option<PathBuf>,
    /// Folder that an earlier run wrote: say which verdicts changed and which moments moved since. It may be that of --out.
    #[arg(long, value_name = "DIR")]
    baseline: Option<PathBuf>,
    /// Keep what an earlier run that was stopped or killed finished in --out, of the same files and seeds, and go on after it.
    #[arg(long, conflicts_with = "baseline")]
    resume: bool,
    #[command(flatten)]
    seeds: Seeds,
    /// Print only claims that did not come out as expected, and no lines of progress.
    #[arg(long)]
    quiet: bool,
    /// Print how long each scenario took to its verdicts, and each phase of the whole run.
    #[arg(long)]
    timings: bool,
}

/// Runs scenarios and returns the exit code.
pub fn run(arguments: &Arguments) -> u8 {
    let begin = Instant::now();
    let scenarios = match arguments.selection.load(arguments.seeds.overrides()) {
        Ok(scenarios) => scenarios,
        Err(errors) => return refuse(&errors),
    };
    let golden = match golden(arguments.golden.as_deref(), &scenarios) {
        Ok(golden) => golden,
        Err(errors) => return refuse(&errors),
    };
    // Read before anything is written, as it may stand where this run writes.
    let baseline = arguments.baseline.as_deref().map(|folder| Baseline::read(folder, scenarios.keys()));
    let baseline = match baseline.transpose() {
        Ok(baseline) => baseline,
        Err(errors) => return refuse(&errors),
    };
    run_all(arguments, &scenarios, &golden, baseline.as_ref(), begin).unwrap_or_else(|error| fail(&error))
}

/// The golden numbers of the scenarios that have any.
fn golden(folder: Option<&Path>, scenarios: &Scenarios) -> Result<BTreeMap<String, Golden>, Vec<InputError>> {
    if let Some(named) = folder {
        folder_of_golden_outputs(named)?;
    }
    let kept = kept(folder.unwrap_or(Path::new("golden")), scenarios)?;
    let named = scenarios.keys().cloned().zip(kept);
    Ok(named.filter_map(|(name, kept)| Some((name, kept?))).collect())
}

/// A finished scenario: its folder's name, its report and its SVG figures.
struct Finished {
    name: String,
    report: Report,
    figures: Figures,
}

/// Scenarios whose figures may wait while others are judged.
const WAITING_FOR_FIGURES: usize = 4;

/// A scenario whose claims are judged.
struct Judged<'a> {
    name: &'a str,
    report: Report,
    paths: Option<PlanarPaths>,
    /// Where an earlier run drew and wrote them.
    figures: Option<Figures>,
}

/// Writes figures and reports of scenarios as they are judged; with the seconds that this took.
fn draw_all(
    judged: Receiver<Judged>,
    arguments: &Arguments,
    scenarios: &Scenarios,
    golden: &BTreeMap<String, Golden>,
) -> io::Result<(Vec<Finished>, f64)> {
    let (mut finished, mut seconds) = (Vec::new(), 0.0);
    for Judged { name, report, paths, figures } in judged {
        let begin = Instant::now();
        let folder = arguments.out.join(name);
        let objective = &**scenarios[name].experiment.model.agents.objective();
        let paths = paths.map(|PlanarPaths { optimizer, sde }| PathPicture { objective, optimizer, sde });
        let figures = match figures {
            Some(figures) => figures,
            None => write_scenario(&folder, &report, golden.get(name), paths)?,
        };
        finished.push(Finished { name: name.to_owned(), report, figures });
        seconds += begin.elapsed().as_secs_f64();
    }
    Ok((finished, seconds))
}

fn run_all(
    arguments: &Arguments,
    scenarios: &Scenarios,
    golden: &BTreeMap<String, Golden>,
    baseline: Option<&Baseline>,
    begin: Instant,
) -> io::Result<u8> {
    create_folder(&arguments.out)?;
    if arguments.resume {
        outputs::remove_parts(&arguments.out)?;
    }
    let workers = Workers::new(arguments.selection.pool()?)?;
    let mut is_interrupted = false;
    let mut timings = Timings { start_up: begin.elapsed().as_secs_f64(), ..Timings::default() };
    // Figures are drawn beside the work on the next scenarios.
    let finished = std::thread::scope(|scope| {
        let (to_draw, judged) = sync_channel(WAITING_FOR_FIGURES);
        let drawing = scope.spawn(move || draw_all(judged, arguments, scenarios, golden));
        for (index, (name, loaded)) in scenarios.iter().enumerate() {
            if let Some((report, figures)) = resumed(arguments, name, loaded)? {
                standard_output(|out| print(out, name, &report, arguments.quiet))?;
                if to_draw.send(Judged { name, report, paths: None, figures: Some(figures) }).is_err() {
                    break;
                }
                continue;
            }
            let bar = Bar::new(name, index + 1, scenarios.len(), arguments.quiet);
            let begin = Instant::now();
            let work = judge_one(&workers, loaded, bar);
            is_interrupted = work.is_interrupted;
            let seconds = begin.elapsed().as_secs_f64();
            timings.add(seconds, &work.claims);
            let mut report = Report {
                interrupted: is_interrupted,
                ..Report::new(loaded, work.judgement, seconds, workers.threads())
            };
            if let Some(earlier) = baseline.and_then(|baseline| baseline.of(name)) {
                report.compare_with(earlier, loaded.experiment.monte_carlo.error_rate);
            }
            standard_output(|out| {
                print(out, name, &report, arguments.quiet)?;
                if arguments.timings {
                    writeln!(out, "     {name}: {seconds:.2} s")?;
                }
                Ok(())
            })?;
            let is_drawn = to_draw.send(Judged { name, report, paths: work.paths, figures: None });
            // Nobody takes it where figures could not be written.
            if is_interrupted || is_drawn.is_err() {
                break;
            }
        }
        drop(to_draw);
        let last_verdict = Instant::now();
        let drawn = drawing.join().map_err(|_| io::Error::other("the thread that draws panicked"))?;
        timings.figures_after = last_verdict.elapsed().as_secs_f64();
        let (finished, seconds) = drawn?;
        timings.figures = seconds;
        Ok::<_, io::Error>(finished)
    })?;
    is_interrupted |= workers.was_interrupted();
    let page = Instant::now();
    let entries: Vec<html::Entry> = finished
        .iter()
        .map(|Finished { name, report, figures }| html::Entry {
            report,
            folder: name,
            text: &scenarios[name].text,
            figures,
        })
        .collect();
    let compared = baseline.map(|baseline| {
        let reports: Vec<(&str, &Report)> =
            entries.iter().map(|entry| (entry.folder, entry.report)).collect();
        // A call that names files leaves out the others; they are not gone.
        let gone = if arguments.selection.is_of_whole_folders() { baseline.others() } else { Vec::new() };
        baseline::summary(baseline, &reports, &gone)
    });
    write_run(&arguments.out, &entries, compared.as_deref())?;
    timings.page = page.elapsed().as_secs_f64();
    let reports: Vec<&Report> = finished.iter().map(|finished| &finished.report).collect();
    standard_output(|out| {
        let judged: Vec<(&Loaded, &Report)> =
            finished.iter().map(|Finished { name, report, .. }| (&*scenarios[name], report)).collect();
        github::tell(out, &judged)?;
        if is_interrupted {
            match scenarios.len() - finished.len() {
                0 => writeln!(out, "interrupted")?,
                1 => writeln!(out, "interrupted; 1 more scenario was not begun")?,
                left => writeln!(out, "interrupted; {left} more scenarios were not begun")?,
            }
        }
        if arguments.timings {
            writeln!(out, "{timings}")?;
        }
        if let Some(compared) = &compared {
            writeln!(out, "{}", plain(compared))?;
        }
        print_summary(out, &reports)
    })?;
    Ok(if is_interrupted { exit::INTERRUPTED } else { exit::of(&reports) })
}

/// What an earlier run finished of a scenario, where this one goes on after it.
fn resumed(arguments: &Arguments, name: &str, loaded: &Loaded) -> io::Result<Option<(Report, Figures)>> {
    if !arguments.resume {
        return Ok(None);
    }
    let folder = arguments.out.join(name);
    outputs::remove_parts(&folder)?;
    Ok(outputs::finished(&folder, loaded))
}

/// What is done of a scenario.
struct Work {
    judgement: Judgement,
    /// Of a planar model.
    paths: Option<PlanarPaths>,
    /// The seconds to each verdict, since the last one, with the kind of its claim.
    claims: Vec<(String, f64)>,
    is_interrupted: bool,
}

/// The first paths of the run in the plane.
struct PlanarPaths {
    optimizer: Vec<Vec<[f64; 2]>>,
    sde: Vec<Vec<[f64; 2]>>,
}

/// Judges one scenario.
fn judge_one(workers: &Workers<Work>, loaded: &Arc<Loaded>, bar: Bar) -> Work {
    let watch = Arc::new(Watch { bar, decided: Mutex::default(), last: Mutex::new(Instant::now()) });
    let (loaded_there, watch_there) = (Arc::clone(loaded), Arc::clone(&watch));
    let work = workers.run(move || {
        let experiment = &loaded_there.experiment;
        let judgement = judge(experiment, &*watch_there);
        let paths = (judgement.moments.is_some() && is_planar(&experiment.model))
            .then(|| planar_paths(&experiment.model, experiment.monte_carlo.seed));
        Work { judgement, paths, claims: Vec::new(), is_interrupted: false }
    });
    watch.bar.finish();
    let decided = watch.decided.lock().map_or_else(|_| BTreeMap::new(), |decided| decided.clone());
    let claims = decided.values().map(|(finding, seconds)| (finding.kind.clone(), *seconds)).collect();
    if let Some(work) = work {
        return Work { claims, ..work };
    }
    let decided = decided.into_iter().map(|(claim, (finding, _))| (claim, finding)).collect();
    let judgement = interrupted(&loaded.experiment, &decided);
    Work { judgement, paths: None, claims, is_interrupted: true }
}

/// Shows how far a scenario has come, and keeps what was decided.
struct Watch {
    bar: Bar,
    /// With the seconds since the last verdict.
    decided: Mutex<BTreeMap<usize, (Finding, f64)>>,
    /// When the last verdict was.
    last: Mutex<Instant>,
}

impl Progress for Watch {
    fn announce(&self, units: u64) {
        self.bar.announce(units);
    }

    fn tick(&self, units: u64) {
        self.bar.tick(units);
    }

    fn decided(&self, claim: usize, finding: &Finding) {
        if let (Ok(mut decided), Ok(mut last)) = (self.decided.lock(), self.last.lock()) {
            let seconds = std::mem::replace(&mut *last, Instant::now()).elapsed().as_secs_f64();
            decided.insert(claim, (finding.clone(), seconds));
        }
    }
}

/// Whether states are points of the plane on which f is drawn.
fn is_planar(model: &Model) -> bool {
    model.dimension() == 2 && model.agents.dimension() == 2
}

/// The first paths of the run, as they stand in its moments.
fn planar_paths(model: &Model, seed: u64) -> PlanarPaths {
    let steps = model.run.steps;
    let record = |process: &dyn crate::ensemble::Process| -> Vec<Vec<[f64; 2]>> {
        let paths = record_paths(process, steps, steps.div_ceil(POINTS_DRAWN), PATHS_DRAWN);
        paths.into_iter().map(|path| path.into_iter().map(|x| [x[0], x[1]]).collect()).collect()
    };
    PlanarPaths {
        optimizer: record(&model.optimizer_process(seed, Role::Optimizer)),
        sde: record(&model.sde_process(seed, Role::Sde, 0)),
    }
}
