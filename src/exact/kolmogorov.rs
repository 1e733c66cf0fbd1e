//! The SDE of DSignSGD where coordinates are independent: Kolmogorov's equation on the line.

use super::generator::Generator;
use super::marginal::{self, Accuracy, Marginal};
use super::{Table, Unknown, larger, sign_error};
use crate::ensemble::Observables;
use crate::model::Model;
use crate::random::{Role, Stream};
use crate::sde::{Coefficients, Sde};

/// Largest dimension: every coordinate has its own equation, whose coefficients take O(d).
const LARGEST_DIMENSION: usize = 32;

/// Most multiplications on the finest grids of all coordinates together: some seconds.
const MOST_WORK: f64 = 2e9;

/// Rounding of sums over the grid: growth within a Taylor step, times thousands of them.
const ROUNDING: f64 = 1e-12;

/// The probability that a path leaves the grid's inner part.
const ESCAPE: f64 = 1e-18;

/// Nodes over the inner part of the first grid; each further one has half as many more.
const FIRST_NODES: f64 = 64.0;
const REFINEMENT: f64 = 1.5;

/// Nodes beyond the inner part on each side: where there is no diffusion, waves of the grid's length run back
/// from the edge at up to 4 times the drift, and the dissipation gives the weights exponential tails.
/// Measured there, 64 nodes leave an error of 1e-9, and 128 nothing above rounding.
const MARGIN: usize = 128;

/// Grids are refined until the change is below `WANTED`, and must come below `ACCEPTED`, relative to
/// values above 1.
const WANTED: f64 = 1e-9;
const ACCEPTED: f64 = 1e-8;

/// Points at which coordinates are seen not to depend on each other.
const POINTS: u64 = 8;

/// For one coordinate `u(t, x) = E_x g(X_t)` solves `u_t = b u_x + (a/2) u_xx`, u(0, x) = g(x). On a grid
/// that is `u = e^{tL} g`; the weights `w = e^{tLᵀ} e_0` of the start's node give `u(t, x_0) = Σ_i w_i g(x_i)`
/// for all g at once, those about the flow c(t) included: each with the accuracy of its own backward
/// solution, though w itself is rough.
pub(super) fn table(model: &Model, observables: &Observables) -> Result<Table, Unknown> {
    let d = model.dimension();
    if d > LARGEST_DIMENSION {
        return Err(Unknown::because(format!(
            "dimension {d}; Kolmogorov's equation is solved up to {LARGEST_DIMENSION}"
        )));
    }
    let line = |coordinate| Line { sde: &*model.sde, start: &model.run.start, coordinate };
    let marginals: Result<Vec<Vec<Marginal>>, Unknown> =
        (0..d).map(|j| line(j).solve(model, observables)).collect();
    Ok(marginal::table(&marginals?, observables))
}

/// One coordinate of the SDE, the others at the start.
struct Line<'a> {
    sde: &'a dyn Sde,
    start: &'a [f64],
    coordinate: usize,
}

impl Line<'_> {
    fn x0(&self) -> f64 {
        self.start[self.coordinate]
    }

    /// (b, a) at the given values of the coordinate.
    fn coefficients(&self, places: impl Iterator<Item = f64>) -> Vec<(f64, f64)> {
        let mut x = self.start.to_vec();
        let mut out = Coefficients::new(x.len());
        let j = self.coordinate;
        let at = |place| {
            x[j] = place;
            self.sde.coefficients(&x, &mut out);
            (out.drift[j], out.diffusion.entry(j, j))
        };
        places.map(at).collect()
    }

    /// Marginals at all record times: on finer and finer grids, until nothing changes.
    fn solve(&self, model: &Model, observables: &Observables) -> Result<Vec<Marginal>, Unknown> {
        let horizon = model.run.steps as f64 * model.run.learning_rate;
        let range = self.range(horizon)?;
        self.depends_on_nothing_else(range)?;
        let mut nodes = FIRST_NODES;
        let mut coarse = self.marginals(model, observables, range, nodes);
        let mut best: Option<(f64, Vec<Marginal>)> = None;
        while let Some(known) = coarse {
            nodes *= REFINEMENT;
            coarse = self.marginals(model, observables, range, nodes);
            let Some(fine) = &coarse else { break };
            let refined: Vec<Marginal> =
                known.iter().zip(fine).map(|(coarse, fine)| Marginal::refined(coarse, fine)).collect();
            let error = refined.iter().map(Marginal::largest_error).fold(0.0, larger);
            best = Some((error, refined));
            if error <= WANTED {
                break;
            }
        }
        match best {
            Some((error, refined)) if error <= ACCEPTED => Ok(refined),
            Some((error, _)) => Err(Unknown::because(format!(
                "Kolmogorov's equation is solved up to {error:.0e} only on the finest grid that is affordable"
            ))),
            None => Err(Unknown::because("Kolmogorov's equation takes too long")),
        }
    }

    /// Marginals at all record times on a grid with `nodes` nodes in the inner part; none where that
    /// takes too long.
    fn marginals(
        &self,
        model: &Model,
        observables: &Observables,
        (low, high): (f64, f64),
        nodes: f64,
    ) -> Option<Vec<Marginal>> {
        let h = (high - low) / nodes;
        let below = ((self.x0() - low) / h).ceil() as usize + MARGIN;
        let above = ((high - self.x0()) / h).ceil() as usize + MARGIN;
        let points: Vec<f64> =
            (0..=below + above).map(|i| self.x0() + h * (i as f64 - below as f64)).collect();
        let coefficients = self.coefficients(points.iter().copied());
        let generator = Generator::new(h, &coefficients);
        let interval = model.run.every() as f64 * model.run.learning_rate;
        let work = generator.work(interval) * (model.run.records * self.start.len()) as f64;
        if work > MOST_WORK {
            return None;
        }
        // How fast the drift drives neighbouring paths apart, at most; 0 where f is convex.
        let widening = coefficients.windows(2).map(|pair| (pair[1].0 - pair[0].0) / h).fold(0.0, f64::max);
        let n = model.agents.count() as f64;
        let accuracy = |record: usize| {
            let (steps, t) = ((record * model.run.every()) as f64, record as f64 * interval);
            Accuracy {
                rounding: ROUNDING,
                wrong_signs: n * steps * sign_error(model) * libm::exp(widening * t),
                moved: 2.0 * model.run.learning_rate / n,
            }
        };
        let mut weights = vec![0.0; points.len()];
        weights[below] = 1.0;
        let mut records = Vec::new();
        for record in 0..=model.run.records {
            if record > 0 {
                generator.carry(interval, &mut weights);
            }
            let accuracy = accuracy(record);
            records.push(Marginal::new(observables, self.coordinate, record, &points, &weights, accuracy));
        }
        Some(records)
    }

    /// An interval that paths leave with probability [`ESCAPE`] at most until the time t.
    ///
    /// The martingale part stays within `r = √(2 max a · t · log(4/ESCAPE))` but for that probability. So
    /// a path cannot pass `x_0 + t max b + r`; nor, from its last visit at x on, `x + 2r` where b ≤ 0 beyond x.
    fn range(&self, t: f64) -> Result<(f64, f64), Unknown> {
        let x0 = self.x0();
        let mut radius = t;
        for _ in 0..64 {
            const SCANNED: i32 = 512;
            let places = (-SCANNED..=SCANNED).map(|i| x0 + radius * f64::from(i) / f64::from(SCANNED));
            let scanned: Vec<(f64, (f64, f64))> = places.clone().zip(self.coefficients(places)).collect();
            let fastest = scanned.iter().fold(0.0, |most: f64, (_, (b, _))| most.max(b.abs()));
            let a = scanned.iter().fold(0.0, |most: f64, (_, (_, a))| most.max(*a));
            let r = (-2.0 * a * t * libm::log(ESCAPE / 4.0)).sqrt();
            if radius > 0.0 && t * fastest + r <= radius {
                let spacing = radius / f64::from(SCANNED);
                let last_rise = scanned.iter().rfind(|(_, (b, _))| *b > 0.0).map_or(x0, |(x, _)| x + spacing);
                let first_fall = scanned.iter().find(|(_, (b, _))| *b < 0.0).map_or(x0, |(x, _)| x - spacing);
                let reach = t * fastest + r;
                let high = (last_rise.max(x0) + 2.0 * r).min(x0 + reach);
                let low = (first_fall.min(x0) - 2.0 * r).max(x0 - reach);
                return Ok((low, high));
            }
            radius = 1.25 * (t * fastest + r);
        }
        Err(Unknown::because("the drift of the SDE is not bounded"))
    }

    /// Whether drift and diffusion of the coordinate depend on it alone.
    fn depends_on_nothing_else(&self, (low, high): (f64, f64)) -> Result<(), Unknown> {
        let j = self.coordinate;
        let mut out = Coefficients::new(self.start.len());
        for point in 0..POINTS {
            let mut stream = Stream::new(1, Role::States, point);
            let mut x: Vec<f64> =
                self.start.iter().map(|x| x + (high - low) * (stream.uniform() - 0.5)).collect();
            x[j] = low + (high - low) * stream.uniform();
            self.sde.coefficients(&x, &mut out);
            let alone = self.coefficients(std::iter::once(x[j]));
            if alone != [(out.drift[j], out.diffusion.entry(j, j))] || !out.diffusion.is_diagonal() {
                return Err(Unknown::because("the SDE couples coordinates"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Line;
    use crate::sde::{Coefficients, Sde};

    /// `dX = b dt + √a dW`.
    struct Constant {
        b: f64,
        a: f64,
    }

    impl Sde for Constant {
        fn coefficients(&self, _x: &[f64], out: &mut Coefficients) {
            out.drift.fill(self.b);
            out.diffusion.clear();
            out.diffusion.add_diagonal(std::iter::once(self.a));
        }
    }

    #[test]
    fn paths_leave_the_range_with_the_stated_probability() {
        let (x0, a, t) = (0.5, 0.04, 4.0);
        for b in [-1.0, 0.0, 1.0] {
            let (low, high) = Line { sde: &Constant { b, a }, start: &[x0], coordinate: 0 }.range(t).unwrap();
            // The reflection principle for the martingale part alone: it passes r with the probability 2(1 − Φ(r/√(at))),
            // on top of which the drift moves x by less than bt.
            let beyond = |r: f64| libm::erfc(r / (2.0 * a * t).sqrt());
            let escape = beyond(high - x0 - f64::max(b * t, 0.0)) + beyond(x0 - low - f64::max(-b * t, 0.0));
            assert!(escape <= 1e-18, "b = {b}: {escape:e}");
        }
    }
}
