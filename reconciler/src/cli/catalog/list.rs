//! `catalog list`: what the united catalogues offer.

use std::path::PathBuf;

use dataminer_core::{
    catalog::Entry,
    knowledge::{Knowledge, Software},
    release::Release,
};
use dataminer_schema::{
    id::Sha256,
    version::{Line, PackageKind},
};
use serde::Serialize;

use super::{Exit, Terminal, Tone, bytes};
use crate::cli::fleet;

/// Show the packages of all catalogues, by release
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the manifests
    #[arg(short = 'f', long = "fleet", value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    #[default]
    Table,
    Json,
    Yaml,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    format_version: &'static str,
    packages: Vec<Listed<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    /// Absent for tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<u32>,
    kind: PackageKind,
    file: &'a str,
    sha256: &'a Sha256,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    executor: Option<bool>,
    fingerprints: usize,
    /// Issues that are known of this release; of full packages only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    known_issues: Vec<String>,
    #[serde(skip)]
    order: (bool, Option<Place>, PackageKind),
}

/// Line, CU and build of a release.
type Place = (Line, u16, Option<u32>);

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let fleet = fleet::load(&args.folder, &[], terminal)?;
    let mut packages: Vec<Listed<'_>> =
        fleet.catalog.packages().map(|entry| listed(entry, &fleet.knowledge)).collect();
    packages.sort_by(|a, b| (&a.order, a.file).cmp(&(&b.order, b.file)));
    match args.output {
        Output::Json => terminal.json(&Report { format_version: "1.0", packages })?,
        Output::Yaml => terminal.yaml(&Report { format_version: "1.0", packages })?,
        Output::Table => {
            let mut table =
                terminal.new_table(&["RELEASE", "KIND", "BUILD", "SIZE", "ISSUES", "SHA256", "FILE"]);
            let known = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            for one in &packages {
                table.add_row(vec![
                    terminal.cell(known(one.release.clone()), Tone::Strong),
                    terminal.cell(format!("{:?}", one.kind), Tone::Plain),
                    terminal.cell(known(one.build.map(|build| build.to_string())), Tone::Plain),
                    terminal.cell(known(one.size.map(bytes)), Tone::Plain),
                    terminal.cell(known(issues(one)), Tone::Plain),
                    terminal.cell(one.sha256.short(), Tone::Faint),
                    terminal.cell(one.file, Tone::Plain),
                ]);
            }
            terminal.table(table)?;
        }
    }
    Ok(Exit::Ok)
}

/// How many issues are known; nothing of what is no full package.
fn issues(one: &Listed<'_>) -> Option<String> {
    (one.kind == PackageKind::Full).then(|| one.known_issues.len().to_string())
}

fn listed<'a>(entry: &'a Entry, knowledge: &Knowledge) -> Listed<'a> {
    let Entry { file, sha256, size, source, kind, release, insides } = entry;
    let full = release.as_ref().filter(|_| *kind == PackageKind::Full);
    let (known_issues, _perhaps) =
        full.map(|core| knowledge.issues_of(Software { core, web: None })).unwrap_or_default();
    Listed {
        known_issues: known_issues.into_iter().map(|issue| issue.id.clone()).collect(),
        release: release.as_ref().map(Release::name),
        build: release.as_ref().and_then(Release::build),
        kind: *kind,
        file,
        sha256,
        size: *size,
        source: source.as_ref().map(ToString::to_string),
        executor: insides.executor,
        fingerprints: insides.fingerprints.len(),
        // Tools last.
        order: (
            release.is_none(),
            release.as_ref().map(|release| (release.line(), release.cu_low(), release.build())),
            *kind,
        ),
    }
}
