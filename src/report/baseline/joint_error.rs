//! How far two sampled means may be apart where nothing moved.

use crate::ensemble::BLOCK;
use crate::stats::{clopper_pearson, student_quantile};

/// How many paths a run drew for its means, and at which look it stopped.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    seeds: u64,
    look: u32,
}

impl Sample {
    /// Of the trajectories of a run. They share their paths, and the moments are those of the last look, at which the last
    /// of them was decided.
    pub fn of<'a>(claims: impl Iterator<Item = (&'a str, u64, u32)>) -> Self {
        let trajectories = claims.filter(|(kind, ..)| *kind == "trajectory");
        let samples = trajectories.map(|(_, seeds, look)| Self { seeds, look });
        samples.max_by_key(|sample| sample.seeds).unwrap_or(Self { seeds: 0, look: 0 })
    }

    fn degrees_of_freedom(self) -> f64 {
        self.seeds.div_ceil(BLOCK as u64) as f64 - 1.0
    }

    /// The share of an error rate for stopping at this look: Σ_k 1/(k(k+1)) = 1, so that it holds at whichever look a run stops.
    fn share(self) -> f64 {
        let look = f64::from(self.look.max(1));
        1.0 / (look * (look + 1.0))
    }
}

/// What two sampled means may be apart.
pub(super) struct JointError {
    pub samples: [Sample; 2],
    pub same_seed: bool,
    /// Of one comparison.
    pub error_rate: f64,
}

impl JointError {
    /// Of two means with these standard errors.
    ///
    /// Means over different seeds are independent: t with the fewer degrees of freedom on the root of the sum of squares. Its
    /// level is no more than nominal. With variances in the ratio w : 1 − w a difference is beyond q such roots with probability
    /// `E φ(w A + (1 − w) B)`, where A and B are χ² over their degrees of freedom and `φ(a) = P[z² > q² a]` is
    /// convex; so it is at most the mean, by w, of the two-sided tails of both t, the heavier of which is that with fewer degrees
    /// of freedom. Means over the same seeds may depend on each other in any way; each is then within its own limit at half
    /// the level.
    pub fn of_means(&self, standard_errors: [f64; 2]) -> f64 {
        let quantile = |dof: f64, rate: f64| student_quantile(dof, rate / 2.0);
        if standard_errors.iter().all(|&error| error > 0.0) && !self.same_seed {
            let [before, after] = self.samples;
            let dof = before.degrees_of_freedom().min(after.degrees_of_freedom());
            let [s, t] = standard_errors;
            return quantile(dof, self.error_rate * before.share() * after.share()) * (s * s + t * t).sqrt();
        }
        let own = |(sample, error): (Sample, f64)| {
            // No paths of its own, or all agree.
            if error == 0.0 {
                return 0.0;
            }
            quantile(sample.degrees_of_freedom(), self.error_rate / 2.0 * sample.share()) * error
        };
        self.samples.into_iter().zip(standard_errors).map(own).sum()
    }

    /// Whether both runs drew paths that can be counted.
    pub fn counts_paths(&self) -> bool {
        self.samples.iter().all(|sample| sample.seeds > 0)
    }

    /// Of two shares of paths, whatever they depend on: from each to that of its exact limits which faces the other. Limits hold
    /// where nothing was seen at all, too.
    pub fn of_probabilities(&self, probabilities: [f64; 2]) -> f64 {
        let limits = |run: usize| {
            let (sample, probability) = (self.samples[run], probabilities[run]);
            let seen = (probability * sample.seeds as f64).round() as u64;
            clopper_pearson(seen, sample.seeds, self.error_rate / 4.0 * sample.share())
        };
        let (less, more) = if probabilities[0] <= probabilities[1] { (0, 1) } else { (1, 0) };
        (limits(less).1 - probabilities[less]) + (probabilities[more] - limits(more).0)
    }
}
