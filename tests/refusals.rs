//! Scenarios that make no sense, each refused with what was read and what would be right.

mod common;

use common::refusal;

const GOOD: &str = r#"title = "t"
optimizer = "dcsgd"
objective.quadratic = { eigenvalues = [0.5, 2.0] }
[[agents]]
count = 2
noise.gaussian = { scale = 1.0 }
compressor.rand_k = { k = 1 }
[run]
learning_rate = 0.01
steps = 20
records = 4
start = 0.3
[[claims]]
[claims.trajectory]
margin = { effect = 0.3 }
"#;

/// What is replaced in the good scenario, by what, and what the refusal must say.
const CASES: [(&str, &str, &str); 54] = [
    ("title = \"t\"", "title = \"a\\nb\"", "test.toml:1:9: title: the character '\\n'; expected one line"),
    ("steps = 20", "steps = 100000000", "run.steps: 100000000; with 2 agents"),
    ("start = 0.3", "start = 0.3\n[sde]\nsubsteps = 0", "sde.substeps: 0; expected a whole number from 1"),
    (
        "eigenvalues = [0.5, 2.0]",
        "eigenvalues = { from = 1, to = 2, count = 20000 }",
        "eigenvalues.count: 20000; expected a whole number from 1 to 10000",
    ),
    ("eigenvalues = [0.5, 2.0]", "matrix = []", "objective.quadratic.matrix: 0 rows; expected from 1 to 500"),
    (
        "quadratic = { eigenvalues = [0.5, 2.0] }",
        "saddle = { eigenvalues = [] }",
        "objective.saddle.eigenvalues: 0 of them; expected from 1",
    ),
    (
        "optimizer =",
        "functions = [{ tanh = { coordinate = 2, scale = 1.0 } }]\noptimizer =",
        "functions[0]: coordinate 2; expected at most 1",
    ),
    (
        "optimizer =",
        "functions = [{ cos = { coordinate = 0, scale = 0 } }]\noptimizer =",
        "functions[0]: 0; expected a scale from 1e-9 to 1e9",
    ),
    (
        "[[agents]]",
        "[[agents]]\ncount = 1\nnoise.none = {}\ngradient_offset = [1.0]\n[[agents]]",
        "agents[0].gradient_offset: a list of 1 numbers",
    ),
    ("title = \"t\"\n", "", "missing field `title`"),
    (
        "steps = 20",
        "stops = 20",
        "test.toml:10:1: unknown field `stops`, expected one of `learning_rate`, `steps`",
    ),
    ("steps = 20", "steps = \"many\"", "test.toml:10:9: invalid type: string \"many\", expected usize"),
    ("steps = 20", "steps = -1", "invalid value: integer `-1`, expected usize"),
    ("steps = 20", "steps = 0", "run.steps: 0; expected a whole number from 1"),
    ("records = 4", "records = 3", "test.toml:11:11: run.records: 3; expected a divisor of steps = 20"),
    ("records = 4", "records = 21", "run.records: 21; expected a whole number from 1 to 20"),
    (
        "start = 0.3",
        "start = [0.3]",
        "run.start: a list of 1 numbers; expected one number, or 2, one a coordinate",
    ),
    ("start = 0.3", "start = nan", "run.start: NaN; expected a finite number"),
    ("start = 0.3", "start = [0.3, inf]", "test.toml:12:15: run.start[1]: inf; expected a finite number"),
    ("start = 0.3", "start = \"0\"", "expected a number, or a list of numbers with one a coordinate"),
    ("learning_rate = 0.01", "learning_rate = 0", "run.learning_rate: 0; expected a finite number above 0"),
    ("learning_rate = 0.01", "learning_rate = 1e400", "test.toml:9:17: floating-point number overflowed"),
    (
        "k = 1",
        "k = 0",
        "agents[0].compressor.rand_k.k: 0; expected a whole number from 1 to the dimension, 2",
    ),
    (
        "k = 1",
        "k = 3",
        "agents[0].compressor.rand_k.k: 3; expected a whole number from 1 to the dimension, 2",
    ),
    (
        "rand_k = { k = 1 }",
        "bernoulli = { probability = 0 }",
        "probability: 0; expected a number above 0 and at most 1",
    ),
    (
        "rand_k = { k = 1 }",
        "bernoulli = { probability = 1.5 }",
        "probability: 1.5; expected a number above 0 and at most 1",
    ),
    (
        "rand_k = { k = 1 }",
        "top_k = { k = 1 }",
        "agents[0].compressor.top_k: keeps the 1 largest of 2 coordinates and is biased, E C(g) ≠ g",
    ),
    (
        "rand_k = { k = 1 }",
        "rank_k = { k = 1 }",
        "unknown variant `rank_k`, expected one of `identity`, `rand_k`, `bernoulli`",
    ),
    ("\"dcsgd\"", "\"dsgd\"", "agents[0].compressor: a compressor, but only dcsgd compresses"),
    ("\"dcsgd\"", "\"adam\"", "unknown variant `adam`, expected one of `dsgd`, `dcsgd`, `dsignsgd`"),
    ("count = 2", "count = 0", "agents[0].count: 0; expected a whole number from 1"),
    ("count = 2", "count = 2\nbatch_size = 0", "agents[0].batch_size: 0; expected a whole number from 1"),
    (
        "gaussian = { scale = 1.0 }",
        "gaussian = { scale = 0 }",
        "noise.gaussian.scale: 0; expected a finite number above 0",
    ),
    ("gaussian = { scale = 1.0 }", "gaussian = {}", "expected exactly one of `scale` and `covariance`"),
    (
        "gaussian = { scale = 1.0 }",
        "gaussian = { scale = [1.0, -1.0] }",
        "noise.gaussian.scale[1]: -1; expected a finite number above 0",
    ),
    (
        "gaussian = { scale = 1.0 }",
        "gaussian = { covariance = [[1.0, 2.0], [2.0, 1.0]] }",
        "has the eigenvalue -1.000000; expected a positive semidefinite matrix",
    ),
    (
        "gaussian = { scale = 1.0 }",
        "gaussian = { covariance = [[1.0, 0.1], [0.2, 1.0]] }",
        "expected a symmetric matrix",
    ),
    ("gaussian = { scale = 1.0 }", "gaussian = { covariance = [[1.0], [1.0]] }", "expected a 2 × 2 matrix"),
    (
        "gaussian = { scale = 1.0 }",
        "student_t = { scale = 1.0, dof = 0 }",
        "noise.student_t.dof: 0; expected a finite number",
    ),
    (
        "gaussian = { scale = 1.0 }",
        "student_t = { scale = 1.0, dof = 2 }",
        "noise.student_t.dof: 2; expected more than 2: without a finite covariance",
    ),
    (
        "gaussian = { scale = 1.0 }",
        "student_t = { scale = 1.0, dof = 3 }",
        "no test function has moments that sampling can compare",
    ),
    (
        "gaussian = { scale = 1.0 }",
        "minibatch = {}",
        "noise.minibatch: the objective is not an average over samples",
    ),
    (
        "eigenvalues = [0.5, 2.0]",
        "eigenvalues = [0.5, -2.0]",
        "eigenvalues[1]: -2; expected a finite number of at least 0",
    ),
    (
        "eigenvalues = [0.5, 2.0]",
        "eigenvalues = []",
        "objective.quadratic: dimension 0; expected from 1 to 10000 coordinates",
    ),
    ("eigenvalues = [0.5, 2.0]", "", "no Hessian; expected `eigenvalues = [..]` or `matrix = [[..]]`"),
    (
        "quadratic = { eigenvalues = [0.5, 2.0] }",
        "saddle = { eigenvalues = [0.5, -2.0] }",
        "run: no domain, but ∇f grows faster than linearly",
    ),
    (
        "start = 0.3",
        "start = 0.3\ndomain = { radius = 0.1 }",
        "run.domain.radius: 0.1; expected a finite number above the norm of the start",
    ),
    (
        "margin = { effect = 0.3 }",
        "margin = { effect = 0 }",
        "claims[0].trajectory.margin: 0; expected a finite number above 0",
    ),
    ("margin = { effect = 0.3 }", "margin = 0.3", "test.toml:15:10: wanted string or table"),
    ("[claims.trajectory]", "[claims.coefficients]\n[claims.trajectory]", "wanted exactly 1 element"),
    (
        "[claims.trajectory]",
        "[claims.trajectoria]",
        "unknown variant `trajectoria`, expected `coefficients` or `trajectory`",
    ),
    (
        "[[claims]]",
        "[sde]\nform = \"closed\"\n[[claims]]",
        "sde.form: \"closed\", but only Theorem 2 (dsignsgd) has a closed form",
    ),
    (
        "[[claims]]",
        "[sde]\nmutant = \"gaussian_xi\"\n[[claims]]",
        "sde.mutant: a mistake in the SDE of dsignsgd; expected one that this optimizer can have",
    ),
    (
        "[[claims]]",
        "[monte_carlo]\nmax_seeds = 100\n[[claims]]",
        "monte_carlo.max_seeds: 100; expected a whole number from 4096",
    ),
];

#[test]
fn each_is_refused_with_its_place_and_what_would_be_right() {
    for (good, bad, expected) in CASES {
        assert!(GOOD.contains(good), "{good} is not in the good scenario");
        let message = refusal(&GOOD.replacen(good, bad, 1));
        assert!(message.contains(expected), "{bad}: {message}\nexpected: {expected}");
        assert!(message.starts_with("test.toml"), "{message}");
    }
}

#[test]
fn a_deterministic_run_asks_for_an_absolute_margin() {
    let text = GOOD
        .replace("gaussian = { scale = 1.0 }", "none = {}")
        .replace("rand_k = { k = 1 }", "identity = {}");
    assert!(
        refusal(&text)
            .contains("claims[0].trajectory.margin: an effect, but x[0] has no deviation under the SDE")
    );
    common::experiment(&text.replace("effect = 0.3", "absolute = 0.01"));
}

#[test]
fn signs_that_are_intractable_are_refused() {
    let signs = GOOD.replace("\"dcsgd\"", "\"dsignsgd\"").replace("compressor.rand_k = { k = 1 }\n", "");
    let logistic = signs.replace(
        "objective.quadratic = { eigenvalues = [0.5, 2.0] }",
        "objective.logistic = { data = \"iris\", regularisation = 0.1 }",
    );
    let batches = logistic.replace(
        "count = 2\nnoise.gaussian = { scale = 1.0 }",
        "count = 2\nbatch_size = 2\nnoise.minibatch = {}",
    );
    assert!(
        refusal(&batches).contains("agents[0].noise: no sign law: the sign of a mean over B > 1 samples")
    );
    let closed = logistic
        .replace("noise.gaussian = { scale = 1.0 }", "noise.minibatch = {}")
        .replace("[[claims]]", "[sde]\nform = \"closed\"\n[[claims]]");
    assert!(
        refusal(&closed)
            .contains("sde.form: \"closed\", but the noise of some agents is not a scaled Student-t")
    );
}

#[test]
fn offsets_must_cancel() {
    let text = GOOD.replace("count = 2", "count = 2\ngradient_offset = [1.0, 0.0]");
    assert!(
        refusal(&text)
            .contains("agents: gradient offsets of coordinate 0 add up to 2 over the agents; expected 0")
    );
}

#[test]
fn functions_without_moments_are_left_out_and_named() {
    let text = GOOD.replace("gaussian = { scale = 1.0 }", "student_t = { scale = 1.0, dof = 5 }");
    let experiment = common::experiment(&text);
    let functions = experiment.model.functions();
    let names = |functions: &[itocheck::ensemble::TestFunction]| {
        functions.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names(&functions.tested), ["x[0]", "x[1]"]);
    assert_eq!(functions.left_out.len(), 7);
    // From ν = 8 on second moments have honest intervals, and signs need no moments at all.
    let eight = common::experiment(&text.replace("dof = 5", "dof = 8"));
    assert!(eight.model.functions().left_out.is_empty());
    let signs = text
        .replace("\"dcsgd\"", "\"dsignsgd\"")
        .replace("compressor.rand_k = { k = 1 }\n", "")
        .replace("dof = 5", "dof = 1");
    assert!(common::experiment(&signs).model.functions().left_out.is_empty());
}

#[test]
fn the_guard_sees_tails_that_compression_makes() {
    // dof = 1 + 2N/(ηωL) = 1 + 4/(0.5 · 1 · 2) = 5: second moments are out, means are in.
    let text = GOOD.replace("learning_rate = 0.01", "learning_rate = 0.5");
    let experiment = common::experiment(&text);
    assert!((experiment.model.tail_index() - 5.0).abs() < 1e-12);
    assert!(experiment.model.can_sample(1) && !experiment.model.can_sample(2));
}

#[test]
fn the_guard_sees_noise_that_grows_with_the_gradient() {
    // E‖g − v‖² = dσ²‖v‖² with dσ² = 2 · 0.75² = 1.125, after Rand-1 of 2: (1 + 1)(1 + 1.125) − 1 = 3.25.
    let text = GOOD.replace("gaussian = { scale = 1.0 }", "proportional = { scale = 0.75 }");
    let expected = 1.0 + 4.0 / (0.01 * 3.25 * 2.0);
    assert!((common::experiment(&text).model.tail_index() - expected).abs() < 1e-10);
}

#[test]
fn large_dimensions_keep_the_diagonal_and_the_first_coordinates_products() {
    let count = |d: usize| {
        let text = GOOD
            .replace("[0.5, 2.0]", &format!("{{ from = 1, to = 2, count = {d} }}"))
            .replace("rand_k = { k = 1 }", "identity = {}");
        common::experiment(&text).model.functions().tested.len()
    };
    assert_eq!(count(32), 32 + 2 * (32 * 33 / 2) + 1);
    assert_eq!(count(33), 33 + 2 * (33 + 32) + 1);
}
