//! Moments of both processes over time, a panel for each test function.

use super::axes::{Axes, Rectangle};
use super::canvas::{Canvas, INK, OPTIMIZER, SDE, Stroke};
use super::names::{Group, expectation, root};
use super::page::{Page, Sample, columns, grid};
use super::surface::Surface;
use super::{Curves, Drawn, Figure, Point, ticks};
use crate::claim::Table;

const LARGEST_COUNT: usize = 6;
/// Half the width of a two-sided 95 % interval in standard errors.
const QUANTILE: f64 = 1.96;
/// Both curves mostly coincide: the optimizer is a broad line under the dashes of the SDE.
pub(super) const OPTIMIZER_STROKE: Stroke = Stroke { color: OPTIMIZER, width: 3.0, dash: None };
pub(super) const SDE_STROKE: Stroke = Stroke { color: SDE, width: 1.5, dash: Some((6.0, 4.5)) };
/// Under both, where it hides neither: a hair line.
const EXACT_STROKE: Stroke = Stroke { color: INK, width: 0.7, dash: None };
/// Over all: dots, which coincide with the curves where nothing has moved, far enough apart to leave them to be seen.
const GOLDEN_STROKE: Stroke = Stroke { color: INK, width: 1.2, dash: Some((1.2, 13.0)) };
pub(super) const OPACITY: f64 = 0.22;
/// At so many times and fewer each has a mark: a kink of a line between them is not what happens there.
const FEW: usize = 6;

/// One figure of moments.
pub(super) struct Moments<'a> {
    title: &'a str,
    name: &'static str,
    heading: &'static str,
    curves: Curves<'a>,
    golden: Option<Curves<'a>>,
    /// Indices of the functions that are drawn.
    functions: Vec<usize>,
    note: Option<String>,
    size: (u32, u32),
}

/// The figures whose functions are there.
pub(super) fn figures<'a>(
    title: &'a str,
    curves: Curves<'a>,
    golden: Option<Curves<'a>>,
) -> Vec<Moments<'a>> {
    let figure = |name, heading, plural, belongs: &dyn Fn(&str) -> bool| {
        let names = curves.functions.iter().enumerate();
        let mut functions: Vec<usize> =
            names.filter(|(_, function)| belongs(function)).map(|(index, _)| index).collect();
        let count = functions.len();
        functions.truncate(LARGEST_COUNT);
        let note =
            (functions.len() < count).then(|| format!("the first {} of {count} {plural}", functions.len()));
        // Panels side by side in one row would be too tall.
        let size = if matches!(functions.len(), 2 | 3) { (900, 400) } else { (900, 560) };
        (count > 0).then_some(Moments { title, name, heading, curves, golden, functions, note, size })
    };
    let is_square = |function: &str, group| Group::of(function) == group && root(function).is_some();
    [
        figure("means", "means", "coordinates", &|function| Group::of(function) == Group::Coordinates),
        figure("second_moments", "second moments", "squares", &|function| {
            is_square(function, Group::Products)
        }),
        figure("projections", "means along random directions", "projections", &|function| {
            Group::of(function) == Group::Projections
        }),
        figure(
            "fluctuations",
            "fluctuations about the flow c of the drift,",
            "squared fluctuations",
            &|function| is_square(function, Group::Fluctuations),
        ),
        figure("norms", "means of squared norms", "squared norms", &|function| {
            Group::of(function) == Group::Norms
        }),
        figure("loss", "mean loss", "losses", &|function| Group::of(function) == Group::Loss),
        figure("bounded", "means of bounded functions", "bounded functions", &|function| {
            Group::of(function) == Group::Bounded
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The figure of `functions`, however many.
pub(super) fn chosen<'a>(
    title: &'a str,
    curves: Curves<'a>,
    functions: Vec<usize>,
    size: (u32, u32),
    note: Option<String>,
) -> Moments<'a> {
    Moments { title, name: "chosen", heading: "means", curves, golden: None, functions, note, size }
}

/// The least width and height of a figure of `count` functions, in points: axes, their labels and a few
/// tick marks need room, and so does the legend.
pub(super) fn least_size(count: usize) -> (u32, u32) {
    let columns = columns(count);
    let rows = count.div_ceil(columns);
    ((columns as u32 * 200).max(360), 120 + rows as u32 * 130)
}

/// The width and height that suit a figure of `count` functions, in points.
pub(super) fn fitting_size(count: usize) -> (u32, u32) {
    let rows = count.div_ceil(columns(count)) as u32;
    (900, (80 + rows * 220).max(560))
}

impl Figure for Moments<'_> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>) -> Drawn {
        let opacity = if self.curves.are_exact { 0.0 } else { OPACITY };
        let mut legend = vec![
            (Sample::Line(OPTIMIZER_STROKE, opacity), "optimizer".to_owned()),
            (Sample::Line(SDE_STROKE, opacity), "SDE".to_owned()),
        ];
        let panels: Vec<Panel> =
            self.functions.iter().map(|&function| Panel::new(self.curves, self.golden, function)).collect();
        if panels.iter().any(|panel| panel.exact.iter().flatten().any(Option::is_some)) {
            legend.push((Sample::Line(EXACT_STROKE, 0.0), "exact".to_owned()));
        }
        if panels.iter().any(|panel| !panel.golden.is_empty()) {
            legend.push((Sample::Line(GOLDEN_STROKE, 0.0), "golden".to_owned()));
        }
        let how = if self.curves.are_exact { "without sampling error" } else { "with 95 % confidence bands" };
        let heading = format!("{} {how}", self.heading);
        let page = Page { title: self.title, heading: &heading, legend, note: self.note.clone() };
        let room = page.draw(canvas, self.size)?;
        let cells = grid(room, self.functions.len());
        // One margin for all keeps the frames aligned.
        let mut margin: f64 = 0.0;
        for (panel, cell) in panels.iter().zip(&cells) {
            margin = margin.max(panel.axes.left_margin(*cell)?);
        }
        panels.iter().zip(&cells).try_for_each(|(panel, cell)| panel.draw(canvas, *cell, margin))
    }
}

/// Mean and interval at each time.
struct Curve {
    mean: Vec<Option<Point>>,
    band: Vec<Option<(f64, [f64; 2])>>,
}

impl Curve {
    fn new(times: &[f64], mean: &[Option<f64>], standard_error: &[Option<f64>]) -> Self {
        let mean = points(times, mean);
        let limits = |(point, error): (&Option<Point>, &Option<f64>)| {
            let ((time, mean), half) = ((*point)?, QUANTILE * ticks::drawable(*error)?);
            Some((time, [mean - half, mean + half]))
        };
        let band = mean.iter().zip(standard_error).map(limits).collect();
        Self { mean, band }
    }

    fn means(&self) -> impl Iterator<Item = Point> {
        self.mean.iter().flatten().copied()
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        let means = self.means().map(|(_, mean)| mean);
        means.chain(self.band.iter().flatten().flat_map(|&(_, limits)| limits))
    }
}

/// The values that can be drawn, over time.
fn points(times: &[f64], values: &[Option<f64>]) -> Vec<Option<Point>> {
    times.iter().zip(values).map(|(&time, &value)| Some((time, ticks::drawable(value)?))).collect()
}

/// One function.
pub(super) struct Panel {
    pub axes: Axes,
    optimizer: Curve,
    sde: Curve,
    /// Exact expectations of both processes, where they are known.
    exact: Vec<Vec<Option<Point>>>,
    /// Means of both processes as they once were.
    golden: Vec<Curve>,
    is_empty: bool,
}

impl Panel {
    pub fn new(curves: Curves, golden: Option<Curves>, function: usize) -> Self {
        let curve = |times: &[f64], table: &Table, function: usize| {
            Curve::new(times, &table.mean[function], &table.standard_error[function])
        };
        let optimizer = curve(curves.times, curves.optimizer, function);
        let sde = curve(curves.times, curves.sde, function);
        let name = &curves.functions[function];
        let golden = golden.and_then(|golden| {
            let function = golden.functions.iter().position(|other| other == name)?;
            Some([golden.optimizer, golden.sde].map(|table| curve(golden.times, table, function)))
        });
        let golden: Vec<Curve> = golden.into_iter().flatten().collect();
        let exact = curves.exact.map(|exact| [&exact.optimizer, &exact.sde]).into_iter().flatten();
        let exact: Vec<Vec<Option<Point>>> =
            exact.flatten().map(|table| points(curves.times, &table[function])).collect();
        let of_exact = exact.iter().flatten().flatten().map(|&(_, value)| value);
        let of_golden = golden.iter().flat_map(Curve::means).map(|(_, mean)| mean);
        let y = ticks::padded(optimizer.values().chain(sde.values()).chain(of_exact).chain(of_golden), 0.06);
        let axes = Axes {
            x: ticks::padded(curves.times.iter().copied(), 0.0).unwrap_or([0.0, 1.0]),
            y: y.unwrap_or([0.0, 1.0]),
            x_label: "t = kη".to_owned(),
            y_label: expectation(name),
        };
        Self { axes, optimizer, sde, exact, golden, is_empty: y.is_none() }
    }

    pub fn draw<S: Surface>(&self, canvas: &mut Canvas<S>, cell: Rectangle, margin: f64) -> Drawn {
        let frame = self.axes.draw(canvas, cell, margin)?;
        if self.is_empty {
            return frame.remark(canvas, "no finite values");
        }
        for (curve, color) in [(&self.optimizer, OPTIMIZER), (&self.sde, SDE)] {
            frame.band(canvas, curve.band.iter().copied(), color, OPACITY)?;
        }
        for curve in &self.exact {
            frame.line(canvas, curve.iter().copied(), EXACT_STROKE)?;
        }
        for (curve, stroke) in [(&self.optimizer, OPTIMIZER_STROKE), (&self.sde, SDE_STROKE)] {
            frame.line(canvas, curve.mean.iter().copied(), stroke)?;
        }
        for (curve, color, radius) in [(&self.optimizer, OPTIMIZER, 4.0), (&self.sde, SDE, 2.5)] {
            if curve.mean.len() <= FEW {
                curve.means().try_for_each(|point| canvas.disc(frame.place(point), radius, color))?;
            }
        }
        self.golden.iter().try_for_each(|curve| frame.line(canvas, curve.mean.iter().copied(), GOLDEN_STROKE))
    }
}
