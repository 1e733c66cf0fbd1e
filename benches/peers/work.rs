//! The work, by this crate.

use itocheck::ensemble::{BLOCK, Observables, Process, TestFunction, average, observed_pairs};
use itocheck::model::Model;
use itocheck::random::{Role, Streams};
use itocheck::scenario::{Overrides, check};
use itocheck::special::twice_xi;
use std::hint::black_box;
use std::path::Path;

pub const D: usize = 16;
pub const N: usize = 4;
pub const K: usize = 4;
pub const ETA: f64 = 0.01;
pub const STEPS: usize = 500;
pub const RECORDS: usize = 50;
pub const SUBSTEPS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    W1,
    W2,
    W3,
    W4,
}

impl Work {
    pub const ALL: [Self; 4] = [Self::W1, Self::W2, Self::W3, Self::W4];

    fn model(self) -> Model {
        let (optimizer, agents) = match self {
            Self::W1 | Self::W2 => ("dsignsgd", "noise.student_t = { scale = 1.0, dof = 3 }"),
            Self::W3 | Self::W4 => {
                ("dcsgd", "noise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 4 }")
            }
        };
        let text = format!(
            "title = \"bench\"\noptimizer = \"{optimizer}\"\n\
             objective.quadratic = {{ eigenvalues = {{ from = 0.5, to = 2.0, count = {D} }} }}\n\
             [[agents]]\ncount = {N}\n{agents}\n\
             [run]\nlearning_rate = {ETA}\nsteps = {STEPS}\nrecords = {RECORDS}\nstart = 1.0\n\
             [sde]\nsubsteps = {}\n",
            SUBSTEPS / 2
        );
        let loaded = check(Path::new("bench.toml"), text, Overrides::default());
        loaded.unwrap_or_else(|error| panic!("{error}")).experiment.model
    }

    /// The loss at the end. One thread runs it where the process has one core.
    pub fn by_itocheck(self, paths: usize) -> f64 {
        let model = self.model();
        let coordinates = (0..D).map(TestFunction::Coordinate);
        let products = observed_pairs(D).into_iter().map(|(i, j)| TestFunction::Product(i, j));
        let observables: Observables =
            model.observables(coordinates.chain(products).chain([TestFunction::Loss]).collect());
        let blocks = 0..paths.div_ceil(BLOCK) as u64;
        let run = |process: &dyn Process| average(process, &observables, STEPS, blocks);
        let series = match self {
            Self::W1 | Self::W3 => run(&model.optimizer_process(1, Role::Optimizer)),
            Self::W2 | Self::W4 => run(&model.sde_process(1, Role::Sde, 0)),
        };
        series.mean(series.len() - 1)
    }

    /// As many numbers of the laws that the work draws from, by the samplers of this crate, and for W2 as often the law of a
    /// sign. What a compressor draws is left out.
    pub fn random_numbers(self, paths: usize) -> f64 {
        let mut out = vec![0.0; D * BLOCK];
        let (v, mut law) = (vec![0.3; D * BLOCK], vec![0.0; D * BLOCK]);
        for block in 0..paths.div_ceil(BLOCK) as u64 {
            let mut streams =
                Streams::new(1, Role::Optimizer, block * BLOCK as u64..(block + 1) * BLOCK as u64);
            match self {
                Self::W1 => (0..N * STEPS).for_each(|_| streams.student_ts(3.0, black_box(&mut out))),
                Self::W3 => (0..N * STEPS).for_each(|_| streams.normals(black_box(&mut out))),
                Self::W2 => (0..SUBSTEPS * STEPS).for_each(|_| {
                    streams.normals(black_box(&mut out));
                    twice_xi(black_box(&v), &[1.0; D], 3.0, black_box(&mut law));
                }),
                Self::W4 => (0..SUBSTEPS * STEPS).for_each(|_| streams.normals(black_box(&mut out))),
            }
        }
        out[0]
    }
}
