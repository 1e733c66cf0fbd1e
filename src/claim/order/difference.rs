//! How fast a wrong SDE approaches the right one as η falls.

use super::Order;
use crate::claim::Coefficients;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Differences fall with whole or half powers of η; a quarter is left to the higher ones at the largest rates.
const HIGHER_POWERS: f64 = 0.25;

/// The power of η with which a wrong SDE approaches the right one.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OrderOfDifference {
    /// The least between neighbouring learning rates, of the largest differences of drift and diffusion.
    pub order: f64,
    /// p of the claim.
    pub claimed: u32,
}

impl OrderOfDifference {
    /// Whether the wrong SDE is as good an approximation of the claimed order as the right one.
    pub fn is_allowed(&self) -> bool {
        self.order >= f64::from(self.claimed) - HIGHER_POWERS
    }
}

impl Order {
    /// Between the right SDE and the `wrong` one at the same learning rates; none where they agree at some.
    pub fn order_of_difference(&self, wrong: &Self, seed: u64) -> Option<OrderOfDifference> {
        let models = self.models.iter().zip(&*wrong.models);
        let points: Vec<[f64; 2]> = models
            .map(|(right, wrong)| {
                let difference = Coefficients::default().exact_difference(right, &*wrong.sde, seed);
                [right.run.learning_rate, difference.margins].map(libm::log)
            })
            .collect();
        let slope = |pair: &[[f64; 2]]| (pair[0][1] - pair[1][1]) / (pair[0][0] - pair[1][0]);
        let order = points.windows(2).map(slope).min_by(f64::total_cmp)?;
        order.is_finite().then_some(OrderOfDifference { order, claimed: self.claimed })
    }
}
