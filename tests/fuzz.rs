//! Files that nobody would write: reading and checking them never panics, and every refusal says what
//! would be right.

mod common;

use itocheck::scenario::{Overrides, check};
use proptest::prelude::*;
use std::path::Path;

/// Pieces of scenarios, right and wrong, from which files are put together.
const PIECES: [&str; 64] = [
    "title = \"t\"\n",
    "optimizer = \"dcsgd\"\n",
    "optimizer = \"dsignsgd\"\n",
    "objective.quadratic = { eigenvalues = [0.5, 2.0] }\n",
    "[objective.rosenbrock]\n",
    "[objective.saddle]\neigenvalues = [1.0, -1.0]\n",
    "[objective.logistic]\ndata = \"iris\"\nregularisation = 0.1\n",
    "matrix = [[1.0, 0.5], [0.5, 1.0]]\n",
    "minimiser = 1.0\n",
    "[[agents]]\n",
    "count = 2\n",
    "batch_size = 3\n",
    "noise.gaussian = { scale = 1.0 }\n",
    "noise.gaussian = { covariance = [[2.0, 1.0], [1.0, 2.0]] }\n",
    "noise.student_t = { scale = [1.0, 2.0], dof = 3 }\n",
    "noise.none = {}\n",
    "noise.minibatch = {}\n",
    "compressor.rand_k = { k = 1 }\n",
    "compressor.bernoulli = { probability = 0.5 }\n",
    "compressor.identity = {}\n",
    "gradient_offset = [1.0, -1.0]\n",
    "[run]\n",
    "learning_rate = 0.01\n",
    "steps = 20\n",
    "records = 4\n",
    "start = 0.3\n",
    "start = [0.3, -0.3]\n",
    "domain = { radius = 3.0 }\n",
    "[sde]\n",
    "form = \"closed\"\n",
    "substeps = 1\n",
    "scheme = \"euler_maruyama\"\n",
    "mutant = \"agents_lost\"\n",
    "[monte_carlo]\n",
    "seed = 7\n",
    "seeds = 512\n",
    "max_seeds = 1024\n",
    "error_rate = 1e-6\n",
    "[[claims]]\n",
    "[claims.trajectory]\n",
    "margin = { effect = 0.3 }\n",
    "margin = { absolute = 0.3 }\n",
    "[claims.coefficients]\n",
    "margin = 0.1\n",
    "expect = \"refuted\"\n",
    "functions = [{ tanh = { coordinate = 0, scale = 1.0 } }]\n",
    "[[functions]]\ncos = { coordinate = 1, scale = 2.0 }\n",
    "[",
    "]",
    "{",
    "}",
    "= ",
    "\"",
    "'''",
    "nan",
    "-1",
    "1e308",
    "99999999999999999999",
    "1979-05-27T07:32:00Z",
    "\\u{d800}",
    "\u{feff}",
    "\0",
    "é∇",
    "# comment\n",
];

/// The good scenario in whose text single pieces are replaced.
const GOOD: &str = include_str!("../scenarios/dcsgd-quadratic-rand-k-n4.toml");

fn is_handled(text: String) -> Result<(), TestCaseError> {
    if let Err(error) = check(Path::new("fuzz.toml"), text.clone(), Overrides::default()) {
        let message = error.to_string();
        prop_assert!(message.starts_with("fuzz.toml"), "{}", message);
        prop_assert!(message.contains("expected"), "{:?} of {:?}", message, text);
        prop_assert!(!message.contains(|c: char| c.is_control() && c != '\n'), "{:?}", message);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        is_handled(String::from_utf8_lossy(&bytes).into_owned())?;
    }

    #[test]
    fn pieces_in_any_order(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..30)) {
        is_handled(pieces.concat())?;
    }

    #[test]
    fn a_good_file_with_a_piece_put_in(at in 0..GOOD.len(), length in 0usize..12, piece in prop::sample::select(&PIECES[..])) {
        let boundary = |index: usize| (0..=index.min(GOOD.len())).rev().find(|&index| GOOD.is_char_boundary(index)).unwrap();
        let (start, end) = (boundary(at), boundary(at + length));
        is_handled(format!("{}{piece}{}", &GOOD[..start], &GOOD[end..]))?;
    }

    #[test]
    fn a_good_file_with_any_number(which in 0usize..64, value in any::<f64>()) {
        let numbers: Vec<_> = GOOD.match_indices(|c: char| c.is_ascii_digit()).collect();
        let (at, digit) = numbers[which % numbers.len()];
        is_handled(format!("{}{value:e}{}", &GOOD[..at], &GOOD[at + digit.len()..]))?;
        is_handled(format!("{}{value}{}", &GOOD[..at], &GOOD[at + digit.len()..]))?;
    }
}
