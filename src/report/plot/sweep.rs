//! What optimizer and SDE come to in a sweep, beside what theory predicts: curves over one axis.

use super::axes::{Axes, Frame};
use super::canvas::{Canvas, FAINT_INK, OPTIMIZER, SDE, Stroke};
use super::page::{Page, Sample, grid};
use super::surface::Surface;
use super::{Drawn, Figure, ticks};
use crate::claim::{Measured, Quantity, SweepTable};
use plotters::style::RGBColor;

/// Half the width of the ends of an interval, and of the mark of a value without a number.
const WHISKER: f64 = 5.0;
const PANE: f64 = 9.0;
const PANE_OPACITY: f64 = 0.16;
const LEAST_DECADES: f64 = 0.25;

/// The figure of a sweep over one axis.
pub(super) struct SweepFigure<'a> {
    title: &'a str,
    sweep: &'a SweepTable,
    /// Whether the axis is drawn on a logarithmic scale.
    is_logarithmic: bool,
}

/// The figure, if there is one axis and anything has a value.
pub(super) fn figure<'a>(title: &'a str, sweep: &'a SweepTable) -> Option<SweepFigure<'a>> {
    let [axis] = &*sweep.axes else { return None };
    let figure = SweepFigure { title, sweep, is_logarithmic: axis.values[0] > 0.0 };
    let has_points =
        [&sweep.optimizer, &sweep.sde].iter().any(|side| figure.points(&side.value).next().is_some());
    has_points.then_some(figure)
}

/// What is looked at, in words.
pub(super) fn quantity(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Floor => "E f − f* at stationarity",
        Quantity::FinalLoss => "E f − f* at the end of the run; f* is taken as 0 where it is not known",
    }
}

impl SweepFigure<'_> {
    /// Where a value stands on the axis; none for infinity.
    fn place(&self, value: f64) -> Option<f64> {
        let place = if self.is_logarithmic { libm::log10(value) } else { value };
        place.is_finite().then_some(place)
    }

    /// What stands at each finite value of the axis, with its logarithm.
    fn points<'a>(&'a self, values: &'a [Option<f64>]) -> impl Iterator<Item = (f64, f64)> + 'a {
        let axis = &self.sweep.axes[0].values;
        axis.iter().zip(values).filter_map(|(&x, value)| {
            Some((self.place(x)?, libm::log10((*value).filter(|value| *value > 0.0)?)))
        })
    }

    /// The values of the axis at which a process has none of its own.
    fn undefined<'a>(&'a self, side: &'a Measured) -> impl Iterator<Item = f64> + 'a {
        let axis = &self.sweep.axes[0].values;
        axis.iter()
            .zip(&side.value)
            .filter_map(|(&x, value)| if value.is_none() { self.place(x) } else { None })
    }

    fn axes(&self) -> Axes {
        let SweepTable { axes, optimizer, sde, .. } = self.sweep;
        let x = axes[0].values.iter().filter_map(|&x| self.place(x));
        let y = [optimizer, sde]
            .into_iter()
            .flat_map(|side| self.points(&side.value).chain(self.points(&side.predicted)))
            .map(|point| point.1);
        let name = &axes[0].parameter;
        let [low, high] = ticks::padded(y, 0.1).unwrap_or([-1.0, 0.0]);
        // Less would make much of little.
        let missing = (LEAST_DECADES - (high - low)).max(0.0) / 2.0;
        Axes {
            x: ticks::padded(x, 0.06).unwrap_or([0.0, 1.0]),
            y: [low - missing, high + missing],
            x_label: if self.is_logarithmic { format!("log₁₀ {name}") } else { name.clone() },
            y_label: "log₁₀ (E f − f*)".to_owned(),
        }
    }

    fn draw_side<S: Surface>(
        &self,
        canvas: &mut Canvas<S>,
        frame: &Frame,
        side: &Measured,
        color: RGBColor,
        radius: f64,
    ) -> Drawn {
        let dashed = Stroke { color, width: 1.4, dash: Some((6.0, 4.0)) };
        frame.line(canvas, self.points(&side.predicted).map(Some), dashed)?;
        let solid = Stroke { color, width: 1.6, dash: None };
        frame.line(canvas, self.points(&side.value).map(Some), Stroke { width: 0.8, ..solid })?;
        for (&x, interval) in self.sweep.axes[0].values.iter().zip(&side.interval) {
            let (Some(x), Some([low, high])) = (self.place(x), interval.filter(|[low, _]| *low > 0.0)) else {
                continue;
            };
            let ends = [low, high].map(|end| frame.place((x, libm::log10(end))));
            canvas.line(&ends, solid)?;
            for (x, y) in ends {
                canvas.line(&[(x - WHISKER, y), (x + WHISKER, y)], solid)?;
            }
        }
        self.points(&side.value).try_for_each(|point| canvas.disc(frame.place(point), radius, color))
    }
}

impl Figure for SweepFigure<'_> {
    fn name(&self) -> &'static str {
        "sweep"
    }

    fn size(&self) -> (u32, u32) {
        (760, 520)
    }

    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>) -> Drawn {
        let SweepTable { optimizer, sde, quantity: what, axes, .. } = self.sweep;
        let sides = [(optimizer, OPTIMIZER, "optimizer", 5.0), (sde, SDE, "SDE", 3.0)];
        let line = |color, dash| Sample::Line(Stroke { color, width: 2.0, dash }, 0.0);
        let mut legend: Vec<(Sample, String)> =
            sides.iter().map(|(_, color, name, _)| (line(*color, None), (*name).to_owned())).collect();
        if sides.iter().any(|(side, ..)| side.predicted.iter().any(Option::is_some)) {
            legend.push((line(FAINT_INK, Some((6.0, 4.0))), "theory".to_owned()));
        }
        let has_gaps = sides.iter().any(|(side, ..)| self.undefined(side).next().is_some());
        if has_gaps {
            let nothing = Stroke { color: FAINT_INK, width: 0.0, dash: None };
            legend.push((Sample::Line(nothing, PANE_OPACITY), "no value".to_owned()));
        }
        let hidden = axes[0].values.iter().filter(|value| self.place(**value).is_none()).count();
        let note = (hidden > 0).then(|| "the value at infinity is in the report".to_owned());
        let page = Page { title: self.title, heading: quantity(*what), legend, note };
        let room = page.draw(canvas, self.size())?;
        let axes = self.axes();
        let cell = grid(room, 1)[0];
        let frame = axes.draw(canvas, cell, axes.left_margin(cell)?)?;
        let inside = frame.inside();
        let middle = f64::midpoint(inside.top, inside.bottom);
        // The optimizer's in the upper half, the SDE's in the lower.
        let halves = [(inside.top, middle), (middle, inside.bottom)];
        for ((side, color, ..), (top, bottom)) in sides.iter().zip(halves) {
            for x in self.undefined(side) {
                let (x, _) = frame.place((x, axes.y[0]));
                canvas.fill_pane((x - PANE, top), (x + PANE, bottom), *color, PANE_OPACITY)?;
            }
        }
        sides
            .iter()
            .try_for_each(|(side, color, _, radius)| self.draw_side(canvas, &frame, side, *color, *radius))
    }
}
