//! The linear shadow: `E z = 0` and `E v = 0` over all paths with their probabilities, whatever they were expanded
//! about, and by draws for both processes and for coarse paths.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::outcomes::outcomes;
use common::{experiment, objective};
use itocheck::agent::Scratch;
use itocheck::ensemble::{
    BLOCK, Controls, Domain, Expansion, Moments, Observables, OptimizerProcess, Pair, Process, StepMoments,
    Taylor, TestFunction, observe_each,
};
use itocheck::model::Model;
use itocheck::optimizer::{DeclaredIncrement, Increment, Optimizer};
use itocheck::random::{Role, Streams};
use itocheck::stats::{Series, student_quantile};

/// A step whose mean and covariance bend as they like.
struct Anything {
    /// Row by row.
    matrix: Vec<f64>,
    square: f64,
    covariance: f64,
}

impl Anything {
    fn moments(&self, x: &[f64], pairs: &[(usize, usize)]) -> StepMoments {
        let row = |(i, row): (usize, &[f64])| {
            let linear: f64 = row.iter().zip(x).map(|(entry, x)| entry * x).sum();
            linear + self.square * x[i] * x[x.len() - 1]
        };
        let mean = self.matrix.chunks_exact(x.len()).enumerate().map(row);
        let covariance = pairs.iter().map(|&(i, j)| self.covariance * (1.0 + x[i] + 0.5 * x[i] * x[j]));
        StepMoments { mean: mean.collect(), covariance: covariance.collect() }
    }
}

/// Expansions that have nothing to do with the optimizer: of steps that stay, move on diagonally or densely, linear or bent.
fn expansions(start: &[f64]) -> Vec<Expansion> {
    let d = start.len();
    let matrix = |entry: &dyn Fn(usize, usize) -> f64| {
        (0..d * d).map(|index| entry(index / d, index % d)).collect::<Vec<f64>>()
    };
    let diagonal = matrix(&|i, j| if i == j { 0.5 - 0.9 * i as f64 } else { 0.0 });
    let dense = matrix(&|i, j| 0.4 - 0.3 * i as f64 + 0.2 * j as f64);
    let any = [
        Anything { matrix: vec![0.0; d * d], square: 0.0, covariance: 0.0 },
        Anything { matrix: diagonal, square: 0.4, covariance: 0.2 },
        Anything { matrix: dense, square: -0.7, covariance: 0.1 },
    ];
    let expand = |anything: &Anything| {
        [false, true].map(|may_be_cubic| {
            Expansion::along(start, STEPS, may_be_cubic, |x, pairs| anything.moments(x, pairs)).unwrap()
        })
    };
    any.iter().flat_map(expand).collect()
}

const STEPS: usize = 3;
const ETA: f64 = 0.3;

/// All that one step may lead to from x, with probabilities, written out from the definition of the optimizer.
type Outcomes<'a> = &'a dyn Fn(&[f64]) -> Vec<(f64, Vec<f64>)>;

/// A path, with the probability of all paths that look like it.
struct Tree {
    states: Vec<Vec<f64>>,
    probability: f64,
}

fn stopped(x: Vec<f64>, radius: f64) -> (Vec<f64>, bool) {
    let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    if norm > radius { (x.iter().map(|x| x * radius / norm).collect(), true) } else { (x, false) }
}

/// All paths of so many steps from `x`, which stop outside the ball.
fn all_paths(x: &[f64], steps: usize, radius: f64, step: Outcomes) -> Vec<Tree> {
    let mut paths = vec![(Tree { states: vec![x.to_vec()], probability: 1.0 }, false)];
    for _ in 0..steps {
        let extend = |(path, exited): (Tree, bool)| {
            let x = path.states.last().unwrap().clone();
            let next = if exited { vec![(1.0, x)] } else { step(&x) };
            let longer = move |(p, y): (f64, Vec<f64>)| {
                let (y, exits) = if exited { (y, true) } else { stopped(y, radius) };
                let states = path.states.iter().cloned().chain([y]).collect();
                (Tree { states, probability: p * path.probability }, exits)
            };
            next.into_iter().map(longer).collect::<Vec<_>>()
        };
        paths = paths.into_iter().flat_map(extend).collect();
    }
    paths.into_iter().map(|(path, _)| path).collect()
}

fn is_close(a: &[Vec<f64>], b: &[Vec<f64>]) -> bool {
    a.iter().flatten().zip(b.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-12)
}

/// `Σ p s / Σ p |s|` for every sum s of a shadow at every time but 0, over all paths: the paths of the process are
/// drawn until each was met, the probabilities are those of the tree.
fn relative_expectations(process: &dyn Process, start: &[f64], radius: f64, step: Outcomes) -> Vec<f64> {
    let d = start.len();
    let observables = Observables {
        projections: None,
        functions: (0..d).map(TestFunction::Coordinate).collect(),
        flow: vec![vec![0.0; d]; STEPS + 1],
        record_times: (0..=STEPS).map(|k| k as f64 * ETA).collect(),
        eta: ETA,
        objective: objective(&format!("quadratic = {{ eigenvalues = {:?} }}", vec![1.0; d])),
    };
    let mut expected: Vec<Tree> = Vec::new();
    for path in all_paths(start, STEPS, radius, step) {
        match expected.iter_mut().find(|known| is_close(&known.states, &path.states)) {
            Some(known) => known.probability += path.probability,
            None => expected.push(path),
        }
    }
    let total: f64 = expected.iter().map(|path| path.probability).sum();
    assert!((total - 1.0).abs() < 1e-14, "{total}");
    let mut shadows: Vec<Option<Vec<f64>>> = vec![None; expected.len()];
    for path in 0..200_000 {
        let means = observe_each(process, &observables, STEPS, path..path + 1).remove(0);
        let states: Vec<Vec<f64>> = (0..=STEPS)
            .map(|time| (0..d).map(|i| means.functions[i * (STEPS + 1) + time]).collect())
            .collect();
        let place = expected.iter().position(|known| is_close(&known.states, &states));
        shadows[place.expect("a path that is none of all")] = Some(means.shadow);
        if shadows.iter().all(Option::is_some) {
            break;
        }
    }
    let shadows: Vec<Vec<f64>> =
        shadows.into_iter().map(|shadow| shadow.expect("a path never met")).collect();
    let sums = shadows[0].len() / (STEPS + 1);
    (sums..shadows[0].len())
        .map(|index| {
            let expectation = |f: &dyn Fn(f64) -> f64| -> f64 {
                expected.iter().zip(&shadows).map(|(path, shadow)| path.probability * f(shadow[index])).sum()
            };
            let size = expectation(&f64::abs);
            if size < 1e-15 { 0.0 } else { expectation(&|s| s) / size }
        })
        .collect()
}

/// An optimizer that declares wrong moments.
struct Wrong<'a> {
    optimizer: &'a dyn Optimizer,
    covariance: f64,
    mean: f64,
}

impl Optimizer for Wrong<'_> {
    fn step(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        self.optimizer.step(x, streams, scratch);
    }

    fn declared(&self) -> Option<&dyn DeclaredIncrement> {
        Some(self)
    }
}

impl DeclaredIncrement for Wrong<'_> {
    fn increment(&self, x: &[f64], out: &mut Increment) {
        self.optimizer.declared().unwrap().increment(x, out);
        out.covariance.scale(self.covariance);
        out.mean.iter_mut().for_each(|mean| *mean *= self.mean);
    }
}

/// Rounding of sums of a few hundred paths.
const ROUNDING: f64 = 1e-12;

fn assert_zero_whatever_the_expansion(optimizer: &dyn Optimizer, start: &[f64], step: Outcomes) {
    for radius in [1e3, 1.05] {
        for expansion in expansions(start) {
            let relative = |optimizer: &dyn Optimizer| {
                let process = OptimizerProcess {
                    optimizer,
                    start,
                    domain: Some(Domain { radius }),
                    eta: ETA,
                    seed: 5,
                    role: Role::Optimizer,
                    expansion: Some(&expansion),
                };
                relative_expectations(&process, start, radius, step)
            };
            for value in relative(optimizer) {
                assert!(value.abs() < ROUNDING, "{value}");
            }
            // What the declaration has wrong is seen: the mean in all, the covariance in v alone.
            for (covariance, mean) in [(1.1, 1.0), (1.0, 1.01)] {
                let wrong = relative(&Wrong { optimizer, covariance, mean });
                assert!(wrong.iter().any(|value| value.abs() > 1e-4), "{covariance} {mean}: {wrong:?}");
            }
        }
    }
}

fn model(optimizer: &str, quadratic: &str, agents: &str, start: &[f64]) -> Model {
    experiment(&format!(
        "title = \"t\"\noptimizer = \"{optimizer}\"\nobjective.quadratic = {quadratic}\n{agents}\n[run]\nlearning_rate = {ETA}\n\
         steps = {STEPS}\nrecords = {STEPS}\nstart = {start:?}\n[[claims]]\n[claims.trajectory]\nmargin = {{ absolute = 1.0 }}\n"
    ))
    .model
}

/// Every sum of one outcome of each agent, over N.
fn averaged(agents: &[Vec<(f64, Vec<f64>)>]) -> Vec<(f64, Vec<f64>)> {
    let n = agents.len() as f64;
    agents.iter().fold(vec![(1.0, vec![0.0; agents[0][0].1.len()])], |sums, agent| {
        let with = |(p, y): (f64, Vec<f64>)| {
            let add = move |(q, z): &(f64, Vec<f64>)| {
                (p * q, y.iter().zip(z).map(|(y, z)| y + z / n).collect::<Vec<f64>>())
            };
            agent.iter().map(add).collect::<Vec<_>>()
        };
        sums.into_iter().flat_map(with).collect()
    })
}

fn descended(x: &[f64], directions: Vec<(f64, Vec<f64>)>) -> Vec<(f64, Vec<f64>)> {
    let descend = |(p, g): (f64, Vec<f64>)| (p, x.iter().zip(g).map(|(x, g)| x - ETA * g).collect());
    directions.into_iter().map(descend).collect()
}

#[test]
fn signs_over_all_paths() {
    // f = Σ λ_j x_j²/2 with Cauchy noise: P[g_j > 0] = 1/2 + atan(λ_j x_j)/π.
    let eigenvalues = [1.0, 2.0];
    for (d, n) in [(1, 1), (2, 1), (1, 2)] {
        let start = [0.8, -0.5];
        let agents = format!("agents = [{{ count = {n}, noise.student_t = {{ scale = 1.0, dof = 1 }} }}]");
        let quadratic = format!("{{ eigenvalues = {:?} }}", &eigenvalues[..d]);
        let model = model("dsignsgd", &quadratic, &agents, &start[..d]);
        let step = |x: &[f64]| {
            let signs = |(j, x): (usize, &f64)| {
                let up = 0.5 + (eigenvalues[j] * x).atan() / std::f64::consts::PI;
                [(up, 1.0), (1.0 - up, -1.0)]
            };
            let of_agent = x.iter().enumerate().map(signs).fold(vec![(1.0, Vec::new())], |all, signs| {
                let extend = |(p, head): (f64, Vec<f64>)| {
                    signs.map(|(q, sign)| (p * q, head.iter().copied().chain([sign]).collect::<Vec<f64>>()))
                };
                all.into_iter().flat_map(extend).collect()
            });
            descended(x, averaged(&vec![of_agent; n]))
        };
        assert_zero_whatever_the_expansion(&*model.optimizer, &start[..d], &step);
    }
}

#[test]
fn compressors_over_all_paths() {
    let start = [0.8, -0.5];
    let h = [[1.0, 0.3], [0.3, 2.0]];
    let offset = [0.4, -0.6];
    for (compressor, n) in
        [("rand_k = { k = 1 }", 1), ("bernoulli = { probability = 0.3 }", 1), ("rand_k = { k = 1 }", 2)]
    {
        let group = |sign: f64| {
            let offset: Vec<f64> = offset.iter().map(|offset| sign * offset).collect();
            format!(
                "[[agents]]\ncount = 1\nnoise.none = {{}}\ncompressor.{compressor}\ngradient_offset = {offset:?}\n"
            )
        };
        let signs: &[f64] = if n == 1 { &[0.0] } else { &[1.0, -1.0] };
        let agents: String = signs.iter().map(|sign| group(*sign)).collect();
        let model = model("dcsgd", &format!("{{ matrix = {h:?} }}"), &agents, &start);
        let step = |x: &[f64]| {
            let of_agent = |sign: &f64| {
                let v = |i: usize| h[i][0] * x[0] + h[i][1] * x[1] + sign * offset[i];
                outcomes(compressor, &[v(0), v(1)])
            };
            descended(x, averaged(&signs.iter().map(of_agent).collect::<Vec<_>>()))
        };
        assert_zero_whatever_the_expansion(&*model.optimizer, &start, &step);
    }
}

#[test]
fn shared_permutations_over_all_paths() {
    let (start, offset) = ([0.8, -0.5], [0.4, -0.6]);
    let agents = "[[agents]]\ncount = 1\nnoise.none = {}\ncompressor.perm_k = { k = 1 }\ngradient_offset = [0.4, -0.6]\n\
        [[agents]]\ncount = 1\nnoise.none = {}\ncompressor.perm_k = { k = 1 }\ngradient_offset = [-0.4, 0.6]\n";
    let model = model("dcsgd", "{ eigenvalues = [1.0, 2.0] }", agents, &start);
    let step = |x: &[f64]| {
        let direction = |sign: f64| (0.5, vec![x[0] + sign * offset[0], 2.0 * x[1] - sign * offset[1]]);
        descended(x, vec![direction(1.0), direction(-1.0)])
    };
    assert_zero_whatever_the_expansion(&*model.optimizer, &start, &step);
}

/// Test functions that are 0, each with one sum of the shadow for its control: the estimates after the controls
/// are the sums of the shadow, of coarse paths too.
fn bare_shadows(model: &Model, optimizer: &dyn Optimizer, blocks: u64) -> [Series; 3] {
    let expansions = model.expansions().unwrap();
    let (d, pairs) = (model.dimension(), expansions.optimizer.pairs().len());
    let observables = model.observables(vec![TestFunction::Exit; d + pairs]);
    let of_index = |index: usize| {
        let quantity = index / observables.times();
        let weight = vec![(quantity, 1.0)];
        if quantity < d {
            Taylor { linear: weight, quadratic: Vec::new() }
        } else {
            Taylor { linear: Vec::new(), quadratic: weight }
        }
    };
    let indices = 0..(d + pairs) * observables.times();
    let taylor: Vec<Taylor> = indices.clone().map(of_index).collect();
    let controls = Controls::new(taylor, indices.map(|_| [-1.0, -1.0]).collect(), observables.times());
    let mut process = model.optimizer_process(1, Role::Optimizer);
    process.optimizer = optimizer;
    // Exits are 0, for the ball is large; what is frozen in a small one is tested above.
    let mut sde = model.sde_process(1, Role::Sde, 1);
    (process.expansion, sde.expansions) = expansions.of_both();
    let mut moments = Moments::default();
    let controls = [controls.clone(), controls];
    let steps = model.run.steps;
    let pair =
        Pair { optimizer: &process, sde: &sde, observables: &observables, steps, controls: Some(&controls) };
    moments.extend(&pair, 0..blocks, &|| ());
    let estimates = moments.shadowed.unwrap().estimates;
    [estimates.optimizer, estimates.sde, estimates.refinement]
}

/// The probability that any mean of a right shadow is said not to be 0, in one test.
const FALSE_ALARM: f64 = 1e-6;

/// The means that are not 0 at that level over `cells` means, and those looked at.
fn not_zero(series: &Series, cells: usize) -> usize {
    let quantile = student_quantile(series.degrees_of_freedom(), FALSE_ALARM / (2 * cells) as f64);
    let mut moving = 0;
    let mut found = 0;
    for index in 0..series.len() {
        let error = series.standard_error(index);
        moving += usize::from(error > 0.0);
        // At t = 0 all is 0.
        found += usize::from(series.mean(index).abs() > quantile * error);
    }
    assert!(moving > series.len() / 2);
    found
}

fn sampled_models() -> Vec<Model> {
    let text = |optimizer: &str, objective: &str, agents: &str, start: &str| {
        format!(
            "title = \"t\"\noptimizer = \"{optimizer}\"\nobjective.{objective}\nagents = [{{ count = 2, {agents} }}]\n[run]\nlearning_rate = 0.02\n\
             steps = 20\nrecords = 4\nstart = {start}\ndomain = {{ radius = 100.0 }}\n[sde]\nsubsteps = 1\n"
        )
    };
    let gaussian = "noise.gaussian = { covariance = [[1.0, 0.5], [0.5, 0.8]] }";
    [
        text(
            "dsignsgd",
            "rosenbrock = { steepness = 10 }",
            "noise.student_t = { scale = 1.0, dof = 1 }",
            "[-0.5, 0.5]",
        ),
        text(
            "dcsgd",
            "saddle = { eigenvalues = [1.0, -1.0] }",
            &format!("{gaussian}, compressor.rand_k = {{ k = 1 }}"),
            "[0.5, 0.2]",
        ),
        text("dsgd", "quadratic = { matrix = [[1.0, 0.4], [0.4, 2.0]] }", gaussian, "[0.5, 0.2]"),
        text(
            "dcsgd",
            "quadratic = { matrix = [[1.0, 0.4], [0.4, 2.0]] }",
            "noise.gaussian = { scale = 1.0 }, compressor.perm_k = { k = 1 }",
            "[0.5, 0.2]",
        ),
    ]
    .iter()
    .map(|text| experiment(text).model)
    .collect()
}

#[test]
fn shadows_of_optimizer_sde_and_coarse_paths_have_mean_zero() {
    for model in sampled_models() {
        let series = bare_shadows(&model, &*model.optimizer, 512);
        let cells = 4 * series.iter().map(Series::len).sum::<usize>();
        for (series, name) in series.iter().zip(["optimizer", "sde", "coarse"]) {
            assert_eq!(not_zero(series, cells), 0, "{name}");
        }
    }
}

#[test]
fn shadows_of_wrong_declarations_do_not() {
    for model in sampled_models() {
        for (covariance, mean) in [(1.1, 1.0), (0.5, 1.0), (1.0, 1.1)] {
            let wrong = Wrong { optimizer: &*model.optimizer, covariance, mean };
            let [optimizer, ..] = bare_shadows(&model, &wrong, 512);
            assert!(not_zero(&optimizer, 4 * 3 * optimizer.len()) > 0, "{covariance} {mean}");
        }
    }
}

#[test]
fn paths_with_shadows_are_the_paths_without() {
    for model in sampled_models() {
        let expansions = model.expansions().unwrap();
        let observables = model.observables(model.all_functions().collect());
        let mut with = model.optimizer_process(3, Role::Optimizer);
        let mut sde_with = model.sde_process(3, Role::Sde, 0);
        (with.expansion, sde_with.expansions) = expansions.of_both();
        let (without, sde_without) =
            (model.optimizer_process(3, Role::Optimizer), model.sde_process(3, Role::Sde, 0));
        let steps = model.run.steps;
        let functions = |process: &dyn Process| -> Vec<Vec<f64>> {
            let each = observe_each(process, &observables, steps, 0..BLOCK as u64);
            each.into_iter().map(|means| means.functions).collect()
        };
        assert_eq!(functions(&with), functions(&without));
        assert_eq!(functions(&sde_with), functions(&sde_without));
    }
}
