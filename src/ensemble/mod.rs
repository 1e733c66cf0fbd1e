//! Many paths of the optimizer and of its SDE, and their moments.

mod block;
mod driver;
mod observable;
mod process;

pub use block::{Block, Paths};
pub use driver::{BLOCK, Moments, accumulate, record_paths, standard_deviations};
pub use observable::{BoundedFunction, Observables, TestFunction, observed_pairs};
pub use process::{Domain, OptimizerProcess, Process, SdeProcess};
