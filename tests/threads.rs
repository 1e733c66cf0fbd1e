//! The moments have the same bits whatever the number of threads.

mod common;

use common::experiment;
use itocheck::claim::{Judgement, Progress, judge};

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

fn judged_with(threads: usize, shadow: &str) -> Judgement {
    let experiment = experiment(&format!(
        "title = \"t\"\noptimizer = \"dcsgd\"\nobjective.quadratic = {{ eigenvalues = [0.5, 2.0] }}\n[[agents]]\ncount = 2\n\
         noise.gaussian = {{ scale = 1.0 }}\ncompressor.rand_k = {{ k = 1 }}\n[run]\nlearning_rate = 0.05\nsteps = 20\nrecords = 4\n\
         start = 1.0\n[monte_carlo]\nseeds = 2000\nmax_seeds = 20000\nerror_rate = 1e-12\nshadow = \"{shadow}\"\n[[claims]]\n[claims.trajectory]\nmargin = {{ effect = 0.001 }}\n",
    ));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| judge(&experiment, &Silent))
}

#[test]
fn one_two_three_and_eight_threads_agree_to_the_bit() {
    for shadow in ["auto", "off"] {
        let text = |threads: usize| {
            let Judgement { findings, moments, .. } = judged_with(threads, shadow);
            let moments = moments.unwrap();
            assert_eq!(moments.shadow.is_some(), shadow == "auto");
            // serde_json prints doubles so that they are read back to the same bits.
            (serde_json::to_string(&moments).unwrap(), serde_json::to_string(&findings).unwrap())
        };
        let one = text(1);
        for threads in [2, 3, 8] {
            assert_eq!(one, text(threads), "{threads} threads, shadow {shadow}");
        }
    }
}

#[test]
fn seeds_are_whole_blocks_and_looks_double() {
    let Judgement { findings, .. } = judged_with(2, "off");
    let trajectory = &findings[1];
    // 2000 paths are 32 blocks of 64; doubled to 64, 128 and 256 blocks; the last look are 20000 paths, 313 blocks.
    assert_eq!((trajectory.seeds, trajectory.looks), (313 * 64, 5));
}
