//! The stream of one path, number by number.

use super::{Role, gamma, transform};
use rand::TryRng;
use sha2::{Digest, Sha256};
use std::convert::Infallible;

/// A stream of random numbers: xoshiro256++ (Blackman and Vigna 2021), its 256-bit state the SHA-256 of (seed, role, path).
///
/// The hash makes overlapping or related streams as unlikely as a collision of random states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    pub(super) state: [u64; 4],
}

impl Stream {
    /// The stream of one path.
    pub fn new(seed: u64, role: Role, path: u64) -> Self {
        Self { state: hashed([seed, role.tag(), path]) }
    }

    /// The next word; xoshiro256++ itself.
    #[inline(always)]
    pub(super) fn word(&mut self) -> u64 {
        let [s0, s1, s2, s3] = &mut self.state;
        let word = s0.wrapping_add(*s3).rotate_left(23).wrapping_add(*s0);
        let shifted = *s1 << 17;
        *s2 ^= *s0;
        *s3 ^= *s1;
        *s1 ^= *s2;
        *s0 ^= *s3;
        *s2 ^= shifted;
        *s3 = s3.rotate_left(45);
        word
    }

    fn number(&mut self) -> f64 {
        transform::number(self.word())
    }

    /// Uniform on the open interval (0, 1): odd multiples of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        transform::uniform(self.number())
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.number(), self.number());
        transform::gaussians(transform::radius_of_gaussians(-2.0, radius), angle).0
    }

    /// Student's t with `dof > 0` degrees of freedom, scale 1.
    pub fn student_t(&mut self, dof: f64) -> f64 {
        let (radius, angle) = (self.number(), self.number());
        let exponent = transform::exponent_of_student_t(1.0 / dof, radius);
        transform::at_uniform_angle(transform::radius_of_student_t(dof, exponent), angle)
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
            let product = u128::from(self.word()) * u128::from(n);
            if product as u64 >= rejected {
                return (product >> 64) as usize;
            }
        }
    }
}

/// So that the laws of rand_distr, and others, can be drawn.
impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.word() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.word())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// The SHA-256 of some words as a state.
pub(super) fn hashed(words: impl IntoIterator<Item = u64>) -> [u64; 4] {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word.to_le_bytes());
    }
    let digest = hash.finalize();
    let mut words =
        digest.chunks_exact(8).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight bytes")));
    std::array::from_fn(|_| words.next().expect("four words"))
}
