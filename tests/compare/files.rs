//! Files of recorded paths, written without the code that reads them.

use itocheck::ensemble::{Process, record_paths};
use itocheck::random::Role;
use itocheck::scenario::{Overrides, check};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

/// Optimizer and SDE of a scenario, the SDE's noise being `scale` of 1.
pub fn scenario(scale: f64) -> String {
    crate::common::GOOD.replace("scale = 1.0", &format!("scale = {scale:.1}"))
}

/// Paths of one side of [`scenario`], [path, time, coordinate], and their times.
pub fn simulated(scale: f64, is_sde: bool, seed: u64, paths: usize) -> (Vec<f64>, Vec<f64>) {
    let loaded = check(Path::new("t.toml"), scenario(scale), Overrides::default()).unwrap();
    let model = &loaded.experiment.model;
    let optimizer = model.optimizer_process(seed, Role::Optimizer);
    let sde = model.sde_process(seed, Role::Sde, 0);
    let process: &dyn Process = if is_sde { &sde } else { &optimizer };
    let recorded = record_paths(process, model.run.steps, model.run.every(), paths);
    (recorded.into_iter().flatten().flatten().collect(), model.run.times())
}

/// An array of little-endian numbers.
pub fn array(descr: &str, shape: &str, numbers: &[f64]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let data = numbers.iter().flat_map(|&x| match descr {
        "<f4" => (x as f32).to_le_bytes().to_vec(),
        ">f8" => x.to_be_bytes().to_vec(),
        _ => x.to_le_bytes().to_vec(),
    });
    with_header(&header, &data.collect::<Vec<u8>>())
}

/// An array with any header.
pub fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16 + 1).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.push(b'\n');
    bytes.extend(data);
    bytes
}

/// Writes named arrays.
pub fn archive(file: &Path, arrays: &[(&str, Vec<u8>)], method: CompressionMethod) {
    let mut writer = ZipWriter::new(File::create(file).unwrap());
    for (name, bytes) in arrays {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(format!("{name}.npy"), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
}

/// Writes paths of dimension 2.
pub fn paths(file: &Path, descr: &str, (x, t): &(Vec<f64>, Vec<f64>), method: CompressionMethod) {
    let count = x.len() / 2 / t.len();
    let arrays = [
        ("x", array(descr, &format!("({count}, {}, 2)", t.len()), x)),
        ("t", array(descr, &format!("({},)", t.len()), t)),
    ];
    archive(file, &arrays, method);
}
