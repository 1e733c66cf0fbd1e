//! All gaps in units of their margins, a panel for each group of test functions.

use super::axes::{Axes, Frame};
use super::canvas::{Canvas, INK, Stroke};
use super::names::{Group, pretty};
use super::page::{Page, Sample, grid};
use super::surface::Surface;
use super::{Drawn, Figure, Point, ticks};
use crate::claim::MomentTables;
use plotters::style::RGBColor;

/// The least and the largest distance to which the axis of gaps reaches on either side, in margins.
const LEAST_REACH: f64 = 1.35;
const LARGEST_REACH: f64 = 10.0;
/// A gap where no gap is allowed is this many margins.
const ENDLESS: f64 = 1e6;
/// More lines in one panel cannot be told apart and make large files; the band covers the others.
const LARGEST_COUNT: usize = 40;
/// Panels of more functions have thin lines.
const MANY: usize = 4;
const COLOR: RGBColor = RGBColor(0x00, 0x9E, 0x73);
const EDGE: RGBColor = RGBColor(0x7F, 0xCE, 0xB9);
const OPACITY: f64 = 0.18;
const ALLOWED: (RGBColor, f64) = (INK, 0.04);
const LIMIT_STROKE: Stroke = Stroke { color: INK, width: 1.2, dash: Some((7.0, 5.0)) };

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

    /// The end of its interval that is farthest out, in words, where the axis has this range.
    fn describe(&self, (time, limit): Point, [low, high]: [f64; 2]) -> String {
        let mark = if (low..=high).contains(&limit) { "the dot" } else { "the arrow, beyond the frame" };
        let reach = if limit.abs() < ENDLESS {
            format!("its interval reaches {:.3} × margin", limit.abs())
        } else {
            "a gap where none is allowed".to_owned()
        };
        format!("{mark}: {} at t = {}, {reach}", pretty(self.function), short(time))
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
        let panels: Vec<(Group, Axes)> = self.groups().map(|group| (group, self.axes(group))).collect();
        let cells = grid(room, panels.len());
        for ((group, axes), cell) in panels.iter().zip(cells) {
            let margin = axes.left_margin(cell)?;
            let frame = axes.draw(canvas, cell, margin)?;
            self.draw_panel(canvas, &frame, axes.x, *group)?;
        }
        Ok(())
    }
}

impl Gap<'_> {
    fn page(&self) -> Page<'_> {
        let is_cut = self.groups().any(|group| self.of(group).count() > LARGEST_COUNT);
        let line = if is_cut { format!("the {LARGEST_COUNT} worst of a panel") } else { "gaps".to_owned() };
        let sample = |width| Stroke { color: COLOR, width, dash: None };
        Page {
            title: self.title,
            heading: "gaps in units of their margins; bands hold all intervals of a panel",
            legend: vec![
                (Sample::Line(sample(1.8), 2.0 * OPACITY), line),
                (Sample::Line(LIMIT_STROKE, 0.0), "± margin".to_owned()),
            ],
            note: self.gaps[0].worst.map(|place| self.gaps[0].describe(place, self.range())),
        }
    }

    /// The groups that have any function.
    fn groups(&self) -> impl Iterator<Item = Group> {
        Group::ALL.into_iter().filter(|&group| self.of(group).next().is_some())
    }

    fn of(&self, group: Group) -> impl Iterator<Item = &Gaps<'_>> {
        self.gaps.iter().filter(move |gaps| gaps.group == group)
    }

    /// All panels have the same ranges.
    fn axes(&self, group: Group) -> Axes {
        Axes {
            x: ticks::padded(self.times.iter().copied(), 0.0).unwrap_or([0.0, 1.0]),
            y: self.range(),
            x_label: "t = kη".to_owned(),
            y_label: format!("{} / margin", group.label()),
        }
    }

    /// Both margins and all intervals, if that is not too much.
    fn range(&self) -> [f64; 2] {
        let ends = self.gaps.iter().flat_map(|gaps| gaps.intervals.iter().flatten());
        let [low, high] = ticks::padded(ends.flat_map(|&(_, limits)| limits), 0.0).unwrap_or([0.0, 0.0]);
        let end = |limit: f64| (1.1 * limit.abs()).clamp(LEAST_REACH, LARGEST_REACH);
        [-end(low.min(0.0)), end(high.max(0.0))]
    }

    fn draw_panel<S: Surface>(
        &self,
        canvas: &mut Canvas<S>,
        frame: &Frame,
        [start, end]: [f64; 2],
        group: Group,
    ) -> Drawn {
        let allowed = [start, end].map(|time| Some((time, [-1.0, 1.0])));
        frame.band(canvas, allowed.into_iter(), ALLOWED.0, ALLOWED.1)?;
        if self.of(group).all(|gaps| gaps.worst.is_none()) {
            return frame.remark(canvas, "no finite gaps");
        }
        self.draw_envelope(canvas, frame, group)?;
        self.draw_lines(canvas, frame, group)?;
        for limit in [-1.0, 1.0] {
            frame.line(canvas, [start, end].map(|time| Some((time, limit))).into_iter(), LIMIT_STROKE)?;
        }
        match &self.gaps[0] {
            Gaps { worst: Some(worst), group: of_worst, .. } if *of_worst == group => {
                draw_worst(canvas, frame, *worst)
            }
            _ => Ok(()),
        }
    }

    fn draw_envelope<S: Surface>(&self, canvas: &mut Canvas<S>, frame: &Frame, group: Group) -> Drawn {
        let envelope = self.envelope(group);
        frame.band(canvas, envelope.iter().copied(), COLOR, OPACITY)?;
        let stroke = Stroke { color: EDGE, width: 0.9, dash: None };
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
    fn draw_lines<S: Surface>(&self, canvas: &mut Canvas<S>, frame: &Frame, group: Group) -> Drawn {
        let shown: Vec<&Gaps> = self.of(group).take(LARGEST_COUNT).collect();
        let width = if shown.len() > MANY { 0.9 } else { 1.8 };
        let stroke = Stroke { color: COLOR, width, dash: None };
        shown
            .into_iter()
            .rev()
            .try_for_each(|gaps| frame.line(canvas, gaps.estimates.iter().copied(), stroke))
    }
}

/// Marks the end of the interval that is farthest out: a dot, or an arrow where it is beyond the frame.
fn draw_worst<S: Surface>(canvas: &mut Canvas<S>, frame: &Frame, (time, limit): Point) -> Drawn {
    let inside = frame.inside();
    let (x, y) = frame.place((time, limit));
    if (inside.top..=inside.bottom).contains(&y) {
        return canvas.disc((x, y), 3.5, INK);
    }
    let (tip, base) =
        if limit > 0.0 { (inside.top, inside.top + 8.0) } else { (inside.bottom, inside.bottom - 8.0) };
    canvas.fill(&[(x, tip), (x - 5.0, base), (x + 5.0, base)], INK, 1.0)
}

/// Three significant digits without an exponent, trailing zeros left out.
fn short(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { 2 - libm::log10(value.abs()).floor() as i32 };
    let text = format!("{value:.*}", digits.clamp(0, 6) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
