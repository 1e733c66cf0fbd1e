//! Many paths of the optimizer and of its SDE, and their moments.

mod block;
mod directions;
mod driver;
mod observable;
mod process;
mod shadow;
mod time_average;

pub use block::{Block, Paths};
pub use directions::Directions;
pub use driver::{
    BLOCK, Estimates, Moments, Pair, Shadowed, accumulate, average, observe_each, record_paths,
    standard_deviations,
};
pub use observable::{Argument, BoundedFunction, Observables, Projections, TestFunction, observed_pairs};
pub use process::{Domain, OptimizerProcess, Process, RecordedProcess, SdeProcess};
pub use shadow::{Centre, Controls, Expansion, Shadows, StepMoments, Taylor};
pub use time_average::{TimeAverages, Window};
