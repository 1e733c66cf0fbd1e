//! Tables of what scenarios came to, one a kind and folder.

use super::results::{Outcome, Results};
use itocheck::claim::{Finding, MomentTables, ScaledFloor, SweepTable, SweptAxis, Worst};
use itocheck::report::Report;
use itocheck::scenario::Loaded;
use std::collections::{BTreeMap, BTreeSet};

/// What a table is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Scenarios whose SDE should track the optimizer.
    Tracking,
    /// Claims on scaling rules.
    Scaling,
    /// Scenarios at several values of a parameter.
    Sweeps,
}

/// By kind and folder.
pub type Tables = BTreeMap<(Kind, String), String>;

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tracking, Self::Scaling, Self::Sweeps];

    /// As markers have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tracking => "tracking",
            Self::Scaling => "scaling",
            Self::Sweeps => "sweeps",
        }
    }

    fn of(outcome: &Outcome) -> Self {
        let report = &outcome.report;
        if report.sweep.is_some() {
            Self::Sweeps
        } else if report.claims.iter().any(|claim| claim.scaling.is_some()) {
            Self::Scaling
        } else {
            Self::Tracking
        }
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Tracking => &[
                "scenario",
                "setting",
                "d",
                "paths",
                "functions",
                "f from start to end",
                "coefficients",
                "trajectory",
                "closest or farthest: gap, margin",
                "detectable, in margins",
            ],
            Self::Scaling => &["scenario", "setting", "d", "change", "paths", "ratio", "interval", "verdict"],
            Self::Sweeps => &[
                "scenario",
                "setting",
                "d",
                "values",
                "paths",
                "loss of the optimizer",
                "SDE over optimizer, farthest",
                "agreement",
                "power of the parameter",
                "power claimed",
            ],
        }
    }

    /// The rows of a scenario; what is the same in all of them stands in the first.
    fn rows(self, name: &str, outcome: &Outcome) -> Result<Vec<Vec<String>>, String> {
        let Outcome { loaded, report, .. } = outcome;
        let file = loaded.file.display();
        let rows = match self {
            Self::Tracking => Ok(vec![tracking(report)]),
            Self::Scaling => Ok(scaling(report)),
            Self::Sweeps => sweep(report).map(|row| vec![row]),
        };
        let wrong = |message: String| format!("{file}: {message}");
        let dimension = loaded.experiment.model.agents.dimension().to_string();
        let mut first =
            Some([format!("[{name}](../{file})"), setting(loaded).map_err(wrong)?, dimension].to_vec());
        let whole = |row: Vec<String>| [first.take().unwrap_or_else(|| vec![String::new(); 3]), row].concat();
        Ok(rows.map_err(wrong)?.into_iter().map(whole).collect())
    }
}

/// All tables that the results make.
pub fn all(results: &Results) -> Result<Tables, String> {
    let mut groups: BTreeMap<(Kind, String), Vec<(&String, &Outcome)>> = BTreeMap::new();
    for (name, outcome) in results {
        groups.entry((Kind::of(outcome), outcome.folder.clone())).or_default().push((name, outcome));
    }
    let mut tables = Tables::new();
    for (key, group) in groups {
        let kind = key.0;
        let columns = kind.columns();
        let mut table = line(columns) + &line(&vec!["---"; columns.len()]);
        for (name, outcome) in &group {
            let rows = kind.rows(name, outcome)?;
            table.extend(rows.iter().map(|row| line(row)));
        }
        tables.insert(key, format!("{table}\n{}\n", allowances(&group)));
    }
    Ok(tables)
}

fn line(cells: &[impl AsRef<str>]) -> String {
    let cell = |cell: &str| if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") };
    let cells: String = cells.iter().map(|text| cell(text.as_ref())).collect();
    format!("|{cells}\n")
}

/// What the claims of these scenarios allow, and how often they may be wrong.
fn allowances(group: &[(&String, &Outcome)]) -> String {
    let claims = || group.iter().flat_map(|(_, outcome)| &outcome.report.claims);
    let mut allowed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for claim in claims() {
        allowed.entry(&claim.kind).or_default().extend(claim.allowed.as_deref());
    }
    let allowed = allowed.into_iter().map(|(kind, allowed)| {
        let allowed: Vec<&str> = allowed.into_iter().collect();
        format!("`{kind}` {}", allowed.join(" or "))
    });
    let rates: BTreeSet<String> = claims().map(|claim| format!("{:e}", claim.error_rate)).collect();
    let (allowed, rates): (Vec<String>, Vec<String>) = (allowed.collect(), rates.into_iter().collect());
    format!("Allowed: {}. Error rate: {}.", allowed.join(", "), rates.join(" or "))
}

fn tracking(report: &Report) -> Vec<String> {
    let of = |kind: &str| report.claims.iter().find(|claim| claim.kind == kind);
    let verdict = |claim: Option<&Finding>| {
        claim.map_or_else(|| "not claimed".to_owned(), |claim| claim.verdict.to_string())
    };
    let trajectory = of("trajectory");
    let worst = trajectory.and_then(|claim| claim.worst.as_ref());
    let closest = worst.and_then(|worst| {
        let Worst { function, estimate, margin, .. } = worst;
        Some(format!("{}: {}, {}", pretty(function), two_digits((*estimate)?), two_digits(*margin)))
    });
    let detectable = trajectory.and_then(|claim| {
        let margins = claim.detectable_gap? / claim.worst.as_ref()?.margin;
        Some(format!("{margins:.2}"))
    });
    vec![
        trajectory.map_or_else(none, |claim| claim.seeds.to_string()),
        report.moments.as_ref().map_or_else(none, |moments| moments.functions.len().to_string()),
        report.moments.as_ref().and_then(losses).unwrap_or_else(none),
        verdict(of("coefficients")),
        verdict(trajectory),
        closest.unwrap_or_else(none),
        detectable.unwrap_or_else(none),
    ]
}

/// The mean loss of the optimizer where the run begins and where it ends.
fn losses(moments: &MomentTables) -> Option<String> {
    let loss = moments.functions.iter().position(|function| function == "loss")?;
    let mean = &moments.optimizer.mean[loss];
    let [start, end] = [mean.first()?, mean.last()?];
    Some(format!("{:.3} → {:.3}", (*start)?, (*end)?))
}

fn scaling(report: &Report) -> Vec<Vec<String>> {
    let claims = report.claims.iter().filter_map(|claim| Some((claim, claim.scaling.as_ref()?)));
    let row = |(claim, scaled): (&Finding, &ScaledFloor)| {
        let interval = scaled.interval.map(|[low, high]| format!("{low:.3} to {high:.3}"));
        vec![
            change(scaled),
            claim.seeds.to_string(),
            scaled.ratio.map_or_else(none, |ratio| format!("{ratio:.3}")),
            interval.unwrap_or_else(none),
            claim.verdict.to_string(),
        ]
    };
    claims.map(row).collect()
}

/// The rule, and the factors that are not 1.
fn change(scaled: &ScaledFloor) -> String {
    let factors = &scaled.factors;
    let factors = [
        ("κ", factors.learning_rate),
        ("δ", factors.batch_size),
        ("β", factors.compression),
        ("α", factors.agents),
    ];
    let factors = factors.into_iter().filter(|(_, factor)| *factor != 1.0);
    let factors: Vec<String> = factors.map(|(name, factor)| format!("{name} = {factor}")).collect();
    match (&scaled.rule, factors.join(", ")) {
        (None, factors) if factors.is_empty() => "none, but compressed".to_owned(),
        (None, factors) => format!("{factors} alone"),
        (Some(rule), factors) => format!("{rule}: {factors}"),
    }
}

fn sweep(report: &Report) -> Result<Vec<String>, String> {
    let table = report.sweep.as_ref().ok_or("a report without its sweep")?;
    let losses = table.optimizer.value.iter().map(|loss| loss.map_or_else(none, |loss| format!("{loss:.3}")));
    let of = |kind: &'static str| report.claims.iter().filter(move |claim| claim.kind == kind);
    let agreement: Vec<String> = of("agreement").map(|claim| claim.verdict.to_string()).collect();
    let slopes: Vec<(String, String)> = of("slope").map(slope).collect::<Result<_, _>>()?;
    let joined = |cells: Vec<String>| if cells.is_empty() { none() } else { cells.join("; ") };
    Ok(vec![
        values(&table.axes),
        report.claims.iter().map(|claim| claim.seeds).max().map_or_else(none, |paths| paths.to_string()),
        losses.collect::<Vec<_>>().join(", "),
        farthest(table).map_or_else(none, |ratio| format!("{ratio:.3}")),
        if agreement.is_empty() { "not claimed".to_owned() } else { agreement.join("; ") },
        joined(slopes.iter().map(|(seen, _)| seen.clone()).collect()),
        joined(slopes.into_iter().map(|(_, claimed)| claimed).collect()),
    ])
}

/// The values of the parameters of a sweep.
pub fn values(axes: &[SweptAxis]) -> String {
    let axes = axes.iter().map(|axis| {
        let values: Vec<String> = axis.values.iter().map(|value| number(*value)).collect();
        format!("{} = {}", symbol(&axis.parameter), values.join(", "))
    });
    axes.collect::<Vec<_>>().join("; ")
}

/// Of the losses of the SDE over those of the optimizer that which is farthest from 1.
fn farthest(table: &SweepTable) -> Option<f64> {
    let both = table.sde.value.iter().zip(&table.optimizer.value);
    let ratios = both.filter_map(|(sde, optimizer)| Some((*sde)? / (*optimizer)?));
    ratios.max_by(|one, other| (one - 1.0).abs().total_cmp(&(other - 1.0).abs()))
}

/// The power with which a loss was seen to grow, and what was claimed of it.
fn slope(claim: &Finding) -> Result<(String, String), String> {
    let slope = claim.slope.as_ref().ok_or_else(|| format!("{:?}; expected a slope", claim.sentence))?;
    let four_decimals = |value: f64| minus(&format!("{value:.4}"));
    let interval =
        slope.interval.map(|[low, high]| format!(" ({} to {})", four_decimals(low), four_decimals(high)));
    let seen = slope.estimate.map_or_else(none, four_decimals) + &interval.unwrap_or_default();
    Ok((seen, format!("{}, {}", number(slope.expected), claim.verdict)))
}

/// Optimizer and run, and what the agents send.
pub fn setting(loaded: &Loaded) -> Result<String, String> {
    let scenario: toml::Table = loaded.text.parse().map_err(|error| format!("{error}"))?;
    let run = &loaded.experiment.model.run;
    let agents = scenario.get("agents").and_then(toml::Value::as_array).ok_or("no agents")?;
    let mut said: Vec<String> = Vec::new();
    for (group, built) in agents.iter().zip(loaded.experiment.model.agents.groups()) {
        let (noise, parameters) = named(group, "noise").ok_or("no noise")?;
        let mut words = vec![match noise {
            "gaussian" => "Gaussian noise".to_owned(),
            "student_t" => format!("{} noise", student_t(parameters, &scenario)),
            other => format!("noise `{other}`"),
        }];
        if let Some((compressor, _)) = named(group, "compressor") {
            words.push(format!("`{compressor}` with ω = {}", number(built.compressor.omega())));
        }
        let words = words.join(", ");
        if !said.contains(&words) {
            said.push(words);
        }
    }
    Ok(format!("{}, η = {}, {} steps", said.join("; "), number(run.learning_rate), run.steps))
}

/// What stands below a key of a group of agents: one name, and its parameters.
fn named<'a>(group: &'a toml::Value, key: &str) -> Option<(&'a str, &'a toml::Value)> {
    let (name, parameters) = group.get(key)?.as_table()?.iter().next()?;
    Some((name, parameters))
}

/// Student-t noise, with its degrees of freedom where a sweep does not change them.
fn student_t(parameters: &toml::Value, scenario: &toml::Table) -> String {
    let axes = scenario.get("sweep").and_then(|sweep| sweep.get("axes")?.as_array());
    let parameter = |axis: &toml::Value| axis.get("parameter")?.as_str().map(str::to_owned);
    let mut swept = axes.into_iter().flatten().filter_map(parameter);
    match parameters.get("dof") {
        Some(dof) if !swept.any(|parameter| parameter.ends_with(".dof")) => {
            let digit = |digit: char| char::from_u32('₀' as u32 + digit.to_digit(10)?);
            let below: Option<String> = dof.to_string().chars().map(digit).collect();
            below.map_or_else(|| format!("t of ν = {dof}"), |below| format!("t{below}"))
        }
        _ => "Student-t".to_owned(),
    }
}

/// The symbol of the number that a key path leads to.
fn symbol(parameter: &str) -> &str {
    match parameter.rsplit('.').next().unwrap_or(parameter) {
        "scale" => "σ",
        "dof" => "ν",
        other => other,
    }
}

/// A test function as mathematics has it.
fn pretty(function: &str) -> String {
    match function {
        "loss" => "f".to_owned(),
        "|x|^2" => "‖x‖²".to_owned(),
        "|grad|^2" => "‖∇f‖²".to_owned(),
        other => format!("`{}`", other.replace('|', "\\|")),
    }
}

/// What stands in a cell that has no value.
fn none() -> String {
    "–".to_owned()
}

fn number(value: f64) -> String {
    if value == f64::INFINITY { "∞".to_owned() } else { minus(&value.to_string()) }
}

/// With two digits that say something.
fn two_digits(value: f64) -> String {
    let exponent =
        format!("{value:.1e}").split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok());
    let decimals = usize::try_from(1 - exponent.unwrap_or(0)).unwrap_or(0);
    minus(&format!("{value:.decimals$}"))
}

fn minus(number: &str) -> String {
    number.replace('-', "−")
}
