//! The expected loss above its minimum over time, beside the bounds that are claimed of it.

use super::axes::{Axes, Frame};
use super::canvas::{Canvas, INK, OPTIMIZER, SDE, Stroke};
use super::page::{Page, Sample};
use super::surface::Surface;
use super::{Drawn, Figure, ticks};
use crate::claim::{BoundEstimate, BoundForm, Side};
use plotters::style::RGBColor;

/// Widths tell the two where they coincide, as in figures of moments.
const LOSSES: [(Side, &str, Stroke); 2] = [
    (Side::Optimizer, "optimizer", Stroke { color: OPTIMIZER, width: 3.0, dash: None }),
    (Side::Sde, "SDE", Stroke { color: SDE, width: 2.0, dash: None }),
];
const OPACITY: f64 = 0.22;
/// Width of the narrowest band that is told of, relative to the loss.
const THINNEST_BAND: f64 = 1e-5;
const BOUND_WIDTH: f64 = 1.6;
/// Not those of optimizer and SDE; dashes tell them apart too.
const BOUNDS: [(RGBColor, Option<(f64, f64)>); 3] = [
    (INK, Some((9.0, 4.0))),
    (RGBColor(0x00, 0x9E, 0x73), Some((2.5, 3.5))),
    (RGBColor(0xB0, 0x5C, 0x8A), Some((12.0, 3.0))),
];
/// Values that span more than this factor stand on a logarithmic scale, of so many decades at most.
const WIDE: f64 = 10.0;
const MOST_DECADES: f64 = 12.0;

/// The figure of losses and bounds.
pub(super) struct BoundFigure<'a> {
    title: &'a str,
    bounds: &'a [&'a BoundEstimate],
    scale: Scale,
    y: [f64; 2],
}

#[derive(Clone, Copy, PartialEq)]
enum Scale {
    Linear,
    Logarithmic,
}

impl Scale {
    fn of(self, value: f64) -> Option<f64> {
        match self {
            Self::Linear => ticks::drawable(Some(value)),
            Self::Logarithmic if value > 0.0 => Some(libm::log10(ticks::drawable(Some(value))?)),
            Self::Logarithmic => None,
        }
    }
}

/// The figure, if any bound is claimed.
pub(super) fn figure<'a>(title: &'a str, bounds: &'a [&'a BoundEstimate]) -> Option<BoundFigure<'a>> {
    let values = || {
        let losses = bounds.iter().flat_map(|at| at.excess_loss.iter().flatten());
        let ends = bounds.iter().flat_map(|at| at.interval.iter().flatten().flatten());
        losses.chain(ends).chain(bounds.iter().flat_map(|at| &at.bound)).copied()
    };
    let drawn = || values().filter_map(|value| ticks::drawable(Some(value)));
    let [low, high] = ticks::padded(drawn().filter(|value| *value > 0.0), 0.0)?;
    let scale = if high > WIDE * low { Scale::Logarithmic } else { Scale::Linear };
    let [bottom, top] = match scale {
        Scale::Linear => ticks::padded(drawn(), 0.06)?,
        Scale::Logarithmic => ticks::padded(drawn().filter_map(|value| scale.of(value)), 0.06)?,
    };
    let bottom = if scale == Scale::Logarithmic { bottom.max(top - MOST_DECADES) } else { bottom };
    Some(BoundFigure { title, bounds, scale, y: [bottom, top] })
}

impl BoundFigure<'_> {
    /// The first claim of each process.
    fn losses(&self) -> impl Iterator<Item = (&BoundEstimate, &'static str, Stroke)> {
        LOSSES.into_iter().filter_map(|(side, name, stroke)| {
            let of_side = self.bounds.iter().find(|at| at.process == side)?;
            Some((*of_side, name, stroke))
        })
    }

    /// The bounds that differ.
    fn lines(&self) -> Vec<(&BoundEstimate, Stroke)> {
        let mut different: Vec<&BoundEstimate> = Vec::new();
        for at in self.bounds {
            if different.iter().all(|known| known.bound != at.bound) {
                different.push(at);
            }
        }
        let stroke = |(color, dash)| Stroke { color, width: BOUND_WIDTH, dash };
        let strokes = BOUNDS.into_iter().cycle().map(stroke);
        different.into_iter().zip(strokes).collect()
    }

    fn draw_loss<S: Surface>(
        &self,
        canvas: &mut Canvas<S>,
        frame: &Frame,
        (at, stroke): (&BoundEstimate, Stroke),
    ) -> Drawn {
        let band = at.times.iter().zip(&at.interval).map(|(&time, interval)| {
            let [low, high] = (*interval)?;
            // An interval that reaches down to 0 has no lower end to be drawn.
            Some((time, [self.scale.of(low).unwrap_or(self.y[0]), self.scale.of(high)?]))
        });
        frame.band(canvas, band, stroke.color, OPACITY)?;
        let points = at.times.iter().zip(&at.excess_loss);
        frame.line(canvas, points.map(|(&time, loss)| Some((time, self.scale.of((*loss)?)?))), stroke)
    }
}

fn name(at: &BoundEstimate) -> String {
    match at.form {
        BoundForm::Printed => format!("Theorem {} as printed", at.theorem),
        BoundForm::Tight => format!("Theorem {}, tight Δ", at.theorem),
        BoundForm::Within(reach) => format!("Theorem {}, R = {reach}", at.theorem),
    }
}

impl Figure for BoundFigure<'_> {
    fn name(&self) -> &'static str {
        "bound"
    }

    fn size(&self) -> (u32, u32) {
        (900, 460)
    }

    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>) -> Drawn {
        // The numerical errors of exact expectations are too small for a band.
        let has_band = |at: &BoundEstimate| {
            at.interval.iter().flatten().any(|[low, high]| high - low > THINNEST_BAND * high)
        };
        let losses = self.losses().map(|(at, name, stroke)| {
            let opacity = if has_band(at) { OPACITY } else { 0.0 };
            (Sample::Line(stroke, opacity), name.to_owned())
        });
        let bounds = self.lines().into_iter().map(|(at, stroke)| (Sample::Line(stroke, 0.0), name(at)));
        let page = Page {
            title: self.title,
            heading: "expected loss above its minimum",
            legend: losses.chain(bounds).collect(),
            note: None,
        };
        let room = page.draw(canvas, self.size())?;
        let times = self.bounds.iter().flat_map(|at| at.times.iter().copied());
        let loss = "E f − f*";
        let axes = Axes {
            x: ticks::padded(times, 0.0).unwrap_or([0.0, 1.0]),
            y: self.y,
            x_label: "t = kη".to_owned(),
            y_label: match self.scale {
                Scale::Linear => loss.to_owned(),
                Scale::Logarithmic => format!("log₁₀ ({loss})"),
            },
        };
        let margin = axes.left_margin(room)?;
        let frame = axes.draw(canvas, room, margin)?;
        for (at, _, stroke) in self.losses() {
            self.draw_loss(canvas, &frame, (at, stroke))?;
        }
        for (at, stroke) in self.lines() {
            let points = at.times.iter().zip(&at.bound);
            frame.line(canvas, points.map(|(&time, &bound)| Some((time, self.scale.of(bound)?))), stroke)?;
        }
        Ok(())
    }
}
