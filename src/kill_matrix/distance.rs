//! How far a mutant is from what it was made of. Claims compare the optimizer with the SDE; this compares the wrong one
//! with the right one, so that no mistake hides behind what the two differ by anyway.

use crate::claim::{Claim, Coefficients, Difference, OrderOfDifference, Progress, sampled_difference};
use crate::model::Model;
use crate::mutant::Mutant;
use crate::scenario::Experiment;
use schemars::JsonSchema;
use serde::Serialize;

/// How far a mutant is from the right one, in margins of the scenario's claims.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Distance {
    /// Where mean and covariance of a step differ most from the right ones: exact for a wrong SDE, sampled for a wrong
    /// optimizer.
    pub coefficients: Option<Difference>,
    /// Where the moments of paths differ most from those of the right process; sampled.
    pub trajectory: Option<Difference>,
    /// How fast drift and diffusion of a wrong SDE approach the right ones as η falls, where an order is claimed; that
    /// has no margin.
    pub order: Option<OrderOfDifference>,
}

impl Distance {
    /// Measures it, over at most `max_seeds` paths.
    pub(super) fn measure(
        experiment: &Experiment,
        wrong: &Model,
        mutant: Mutant,
        max_seeds: u64,
        progress: &dyn Progress,
    ) -> Self {
        let of_trajectory = |claim: &Claim| match claim {
            Claim::Trajectory(claim) => sampled_difference(claim, experiment, wrong, max_seeds, progress),
            _ => None,
        };
        Self {
            coefficients: of_coefficients(experiment, wrong, mutant),
            trajectory: Difference::decisive(experiment.claims.iter().filter_map(of_trajectory)),
            order: of_orders(experiment, mutant),
        }
    }

    /// Whether it is inside all margins; not where nothing could be measured.
    pub fn is_within(&self) -> bool {
        self.parts().next().is_some() && self.parts().all(Difference::is_within)
    }

    /// Whether it is outside of some; it is where nothing could be measured.
    pub fn is_beyond(&self) -> bool {
        self.parts().next().is_none() || self.parts().any(Difference::is_beyond)
    }

    fn parts(&self) -> impl Iterator<Item = &Difference> {
        self.coefficients.iter().chain(&self.trajectory)
    }
}

/// The least that a claim on an order allows.
pub(super) fn of_orders(experiment: &Experiment, mutant: Mutant) -> Option<OrderOfDifference> {
    let of_order = |claim: &Claim| match claim {
        Claim::Order(order) if matches!(mutant, Mutant::Sde(_)) => {
            let wrong = order.map(|model| mutant.spoil(model)).ok()?;
            order.order_of_difference(&wrong, experiment.monte_carlo.seed)
        }
        _ => None,
    };
    let beyond_claim = |difference: &OrderOfDifference| difference.order - f64::from(difference.claimed);
    let orders = experiment.claims.iter().filter_map(of_order);
    orders.min_by(|a, b| beyond_claim(a).total_cmp(&beyond_claim(b)))
}

/// The largest difference between a step of the wrong one and of the right one; none where only whole paths are wrong.
pub(super) fn of_coefficients(experiment: &Experiment, wrong: &Model, mutant: Mutant) -> Option<Difference> {
    let claimed = |claim: &Claim| match claim {
        Claim::Coefficients(claim) => Some(*claim),
        _ => None,
    };
    let claim: Option<Coefficients> = experiment.claims.iter().find_map(claimed);
    let (right, seed) = (&experiment.model, experiment.monte_carlo.seed);
    match mutant {
        Mutant::Sde(_) => Some(claim.unwrap_or_default().exact_difference(right, &*wrong.sde, seed)),
        Mutant::Optimizer(_) if mutant.has_right_steps() => None,
        Mutant::Optimizer(_) => claim?.sampled_difference(right, wrong, seed),
    }
}
