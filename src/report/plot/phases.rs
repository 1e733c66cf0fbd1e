//! Both phases of DSignSGD: the distance from the minimiser over time, with what each phase predicts.

use super::axes::Axes;
use super::canvas::{Canvas, OPTIMIZER, SDE, Stroke};
use super::page::{Page, Sample, grid};
use super::surface::Surface;
use super::{Drawn, Figure, ticks};
use crate::claim::{PhasedCoordinate, PhasedRun, Side};
use plotters::style::RGBColor;

/// Coordinates that are drawn.
const MOST_PANELS: usize = 3;
const SIGN_FLOW: RGBColor = RGBColor(0x00, 0x9E, 0x73);
const LINEAR: RGBColor = RGBColor(0xB0, 0x5C, 0x8A);
const SEEN_WIDTH: f64 = 4.0;
const PREDICTED: [Stroke; 2] = [
    Stroke { color: SIGN_FLOW, width: 1.8, dash: Some((7.0, 4.0)) },
    Stroke { color: LINEAR, width: 1.8, dash: Some((3.0, 3.0)) },
];

/// The figure of the phases.
pub(super) struct PhasesFigure<'a> {
    pub title: &'a str,
    pub run: &'a PhasedRun,
}

impl PhasesFigure<'_> {
    fn drawn(&self) -> &[PhasedCoordinate] {
        &self.run.coordinates[..self.run.coordinates.len().min(MOST_PANELS)]
    }

    /// `(t, log₁₀ |y|)` where y is not 0.
    fn logs(&self, curve: impl Iterator<Item = Option<f64>>) -> Vec<Option<(f64, f64)>> {
        let log = |(t, y): (&f64, Option<f64>)| {
            let log = libm::log10(y?.abs());
            log.is_finite().then_some((*t, log))
        };
        self.run.times.iter().zip(curve).map(log).collect()
    }

    fn axes(&self, of: &PhasedCoordinate) -> Axes {
        let seen = self.logs(of.mean.iter().copied().map(Some));
        let y = seen.iter().flatten().map(|point| point.1);
        Axes {
            x: ticks::padded(self.run.times.iter().copied(), 0.02).unwrap_or([0.0, 1.0]),
            y: ticks::padded(y, 0.06).unwrap_or([-1.0, 0.0]),
            x_label: "t = kη".to_owned(),
            y_label: format!("log₁₀ |E {0} − {0}*|", of.function),
        }
    }
}

impl Figure for PhasesFigure<'_> {
    fn name(&self) -> &'static str {
        "phases"
    }

    fn size(&self) -> (u32, u32) {
        match self.drawn().len() {
            1 => (760, 480),
            _ => (1120, 460),
        }
    }

    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>) -> Drawn {
        let (name, color) = match self.run.process {
            Side::Optimizer => ("optimizer", OPTIMIZER),
            Side::Sde => ("SDE", SDE),
        };
        let seen = Stroke { color, width: SEEN_WIDTH, dash: None };
        let legend = [(seen, name), (PREDICTED[0], "flow of the sign"), (PREDICTED[1], "linear SDE")];
        let hidden = self.run.coordinates.len() - self.drawn().len();
        let page = Page {
            title: self.title,
            heading: "mean distance from the minimiser",
            legend: legend.map(|(stroke, name)| (Sample::Line(stroke, 0.0), name.to_owned())).into(),
            note: (hidden > 0).then(|| format!("{hidden} more coordinates are in the report")),
        };
        let room = page.draw(canvas, self.size())?;
        for (of, cell) in self.drawn().iter().zip(grid(room, self.drawn().len())) {
            let axes = self.axes(of);
            let frame = axes.draw(canvas, cell, axes.left_margin(cell)?)?;
            frame.line(canvas, self.logs(of.mean.iter().copied().map(Some)).into_iter(), seen)?;
            for (curve, stroke) in [&of.sign_flow, &of.linear].into_iter().zip(PREDICTED) {
                frame.line(canvas, self.logs(curve.iter().copied()).into_iter(), stroke)?;
            }
        }
        Ok(())
    }
}
