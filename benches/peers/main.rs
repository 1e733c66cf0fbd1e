//! Four pieces of work that others do too: this crate, a plain Rust loop, and the random numbers alone, in turns.
//!
//! 10,000 paths of d = 16 coordinates, H diagonal from 0.5 to 2, N = 4 agents, η = 0.01, 500 steps from 1; mean, full
//! covariance and loss at 51 times. W1: DSignSGD under t₃ noise. W2: its SDE. W3: DCSGD with Rand-4 under N(0, 1) noise. W4: its
//! SDE. SDEs by Euler–Maruyama with 4 substeps. `../shared/baselines/peers.py` of the project is the same in Python.
//!
//! `taskset -c 0 cargo bench --bench peers`, on one core, of all four or of those named after `--` (`-- W2 W4`); seconds are
//! those of the hour, and only ratios within a run mean anything.

mod plain;
mod work;

use std::time::Instant;
use work::Work;

const ROUNDS: usize = 5;

fn main() {
    let paths: usize = std::env::args()
        .skip_while(|word| word != "--paths")
        .nth(1)
        .map_or(10_000, |paths| paths.parse().expect("--paths takes a number"));
    println!("{paths} paths; least of {ROUNDS} rounds, in seconds");
    println!(
        "| | itocheck | plain Rust loop | ratio | random numbers alone | share of the limit | final loss | of the plain loop |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let names: Vec<String> = std::env::args().filter(|word| word.starts_with('W')).collect();
    let named = |work: &Work| names.is_empty() || names.contains(&format!("{work:?}"));
    for work in Work::ALL.into_iter().filter(named) {
        let mut least = [f64::INFINITY; 3];
        let mut losses = [0.0; 2];
        for _ in 0..ROUNDS {
            losses[0] = timed(&mut least[0], || work.by_itocheck(paths));
            losses[1] = timed(&mut least[1], || plain::run(work, paths));
            timed(&mut least[2], || work.random_numbers(paths));
        }
        let [own, plain, limit] = least;
        println!(
            "| {work:?} | {own:.3} | {plain:.3} | {:.2} | {limit:.3} | {:.0} % | {:.5} | {:.5} |",
            plain / own,
            100.0 * limit / own,
            losses[0],
            losses[1]
        );
    }
    if let Some(peak) = peak() {
        println!("\npeak memory of all of it: {peak:.0} MB");
    }
}

/// Peak resident memory of this process in MB; none where the system does not tell.
fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes: f64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok())?;
    Some(kilobytes / 1000.0)
}

fn timed(least: &mut f64, run: impl FnOnce() -> f64) -> f64 {
    let start = Instant::now();
    let loss = run();
    *least = least.min(start.elapsed().as_secs_f64());
    loss
}
