//! `validate`: every error of the manifests, where it is and what to write instead. Reads no secret.

use std::path::PathBuf;

use dataminer_core::{catalog::Catalog, fleet_lint::lint_fleet, knowledge::Knowledge};
use dataminer_schema::{
    diagnostic::{Diagnostic, Paint, Severity},
    load::{Fleet, SourceFile, load_config, load_observations},
};

use jiff::Timestamp;

use super::{
    Exit, Terminal, Tone, fleet,
    report::{self, Findings, Format},
};
use crate::source::{self, Holding, Limits, Refusal};

/// Check manifests and print every error with its place, code and cure
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files, or folders below which every *.yaml and *.yml is read
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Folder of release knowledge of one's own, checked along
    #[arg(long, value_name = "DIR", env = "DATAMINER_RECONCILER_KNOWLEDGE")]
    knowledge: Option<PathBuf>,

    /// Check as if it were this time: what has expired by then is warned of
    #[arg(long, value_name = "TIME", value_parser = fleet::point_in_time)]
    now: Option<Timestamp>,

    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let mut given = Given::default();
    for path in args.paths.iter().chain(&args.knowledge) {
        let (files, refused) = source::read_tree(path, Limits::default())?;
        given.take(files, refused);
    }
    let diagnostics = given.judge(args.now.unwrap_or_else(Timestamp::now));
    let findings = Findings::new(given.files(), &diagnostics);
    report::write(&findings, args.output, terminal)?;
    let (errors, warnings) = (findings.count(Severity::Error), findings.count(Severity::Warning));
    let tone = if errors > 0 { Tone::Bad } else { Tone::Good };
    let read = findings.files().count();
    if args.output.has_verdict() {
        let verdict = format!(
            "{} read: {}, {}",
            plural(read, "file"),
            plural(errors, "error"),
            plural(warnings, "warning")
        );
        terminal.say(terminal.tint(verdict, tone));
        if read == 0 {
            terminal.say("nothing was found: manifests end in .yaml or .yml");
        }
    }
    Ok(if errors > 0 { Exit::Failed } else { Exit::Ok })
}

/// What the PATHs hold. What each of them is, its files say: a configuration inside a fleet's folder is an error
/// there, and must be one here.
#[derive(Default)]
struct Given {
    fleet: Vec<SourceFile>,
    observed: Vec<SourceFile>,
    configurations: Vec<SourceFile>,
    knowledge: Vec<SourceFile>,
    refused: Vec<Refusal>,
}

impl Given {
    /// Adds the files of one PATH.
    fn take(&mut self, files: Vec<SourceFile>, refused: Vec<Refusal>) {
        let place = match Holding::of(&files) {
            Holding::Fleet => &mut self.fleet,
            Holding::Observations => &mut self.observed,
            Holding::Configuration => &mut self.configurations,
            Holding::Knowledge => &mut self.knowledge,
        };
        place.extend(files);
        self.refused.extend(refused);
    }

    fn files(&self) -> impl Iterator<Item = &SourceFile> + Clone {
        self.fleet.iter().chain(&self.observed).chain(&self.configurations).chain(&self.knowledge)
    }

    /// All diagnostics, in the order of path and place. Every file is parsed once.
    fn judge(&self, now: Timestamp) -> Vec<Diagnostic> {
        let (knowledge, mut diagnostics) = match self.knowledge.as_slice() {
            [] => (None, Vec::new()),
            files => match Knowledge::built_in().extended(files) {
                Ok(knowledge) => (Some(knowledge), Vec::new()),
                Err(diagnostics) => (None, diagnostics),
            },
        };
        match source::assemble(&self.fleet, &self.refused) {
            Ok((fleet, warnings)) => {
                diagnostics.extend(warnings);
                diagnostics.extend(doubts(&fleet, knowledge.as_ref(), now));
            }
            Err(errors) => diagnostics.extend(errors),
        }
        diagnostics.extend(load_observations(&self.observed).1);
        diagnostics.extend(self.configurations.iter().flat_map(|file| load_config(file).1));
        diagnostics
            .sort_by(|a, b| (&a.path, a.line, a.column, a.code).cmp(&(&b.path, b.line, b.column, b.code)));
        diagnostics
    }
}

/// What is doubtful about a fleet without errors, at this time and by what is known of releases.
fn doubts(fleet: &Fleet, knowledge: Option<&Knowledge>, now: Timestamp) -> Vec<Diagnostic> {
    if fleet.catalogs.is_empty() && fleet.advisories.is_empty() {
        return Vec::new();
    }
    let knowledge = knowledge.unwrap_or_else(|| Knowledge::built_in());
    // Catalogues that contradict each other were reported with their places.
    let Ok(catalog) = Catalog::unite(&fleet.catalogs, knowledge) else { return Vec::new() };
    lint_fleet(fleet, &catalog, knowledge, now)
}

/// Each diagnostic with snippets of its files.
pub(super) fn rendered(files: &[SourceFile], diagnostics: &[Diagnostic]) -> Vec<String> {
    report::texts(files, diagnostics, Paint::Plain)
}

pub(super) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
