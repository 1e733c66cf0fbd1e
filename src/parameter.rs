//! Parameters as scenarios give them, and the error for one that makes no sense.

use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;
use std::ops::RangeInclusive;

/// A parameter that was read but cannot be: where it stands, what was read and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct Invalid {
    /// Key path from the root of the scenario, such as `agents[0].compressor.rand_k.k`.
    pub path: String,
    /// What was read, and what would be right.
    pub message: String,
}

impl Invalid {
    /// An error at `path`, which may be empty where the caller adds it with [`Invalid::under`].
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    /// The same error seen from one level further up.
    pub fn under(mut self, parent: &str) -> Self {
        self.path = match self.path.as_str() {
            "" => parent.to_owned(),
            path if path.starts_with('[') => format!("{parent}{path}"),
            path => format!("{parent}.{path}"),
        };
        self
    }
}

/// A number for every coordinate, or a list with one a coordinate.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum PerCoordinate {
    /// The same value everywhere.
    Every(f64),
    /// One value a coordinate.
    Each(Vec<f64>),
}

impl PerCoordinate {
    /// The values of all `dimension` coordinates, each of which must satisfy `accepts`.
    pub fn expand(
        &self,
        key: &str,
        dimension: usize,
        accepts: impl Fn(f64) -> bool,
        right: &str,
    ) -> Result<Vec<f64>, Invalid> {
        let values = match self {
            Self::Every(value) => vec![*value; dimension],
            Self::Each(values) if values.len() == dimension => values.clone(),
            Self::Each(values) => {
                return Err(Invalid::new(
                    key,
                    format!(
                        "a list of {} numbers; expected one number, or {dimension}, one a coordinate",
                        values.len()
                    ),
                ));
            }
        };
        for (index, &value) in values.iter().enumerate() {
            let place =
                || if matches!(self, Self::Each(_)) { format!("{key}[{index}]") } else { key.to_owned() };
            checked("", value, &accepts, right).map_err(|invalid| invalid.under(&place()))?;
        }
        Ok(values)
    }
}

impl PerCoordinate {
    /// The scales of all `dimension` coordinates, each above 0.
    pub fn scales(&self, dimension: usize) -> Result<Vec<f64>, Invalid> {
        self.expand("scale", dimension, |scale| scale.is_finite() && scale > 0.0, "a finite number above 0")
    }
}

impl<'de> Deserialize<'de> for PerCoordinate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrList;
        impl<'de> Visitor<'de> for NumberOrList {
            type Value = PerCoordinate;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number, or a list of numbers with one a coordinate")
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<PerCoordinate, E> {
                Ok(PerCoordinate::Every(value))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<PerCoordinate, E> {
                Ok(PerCoordinate::Every(value as f64))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<PerCoordinate, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(PerCoordinate::Each(values))
            }
        }
        deserializer.deserialize_any(NumberOrList)
    }
}

/// Sizes of numbers other than 0: their squares, products and ratios are normal numbers.
const SIZES: RangeInclusive<f64> = 1e-30..=1e30;

/// `value` where it is a number of a size that can be computed with, and satisfies `accepts`.
pub fn checked(key: &str, value: f64, accepts: impl Fn(f64) -> bool, right: &str) -> Result<f64, Invalid> {
    if !value.is_finite() || !accepts(value) {
        Err(Invalid::new(key, format!("{}; expected {right}", shown(value))))
    } else if value == 0.0 || SIZES.contains(&value.abs()) {
        Ok(value)
    } else {
        let (least, largest) = (SIZES.start(), SIZES.end());
        let message = format!("{value:e}; expected {right}, of a size from {least:e} to {largest:e}");
        Err(Invalid::new(key, message))
    }
}

/// A number as messages give it: with an exponent where it would be long without.
pub fn shown(value: f64) -> String {
    let is_short = value == 0.0 || !value.is_finite() || (1e-5..1e7).contains(&value.abs());
    if is_short { value.to_string() } else { format!("{value:e}") }
}

/// Largest full matrix: its eigenvalues are computed in well under a second.
const LARGEST_MATRIX: usize = 500;

/// A symmetric, positive semidefinite `dimension × dimension` matrix, row by row.
pub fn semidefinite(key: &str, rows: &[Vec<f64>], dimension: usize) -> Result<Vec<f64>, Invalid> {
    if !(1..=LARGEST_MATRIX).contains(&dimension) {
        return Err(Invalid::new(key, format!("{dimension} rows; expected from 1 to {LARGEST_MATRIX}")));
    }
    let wrong_shape = rows.len() != dimension || rows.iter().any(|row| row.len() != dimension);
    if wrong_shape {
        let lengths: Vec<_> = rows.iter().map(Vec::len).collect();
        return Err(Invalid::new(
            key,
            format!(
                "{} rows of lengths {lengths:?}; expected a {dimension} × {dimension} matrix",
                rows.len()
            ),
        ));
    }
    let entries: Vec<f64> = rows.iter().flatten().copied().collect();
    for (index, &entry) in entries.iter().enumerate() {
        let place = || format!("{key}[{}][{}]", index / dimension, index % dimension);
        checked("", entry, |_| true, "a finite number").map_err(|invalid| invalid.under(&place()))?;
    }
    let entry = |i: usize, j: usize| entries[i * dimension + j];
    let asymmetric =
        (0..dimension).flat_map(|i| (0..i).map(move |j| (i, j))).find(|&(i, j)| entry(i, j) != entry(j, i));
    if let Some((i, j)) = asymmetric {
        let (below, above) = (entry(i, j), entry(j, i));
        let message =
            format!("entry [{i}][{j}] is {below} and [{j}][{i}] is {above}; expected a symmetric matrix");
        return Err(Invalid::new(key, message));
    }
    let eigenvalues =
        nalgebra::DMatrix::from_row_slice(dimension, dimension, &entries).symmetric_eigenvalues();
    let (least, largest) = (eigenvalues.min(), eigenvalues.amax());
    if least < -rounding_of_eigenvalues(dimension, largest) {
        return Err(Invalid::new(
            key,
            format!("has the eigenvalue {least:.3e}; expected a positive semidefinite matrix"),
        ));
    }
    Ok(entries)
}

/// What eigenvalues of a symmetric matrix whose `largest` is this may be off by: for a backward stable solver a small
/// multiple of `d·ε·‖H‖`.
pub fn rounding_of_eigenvalues(dimension: usize, largest: f64) -> f64 {
    16.0 * dimension as f64 * f64::EPSILON * largest
}

/// A family of alternatives named in scenarios: an externally tagged enum of their parameters, and
/// how each is built. Adding one is one line.
macro_rules! registry {
    ($(#[$doc:meta])* $family:ident builds $built:ty, from ($($argument:ident: $type:ty),*) by build $call:tt:
     $($(#[$condition:meta])* $name:literal => $variant:ident($parameters:ty),)+) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        pub enum $family {
            $(
                $(#[$condition])*
                #[allow(missing_docs)]
                #[serde(rename = $name)]
                #[schemars(rename = $name)]
                $variant($parameters),
            )+
        }

        impl $family {
            /// The name in scenarios.
            pub fn name(&self) -> &'static str {
                match self {
                    $($(#[$condition])* Self::$variant(_) => $name,)+
                }
            }

            /// Builds what the scenario names; errors carry the key path below it.
            pub fn build(&self, $($argument: $type),*) -> Result<$built, crate::parameter::Invalid> {
                match self {
                    $($(#[$condition])* Self::$variant(parameters) => match parameters.build $call {
                        Ok(built) => Ok(built.into()),
                        Err(invalid) => Err(invalid.under($name)),
                    },)+
                }
            }
        }
    };
}
pub(crate) use registry;
