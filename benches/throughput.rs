//! Rates of the inner loops: random numbers, the law of signs, and path-steps of optimizers and SDEs, over what they should
//! not depend on.
//!
//! Compare per core, pinned (`taskset -c 0 cargo bench --bench throughput`), within one run: machines and hours differ.

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use itocheck::agent::{Agents, Group};
use itocheck::compressor::CompressorParameters;
use itocheck::ensemble::{OptimizerProcess, Process, SdeProcess};
use itocheck::integrator::SchemeName;
use itocheck::model::Model;
use itocheck::noise::NoiseParameters;
use itocheck::objective::ObjectiveParameters;
use itocheck::optimizer::OptimizerName;
use itocheck::random::{Role, Streams};
use itocheck::scenario::{Overrides, check};
use itocheck::sde::{Form, derive};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

const PATHS: usize = 64;
const D: usize = 16;

const T3: (&str, &str) = ("dsignsgd", "noise.student_t = { scale = 1.0, dof = 3 }");
const RAND_K: (&str, &str) = ("dcsgd", "noise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 4 }");

/// Random numbers, each.
fn random(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("random");
    group.throughput(Throughput::Elements((PATHS * D) as u64));
    let mut streams = Streams::new(1, Role::Optimizer, 0..PATHS as u64);
    let mut out = vec![0.0; PATHS * D];
    let mut bench = |name: &str, draw: fn(&mut Streams, &mut [f64])| {
        group.bench_function(name, |bencher| bencher.iter(|| draw(&mut streams, black_box(&mut out))));
    };
    bench("uniforms", |streams, out| streams.uniforms(out));
    bench("normals", |streams, out| streams.normals(out));
    bench("student_t3", |streams, out| streams.student_ts(3.0, out));
    bench("student_t4.5", |streams, out| streams.student_ts(4.5, out));
    bench("signs", |streams, out| streams.signs(out));
    group.finish();
}

fn model((optimizer, agents): (&str, &str), count: usize, sampling: &str) -> Model {
    let text = format!(
        "title = \"bench\"\noptimizer = \"{optimizer}\"\nobjective.quadratic = {{ eigenvalues = {{ from = 0.5, to = 2.0, count = {D} }} }}\n\
         [[agents]]\ncount = {count}\n{agents}\n[run]\nlearning_rate = 0.01\nsteps = 500\nrecords = 50\nstart = 1.0\n\
         sampling = \"{sampling}\"\n[sde]\nsubsteps = 2\n"
    );
    check(Path::new("bench.toml"), text, Overrides::default())
        .unwrap_or_else(|error| panic!("{error}"))
        .experiment
        .model
}

/// Steps of so many paths, timed for each of `units`.
fn steps(
    group: &mut BenchmarkGroup<WallTime>,
    name: String,
    process: &dyn Process,
    paths: usize,
    units: usize,
) {
    group.throughput(Throughput::Elements((paths * units) as u64));
    let mut block = process.start(0, paths);
    group.bench_function(name, |bencher| {
        bencher.iter(|| block.advance());
        black_box(block.paths());
    });
}

/// One step of the optimizer, and four of its SDE, for each path; N = 4.
fn kinds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("path_step");
    for (name, agents) in [
        ("dsignsgd_t3", T3),
        ("dsignsgd_gaussian", ("dsignsgd", "noise.gaussian = { scale = 1.0 }")),
        ("dsgd_gaussian", ("dsgd", "noise.gaussian = { scale = 1.0 }")),
        ("dcsgd_rand_4", RAND_K),
        (
            "dcsgd_bernoulli",
            ("dcsgd", "noise.gaussian = { scale = 1.0 }\ncompressor.bernoulli = { probability = 0.25 }"),
        ),
    ] {
        let faithful = model(agents, 4, "faithful");
        let in_law = model(agents, 4, "exact_in_law");
        steps(
            &mut group,
            format!("{name}/optimizer"),
            &faithful.optimizer_process(1, Role::Optimizer),
            PATHS,
            1,
        );
        steps(
            &mut group,
            format!("{name}/exact_in_law"),
            &in_law.optimizer_process(1, Role::Optimizer),
            PATHS,
            1,
        );
        steps(&mut group, format!("{name}/sde"), &faithful.sde_process(1, Role::Sde, 0), PATHS, 1);
    }
    group.finish();
}

/// What should be constant: time a coordinate over d, and an agent over N.
fn scaling(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scaling");
    group.sample_size(10);
    for d in [16, 256, 4096, 100_000] {
        // Below the scenario, whose moments are too many to observe in such a dimension.
        let quadratic = format!("quadratic = {{ eigenvalues = {{ from = 0.5, to = 2.0, count = {d} }} }}");
        let objective = toml::from_str::<ObjectiveParameters>(&quadratic).unwrap().build().unwrap();
        let noise = toml::from_str::<NoiseParameters>("gaussian = { scale = 1.0 }").unwrap();
        let compressor = toml::from_str::<CompressorParameters>("rand_k = { k = 4 }").unwrap();
        let agents = Group {
            count: 4,
            noise: noise.build(&objective, 1).unwrap().into(),
            one_sample: None,
            compressor: compressor.build(d).unwrap().into(),
            gradient_offset: None,
        };
        let agents = Arc::new(Agents::new(objective, vec![agents]));
        let optimizer = OptimizerName::Dcsgd.build(Arc::clone(&agents), 0.01);
        let sde = derive(OptimizerName::Dcsgd, Form::General, &agents, 0.01).unwrap();
        let (start, paths) = (&*vec![1.0; d], if d > 256 { 8 } else { PATHS });
        let optimizer = OptimizerProcess {
            optimizer: &*optimizer,
            start,
            domain: None,
            eta: 0.01,
            seed: 1,
            role: Role::Optimizer,
            expansion: None,
        };
        let sde = SdeProcess {
            sde: &*sde,
            start,
            domain: None,
            seed: 1,
            role: Role::Sde,
            eta: 0.01,
            scheme: SchemeName::EulerMaruyama,
            substeps: 2,
            coarse_every: 0,
            expansions: None,
        };
        steps(&mut group, format!("coordinate/dcsgd/{d}"), &optimizer, paths, d);
        steps(&mut group, format!("coordinate/dcsgd_sde/{d}"), &sde, paths, d);
    }
    for count in [1, 4, 16, 64] {
        let model = model(T3, count, "faithful");
        let optimizer = model.optimizer_process(1, Role::Optimizer);
        steps(&mut group, format!("agent/dsignsgd/{count}"), &optimizer, PATHS, count);
    }
    group.finish();
}

criterion_group!(benches, random, kinds, scaling);
criterion_main!(benches);
