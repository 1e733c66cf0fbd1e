//! How far one step of a wrong process is from one of the right one.

use super::{Coefficients, Entries, Entry, FIRST_BLOCKS, MOST_BLOCKS, Sampler, State};
use crate::claim::Difference;
use crate::claim::decision::Levels;
use crate::model::Model;
use crate::random::Role;
use crate::sde;
use crate::stats::{Looks, Series, student_quantile};

/// The probability that a sampled difference is said to be on the wrong side of its margin.
const FALSE_ALARM: f64 = 1e-6;

impl Coefficients {
    /// Where, of all states along the flow of the right drift and those of the claim, another SDE differs most from
    /// the right one, in margins of this claim. Nothing is sampled but the states.
    pub fn exact_difference(&self, right: &Model, wrong: &dyn sde::Sde, seed: u64) -> Difference {
        let eta = right.run.learning_rate;
        let d = right.dimension();
        let flow = right.observables(Vec::new());
        let along = flow.flow.iter().zip(&flow.record_times).map(|(x, &time)| State::at(right, x, time));
        let entries = Entries::all(right);
        let mut largest = Difference {
            function: entries.name(entries.list()[0]),
            time: 0.0,
            margins: 0.0,
            interval: [0.0; 2],
        };
        let mut of_wrong = sde::Coefficients::new(d);
        for state in along.chain(self.states(right, &entries, seed)) {
            wrong.coefficients(&state.x, &mut of_wrong);
            for &entry in entries.list() {
                let [of_wrong, of_right] = [&of_wrong, &state.coefficients]
                    .map(|coefficients| entries.value(entry, coefficients, &state));
                let margins = (of_wrong - of_right).abs() / self.allowed(&entries, entry, &state, eta);
                // What is not a number is no small difference.
                if margins > largest.margins || margins.is_nan() {
                    let margins = if margins.is_nan() { f64::MAX } else { margins };
                    let (function, time) = (entries.name(entry), state.time);
                    largest = Difference { function, time, margins, interval: [margins; 2] };
                }
            }
        }
        largest
    }

    /// The same for another optimizer, at the states of the claim. Both draw the same random numbers; the draws double
    /// until it is known on which side of the margin the difference is. None where no state shows all events of a step.
    pub fn sampled_difference(&self, right: &Model, wrong: &Model, seed: u64) -> Option<Difference> {
        let entries = Entries::of(right);
        let states = self.states(right, &entries, seed);
        let mut differences = vec![Series::default(); states.len()];
        let mut decisive = None;
        for look in Looks::new(FIRST_BLOCKS, MOST_BLOCKS) {
            let levels = Levels::new(FALSE_ALARM, look, states.len() * entries.len());
            let mut found = Vec::new();
            for (index, (state, series)) in states.iter().zip(&mut differences).enumerate() {
                let role = Role::Increments(index as u32);
                let [right, wrong] =
                    [right, wrong].map(|model| Sampler { model, entries: &entries, seed, role });
                wrong.extend_by_difference(&right, series, state, series.count()..look.size);
                let quantile = student_quantile(series.degrees_of_freedom(), levels.refuted);
                for (index, &entry) in entries.list().iter().enumerate() {
                    let allowed = self.allowed(&entries, entry, state, right.model.run.learning_rate);
                    let [low, high] = series.limits(index, quantile);
                    let interval = [low.max(-high).max(0.0), high.max(-low)].map(|size| size / allowed);
                    let margins = series.mean(index).abs() / allowed;
                    found.push(Difference {
                        function: entries.name(entry),
                        time: state.time,
                        margins,
                        interval,
                    });
                }
            }
            decisive = Difference::decisive(found.into_iter());
            if decisive.as_ref().is_none_or(|decisive| decisive.is_within() || decisive.is_beyond()) {
                break;
            }
        }
        decisive
    }

    /// What the claim allows of an entry, rounding included.
    fn allowed(&self, entries: &Entries, entry: Entry, state: &State, eta: f64) -> f64 {
        let (allowed, rounding) = entries.margin_and_rounding(entry, state, self.margin, eta);
        allowed + 4.0 * rounding
    }
}
