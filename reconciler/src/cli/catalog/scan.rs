//! `catalog scan`: reads package files and writes what they are.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context;
use dataminer_schema::{
    diagnostic::Severity as Level,
    id::{ClusterName, Sha256},
    load::{SourceFile, catalog_to_yaml, load_fleet},
    v1::catalog::{Package, PackageCatalog},
    version::PackageKind,
};
use serde::Serialize;

use super::{Exit, Terminal, Tone, bytes, explain, progress, write_file};
use crate::{
    cli::{Helpful, fleet, validate::plural},
    package::{
        Caps, Inspection, Severity,
        scan::{Scanned, count, scan, search},
    },
};

/// Read package files and write a PackageCatalog of them
///
/// Each file is hashed and looked into: name, archive, Update.zip, prerequisites with their executor, instructions.
/// What is wrong is told on stderr with its code and cure. A package with an error is left out, and the verb ends
/// with 1.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders, searched with their subfolders for .dmupgrade and .dmupdate, or such files
    #[arg(required = true, value_name = "DIR")]
    paths: Vec<PathBuf>,

    /// Name of the catalogue; that of FILE with --update, else `packages`
    #[arg(long, value_name = "NAME")]
    name: Option<ClusterName>,

    /// Write to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,

    /// A catalogue that is brought up to date: its name, builds, and what it says of renamed files stay
    ///
    /// Entries whose files were not found stay too, and are named. Every file is hashed anew. Comments are lost.
    #[arg(long, value_name = "FILE")]
    update: Option<PathBuf>,

    /// The JSON Schema that the first line names for editors: a URL, or a path as seen from the catalogue
    #[arg(long, value_name = "URL", default_value = "../schema/package-catalog.schema.json")]
    schema: String,

    /// Print notes too, not warnings and errors only
    #[arg(long)]
    notes: bool,

    /// Form of the output: the catalogue itself, everything that was found, or a table for people
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    #[default]
    Yaml,
    Json,
    Table,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    format_version: &'static str,
    packages: Vec<Reported<'a>>,
    errors: usize,
    warnings: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reported<'a> {
    /// Below the folder that was searched.
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a Sha256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<PackageKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<u32>,
    refused: bool,
    #[serde(flatten)]
    inspection: &'a Inspection,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let before = args.update.as_deref().map(|path| read_catalog(path, terminal)).transpose()?;
    let searched = search(&args.paths).map_err(|error| {
        let help = error.help();
        Helpful::new(error.to_string(), help)
    })?;
    let total = searched.found.iter().map(|found| found.size).sum();
    let bar = progress(total);
    let (begun, files) = (Instant::now(), searched.found.len());
    let mut number = 0;
    let scanned = scan(&searched.found, &Caps::DEFAULT, &|count| bar.inc(count), |one| {
        number += 1;
        if bar.is_hidden() {
            let line =
                format!("{number} of {files}: {} ({})", one.found.relative, bytes(one.inspection.size));
            terminal.say(line);
        }
    });
    bar.finish_and_clear();
    let seconds = begun.elapsed().as_secs_f64();
    tell(&scanned, args.notes, terminal);
    let catalog = catalog(args, before, &scanned, terminal);
    match args.output {
        Output::Yaml => {
            let modeline = format!("# yaml-language-server: $schema={}\n", args.schema);
            give(args, modeline + &catalog_to_yaml(&catalog), terminal)?;
        }
        Output::Json => {
            let mut text = serde_json::to_string_pretty(&report(&scanned))?;
            text.push('\n');
            give(args, text, terminal)?;
        }
        Output::Table => table(&scanned, terminal)?,
    }
    let refused = scanned.iter().filter(|one| one.inspection.refused()).count();
    let verdict = format!(
        "{} read ({}, {:.1} s): {} listed, {} refused, {}",
        plural(files, "package"),
        bytes(total),
        seconds,
        files - refused,
        refused,
        plural(count(&scanned, Severity::Warning), "warning")
    );
    let tone = if refused > 0 { Tone::Bad } else { Tone::Good };
    terminal.say(terminal.tint(verdict, tone));
    if files == 0 {
        terminal.say("nothing was found: packages end in .dmupgrade or .dmupdate");
    }
    Ok(if refused > 0 { Exit::Failed } else { Exit::Ok })
}

/// The one catalogue of a file.
fn read_catalog(path: &Path, terminal: &mut Terminal) -> anyhow::Result<PackageCatalog> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let file = SourceFile { path: path.display().to_string(), bytes };
    let (loaded, diagnostics) = load_fleet(std::slice::from_ref(&file));
    fleet::explain(std::slice::from_ref(&file), &diagnostics, terminal);
    let broken = diagnostics.iter().any(|diagnostic| diagnostic.severity == Level::Error);
    let mut catalogs = loaded.catalogs.into_iter();
    match (broken, catalogs.next(), catalogs.next(), loaded.clusters.is_empty()) {
        (false, Some(catalog), None, true) => Ok(catalog.value),
        _ => Err(Helpful::new(
            format!("{} is not one PackageCatalog without errors", path.display()),
            "name a file that holds exactly one PackageCatalog, or leave --update out",
        )
        .into()),
    }
}

/// Prints what was found, file by file.
fn tell(scanned: &[Scanned], notes: bool, terminal: &mut Terminal) {
    for one in scanned {
        let shown = |finding: &&crate::package::Finding| notes || finding.severity != Severity::Note;
        for finding in one.inspection.findings.iter().filter(shown) {
            explain(&one.found.relative, finding, terminal);
        }
    }
}

fn catalog(
    args: &Args,
    before: Option<PackageCatalog>,
    scanned: &[Scanned],
    terminal: &mut Terminal,
) -> PackageCatalog {
    let name = args.name.as_ref().map(ToString::to_string);
    let PackageCatalog { name: old_name, packages: old, builds } = before.unwrap_or_default();
    let name = name.or((!old_name.is_empty()).then_some(old_name)).unwrap_or_else(|| "packages".to_owned());
    let mut seen = BTreeSet::new();
    let mut packages: Vec<Package> = Vec::new();
    for mut package in scanned.iter().filter_map(Scanned::package) {
        // The same file in two folders is one entry; that it is there twice was told.
        if !seen.insert(package.file.to_lowercase()) {
            continue;
        }
        // What somebody wrote of a file whose name tells less is still true of the same bytes.
        if let Some(old) = old.iter().find(|old| old.file == package.file && old.sha256 == package.sha256) {
            (package.kind, package.version) = (old.kind, old.version.clone());
        }
        packages.push(package);
    }
    let refused: BTreeSet<String> = scanned.iter().map(|one| one.found.file_name().to_lowercase()).collect();
    for old in old {
        let lower = old.file.to_lowercase();
        if refused.contains(&lower) || seen.contains(&lower) {
            continue;
        }
        terminal.say(format!("`{}` was not found; its entry stays", old.file));
        packages.push(old);
    }
    packages.sort_by(|a, b| a.file.cmp(&b.file));
    PackageCatalog { name, packages, builds }
}

fn give(args: &Args, text: String, terminal: &mut Terminal) -> anyhow::Result<()> {
    match &args.output_file {
        Some(path) => write_file(path, &text),
        None => Ok(terminal.data(text)?),
    }
}

fn report(scanned: &[Scanned]) -> Report<'_> {
    let packages = scanned.iter().map(|one| {
        let named = one.inspection.named.as_ref();
        let version = named.and_then(|named| named.version.as_ref());
        Reported {
            path: &one.found.relative,
            sha256: one.sha256.as_ref(),
            kind: named.map(|named| named.kind),
            release: version.map(|version| version.clone().without_build().to_string()),
            build: version.and_then(dataminer_schema::version::Version::build),
            refused: one.inspection.refused(),
            inspection: &one.inspection,
        }
    });
    Report {
        format_version: "1.0",
        packages: packages.collect(),
        errors: count(scanned, Severity::Error),
        warnings: count(scanned, Severity::Warning),
    }
}

fn table(scanned: &[Scanned], terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut table = terminal.new_table(&["FILE", "KIND", "RELEASE", "SIZE", "SHA256", "CHECKS", "VERDICT"]);
    for one in scanned {
        let named = one.inspection.named.as_ref();
        let version = named.and_then(|named| named.version.as_ref());
        let update = one.inspection.update.as_ref();
        let warnings =
            one.inspection.findings.iter().filter(|finding| finding.severity == Severity::Warning).count();
        let (verdict, tone) = match (one.inspection.refused(), warnings) {
            (true, _) => ("refused".to_owned(), Tone::Bad),
            (false, 0) => ("good".to_owned(), Tone::Good),
            (false, warnings) => (plural(warnings, "warning"), Tone::Pending),
        };
        let known = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        table.add_row(vec![
            terminal.cell(&one.found.relative, Tone::Plain),
            terminal.cell(known(named.map(|named| format!("{:?}", named.kind))), Tone::Plain),
            terminal.cell(known(version.map(ToString::to_string)), Tone::Plain),
            terminal.cell(bytes(one.inspection.size), Tone::Plain),
            terminal.cell(known(one.sha256.as_ref().map(|sha256| sha256.short().to_string())), Tone::Faint),
            terminal.cell(known(update.map(|update| update.prerequisites.len().to_string())), Tone::Plain),
            terminal.cell(verdict, tone),
        ]);
    }
    Ok(terminal.table(table)?)
}
