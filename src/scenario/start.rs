//! Where a run starts.

use super::parse::RunParameters;
use crate::objective::Objective;
use crate::parameter::Invalid;

/// The start that `[run]` gives, or else the initial point of f.
pub(super) fn of_run(run: &RunParameters, objective: &dyn Objective) -> Result<Vec<f64>, Invalid> {
    match &run.start {
        Some(start) => start.expand("start", objective.dimension(), f64::is_finite, "a finite number"),
        // The place is that of the table, as for any key that it lacks.
        None => objective.initial().ok_or_else(|| Invalid::new("", "no `start`; expected the key here")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// f of one coordinate, with an initial point of its own.
    struct Initialised;

    impl Objective for Initialised {
        fn dimension(&self) -> usize {
            1
        }
        fn values(&self, _x: &[f64], _out: &mut [f64]) {}
        fn gradient(&self, _x: &[f64], _out: &mut [f64]) {}
        fn hessian_vector_product(&self, _x: &[f64], _v: &[f64], _out: &mut [f64]) {}
        fn smoothness(&self) -> Option<f64> {
            None
        }
        fn growth(&self) -> u32 {
            2
        }
        fn initial(&self) -> Option<Vec<f64>> {
            Some(vec![0.25])
        }
    }

    #[test]
    fn a_start_that_is_given_wins_over_the_initial_point() {
        let run = |start: &str| -> RunParameters {
            toml::from_str(&format!("learning_rate = 0.1\nsteps = 1\nrecords = 1\n{start}")).unwrap()
        };
        assert_eq!(of_run(&run(""), &Initialised).unwrap(), [0.25]);
        assert_eq!(of_run(&run("start = 3.0"), &Initialised).unwrap(), [3.0]);
        let without = crate::objective::Unknown { dimension: 1 };
        assert_eq!(
            of_run(&run(""), &without).unwrap_err().to_string(),
            ": no `start`; expected the key here"
        );
    }
}
