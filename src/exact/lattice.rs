//! The law of DSignSGD where coordinates are independent: a Markov chain on a lattice.

use super::marginal::{self, Accuracy, Marginal};
use super::{Table, Unknown, sign_error};
use crate::agent::Scratch;
use crate::ensemble::Observables;
use crate::model::Model;
use crate::noise::SignLaw;

/// Most multiplications of a whole run: some seconds.
const MOST_WORK: f64 = 2e9;

/// Sites of less probability are not followed: over a whole run they are together below 1e-20.
const NEGLIGIBLE: f64 = 1e-30;

/// Most probabilities that are kept.
const MOST_MEMORY: f64 = 2.5e7;

/// One step moves a coordinate by `(η/N)(2J − N)` with `J = #{i : g_i < 0}`: from
/// `start + (η/N) m` to the same with `m + 2J − N`. After k steps there are Nk + 1 sites, each of which takes
/// O(N) multiplications a step (O(N²) where every agent is a group of its own): `N²K²/2` in the run. All
/// terms are positive: each probability is known up to some N roundings a step.
pub(super) fn table(model: &Model, observables: &Observables) -> Result<Table, Unknown> {
    let (n, steps, d) = (model.agents.count(), model.run.steps, model.dimension());
    let counts: Vec<usize> = model.agents.groups().iter().map(|group| group.count).collect();
    let sites = (n * steps) as f64;
    let work = (d * steps) as f64 * sites * (4 * n + convolution_work(&counts)) as f64 / 2.0;
    if work > MOST_WORK || sites * (2 * d * counts.len()) as f64 > MOST_MEMORY {
        return Err(Unknown::because(format!("the law on the lattice takes {work:.0e} multiplications")));
    }
    let chances = Chances::new(model);
    let sign_error = sign_error(model);
    let marginals: Vec<Vec<Marginal>> = (0..d)
        .map(|j| {
            let widening = 1.0 + chances.widening(j, &counts);
            let accuracy = |step: usize| Accuracy {
                rounding: (steps * (n + 8)) as f64 * f64::EPSILON,
                wrong_signs: (n * step) as f64 * sign_error * libm::pow(widening, step as f64),
                moved: 2.0 * chances.spacing,
            };
            let mut law = vec![1.0];
            let mut records = Vec::new();
            for step in 0..=steps {
                if step > 0 {
                    law = advance(&law, &counts, step - 1, |m| chances.of(j, m));
                }
                if step % model.run.every() == 0 {
                    let points: Vec<f64> =
                        (0..law.len()).map(|s| chances.place(j, 2 * s as i64 - (n * step) as i64)).collect();
                    records.push(Marginal::new(observables, j, records.len(), &points, &law, accuracy(step)));
                }
            }
            records
        })
        .collect();
    Ok(marginal::table(&marginals, observables))
}

/// The law after one more step: `law[s]` is the probability of s negative signs so far, in `step` steps.
fn advance<'a>(law: &[f64], counts: &[usize], step: usize, chances: impl Fn(i64) -> &'a [f64]) -> Vec<f64> {
    let n: usize = counts.iter().sum();
    let mut next = vec![0.0; law.len() + n];
    let mut negative = NegativeSigns::default();
    for (s, probability) in law.iter().enumerate().filter(|(_, probability)| **probability > NEGLIGIBLE) {
        negative.set(counts, chances(2 * s as i64 - (n * step) as i64));
        for (sum, of_count) in next[s..].iter_mut().zip(&negative.law) {
            *sum += probability * of_count;
        }
    }
    next
}

/// The probabilities of a negative sign, by coordinate, place on the lattice and group.
struct Chances {
    start: Vec<f64>,
    spacing: f64,
    /// Places reach from −NK to NK.
    farthest: i64,
    groups: usize,
    by_coordinate: Vec<Vec<f64>>,
}

impl Chances {
    /// Neither f nor the noise couples coordinates: all are moved at once.
    fn new(model: &Model) -> Self {
        let agents = &model.agents;
        let n = agents.count();
        let farthest = (n * model.run.steps) as i64;
        let start = model.run.start.clone();
        let mut chances = Self {
            spacing: model.run.learning_rate / n as f64,
            farthest,
            groups: agents.groups().len(),
            by_coordinate: vec![Vec::new(); start.len()],
            start,
        };
        let mut law = SignLaw::zero(model.dimension());
        let mut scratch = Scratch::default();
        for m in -farthest..=farthest {
            let x: Vec<f64> = (0..model.dimension()).map(|j| chances.place(j, m)).collect();
            agents.for_each_group(&x, &mut scratch, |_, group, mean_gradient| {
                group.noise.sign_law(&x, mean_gradient, &mut law);
                for (chances, mean) in chances.by_coordinate.iter_mut().zip(&law.mean) {
                    chances.push(0.5 * (1.0 - mean));
                }
            });
        }
        chances
    }

    fn place(&self, j: usize, m: i64) -> f64 {
        self.start[j] + self.spacing * m as f64
    }

    /// By what share of their distance the mean step drives neighbouring sites apart, at most; 0 where f is convex.
    fn widening(&self, j: usize, counts: &[usize]) -> f64 {
        let negative = |m: i64| -> f64 {
            self.of(j, m).iter().zip(counts).map(|(chance, &count)| count as f64 * chance).sum()
        };
        let apart = |m: i64| 2.0 * (negative(m + 1) - negative(m));
        (-self.farthest..self.farthest).map(apart).fold(0.0, f64::max)
    }

    fn of(&self, j: usize, m: i64) -> &[f64] {
        let first = (m + self.farthest) as usize * self.groups;
        &self.by_coordinate[j][first..first + self.groups]
    }
}

/// The law of `J = #{i : g_i < 0}`, a sum of binomial counts over the groups.
#[derive(Default)]
struct NegativeSigns {
    law: Vec<f64>,
    of_group: Vec<f64>,
    sum: Vec<f64>,
}

impl NegativeSigns {
    fn set(&mut self, counts: &[usize], chances: &[f64]) {
        self.law.clear();
        self.law.push(1.0);
        for (&count, &chance) in counts.iter().zip(chances) {
            binomial(count, chance, &mut self.of_group);
            self.sum.clear();
            self.sum.resize(self.law.len() + count, 0.0);
            for (s, probability) in self.law.iter().enumerate() {
                for (sum, of_group) in self.sum[s..].iter_mut().zip(&self.of_group) {
                    *sum += probability * of_group;
                }
            }
            std::mem::swap(&mut self.law, &mut self.sum);
        }
    }
}

/// Multiplications of [`NegativeSigns::set`] besides the binomials.
fn convolution_work(counts: &[usize]) -> usize {
    let mut length = 1;
    let mut work = 0;
    for count in counts {
        work += length * (count + 1);
        length += count;
    }
    work
}

/// The probabilities of 0, …, n successes of chance p: by their ratios from the mode, where nothing
/// underflows, then over their sum.
fn binomial(n: usize, p: f64, out: &mut Vec<f64>) {
    let q = 1.0 - p;
    let mode = (((n + 1) as f64 * p) as usize).min(n);
    out.clear();
    out.resize(n + 1, 0.0);
    out[mode] = 1.0;
    for k in mode..n {
        out[k + 1] = out[k] * ((n - k) as f64 / (k + 1) as f64 * (p / q));
    }
    for k in (0..mode).rev() {
        out[k] = out[k + 1] * ((k + 1) as f64 / (n - k) as f64 * (q / p));
    }
    let total: f64 = out.iter().sum();
    out.iter_mut().for_each(|probability| *probability /= total);
}
