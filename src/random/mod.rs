//! Streams of random numbers: a path's draws depend only on (seed, role, path).

mod gamma;
mod ziggurat;

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use sha2::{Digest, Sha256};

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
            Role::Increments(state) => (1 << 32) + u64::from(state),
        }
    }
}

/// A stream of random numbers: xoshiro256++, its 256-bit state the SHA-256 of (seed, role, path).
///
/// The hash makes overlapping or related streams as unlikely as a collision of random states.
#[derive(Clone, Debug)]
pub struct Stream {
    generator: Xoshiro256PlusPlus,
}

impl Stream {
    /// The stream of one path.
    pub fn new(seed: u64, role: Role, path: u64) -> Self {
        let mut hash = Sha256::new();
        for word in [seed, role.tag(), path] {
            hash.update(word.to_le_bytes());
        }
        Self { generator: Xoshiro256PlusPlus::from_seed(hash.finalize().into()) }
    }

    /// A copy of the stream as it stands, which goes on 2¹²⁸ draws ahead and never meets the copy again.
    pub fn split(&mut self) -> Self {
        let copy = self.clone();
        self.generator.jump();
        copy
    }

    fn bits(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// Uniform on the open interval (0, 1): odd multiples of 2⁻⁵⁴.
    pub fn uniform(&mut self) -> f64 {
        const SPACING: f64 = 1.0 / (1u64 << 53) as f64;
        ((self.bits() >> 11) as f64 + 0.5) * SPACING
    }

    /// ±1 with probability ½ each, 64 from each word.
    pub fn signs(&mut self, out: &mut [f64]) {
        for chunk in out.chunks_mut(64) {
            let bits = self.bits();
            for (place, sign) in chunk.iter_mut().enumerate() {
                *sign = if bits >> place & 1 == 1 { 1.0 } else { -1.0 };
            }
        }
    }

    /// Standard normal, by the ziggurat.
    pub fn normal(&mut self) -> f64 {
        ziggurat::normal(self)
    }

    /// Student's t with `dof > 0` degrees of freedom, scale 1: a normal over the root of χ²/ν.
    pub fn student_t(&mut self, dof: f64) -> f64 {
        let normal = self.normal();
        normal / (self.chi_squared(dof) / dof).sqrt()
    }

    /// χ² with `dof > 0` degrees of freedom.
    pub fn chi_squared(&mut self, dof: f64) -> f64 {
        2.0 * gamma::gamma(self, 0.5 * dof)
    }

    /// A random permutation of `0..n`, by Fisher and Yates.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut permutation: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            permutation.swap(last, self.index(last + 1));
        }
        permutation
    }

    /// Uniform on `0..n`, without bias: multiply and shift, rejecting the short first interval.
    pub fn index(&mut self, n: usize) -> usize {
        let n = n as u64;
        let rejected = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.bits()) * u128::from(n);
            if product as u64 >= rejected {
                return (product >> 64) as usize;
            }
        }
    }
}
