//! `validate`: every error of the manifests, where it is and what to write instead. Reads no secret.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use dataminer_schema::{
    diagnostic::{Code, Diagnostic, Severity},
    load::{SourceFile, load_config, load_fleet, load_observations},
};
use serde::Serialize;

use super::{Exit, Terminal, Tone};
use crate::source::{self, Limits, Refusal};

/// Check manifests and print every error with its place, code and cure
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files, or folders below which every *.yaml and *.yml is read
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    format_version: &'static str,
    files: usize,
    errors: usize,
    warnings: usize,
    diagnostics: &'a [Diagnostic],
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let (mut groups, mut refused) = (Vec::new(), Vec::new());
    for path in &args.paths {
        let (files, more) = source::read_tree(path, Limits::default())?;
        groups.push(files);
        refused.extend(more);
    }
    let files = groups.concat();
    let diagnostics = judge(groups, &refused);
    let errors = count(&diagnostics, Severity::Error);
    let warnings = count(&diagnostics, Severity::Warning);
    match args.output {
        Output::Json => {
            let files = files.len();
            terminal.json(&Report {
                format_version: "1.0",
                files,
                errors,
                warnings,
                diagnostics: &diagnostics,
            })?;
        }
        Output::Text => {
            for text in rendered(&files, &diagnostics) {
                terminal.line(text)?;
            }
            let tone = if errors > 0 { Tone::Bad } else { Tone::Good };
            let verdict = format!(
                "{} read: {}, {}",
                plural(files.len(), "file"),
                plural(errors, "error"),
                plural(warnings, "warning")
            );
            terminal.say(terminal.tint(verdict, tone));
            if files.is_empty() {
                terminal.say("nothing was found: manifests end in .yaml or .yml");
            }
        }
    }
    Ok(if errors > 0 { Exit::Failed } else { Exit::Ok })
}

/// What the files of one PATH are. A fleet is told apart from the rest by its place: a configuration inside a
/// fleet's folder is an error there, and must be one here.
enum Kind {
    Fleet,
    Observations,
    Configuration,
}

/// All diagnostics, in the order of path and place.
fn judge(groups: Vec<Vec<SourceFile>>, refused: &[Refusal]) -> Vec<Diagnostic> {
    let (mut fleet, mut observed, mut diagnostics) = (Vec::new(), Vec::new(), Vec::new());
    for mut group in groups {
        match kind_of(&group) {
            Kind::Fleet => fleet.append(&mut group),
            Kind::Observations => observed.append(&mut group),
            Kind::Configuration => diagnostics.extend(group.iter().flat_map(|file| load_config(file).1)),
        }
    }
    match source::assemble(&fleet, refused) {
        Ok((_, warnings)) => diagnostics.extend(warnings),
        Err(errors) => diagnostics.extend(errors),
    }
    diagnostics.extend(load_observations(&observed).1);
    diagnostics.sort_by(|a, b| (&a.path, a.line, a.column, a.code).cmp(&(&b.path, b.line, b.column, b.code)));
    diagnostics
}

fn kind_of(files: &[SourceFile]) -> Kind {
    let strangers = |diagnostics: Vec<Diagnostic>| {
        let strange: BTreeSet<_> = diagnostics
            .into_iter()
            .filter(|found| found.code == Code::KindNotHere)
            .map(|found| found.path)
            .collect();
        strange.len()
    };
    if files.is_empty() || strangers(load_fleet(files).1) < files.len() {
        Kind::Fleet
    } else if strangers(load_observations(files).1) < files.len() {
        Kind::Observations
    } else if files.iter().all(|file| strangers(load_config(file).1) == 0) {
        Kind::Configuration
    } else {
        Kind::Fleet
    }
}

/// Each diagnostic with a snippet of its file.
pub(super) fn rendered(files: &[SourceFile], diagnostics: &[Diagnostic]) -> Vec<String> {
    let texts: BTreeMap<&str, &SourceFile> = files.iter().map(|file| (file.path.as_str(), file)).collect();
    let render = |diagnostic: &Diagnostic| {
        let text = texts.get(diagnostic.path.as_str()).map(|file| String::from_utf8_lossy(&file.bytes));
        format!("{}\n", diagnostic.render_text(&text.unwrap_or_default()).trim_end())
    };
    diagnostics.iter().map(render).collect()
}

fn count(diagnostics: &[Diagnostic], severity: Severity) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count()
}

pub(super) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
