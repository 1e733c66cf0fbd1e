//! The linear maps that shadows advance by. What they map stands row by row, and a row holds one number of every path
//! of a block: these are the lanes.

/// M of `s ← M s`, for s = (z, v, w) or s = (z, v).
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Transition {
    /// By row, column and value of the entries that are not 0.
    Sparse(Vec<(u32, u32, f64)>),
    /// `z ← A z` and `v ← A v Aᵀ` with a diagonal A.
    Diagonal(Vec<f64>),
    /// The same for any A, row by row, where v has all pairs.
    Dense(Vec<f64>),
}

impl Transition {
    /// From all entries, row by row.
    pub fn sparse(entries: &[f64], size: usize) -> Self {
        let entries = entries.iter().enumerate().filter(|(_, entry)| **entry != 0.0);
        let placed = |(at, entry): (usize, &f64)| ((at / size) as u32, (at % size) as u32, *entry);
        Self::Sparse(entries.map(placed).collect())
    }

    /// From A, row by row.
    pub fn of_propagator(a: &[f64], dimension: usize) -> Self {
        let is_diagonal = (0..a.len()).all(|at| at / dimension == at % dimension || a[at] == 0.0);
        if is_diagonal {
            Self::Diagonal(a.iter().copied().step_by(dimension + 1).collect())
        } else {
            Self::Dense(a.to_vec())
        }
    }

    /// Whether every entry is finite.
    pub fn is_finite(&self) -> bool {
        match self {
            Self::Sparse(entries) => entries.iter().all(|(_, _, entry)| entry.is_finite()),
            Self::Diagonal(entries) | Self::Dense(entries) => entries.iter().all(|entry| entry.is_finite()),
        }
    }

    /// `to = M from`.
    pub fn apply(&self, from: &[f64], to: &mut [f64], lanes: usize, pairs: &[(usize, usize)]) {
        match self {
            Self::Sparse(entries) => {
                to.fill(0.0);
                for &(row, column, entry) in entries {
                    add(
                        &mut to[row as usize * lanes..][..lanes],
                        entry,
                        &from[column as usize * lanes..][..lanes],
                    );
                }
            }
            Self::Diagonal(entries) => {
                let (z, v) = (entries.iter().copied(), pairs.iter().map(|&(i, j)| entries[i] * entries[j]));
                let rows = to.chunks_exact_mut(lanes).zip(from.chunks_exact(lanes));
                for ((to, from), factor) in rows.zip(z.chain(v)) {
                    to.iter_mut().zip(from).for_each(|(to, from)| *to = factor * from);
                }
            }
            Self::Dense(entries) => {
                let d = entries.len().isqrt();
                to.fill(0.0);
                product(entries, &from[..d * lanes], &mut to[..d * lanes], lanes);
                congruence(entries, &from[d * lanes..], &mut to[d * lanes..], lanes, pairs);
            }
        }
    }
}

/// `to += factor · from`.
fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
}

/// `to += A from`.
fn product(a: &[f64], from: &[f64], to: &mut [f64], lanes: usize) {
    let d = a.len().isqrt();
    for (to, row) in to.chunks_exact_mut(lanes).zip(a.chunks_exact(d)) {
        for (&entry, from) in row.iter().zip(from.chunks_exact(lanes)) {
            add(to, entry, from);
        }
    }
}

/// `to += A from Aᵀ`.
fn congruence(a: &[f64], from: &[f64], to: &mut [f64], lanes: usize, pairs: &[(usize, usize)]) {
    let d = a.len().isqrt();
    let mut column = vec![0.0; d * lanes];
    let mut moved = vec![0.0; d * d * lanes];
    for (j, moved) in moved.chunks_exact_mut(d * lanes).enumerate() {
        for (k, column) in column.chunks_exact_mut(lanes).enumerate() {
            column.copy_from_slice(&from[place(d, k, j) * lanes..][..lanes]);
        }
        product(a, &column, moved, lanes);
    }
    for (to, &(i, j)) in to.chunks_exact_mut(lanes).zip(pairs) {
        for (k, &entry) in a[j * d..][..d].iter().enumerate() {
            add(to, entry, &moved[(k * d + i) * lanes..][..lanes]);
        }
    }
}

/// Where the pair (i, j) stands among all pairs i ≤ j, row by row.
pub(super) fn place(dimension: usize, i: usize, j: usize) -> usize {
    let (low, high) = (i.min(j), i.max(j));
    low * (2 * dimension - low + 1) / 2 + high - low
}

/// All (i, j, k) with i ≤ j ≤ k.
pub(super) fn triples(dimension: usize) -> Vec<[usize; 3]> {
    let from = |i: usize| (i..dimension).flat_map(move |j| (j..dimension).map(move |k| [i, j, k]));
    (0..dimension).flat_map(from).collect()
}
