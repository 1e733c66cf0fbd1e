//! Figures of one scenario: the moments of both processes over time, their gaps, and sample paths.

mod axes;
mod bound;
mod canvas;
mod clip;
mod contour;
mod errors;
mod font;
mod gallery;
mod gap;
mod heat;
mod moments;
mod names;
mod order;
mod page;
mod paths;
mod phases;
mod surface;
mod sweep;
mod ticks;

use crate::claim::{BoundEstimate, ExactTables, Finding, MomentTables, SweepTable, Table};
use crate::objective::Objective;
use canvas::Canvas;
pub use gallery::{Exhibit, Gallery};
use surface::Surface;

/// What is drawn of one scenario.
pub struct Picture<'a> {
    /// The title over every figure.
    pub title: &'a str,
    /// Moments of both processes.
    pub moments: &'a MomentTables,
    /// Those that are kept as golden outputs, drawn along.
    pub golden: Option<Curves<'a>>,
    /// Sample paths; only for d = 2.
    pub paths: Option<PathPicture<'a>>,
}

/// Moments of both processes over time.
#[derive(Clone, Copy)]
pub struct Curves<'a> {
    /// t, 0 first.
    pub times: &'a [f64],
    /// Names of the test functions.
    pub functions: &'a [String],
    /// The optimizer.
    pub optimizer: &'a Table,
    /// The SDE.
    pub sde: &'a Table,
    /// Exact expectations, drawn as a reference.
    pub exact: Option<&'a ExactTables>,
    /// Whether the means themselves are exact expectations, which have no confidence bands.
    pub are_exact: bool,
}

impl<'a> From<&'a MomentTables> for Curves<'a> {
    fn from(tables: &'a MomentTables) -> Self {
        let MomentTables { times, functions, optimizer, sde, exact, .. } = tables;
        let are_exact = exact.as_ref().is_some_and(|exact| {
            exact.optimizer.as_ref() == Some(&optimizer.mean) && exact.sde.as_ref() == Some(&sde.table.mean)
        });
        // A reference that is the curve itself would only hide it.
        let exact = exact.as_ref().filter(|_| !are_exact);
        Self { times, functions, optimizer, sde: &sde.table, exact, are_exact }
    }
}

/// Sample paths in the plane over the contours of f.
pub struct PathPicture<'a> {
    /// f.
    pub objective: &'a dyn Objective,
    /// A few paths of the optimizer.
    pub optimizer: Vec<Vec<[f64; 2]>>,
    /// A few paths of the SDE.
    pub sde: Vec<Vec<[f64; 2]>>,
}

/// A finished image.
pub struct Image {
    /// File name, such as `means.svg`.
    pub name: String,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// A point in the plane, of a page in points from its top left corner or of data.
type Point = (f64, f64);

/// What drawing comes to; errors of all backends are told as text.
type Drawn = Result<(), String>;

/// A figure that can be drawn on any surface.
trait Figure {
    /// File name without its extension.
    fn name(&self) -> &'static str;

    /// Width and height in points.
    fn size(&self) -> (u32, u32);

    /// Draws the figure on a white page of its size.
    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>) -> Drawn;
}

/// Names of all figures of a scenario, of which those are drawn that there is something for.
/// In the order in which they are drawn.
pub const NAMES: [&str; 14] = [
    "order",
    "bound",
    "phases",
    "sweep",
    "means",
    "second_moments",
    "projections",
    "fluctuations",
    "norms",
    "loss",
    "bounded",
    "gap",
    "errors",
    "paths",
];

/// Draws everything, as SVG and PNG.
pub fn draw(picture: &Picture) -> Result<Vec<Image>, String> {
    let mut images = Vec::new();
    // Others times would be another run's.
    let golden = picture.golden.filter(|golden| golden.times == picture.moments.times);
    for figure in moments::figures(picture.title, picture.moments.into(), golden) {
        add(&mut images, &figure)?;
    }
    if let Some(figure) = gap::figure(picture.title, picture.moments) {
        add(&mut images, &figure)?;
    }
    if let Some(figure) = errors::figure(picture.title, picture.moments) {
        add(&mut images, &figure)?;
    }
    if let Some(figure) = picture.paths.as_ref().and_then(|paths| paths::figure(picture.title, paths)) {
        add(&mut images, &figure)?;
    }
    Ok(images)
}

/// Draws what single claims and the sweep came to, as SVG and PNG. Files have one name: of several claims of a kind
/// the first is drawn, and bounds in one figure.
pub fn draw_claims(
    title: &str,
    claims: &[Finding],
    sweep: Option<&SweepTable>,
) -> Result<Vec<Image>, String> {
    let mut images = Vec::new();
    let order = claims.iter().find_map(|claim| claim.order.as_ref());
    if let Some(figure) = order.and_then(|order| order::figure(title, order)) {
        add(&mut images, &figure)?;
    }
    let bounds: Vec<&BoundEstimate> = claims.iter().filter_map(|claim| claim.bound.as_ref()).collect();
    if let Some(figure) = bound::figure(title, &bounds) {
        add(&mut images, &figure)?;
    }
    if let Some(run) = claims.iter().find_map(|claim| claim.phases.as_ref()) {
        add(&mut images, &phases::PhasesFigure { title, run })?;
    }
    if let Some(figure) = sweep.and_then(|sweep| sweep::figure(title, sweep)) {
        add(&mut images, &figure)?;
    }
    if let Some(figure) = sweep.and_then(|sweep| heat::figure(title, sweep)) {
        add(&mut images, &figure)?;
    }
    Ok(images)
}

/// The overlay that tells most: scaled fluctuations, or means where there are none. None without
/// functions.
pub fn overlay(title: &str, curves: Curves) -> Result<Option<Vec<u8>>, String> {
    let figures = moments::figures(title, curves, None);
    let telling = figures.iter().find(|figure| figure.name() == "fluctuations").or(figures.first());
    telling.map(surface::svg).transpose()
}

/// A figure of chosen test functions.
pub struct Chosen<'a>(moments::Moments<'a>);

impl<'a> Chosen<'a> {
    /// The figure of `functions`, indices into those of `curves`, `size` points wide and high (what suits so many
    /// where none is given), with a `note` under the panels. Refused where its panels would be too small.
    pub fn new(
        title: &'a str,
        curves: Curves<'a>,
        functions: Vec<usize>,
        size: Option<(u32, u32)>,
        note: Option<String>,
    ) -> Result<Self, String> {
        let size = size.unwrap_or_else(|| moments::fitting_size(functions.len()));
        let (width, height) = moments::least_size(functions.len());
        if size.0 < width || size.1 < height {
            return Err(format!(
                "{}x{}; expected at least {width}x{height} for that many functions",
                size.0, size.1
            ));
        }
        Ok(Self(moments::chosen(title, curves, functions, size, note)))
    }

    /// The whole file as SVG.
    pub fn svg(&self) -> Result<Vec<u8>, String> {
        surface::svg(&self.0)
    }

    /// The whole file as PNG.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        surface::png(&self.0)
    }
}

fn add(images: &mut Vec<Image>, figure: &impl Figure) -> Drawn {
    let name = figure.name();
    images.push(Image { name: format!("{name}.svg"), bytes: surface::svg(figure)? });
    images.push(Image { name: format!("{name}.png"), bytes: surface::png(figure)? });
    Ok(())
}
