//! Streams of random numbers: a path's draws depend only on (seed, role, path).

mod gamma;
mod stream;
mod streams;
mod transform;

pub use stream::Stream;
pub use streams::Streams;

/// What a stream is drawn for. Streams of different roles are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Paths of the optimizer.
    Optimizer,
    /// Paths of the SDE.
    Sde,
    /// Paths of the SDE that set the scale of the margins.
    Pilot,
    /// Paths of the optimizer that set the coefficients of its linear shadow.
    OptimizerPilot,
    /// Paths of the optimizer along which coefficients are compared.
    States,
    /// Directions along which states are projected, one a path.
    Directions,
    /// Where an objective says that runs start.
    Initial,
    /// One-step draws of the optimizer at the state of this index.
    Increments(u32),
}

impl Role {
    fn tag(self) -> u64 {
        match self {
            Role::Optimizer => 0,
            Role::Sde => 1,
            Role::Pilot => 2,
            Role::States => 3,
            Role::OptimizerPilot => 4,
            Role::Directions => 5,
            Role::Initial => 6,
            Role::Increments(state) => (1 << 32) + u64::from(state),
        }
    }
}
