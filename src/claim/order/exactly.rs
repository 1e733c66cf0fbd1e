//! The order without sampling noise: where both sides have exact expectations, gaps are numbers.

use super::estimate::{LargestGap, Orders, Seen};
use super::{Order, is_fluctuation};
use crate::claim::finding::Finding;
use crate::ensemble::{Observables, TestFunction};
use crate::exact::{Table, Value, expectations};
use crate::model::Model;

/// Judges the claim, where the expectation of every test function is known on both sides at every rate.
pub(super) fn judge(order: &Order) -> Option<Finding> {
    let gaps: Option<Vec<Gaps>> = order.models.iter().map(Gaps::of).collect();
    let gaps = gaps?;
    let points = [false, true].map(|fluctuations| -> Vec<LargestGap> {
        gaps.iter().map(|at_rate| at_rate.largest(&gaps[0].scales, fluctuations)).collect()
    });
    let [raw, fluctuations] = [&points[0], &points[1]].map(|points| least_order(points));
    let orders = Orders { raw, fluctuations, claimed: order.claimed };
    let verdict = orders.verdict();
    let estimate = orders.report("root mean squares of the optimizer at the largest learning rate", points);
    let version = env!("CARGO_PKG_VERSION");
    let terms =
        format!("between neighbours, or faster (exact expectations, without a seed; itocheck {version})");
    let sentence = format!("{} {terms}", order.said(verdict, &estimate));
    Some(Finding {
        order: Some(estimate),
        allowed: Some(order.allowed()),
        ..Finding::exact("order", order.expect, verdict, sentence)
    })
}

/// The least order between neighbouring rates, with numerical errors.
fn least_order(points: &[LargestGap]) -> Seen {
    let between = |pair: &[LargestGap]| -> [f64; 2] {
        let [above, below] = [&pair[0], &pair[1]].map(LargestGap::logarithmic);
        let order = |above: f64, below: f64| {
            let order =
                (above - below) / (libm::log(pair[0].learning_rate) - libm::log(pair[1].learning_rate));
            // Two gaps that are both zero fall as fast as may be claimed.
            if order.is_nan() { f64::INFINITY } else { order }
        };
        [order(above.interval[0], below.interval[1]), order(above.interval[1], below.interval[0])]
    };
    let least = points.windows(2).map(between).min_by(|a, b| a[0].total_cmp(&b[0]));
    let interval = least.unwrap_or([f64::INFINITY; 2]);
    Seen { estimate: f64::midpoint(interval[0], interval[1]), interval }
}

/// All gaps of one run.
struct Gaps {
    observables: Observables,
    optimizer: Table,
    sde: Table,
    /// The unit of each function.
    scales: Vec<f64>,
}

impl Gaps {
    fn of(model: &Model) -> Option<Self> {
        let observables = model.observables(model.all_functions().collect());
        let (optimizer, sde) = expectations(model, &observables).complete(&observables.functions).ok()?;
        let largest =
            |row: &Option<Vec<Value>>| row.iter().flatten().map(|v| v.value.abs()).fold(0.0, f64::max);
        let sizes: Vec<f64> = optimizer.iter().map(largest).collect();
        let scales =
            observables.functions.iter().map(|function| unit(function, &observables.functions, &sizes));
        let scales = scales.collect();
        Some(Self { observables, optimizer, sde, scales })
    }

    /// Over raw moments or fluctuations, each in units of `scales`.
    fn largest(&self, scales: &[f64], of_fluctuations: bool) -> LargestGap {
        let Self { observables, optimizer, sde, .. } = self;
        let times = observables.times();
        let cells = observables.cells().filter_map(|index| {
            let (function, time) = (index / times, index % times);
            let scale = scales[function];
            if is_fluctuation(&observables.functions[function]) != of_fluctuations || scale == 0.0 {
                return None;
            }
            let [optimizer, sde] =
                [optimizer, sde].map(|table| table[function].as_ref().map(|row| row[time]));
            let (optimizer, sde) = (optimizer?, sde?);
            let (gap, error) = (optimizer.value - sde.value, optimizer.error + sde.error);
            let interval = [gap - error, gap + error].map(|end| end / scale);
            Some((observables.place(index), gap / scale, interval))
        });
        LargestGap::of(observables.eta, cells)
    }
}

/// Root mean squares: means and mixed moments may vanish, by which nothing can be measured.
fn unit(function: &TestFunction, functions: &[TestFunction], sizes: &[f64]) -> f64 {
    let size = |function: &TestFunction| {
        functions.iter().position(|known| known == function).map_or(0.0, |index| sizes[index])
    };
    let mean_square = |of: fn(usize, usize) -> TestFunction, i, j| (size(&of(i, i)) * size(&of(j, j))).sqrt();
    match *function {
        TestFunction::Coordinate(i) => size(&TestFunction::Product(i, i)).sqrt(),
        TestFunction::Product(i, j) => mean_square(TestFunction::Product, i, j),
        TestFunction::Fluctuation(i, j) => mean_square(TestFunction::Fluctuation, i, j),
        TestFunction::Bounded(_) => 1.0,
        _ => size(function),
    }
}
