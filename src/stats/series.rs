//! Means and standard errors of many quantities at once, from the means of blocks.

/// Mean and sum of squared deviations of vectors pushed one by one (Welford 1962), mergeable (Chan,
/// Golub and LeVeque 1979). Merged in a fixed order, the bits do not depend on threads.
#[derive(Clone, Debug, Default)]
pub struct Series {
    count: u64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Series {
    /// How many vectors were pushed.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The number of quantities.
    pub fn len(&self) -> usize {
        self.mean.len()
    }

    /// Whether nothing was pushed.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One more observation of every quantity.
    pub fn push(&mut self, values: &[f64]) {
        if self.count == 0 {
            self.mean = vec![0.0; values.len()];
            self.squares = vec![0.0; values.len()];
        }
        self.count += 1;
        let share = 1.0 / self.count as f64;
        for ((mean, squares), value) in self.mean.iter_mut().zip(&mut self.squares).zip(values) {
            let before = value - *mean;
            *mean += before * share;
            *squares += before * (value - *mean);
        }
    }

    /// All observations of `other` after those of `self`.
    pub fn merge(&mut self, other: Series) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = other;
            return;
        }
        let total = (self.count + other.count) as f64;
        let share = other.count as f64 / total;
        let weight = self.count as f64 * share;
        for index in 0..self.mean.len() {
            let difference = other.mean[index] - self.mean[index];
            self.mean[index] += difference * share;
            self.squares[index] += other.squares[index] + difference * difference * weight;
        }
        self.count += other.count;
    }

    /// Whether means and deviations of all quantities are finite.
    pub fn is_finite(&self) -> bool {
        self.mean.iter().chain(&self.squares).all(|value| value.is_finite())
    }

    /// The mean of quantity `index`.
    pub fn mean(&self, index: usize) -> f64 {
        self.mean[index]
    }

    /// The standard deviation of one observation of quantity `index`.
    pub fn standard_deviation(&self, index: usize) -> f64 {
        (self.squares[index] / (self.count as f64 - 1.0)).sqrt()
    }

    /// The standard error of the mean of quantity `index`.
    pub fn standard_error(&self, index: usize) -> f64 {
        self.standard_deviation(index) / (self.count as f64).sqrt()
    }

    /// Degrees of freedom of the standard errors.
    pub fn degrees_of_freedom(&self) -> f64 {
        self.count as f64 - 1.0
    }
}
