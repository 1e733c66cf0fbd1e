//! The ziggurat of Marsaglia and Tsang (2000) for the normal law: 256 layers of equal area.

use super::Stream;
use std::sync::LazyLock;

const LAYERS: usize = 256;

/// Start of the tail, the value at which 256 layers of equal area close at the mode.
const TAIL: f64 = 3.654_152_885_361_009;

/// Layer edges `x[0] > x[1] = TAIL > … > x[256] = 0` and `exp(−x²/2)` at each.
struct Layers {
    edge: [f64; LAYERS + 1],
    density: [f64; LAYERS + 1],
}

static LAYERS_OF_NORMAL: LazyLock<Layers> = LazyLock::new(|| {
    let density = |x: f64| libm::exp(-0.5 * x * x);
    let tail_area = (std::f64::consts::PI / 2.0).sqrt() * libm::erfc(TAIL * std::f64::consts::FRAC_1_SQRT_2);
    let area = TAIL * density(TAIL) + tail_area;
    let mut edge = [0.0; LAYERS + 1];
    edge[0] = area / density(TAIL);
    edge[1] = TAIL;
    for layer in 2..LAYERS {
        let above = area / edge[layer - 1] + density(edge[layer - 1]);
        edge[layer] = (-2.0 * libm::log(above)).sqrt();
    }
    Layers { edge, density: edge.map(density) }
});

pub(super) fn normal(stream: &mut Stream) -> f64 {
    let Layers { edge, density } = &*LAYERS_OF_NORMAL;
    loop {
        // The low eight bits choose the layer, the high 53 the place: no bit serves twice.
        let bits = stream.bits();
        let layer = (bits % LAYERS as u64) as usize;
        let signed = ((bits >> 11) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64) - 1.0;
        let x = signed * edge[layer];
        if x.abs() < edge[layer + 1] {
            return x;
        }
        if layer == 0 {
            return tail(stream).copysign(signed);
        }
        let height = density[layer + 1] + (density[layer] - density[layer + 1]) * stream.uniform();
        if height < libm::exp(-0.5 * x * x) {
            return x;
        }
    }
}

/// The normal law beyond `TAIL` (Marsaglia 1964).
fn tail(stream: &mut Stream) -> f64 {
    loop {
        let beyond = -libm::log(stream.uniform()) / TAIL;
        if -2.0 * libm::log(stream.uniform()) >= beyond * beyond {
            return TAIL + beyond;
        }
    }
}
