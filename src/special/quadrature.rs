//! Adaptive quadrature on an interval, for the integrals that have no closed form.

/// Nodes and weights of the 15-point Kronrod rule on [−1, 1] (Piessens et al., QUADPACK, 1983), from the
/// outermost to 0, and the weights of the 7-point Gauss rule, 0 at the nodes that it lacks.
const RULE: [(f64, f64, f64); 8] = [
    (0.991_455_371_120_812_6, 0.022_935_322_010_529_224, 0.0),
    (0.949_107_912_342_758_5, 0.063_092_092_629_978_56, 0.129_484_966_168_869_7),
    (0.864_864_423_359_769_1, 0.104_790_010_322_250_18, 0.0),
    (0.741_531_185_599_394_4, 0.140_653_259_715_525_92, 0.279_705_391_489_276_64),
    (0.586_087_235_467_691_1, 0.169_004_726_639_267_9, 0.0),
    (0.405_845_151_377_397_2, 0.190_350_578_064_785_4, 0.381_830_050_505_118_9),
    (0.207_784_955_007_898_47, 0.204_432_940_075_298_9, 0.0),
    (0.0, 0.209_482_141_084_727_82, 0.417_959_183_673_469_4),
];

/// Halvings of the interval: below that an integrand that still resists has no limit here.
const DEEPEST: u32 = 40;

/// `∫_from^to f`, halving the interval until the two rules differ by less than `tolerance` on every part.
/// As the Kronrod rule is by far the better of the two, the error is below that. The tolerance is not shared
/// out over the parts: short ones would have to be below rounding.
pub fn integrate(f: &impl Fn(f64) -> f64, from: f64, to: f64, tolerance: f64) -> f64 {
    part(f, from, to, tolerance, 0)
}

fn part(f: &impl Fn(f64) -> f64, from: f64, to: f64, tolerance: f64, depth: u32) -> f64 {
    let (centre, half) = (0.5 * (from + to), 0.5 * (to - from));
    let (mut kronrod, mut gauss) = (0.0, 0.0);
    for (node, of_kronrod, of_gauss) in RULE {
        let values = if node == 0.0 { f(centre) } else { f(centre - half * node) + f(centre + half * node) };
        kronrod += of_kronrod * values;
        gauss += of_gauss * values;
    }
    // What is not a number does not become one by halving.
    let differ = ((kronrod - gauss) * half).abs() > tolerance;
    if !differ || depth == DEEPEST {
        return kronrod * half;
    }
    part(f, from, centre, tolerance, depth + 1) + part(f, centre, to, tolerance, depth + 1)
}

/// `∫_from^to f_j` for every j at once, where `f(x, out)` evaluates all of them: halves the interval until
/// the two rules of every one differ by less than `tolerance` on every part.
pub fn integrate_each(f: &impl Fn(f64, &mut [f64]), from: f64, to: f64, tolerance: f64, out: &mut [f64]) {
    out.fill(0.0);
    part_of_each(f, from, to, tolerance, 0, out);
}

fn part_of_each(
    f: &impl Fn(f64, &mut [f64]),
    from: f64,
    to: f64,
    tolerance: f64,
    depth: u32,
    out: &mut [f64],
) {
    let (centre, half) = (0.5 * (from + to), 0.5 * (to - from));
    let mut values = vec![0.0; out.len()];
    let (mut kronrod, mut gauss) = (values.clone(), values.clone());
    for (node, of_kronrod, of_gauss) in RULE {
        let places = [centre - half * node, centre + half * node];
        for &place in &places[usize::from(node == 0.0)..] {
            f(place, &mut values);
            for (j, value) in values.iter().enumerate() {
                kronrod[j] += half * of_kronrod * value;
                gauss[j] += half * of_gauss * value;
            }
        }
    }
    let differ = kronrod.iter().zip(&gauss).any(|(kronrod, gauss)| (kronrod - gauss).abs() > tolerance);
    if !differ || depth == DEEPEST {
        out.iter_mut().zip(kronrod).for_each(|(sum, part)| *sum += part);
        return;
    }
    part_of_each(f, from, centre, tolerance, depth + 1, out);
    part_of_each(f, centre, to, tolerance, depth + 1, out);
}
