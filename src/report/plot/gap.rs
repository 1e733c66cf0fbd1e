//! All gaps in units of their margins.

use super::axes::{Axes, Frame};
use super::canvas::{Canvas, INK, Stroke, Type};
use super::names::{Group, pretty};
use super::page::{Page, Sample};
use super::surface::Surface;
use super::{Drawn, Figure, Point, font, ticks};
use crate::claim::MomentTables;
use plotters::style::text_anchor::HPos;
use plotters::style::{RGBColor, WHITE};

/// The least and the largest distance to which the axis of gaps reaches on either side, in margins.
const LEAST_REACH: f64 = 1.35;
const LARGEST_REACH: f64 = 10.0;
/// A gap where no gap is allowed is this many margins.
const ENDLESS: f64 = 1e6;
/// More lines of one group cannot be told apart and make large files; bands cover the others.
const LARGEST_COUNT: usize = 40;
/// Figures of more functions have thin lines.
const MANY: usize = 12;
const OPACITY: f64 = 0.1;
const ALLOWED: (RGBColor, f64) = (RGBColor(0x00, 0x60, 0x30), 0.06);
const LIMIT_STROKE: Stroke = Stroke { color: INK, width: 1.2, dash: Some((7.0, 5.0)) };
const LEADER_STROKE: Stroke = Stroke { color: INK, width: 0.8, dash: None };
const LABEL_EM: f64 = 13.0;

fn color(group: Group) -> RGBColor {
    match group {
        Group::Coordinates => RGBColor(0x00, 0x9E, 0x73),
        Group::Products => RGBColor(0xE6, 0x9F, 0x00),
        Group::Fluctuations => RGBColor(0xCC, 0x79, 0xA7),
        Group::Loss => RGBColor(0x56, 0xB4, 0xE9),
        Group::Bounded => RGBColor(0x00, 0x00, 0x00),
    }
}

/// Half way to white.
fn tint(RGBColor(red, green, blue): RGBColor) -> RGBColor {
    let lighter = |channel: u8| channel.midpoint(255);
    RGBColor(lighter(red), lighter(green), lighter(blue))
}

/// Gaps of one function in units of their margins, at the times that have any.
struct Gaps<'a> {
    function: &'a str,
    group: Group,
    estimates: Vec<Option<Point>>,
    intervals: Vec<Option<(f64, [f64; 2])>>,
    worst: Option<Point>,
}

/// The figure of all gaps.
pub(super) struct Gap<'a> {
    title: &'a str,
    times: &'a [f64],
    /// The worst first.
    gaps: Vec<Gaps<'a>>,
}

/// The figure, if there are functions.
pub(super) fn figure<'a>(title: &'a str, tables: &'a MomentTables) -> Option<Gap<'a>> {
    let mut gaps: Vec<Gaps> = (0..tables.functions.len()).map(|index| Gaps::new(tables, index)).collect();
    gaps.sort_by(|left, right| right.reach().total_cmp(&left.reach()));
    (!gaps.is_empty()).then_some(Gap { title, times: &tables.times, gaps })
}

impl<'a> Gaps<'a> {
    fn new(tables: &'a MomentTables, index: usize) -> Self {
        let gap = &tables.gap;
        let in_margins = |time: usize, value: f64| {
            let ratio = value / gap.margin[index][time]?;
            (!ratio.is_nan()).then_some(ratio.clamp(-ENDLESS, ENDLESS))
        };
        let times = || tables.times.iter().copied().enumerate();
        let estimates = times()
            .map(|(index_of_time, time)| {
                Some((time, in_margins(index_of_time, gap.estimate[index][index_of_time]?)?))
            })
            .collect();
        let intervals: Vec<Option<(f64, [f64; 2])>> = times()
            .map(|(index_of_time, time)| {
                let [low, high] = gap.interval[index][index_of_time]?;
                Some((time, [in_margins(index_of_time, low)?, in_margins(index_of_time, high)?]))
            })
            .collect();
        let ends = intervals.iter().flatten().flat_map(|&(time, limits)| limits.map(|limit| (time, limit)));
        let worst = ends.max_by(|left, right| left.1.abs().total_cmp(&right.1.abs()));
        let function = tables.functions[index].as_str();
        Self { function, group: Group::of(function), estimates, intervals, worst }
    }

    /// The largest end of its intervals.
    fn reach(&self) -> f64 {
        self.worst.map_or(f64::NEG_INFINITY, |(_, limit)| limit.abs())
    }
}

impl Figure for Gap<'_> {
    fn name(&self) -> &'static str {
        "gap"
    }

    fn size(&self) -> (u32, u32) {
        (900, 560)
    }

    fn draw<S: Surface>(&self, canvas: &mut Canvas<S>) -> Drawn {
        let room = self.page().draw(canvas, self.size())?;
        let axes = Axes {
            x: ticks::padded(self.times.iter().copied(), 0.0).unwrap_or([0.0, 1.0]),
            y: self.range(),
            x_label: "t = kη".to_owned(),
            y_label: "(optimizer − SDE) / margin".to_owned(),
        };
        let margin = axes.left_margin(room)?;
        let frame = axes.draw(canvas, room, margin)?;
        let [start, end] = axes.x;
        frame.band(
            canvas,
            [start, end].map(|time| Some((time, [-1.0, 1.0]))).into_iter(),
            ALLOWED.0,
            ALLOWED.1,
        )?;
        if self.gaps[0].worst.is_none() {
            return frame.remark(canvas, "no finite gaps");
        }
        for group in Group::ALL {
            self.draw_envelope(canvas, &frame, group)?;
        }
        self.draw_lines(canvas, &frame)?;
        for limit in [-1.0, 1.0] {
            frame.line(canvas, [start, end].map(|time| Some((time, limit))).into_iter(), LIMIT_STROKE)?;
        }
        self.draw_worst(canvas, &frame)
    }
}

impl Gap<'_> {
    fn page(&self) -> Page<'_> {
        let mut legend: Vec<(Sample, String)> = Group::ALL
            .into_iter()
            .filter(|&group| self.of(group).next().is_some())
            .map(|group| {
                let stroke = Stroke { color: color(group), width: 2.0, dash: None };
                (Sample::Line(stroke, 2.0 * OPACITY), group.label().to_owned())
            })
            .collect();
        legend.push((Sample::Line(LIMIT_STROKE, 0.0), "± margin".to_owned()));
        let is_cut = Group::ALL.into_iter().any(|group| self.of(group).count() > LARGEST_COUNT);
        Page {
            title: self.title,
            heading: "gaps in units of their margins; bands hold all intervals of a group",
            legend,
            note: is_cut.then(|| {
                format!(
                    "lines are the {LARGEST_COUNT} worst functions of each group; all {} are in the bands",
                    self.gaps.len()
                )
            }),
        }
    }

    fn of(&self, group: Group) -> impl Iterator<Item = &Gaps<'_>> {
        self.gaps.iter().filter(move |gaps| gaps.group == group)
    }

    /// Both margins and all intervals, if that is not too much.
    fn range(&self) -> [f64; 2] {
        let ends = self.gaps.iter().flat_map(|gaps| gaps.intervals.iter().flatten());
        let [low, high] = ticks::padded(ends.flat_map(|&(_, limits)| limits), 0.0).unwrap_or([0.0, 0.0]);
        // The label of the worst needs room.
        let end = |limit: f64| (1.2 * limit.abs()).clamp(LEAST_REACH, LARGEST_REACH);
        [-end(low.min(0.0)), end(high.max(0.0))]
    }

    fn draw_envelope<S: Surface>(&self, canvas: &mut Canvas<S>, frame: &Frame, group: Group) -> Drawn {
        let envelope = self.envelope(group);
        frame.band(canvas, envelope.iter().copied(), color(group), OPACITY)?;
        let stroke = Stroke { color: tint(color(group)), width: 0.9, dash: None };
        for end in [0, 1] {
            let edge = envelope.iter().map(|limits| limits.map(|(time, limits)| (time, limits[end])));
            frame.line(canvas, edge, stroke)?;
        }
        Ok(())
    }

    /// What holds all intervals of a group at each time.
    fn envelope(&self, group: Group) -> Vec<Option<(f64, [f64; 2])>> {
        let wider = |[low, high]: [f64; 2], other: [f64; 2]| [low.min(other[0]), high.max(other[1])];
        (0..self.times.len())
            .map(|index| {
                let intervals = self.of(group).filter_map(|gaps| gaps.intervals[index]);
                Some((self.times[index], intervals.map(|(_, limits)| limits).reduce(wider)?))
            })
            .collect()
    }

    /// The worst are drawn last, over the others.
    fn draw_lines<S: Surface>(&self, canvas: &mut Canvas<S>, frame: &Frame) -> Drawn {
        let width = if self.gaps.len() > MANY { 0.9 } else { 1.8 };
        for group in Group::ALL {
            let shown: Vec<&Gaps> = self.of(group).take(LARGEST_COUNT).collect();
            for gaps in shown.into_iter().rev() {
                let stroke = Stroke { color: color(group), width, dash: None };
                frame.line(canvas, gaps.estimates.iter().copied(), stroke)?;
            }
        }
        Ok(())
    }

    /// Names the worst function at the end of its interval that is farthest out.
    fn draw_worst<S: Surface>(&self, canvas: &mut Canvas<S>, frame: &Frame) -> Drawn {
        let worst = &self.gaps[0];
        let Some((time, limit)) = worst.worst else { return Ok(()) };
        let inside = frame.inside();
        let (x, y) = frame.place((time, limit));
        let is_beyond = y < inside.top || y > inside.bottom;
        let y = y.clamp(inside.top, inside.bottom);
        let mut label = format!("{} at t = {}: ", pretty(worst.function), short(time));
        label += &if limit.abs() < ENDLESS {
            format!("interval reaches {:.3} × margin", limit.abs())
        } else {
            "a gap where none is allowed".to_owned()
        };
        if is_beyond {
            label += ", beyond the frame";
        }
        let half = 0.55 * font::width(&label, LABEL_EM)? + 6.0;
        let middle = x.min(inside.right - half).max(inside.left + half);
        let is_up = limit > 0.0;
        let baseline = if is_up { inside.top + 22.0 } else { inside.bottom - 14.0 };
        let (from, to) = ((middle - half, baseline - 14.0), (middle + half, baseline + 6.0));
        canvas.line(&[(x, y), (x.clamp(from.0, to.0), y.clamp(from.1, to.1))], LEADER_STROKE)?;
        canvas.fill_pane(from, to, WHITE, 0.88)?;
        canvas.text(&label, (middle, baseline), Type { align: HPos::Center, ..Type::new(LABEL_EM) })?;
        if is_beyond {
            let tip = if is_up { y - 1.0 } else { y + 1.0 };
            let base = if is_up { y + 7.0 } else { y - 7.0 };
            canvas.fill(&[(x, tip), (x - 5.0, base), (x + 5.0, base)], INK, 1.0)
        } else {
            canvas.disc((x, y), 3.5, INK)
        }
    }
}

/// Three significant digits without an exponent, trailing zeros left out.
fn short(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { 2 - libm::log10(value.abs()).floor() as i32 };
    let text = format!("{value:.*}", digits.clamp(0, 6) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
