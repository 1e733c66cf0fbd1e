//! Sequential looks: the budget doubles until a verdict is reached, and the error rate is spent.

/// Sample sizes of the looks: `first`, doubled until `budget` ends it, which is the last.
#[derive(Clone, Copy, Debug)]
pub struct Looks {
    next: u64,
    budget: u64,
    number: u32,
}

/// One look at the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// 1 for the first.
    pub number: u32,
    /// Sample size.
    pub size: u64,
    /// The share of the error rate that this look may spend. Look k spends `1/(k(k + 1))`, which leaves 1/k at
    /// look k, and the last spends what is left: the shares add up to 1, so that the error rate holds whatever
    /// the data and wherever it stops.
    pub share: f64,
    /// Whether no other follows.
    pub is_last: bool,
}

impl Looks {
    /// Looks from `first` up to `budget`, in the same unit; always at least one.
    pub fn new(first: u64, budget: u64) -> Self {
        Self { next: first, budget, number: 0 }
    }
}

impl Iterator for Looks {
    type Item = Look;

    fn next(&mut self) -> Option<Look> {
        if self.number > 0 && self.next > self.budget {
            return None;
        }
        self.number += 1;
        let size = self.next;
        self.next = if size < self.budget { self.budget.min(size.saturating_mul(2)) } else { u64::MAX };
        let is_last = size >= self.budget;
        let k = f64::from(self.number);
        let share = if is_last { 1.0 / k } else { 1.0 / (k * (k + 1.0)) };
        Some(Look { number: self.number, size, share, is_last })
    }
}
