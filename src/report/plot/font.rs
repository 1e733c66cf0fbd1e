//! The built-in font: what a bitmap shows must not depend on the fonts of the machine.

use super::Point;
use ab_glyph::{Font, FontRef, Glyph, InvalidFont, ScaleFont, point};
use std::sync::LazyLock;

static FONT: LazyLock<Result<FontRef<'static>, InvalidFont>> =
    LazyLock::new(|| FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT));

/// The width of `text` at a font size of `em`.
pub(super) fn width(text: &str, em: f64) -> Result<f64, String> {
    Ok(set(text, em, (0.0, 0.0))?.1)
}

/// Calls `put` with each pixel that `text` covers, and how much of it. The text begins at `origin` on
/// its baseline; y points down.
pub(super) fn draw(
    text: &str,
    em: f64,
    origin: Point,
    mut put: impl FnMut((i32, i32), f64) -> Result<(), String>,
) -> Result<(), String> {
    for glyph in set(text, em, origin)?.0 {
        let Some(outline) = font()?.outline_glyph(glyph) else { continue };
        let corner = outline.px_bounds().min;
        let mut result = Ok(());
        outline.draw(|x, y, coverage| {
            if result.is_ok() && coverage > 0.0 {
                let pixel = (corner.x as i32 + x as i32, corner.y as i32 + y as i32);
                result = put(pixel, f64::from(coverage.min(1.0)));
            }
        });
        result?;
    }
    Ok(())
}

fn font() -> Result<&'static FontRef<'static>, String> {
    FONT.as_ref().map_err(|error| format!("the built-in font cannot be read ({error})"))
}

/// The glyphs of `text` in their places, and its width.
fn set(text: &str, em: f64, (x, y): Point) -> Result<(Vec<Glyph>, f64), String> {
    let font = font()?;
    let units = font.units_per_em().unwrap_or(1.0);
    let scaled = font.as_scaled(em as f32 * font.height_unscaled() / units);
    let mut glyphs: Vec<Glyph> = Vec::with_capacity(text.len());
    let mut end = x as f32;
    for character in text.chars() {
        let mut glyph = scaled.scaled_glyph(character);
        if let Some(previous) = glyphs.last() {
            end += scaled.kern(previous.id, glyph.id);
        }
        glyph.position = point(end, y as f32);
        end += scaled.h_advance(glyph.id);
        glyphs.push(glyph);
    }
    Ok((glyphs, f64::from(end) - x))
}
