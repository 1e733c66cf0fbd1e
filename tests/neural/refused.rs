//! Networks that make no sense, refused with the place, what was read and what would be right.

use crate::common::{itocheck, refusal};
use crate::files::{archive, array, with_header};
use std::fmt::Write;
use std::path::Path;
use zip::CompressionMethod;

fn scenario(objective: &str) -> String {
    format!(
        "title = \"t\"\noptimizer = \"dsignsgd\"\nobjective.{objective}\nagents = [{{ count = 2, noise.gaussian = {{ scale = 1.0 }} }}]\n\
         run = {{ learning_rate = 0.01, steps = 2, records = 1, start = 0.1 }}\n"
    )
}

#[test]
fn each_is_refused_with_its_place_what_was_read_and_what_would_be_right() {
    let lines = [
        "mlp = { widths = [0] }",
        "mlp = { widths = [8, 1000000] }",
        "mlp = { widths = [1000, 1000] }",
        "mlp = { widths = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1] }",
        "mlp = { width = 8 }",
        "mlp = { activation = \"relu\" }",
        "mlp = { samples = 0 }",
        "mlp = { samples = 501 }",
        "mlp = { samples = -1 }",
        "mlp = { data = \"mnist\" }",
        "mlp = { data = { npz = \"no.npz\" } }",
        "mlp = { data.npz = 3 }",
        "mlp = \"digits\"",
        "resnet = { channels = [] }",
        "resnet = { channels = [4, 4, 4, 4, 4] }",
        "resnet = { channels = [4, 0] }",
        "resnet = { blocks = 0 }",
        "resnet = { channels = [100, 200] }",
        "vit = { patch = 3 }",
        "vit = { patch = 0 }",
        "vit = { width = 7, heads = 2 }",
        "vit = { heads = 0 }",
        "vit = { width = 0 }",
        "vit = { depth = 33 }",
        "vit = { expansion = 0 }",
        "vit = { position_deviation = 0.0 }",
        "vit = { position_deviation = inf }",
        "vit = { width = 100000, heads = 1 }",
        "gpt2 = { context = 0 }",
        "gpt2 = { context = 257 }",
        "gpt2 = { samples = 400 }",
        "gpt2 = { samples = 1, context = 1, data.text = \"no.txt\" }",
        "gpt2 = { data = \"faust\" }",
        "gpt2 = { depth = 100 }",
        "gpt3 = {}",
    ];
    let mut all = String::new();
    for line in lines {
        writeln!(all, "{line}\n{}\n", refusal(&scenario(line))).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn broken_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let good = [1.0; 12];
    let x = || array("<f8", "(3, 2, 2)", &good);
    let y = |labels: &[f64]| array("<f8", &format!("({},)", labels.len()), labels);
    let nan = {
        let mut x = good;
        x[7] = f64::NAN;
        x
    };
    type Files = Vec<(&'static str, Vec<u8>)>;
    let cases: [(&str, Files); 11] = [
        ("no labels", vec![("x", x())]),
        ("two labels", vec![("x", x()), ("y", y(&[0.0, 1.0]))]),
        ("half a label", vec![("x", x()), ("y", y(&[0.0, 1.0, 0.5]))]),
        ("a negative label", vec![("x", x()), ("y", y(&[0.0, 1.0, -1.0]))]),
        ("one class", vec![("x", x()), ("y", y(&[0.0, 0.0, 0.0]))]),
        ("another class", vec![("x", x()), ("y", y(&[7.0, 7.0, 7.0]))]),
        ("NaN", vec![("x", array("<f8", "(3, 2, 2)", &nan)), ("y", y(&[0.0, 1.0, 0.0]))]),
        ("one axis", vec![("x", array("<f8", "(12,)", &good)), ("y", y(&[0.0]))]),
        ("no images", vec![("x", array("<f8", "(0, 2, 2)", &[])), ("y", y(&[]))]),
        ("too short", vec![("x", array("<f8", "(3, 2, 3)", &good)), ("y", y(&[0.0, 1.0, 0.0]))]),
        (
            "whole numbers",
            vec![
                ("x", x()),
                ("y", with_header("{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }", &[0; 24])),
            ],
        ),
    ];
    let mut all = String::new();
    let mut refused = |what: &str, objective: &str| {
        std::fs::write(folder.path().join("s.toml"), scenario(objective)).unwrap();
        let called = itocheck(folder.path(), &["run", "s.toml", "--out", "out"]);
        assert_eq!(called.code, 2, "{what}: {}", called.err);
        assert!(!folder.path().join("out").exists());
        writeln!(all, "{what}\n{}", called.err).unwrap();
    };
    for (what, arrays) in cases {
        archive(&folder.path().join("x.npz"), &arrays, CompressionMethod::Stored);
        refused(what, "mlp = { samples = 2, data.npz = \"x.npz\" }");
    }
    for (what, numbers) in [("fewer numbers than the archive says", 8), ("more", 13)] {
        let file = folder.path().join("x.npz");
        let data = array("<f8", "(3, 2, 2)", &[1.0; 13][..numbers]);
        archive(&file, &[("x", data), ("y", y(&[0.0, 1.0, 0.0]))], CompressionMethod::Deflated);
        say_size(&file, x().len());
        refused(what, "mlp = { samples = 2, data.npz = \"x.npz\" }");
    }
    std::fs::write(folder.path().join("x.npz"), "no archive").unwrap();
    refused("no archive", "vit = { data.npz = \"x.npz\" }");
    let text = |bytes: &[u8]| std::fs::write(folder.path().join("x.txt"), bytes).unwrap();
    let line = "gpt2 = { samples = 2, context = 4, data.text = \"x.txt\" }";
    text(b"abc\nd\xffe");
    refused("not UTF-8", line);
    text(b"abcdabcd");
    refused("a character too few", line);
    text(b"aaaaaaaaa");
    refused("one character", line);
    std::fs::remove_file(folder.path().join("x.txt")).unwrap();
    std::fs::create_dir(folder.path().join("x.txt")).unwrap();
    refused("a folder", line);
    insta::assert_snapshot!(all);
}

/// Makes an archive say that its first array has so many bytes, whatever it holds.
fn say_size(file: &Path, size: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    let central = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    for place in [22, central + 24] {
        bytes[place..place + 4].copy_from_slice(&(size as u32).to_le_bytes());
    }
    std::fs::write(file, bytes).unwrap();
}
