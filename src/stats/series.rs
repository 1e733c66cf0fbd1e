//! Means, standard errors and confidence limits of many quantities at once, from the means of blocks.

/// Mean and sums of squared and cubed deviations of vectors pushed one by one (Welford 1962), mergeable (Chan,
/// Golub and LeVeque 1979; cubes by Pébay 2008). Merged in a fixed order, the bits do not depend on threads.
#[derive(Clone, Debug, Default)]
pub struct Series {
    count: u64,
    mean: Vec<f64>,
    squares: Vec<f64>,
    cubes: Vec<f64>,
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
            self.cubes = vec![0.0; values.len()];
        }
        self.count += 1;
        let share = 1.0 / self.count as f64;
        let sums = self.mean.iter_mut().zip(&mut self.squares).zip(&mut self.cubes);
        for (((mean, squares), cubes), value) in sums.zip(values) {
            let before = value - *mean;
            *mean += before * share;
            let square = before * (value - *mean);
            *cubes += before * share * (square * (self.count as f64 - 2.0) - 3.0 * *squares);
            *squares += square;
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
        let own_share = self.count as f64 / total;
        for index in 0..self.mean.len() {
            let difference = other.mean[index] - self.mean[index];
            let squares = own_share * other.squares[index] - share * self.squares[index];
            let cube = difference * difference * weight * (own_share - share);
            self.cubes[index] += other.cubes[index] + difference * (3.0 * squares + cube);
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

    /// The skewness of the mean of quantity `index`: that of one observation, over the root of their number. 0
    /// where all observations agree.
    pub fn skewness_of_mean(&self, index: usize) -> f64 {
        if self.squares[index] == 0.0 {
            return 0.0;
        }
        let deviation = self.standard_deviation(index);
        let n = self.count as f64;
        self.cubes[index] / (n * deviation * deviation * deviation) / n.sqrt()
    }

    /// Confidence limits for the expectation of quantity `index`, each of which is missed with the probability
    /// that the Student quantile `quantile` belongs to.
    ///
    /// Means of skewness γ make Student's t miss more often on one side, by a factor of about `exp(γq³/3)` deep
    /// in the tail. Moving that limit by `γ(2q² + 1)/6` standard errors corrects it to first order (Johnson 1978). No
    /// limit is moved inwards, and γ is taken one standard error of its estimate on the safe side.
    pub fn limits(&self, index: usize, quantile: f64) -> [f64; 2] {
        let n = self.count as f64;
        // The standard deviation of the skewness of n Gaussian observations (Fisher 1930).
        let unknown = (6.0 * n * (n - 1.0) / ((n - 2.0) * (n + 1.0) * (n + 3.0)) / n).sqrt();
        let skewness = self.skewness_of_mean(index);
        let half = |skewness: f64| {
            let shift = (skewness + unknown).max(0.0) * (2.0 * quantile * quantile + 1.0) / 6.0;
            (quantile + shift) * self.standard_error(index)
        };
        [self.mean[index] - half(-skewness), self.mean[index] + half(skewness)]
    }

    /// What `count` observations of the same law are expected to give, about each expectation the value `toward`
    /// of its quantity unless the mean is farther from it than `quantile` standard errors: by what is beyond.
    pub fn extrapolated(&self, count: u64, toward: impl Fn(usize) -> f64, quantile: f64) -> Self {
        let mean = |index: usize| {
            let target = toward(index);
            let difference = self.mean[index] - target;
            let beyond = (difference.abs() - quantile * self.standard_error(index)).max(0.0);
            target + difference.signum() * beyond
        };
        let growth = (count as f64 - 1.0) / (self.count as f64 - 1.0);
        let grown = |sums: &[f64]| sums.iter().map(|sum| growth * sum).collect();
        Self {
            count,
            mean: (0..self.mean.len()).map(mean).collect(),
            squares: grown(&self.squares),
            cubes: grown(&self.cubes),
        }
    }

    /// Degrees of freedom of the standard errors.
    pub fn degrees_of_freedom(&self) -> f64 {
        self.count as f64 - 1.0
    }
}
