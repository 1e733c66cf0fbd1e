//! Drawing in points: lines, areas and text on any surface.

use super::surface::{Surface, to_pixel};
use super::{Drawn, Point};
use plotters::style::text_anchor::HPos;
use plotters::style::{BLACK, Color, RGBColor, WHITE};

/// The optimizer, everywhere. Colours are those of Okabe and Ito, which the colour-blind tell apart.
pub(super) const OPTIMIZER: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
/// The SDE, everywhere.
pub(super) const SDE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// Text.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Text of less weight.
pub(super) const FAINT_INK: RGBColor = RGBColor(0x48, 0x48, 0x48);

/// How a line is drawn.
#[derive(Clone, Copy)]
pub(super) struct Stroke {
    /// Opaque, for strokes overlap themselves.
    pub color: RGBColor,
    /// In points.
    pub width: f64,
    /// Lengths of dashes and of the gaps between them; none for solid lines.
    pub dash: Option<(f64, f64)>,
}

/// How a line of text is drawn.
#[derive(Clone, Copy)]
pub(super) struct Type {
    /// Font size in points.
    pub em: f64,
    /// Opaque.
    pub color: RGBColor,
    /// What of the text is at its position.
    pub align: HPos,
    /// Whether it reads from bottom to top.
    pub upwards: bool,
}

impl Type {
    /// Horizontal text that begins at its position.
    pub fn new(em: f64) -> Self {
        Self { em, color: INK, align: HPos::Left, upwards: false }
    }
}

/// A page; coordinates are points from its top left corner.
pub(super) struct Canvas<'a, S: Surface> {
    surface: &'a mut S,
}

impl<'a, S: Surface> Canvas<'a, S> {
    /// A page on the whole surface.
    pub fn new(surface: &'a mut S) -> Self {
        Self { surface }
    }

    /// A line through `points`.
    pub fn line(&mut self, points: &[Point], stroke: Stroke) -> Drawn {
        match stroke.dash {
            None => self.solid(points, stroke),
            Some(pattern) => dashes(points, pattern).iter().try_for_each(|dash| self.solid(dash, stroke)),
        }
    }

    fn solid(&mut self, points: &[Point], stroke: Stroke) -> Drawn {
        let pixels: Vec<Point> = points.iter().map(|&(x, y)| (x * S::SCALE, y * S::SCALE)).collect();
        self.surface.stroke(&pixels, stroke.color, stroke.width * S::SCALE)
    }

    /// The inside of a polygon.
    pub fn fill(&mut self, corners: &[Point], color: RGBColor, opacity: f64) -> Drawn {
        let pixels: Vec<(i32, i32)> = corners.iter().map(|&corner| pixel::<S>(corner)).collect();
        self.surface.fill_polygon(pixels, &color.mix(opacity)).map_err(|error| error.to_string())
    }

    /// The rectangle between two opposite corners, upper left first.
    pub fn fill_rectangle(&mut self, from: Point, to: Point, color: RGBColor) -> Drawn {
        self.fill_pane(from, to, color, 1.0)
    }

    /// A translucent rectangle.
    pub fn fill_pane(&mut self, from: Point, to: Point, color: RGBColor, opacity: f64) -> Drawn {
        self.surface
            .draw_rect(pixel::<S>(from), pixel::<S>(to), &color.mix(opacity), true)
            .map_err(|error| error.to_string())
    }

    /// A disc.
    pub fn disc(&mut self, center: Point, radius: f64, color: RGBColor) -> Drawn {
        self.surface
            .draw_circle(pixel::<S>(center), (radius * S::SCALE).round() as u32, &color, true)
            .map_err(|error| error.to_string())
    }

    /// A line of text whose baseline is at `position`.
    pub fn text(&mut self, text: &str, position: Point, kind: Type) -> Drawn {
        let (x, y) = position;
        let pixels = Type { em: kind.em * S::SCALE, ..kind };
        self.surface.write(text, (x * S::SCALE, y * S::SCALE), pixels)
    }

    /// The mark of a start: a ring.
    pub fn ring(&mut self, center: Point) -> Drawn {
        self.disc(center, 6.0, BLACK)?;
        self.disc(center, 4.0, WHITE)
    }
}

fn pixel<S: Surface>((x, y): Point) -> (i32, i32) {
    to_pixel((x * S::SCALE, y * S::SCALE))
}

/// Cuts a line into dashes. Corners within a dash stay.
fn dashes(points: &[Point], (on, off): (f64, f64)) -> Vec<Vec<Point>> {
    let mut done = Vec::new();
    let mut dash: Vec<Point> = points.first().copied().into_iter().collect();
    let (mut drawing, mut left) = (true, on);
    for ends in points.windows(2) {
        let (mut from, to) = (ends[0], ends[1]);
        let mut length = libm::hypot(to.0 - from.0, to.1 - from.1);
        while length > left {
            let part = left / length;
            from = (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1));
            length -= left;
            dash.push(from);
            if drawing {
                done.push(std::mem::take(&mut dash));
            }
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
        left -= length;
        if drawing {
            dash.push(to);
        }
    }
    if dash.len() > 1 {
        done.push(dash);
    }
    done
}
