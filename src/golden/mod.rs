//! Golden outputs: moments at fixed seeds, kept in a folder, so that a change of any bit is seen.

mod difference;

use crate::claim::{Progress, Table};
use crate::ensemble::{BLOCK, Moments, Observables, Pair};
use crate::exact::expectations;
use crate::random::Role;
use crate::report::plot::{self, Curves};
use crate::scenario::{Experiment, InputError, is_line};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// The schema of golden numbers.
pub const SCHEMA: &str = "itocheck/golden/1";

/// Longest file of golden numbers that is read, in bytes.
const LONGEST_FILE: u64 = 1 << 28;

/// The golden numbers of one scenario: moments of both processes over the paths of its first look, or exact
/// ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    schema: String,
    /// Why these numbers are right where they differ from those before.
    pub because: String,
    title: String,
    seed: u64,
    seeds: u64,
    times: Vec<f64>,
    functions: Vec<String>,
    optimizer: Table,
    sde: Table,
}

/// The files of one scenario's golden output.
pub struct Files {
    /// Its numbers.
    pub numbers: PathBuf,
    /// Its overlay.
    pub overlay: PathBuf,
}

impl Files {
    /// Those of the scenario `name` in `folder`.
    pub fn of(folder: &Path, name: &str) -> Self {
        let file = |extension: &str| folder.join(format!("{name}.{extension}"));
        Self { numbers: file("json"), overlay: file("svg") }
    }
}

impl Golden {
    /// Exact expectations where the scenario is decided on them, else the moments of the paths of the first
    /// look. Both are those of `itocheck run`, so that the curves are the same where it decides at that look.
    pub fn compute(experiment: &Experiment, because: String, progress: &dyn Progress) -> Self {
        let model = &experiment.model;
        let seed = experiment.monte_carlo.seed;
        let blocks = experiment.monte_carlo.first_look().div_ceil(BLOCK as u64);
        let steps = model.run.steps;
        let steps_in_block = (BLOCK * steps) as u64;
        if !experiment.is_sampled {
            let observables = model.observables(model.all_functions().collect());
            if let Ok((optimizer, sde)) = expectations(model, &observables).complete(&observables.functions) {
                let table = |known| Table::exact(known, &observables);
                return Self::of(experiment, because, 0, &observables, [table(&optimizer), table(&sde)]);
            }
        }
        let observables = model.observables(model.functions().tested);
        progress.announce(blocks * steps_in_block);
        let mut moments = Moments::default();
        let pair = Pair {
            optimizer: &model.optimizer_process(seed, Role::Optimizer),
            sde: &model.sde_process(seed, Role::Sde, 0),
            observables: &observables,
            steps,
            controls: None,
        };
        moments.extend(&pair, 0..blocks, &|| progress.tick(steps_in_block));
        let table = |series| Table::new(series, &observables);
        let tables = [table(&moments.raw.optimizer), table(&moments.raw.sde)];
        Self::of(experiment, because, moments.seeds(), &observables, tables)
    }

    fn of(
        experiment: &Experiment,
        because: String,
        seeds: u64,
        observables: &Observables,
        [optimizer, sde]: [Table; 2],
    ) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            because,
            title: experiment.title.clone(),
            seed: experiment.monte_carlo.seed,
            seeds,
            times: observables.record_times.clone(),
            functions: observables.functions.iter().map(ToString::to_string).collect(),
            optimizer,
            sde,
        }
    }

    /// The golden numbers in a file; none where there is no file.
    pub fn load(file: &Path) -> Result<Option<Self>, InputError> {
        let text = match InputError::read(file, LONGEST_FILE, "golden numbers") {
            Ok(text) => text,
            Err(_) if is_missing(file) => return Ok(None),
            Err(error) => return Err(error),
        };
        let golden: Self =
            serde_json::from_str(&text).map_err(|error| InputError::json(file, &text, &error))?;
        if golden.schema != SCHEMA {
            let message = format!("the schema {:?}; expected {SCHEMA:?}", golden.schema);
            return Err(InputError::whole(file, message));
        }
        if let Some(name) = golden.functions.iter().chain([&golden.title]).find(|name| !is_line(name)) {
            let message = format!("the name {name:?}; expected one short line");
            return Err(InputError::whole(file, message));
        }
        if !golden.times.is_sorted_by(|earlier, later| earlier < later) {
            return Err(InputError::whole(file, "times that do not increase; expected record times"));
        }
        let (functions, times) = (golden.functions.len(), golden.times.len());
        if !golden.optimizer.has_shape(functions, times) || !golden.sde.has_shape(functions, times) {
            let message = format!(
                "a table of another shape; expected {functions} rows, one a function, of {times} numbers, one a time"
            );
            return Err(InputError::whole(file, message));
        }
        Ok(Some(golden))
    }

    /// The numbers as JSON, one row of a table on a line, so that a change of one function is one line.
    pub fn json(&self) -> io::Result<Vec<u8>> {
        let Self { schema, because, title, seed, seeds, times, functions, optimizer, sde } = self;
        let header = serde_json::to_string_pretty(&serde_json::json!({
            "schema": schema, "because": because, "title": title, "seed": seed, "seeds": seeds,
        }))?;
        let table = |table: &Table| -> io::Result<String> {
            let (mean, error) = (rows(&table.mean)?, rows(&table.standard_error)?);
            Ok(format!("{{\n\"mean\": [{mean}],\n\"standard_error\": [{error}]\n}}"))
        };
        let text = format!(
            "{},\n\"times\": {},\n\"functions\": [{}],\n\"optimizer\": {},\n\"sde\": {}\n}}\n",
            header.trim_end_matches(['}', '\n']),
            serde_json::to_string(times)?,
            rows(functions)?,
            table(optimizer)?,
            table(sde)?
        );
        Ok(text.into_bytes())
    }

    /// What figures draw of it.
    pub fn curves(&self) -> Curves<'_> {
        let Self { times, functions, optimizer, sde, seeds, .. } = self;
        Curves { times, functions, optimizer, sde, exact: None, are_exact: *seeds == 0 }
    }

    /// The overlay as SVG.
    pub fn overlay(&self) -> Result<Vec<u8>, String> {
        Ok(plot::overlay(&self.title, self.curves())?.unwrap_or_default())
    }
}

fn is_missing(file: &Path) -> bool {
    file.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// The items as JSON, each on a line.
fn rows<T: Serialize>(items: &[T]) -> io::Result<String> {
    let lines: Vec<String> = items.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    Ok(lines.iter().map(|line| format!("\n{line}")).collect::<Vec<_>>().join(","))
}
