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
    /// The share of the error rate that look k may spend, `1/(k(k + 1))`.
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
        Some(Look { number: self.number, size, share: spent_at(self.number), is_last })
    }
}

/// The share of the error rate that look k spends: `1/(k(k + 1))`, which sums to at most 1 over any
/// number of looks, so that the total error rate holds whatever the data and whenever it stops.
pub fn spent_at(look: u32) -> f64 {
    let k = f64::from(look);
    1.0 / (k * (k + 1.0))
}
