//! What moved between golden numbers and new ones, and by how many standard errors.

use super::Golden;
use crate::claim::Table;
use crate::parameter;

/// A number that moved.
struct Move {
    place: String,
    from: Option<f64>,
    to: Option<f64>,
    /// In standard errors of the golden mean, where that has one.
    standard_errors: Option<f64>,
}

impl Golden {
    /// What differs in `new`, in one line; none where every bit is the same. Why the numbers were blessed
    /// is no difference.
    pub fn difference(&self, new: &Golden) -> Option<String> {
        let headers = [
            ("title", self.title.clone(), new.title.clone()),
            ("seed", self.seed.to_string(), new.seed.to_string()),
            ("seeds", self.seeds.to_string(), new.seeds.to_string()),
            ("test functions", self.functions.join(", "), new.functions.join(", ")),
            ("times", format!("{:?}", self.times), format!("{:?}", new.times)),
        ];
        if let Some((what, from, to)) = headers.into_iter().find(|(_, from, to)| from != to) {
            return Some(format!("{what}: {} became {}", abridged(&from), abridged(&to)));
        }
        let mut moves = self.moves("optimizer", &self.optimizer, &new.optimizer);
        moves.extend(self.moves("SDE", &self.sde, &new.sde));
        let size = |moved: &Move| moved.standard_errors.unwrap_or(f64::INFINITY);
        let worst = moves.iter().max_by(|a, b| size(a).total_cmp(&size(b)))?;
        let shown = |value: Option<f64>| value.map_or("not finite".to_owned(), parameter::shown);
        let distance = match worst.standard_errors {
            Some(count) => format!("moved by {count:.2e} standard errors"),
            None => "moved".to_owned(),
        };
        let total = 2 * self.functions.len() * self.times.len();
        Some(format!(
            "{} {distance}, from {} to {}; {} of {total} means differ",
            worst.place,
            shown(worst.from),
            shown(worst.to),
            moves.len()
        ))
    }

    fn moves(&self, process: &str, from: &Table, to: &Table) -> Vec<Move> {
        let mut moves = Vec::new();
        for (row, function) in self.functions.iter().enumerate() {
            for (column, time) in self.times.iter().enumerate() {
                let (before, after) = (from.mean[row][column], to.mean[row][column]);
                let error = from.standard_error[row][column];
                if bits(before) == bits(after) && bits(error) == bits(to.standard_error[row][column]) {
                    continue;
                }
                let standard_errors = match (before, after, error) {
                    (Some(before), Some(after), Some(error)) if error > 0.0 => {
                        Some((after - before).abs() / error)
                    }
                    _ => None,
                };
                let place = format!("{process}: E {function} at t = {time:.4}");
                moves.push(Move { place, from: before, to: after, standard_errors });
            }
        }
        moves
    }
}

fn bits(value: Option<f64>) -> Option<u64> {
    value.map(f64::to_bits)
}

/// The text, cut where it is long.
fn abridged(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        text.to_owned()
    } else {
        text.chars().take(LONGEST).collect::<String>() + "…"
    }
}
