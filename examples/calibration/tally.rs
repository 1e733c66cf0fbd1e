//! Counts of verdicts.

use itocheck::claim::Verdict;

/// What verdicts came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Verdicts.
    pub verdicts: u64,
    /// Of these, wrong.
    pub wrong: u64,
    /// Of these, inconclusive.
    pub inconclusive: u64,
    /// Looks at the data, over all verdicts.
    pub looks: u64,
}

impl Tally {
    /// Of one verdict.
    pub fn of(verdict: Verdict, looks: u32, is_wrong: bool) -> Self {
        Self {
            verdicts: 1,
            wrong: u64::from(is_wrong),
            inconclusive: u64::from(verdict == Verdict::Inconclusive),
            looks: u64::from(looks),
        }
    }

    /// Of both.
    pub fn merged(self, other: Self) -> Self {
        Self {
            verdicts: self.verdicts + other.verdicts,
            wrong: self.wrong + other.wrong,
            inconclusive: self.inconclusive + other.inconclusive,
            looks: self.looks + other.looks,
        }
    }
}
