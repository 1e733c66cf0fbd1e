//! Files that are refused: exit code 2, one line that says what was read and what would be right, and nothing written.

use crate::common::itocheck;
use crate::files::{archive, array, paths, simulated, with_header};
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use zip::CompressionMethod::{Deflated, Stored};

fn x(numbers: &[f64]) -> (&'static str, Vec<u8>) {
    let shape = format!("({}, 5, 2)", numbers.len() / 10);
    ("x", array("<f8", &shape, numbers))
}

fn t() -> (&'static str, Vec<u8>) {
    ("t", array("<f8", "(5,)", &[0.0, 0.05, 0.1, 0.15, 0.2]))
}

/// Writes every kind of broken file; each is given as the optimizer.
fn write_broken(folder: &Path) -> Vec<&'static str> {
    let (good, times) = simulated(1.0, false, 1, 640);
    let mut names = Vec::new();
    let mut write = |name: &'static str, arrays: &[(&str, Vec<u8>)]| {
        archive(&folder.join(name), arrays, Stored);
        names.push(name);
    };
    let changed = |index: usize, value: f64| {
        let mut numbers = good.clone();
        numbers[index] = value;
        x(&numbers)
    };
    let with_times = |times: [f64; 5]| ("t", array("<f8", "(5,)", &times));
    write("nan.npz", &[changed(3217, f64::NAN), t()]);
    write("infinite.npz", &[changed(6399, f64::INFINITY), t()]);
    write("nan-in-pilot-sized-rest.npz", &[changed(6301, f64::NAN), t()]);
    write("other-start.npz", &[changed(71, 0.4), t()]);
    write("start-moved.npz", &[x(&good.iter().map(|x| x + 1.0).collect::<Vec<f64>>()), t()]);
    write("nan-time.npz", &[x(&good), with_times([0.0, 0.05, f64::NAN, 0.15, 0.2])]);
    write("late-start.npz", &[x(&good), with_times([0.05, 0.1, 0.15, 0.2, 0.25])]);
    write("decreasing.npz", &[x(&good), with_times([0.0, 0.05, 0.05, 0.15, 0.2])]);
    write("other-times.npz", &[x(&good), with_times([0.0, 0.05, 0.1, 0.15, 0.3])]);
    write("no-x.npz", &[("trajectory", array("<f8", "(1,)", &[0.0])), t()]);
    write("no-t.npz", &[x(&good)]);
    write("two-axes.npz", &[("x", array("<f8", "(1280, 5)", &good)), t()]);
    write("one-time.npz", &[("x", array("<f8", "(3200, 1, 2)", &good)), ("t", array("<f8", "(1,)", &[0.0]))]);
    write("times-swapped.npz", &[("x", array("<f8", "(640, 2, 5)", &good)), t()]);
    write("one-coordinate.npz", &[("x", array("<f8", "(1280, 5, 1)", &good)), t()]);
    write("no-paths.npz", &[("x", array("<f8", "(0, 5, 2)", &[])), t()]);
    write("few-paths.npz", &[x(&good[..1000]), t()]);
    write("integers.npz", &[("x", array("<i8", "(640, 5, 2)", &good)), t()]);
    let fortran = "{'descr': '<f8', 'fortran_order': True, 'shape': (640, 5, 2), }";
    write("fortran.npz", &[("x", with_header(fortran, &[0; 51200])), t()]);
    let objects = "{'descr': '|O', 'fortran_order': False, 'shape': (640, 5, 2), }";
    write("objects.npz", &[("x", with_header(objects, b"\x80\x04")), t()]);
    let huge = "{'descr': '<f8', 'fortran_order': False, 'shape': (9000000000000000000, 5, 2), }";
    write("huge-shape.npz", &[("x", with_header(huge, &[0; 80])), t()]);
    write("short.npz", &[("x", array("<f8", "(640, 5, 2)", &good[..6399])), t()]);
    write("no-header.npz", &[("x", b"\x93NUM".to_vec()), t()]);
    write("garbage-header.npz", &[("x", with_header("import os", &[])), t()]);
    paths(&folder.join("whole.npz"), "<f8", &(good, times), Deflated);
    let whole = fs::read(folder.join("whole.npz")).unwrap();
    fs::write(folder.join("truncated.npz"), &whole[..whole.len() / 2]).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0xff;
    fs::write(folder.join("flipped.npz"), flipped).unwrap();
    fs::write(folder.join("plain.npy"), t().1).unwrap();
    fs::write(folder.join("empty.npz"), "").unwrap();
    fs::create_dir(folder.join("folder.npz")).unwrap();
    names.extend(["truncated.npz", "flipped.npz", "plain.npy", "empty.npz", "folder.npz", "absent.npz"]);
    names
}

#[test]
fn broken_files_are_refused_with_what_was_read_and_what_would_be_right() {
    let folder = TempDir::new().unwrap();
    let broken = write_broken(folder.path());
    paths(&folder.path().join("sde.npz"), "<f8", &simulated(1.0, true, 1, 1024), Stored);
    let mut messages = String::new();
    for name in broken {
        let called = itocheck(folder.path(), &["compare", "--optimizer", name, "--sde", "sde.npz"]);
        assert_eq!((called.code, &*called.out), (2, ""), "{name}: {}", called.err);
        assert!(
            called.err.starts_with(&format!("error: {name}: ")) || called.err.starts_with("error: sde.npz: ")
        );
        assert_eq!(called.err.lines().count(), 1, "{}", called.err);
        assert!(!folder.path().join("itocheck-out").exists(), "{name}: something was written");
        messages += &called.err;
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn two_sides_are_asked_for() {
    let folder = TempDir::new().unwrap();
    for sides in [&["--optimizer", "a"][..], &[], &["--optimizer", "a", "--sde", "b", "--scenario", "c"]] {
        let called = itocheck(folder.path(), &[&["compare"], sides].concat());
        assert_eq!(called.code, 2);
        assert!(called.err.contains("expected two of"), "{}", called.err);
    }
}
