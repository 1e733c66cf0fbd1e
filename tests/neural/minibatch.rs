//! The diffusion of minibatch noise on a network against its definition, sums over all samples written out, and that it is held in
//! O(samples · d) numbers.

use crate::common::experiment;
use itocheck::covariance::Root;
use itocheck::sde::Coefficients;
use nalgebra::{DMatrix, DVector};

const SAMPLES: usize = 5;
const ETA: f64 = 0.02;
const AGENTS: f64 = 2.0;
const BATCH: f64 = 3.0;

struct Case {
    /// Σ, of one gradient of a batch.
    sigma: DMatrix<f64>,
    gradient: DVector<f64>,
    /// Gradients of the samples.
    terms: Vec<DVector<f64>>,
    diffusion: DMatrix<f64>,
    is_dense: bool,
    /// A Aᵀ of the root A.
    squared: DMatrix<f64>,
}

fn case(optimizer: &str, batch_size: usize, compressor: &str) -> Case {
    let experiment = experiment(&format!(
        "title = \"t\"\noptimizer{optimizer}\nobjective.mlp = {{ samples = {SAMPLES}, widths = [2] }}\n[[agents]]\ncount = 2\n\
         batch_size = {batch_size}\nnoise.minibatch = {{}}\n{compressor}\n[run]\nlearning_rate = {ETA}\nsteps = 4\nrecords = 1\n\
         domain = {{ radius = 100.0 }}\n[[claims]]\n[claims.coefficients]\nmargin = 0.1\n"
    ));
    let model = &experiment.model;
    let (x, d) = (&model.run.start, model.run.start.len());
    let of_agents = model.agents.dimension();
    let sum = model.agents.objective().finite_sum().unwrap();
    let term = |s: usize| {
        let mut gradient = vec![0.0; of_agents];
        sum.add_term_gradient(s, 1.0, &x[..of_agents], &mut gradient);
        DVector::from_vec(gradient)
    };
    let terms: Vec<DVector<f64>> = (0..SAMPLES).map(term).collect();
    let mut out = Coefficients::new(d);
    model.sde.coefficients(x, &mut out);
    let mut root = Root::default();
    let mut columns = DMatrix::zeros(d, d);
    for k in 0..d {
        let unit: Vec<f64> = (0..d).map(|j| f64::from(u8::from(j == k))).collect();
        root.multiply(&out.diffusion, &unit, columns.column_mut(k).as_mut_slice());
    }
    Case {
        sigma: covariance(&terms) / batch_size as f64,
        gradient: mean(&terms),
        terms,
        diffusion: DMatrix::from_fn(d, d, |i, j| out.diffusion.entry(i, j)),
        is_dense: out.diffusion.is_dense(),
        squared: &columns * columns.transpose(),
    }
}

fn mean(vectors: &[DVector<f64>]) -> DVector<f64> {
    vectors.iter().sum::<DVector<f64>>() / vectors.len() as f64
}

/// `E[g gᵀ] − E[g] E[g]ᵀ` of equally likely vectors.
fn covariance(vectors: &[DVector<f64>]) -> DMatrix<f64> {
    let of_squares: DMatrix<f64> = vectors.iter().map(|g| g * g.transpose()).sum();
    let mean = mean(vectors);
    of_squares / vectors.len() as f64 - &mean * mean.transpose()
}

/// Up to rounding, relative to the trace: that of differences of squares, of a few hundred operations.
fn is_near(got: &DMatrix<f64>, expected: &DMatrix<f64>) -> bool {
    (got - expected).amax() <= 1e-13 * expected.trace()
}

fn assert_diffusion(case: &Case, expected: DMatrix<f64>) {
    assert!(!case.is_dense);
    assert!(is_near(&case.diffusion, &expected));
    assert!(is_near(&case.squared, &expected));
    // What a wrong form would give is seen.
    assert!(!is_near(&DMatrix::from_diagonal(&expected.diagonal()), &expected));
    assert!(!is_near(&case.diffusion, &(1.001 * &expected)));
}

fn diagonal(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    DMatrix::from_diagonal(&matrix.diagonal())
}

#[test]
fn of_dsgd() {
    let case = case(" = \"dsgd\"", 3, "");
    assert!(case.gradient.len() > 100);
    let expected = ETA / AGENTS * covariance(&case.terms) / BATCH;
    assert_diffusion(&case, expected);
}

#[test]
fn of_dcsgd_with_bernoulli() {
    let case = case(" = \"dcsgd\"", 3, "compressor.bernoulli = { probability = 0.25 }");
    // ω = 3: E[ΦΦᵀ] = 3 diag(Σ + ∇f ∇fᵀ).
    let second = &case.sigma + &case.gradient * case.gradient.transpose();
    assert_diffusion(&case, ETA / AGENTS * (3.0 * diagonal(&second) + &case.sigma));
}

/// With the mean gradient's own part of rank one subtracted.
#[test]
fn of_dcsgd_with_rand_k() {
    for k in [1, 4, 20] {
        let case = case(" = \"dcsgd\"", 3, &format!("compressor.rand_k = {{ k = {k} }}"));
        let d = case.gradient.len() as f64;
        let omega = d / k as f64 - 1.0;
        let second = &case.sigma + &case.gradient * case.gradient.transpose();
        let of_errors = omega / (d - 1.0) * (d * diagonal(&second) - &second);
        assert_diffusion(&case, ETA / AGENTS * (of_errors + &case.sigma));
    }
}

#[test]
fn of_dsignsgd() {
    let case = case(" = \"dsignsgd\"", 1, "");
    let sign = |x: f64| if x == 0.0 { 0.0 } else { x.signum() };
    let signs: Vec<DVector<f64>> = case.terms.iter().map(|g| g.map(sign)).collect();
    assert_diffusion(&case, ETA / AGENTS * covariance(&signs));
}

/// The noise is that of M, behind X.
#[test]
fn of_momentum() {
    let case = case(".momentum = { friction = 2.0 }", 3, "");
    let d = case.gradient.len();
    let mut expected = DMatrix::zeros(2 * d, 2 * d);
    expected.view_mut((d, d), (d, d)).copy_from(&(ETA / AGENTS * &case.sigma));
    assert_diffusion(&case, expected);
}
