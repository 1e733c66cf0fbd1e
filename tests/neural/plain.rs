//! The networks once more, one sample and one position at a time, by the formulas and by std. Shares nothing with the crate
//! but the order of the parameters.

/// Reads parameters one behind the other.
pub struct Reader<'a>(pub &'a [f64]);

type Rows = Vec<Vec<f64>>;

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [f64] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn project(&mut self, x: &Rows, outputs: usize) -> Rows {
        let w = self.take(x[0].len() * outputs);
        let entry =
            |row: &Vec<f64>, o: usize| row.iter().enumerate().map(|(i, x)| x * w[i * outputs + o]).sum();
        x.iter().map(|row| (0..outputs).map(|o| entry(row, o)).collect()).collect()
    }

    fn linear(&mut self, x: &Rows, outputs: usize) -> Rows {
        let projected = self.project(x, outputs);
        let bias = self.take(outputs);
        projected.iter().map(|row| row.iter().zip(bias).map(|(x, b)| x + b).collect()).collect()
    }

    /// Over each row, or over all of them together.
    fn normalise(&mut self, x: &Rows, together: bool) -> Rows {
        let width = x[0].len();
        let (scale, shift) = (self.take(width), self.take(width));
        let moments = |numbers: &[f64]| {
            let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
            let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / numbers.len() as f64;
            (mean, (variance + 1e-5).sqrt())
        };
        let of_all = moments(&x.concat());
        x.iter()
            .map(|row| {
                let (mean, deviation) = if together { of_all } else { moments(row) };
                let normal = row.iter().map(|x| (x - mean) / deviation);
                normal.zip(scale.iter().zip(shift)).map(|(x, (scale, shift))| scale * x + shift).collect()
            })
            .collect()
    }

    /// Blocks of attention and MLP, and the last normalisation.
    fn transformer(
        &mut self,
        mut x: Rows,
        depth: usize,
        heads: usize,
        expansion: usize,
        causal: bool,
    ) -> Rows {
        let width = x[0].len();
        for _ in 0..depth {
            let normal = self.normalise(&x, false);
            let all = self.linear(&normal, 3 * width);
            let of_head = width / heads;
            let mut seen = vec![vec![0.0; width]; x.len()];
            for head in 0..heads {
                let part = |row: usize, which: usize| &all[row][which * width + head * of_head..][..of_head];
                for (t, seen) in seen.iter_mut().enumerate() {
                    let last = if causal { t } else { x.len() - 1 };
                    let score = |s: usize| {
                        let product: f64 = part(t, 0).iter().zip(part(s, 1)).map(|(q, k)| q * k).sum();
                        (product / (of_head as f64).sqrt()).exp()
                    };
                    let total: f64 = (0..=last).map(score).sum();
                    for s in 0..=last {
                        for (seen, value) in seen[head * of_head..].iter_mut().zip(part(s, 2)) {
                            *seen += score(s) / total * value;
                        }
                    }
                }
            }
            let attended = self.linear(&seen, width);
            add(&mut x, &attended);
            let normal = self.normalise(&x, false);
            let mut hidden = self.linear(&normal, expansion * width);
            each(&mut hidden, gelu);
            let out = self.linear(&hidden, width);
            add(&mut x, &out);
        }
        self.normalise(&x, false)
    }

    /// 3 × 3 convolution of `side × side` pixels without bias.
    fn convolve(&mut self, x: &Rows, side: usize, outputs: usize) -> Rows {
        let inputs = x[0].len();
        let w = self.take(9 * inputs * outputs);
        let mut out = vec![vec![0.0; outputs]; side * side];
        for (pixel, out) in out.iter_mut().enumerate() {
            for (tap, w) in w.chunks_exact(inputs * outputs).enumerate() {
                let row = (pixel / side + tap / 3).wrapping_sub(1);
                let column = (pixel % side + tap % 3).wrapping_sub(1);
                if row >= side || column >= side {
                    continue;
                }
                for (i, x) in x[row * side + column].iter().enumerate() {
                    for (o, out) in out.iter_mut().enumerate() {
                        *out += x * w[i * outputs + o];
                    }
                }
            }
        }
        out
    }

    fn activate(&mut self, x: &Rows) -> Rows {
        let mut active = self.normalise(x, true);
        each(&mut active, gelu);
        active
    }
}

fn add(x: &mut Rows, y: &Rows) {
    for (x, y) in x.iter_mut().flatten().zip(y.iter().flatten()) {
        *x += y;
    }
}

fn each(x: &mut Rows, f: fn(f64) -> f64) {
    x.iter_mut().flatten().for_each(|x| *x = f(*x));
}

fn gelu(x: f64) -> f64 {
    let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
    0.5 * x * (1.0 + inner.tanh())
}

/// −log of the probability of a label.
fn loss(logits: &[f64], label: usize) -> f64 {
    logits.iter().map(|logit| (logit - logits[label]).exp()).sum::<f64>().ln()
}

/// Mean loss over images, each of 64 pixels with its digit.
pub fn of_images(images: &[(Vec<f64>, usize)], logits: impl Fn(&[f64]) -> Vec<f64>) -> f64 {
    images.iter().map(|(image, digit)| loss(&logits(image), *digit)).sum::<f64>() / images.len() as f64
}

pub fn mlp(x: &[f64], image: &[f64], widths: &[usize], f: fn(f64) -> f64) -> Vec<f64> {
    let mut reader = Reader(x);
    let mut rows = vec![image.to_vec()];
    for &width in widths {
        rows = reader.linear(&rows, width);
        each(&mut rows, f);
    }
    reader.linear(&rows, 10).concat()
}

pub fn mlp_gelu(x: &[f64], image: &[f64], widths: &[usize]) -> Vec<f64> {
    mlp(x, image, widths, gelu)
}

pub fn resnet(x: &[f64], image: &[f64], channels: &[usize], blocks: usize) -> Vec<f64> {
    let mut reader = Reader(x);
    let mut side = 8;
    let mut rows = reader.convolve(&image.iter().map(|pixel| vec![*pixel]).collect(), side, channels[0]);
    for (stage, &channels) in channels.iter().enumerate() {
        if stage > 0 {
            let mean = |row: usize, column: usize, c: usize| {
                let pixel = |down: usize, right: usize| rows[(2 * row + down) * side + 2 * column + right][c];
                (pixel(0, 0) + pixel(0, 1) + pixel(1, 0) + pixel(1, 1)) / 4.0
            };
            let of_pixel = |(row, column)| (0..rows[0].len()).map(|c| mean(row, column, c)).collect();
            let half = side / 2;
            rows = (0..half * half).map(|pixel| of_pixel((pixel / half, pixel % half))).collect();
            side = half;
        }
        for _ in 0..blocks {
            let active = reader.activate(&rows);
            let inside = reader.convolve(&active, side, channels);
            let active = reader.activate(&inside);
            let mut out = reader.convolve(&active, side, channels);
            let shortcut = if rows[0].len() == channels { rows } else { reader.project(&rows, channels) };
            add(&mut out, &shortcut);
            rows = out;
        }
    }
    let active = reader.activate(&rows);
    let mean = |c: usize| active.iter().map(|row| row[c]).sum::<f64>() / active.len() as f64;
    reader.linear(&vec![(0..rows[0].len()).map(mean).collect()], 10).concat()
}

/// Whatever the stack of blocks is.
#[derive(Clone, Copy)]
pub struct Stack {
    pub width: usize,
    pub heads: usize,
    pub depth: usize,
    pub expansion: usize,
}

pub fn vit(x: &[f64], image: &[f64], patch: usize, stack: Stack) -> Vec<f64> {
    let mut reader = Reader(x);
    let across = 8 / patch;
    let entry = |p: usize, e: usize| {
        let (row, column) = (p / across * patch + e / patch, p % across * patch + e % patch);
        image[row * 8 + column]
    };
    let patches = (0..across * across).map(|p| (0..patch * patch).map(|e| entry(p, e)).collect()).collect();
    let embedded = reader.linear(&patches, stack.width);
    let mut rows = vec![reader.take(stack.width).to_vec()];
    rows.extend(embedded);
    for row in &mut rows {
        row.iter_mut().zip(reader.take(stack.width)).for_each(|(x, p)| *x += p);
    }
    let rows = reader.transformer(rows, stack.depth, stack.heads, stack.expansion, false);
    reader.linear(&vec![rows[0].clone()], 10).concat()
}

/// Mean loss over windows of tokens, each with the next one behind it.
pub fn gpt2(x: &[f64], windows: &[Vec<usize>], vocabulary: usize, stack: Stack, causal: bool) -> f64 {
    let mut total = 0.0;
    for window in windows {
        let mut reader = Reader(x);
        let (seen, next) = (&window[..window.len() - 1], &window[1..]);
        let embedding = reader.take(vocabulary * stack.width);
        let of_token = |token: usize| &embedding[token * stack.width..][..stack.width];
        let mut rows: Rows = seen.iter().map(|token| of_token(*token).to_vec()).collect();
        for row in &mut rows {
            row.iter_mut().zip(reader.take(stack.width)).for_each(|(x, p)| *x += p);
        }
        let rows = reader.transformer(rows, stack.depth, stack.heads, stack.expansion, causal);
        for (row, token) in rows.iter().zip(next) {
            let logit = |token| of_token(token).iter().zip(row).map(|(e, x)| e * x).sum();
            let logits: Vec<f64> = (0..vocabulary).map(logit).collect();
            total += loss(&logits, *token) / (next.len() * windows.len()) as f64;
        }
    }
    total
}
