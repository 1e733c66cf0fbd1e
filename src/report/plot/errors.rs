//! The three errors of a comparison over time: modelling, integration, sampling.

use super::axes::{Axes, Frame};
use super::canvas::{Canvas, INK, Stroke};
use super::page::{Page, Sample};
use super::surface::Surface;
use super::{Drawn, Figure, ticks};
use crate::claim::{Errors, MomentTables};
use plotters::style::RGBColor;

/// Decades below the margin that are shown at least and at most; what is smaller stands at the bottom.
const LEAST_DECADES: f64 = 2.0;
const MOST_DECADES: f64 = 8.0;
const ROOM_ABOVE: f64 = 0.35;
const MARGIN_STROKE: Stroke = Stroke { color: INK, width: 1.2, dash: Some((7.0, 5.0)) };

/// The figure of errors.
pub(super) struct ErrorsFigure<'a> {
    title: &'a str,
    times: &'a [f64],
    errors: Errors,
}

/// The figure, if any error has a size.
pub(super) fn figure<'a>(title: &'a str, tables: &'a MomentTables) -> Option<ErrorsFigure<'a>> {
    let figure = ErrorsFigure { title, times: &tables.times, errors: Errors::of(tables) };
    let has_size =
        figure.lines().iter().any(|(_, _, values)| values.iter().flatten().any(|error| *error > 0.0));
    has_size.then_some(figure)
}

impl ErrorsFigure<'_> {
    fn lines(&self) -> [(&'static str, Stroke, &[Option<f64>]); 3] {
        let Errors { modelling, integration, sampling } = &self.errors;
        let stroke = |red, green, blue, dash| Stroke { color: RGBColor(red, green, blue), width: 2.2, dash };
        [
            ("modelling: |optimizer − SDE|", stroke(0x00, 0x72, 0xB2, None), modelling),
            ("integration", stroke(0xD5, 0x5E, 0x00, Some((9.0, 4.0))), integration),
            ("sampling", stroke(0x00, 0x9E, 0x73, Some((2.0, 5.0))), sampling),
        ]
    }

    fn range(&self) -> [f64; 2] {
        let sizes = self.lines().into_iter().flat_map(|(_, _, values)| values.iter().flatten());
        let logs = sizes.filter(|error| **error > 0.0).map(|&error| libm::log10(error));
        let [low, high] = ticks::padded(logs, 0.05).unwrap_or([-LEAST_DECADES, 0.0]);
        let high = high.clamp(0.0, MOST_DECADES) + ROOM_ABOVE;
        [low.min(-LEAST_DECADES).max(high - MOST_DECADES), high]
    }

    fn draw_line<S: Surface>(
        &self,
        canvas: &mut Canvas<S>,
        frame: &Frame,
        (stroke, values): (Stroke, &[Option<f64>]),
        bottom: f64,
    ) -> Drawn {
        let points = self.times.iter().zip(values).map(|(&time, error)| {
            let error = (*error)?;
            Some((time, libm::log10(error).max(bottom)))
        });
        frame.line(canvas, points, stroke)
    }
}

impl Figure for ErrorsFigure<'_> {
    fn name(&self) -> &'static str {
        "errors"
    }

    fn size(&self) -> (u32, u32) {
        (900, 420)
    }

    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>) -> Drawn {
        let mut legend: Vec<(Sample, String)> = self
            .lines()
            .into_iter()
            .map(|(name, stroke, _)| (Sample::Line(stroke, 0.0), name.to_owned()))
            .collect();
        legend.push((Sample::Line(MARGIN_STROKE, 0.0), "margin".to_owned()));
        let page = Page {
            title: self.title,
            heading: "the three errors, the largest over all test functions",
            legend,
            note: None,
        };
        let room = page.draw(canvas, self.size())?;
        let axes = Axes {
            x: ticks::padded(self.times.iter().copied(), 0.0).unwrap_or([0.0, 1.0]),
            y: self.range(),
            x_label: "t = kη".to_owned(),
            y_label: "log₁₀ (error / margin)".to_owned(),
        };
        let margin = axes.left_margin(room)?;
        let frame = axes.draw(canvas, room, margin)?;
        frame.line(canvas, axes.x.map(|time| Some((time, 0.0))).into_iter(), MARGIN_STROKE)?;
        for (_, stroke, values) in self.lines() {
            self.draw_line(canvas, &frame, (stroke, values), axes.y[0])?;
        }
        Ok(())
    }
}
