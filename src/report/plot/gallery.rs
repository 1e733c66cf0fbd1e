//! One test function of many runs, each in its own panel: optimizers by rows, objectives by columns.

use super::axes::Rectangle;
use super::canvas::{Canvas, FAINT_INK, Type};
use super::moments::{OPACITY, OPTIMIZER_STROKE, Panel, SDE_STROKE};
use super::page::{Page, Sample};
use super::surface::Surface;
use super::{Curves, Drawn, Figure};

const WIDTH: f64 = 290.0;
const HEIGHT: f64 = 236.0;
/// Of title and legend.
const HEAD: f64 = 70.0;
const CAPTION: f64 = 20.0;
const CAPTION_EM: f64 = 13.5;

/// One run.
pub struct Exhibit<'a> {
    /// What is over its panel.
    pub caption: String,
    /// Its moments.
    pub curves: Curves<'a>,
    /// The test function that is drawn, by its index.
    pub function: usize,
}

/// The figure of all runs.
pub struct Gallery<'a> {
    /// Over all.
    pub title: &'a str,
    /// What is drawn.
    pub heading: &'a str,
    /// Panels in a row.
    pub columns: usize,
    /// Row by row.
    pub exhibits: Vec<Exhibit<'a>>,
}

impl Gallery<'_> {
    /// The whole file as PNG.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        super::surface::png(self)
    }

    /// The whole file as SVG.
    pub fn svg(&self) -> Result<Vec<u8>, String> {
        super::surface::svg(self)
    }

    fn rows(&self) -> usize {
        self.exhibits.len().div_ceil(self.columns.max(1))
    }
}

impl Figure for Gallery<'_> {
    fn name(&self) -> &'static str {
        "gallery"
    }

    fn size(&self) -> (u32, u32) {
        let width = 32.0 + WIDTH * self.columns as f64;
        (width as u32, (HEAD + HEIGHT * self.rows() as f64) as u32)
    }

    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>) -> Drawn {
        let legend = [(OPTIMIZER_STROKE, "optimizer"), (SDE_STROKE, "SDE")];
        let legend = legend.map(|(stroke, name)| (Sample::Line(stroke, OPACITY), name.to_owned())).into();
        let page = Page { title: self.title, heading: self.heading, legend, note: None };
        let room = page.draw(canvas, self.size())?;
        for (index, exhibit) in self.exhibits.iter().enumerate() {
            let (row, column) = (index / self.columns, index % self.columns);
            let (left, top) = (room.left + WIDTH * column as f64, room.top + HEIGHT * row as f64);
            let kind = Type { color: FAINT_INK, ..Type::new(CAPTION_EM) };
            canvas.text(&exhibit.caption, (left + 62.0, top + CAPTION_EM), kind)?;
            let cell = Rectangle { left, top: top + CAPTION, right: left + WIDTH, bottom: top + HEIGHT };
            let panel = Panel::new(exhibit.curves, None, exhibit.function);
            let margin = panel.axes.left_margin(cell)?;
            panel.draw(canvas, cell, margin)?;
        }
        Ok(())
    }
}
