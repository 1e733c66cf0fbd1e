//! The work as a competent user would write it: one path after the other, rand_distr, no tricks.

use crate::work::{D, ETA, K, N, RECORDS, STEPS, SUBSTEPS, Work};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal, StudentT};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::f64::consts::PI;

/// The loss at the end.
pub fn run(work: Work, paths: usize) -> f64 {
    let h: [f64; D] = std::array::from_fn(|j| 0.5 + 1.5 * j as f64 / (D - 1) as f64);
    let mut moments = vec![Moments::default(); RECORDS + 1];
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let t3 = StudentT::new(3.0).expect("3 > 0");
    for _ in 0..paths {
        let mut x = [1.0; D];
        moments[0].add(&x, &h);
        for moments in &mut moments[1..] {
            for _ in 0..STEPS / RECORDS {
                match work {
                    Work::W1 => dsignsgd(&mut x, &h, &t3, &mut rng),
                    Work::W2 => (0..SUBSTEPS).for_each(|_| dsignsgd_sde(&mut x, &h, &mut rng)),
                    Work::W3 => dcsgd(&mut x, &h, &mut rng),
                    Work::W4 => (0..SUBSTEPS).for_each(|_| dcsgd_sde(&mut x, &h, &mut rng)),
                }
            }
            moments.add(&x, &h);
        }
    }
    moments[RECORDS].loss / paths as f64
}

#[derive(Clone, Default)]
struct Moments {
    mean: [f64; D],
    products: [[f64; D]; D],
    loss: f64,
}

impl Moments {
    fn add(&mut self, x: &[f64; D], h: &[f64; D]) {
        for i in 0..D {
            self.mean[i] += x[i];
            for j in i..D {
                self.products[i][j] += x[i] * x[j];
            }
        }
        self.loss += 0.5 * (0..D).map(|j| h[j] * x[j] * x[j]).sum::<f64>();
    }
}

fn dsignsgd(x: &mut [f64; D], h: &[f64; D], t3: &StudentT<f64>, rng: &mut Xoshiro256PlusPlus) {
    let mut sum = [0.0; D];
    for _ in 0..N {
        for j in 0..D {
            sum[j] += (h[j] * x[j] + t3.sample(rng)).signum();
        }
    }
    for j in 0..D {
        x[j] -= ETA / N as f64 * sum[j];
    }
}

#[allow(clippy::disallowed_methods)] // a baseline uses what others use
fn dsignsgd_sde(x: &mut [f64; D], h: &[f64; D], rng: &mut Xoshiro256PlusPlus) {
    let dt = ETA / SUBSTEPS as f64;
    let noise = (ETA / N as f64 * dt).sqrt();
    for j in 0..D {
        let t = h[j] * x[j] / 3f64.sqrt();
        let xi = (t / (1.0 + t * t) + t.atan()) / PI;
        let z: f64 = StandardNormal.sample(rng);
        x[j] += -2.0 * xi * dt + noise * (1.0 - 4.0 * xi * xi).sqrt() * z;
    }
}

fn dcsgd(x: &mut [f64; D], h: &[f64; D], rng: &mut Xoshiro256PlusPlus) {
    let mut sum = [0.0; D];
    let mut order: [usize; D] = std::array::from_fn(|j| j);
    for _ in 0..N {
        let mut g = [0.0; D];
        for j in 0..D {
            let z: f64 = StandardNormal.sample(rng);
            g[j] = h[j] * x[j] + z;
        }
        for place in 0..K {
            order.swap(place, rng.random_range(place..D));
            sum[order[place]] += (D / K) as f64 * g[order[place]];
        }
    }
    for j in 0..D {
        x[j] -= ETA / N as f64 * sum[j];
    }
}

/// With the O(d) root of diagonal minus rank one.
fn dcsgd_sde(x: &mut [f64; D], h: &[f64; D], rng: &mut Xoshiro256PlusPlus) {
    let (d, k) = (D as f64, K as f64);
    let dt = ETA / SUBSTEPS as f64;
    let noise = (ETA / N as f64 * dt).sqrt();
    let (of_squares, of_products) = (d / k, d * (k - 1.0) / (k * (d - 1.0)));
    let (mut square, mut projection) = (0.0, 0.0);
    let (mut deviation, mut v, mut z) = ([0.0; D], [0.0; D], [0.0; D]);
    for j in 0..D {
        z[j] = StandardNormal.sample(rng);
        let g = h[j] * x[j];
        deviation[j] = ((of_squares - of_products) * g * g + of_squares).sqrt();
        v[j] = g / deviation[j];
        square += v[j] * v[j];
        projection += v[j] * z[j];
    }
    let factor = (1.0 - (1.0 + (of_products - 1.0) * square).max(0.0).sqrt()) / (square + 1e-300);
    for j in 0..D {
        let g = h[j] * x[j];
        x[j] += -g * dt + noise * deviation[j] * (z[j] - factor * projection * v[j]);
    }
}
