//! What is around the panels: title, legend and note; and the grid of panels.

use super::axes::Rectangle;
use super::canvas::{Canvas, FAINT_INK, Stroke, Type};
use super::surface::Surface;
use super::{Drawn, font};

const MARGIN: f64 = 16.0;
const TITLE_EM: f64 = 18.0;
const SMALLEST_TITLE_EM: f64 = 12.0;
const TEXT_EM: f64 = 13.5;
const NOTE_EM: f64 = 12.0;
const SWATCH: f64 = 34.0;
const ENTRY_GAP: f64 = 14.0;
/// Viewers of an SVG have other fonts, some of which are wider.
const FONT_SLACK: f64 = 1.12;

/// A sample in a legend.
#[derive(Clone, Copy)]
pub(super) enum Sample {
    /// A line over its band of this opacity; 0 for none.
    Line(Stroke, f64),
    /// The mark of a start.
    Ring,
}

/// Title, legend and note of a figure.
pub(super) struct Page<'a> {
    /// Of the scenario.
    pub title: &'a str,
    /// What is drawn.
    pub heading: &'a str,
    /// Samples and what they stand for.
    pub legend: Vec<(Sample, String)>,
    /// Under the panels, such as what has been left out.
    pub note: Option<String>,
}

impl Page<'_> {
    /// Draws all that and returns the room that is left to panels.
    pub fn draw<S: Surface>(
        &self,
        canvas: &mut Canvas<S>,
        (width, height): (u32, u32),
    ) -> Result<Rectangle, String> {
        let (width, mut bottom) = (f64::from(width), f64::from(height) - 6.0);
        let mut top = MARGIN - 4.0;
        let (em, lines) = fit_title(self.title, width - 2.0 * MARGIN)?;
        for line in &lines {
            top += em * 1.2;
            canvas.text(line, (MARGIN, top), Type::new(em))?;
        }
        top += TEXT_EM + 10.0;
        let heading = Type { color: FAINT_INK, ..Type::new(TEXT_EM) };
        canvas.text(self.heading, (MARGIN, top), heading)?;
        let legend_width = self.legend_width()?;
        if MARGIN + font::width(self.heading, TEXT_EM)? * FONT_SLACK + 20.0 + legend_width > width - MARGIN {
            top += TEXT_EM + 10.0;
            self.draw_legend(canvas, MARGIN, top)?;
        } else {
            self.draw_legend(canvas, width - MARGIN - legend_width, top)?;
        }
        if let Some(note) = &self.note {
            let kind = Type { color: FAINT_INK, ..Type::new(NOTE_EM) };
            canvas.text(note, (MARGIN, bottom - 6.0), kind)?;
            bottom -= NOTE_EM + 12.0;
        }
        Ok(Rectangle { left: MARGIN - 6.0, top: top + 10.0, right: width - MARGIN + 10.0, bottom })
    }

    fn legend_width(&self) -> Result<f64, String> {
        let widths: Result<f64, String> = self.legend.iter().map(|(_, label)| entry_width(label)).sum();
        Ok(widths? - ENTRY_GAP)
    }

    fn draw_legend<S: Surface>(&self, canvas: &mut Canvas<S>, mut left: f64, baseline: f64) -> Drawn {
        for (sample, label) in &self.legend {
            draw_sample(canvas, *sample, left, (baseline - 0.34 * TEXT_EM).round())?;
            canvas.text(label, (left + SWATCH + 7.0, baseline), Type::new(TEXT_EM))?;
            left += entry_width(label)?;
        }
        Ok(())
    }
}

fn entry_width(label: &str) -> Result<f64, String> {
    Ok(SWATCH + 7.0 + font::width(label, TEXT_EM)? * FONT_SLACK + ENTRY_GAP)
}

fn draw_sample<S: Surface>(canvas: &mut Canvas<S>, sample: Sample, left: f64, middle: f64) -> Drawn {
    let right = left + SWATCH;
    match sample {
        Sample::Line(stroke, opacity) => {
            if opacity > 0.0 {
                canvas.fill_pane((left, middle - 6.0), (right, middle + 6.0), stroke.color, opacity)?;
            }
            canvas.line(&[(left + 1.0, middle), (right - 1.0, middle)], stroke)
        }
        Sample::Ring => canvas.ring((f64::midpoint(left, right), middle)),
    }
}

/// Font size and lines of a title: smaller if it is long, then on two lines, then cut.
fn fit_title(title: &str, width: f64) -> Result<(f64, Vec<String>), String> {
    // Control characters may not stand in an SVG, not even escaped.
    let clean: String = title
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c })
        .collect();
    let words: Vec<&str> = clean.split_whitespace().collect();
    let line = words.join(" ");
    let room = width / FONT_SLACK;
    let em = TITLE_EM * room / font::width(&line, TITLE_EM)?.max(1.0);
    if em >= 0.85 * TITLE_EM {
        return Ok((em.min(TITLE_EM), vec![line]));
    }
    let em = (1.9 * em).clamp(SMALLEST_TITLE_EM, 0.9 * TITLE_EM);
    let (first, rest) = break_line(&words, em, room)?;
    Ok((em, vec![first, cut(&rest, em, room)?]))
}

/// As many words as fit, and the rest.
fn break_line(words: &[&str], em: f64, room: f64) -> Result<(String, String), String> {
    let mut count = words.len();
    while count > 1 && font::width(&words[..count].join(" "), em)? > room {
        count -= 1;
    }
    let first = cut(&words[..count].join(" "), em, room)?;
    Ok((first, words[count..].join(" ")))
}

/// The text, ended by an ellipsis where there is no room for the whole.
fn cut(text: &str, em: f64, room: f64) -> Result<String, String> {
    if font::width(text, em)? <= room {
        return Ok(text.to_owned());
    }
    let mut kept = text.to_owned();
    while kept.pop().is_some() && font::width(&kept, em)? + em > room {}
    Ok(kept.trim_end().to_owned() + "…")
}

/// Columns of a grid of `count` panels.
pub(super) fn columns(count: usize) -> usize {
    match count {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    }
}

/// The cells of a grid of `count` panels, row by row.
pub(super) fn grid(room: Rectangle, count: usize) -> Vec<Rectangle> {
    let columns = columns(count);
    let rows = count.div_ceil(columns);
    let width = (room.right - room.left) / columns as f64;
    let height = (room.bottom - room.top) / rows as f64;
    (0..count)
        .map(|index| {
            let left = room.left + (index % columns) as f64 * width;
            let top = room.top + (index / columns) as f64 * height;
            Rectangle { left, top, right: left + width, bottom: top + height }
        })
        .collect()
}
