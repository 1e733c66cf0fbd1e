//! What optimizer and SDE come to in a sweep over two axes: a map of each.

use super::axes::Rectangle;
use super::canvas::{Canvas, FAINT_INK, INK, Stroke, Type};
use super::page::{Page, Sample, grid};
use super::surface::Surface;
use super::sweep::quantity;
use super::{Drawn, Figure};
use crate::claim::{Measured, SweepTable};
use plotters::style::RGBColor;
use plotters::style::text_anchor::HPos;

/// From the least to the largest value: dark to light in one order for every eye (after the map cividis of Nuñez,
/// Anderton and Renslow 2018).
const COLORS: [RGBColor; 5] = [
    RGBColor(0x00, 0x22, 0x4E),
    RGBColor(0x43, 0x4E, 0x6C),
    RGBColor(0x7D, 0x7C, 0x78),
    RGBColor(0xBC, 0xAF, 0x6F),
    RGBColor(0xFE, 0xE8, 0x38),
];
const NOTHING: RGBColor = RGBColor(0xE2, 0xE2, 0xE2);
const EM: f64 = 12.0;
const LABEL_EM: f64 = 13.5;
/// Beyond so many cells in a row there is no room for numbers.
const MOST_NUMBERS: usize = 9;

/// The figure of a sweep over two axes.
pub(super) struct HeatFigure<'a> {
    title: &'a str,
    sweep: &'a SweepTable,
    /// Logarithms of the least and the largest value.
    range: [f64; 2],
}

/// The figure, if there are two axes and anything has a value.
pub(super) fn figure<'a>(title: &'a str, sweep: &'a SweepTable) -> Option<HeatFigure<'a>> {
    if sweep.axes.len() != 2 {
        return None;
    }
    let values = [&sweep.optimizer, &sweep.sde].into_iter().flat_map(|side| side.value.iter().flatten());
    let logs = values.filter(|value| **value > 0.0).map(|value| libm::log10(*value));
    let range =
        logs.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], log| [low.min(log), high.max(log)]);
    (range[0] <= range[1]).then_some(HeatFigure { title, sweep, range })
}

impl HeatFigure<'_> {
    /// How far a value is from the least to the largest.
    fn part(&self, value: f64) -> f64 {
        let [low, high] = self.range;
        if high > low { (libm::log10(value) - low) / (high - low) } else { 0.5 }
    }

    fn draw_panel<S: Surface>(
        &self,
        canvas: &mut Canvas<S>,
        cell: Rectangle,
        name: &str,
        side: &Measured,
    ) -> Drawn {
        let [down, across] = &*self.sweep.axes else { return Ok(()) };
        let inside = Rectangle {
            left: (cell.left + 84.0).round(),
            top: (cell.top + 26.0).round(),
            right: (cell.right - 16.0).round(),
            bottom: (cell.bottom - 48.0).round(),
        };
        let width = (inside.right - inside.left) / across.values.len() as f64;
        let height = (inside.bottom - inside.top) / down.values.len() as f64;
        let faint = Type { color: FAINT_INK, ..Type::new(EM) };
        let centred = Type { align: HPos::Center, ..faint };
        canvas.text(name, (inside.left, inside.top - 9.0), Type::new(LABEL_EM))?;
        for (index, value) in side.value.iter().enumerate() {
            let (row, column) = (index / across.values.len(), index % across.values.len());
            // The first value of the axis that goes up is at the bottom.
            let top = inside.bottom - (row + 1) as f64 * height;
            let left = inside.left + column as f64 * width;
            let part = value.filter(|value| *value > 0.0).map(|value| self.part(value));
            let color = part.map_or(NOTHING, shade);
            canvas.fill_rectangle(
                (left.round(), top.round()),
                ((left + width).round(), (top + height).round()),
                color,
            )?;
            if across.values.len() <= MOST_NUMBERS {
                let text = value.map_or("none".to_owned(), |value| format!("{value:.2e}").replace('-', "−"));
                let color =
                    if part.is_none_or(|part| part > 0.55) { INK } else { RGBColor(0xFF, 0xFF, 0xFF) };
                let middle = (left + width / 2.0, top + height / 2.0 + 0.36 * EM);
                canvas.text(&text, middle, Type { color, ..centred })?;
            }
        }
        for (row, value) in down.values.iter().enumerate() {
            let y = inside.bottom - (row as f64 + 0.5) * height + 0.36 * EM;
            canvas.text(&format!("{value}"), (inside.left - 6.0, y), Type { align: HPos::Right, ..faint })?;
        }
        for (column, value) in across.values.iter().enumerate() {
            let x = inside.left + (column as f64 + 0.5) * width;
            canvas.text(&format!("{value}"), (x, inside.bottom + EM + 5.0), centred)?;
        }
        let label = Type { align: HPos::Center, ..Type::new(LABEL_EM) };
        canvas.text(
            &across.parameter,
            (f64::midpoint(inside.left, inside.right), cell.bottom - 8.0),
            label,
        )?;
        let up = (cell.left + LABEL_EM + 2.0, f64::midpoint(inside.top, inside.bottom));
        canvas.text(&down.parameter, up, Type { upwards: true, ..label })
    }
}

/// The colour at a part of the way through [`COLORS`].
fn shade(part: f64) -> RGBColor {
    let place = part.clamp(0.0, 1.0) * (COLORS.len() - 1) as f64;
    let first = (place as usize).min(COLORS.len() - 2);
    let mix = |a: u8, b: u8| {
        let part = place - first as f64;
        (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8
    };
    let (RGBColor(r, g, b), RGBColor(red, green, blue)) = (COLORS[first], COLORS[first + 1]);
    RGBColor(mix(r, red), mix(g, green), mix(b, blue))
}

impl Figure for HeatFigure<'_> {
    fn name(&self) -> &'static str {
        "sweep"
    }

    fn size(&self) -> (u32, u32) {
        (1120, 480)
    }

    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>) -> Drawn {
        let SweepTable { optimizer, sde, quantity: what, .. } = self.sweep;
        let ends = [(0.0, self.range[0]), (1.0, self.range[1])];
        let sample = |(part, log): (f64, f64)| {
            let stroke = Stroke { color: shade(part), width: 10.0, dash: None };
            (Sample::Line(stroke, 0.0), format!("{:.1e}", libm::exp10(log)).replace('-', "−"))
        };
        let legend = ends.into_iter().map(sample).collect();
        let page = Page { title: self.title, heading: quantity(*what), legend, note: None };
        let room = page.draw(canvas, self.size())?;
        let cells = grid(room, 2);
        self.draw_panel(canvas, cells[0], "optimizer", optimizer)?;
        self.draw_panel(canvas, cells[1], "SDE", sde)
    }
}
