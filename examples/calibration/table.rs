//! Measured rates as a table, in Markdown.

use super::cases::Case;
use super::tally::Tally;
use itocheck::claim::Verdict;
use itocheck::stats::clopper_pearson;

/// How often one verdict was wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub case: String,
    pub wrong: String,
    /// α.
    pub error_rate: f64,
    /// Claims for which the verdict would be wrong.
    pub claims: u64,
    /// Of these, those that got it.
    pub count: u64,
}

impl Row {
    /// The row of one wrong verdict.
    pub fn new(case: &Case, wrong: Verdict, tally: &Tally) -> Self {
        let counted = tally.wrong(wrong);
        Self {
            case: case.name.to_owned(),
            wrong: wrong.to_string(),
            error_rate: case.error_rate,
            claims: counted.claims,
            count: counted.verdicts,
        }
    }

    /// The measured rate.
    pub fn rate(&self) -> f64 {
        self.count as f64 / self.claims as f64
    }

    /// α and three standard errors of a rate that is α.
    pub fn bound(&self) -> f64 {
        self.error_rate + 3.0 * (self.error_rate * (1.0 - self.error_rate) / self.claims as f64).sqrt()
    }

    /// The interval of Clopper and Pearson in which the true rate lies with 95 %.
    fn interval(&self) -> (f64, f64) {
        clopper_pearson(self.count, self.claims, 0.025)
    }

    /// The row in Markdown.
    pub fn line(&self, tally: &Tally, seconds: f64) -> String {
        let Self { case, wrong, error_rate, claims, count } = self;
        let (low, high) = self.interval();
        format!(
            "| {case} | {wrong} | {error_rate:e} | {claims} | {count} | {:.2e} | {low:.2e} to {high:.2e} | {:.2e} | {:.2} | \
             {:.1} % | {seconds:.0} |\n",
            self.rate(),
            self.bound(),
            tally.mean_looks(),
            100.0 * tally.inconclusive()
        )
    }

    /// The rows of all tables in a text, as far as they can be read back.
    pub fn read(text: &str) -> Vec<Row> {
        let row = |line: &str| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, case, wrong, error_rate, claims, count, ..] = cells[..] else { return None };
            Some(Row {
                case: case.to_owned(),
                wrong: wrong.to_owned(),
                error_rate: error_rate.parse().ok()?,
                claims: claims.parse().ok()?,
                count: count.parse().ok()?,
            })
        };
        text.lines().filter_map(row).collect()
    }
}

/// The head of a table.
pub const HEAD: &str = "\
| case | wrong verdict | α | claims | got it | rate | 95 % interval | α + 3 s.e. | looks | inconclusive | seconds |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
";
