//! What the names of test functions say, and how they are written in figures.

/// The groups of test functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// `x[i]`.
    Coordinates,
    /// `x[i]*x[j]`.
    Products,
    /// `p[k]`.
    Projections,
    /// `(x[i]-c[i])*(x[j]-c[j])/η`, and those of projections.
    Fluctuations,
    /// `|x|^2` and `|grad|^2`.
    Norms,
    /// `loss`.
    Loss,
    /// All others, exit among them.
    Bounded,
}

impl Group {
    /// All, in the order of legends.
    pub const ALL: [Self; 7] = [
        Self::Coordinates,
        Self::Products,
        Self::Projections,
        Self::Fluctuations,
        Self::Norms,
        Self::Loss,
        Self::Bounded,
    ];

    /// The group of a function.
    pub fn of(function: &str) -> Self {
        if function == "loss" {
            Self::Loss
        } else if function.starts_with("(x[") || function.starts_with("(p[") {
            Self::Fluctuations
        } else if function.starts_with("p[") {
            Self::Projections
        } else if function.starts_with('|') {
            Self::Norms
        } else if !function.starts_with("x[") {
            Self::Bounded
        } else if function.contains('*') {
            Self::Products
        } else {
            Self::Coordinates
        }
    }

    /// Its name in legends.
    pub fn label(self) -> &'static str {
        match self {
            Self::Coordinates => "coordinates",
            Self::Products => "products",
            Self::Projections => "projections",
            Self::Fluctuations => "fluctuations",
            Self::Norms => "squared norms",
            Self::Loss => "loss",
            Self::Bounded => "bounded, exit",
        }
    }
}

/// The factor of which `function` is the square, up to a divisor; none if it is no square.
pub(super) fn root(function: &str) -> Option<&str> {
    let (left, right) = product(function)?;
    (left == right).then_some(left)
}

fn product(function: &str) -> Option<(&str, &str)> {
    function.strip_suffix("/η").unwrap_or(function).split_once('*')
}

/// The expectation of the function.
pub(super) fn expectation(function: &str) -> String {
    if function == "exit" { "P(exit)".to_owned() } else { format!("E {}", pretty(function)) }
}

/// The function as mathematics has it: squares as powers, minus signs, no asterisks or carets.
pub(super) fn pretty(function: &str) -> String {
    let divisor = if function.ends_with("/η") { "/η" } else { "" };
    let text = match product(function) {
        Some((left, right)) if left == right => format!("{left}²{divisor}"),
        Some((left, right)) => {
            let dot = if left.ends_with(')') { "" } else { "·" };
            format!("{left}{dot}{right}{divisor}")
        }
        None => function.to_owned(),
    };
    text.replace('-', "−").replace("^2", "²")
}
