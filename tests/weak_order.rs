//! The weak order of the schemes on the standard test problems of the SDE literature.
//!
//! The bias of a scheme is `E u(0, X_0) − E u(T, Y_T) = −Σ_n E e(t_n, Y_n)` with `u(t, x) = E[g(X_T) | X_t = x]`
//! and the local error `e(t, x) = E[u(t + h, Y_{n+1}) | Y_n = x] − u(t, x)`. u is known here, and the expectation in e
//! is taken over the draws of one step by quadrature, so that all that is sampled is where the paths go: a
//! few hundred paths show a bias of 1e-6 within percents.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::experiment;
use itocheck::integrator::{Draws, Scheme, SchemeName};
use itocheck::random::{Role, Stream};
use itocheck::sde::{Coefficients, Sde};
use nalgebra::{DMatrix, DVector};

const T: f64 = 1.0;
const PATHS: u64 = 300;
/// Standard errors that a bias must be from 0 for its order to be read.
const CLEAR: f64 = 10.0;
/// Half the distance between orders, less what the next order leaves at these steps and what sampling does.
const TOLERANCE: f64 = 0.35;

/// An SDE with known `u(t, x)` for some functions g.
struct Problem {
    name: &'static str,
    sde: Box<dyn Sde>,
    start: Vec<f64>,
    functions: Vec<&'static str>,
    /// Of time to go and state, one value a function.
    u: Box<dyn Fn(f64, &[f64]) -> Vec<f64>>,
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
) -> Box<dyn Fn(f64, &[f64]) -> Vec<f64>> {
    let n = d + 1;
    let mut l = DMatrix::zeros(n * n, n * n);
    for index in 0..n * n {
        let mut basis = DMatrix::zeros(n, n);
        basis[index] = 1.0;
        l.set_column(index, &DVector::from_column_slice(generator(&basis).as_slice()));
    }
    Box::new(move |to_go, x| {
        let y = DVector::from_iterator(n, std::iter::once(1.0).chain(x.iter().copied()));
        let now = &y * y.transpose();
        let then = (&l * to_go).exp() * DVector::from_column_slice(now.as_slice());
        moments.iter().map(|&(i, j)| then[j * n + i]).collect()
    })
}

/// `dX = F(1, X) dt + Σ_k G_k(1, X) dW_k`, from the rows of F and of each G.
fn affine(
    name: &'static str,
    start: &[f64],
    (functions, moments): (&[&'static str], &'static [(usize, usize)]),
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
    Problem { name, sde: Box::new(Given(coefficients)), start: start.to_vec(), functions: functions.to_vec(), u }
}

const SCALAR: (&[&str], &[(usize, usize)]) = (&["x", "x²"], &[(0, 1), (1, 1)]);

/// Geometric Brownian motion (Kloeden and Platen, PC-exercise 15.1.2 and throughout).
fn geometric_brownian_motion() -> Problem {
    affine("geometric Brownian motion", &[0.1], SCALAR, &[0.0, 1.5], &[&[0.0, 0.5]])
}

fn ornstein_uhlenbeck() -> Problem {
    affine("Ornstein–Uhlenbeck", &[2.0], SCALAR, &[0.5, -1.5], &[&[0.8, 0.0]])
}

/// `dX = (X/2 + √(X² + 1)) dt + √(X² + 1) dW`, so that arsinh X = arsinh X_0 + t + W, and
/// `g = p(arsinh x)`, `p(z) = z³ − 6z² + 8z` (Rößler, SIAM J. Numer. Anal. 47, 2009, section 6).
fn nonlinear() -> Problem {
    let coefficients = |x: &[f64]| {
        let root = (x[0] * x[0] + 1.0).sqrt();
        (vec![0.5 * x[0] + root], DMatrix::from_element(1, 1, root))
    };
    let u = |to_go: f64, x: &[f64]| {
        let m = x[0].asinh() + to_go;
        vec![m.powi(3) + 3.0 * m * to_go - 6.0 * (m * m + to_go) + 8.0 * m]
    };
    let sde = Box::new(Given(coefficients));
    Problem { name: "nonlinear", sde, start: vec![0.0], functions: vec!["p(arsinh x)"], u: Box::new(u) }
}

/// Two linear equations with noise that does not commute (Debrabant and Rößler, Appl. Numer. Math. 59, 2009;
/// `E x_0² = e^{−t}`).
fn noncommutative() -> Problem {
    const R2: f64 = std::f64::consts::SQRT_2;
    affine(
        "noncommutative",
        &[1.0, 1.0],
        (&["x[0]", "x[0]²", "x[0]x[1]", "x[1]²"], &[(0, 1), (1, 1), (1, 2), (2, 2)]),
        &[0.0, -273.0 / 512.0, 0.0, 0.0, -1.0 / 160.0, -(785.0 / 512.0 - R2 / 8.0)],
        &[
            &[0.0, 0.25, 0.0, 0.0, (1.0 - 2.0 * R2) / 4.0, 0.0],
            &[0.0, 1.0 / 16.0, 0.0, 0.0, 0.1, 1.0 / 16.0],
        ],
    )
}

/// Noise in the plane whose size and direction depend on where x is: its Lévy area counts at order 2.
fn rotating() -> Problem {
    affine(
        "rotating",
        &[0.5, -0.5],
        (&["x[0]", "x[0]²", "x[0]x[1]", "x[1]²"], &[(0, 1), (1, 1), (1, 2), (2, 2)]),
        &[0.2, -1.0, 0.5, 0.0, -0.5, -0.5],
        &[&[1.0, 0.0, 0.8, 0.2, 0.0, 0.0], &[0.3, 0.0, 0.0, 1.0, 0.9, 0.0]],
    )
}

/// The SDE of DCSGD with Rand-1 of 2, whose root is that of diagonal minus rank one:
/// `Q̇ = −HQ − QH + (η/N)(2 diag G − G + Σ)`, `G = HQH + Σ`, about the minimiser 0 (THEORY sections 2 and 7; ω/(d−1) = 1).
fn rand_k() -> Problem {
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
    let functions = vec!["x[0]", "x[0]²", "x[0]x[1]", "x[1]²"];
    Problem { name: "DCSGD with Rand-1", sde, start: vec![1.0, -1.0], functions, u }
}

/// Three coordinates: three pairs of Brownian motions, whose V must not depend on each other.
fn three_dimensional() -> Problem {
    affine(
        "three-dimensional",
        &[0.5, -0.5, 0.2],
        (&["x[0]", "x[0]²", "x[1]²", "x[0]x[2]"], &[(0, 1), (1, 1), (2, 2), (1, 3)]),
        &[0.0, -1.0, 0.3, 0.0, 0.0, 0.0, -1.0, 0.3, 0.0, 0.3, 0.0, -1.0],
        &[
            &[1.0, 0.0, 0.6, 0.0, 0.2, 0.0, 0.0, 0.4, 0.0, 0.5, 0.0, 0.0],
            &[0.0, 0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 0.0, 0.3, 0.0, 0.4, 0.0],
            &[0.3, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.6, 1.0, 0.3, 0.3, 0.0],
        ],
    )
}

/// Nodes and weights of Gauss–Hermite quadrature for the standard normal law (Golub and Welsch).
fn hermite(nodes: usize) -> Vec<(f64, f64)> {
    let jacobi = DMatrix::from_fn(nodes, nodes, |i, j| {
        if i.abs_diff(j) == 1 { (i.max(j) as f64).sqrt() } else { 0.0 }
    });
    let eigen = jacobi.symmetric_eigen();
    (0..nodes).map(|k| (eigen.eigenvalues[k], eigen.eigenvectors[(0, k)].powi(2))).collect()
}

/// All draws of a step of length 1, with their weights. The signs all take `fixed`, if it is given.
fn all_draws(scheme: SchemeName, d: usize, fixed: Option<f64>) -> Vec<(Draws, f64)> {
    let nodes = hermite(if d < 3 { 10 } else { 6 });
    let empty = scheme.draws(d);
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

/// The bias at time T with so many steps, with its standard error, of each function.
fn bias(problem: &Problem, scheme: SchemeName, steps: usize, fixed: Option<f64>) -> Vec<(f64, f64)> {
    let d = problem.start.len();
    let h = T / steps as f64;
    let mut all = all_draws(scheme, d, fixed);
    all.iter_mut().for_each(|(draws, _)| draws.dw.iter_mut().for_each(|dw| *dw *= h.sqrt()));
    let mut stepper: Box<dyn Scheme> = scheme.build(d);
    let mut draws = scheme.draws(d);
    let count = problem.functions.len();
    let (mut sums, mut squares) = (vec![0.0; count], vec![0.0; count]);
    for path in 0..PATHS {
        let mut stream = Stream::new(17, Role::Sde, path);
        let mut x = problem.start.clone();
        let mut of_path = vec![0.0; count];
        for step in 0..steps {
            let to_go = T - step as f64 * h;
            for (sum, now) in of_path.iter_mut().zip((problem.u)(to_go, &x)) {
                *sum -= now;
            }
            for (draws, weight) in &all {
                let mut next = x.clone();
                stepper.step(&*problem.sde, &mut next, h, draws);
                for (sum, then) in of_path.iter_mut().zip((problem.u)(to_go - h, &next)) {
                    *sum += weight * then;
                }
            }
            draws.renew(h.sqrt(), &mut stream);
            if let Some(fixed) = fixed {
                draws.signs.fill(fixed);
            }
            stepper.step(&*problem.sde, &mut x, h, &draws);
        }
        for ((sum, square), value) in sums.iter_mut().zip(&mut squares).zip(of_path) {
            *sum += value;
            *square += value * value;
        }
    }
    let n = PATHS as f64;
    sums.iter()
        .zip(&squares)
        .map(|(sum, square)| {
            let mean = sum / n;
            (mean, ((square / n - mean * mean).max(0.0) / (n - 1.0)).sqrt())
        })
        .collect()
}

fn show(problem: &Problem, scheme: SchemeName, fixed: Option<f64>) {
    let all: Vec<_> = [4, 8, 16, 32].iter().map(|&s| bias(problem, scheme, s, fixed)).collect();
    for (k, f) in problem.functions.iter().enumerate() {
        print!("{} {f} {scheme:?} {fixed:?}: ", problem.name);
        for i in 0..all.len() {
            let slope = if i > 0 { (all[i - 1][k].0 / all[i][k].0).abs().log2() } else { 0.0 };
            print!("{:.3e}±{:.0e} [{slope:.2}] ", all[i][k].0, all[i][k].1);
        }
        println!();
    }
}

#[test]
fn explore() {
    for problem in [geometric_brownian_motion(), ornstein_uhlenbeck(), nonlinear(), noncommutative(), rotating(), rand_k()] {
        show(&problem, SchemeName::EulerMaruyama, None);
        show(&problem, SchemeName::Platen, None);
        if problem.start.len() > 1 {
            show(&problem, SchemeName::Platen, Some(0.0));
        }
    }
}
