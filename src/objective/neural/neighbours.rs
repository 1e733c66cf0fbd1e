//! The operation that makes a convolution a product of matrices: the 3 × 3 neighbours of every pixel side by side.

use super::operations::numbers;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

/// From `[samples, height, width, channels]` to `[samples, height, width, 9 channels]`, row after row; zeros beyond the edges.
pub(super) fn neighbours(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Neighbours)
}

struct Neighbours;

impl CustomOp1 for Neighbours {
    fn name(&self) -> &'static str {
        "neighbours"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (samples, height, width, channels) = layout.shape().dims4()?;
        let x = numbers(x, layout)?;
        let mut out = vec![0.0; 9 * x.len()];
        for_each(samples, height, width, |pixel, tap, neighbour| {
            let out = &mut out[(9 * pixel + tap) * channels..][..channels];
            out.copy_from_slice(&x[neighbour * channels..][..channels]);
        });
        Ok((CpuStorage::F64(out), (samples, height, width, 9 * channels).into()))
    }

    fn bwd(&self, _x: &Tensor, _out: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(gradient.contiguous()?.apply_op1_no_bwd(&Transposed)?))
    }
}

/// Every pixel is given what its neighbours have of it.
struct Transposed;

impl CustomOp1 for Transposed {
    fn name(&self) -> &'static str {
        "transposed neighbours"
    }

    fn cpu_fwd(&self, gradient: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (samples, height, width, of_nine) = layout.shape().dims4()?;
        let channels = of_nine / 9;
        let gradient = numbers(gradient, layout)?;
        let mut out = vec![0.0; gradient.len() / 9];
        for_each(samples, height, width, |pixel, tap, neighbour| {
            let gradient = &gradient[(9 * pixel + tap) * channels..][..channels];
            let out = &mut out[neighbour * channels..][..channels];
            out.iter_mut().zip(gradient).for_each(|(out, gradient)| *out += gradient);
        });
        Ok((CpuStorage::F64(out), (samples, height, width, channels).into()))
    }
}

/// Visits every pixel with each of its neighbours, which tap 0 to 8 it is, and where it stands.
fn for_each(samples: usize, height: usize, width: usize, mut visit: impl FnMut(usize, usize, usize)) {
    for sample in 0..samples {
        for row in 0..height {
            for column in 0..width {
                let pixel = (sample * height + row) * width + column;
                for down in 0..3 {
                    for right in 0..3 {
                        let inside =
                            (1..=height).contains(&(row + down)) && (1..=width).contains(&(column + right));
                        if inside {
                            let neighbour = pixel + down * width + right - width - 1;
                            visit(pixel, 3 * down + right, neighbour);
                        }
                    }
                }
            }
        }
    }
}
