//! The two kinds of image: SVG and PNG.

use super::canvas::{Canvas, Type};
use super::{Drawn, Figure, Point, font};
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, TextStyle, WHITE};

/// A backend, with strokes and text, which backends draw too differently or not well enough.
pub(super) trait Surface: DrawingBackend {
    /// Pixels of the backend to a point. Backends take whole pixels only.
    const SCALE: f64;

    /// Draws a line of `width` with round joins and ends; all in pixels.
    fn stroke(&mut self, line: &[Point], color: RGBColor, width: f64) -> Drawn;

    /// Writes a line of text; its size and the `position` on its baseline are in pixels.
    fn write(&mut self, text: &str, position: Point, kind: Type) -> Drawn;
}

/// Coordinates in an SVG are whole; quarters of a point keep curves smooth.
impl Surface for SVGBackend<'_> {
    const SCALE: f64 = 4.0;

    fn stroke(&mut self, line: &[Point], color: RGBColor, width: f64) -> Drawn {
        let mut pixels: Vec<(i32, i32)> = line.iter().map(|&point| to_pixel(point)).collect();
        pixels.dedup();
        let style = color.stroke_width(width.round() as u32);
        self.draw_path(pixels, &style).map_err(|error| error.to_string())
    }

    fn write(&mut self, text: &str, (x, y): Point, kind: Type) -> Drawn {
        /// The backend's unit of font sizes, and where it puts the top of text, in ems.
        const UNIT: f64 = 1.24;
        const TOP: f64 = 0.76;
        let top = TOP * kind.em;
        let (corner, transform) = if kind.upwards {
            ((x - top, y), FontTransform::Rotate270)
        } else {
            ((x, y - top), FontTransform::None)
        };
        let font = FontDesc::new(FontFamily::SansSerif, kind.em * UNIT, FontStyle::Normal);
        let style = TextStyle::from(font.transform(transform)).color(&kind.color);
        self.draw_text(text, &style.pos(Pos::new(kind.align, VPos::Top)), to_pixel(corner))
            .map_err(|error| error.to_string())
    }
}

/// Bitmaps are drawn at twice their size and averaged, which smooths what the backend does not.
impl Surface for BitMapBackend<'_> {
    const SCALE: f64 = 2.0;

    /// The backend makes one polygon of a wide line, which has holes where the line crosses itself.
    fn stroke(&mut self, line: &[Point], color: RGBColor, width: f64) -> Drawn {
        line.windows(2).try_for_each(|ends| draw_segment(self, ends[0], ends[1], color, width / 2.0))
    }

    /// The backend puts glyphs on whole pixels without their side bearings.
    fn write(&mut self, text: &str, (x, y): Point, kind: Type) -> Drawn {
        let before = match kind.align {
            HPos::Left => 0.0,
            HPos::Center => font::width(text, kind.em)? / 2.0,
            HPos::Right => font::width(text, kind.em)?,
        };
        let mut put = |pixel, coverage| {
            self.draw_pixel(pixel, kind.color.mix(coverage).to_backend_color())
                .map_err(|error| error.to_string())
        };
        if kind.upwards {
            let (left, bottom) = to_pixel((x, y));
            font::draw(text, kind.em, (-before, 0.0), |(along, down), coverage| {
                put((left + down, bottom - 1 - along), coverage)
            })
        } else {
            // Baselines between pixels would blur.
            font::draw(text, kind.em, (x - before, y.round()), put)
        }
    }
}

/// The pixel nearest to a point.
pub(super) fn to_pixel((x, y): Point) -> (i32, i32) {
    (x.round() as i32, y.round() as i32)
}

/// Every pixel within `radius` of the segment, the outermost in part.
fn draw_segment(backend: &mut BitMapBackend, from: Point, to: Point, color: RGBColor, radius: f64) -> Drawn {
    let along = (to.0 - from.0, to.1 - from.1);
    let square = along.0 * along.0 + along.1 * along.1;
    let reach = radius + 1.0;
    let (left, right) = (from.0.min(to.0) - reach, from.0.max(to.0) + reach);
    let (top, bottom) = (from.1.min(to.1) - reach, from.1.max(to.1) + reach);
    // Rows of a slanted segment only cover what is within reach of it.
    let slope = along.0 / along.1;
    let half_row = reach * square.sqrt() / along.1.abs();
    for row in top.floor() as i32..=bottom.ceil() as i32 {
        let y = f64::from(row) + 0.5;
        let middle = from.0 + (y - from.1) * slope;
        let (first, last) = if middle.is_finite() && half_row.is_finite() {
            (left.max(middle - half_row), right.min(middle + half_row))
        } else {
            (left, right)
        };
        for column in first.floor() as i32..=last.ceil() as i32 {
            let offset = (f64::from(column) + 0.5 - from.0, y - from.1);
            let nearest = if square > 0.0 {
                ((offset.0 * along.0 + offset.1 * along.1) / square).clamp(0.0, 1.0)
            } else {
                0.0
            };
            let distance = libm::hypot(offset.0 - nearest * along.0, offset.1 - nearest * along.1);
            let coverage = (radius + 0.5 - distance).min(1.0);
            if coverage > 0.0 {
                backend
                    .draw_pixel((column, row), color.mix(coverage).to_backend_color())
                    .map_err(|error| error.to_string())?;
            }
        }
    }
    Ok(())
}

/// The figure as a whole SVG file.
pub(super) fn svg(figure: &impl Figure) -> Result<Vec<u8>, String> {
    let (width, height) = figure.size();
    let pixels = scaled::<SVGBackend>(figure.size());
    let mut text = String::new();
    let mut backend = SVGBackend::with_string(&mut text, pixels);
    draw_page(figure, &mut backend)?;
    drop(backend);
    // The backend knows one size only; the view box keeps the fine one.
    let fine = format!(r#"width="{}" height="{}""#, pixels.0, pixels.1);
    let nominal =
        format!(r#"width="{width}" height="{height}" stroke-linejoin="round" stroke-linecap="round""#);
    Ok(text.replacen(&fine, &nominal, 1).into_bytes())
}

/// The figure as a whole PNG file.
pub(super) fn png(figure: &impl Figure) -> Result<Vec<u8>, String> {
    let (width, height) = scaled::<BitMapBackend>(figure.size());
    let mut buffer = vec![0; width as usize * height as usize * 3];
    let mut backend = BitMapBackend::with_buffer(&mut buffer, (width, height));
    draw_page(figure, &mut backend)?;
    drop(backend);
    encode(&halved(&buffer, width as usize), figure.size()).map_err(|error| error.to_string())
}

fn draw_page<S: Surface>(figure: &impl Figure, backend: &mut S) -> Drawn {
    let (width, height) = figure.size();
    let mut canvas = Canvas::new(backend);
    canvas.fill_rectangle((0.0, 0.0), (f64::from(width), f64::from(height)), WHITE)?;
    figure.draw(&mut canvas)?;
    backend.present().map_err(|error| error.to_string())
}

fn scaled<S: Surface>((width, height): (u32, u32)) -> (u32, u32) {
    (width * S::SCALE as u32, height * S::SCALE as u32)
}

/// The RGB image at half its size; each pixel the mean of four.
fn halved(buffer: &[u8], width: usize) -> Vec<u8> {
    let stride = width * 3;
    let mut small = Vec::with_capacity(buffer.len() / 4);
    for rows in buffer.chunks_exact(2 * stride) {
        let (upper, lower) = rows.split_at(stride);
        for (above, below) in upper.chunks_exact(6).zip(lower.chunks_exact(6)) {
            for channel in 0..3 {
                let sum = [above[channel], above[channel + 3], below[channel], below[channel + 3]]
                    .into_iter()
                    .map(u16::from)
                    .sum::<u16>();
                small.push(((sum + 2) / 4) as u8);
            }
        }
    }
    small
}

fn encode(pixels: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}
