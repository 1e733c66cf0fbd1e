//! Memory does not grow with the number of seeds. Alone in its file: it reads the peak of the process.

mod common;

use common::experiment;
use itocheck::ensemble::{BLOCK, Controls, Moments, Observables, Pair, Taylor};
use itocheck::random::Role;

/// Peak resident memory of this process in KiB; none where the system does not tell.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}

#[test]
fn memory_is_constant_in_the_number_of_seeds() {
    let experiment = experiment(
        "title = \"t\"\noptimizer = \"dsgd\"\nobjective.quadratic = { eigenvalues = { from = 1, to = 2, count = 8 } }\n[[agents]]\ncount = 1\n\
         noise.gaussian = { scale = 1.0 }\n[run]\nlearning_rate = 0.1\nsteps = 10\nrecords = 10\nstart = 1.0\n[sde]\nsubsteps = 1\n",
    );
    let model = &experiment.model;
    let observables = model.observables(Observables::default_functions(8));
    let linearization = model.linearization().unwrap();
    let (mut optimizer, mut sde) =
        (model.optimizer_process(1, Role::Optimizer), model.sde_process(1, Role::Sde, 4));
    (optimizer.linearization, sde.linearization) = (Some(&linearization), Some(&linearization));
    let taylor = Taylor::of_all(&observables, &observables.flow, linearization.pairs());
    let controls = Controls::new(taylor.clone(), vec![[1.0, 1.0]; taylor.len()], observables.times());
    let controls = [controls.clone(), controls];
    let mut moments = Moments::default();
    let mut run = |paths: std::ops::Range<u64>| {
        let blocks = paths.start / BLOCK as u64..paths.end / BLOCK as u64;
        let pair = Pair {
            optimizer: &optimizer,
            sde: &sde,
            observables: &observables,
            steps: 10,
            controls: Some(&controls),
        };
        moments.extend(&pair, blocks, &|| {});
        peak()
    };
    let (Some(few), Some(many)) = (run(0..1 << 15), run(1 << 15..1 << 18)) else { return };
    // Seven times as many paths would need 57 MiB for their states alone; 4 MiB is what allocators vary by.
    assert!(many - few < 4096, "{few} KiB, then {many} KiB");
}
