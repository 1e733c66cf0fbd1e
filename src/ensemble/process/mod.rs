//! Processes: what the driver advances. It sees nothing else of optimizers and SDEs.

mod optimizer;
mod recorded;
mod sde;

pub use optimizer::OptimizerProcess;
pub use recorded::RecordedProcess;
pub use sde::SdeProcess;

use super::block::Block;

/// A ball about the origin that paths may not leave: at its edge they stop for good.
///
/// Both processes are looked at at the times kη. A path found outside is put on the sphere, at the
/// nearest point, and stays there.
#[derive(Clone, Copy, Debug)]
pub struct Domain {
    /// R.
    pub radius: f64,
}

impl Domain {
    /// Whether x is outside; then it is put on the sphere.
    fn stops(self, x: &mut [f64]) -> bool {
        let mut norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm.is_infinite() {
            // The squares may overflow where the norm does not.
            norm = x.iter().fold(0.0, |norm, &x| libm::hypot(norm, x));
        }
        let is_outside = norm > self.radius && norm.is_finite();
        if is_outside {
            x.iter_mut().for_each(|x| *x *= self.radius / norm);
        }
        is_outside
    }
}

/// A source of blocks of paths.
pub trait Process: Sync {
    /// d.
    fn dimension(&self) -> usize;

    /// The paths `first..first + count`, at t = 0.
    fn start(&self, first: u64, count: usize) -> Box<dyn Block + '_>;
}
