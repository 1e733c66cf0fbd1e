//! Moments of both processes over time, a panel for each test function.

use super::axes::{Axes, Rectangle};
use super::canvas::{Canvas, OPTIMIZER, SDE, Stroke};
use super::names::{Group, expectation, root};
use super::page::{Page, Sample, grid};
use super::surface::Surface;
use super::{Drawn, Figure, Point, ticks};
use crate::claim::MomentTables;

const LARGEST_COUNT: usize = 6;
/// Half the width of a two-sided 95 % interval in standard errors.
const QUANTILE: f64 = 1.96;
/// Both curves mostly coincide: the optimizer is a broad line under the dashes of the SDE.
const OPTIMIZER_STROKE: Stroke = Stroke { color: OPTIMIZER, width: 3.0, dash: None };
const SDE_STROKE: Stroke = Stroke { color: SDE, width: 1.5, dash: Some((6.0, 4.5)) };
const OPACITY: f64 = 0.22;

/// One figure of moments.
pub(super) struct Moments<'a> {
    title: &'a str,
    name: &'static str,
    heading: &'static str,
    /// What its functions are called together.
    plural: &'static str,
    tables: &'a MomentTables,
    /// Indices of the functions that belong to it; only the first few are drawn.
    functions: Vec<usize>,
}

/// The figures whose functions are there.
pub(super) fn figures<'a>(title: &'a str, tables: &'a MomentTables) -> Vec<Moments<'a>> {
    let figure = |name, heading, plural, belongs: &dyn Fn(&str) -> bool| {
        let names = tables.functions.iter().enumerate();
        let functions: Vec<usize> =
            names.filter(|(_, function)| belongs(function)).map(|(index, _)| index).collect();
        (!functions.is_empty()).then_some(Moments { title, name, heading, plural, tables, functions })
    };
    let is_square = |function: &str, group| Group::of(function) == group && root(function).is_some();
    [
        figure("means", "means with 95 % confidence bands", "coordinates", &|function| {
            Group::of(function) == Group::Coordinates
        }),
        figure("second_moments", "second moments with 95 % confidence bands", "squares", &|function| {
            is_square(function, Group::Products)
        }),
        figure(
            "fluctuations",
            "fluctuations about the flow c of the drift, with 95 % confidence bands",
            "squared fluctuations",
            &|function| is_square(function, Group::Fluctuations),
        ),
        figure("loss", "mean loss with 95 % confidence bands", "losses", &|function| {
            Group::of(function) == Group::Loss
        }),
        figure(
            "bounded",
            "means of bounded functions with 95 % confidence bands",
            "bounded functions",
            &|function| Group::of(function) == Group::Bounded,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Figure for Moments<'_> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn size(&self) -> (u32, u32) {
        // Panels side by side in one row would be too tall.
        match self.drawn().len() {
            2 | 3 => (900, 400),
            _ => (900, 560),
        }
    }

    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>) -> Drawn {
        let drawn = self.drawn();
        let page = Page {
            title: self.title,
            heading: self.heading,
            legend: vec![
                (Sample::Line(OPTIMIZER_STROKE, OPACITY), "optimizer".to_owned()),
                (Sample::Line(SDE_STROKE, OPACITY), "SDE".to_owned()),
            ],
            note: (drawn.len() < self.functions.len())
                .then(|| format!("the first {} of {} {}", drawn.len(), self.functions.len(), self.plural)),
        };
        let room = page.draw(canvas, self.size())?;
        let cells = grid(room, drawn.len());
        let panels: Vec<Panel> = drawn.iter().map(|&function| Panel::new(self.tables, function)).collect();
        // One margin for all keeps the frames aligned.
        let mut margin: f64 = 0.0;
        for (panel, cell) in panels.iter().zip(&cells) {
            margin = margin.max(panel.axes.left_margin(*cell)?);
        }
        panels.iter().zip(&cells).try_for_each(|(panel, cell)| panel.draw(canvas, *cell, margin))
    }
}

impl Moments<'_> {
    fn drawn(&self) -> &[usize] {
        &self.functions[..self.functions.len().min(LARGEST_COUNT)]
    }
}

/// Mean and interval at each time.
struct Curve {
    mean: Vec<Option<Point>>,
    band: Vec<Option<(f64, [f64; 2])>>,
}

impl Curve {
    fn new(times: &[f64], mean: &[Option<f64>], standard_error: &[Option<f64>]) -> Self {
        let mean: Vec<Option<Point>> =
            times.iter().zip(mean).map(|(&time, &mean)| Some((time, ticks::drawable(mean)?))).collect();
        let limits = |(point, error): (&Option<Point>, &Option<f64>)| {
            let ((time, mean), half) = ((*point)?, QUANTILE * ticks::drawable(*error)?);
            Some((time, [mean - half, mean + half]))
        };
        let band = mean.iter().zip(standard_error).map(limits).collect();
        Self { mean, band }
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        let means = self.mean.iter().flatten().map(|&(_, mean)| mean);
        means.chain(self.band.iter().flatten().flat_map(|&(_, limits)| limits))
    }
}

/// One function.
struct Panel {
    axes: Axes,
    optimizer: Curve,
    sde: Curve,
    is_empty: bool,
}

impl Panel {
    fn new(tables: &MomentTables, function: usize) -> Self {
        let MomentTables { times, optimizer, sde, .. } = tables;
        let optimizer = Curve::new(times, &optimizer.mean[function], &optimizer.standard_error[function]);
        let sde = Curve::new(times, &sde.mean[function], &sde.standard_error[function]);
        let y = ticks::padded(optimizer.values().chain(sde.values()), 0.06);
        let axes = Axes {
            x: ticks::padded(times.iter().copied(), 0.0).unwrap_or([0.0, 1.0]),
            y: y.unwrap_or([0.0, 1.0]),
            x_label: "t = kη".to_owned(),
            y_label: expectation(&tables.functions[function]),
        };
        Self { axes, optimizer, sde, is_empty: y.is_none() }
    }

    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>, cell: Rectangle, margin: f64) -> Drawn {
        let frame = self.axes.draw(canvas, cell, margin)?;
        if self.is_empty {
            return frame.remark(canvas, "no finite values");
        }
        for (curve, color) in [(&self.optimizer, OPTIMIZER), (&self.sde, SDE)] {
            frame.band(canvas, curve.band.iter().copied(), color, OPACITY)?;
        }
        for (curve, stroke) in [(&self.optimizer, OPTIMIZER_STROKE), (&self.sde, SDE_STROKE)] {
            frame.line(canvas, curve.mean.iter().copied(), stroke)?;
        }
        Ok(())
    }
}
