//! Trajectories made elsewhere: `.npz` archives with an array `x` of shape [path, time, coordinate] and an array `t` of
//! times, as `np.savez` and `np.savez_compressed` write them. Paths are read one after another, never all at once.

mod paths;
mod recording;

pub use paths::PathReader;
pub use recording::{Recording, Shape};

/// Whether two recorded numbers are one number, stored in 32 or in 64 bits: they differ by a few roundings of 32 bits
/// (2⁻²⁴ each), relative to `scale`.
pub fn agree(a: f64, b: f64, scale: f64) -> bool {
    const ROUNDINGS: f64 = 16.0 / (1 << 24) as f64;
    (a - b).abs() <= ROUNDINGS * scale
}
