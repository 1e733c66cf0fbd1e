//! Estimates, intervals, and the error rate spent over looks.

mod binomial;
mod line;
mod looks;
mod quantile;
mod regression;
mod series;

pub use binomial::clopper_pearson;
pub use line::{Line, Point, Range};
pub use looks::{Look, Looks};
pub use quantile::student_quantile;
pub use regression::{Fit, Regressions};
pub use series::Series;
