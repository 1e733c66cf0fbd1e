//! `[sweep]`: the scenario with other numbers in the place of some of its own.

use super::parse::{Axis, Scenario, SweepParameters};
use super::validate;
use crate::claim::{Quantity, Sweep, SweptAxis, SweptPoint};
use crate::parameter::{Invalid, shown};
use std::path::Path;
use toml::{Table, Value};

const MOST_AXES: usize = 2;
const MOST_POINTS: usize = 400;

/// Builds the models of all points. A value that makes no sense leaves its point undefined, with the reason.
pub(super) fn build(
    parameters: &SweepParameters,
    text: &str,
    folder: &Path,
    is_sampled: bool,
) -> Result<Sweep, Invalid> {
    let SweepParameters { axes, quantity } = parameters;
    if !(1..=MOST_AXES).contains(&axes.len()) {
        return Err(Invalid::new("axes", format!("{} of them; expected 1 or {MOST_AXES}", axes.len())));
    }
    let document: Table = text.parse().map_err(|_| Invalid::new("", "the text is no TOML"))?;
    for (index, axis) in axes.iter().enumerate() {
        check(axis, &document).map_err(|invalid| invalid.under(&format!("axes[{index}]")))?;
    }
    if let [first, second] = &**axes
        && first.parameter == second.parameter
    {
        let message = format!("{:?} again; expected another number", second.parameter);
        return Err(Invalid::new("axes[1].parameter", message));
    }
    let count: usize = axes.iter().map(|axis| axis.values.len()).product();
    if count > MOST_POINTS {
        return Err(Invalid::new("axes", format!("{count} points; expected at most {MOST_POINTS}")));
    }
    let points = (0..count).map(|index| point(&document, folder, axes, index, *quantity, is_sampled));
    let sweep = Sweep {
        axes: axes
            .iter()
            .map(|Axis { parameter, values }| SweptAxis {
                parameter: parameter.clone(),
                values: values.clone(),
            })
            .collect(),
        quantity: *quantity,
        points: points.collect::<Result<_, _>>()?,
    };
    if sweep.points.iter().all(|point| matches!(point, SweptPoint::Undefined(_))) {
        let reason = sweep.points.iter().find_map(|point| match point {
            SweptPoint::Undefined(reason) => Some(reason.as_str()),
            SweptPoint::Defined { .. } => None,
        });
        let message =
            format!("defined nowhere ({}); expected a value that makes sense", reason.unwrap_or("no point"));
        return Err(Invalid::new("axes", message));
    }
    Ok(sweep)
}

fn check(axis: &Axis, document: &Table) -> Result<(), Invalid> {
    let Axis { parameter, values } = axis;
    let root = parameter.split(['.', '[']).next().unwrap_or_default();
    if !["objective", "agents", "run", "sde"].contains(&root) {
        return Err(Invalid::new(
            "parameter",
            format!(
                "{parameter:?}; expected a number of the model, below `objective`, `agents`, `run` or `sde`"
            ),
        ));
    }
    match entry(&mut document.clone(), parameter) {
        Some(Value::Integer(_) | Value::Float(_)) => {}
        _ => {
            let message = format!(
                "{parameter:?} is no number of this scenario; expected the key path of one that is written in it, such as \
                 \"run.learning_rate\""
            );
            return Err(Invalid::new("parameter", message));
        }
    }
    if values.len() < 2 {
        return Err(Invalid::new("values", format!("{} of them; expected at least 2", values.len())));
    }
    let unordered =
        values.windows(2).position(|pair| pair[0].is_nan() || pair[0] >= pair[1] || pair[1].is_nan());
    if let Some(index) = unordered {
        let message =
            format!("{} after {}; expected the least first", shown(values[index + 1]), shown(values[index]));
        return Err(Invalid::new(format!("values[{}]", index + 1), message));
    }
    Ok(())
}

/// What stands at a key path.
fn entry<'a>(document: &'a mut Table, path: &str) -> Option<&'a mut Value> {
    let mut keys = path.split(['.', '[']).filter(|key| !key.is_empty());
    let mut value = document.get_mut(keys.next()?)?;
    for key in keys {
        value = match value {
            Value::Table(table) => table.get_mut(key)?,
            Value::Array(list) => list.get_mut(key.strip_suffix(']')?.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// The point of this index, the last axis running fastest.
fn point(
    document: &Table,
    folder: &Path,
    axes: &[Axis],
    index: usize,
    quantity: Quantity,
    is_sampled: bool,
) -> Result<SweptPoint, Invalid> {
    let mut changed = document.clone();
    let mut left = index;
    for (number, Axis { parameter, values }) in axes.iter().enumerate().rev() {
        let at = left % values.len();
        left /= values.len();
        let value = values[at];
        let place = || {
            let message = format!("{}; expected a whole number of at least 0", shown(value));
            Invalid::new(format!("axes[{number}].values[{at}]"), message)
        };
        if let Some(entry) = entry(&mut changed, parameter) {
            *entry = match entry {
                Value::Integer(_) if value.fract() == 0.0 && value.abs() < 1e15 => {
                    Value::Integer(value as i64)
                }
                _ => Value::Float(value),
            };
        }
        // Only whole numbers can be read wrongly, and a fraction where a count stands is a slip of the pen, and no finding.
        changed.clone().try_into::<Scenario>().map_err(|_| place())?;
    }
    let mut scenario: Scenario =
        changed.try_into().map_err(|_| Invalid::new("axes", "the scenario cannot be read so"))?;
    scenario.objective.relative_to(folder);
    Ok(match validate::model(&scenario) {
        Ok(model) => SweptPoint::of(model, quantity, is_sampled),
        Err(invalid) => SweptPoint::Undefined(invalid.to_string()),
    })
}
