//! Counts of verdicts and of wrong ones.

use itocheck::claim::Verdict;

/// Whether a claim is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// Every gap is inside its margin.
    Holds,
    /// Some gap is outside.
    Fails,
    /// The largest gap is as large as its margin: both wrong verdicts are as likely as they get.
    OnTheMargin,
}

impl Truth {
    /// Whether `verdict` would be wrong.
    fn forbids(self, verdict: Verdict) -> bool {
        match verdict {
            Verdict::Upheld => self != Self::Holds,
            Verdict::Refuted => self != Self::Fails,
            Verdict::Inconclusive => false,
        }
    }
}

/// How often one verdict came out where it is wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wrong {
    /// Claims for which it would be wrong.
    pub claims: u64,
    /// Of these, those that got it.
    pub verdicts: u64,
}

/// What verdicts came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    verdicts: u64,
    inconclusive: u64,
    looks: u64,
    upheld: Wrong,
    refuted: Wrong,
}

impl Tally {
    /// Of one verdict about a claim, after so many looks.
    pub fn of(verdict: Verdict, looks: u32, truth: Truth) -> Self {
        let wrong = |which| Wrong {
            claims: u64::from(truth.forbids(which)),
            verdicts: u64::from(truth.forbids(which) && verdict == which),
        };
        Self {
            verdicts: 1,
            inconclusive: u64::from(verdict == Verdict::Inconclusive),
            looks: u64::from(looks),
            upheld: wrong(Verdict::Upheld),
            refuted: wrong(Verdict::Refuted),
        }
    }

    /// Of both.
    pub fn merged(self, other: Self) -> Self {
        let both = |one: Wrong, other: Wrong| Wrong {
            claims: one.claims + other.claims,
            verdicts: one.verdicts + other.verdicts,
        };
        Self {
            verdicts: self.verdicts + other.verdicts,
            inconclusive: self.inconclusive + other.inconclusive,
            looks: self.looks + other.looks,
            upheld: both(self.upheld, other.upheld),
            refuted: both(self.refuted, other.refuted),
        }
    }

    /// How often `verdict`, upheld or refuted, was wrong.
    pub fn wrong(&self, verdict: Verdict) -> Wrong {
        if verdict == Verdict::Upheld { self.upheld } else { self.refuted }
    }

    /// Looks to a verdict.
    pub fn mean_looks(&self) -> f64 {
        self.looks as f64 / self.verdicts as f64
    }

    /// The share of verdicts that are neither.
    pub fn inconclusive(&self) -> f64 {
        self.inconclusive as f64 / self.verdicts as f64
    }
}
