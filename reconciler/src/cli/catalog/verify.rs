//! `catalog verify`: every catalogued package, looked up and hashed again.

use std::path::PathBuf;

use serde::Serialize;

use super::{Exit, Terminal, Tone, explain, progress};
use crate::{
    cli::{Helpful, fleet, validate::plural},
    config::Overrides,
    package::{
        Caps, Severity,
        verify::{Verified, Wanted, verify},
    },
    packages::PackagePlaces,
};

/// Hash every catalogued package again and compare it with its entry
///
/// Ends with 1 if a package is missing or anything differs: size, SHA-256, fingerprints, what is inside.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the manifests
    #[arg(short = 'f', long = "fleet", value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// Folders that hold the packages; may be given several times
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    packages: Vec<PathBuf>,

    /// The process's configuration: it says where packages are
    #[arg(long, value_name = "FILE", env = "DATAMINER_RECONCILER_CONFIG")]
    config: Option<PathBuf>,

    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    #[default]
    Text,
    Json,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    format_version: &'static str,
    packages: &'a [Verified],
    bad: usize,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let mut folders = args.packages.clone();
    if folders.is_empty()
        && let Some(path) = &args.config
    {
        let config = super::super::read_config(path, &Overrides::default(), terminal)?;
        folders = config.package_folders()?;
    }
    let catalog = fleet::load(&args.folder, &[], terminal)?.catalog;
    let places = PackagePlaces::new(folders);
    let entries: Vec<_> = catalog.packages().collect();
    if entries.is_empty() {
        let message = format!("no package is catalogued below {}", args.folder.display());
        return Err(Helpful::new(message, "`catalog scan DIR` writes a catalogue").into());
    }
    let bar = progress(entries.iter().filter_map(|entry| entry.size).sum());
    let mut verified = Vec::new();
    for entry in &entries {
        let wanted = Wanted {
            file: &entry.file,
            source: entry.source.as_ref(),
            sha256: &entry.sha256,
            size: entry.size,
            insides: &entry.insides,
        };
        verified.push(verify(&wanted, &places, &Caps::DEFAULT, &|count| bar.inc(count)));
    }
    bar.finish_and_clear();
    let bad = verified.iter().filter(|one| !one.good()).count();
    match args.output {
        Output::Json => terminal.json(&Report { format_version: "1.0", packages: &verified, bad })?,
        Output::Text => {
            for one in &verified {
                tell(one, terminal)?;
            }
        }
    }
    let verdict =
        format!("{} compared: {} good, {bad} not", plural(verified.len(), "package"), verified.len() - bad);
    terminal.say(terminal.tint(verdict, if bad > 0 { Tone::Bad } else { Tone::Good }));
    Ok(if bad > 0 { Exit::Failed } else { Exit::Ok })
}

fn tell(one: &Verified, terminal: &mut Terminal) -> anyhow::Result<()> {
    let (word, tone) = match (one.good(), &one.path) {
        (true, _) => ("good", Tone::Good),
        (false, None) => ("missing", Tone::Bad),
        (false, Some(_)) => ("differs", Tone::Bad),
    };
    let word = terminal.tint(format!("{word:<8}"), tone);
    terminal.line(format!("{word} {}", one.file))?;
    for difference in &one.differences {
        terminal.line(format!("         {difference}"))?;
    }
    if let Some(help) = &one.help {
        terminal.line(format!("         help: {help}"))?;
    }
    // Errors alone: the scan told the rest, and somebody took the package all the same.
    for finding in one.findings.iter().filter(|finding| finding.severity == Severity::Error) {
        explain(&one.file, finding, terminal);
    }
    Ok(())
}
