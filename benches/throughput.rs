//! Rates of the inner loops: random numbers, and path-steps of optimizers and SDEs.
//!
//! Compare per core, pinned (`taskset -c 0 cargo bench`), within one run: machines and hours differ.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use itocheck::ensemble::Process;
use itocheck::random::{Role, Stream};
use itocheck::scenario::{Overrides, check};
use std::hint::black_box;
use std::path::Path;

const PATHS: usize = 64;

fn random(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("random");
    group.throughput(Throughput::Elements(1));
    let mut stream = Stream::new(1, Role::Optimizer, 0);
    group.bench_function("uniform", |bencher| bencher.iter(|| stream.uniform()));
    group.bench_function("normal", |bencher| bencher.iter(|| stream.normal()));
    group.bench_function("student_t3", |bencher| bencher.iter(|| stream.student_t(3.0)));
    group.finish();
}

/// One step of a block of paths, d = 16, N = 4.
fn path_steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("path_step");
    group.throughput(Throughput::Elements(PATHS as u64));
    for (name, optimizer, agents) in [
        ("dsignsgd_t3", "dsignsgd", "noise.student_t = { scale = 1.0, dof = 3 }"),
        ("dcsgd_rand_4", "dcsgd", "noise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 4 }"),
    ] {
        let text = format!(
            "title = \"bench\"\noptimizer = \"{optimizer}\"\nobjective.quadratic = {{ eigenvalues = {{ from = 0.5, to = 2.0, count = 16 }} }}\n\
             [[agents]]\ncount = 4\n{agents}\n[run]\nlearning_rate = 0.01\nsteps = 500\nrecords = 50\nstart = 1.0\n[sde]\nsubsteps = 2\n"
        );
        let loaded = check(Path::new("bench.toml"), text, Overrides::default());
        let model = loaded.unwrap_or_else(|error| panic!("{error}")).experiment.model;
        let by_optimizer = model.optimizer_process(1, Role::Optimizer);
        let by_sde = model.sde_process(1, Role::Sde, 0);
        let mut bench = |side: &str, process: &dyn Process| {
            let mut block = process.start(0, PATHS);
            group.bench_function(format!("{name}/{side}"), |bencher| {
                bencher.iter(|| block.advance());
                black_box(block.paths());
            });
        };
        bench("optimizer", &by_optimizer);
        bench("sde_4_substeps", &by_sde);
    }
    group.finish();
}

criterion_group!(benches, random, path_steps);
criterion_main!(benches);
