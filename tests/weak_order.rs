//! The weak order of the schemes on the standard test problems of the SDE literature.
//!
//! The bias of a scheme is `E u(0, X_0) − E u(T, Y_T) = −Σ_n E e(t_n, Y_n)` with `u(t, x) = E[g(X_T) | X_t = x]`
//! and the local error `e(t, x) = E[u(t + h, Y_{n+1}) | Y_n = x] − u(t, x)`. u is known here, and the expectation in e
//! is taken over the draws of one step by quadrature, so that all that is sampled is where the paths go: a
//! few hundred paths show a bias of 1e-5 within percents.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::experiment;
use itocheck::integrator::{Draws, SchemeName};
use itocheck::random::{Role, Streams};
use itocheck::sde::{Coefficients, Sde};
use nalgebra::{DMatrix, DVector};
use std::sync::Arc;

const T: f64 = 0.5;
/// Each step half as long as the one before.
const STEPS: [usize; 3] = [4, 8, 16];
/// Standard errors that a bias must be away from 0, for its order to be read.
const CLEAR: f64 = 5.0;
/// Half the distance between orders: less five standard errors, it is what higher orders may still add.
const TOLERANCE: f64 = 0.5;

/// u at one time.
type Value = Box<dyn Fn(&[f64]) -> Vec<f64>>;

/// An SDE with known `u(t, x)` for some functions g.
struct Problem {
    name: &'static str,
    sde: Arc<dyn Sde>,
    start: Vec<f64>,
    /// Of the time to go: of the state, one value a function.
    u: Box<dyn Fn(f64) -> Value>,
}

/// Drift and root of the diffusion covariance, by their formulas.
struct Given<F: Fn(&[f64]) -> (Vec<f64>, DMatrix<f64>) + Send + Sync>(F);

impl<F: Fn(&[f64]) -> (Vec<f64>, DMatrix<f64>) + Send + Sync> Sde for Given<F> {
    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        let (drift, root) = (self.0)(x);
        out.drift.copy_from_slice(&drift);
        out.diffusion.clear();
        let covariance = &root * root.transpose();
        out.diffusion.add_dense(|i, j| covariance[(i, j)]);
    }
}

/// u for moments of second order that close: `d/dt E y yᵀ = L(E y yᵀ)` with `y = (1, x)`.
fn closed(
    d: usize,
    moments: &'static [(usize, usize)],
    generator: impl Fn(&DMatrix<f64>) -> DMatrix<f64>,
) -> Box<dyn Fn(f64) -> Value> {
    let n = d + 1;
    let mut l = DMatrix::zeros(n * n, n * n);
    for index in 0..n * n {
        let mut basis = DMatrix::zeros(n, n);
        basis[index] = 1.0;
        l.set_column(index, &DVector::from_column_slice(generator(&basis).as_slice()));
    }
    Box::new(move |to_go| {
        let flow = (&l * to_go).exp();
        let rows = DMatrix::from_fn(moments.len(), n * n, |row, column| {
            flow[(moments[row].1 * n + moments[row].0, column)]
        });
        Box::new(move |x| {
            let y = |i: usize| if i == 0 { 1.0 } else { x[i - 1] };
            (0..rows.nrows()).map(|m| (0..n * n).map(|k| rows[(m, k)] * y(k % n) * y(k / n)).sum()).collect()
        })
    })
}

/// `dX = F(1, X) dt + Σ_k G_k(1, X) dW_k`, from the rows of F and of each G.
fn affine(
    name: &'static str,
    start: &[f64],
    moments: &'static [(usize, usize)],
    f: &'static [f64],
    g: &'static [&'static [f64]],
) -> Problem {
    let d = start.len();
    let matrix = move |rows: &[f64]| DMatrix::from_row_slice(d, d + 1, rows);
    let coefficients = move |x: &[f64]| {
        let y = DVector::from_iterator(d + 1, std::iter::once(1.0).chain(x.iter().copied()));
        let columns: Vec<_> = g.iter().map(|g| matrix(g) * &y).collect();
        ((matrix(f) * &y).as_slice().to_vec(), DMatrix::from_columns(&columns))
    };
    let padded = move |rows: &[f64]| matrix(rows).insert_row(0, 0.0);
    let u = closed(d, moments, |y| {
        let drift = padded(f) * y;
        let noise = g.iter().map(|g| padded(g) * y * padded(g).transpose());
        noise.fold(&drift + y * padded(f).transpose(), |sum, term| sum + term)
    });
    Problem { name, sde: Arc::new(Given(coefficients)), start: start.to_vec(), u }
}

mod problems {
    use super::*;

    /// x and x², by the places of 1 and x in (1, x).
    const SCALAR: &[(usize, usize)] = &[(0, 1), (1, 1)];

    /// Geometric Brownian motion (Kloeden and Platen, PC-exercise 15.1.2 and throughout).
    pub fn geometric_brownian_motion() -> Problem {
        affine("geometric Brownian motion", &[0.1], SCALAR, &[0.0, 1.5], &[&[0.0, 0.5]])
    }

    pub fn ornstein_uhlenbeck() -> Problem {
        affine("Ornstein–Uhlenbeck", &[2.0], SCALAR, &[0.5, -1.5], &[&[0.8, 0.0]])
    }

    /// `dX = (X/2 + √(X² + 1)) dt + √(X² + 1) dW`, so that arsinh X = arsinh X_0 + t + W, and
    /// `g = p(arsinh x)`, `p(z) = z³ − 6z² + 8z` (Rößler, SIAM J. Numer. Anal. 47, 2009, section 6).
    pub fn nonlinear() -> Problem {
        let coefficients = |x: &[f64]| {
            let root = (x[0] * x[0] + 1.0).sqrt();
            (vec![0.5 * x[0] + root], DMatrix::from_element(1, 1, root))
        };
        let u = |to_go: f64| -> Value {
            Box::new(move |x| {
                let m = x[0].asinh() + to_go;
                vec![m.powi(3) + 3.0 * m * to_go - 6.0 * (m * m + to_go) + 8.0 * m]
            })
        };
        let sde = Arc::new(Given(coefficients));
        Problem { name: "nonlinear", sde, start: vec![0.0], u: Box::new(u) }
    }

    /// Two linear equations with noise that does not commute (Debrabant and Rößler, Appl. Numer. Math. 59, 2009;
    /// `E x_0² = e^{−t}`).
    pub fn linear_noncommutative() -> Problem {
        const R2: f64 = std::f64::consts::SQRT_2;
        affine(
            "noncommutative",
            &[1.0, 1.0],
            &[(0, 1), (1, 1), (1, 2), (2, 2)],
            &[0.0, -273.0 / 512.0, 0.0, 0.0, -1.0 / 160.0, -(785.0 / 512.0 - R2 / 8.0)],
            &[
                &[0.0, 0.25, 0.0, 0.0, (1.0 - 2.0 * R2) / 4.0, 0.0],
                &[0.0, 1.0 / 16.0, 0.0, 0.0, 0.1, 1.0 / 16.0],
            ],
        )
    }

    /// Noise in the plane whose size and direction depend on where x is: its Lévy area counts at order 2.
    pub fn rotating_noise() -> Problem {
        affine(
            "rotating",
            &[0.5, -0.5],
            &[(0, 1), (1, 1), (1, 2), (2, 2)],
            &[0.2, -1.0, 0.5, 0.0, -0.5, -0.5],
            &[&[1.0, 0.0, 0.8, 0.2, 0.0, 0.0], &[0.3, 0.0, 0.0, 1.0, 0.9, 0.0]],
        )
    }

    /// The SDE of DCSGD with Rand-1 of 2, whose root is that of diagonal minus rank one:
    /// `Q̇ = −HQ − QH + (η/N)(2 diag G − G + Σ)`, `G = HQH + Σ`, about the minimiser 0 (THEORY sections 2 and 7; ω/(d−1) = 1).
    pub fn rand_k() -> Problem {
        const ETA: f64 = 0.5;
        let text = format!(
            "title = \"t\"\noptimizer = \"dcsgd\"\nobjective.quadratic = {{ eigenvalues = [0.6, 1.2] }}\n[[agents]]\ncount = 1\n\
         noise.gaussian = {{ scale = 0.5 }}\ncompressor.rand_k = {{ k = 1 }}\n\
         [run]\nlearning_rate = {ETA}\nsteps = 2\nrecords = 1\nstart = 1.0\n"
        );
        let u = closed(2, &[(0, 1), (1, 1), (1, 2), (2, 2)], |y| {
            let h = DMatrix::from_diagonal(&DVector::from_column_slice(&[0.0, 0.6, 1.2]));
            let sigma = DMatrix::from_diagonal(&DVector::from_column_slice(&[0.0, 0.25, 0.25])) * y[(0, 0)];
            let g = &h * y * &h + &sigma;
            let diagonal = DMatrix::from_diagonal(&g.diagonal());
            -(&h * y) - y * &h + (diagonal * 2.0 - g + sigma) * ETA
        });
        let sde = experiment(&text).model.sde;
        Problem { name: "DCSGD with Rand-1", sde, start: vec![1.0, -1.0], u }
    }

    /// Three coordinates: three pairs of Brownian motions, whose V must not depend on each other.
    pub fn three_dimensional() -> Problem {
        affine(
            "three-dimensional",
            &[0.5, -0.5, 0.2],
            &[(0, 1), (1, 1), (2, 2), (1, 3)],
            &[0.0, -1.0, 0.3, 0.0, 0.0, 0.0, -1.0, 0.3, 0.0, 0.3, 0.0, -1.0],
            &[
                &[1.0, 0.0, 0.6, 0.0, 0.2, 0.0, 0.0, 0.4, 0.0, 0.5, 0.0, 0.0],
                &[0.0, 0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 0.0, 0.3, 0.0, 0.4, 0.0],
                &[0.3, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.6, 1.0, 0.3, 0.3, 0.0],
            ],
        )
    }
}

/// Nodes and weights of Gauss–Hermite quadrature for the standard normal law (Golub and Welsch).
fn hermite(nodes: usize) -> Vec<(f64, f64)> {
    let jacobi =
        DMatrix::from_fn(
            nodes,
            nodes,
            |i, j| {
                if i.abs_diff(j) == 1 { (i.max(j) as f64).sqrt() } else { 0.0 }
            },
        );
    let eigen = jacobi.symmetric_eigen();
    (0..nodes).map(|k| (eigen.eigenvalues[k], eigen.eigenvectors[(0, k)].powi(2))).collect()
}

/// All draws of a step of length 1, with their weights. The signs all take `fixed`, if it is given.
fn all_draws(scheme: SchemeName, d: usize, fixed: Option<f64>) -> Vec<(Draws, f64)> {
    let nodes = hermite(if d < 3 { 8 } else { 5 });
    let empty = scheme.draws(d, 1);
    let signs = if fixed.is_some() { 0 } else { empty.signs.len() };
    let mut all = Vec::new();
    for point in 0..nodes.len().pow(d as u32) {
        for bits in 0..1usize << signs {
            let mut draws = empty.clone();
            let mut weight = 1.0 / f64::from(1u32 << signs);
            for j in 0..d {
                let (node, of_node) = nodes[point / nodes.len().pow(j as u32) % nodes.len()];
                draws.dw[j] = node;
                weight *= of_node;
            }
            for (place, sign) in draws.signs.iter_mut().enumerate() {
                *sign = fixed.unwrap_or(if bits >> place & 1 == 1 { 1.0 } else { -1.0 });
            }
            all.push((draws, weight));
        }
    }
    all
}

/// What a scheme came to.
#[derive(Debug)]
struct Measured {
    /// The Euclidean norm of the bias over all functions, with its standard error; the longest step first.
    biases: Vec<(f64, f64)>,
    /// The slope of log bias over log h: of least squares, which for three steps, each half of the one before, is
    /// that between the first and the last.
    order: f64,
    error: f64,
}

/// All lengths of steps go along the same Brownian paths, so that much of the sampling error of the order cancels.
/// The signs all take `fixed`, if it is given.
fn measure(problem: &Problem, scheme: SchemeName, paths: u64, fixed: Option<f64>) -> Measured {
    let (d, count) = (problem.start.len(), (problem.u)(0.0)(&problem.start).len());
    let unit = all_draws(scheme, d, fixed);
    let mut stepper = scheme.build(d, 1);
    // Per length of step, the biases of all paths.
    let mut biases = vec![Vec::new(); STEPS.len()];
    let finest = STEPS[STEPS.len() - 1];
    let u: Vec<_> = (0..=finest).map(|step| (problem.u)(T * step as f64 / finest as f64)).collect();
    let scaled = STEPS.map(|steps| {
        let mut all = unit.clone();
        let deviation = (T / steps as f64).sqrt();
        all.iter_mut().for_each(|(draws, _)| draws.dw.iter_mut().for_each(|dw| *dw *= deviation));
        all
    });
    for path in 0..paths {
        let mut stream = Streams::of_path(17, Role::Sde, path);
        let brownian: Vec<Draws> = (0..finest)
            .map(|_| {
                let mut draws = scheme.draws(d, 1);
                draws.renew(T / finest as f64, &mut stream);
                fixed.into_iter().for_each(|fixed| draws.signs.fill(fixed));
                draws
            })
            .collect();
        for (which, all) in scaled.iter().enumerate() {
            let h = T / STEPS[which] as f64;
            let fine = finest / STEPS[which];
            let mut x = problem.start.clone();
            let mut bias = vec![0.0; count];
            for (step, increments) in brownian.chunks(fine).enumerate() {
                let [now, then] = [step, step + 1].map(|step| &u[finest - step * fine]);
                bias.iter_mut().zip(now(&x)).for_each(|(bias, now)| *bias -= now);
                for (draws, weight) in all {
                    let mut next = x.clone();
                    stepper.step(&*problem.sde, &mut next, h, draws);
                    bias.iter_mut().zip(then(&next)).for_each(|(bias, then)| *bias += weight * then);
                }
                let mut draws = increments[0].clone();
                increments[1..].iter().for_each(|next| draws.extend(next));
                stepper.step(&*problem.sde, &mut x, h, &draws);
            }
            biases[which].push(DVector::from_vec(bias));
        }
    }
    Measured::of(&biases)
}

impl Measured {
    fn of(biases: &[Vec<DVector<f64>>]) -> Self {
        // Along the mean bias, its norm is linear in the paths to first order in the errors.
        let along = biases.iter().map(|of_paths| {
            let mean = of_paths.iter().sum::<DVector<f64>>().normalize();
            of_paths.iter().map(|bias| bias.dot(&mean)).collect()
        });
        let along: Vec<Vec<f64>> = along.collect();
        let norms: Vec<(f64, f64)> = along.iter().map(|norms| mean_and_error(norms)).collect();
        let (first, last) = (0, norms.len() - 1);
        let span = last as f64 * std::f64::consts::LN_2;
        let slope =
            |(at_first, at_last): (&f64, &f64)| (at_first / norms[first].0 - at_last / norms[last].0) / span;
        let (_, error) =
            mean_and_error(&along[first].iter().zip(&along[last]).map(slope).collect::<Vec<_>>());
        let order = (norms[first].0 / norms[last].0).ln() / span;
        Self { biases: norms, order, error }
    }
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, (squares / (n * (n - 1.0))).sqrt())
}

/// That the order is `expected`, and not the next one.
fn assert_order(problem: &Problem, scheme: SchemeName, paths: u64, fixed: Option<f64>, expected: f64) {
    let measured = measure(problem, scheme, paths, fixed);
    let said = format!("{} {scheme:?} {fixed:?}: {measured:?}", problem.name);
    println!("{said}");
    assert!(measured.biases.iter().all(|(bias, error)| *bias > CLEAR * error), "{said}");
    assert!((measured.order - expected).abs() < TOLERANCE - 5.0 * measured.error, "{said}");
}

/// Euler–Maruyama shows order 1 where Platen's scheme shows 2.
fn assert_orders(problem: &Problem, paths: u64) {
    assert_order(problem, SchemeName::EulerMaruyama, paths, None, 1.0);
    assert_order(problem, SchemeName::Platen, paths, None, 2.0);
}

#[test]
fn geometric_brownian_motion() {
    assert_orders(&problems::geometric_brownian_motion(), 1000);
}

#[test]
fn ornstein_uhlenbeck() {
    assert_orders(&problems::ornstein_uhlenbeck(), 1000);
}

#[test]
fn nonlinear() {
    assert_orders(&problems::nonlinear(), 1000);
}

#[test]
fn linear_noncommutative() {
    assert_orders(&problems::linear_noncommutative(), 500);
}

#[test]
fn rotating_noise_and_without_its_levy_area() {
    let problem = problems::rotating_noise();
    assert_orders(&problem, 500);
    // V = 0 in place of ±Δ: mixed terms without the variance of the Lévy area. No scheme of order 2.
    assert_order(&problem, SchemeName::Platen, 500, Some(0.0), 1.0);
}

#[test]
fn three_dimensional() {
    let problem = problems::three_dimensional();
    assert_order(&problem, SchemeName::Platen, 100, None, 2.0);
    assert_order(&problem, SchemeName::Platen, 100, Some(0.0), 1.0);
}

#[test]
fn diagonal_minus_rank_one() {
    assert_orders(&problems::rand_k(), 500);
}
