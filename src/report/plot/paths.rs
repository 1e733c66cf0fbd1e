//! Sample paths in the plane over the contours of f.

use super::axes::{Axes, Frame};
use super::canvas::{Canvas, OPTIMIZER, SDE, Stroke};
use super::contour::Grid;
use super::page::{Page, Sample};
use super::surface::Surface;
use super::{Drawn, Figure, PathPicture, Point, ticks};
use plotters::style::{RGBColor, WHITE};

const PADDING: f64 = 0.15;
const NODES: (usize, usize) = (120, 80);
const LEVELS: usize = 14;
const CONTOUR_STROKE: Stroke = Stroke { color: RGBColor(0xBC, 0xBC, 0xBC), width: 0.9, dash: None };
const OPTIMIZER_STROKE: Stroke = Stroke { color: OPTIMIZER, width: 1.3, dash: None };
const SDE_STROKE: Stroke = Stroke { color: SDE, width: 1.3, dash: None };

/// The figure of sample paths.
pub(super) struct Paths<'a> {
    title: &'a str,
    picture: &'a PathPicture<'a>,
    x: [f64; 2],
    y: [f64; 2],
    contours: Vec<Vec<Point>>,
}

/// The figure, if any point of a path can be drawn.
pub(super) fn figure<'a>(title: &'a str, picture: &'a PathPicture) -> Option<Paths<'a>> {
    let points = || picture.optimizer.iter().chain(&picture.sde).flatten().filter_map(drawable);
    let x = ticks::padded(points().map(|(x, _)| x), PADDING)?;
    let y = ticks::padded(points().map(|(_, y)| y), PADDING)?;
    let grid = Grid::new(x, y, NODES, |(x, y)| picture.objective.value(&[x, y]));
    let contours = grid.levels(LEVELS).into_iter().flat_map(|level| grid.lines(level)).collect();
    Some(Paths { title, picture, x, y, contours })
}

fn drawable(&[x, y]: &[f64; 2]) -> Option<Point> {
    Some((ticks::drawable(Some(x))?, ticks::drawable(Some(y))?))
}

impl Figure for Paths<'_> {
    fn name(&self) -> &'static str {
        "paths"
    }

    fn size(&self) -> (u32, u32) {
        (900, 560)
    }

    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>) -> Drawn {
        let page = Page {
            title: self.title,
            heading: "sample paths and their ends over contours of f",
            legend: vec![
                (Sample::Line(OPTIMIZER_STROKE, 0.0), "optimizer".to_owned()),
                (Sample::Line(SDE_STROKE, 0.0), "SDE".to_owned()),
                (Sample::Line(CONTOUR_STROKE, 0.0), "contours".to_owned()),
                (Sample::Ring, "start".to_owned()),
            ],
            note: None,
        };
        let room = page.draw(canvas, self.size())?;
        let axes = Axes { x: self.x, y: self.y, x_label: "x[0]".to_owned(), y_label: "x[1]".to_owned() };
        let margin = axes.left_margin(room)?;
        let frame = axes.draw(canvas, room, margin)?;
        for contour in &self.contours {
            frame.line(canvas, contour.iter().copied().map(Some), CONTOUR_STROKE)?;
        }
        self.draw_paths(canvas, &frame)
    }
}

impl Paths<'_> {
    /// Paths of both processes in turn, so that neither hides the other.
    fn draw_paths<S: Surface>(&self, canvas: &mut Canvas<S>, frame: &Frame) -> Drawn {
        let PathPicture { optimizer, sde, .. } = self.picture;
        let sets = [(optimizer, OPTIMIZER_STROKE), (sde, SDE_STROKE)];
        for index in 0..optimizer.len().max(sde.len()) {
            for (paths, stroke) in sets {
                let Some(path) = paths.get(index) else { continue };
                frame.line(canvas, path.iter().map(drawable), stroke)?;
            }
        }
        for (paths, stroke) in sets {
            for end in paths.iter().filter_map(|path| drawable(path.last()?)) {
                canvas.disc(frame.place(end), 4.5, WHITE)?;
                canvas.disc(frame.place(end), 3.5, stroke.color)?;
            }
        }
        let start = optimizer.iter().chain(sde).find_map(|path| drawable(path.first()?));
        start.map_or(Ok(()), |start| canvas.ring(frame.place(start)))
    }
}
