//! What a sweep came to, for the report.

use super::{Quantity, Swept};
use crate::claim::Side;
use crate::claim::tables::{finite, finite_pair};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// An axis of a sweep.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SweptAxis {
    /// The key path of the number that is changed.
    pub parameter: String,
    /// In its place; null for infinity.
    #[serde(deserialize_with = "infinite_where_null")]
    #[schemars(with = "Vec<f64>")]
    pub values: Vec<f64>,
}

fn infinite_where_null<'de, D: Deserializer<'de>>(values: D) -> Result<Vec<f64>, D::Error> {
    let values: Vec<Option<f64>> = Deserialize::deserialize(values)?;
    Ok(values.into_iter().map(|value| value.unwrap_or(f64::INFINITY)).collect())
}

/// What a sweep came to. Points are in one list, the last axis running fastest.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SweepTable {
    /// One or two.
    pub axes: Vec<SweptAxis>,
    /// What is looked at.
    pub quantity: Quantity,
    /// Of the optimizer.
    pub optimizer: Measured,
    /// Of the SDE.
    pub sde: Measured,
}

/// A quantity at every point; null where it has no value.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// As estimated, or exact.
    pub value: Vec<Option<f64>>,
    /// Simultaneous over all points and both processes, at the error rate of the scenario.
    pub interval: Vec<Option<[f64; 2]>>,
    /// What theory predicts.
    pub predicted: Vec<Option<f64>>,
    /// Why there is no value.
    pub undefined: Vec<Option<String>>,
}

impl SweepTable {
    /// With intervals either limit of which is missed with probability at most `tail`.
    pub(super) fn new(swept: &Swept, tail: f64) -> Self {
        let of = |side: Side| {
            let points = || 0..swept.runs.len();
            Measured {
                value: points().map(|point| swept.estimate(side, point)).collect(),
                interval: points()
                    .map(|point| swept.interval(side, point, tail).and_then(finite_pair))
                    .collect(),
                predicted: points().map(|point| swept.predicted(side, point).and_then(finite)).collect(),
                undefined: points().map(|point| swept.undefined(side, point)).collect(),
            }
        };
        Self {
            axes: swept.sweep.axes.clone(),
            quantity: swept.sweep.quantity,
            optimizer: of(Side::Optimizer),
            sde: of(Side::Sde),
        }
    }
}
