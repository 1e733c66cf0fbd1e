//! Which of the two processes is meant.

use crate::exact::{Exact, Table, Unknown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The optimizer or its SDE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The optimizer.
    Optimizer,
    /// The SDE.
    Sde,
}

impl Side {
    /// Its part of what is known.
    pub(super) fn table(self, exact: Exact) -> Result<Table, Unknown> {
        match self {
            Self::Optimizer => exact.optimizer,
            Self::Sde => exact.sde,
        }
    }

    /// Its part of a pair, optimizer first.
    pub(super) fn of<T>(self, [optimizer, sde]: &[T; 2]) -> &T {
        match self {
            Self::Optimizer => optimizer,
            Self::Sde => sde,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Optimizer => "the optimizer",
            Self::Sde => "the SDE",
        })
    }
}
