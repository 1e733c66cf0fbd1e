//! Files that make no sense, each refused with its place, what was read and what would be right.

mod common;

use assert_cmd::Command;
use common::{GOOD, refusal};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// What is replaced in the good scenario, and by what.
const REPLACEMENTS: [(&str, &str); 132] = [
    ("title = \"t\"", "title = \"a\\nb\""),
    ("steps = 20", "steps = 100000000"),
    ("start = 0.3", "start = 0.3\n[sde]\nsubsteps = 0"),
    ("eigenvalues = [0.5, 2.0]", "eigenvalues = { from = 1, to = 2, count = 200000 }"),
    ("eigenvalues = [0.5, 2.0]", "matrix = []"),
    ("quadratic = { eigenvalues = [0.5, 2.0] }", "saddle = { eigenvalues = [] }"),
    ("optimizer =", "functions = [{ tanh = { coordinate = 2, scale = 1.0 } }]\noptimizer ="),
    ("optimizer =", "functions = [{ cos = { coordinate = 0, scale = 0 } }]\noptimizer ="),
    ("[[agents]]", "[[agents]]\ncount = 1\nnoise.none = {}\ngradient_offset = [1.0]\n[[agents]]"),
    ("title = \"t\"\n", ""),
    ("steps = 20", "stops = 20"),
    ("steps = 20", "steps = \"many\""),
    ("steps = 20", "steps = -1"),
    ("steps = 20", "steps = 0"),
    ("records = 4", "records = 3"),
    ("records = 4", "records = 21"),
    ("start = 0.3", "start = [0.3]"),
    ("start = 0.3", "start = nan"),
    ("start = 0.3", "start = [0.3, inf]"),
    ("start = 0.3", "start = \"0\""),
    ("learning_rate = 0.01", "learning_rate = 0"),
    ("learning_rate = 0.01", "learning_rate = 1e400"),
    ("k = 1", "k = 0"),
    ("k = 1", "k = 3"),
    ("rand_k = { k = 1 }", "bernoulli = { probability = 0 }"),
    ("rand_k = { k = 1 }", "bernoulli = { probability = 1.5 }"),
    ("rand_k = { k = 1 }", "top_k = { k = 1 }"),
    ("\"dcsgd\"", "\"dsgd\""),
    ("\"dcsgd\"", "\"adam\""),
    ("count = 2", "count = 0"),
    ("count = 2", "count = 2\nbatch_size = 0"),
    ("gaussian = { scale = 1.0 }", "gaussian = { scale = 0 }"),
    ("gaussian = { scale = 1.0 }", "gaussian = {}"),
    ("gaussian = { scale = 1.0 }", "gaussian = { scale = [1.0, -1.0] }"),
    ("gaussian = { scale = 1.0 }", "gaussian = { covariance = [[1.0, 2.0], [2.0, 1.0]] }"),
    ("gaussian = { scale = 1.0 }", "gaussian = { covariance = [[1.0, 0.1], [0.2, 1.0]] }"),
    ("gaussian = { scale = 1.0 }", "gaussian = { covariance = [[1.0], [1.0]] }"),
    ("gaussian = { scale = 1.0 }", "student_t = { scale = 1.0, dof = 0 }"),
    ("gaussian = { scale = 1.0 }", "student_t = { scale = 1.0, dof = 2 }"),
    ("gaussian = { scale = 1.0 }", "student_t = { scale = 1.0, dof = 3 }"),
    ("gaussian = { scale = 1.0 }", "minibatch = {}"),
    ("eigenvalues = [0.5, 2.0]", "eigenvalues = [0.5, -2.0]"),
    ("eigenvalues = [0.5, 2.0]", "eigenvalues = []"),
    ("eigenvalues = [0.5, 2.0]", ""),
    ("quadratic = { eigenvalues = [0.5, 2.0] }", "saddle = { eigenvalues = [0.5, -2.0] }"),
    ("start = 0.3", "start = 0.3\ndomain = { radius = 0.1 }"),
    ("margin = { effect = 0.3 }", "margin = { effect = 0 }"),
    ("margin = { effect = 0.3 }", "margin = 0.3"),
    ("[claims.trajectory]", "[claims.coefficients]\n[claims.trajectory]"),
    ("[claims.trajectory]", "[claims.trajectoria]"),
    ("[[claims]]", "[sde]\nform = \"closed\"\n[[claims]]"),
    ("[[claims]]", "[sde]\nmutant = \"gaussian_xi\"\n[[claims]]"),
    ("[[claims]]", "[monte_carlo]\nmax_seeds = 100\n[[claims]]"),
    (
        "objective.quadratic = { eigenvalues = [0.5, 2.0] }",
        "objective.quadratic = { eigenvalues = [0.5, 2.0] }\nobjective.rosenbrock = {}",
    ),
    ("objective.quadratic = { eigenvalues = [0.5, 2.0] }", "objective = {}"),
    ("objective.quadratic = { eigenvalues = [0.5, 2.0] }", "objective = \"quadratic\""),
    ("objective.quadratic = { eigenvalues = [0.5, 2.0] }", "objective = 3"),
    ("objective.quadratic = { eigenvalues = [0.5, 2.0] }", "objective.quadratic = 3"),
    ("noise.gaussian = { scale = 1.0 }", "noise = { gaussian = { scale = 1.0 }, none = {} }"),
    ("noise.gaussian = { scale = 1.0 }", "noise = \"gaussian\""),
    ("noise.gaussian = { scale = 1.0 }\n", ""),
    ("margin = { effect = 0.3 }", "margin = { effect = 0.3, absolute = 1.0 }"),
    ("margin = { effect = 0.3 }", "margin = {}"),
    ("margin = { effect = 0.3 }", "margin = { sigma = 0.3 }"),
    ("margin = { effect = 0.3 }", "margin = \"effect\""),
    ("[claims.trajectory]", "expect = \"refuted\"\n[claims.trajectory]"),
    ("[[claims]]\n[claims.trajectory]\nmargin = { effect = 0.3 }", "[[claims]]"),
    ("[[claims]]\n[claims.trajectory]", "[claims.trajectory]"),
    ("[[agents]]", "[agents]"),
    (
        "[[agents]]\ncount = 2\nnoise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 1 }\n",
        "agents = 3\n",
    ),
    ("[[agents]]\ncount = 2\nnoise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 1 }\n", ""),
    (
        "[[agents]]\ncount = 2\nnoise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 1 }\n",
        "agents = []\n",
    ),
    ("count = 2", "count = 2.5"),
    ("count = 2", "count = -2"),
    ("count = 2", "count = 99999999999999999999"),
    ("count = 2", "count = true"),
    ("learning_rate = 0.01", "learning_rate = \"fast\""),
    ("learning_rate = 0.01", "learning_rate = 1e300"),
    ("learning_rate = 0.01", "learning_rate = [0.01]"),
    ("learning_rate = 0.01", "learning_rate = nan"),
    ("learning_rate = 0.01", "learning_rate = 1979-05-27"),
    ("start = 0.3", "start = [[0.3]]"),
    ("eigenvalues = [0.5, 2.0]", "eigenvalues = \"1\""),
    ("eigenvalues = [0.5, 2.0]", "eigenvalues = [0.5, \"2\"]"),
    ("eigenvalues = [0.5, 2.0]", "eigenvalues = { from = 1 }"),
    ("eigenvalues = [0.5, 2.0]", "eigenvalues = [0.5, 1e308]"),
    ("rand_k = { k = 1 }", "bernoulli = { probability = 5e-324 }"),
    ("gaussian = { scale = 1.0 }", "gaussian = { covariance = [[1e308, 0.0], [0.0, 1.0]] }"),
    ("gaussian = { scale = 1.0 }", "gaussian = { covariance = [[1.0, inf], [inf, 1.0]] }"),
    ("gaussian = { scale = 1.0 }", "gaussian = { covariance = \"1\" }"),
    ("steps = 20", "steps = 20\nsteps = 20"),
    ("[run]", "[run]\n[run]"),
    ("[run]", "agents.x = 1\n[run]"),
    ("title = \"t\"", "title = \"t"),
    ("title = \"t\"", "title = t"),
    ("steps = 20", "steps ="),
    ("steps = 20", "steps 20"),
    ("eigenvalues = [0.5, 2.0] }", "eigenvalues = [0.5, 2.0 }"),
    ("[[claims]]", "[monte_carlo]\nseed = -1\n[[claims]]"),
    ("[[claims]]", "[monte_carlo]\nseed = 18446744073709551616\n[[claims]]"),
    ("title = \"t\"", "titel = \"x\"\ntitle = \"t\""),
    ("optimizer = \"dcsgd\"", "optimizer = 1"),
    ("[[claims]]", "[sde]\nscheme = \"milstein\"\n[[claims]]"),
    ("[[claims]]", "[sde]\nform = 3\n[[claims]]"),
    ("optimizer =", "functions = [{ tanh = { coordinate = 0 } }]\noptimizer ="),
    ("optimizer =", "functions = [{ sin = { coordinate = 0 } }]\noptimizer ="),
    ("optimizer =", "functions = [{ tanh = { coordinate = 9, scale = 1 } }]\noptimizer ="),
    ("optimizer =", "functions = [\"tanh\"]\noptimizer ="),
    ("start = 0.3", "start = 0.3\ndomain = 3.0"),
    ("count = 2", "count = 2\ngradient_offset = [1.0, 0.0]"),
    ("title = \"t\"", "title = 3"),
    ("effect = 0.3", "effect = \"x\""),
    ("margin = { effect = 0.3 }", "margin = { effect = 0.3 }\nexpect = \"maybe\""),
    ("[claims.trajectory]\nmargin = { effect = 0.3 }", "[claims.coefficients]\nmargin = 1e300"),
    ("steps = 20", "steps = 20000000000"),
    ("title = \"t\"", "title = \"\\q\""),
    ("title = \"t\"", "title = \"t\u{1}\""),
    ("[run]", "[[run]]"),
    ("gaussian = { scale = 1.0 }", "student_t = [1.0, 9.0]"),
    ("rand_k = { k = 1 }", "rand_k = [1]"),
    ("start = 0.3", "start = 0.3\ndomain = [5.0]"),
    ("[[claims]]", "[[sde]]\nsubsteps = 2\n[[claims]]"),
    ("[claims.trajectory]", "[[claims.trajectory]]"),
    ("\"dcsgd\"", "{ dcsgd = {} }"),
    ("[0.5, 2.0]", "2020-01-01"),
    ("title = \"t\"", "title = \"t\"\nsource = \"a\\u0000b\""),
    ("\"t\"", "\" \""),
    ("\"t\"", "\"\\u202Ex\""),
    ("start = 0.3\n", ""),
    ("optimizer =", "projections = 0\noptimizer ="),
    ("optimizer =", "projections = 257\noptimizer ="),
    (
        "optimizer = \"dcsgd\"\nobjective.quadratic = { eigenvalues = [0.5, 2.0] }",
        "projections = 200\noptimizer = \"dcsgd\"\nobjective.rosenbrock = { dimension = 90000 }",
    ),
];

/// Files that are no replacement in the good one.
fn whole_files() -> Vec<(&'static str, Vec<u8>)> {
    let good = |from: &str, to: &str| GOOD.replacen(from, to, 1).into_bytes();
    let after = |text: String| format!("{GOOD}{text}").into_bytes();
    let deep = |open: &str, inner: &str, close: &str| {
        good("start = 0.3", &format!("start = {}{inner}{}", open.repeat(50_000), close.repeat(50_000)))
    };
    let utf16: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        ("50,000 nested brackets", deep("[", "", "]")),
        ("50,000 nested tables", deep("{ a = ", "1", " }")),
        ("50,000 dotted keys", good("start = 0.3", &format!("a{} = 1", ".a".repeat(50_000)))),
        ("a header of 50,000 keys", after(format!("[a{}]\n", ".a".repeat(50_000)))),
        ("a list header of 50,000 keys", after(format!("[[a{}]]\n", ".a".repeat(50_000)))),
        ("a line of 5 MB", format!("title = \"{}\"\n", "a".repeat(5 << 20)).into_bytes()),
        ("a title of 1 MB", good("title = \"t\"", &format!("title = \"{}\"", "a".repeat(1_000_000)))),
        ("a list of 200,000 numbers", good("[0.5, 2.0]", &format!("[{}]", "1.0, ".repeat(200_000)))),
        ("NUL in a string", good("\"t\"", "\"t\0\"")),
        ("NUL in a key", good("steps", "st\0eps")),
        ("an escape sequence of terminals", good("\"t\"", "\"\u{1b}[31m\"")),
        ("Latin-1", [b"title = \"caf\xe9\"\n".as_slice(), GOOD.as_bytes()].concat()),
        ("UTF-16", utf16),
        ("a byte order mark before a mistake", good("title", "\u{feff}titel")),
        (
            "a mistake after a byte order mark",
            format!("\u{feff}{}", GOOD.replace("= 20", "= 0")).into_bytes(),
        ),
        ("line ends of Windows", GOOD.replace("= 20", "= 0").replace('\n', "\r\n").into_bytes()),
        ("nothing", Vec::new()),
        ("only a comment", b"# nothing\n".to_vec()),
        ("JSON", b"{\"title\": \"t\"}\n".to_vec()),
        ("YAML", b"title: t\noptimizer: dcsgd\n".to_vec()),
        ("3000 claims", {
            let claims = "{ coefficients = {} }, ".repeat(3000);
            GOOD.split("[[claims]]")
                .next()
                .unwrap()
                .replacen("optimizer", &format!("claims = [{claims}]\noptimizer"), 1)
                .into_bytes()
        }),
        ("14,000 groups in dimension 10,000", {
            let groups = "[[agents]]\ncount = 1\nnoise.gaussian = { scale = 1 }\n".repeat(14_000);
            good("[0.5, 2.0]", "{ from = 1, to = 2, count = 10000 }")
                .into_iter()
                .chain(groups.into_bytes())
                .collect()
        }),
        ("an effect without deviation that is slow to find out", {
            let text = GOOD
                .replace("[0.5, 2.0]", "{ from = 1, to = 2, count = 10000 }")
                .replace("gaussian = { scale = 1.0 }", "none = {}")
                .replace("rand_k = { k = 1 }", "identity = {}");
            text.replace("[[claims]]", "[sde]\nsubsteps = 100\n[monte_carlo]\nseeds = 512\n[[claims]]")
                .into_bytes()
        }),
        ("a scheme that evaluates too often", {
            GOOD.replace("[0.5, 2.0]", "{ from = 1, to = 2, count = 1001 }")
                .replace("[[claims]]", "[sde]\nscheme = \"platen\"\n[[claims]]")
                .into_bytes()
        }),
        ("minibatches that take years", {
            let text = GOOD
                .replace(
                    "quadratic = { eigenvalues = [0.5, 2.0] }",
                    "logistic = { data = \"iris\", regularisation = 0.1 }",
                )
                .replace("noise.gaussian = { scale = 1.0 }", "batch_size = 1000000\nnoise.minibatch = {}")
                .replace("steps = 20", "steps = 4000000");
            text.into_bytes()
        }),
        ("an executable", b"\x7fELF\x02\x01\x01\0\0".to_vec()),
    ]
}

/// Standard error of `itocheck run` on a file of this name, which must be refused within one second of
/// processor time and one gigabyte of memory, with nothing written.
fn refused(folder: &Path, path: &str) -> String {
    let program = assert_cmd::cargo::cargo_bin!("itocheck");
    let output = Command::new("bash")
        .current_dir(folder)
        .args(["-c", "ulimit -t 1; ulimit -v 1000000; exec \"$0\" run \"$@\""])
        .arg(program)
        .args(path.split(' '))
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{path}: {message}");
    assert!(!folder.join("itocheck-out").exists(), "{path}: something was written");
    message
}

#[test]
fn each_is_refused_with_its_place_what_was_read_and_what_would_be_right() {
    let folder = TempDir::new().unwrap();
    let mut messages = String::new();
    let replaced = REPLACEMENTS.iter().map(|(good, bad)| {
        assert!(GOOD.contains(good), "{good} is not in the good scenario");
        (format!("{good:?} → {bad:?}"), GOOD.replacen(good, bad, 1).into_bytes())
    });
    let whole = whole_files().into_iter().map(|(name, bytes)| (name.to_owned(), bytes));
    for (name, bytes) in replaced.chain(whole) {
        fs::write(folder.path().join("bad.toml"), bytes).unwrap();
        let message = refused(folder.path(), "bad.toml");
        assert!(message.starts_with("error: bad.toml"), "{message}");
        assert!(message.contains("expected"), "{name}: {message}");
        assert!(message.lines().next().unwrap().len() < 600 && message.lines().count() <= 4, "{message}");
        assert!(!message.contains(|c: char| c.is_control() && c != '\n'), "{message:?}");
        writeln!(messages, "{name}\n{message}").unwrap();
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn paths_that_hold_no_scenario_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("empty")).unwrap();
    fs::create_dir(path("twin")).unwrap();
    for file in ["one.toml", "twin/one.toml", "index.html.toml", "junit.xml.toml", "...toml"] {
        fs::write(path(file), GOOD).unwrap();
    }
    fs::create_dir(path("folder.toml")).unwrap();
    std::os::unix::fs::symlink("nowhere", path("dangling.toml")).unwrap();
    std::os::unix::fs::symlink("loop.toml", path("loop.toml")).unwrap();
    std::process::Command::new("mkfifo").arg(path("pipe.toml")).status().unwrap();
    let calls = [
        "missing.toml",
        "empty",
        "folder.toml",
        "dangling.toml",
        "loop.toml",
        "pipe.toml",
        "/dev/zero",
        "one.toml twin",
        "index.html.toml",
        "junit.xml.toml",
        "...toml",
        "one.toml --filter none",
    ];
    let messages: String =
        calls.iter().map(|call| format!("{call}\n{}\n", refused(folder.path(), call))).collect();
    insta::assert_snapshot!(messages);
    // A file that is named twice is no clash.
    let same = common::run(folder.path(), &["one.toml", "./one.toml", "--seeds", "512"]);
    assert_eq!(same.code, 0, "{}", same.err);
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
fn a_compressor_whose_errors_cannot_be_averaged_is_refused_on_its_line() {
    let refused = |second: &str| {
        let group = format!("[[agents]]\ncount = 2\n{second}\n[run]");
        common::refusal(&common::GOOD.replace("[run]", &group))
    };
    let message = refused(
        "noise.multivariate_t = { scale = 1.0, dof = 9 }\ncompressor.dithering = { levels = 1, norm = \"inf\" }",
    );
    assert!(
        message.starts_with(
            "test.toml:11:1: agents[1].compressor: no E[Φ Φᵀ] under this noise: dithering takes the maximum"
        ),
        "{message}"
    );
    let message = refused("noise.gaussian = { scale = 1.0 }\ncompressor.perm_k = { k = 1 }");
    assert!(
        message.starts_with("test.toml:11:1: agents[1].compressor: some agents have perm_k"),
        "{message}"
    );
}

#[test]
fn offsets_must_cancel() {
    let text = GOOD.replace("count = 2", "count = 2\ngradient_offset = [1.0, 0.0]");
    assert!(refusal(&text).contains(
        "agents[0].gradient_offset: the offsets of coordinate 0 add up to 2 over the agents; expected 0"
    ));
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

/// A build without networks knows them by name, and says how to get them.
#[cfg(not(feature = "neural"))]
#[test]
fn networks_are_refused_with_the_way_to_them() {
    for name in ["mlp", "resnet", "vit", "gpt2"] {
        let told =
            refusal(&GOOD.replace("quadratic = { eigenvalues = [0.5, 2.0] }", &format!("{name} = {{}}")));
        assert!(told.starts_with("test.toml:3:11: objective: "), "{told}");
        assert!(told.contains(&format!("`{name}`")) && told.contains("--features neural"), "{told}");
    }
    let told = refusal(&GOOD.replace("gaussian = { scale = 1.0 }", "mlp = {}"));
    assert!(!told.contains("--features neural"), "{told}");
}
