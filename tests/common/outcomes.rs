//! What compressors may make of a vector, written out from their definitions.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

/// Everything that the compressor of a line may make of g, with its probability, written out from its definition.
pub fn outcomes(line: &str, g: &[f64]) -> Vec<(f64, Vec<f64>)> {
    let table: toml::Table = toml::from_str(line).unwrap();
    let (name, parameters) = table.iter().next().unwrap();
    outcomes_of(name, parameters, g)
}

fn outcomes_of(name: &str, parameters: &toml::Value, g: &[f64]) -> Vec<(f64, Vec<f64>)> {
    let d = g.len();
    let whole = |key: &str| parameters[key].as_integer().unwrap() as usize;
    let masks = || (0..1usize << d).map(|bits| (0..d).map(|j| bits >> j & 1 == 1).collect::<Vec<bool>>());
    let kept = |mask: &[bool]| mask.iter().filter(|kept| **kept).count();
    let masked = |mask: &[bool], factor: f64| {
        mask.iter().zip(g).map(|(kept, g)| if *kept { factor * g } else { 0.0 }).collect::<Vec<f64>>()
    };
    match name {
        "identity" => vec![(1.0, g.to_vec())],
        "rand_k" | "perm_k" => {
            let k = whole("k");
            let masks: Vec<_> = masks().filter(|mask| kept(mask) == k).collect();
            let probability = 1.0 / masks.len() as f64;
            masks.iter().map(|mask| (probability, masked(mask, d as f64 / k as f64))).collect()
        }
        "bernoulli" => {
            let p = parameters["probability"].as_float().unwrap();
            let probability =
                |mask: &[bool]| p.powi(kept(mask) as i32) * (1.0 - p).powi((d - kept(mask)) as i32);
            masks().map(|mask| (probability(&mask), masked(&mask, 1.0 / p))).collect()
        }
        "natural" => roundings(g, |g| {
            let mut low = 1.0;
            while low > g.abs() {
                low *= 0.5;
            }
            while 2.0 * low <= g.abs() {
                low *= 2.0;
            }
            (low, 2.0 * low)
        }),
        "dithering" => {
            let norm = match parameters["norm"].as_str().unwrap() {
                "2" => g.iter().map(|g| g * g).sum::<f64>().sqrt(),
                _ => g.iter().map(|g| g.abs()).fold(0.0, f64::max),
            };
            let levels = whole("levels");
            roundings(g, |g| {
                let level = (0..=levels).rev().find(|l| *l as f64 * norm / levels as f64 <= g.abs()).unwrap();
                (level as f64 * norm / levels as f64, (level + 1) as f64 * norm / levels as f64)
            })
        }
        "composition" => {
            let part = |key: &str, g: &[f64]| {
                let (name, parameters) = parameters[key].as_table().unwrap().iter().next().unwrap();
                outcomes_of(name, parameters, g)
            };
            let second = |(p, sent): (f64, Vec<f64>)| {
                part("second", &sent).into_iter().map(move |(q, received)| (p * q, received))
            };
            part("first", g).into_iter().flat_map(second).collect()
        }
        _ => panic!("{name}"),
    }
}

/// Every coordinate independently one of two values around it, so that its mean is kept; 0 stays 0.
fn roundings(g: &[f64], around: impl Fn(f64) -> (f64, f64)) -> Vec<(f64, Vec<f64>)> {
    let mut all = vec![(1.0, Vec::new())];
    for &g in g {
        let values = if g == 0.0 {
            vec![(1.0, 0.0)]
        } else {
            let (low, high) = around(g);
            let up = (g.abs() - low) / (high - low);
            vec![(up, high.copysign(g)), (1.0 - up, low.copysign(g))]
        };
        all = all
            .into_iter()
            .flat_map(|(p, head)| {
                let extend = move |(q, value): (f64, f64)| {
                    let mut longer = head.clone();
                    longer.push(value);
                    (p * q, longer)
                };
                values.clone().into_iter().map(extend)
            })
            .collect();
    }
    all
}
