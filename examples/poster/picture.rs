//! "SDEs do track the optimizers": the loss of both over time, from the golden outputs.

use itocheck::golden::Golden;
use itocheck::report::plot::{Exhibit, Gallery};
use std::path::Path;

/// Optimizers by rows, objectives by columns.
const RUNS: [[(&str, &str); 4]; 2] = [
    [
        ("dcsgd-quadratic-rand-k-n4", "DCSGD, quadratic"),
        ("dcsgd-rosenbrock", "DCSGD, Rosenbrock"),
        ("dcsgd-saddle", "DCSGD, saddle"),
        ("dcsgd-logistic", "DCSGD, logistic regression"),
    ],
    [
        ("dsignsgd-quadratic-t3-n4", "DSignSGD, quadratic"),
        ("dsignsgd-rosenbrock", "DSignSGD, Rosenbrock"),
        ("dsignsgd-saddle", "DSignSGD, saddle"),
        ("dsignsgd-logistic", "DSignSGD, logistic regression"),
    ],
];

/// The picture as PNG.
pub fn draw() -> Result<Vec<u8>, String> {
    let runs: Vec<(&str, &str)> = RUNS.into_iter().flatten().collect();
    let load = |(name, _): &(&str, &str)| {
        let file = Path::new("golden").join(format!("{name}.json"));
        let golden = Golden::load(&file).map_err(|error| error.to_string())?;
        golden.ok_or_else(|| format!("{}: no such file", file.display()))
    };
    let kept: Vec<Golden> = runs.iter().map(load).collect::<Result<_, _>>()?;
    let exhibits = runs.iter().zip(&kept).map(|((_, caption), golden)| {
        let curves = golden.curves();
        let function =
            curves.functions.iter().position(|name| name == "loss").ok_or("a run without its loss")?;
        Ok(Exhibit { caption: (*caption).to_owned(), curves, function })
    });
    let gallery = Gallery {
        title: "SDEs do track the optimizers",
        heading: "mean loss with 95 % confidence bands",
        columns: RUNS[0].len(),
        exhibits: exhibits.collect::<Result<_, String>>()?,
    };
    gallery.png()
}
