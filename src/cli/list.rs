//! `itocheck list`.

use super::key::Key;
use super::wrap::wrap;

/// Arguments of `itocheck list`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Of what; everything unless given.
    #[arg(value_enum)]
    topic: Option<Topic>,
}

/// What scenarios can name.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Topic {
    Objectives,
    Noises,
    Compressors,
    Optimizers,
    Claims,
    Mutants,
    Functions,
}

impl Topic {
    /// The heading, and the key whose value is named.
    fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Objectives => ("objectives: [objective.NAME]", "objective"),
            Self::Noises => ("noises: noise.NAME = { .. } in [[agents]]", "agents.noise"),
            Self::Compressors => ("compressors: compressor.NAME = { .. } in [[agents]]", "agents.compressor"),
            Self::Optimizers => ("optimizers: optimizer = \"NAME\"", "optimizer"),
            Self::Claims => ("claims: [claims.NAME] after [[claims]]", "claims"),
            Self::Mutants => ("mutants: mutant = \"NAME\" in [sde]", "sde.mutant"),
            Self::Functions => ("test functions: functions = [{ NAME = { .. } }]", "functions"),
        }
    }
}

/// Prints what can be named and returns the exit code.
pub fn run(arguments: &Arguments) -> u8 {
    let scenario = Key::scenario();
    let all = <Topic as clap::ValueEnum>::value_variants();
    let topics = arguments.topic.as_ref().map_or(all, std::slice::from_ref);
    let sections: Vec<String> = topics.iter().map(|topic| section(*topic, &scenario)).collect();
    super::print(&sections.join("\n"))
}

fn section(topic: Topic, scenario: &Key) -> String {
    let (heading, path) = topic.place();
    let mut text = format!("{heading}\n");
    for named in scenario.at(path).into_iter().flat_map(|key| &key.names) {
        text += &format!("\n  {}\n{}", named.name, wrap(&named.about, "    ", "    "));
        for parameter in &named.keys {
            describe(parameter, &parameter.name, &mut text);
        }
    }
    text
}

/// A parameter, the names that its value can have, and by their paths the keys below it.
fn describe(parameter: &Key, path: &str, text: &mut String) {
    let Key { about, takes, default, optional, keys, names, .. } = parameter;
    let presence = match default {
        Some(default) => format!(", default {default}"),
        None if *optional => ", optional".to_owned(),
        None => String::new(),
    };
    *text += &wrap(&format!("{path}: {takes}{presence}"), "      ", "          ");
    *text += &wrap(about, "          ", "          ");
    for name in names {
        *text += &wrap(&format!("{}: {}", name.form(), name.about), "            ", "                ");
    }
    for key in keys {
        describe(key, &format!("{path}.{}", key.name), text);
    }
}
