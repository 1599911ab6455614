//! `version`.

use std::fmt::Write as _;

use super::{Exit, Terminal};

/// Print the version
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Output {
    #[default]
    Text,
    Json,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let facts = [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("apiVersion", "dataminer.gitops/v1".to_owned()),
        ("planFormat", dataminer_schema::plan::FORMAT_VERSION.to_owned()),
        ("os", std::env::consts::OS.to_owned()),
        ("arch", std::env::consts::ARCH.to_owned()),
    ];
    match args.output {
        Output::Json => {
            let facts: serde_json::Map<_, _> =
                facts.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            terminal.json(&facts)?;
        }
        Output::Text => {
            let mut text = String::new();
            for (name, value) in facts {
                writeln!(text, "{name:<11} {value}")?;
            }
            terminal.data(text)?;
        }
    }
    Ok(Exit::Ok)
}
