//! One panel: frame, tick marks, labels, and curves in data coordinates.

use super::canvas::{Canvas, FAINT_INK, INK, Stroke, Type};
use super::surface::Surface;
use super::{Drawn, Point, clip, font, ticks};
use plotters::style::RGBColor;
use plotters::style::text_anchor::HPos;

const TICK_EM: f64 = 12.0;
const LABEL_EM: f64 = 13.5;
const TICK_LENGTH: f64 = 4.0;
const FRAME: RGBColor = RGBColor(0x77, 0x77, 0x77);
const GRID: RGBColor = RGBColor(0xEB, 0xEB, 0xEB);
/// About the distance of tick marks in points.
const TICK_DISTANCE: Point = (64.0, 36.0);

/// A rectangle of the page; y points down.
#[derive(Clone, Copy)]
pub(super) struct Rectangle {
    /// Least x.
    pub left: f64,
    /// Least y.
    pub top: f64,
    /// Largest x.
    pub right: f64,
    /// Largest y.
    pub bottom: f64,
}

/// Ranges and labels of one panel.
pub(super) struct Axes {
    /// From left to right.
    pub x: [f64; 2],
    /// From bottom to top.
    pub y: [f64; 2],
    /// Under the frame.
    pub x_label: String,
    /// At the left of the frame, upwards.
    pub y_label: String,
}

/// Axes that have been given their place.
pub(super) struct Frame<'a> {
    axes: &'a Axes,
    inside: Rectangle,
}

impl Axes {
    /// The room that labels take at the left of a frame within `cell`.
    pub fn left_margin(&self, cell: Rectangle) -> Result<f64, String> {
        let (top, bottom) = vertical_ends(cell);
        let mut widest: f64 = 0.0;
        for (_, label) in ticks::ticks(self.y, tick_count(bottom - top, TICK_DISTANCE.1)) {
            widest = widest.max(font::width(&label, TICK_EM)?);
        }
        Ok((widest * 1.1 + TICK_LENGTH + 8.0 + LABEL_EM + 8.0).ceil())
    }

    /// Draws all but the curves within `cell`.
    pub fn draw<S: Surface>(
        &self,
        canvas: &mut Canvas<S>,
        cell: Rectangle,
        left_margin: f64,
    ) -> Result<Frame<'_>, String> {
        let (top, bottom) = vertical_ends(cell);
        let inside = Rectangle {
            left: (cell.left + left_margin).round(),
            top,
            right: (cell.right - 14.0).round(),
            bottom,
        };
        let frame = Frame { axes: self, inside };
        frame.draw_ticks(canvas)?;
        frame.draw_labels(canvas, cell)?;
        Ok(frame)
    }
}

/// The top and bottom of a frame within `cell`. Whole points keep straight lines sharp.
fn vertical_ends(cell: Rectangle) -> (f64, f64) {
    let labels = TICK_LENGTH + TICK_EM + LABEL_EM + 14.0;
    ((cell.top + 8.0).round(), (cell.bottom - labels).round())
}

fn tick_count(length: f64, distance: f64) -> usize {
    ((length / distance) as usize).clamp(2, 7)
}

impl Frame<'_> {
    /// Where the inside of the frame is.
    pub fn inside(&self) -> Rectangle {
        self.inside
    }

    /// The place of a point of data.
    pub fn place(&self, (x, y): Point) -> Point {
        let Rectangle { left, top, right, bottom } = self.inside;
        let part = |value: f64, [low, high]: [f64; 2]| (value - low) / (high - low);
        (left + part(x, self.axes.x) * (right - left), bottom - part(y, self.axes.y) * (bottom - top))
    }

    /// A line through the points of data, broken where there is none; points between breaks are dots.
    pub fn line<S: Surface>(
        &self,
        canvas: &mut Canvas<S>,
        points: impl Iterator<Item = Option<Point>>,
        stroke: Stroke,
    ) -> Drawn {
        for run in runs(points) {
            if let [(x, y)] = run[..]
                && (self.axes.y[0]..=self.axes.y[1]).contains(&y)
            {
                canvas.disc(self.place((x, y)), 0.5 + stroke.width, stroke.color)?;
            }
            for part in clip::line(&run, self.axes.y[0], self.axes.y[1]) {
                let placed: Vec<Point> = part.iter().map(|&point| self.place(point)).collect();
                canvas.line(&placed, stroke)?;
            }
        }
        Ok(())
    }

    /// The area between two curves over x, each (x, [lower, upper]), broken where there is none.
    pub fn band<S: Surface>(
        &self,
        canvas: &mut Canvas<S>,
        limits: impl Iterator<Item = Option<(f64, [f64; 2])>>,
        color: RGBColor,
        opacity: f64,
    ) -> Drawn {
        for run in runs(limits) {
            let upper = run.iter().map(|&(x, limits)| (x, limits[1]));
            let lower = run.iter().rev().map(|&(x, limits)| (x, limits[0]));
            let corners: Vec<Point> = upper.chain(lower).collect();
            let clipped = clip::polygon(&corners, self.axes.y[0], self.axes.y[1]);
            let placed: Vec<Point> = clipped.into_iter().map(|corner| self.place(corner)).collect();
            if placed.len() > 2 {
                canvas.fill(&placed, color, opacity)?;
            }
        }
        Ok(())
    }

    /// A remark in the middle, where there is nothing to draw.
    pub fn remark<S: Surface>(&self, canvas: &mut Canvas<S>, text: &str) -> Drawn {
        let Rectangle { left, top, right, bottom } = self.inside;
        let middle = ((left + right) / 2.0, (top + bottom) / 2.0);
        canvas.text(text, middle, Type { color: FAINT_INK, align: HPos::Center, ..Type::new(LABEL_EM) })
    }

    fn draw_ticks<S: Surface>(&self, canvas: &mut Canvas<S>) -> Drawn {
        let Rectangle { left, top, right, bottom } = self.inside;
        let kind = Type { color: FAINT_INK, ..Type::new(TICK_EM) };
        for (value, label) in ticks::ticks(self.axes.y, tick_count(bottom - top, TICK_DISTANCE.1)) {
            let y = self.place((self.axes.x[0], value)).1.round();
            canvas.fill_rectangle((left, y), (right, y + 1.0), GRID)?;
            canvas.fill_rectangle((left - TICK_LENGTH, y), (left, y + 1.0), FRAME)?;
            let position = (left - TICK_LENGTH - 4.0, y + 0.36 * TICK_EM);
            canvas.text(&label, position, Type { align: HPos::Right, ..kind })?;
        }
        for (value, label) in ticks::ticks(self.axes.x, tick_count(right - left, TICK_DISTANCE.0)) {
            let x = self.place((value, self.axes.y[0])).0.round();
            canvas.fill_rectangle((x, top), (x + 1.0, bottom), GRID)?;
            canvas.fill_rectangle((x, bottom), (x + 1.0, bottom + TICK_LENGTH), FRAME)?;
            let position = (x, bottom + TICK_LENGTH + 2.0 + TICK_EM);
            canvas.text(&label, position, Type { align: HPos::Center, ..kind })?;
        }
        canvas.fill_rectangle((left, top), (left + 1.0, bottom + 1.0), FRAME)?;
        canvas.fill_rectangle((left, bottom), (right, bottom + 1.0), FRAME)
    }

    fn draw_labels<S: Surface>(&self, canvas: &mut Canvas<S>, cell: Rectangle) -> Drawn {
        let Rectangle { left, top, right, bottom } = self.inside;
        let kind = Type { color: INK, align: HPos::Center, ..Type::new(LABEL_EM) };
        canvas.text(&self.axes.x_label, ((left + right) / 2.0, cell.bottom - 5.0), kind)?;
        let position = (cell.left + LABEL_EM + 2.0, (top + bottom) / 2.0);
        canvas.text(&self.axes.y_label, position, Type { upwards: true, ..kind })
    }
}

/// The runs without a break.
fn runs<T>(items: impl Iterator<Item = Option<T>>) -> Vec<Vec<T>> {
    let mut runs = vec![Vec::new()];
    for item in items {
        match (item, runs.last_mut()) {
            (Some(item), Some(run)) => run.push(item),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}
