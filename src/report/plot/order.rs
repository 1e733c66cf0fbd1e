//! The largest gap against the learning rate, on logarithmic scales, with the line whose slope is the order.

use super::axes::{Axes, Frame};
use super::canvas::{Canvas, FAINT_INK, Stroke};
use super::page::{Page, Sample, grid};
use super::surface::Surface;
use super::{Drawn, Figure, ticks};
use crate::claim::{LargestGap, OrderEstimate};
use crate::stats::Line;
use plotters::style::RGBColor;

const GUIDES: [(f64, Stroke); 2] = [
    (1.0, Stroke { color: FAINT_INK, width: 1.2, dash: Some((2.0, 4.0)) }),
    (2.0, Stroke { color: FAINT_INK, width: 1.2, dash: Some((9.0, 4.0)) }),
];
/// Not those of optimizer and SDE.
const RAW: RGBColor = RGBColor(0x00, 0x9E, 0x73);
const FLUCTUATIONS: RGBColor = RGBColor(0xB0, 0x5C, 0x8A);
const OPACITY: f64 = 0.15;
/// Half the width of the ends of an interval.
const WHISKER: f64 = 5.0;
/// Decades below the smallest gap that are shown of an interval that reaches down to 0.
const HIDDEN: f64 = 1.0;

/// The figure of an order.
pub(super) struct OrderFigure<'a> {
    title: &'a str,
    order: &'a OrderEstimate,
}

/// The figure, if any gap has a size.
pub(super) fn figure<'a>(title: &'a str, order: &'a OrderEstimate) -> Option<OrderFigure<'a>> {
    let figure = OrderFigure { title, order };
    figure.panels().iter().any(|panel| !panel.logs().is_empty()).then_some(figure)
}

/// The gaps of raw moments, or of fluctuations.
struct Panel<'a> {
    name: &'static str,
    color: RGBColor,
    gaps: &'a [LargestGap],
    order: Option<[f64; 2]>,
}

impl Panel<'_> {
    /// `(log₁₀ η, log₁₀ G)` of gaps above 0.
    fn logs(&self) -> Vec<(f64, f64)> {
        let gaps = self.gaps.iter().filter_map(|at| Some((at, at.gap.filter(|gap| *gap > 0.0)?)));
        gaps.map(|(at, gap)| (libm::log10(at.learning_rate), libm::log10(gap))).collect()
    }

    /// `log₁₀` of the ends of the interval at each rate, the lower one none where it is 0.
    fn ends(&self) -> impl Iterator<Item = (f64, Option<f64>, f64)> {
        self.gaps.iter().filter_map(|at| {
            let [low, high] = at.interval.filter(|[_, high]| *high > 0.0)?;
            let low = (low > 0.0).then(|| libm::log10(low));
            Some((libm::log10(at.learning_rate), low, libm::log10(high)))
        })
    }

    fn label(&self) -> String {
        let order = self.order.map_or("unknown".to_owned(), |[low, high]| format!("{low:.2} to {high:.2}"));
        format!("{}, order {order}", self.name).replace('-', "−")
    }

    fn axes(&self) -> Axes {
        let logs = self.logs();
        let ends = self.ends().flat_map(|(_, low, high)| [low.unwrap_or(high), high]);
        let gaps = logs.iter().map(|point| point.1);
        let y = ticks::padded(gaps.clone().chain(ends), 0.1).unwrap_or([-1.0, 0.0]);
        let lowest = gaps.fold(y[1], f64::min);
        let hides = self.ends().any(|(_, low, _)| low.is_none());
        Axes {
            x: ticks::padded(self.gaps.iter().map(|at| libm::log10(at.learning_rate)), 0.1)
                .unwrap_or([-1.0, 0.0]),
            y: [if hides { y[0].min(lowest - HIDDEN) } else { y[0] }, y[1]],
            x_label: "log₁₀ η".to_owned(),
            y_label: format!("log₁₀ G, {}", self.name),
        }
    }

    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>, frame: &Frame, axes: &Axes) -> Drawn {
        let ln10 = libm::log(10.0);
        let line = Line::through(self.gaps.iter().map(LargestGap::logarithmic).collect());
        let logs = self.logs();
        if let Some(&(x, y)) = logs.first() {
            for (slope, stroke) in GUIDES {
                let points = axes.x.map(|end| Some((end, y + slope * (end - x))));
                frame.line(canvas, points.into_iter(), stroke)?;
            }
        }
        let stroke = Stroke { color: self.color, width: 2.0, dash: None };
        if let Some(line) = line {
            const PARTS: i32 = 48;
            let [left, right] = axes.x;
            let at = |part| left + f64::from(part) / f64::from(PARTS) * (right - left);
            let band = (0..=PARTS).map(|part| {
                let x = at(part);
                Some((x, line.at(x * ln10).interval.map(|end| end / ln10)))
            });
            frame.band(canvas, band, self.color, OPACITY)?;
            let ends = axes.x.map(|x| Some((x, line.at(x * ln10).estimate / ln10)));
            frame.line(canvas, ends.into_iter(), stroke)?;
        }
        for (x, low, high) in self.ends() {
            let (top, bottom) = (frame.place((x, high)), frame.place((x, low.unwrap_or(axes.y[0]))));
            canvas.line(&[top, bottom], stroke)?;
            let ends = if low.is_some() { vec![top, bottom] } else { vec![top] };
            for (x, y) in ends {
                canvas.line(&[(x - WHISKER, y), (x + WHISKER, y)], stroke)?;
            }
        }
        logs.iter().try_for_each(|&point| canvas.disc(frame.place(point), 3.5, self.color))
    }
}

impl OrderFigure<'_> {
    fn panels(&self) -> [Panel<'_>; 2] {
        let OrderEstimate { raw, fluctuations, raw_gaps, fluctuation_gaps, .. } = self.order;
        [
            Panel { name: "raw moments", color: RAW, gaps: raw_gaps, order: *raw },
            Panel {
                name: "scaled fluctuations",
                color: FLUCTUATIONS,
                gaps: fluctuation_gaps,
                order: *fluctuations,
            },
        ]
    }
}

impl Figure for OrderFigure<'_> {
    fn name(&self) -> &'static str {
        "order"
    }

    fn size(&self) -> (u32, u32) {
        (900, 460)
    }

    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>) -> Drawn {
        let panels = self.panels();
        let lines = panels.iter().map(|panel| {
            let stroke = Stroke { color: panel.color, width: 2.0, dash: None };
            (Sample::Line(stroke, OPACITY), panel.label())
        });
        let guides =
            GUIDES.iter().map(|(slope, stroke)| (Sample::Line(*stroke, 0.0), format!("slope {slope}")));
        let page = Page {
            title: self.title,
            heading: "the largest gap G(η) over test functions and times",
            legend: lines.chain(guides).collect(),
            note: Some(format!("G in {}", self.order.unit)),
        };
        let room = page.draw(canvas, self.size())?;
        let axes = panels.each_ref().map(Panel::axes);
        let cells = grid(room, panels.len());
        for ((panel, axes), cell) in panels.iter().zip(&axes).zip(cells) {
            let margin = axes.left_margin(cell)?;
            let frame = axes.draw(canvas, cell, margin)?;
            if panel.logs().is_empty() {
                frame.remark(canvas, "no gap")?;
            }
            panel.draw(canvas, &frame, axes)?;
        }
        Ok(())
    }
}
