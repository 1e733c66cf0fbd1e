mod synthetic;
mod tally;
use itocheck::claim::Verdict;
use synthetic::*;
use std::time::Instant;
fn main() {
    use Rule::*;
    let n: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    for (name, noise, gaps, blocks, wrong, rule) in [
        ("gauss 1 up", gaussian as fn(&mut itocheck::random::Stream)->f64, 1, [16u64,64], Verdict::Upheld, Sampled),
        ("gauss 1 ref", gaussian, 1, [16,64], Verdict::Refuted, Sampled),
        ("gauss 5 ref", gaussian, 5, [16,64], Verdict::Refuted, Sampled),
        ("gauss 8 blocks", gaussian, 1, [8,32], Verdict::Upheld, Sampled),
        ("chi2 8", gaussian_squares, 1, [8,32], Verdict::Upheld, HalfForTheBias),
        ("chi2 16", gaussian_squares, 1, [16,64], Verdict::Upheld, HalfForTheBias),
        ("chi2 64", gaussian_squares, 1, [64,256], Verdict::Upheld, HalfForTheBias),
        ("chi2 64 full", gaussian_squares, 1, [64,256], Verdict::Upheld, Sampled),
        ("rare 16", rare_events, 1, [16,64], Verdict::Upheld, HalfForTheBias),
        ("t8 8", t8_squares, 1, [8,32], Verdict::Upheld, HalfForTheBias),
        ("t8 16", t8_squares, 1, [16,64], Verdict::Upheld, HalfForTheBias),
        ("t8 64", t8_squares, 1, [64,256], Verdict::Upheld, HalfForTheBias),
        ("full spent", gaussian, 1, [16,64], Verdict::Upheld, SpentAtEveryLook),
        ("normal q", gaussian, 1, [16,64], Verdict::Upheld, NormalQuantiles),
    ] {
        for (alpha, n) in [(0.01, n/10), (1e-4, n)] {
        let n = if name.starts_with("t8") { n/10 } else {n};
        let b = Instant::now();
        let t = Synthetic { name, gaps, blocks, noise, wrong, rule }.run(alpha, n);
        println!("{name:16} {alpha:7} {n:8} wrong {:6} rate/alpha {:7.3} +- {:.3} looks {:.2} inc {:.3} {:.1}s", t.wrong, t.wrong as f64/n as f64/alpha, (t.wrong as f64).sqrt()/n as f64/alpha, t.looks as f64/n as f64, t.inconclusive as f64/n as f64, b.elapsed().as_secs_f64());
        }
    }
}
