//! `bump`: newer versions from the catalogue into the manifests, for an update pull request.

mod apply;
mod output;
mod places;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use dataminer_core::bump::{Decision, Field, Ground, Share, Wish, agree, decide};
use dataminer_schema::{
    id::ClusterName,
    load::{Fleet, Located, SourceFile},
    v1::{cluster::Cluster, observation::Observation},
    version::{Track, Version},
};

use self::{
    apply::Edits,
    output::Row,
    places::{Place, Written},
};
use super::{Exit, Helpful, Terminal, fleet};
use crate::source::{self, Limits};

/// Raise the versions of manifests to the newest that the catalogue offers
///
/// Changes the versions in place and not a byte beside them. Main Releases stay Main Releases and Feature Releases
/// Feature Releases, unless --track says otherwise; nothing is ever lowered, and nothing is written that the planner
/// would refuse.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the manifests
    #[arg(short = 'f', long = "fleet", value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// Clusters to raise; all of them if none is named
    #[arg(value_name = "CLUSTER")]
    clusters: Vec<ClusterName>,

    /// Track to follow; each version stays on its own if absent
    #[arg(long, value_enum)]
    track: Option<TrackName>,

    /// Highest version to write; without a CU every CU of that release is taken
    #[arg(long, value_name = "VERSION")]
    to: Option<Version>,

    /// Only newer CUs of the releases that are wanted already
    #[arg(long)]
    cu_only: bool,

    /// Observations, files or folders: what runs is never passed downwards, and hotfixes that run are left alone
    #[arg(long, value_name = "PATH")]
    observed: Vec<PathBuf>,

    /// Folder of release knowledge of one's own
    #[arg(long, value_name = "DIR")]
    knowledge: Option<PathBuf>,

    /// Write nothing, and end with 1 if something could be raised
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,

    /// Write nothing
    #[arg(long)]
    dry_run: bool,

    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum TrackName {
    Main,
    Feature,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Output {
    #[default]
    Table,
    Json,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let (files, refused) = source::read_tree(&args.folder, Limits::default())?;
    let fleet = fleet::assemble(&args.folder, &files, &refused, terminal)?;
    let knowledge = fleet::knowledge(args.knowledge.as_deref(), terminal)?;
    let catalog = fleet::unite(&fleet.catalogs, &knowledge)?;
    if catalog.packages().next().is_none() {
        terminal.say(format!("no catalogue below {} offers a package", args.folder.display()));
    }
    fleet::known(&args.folder, fleet.clusters.iter().map(|cluster| &cluster.value.name), &args.clusters)?;
    let observations = fleet::observations(&args.observed, terminal)?;
    let wish = Wish {
        track: args.track.map(|track| match track {
            TrackName::Main => Track::Main,
            TrackName::Feature => Track::Feature,
        }),
        ceiling: args.to.clone(),
        same_release: args.cu_only,
    };
    let mut decisions =
        decide_all(&fleet, &observations, Ground { catalog: &catalog, knowledge: &knowledge }, &wish);
    let written = places::of(&fleet, &files);
    let shares: Vec<Share<Place>> = written.iter().map(Written::share).collect();
    agree(&mut decisions, &shares);
    let moved = moved(&decisions, &written, &args.clusters);
    let edits = Edits::plan(&fleet, &files, &decisions, &written, &moved)?;
    edits.verify(&fleet, &files, &decisions, &moved)?;
    let rows = output::rows(&fleet, &decisions, &written, &moved, &args.clusters);
    let raises = rows.iter().any(Row::raises);
    let writes = raises && !args.check && !args.dry_run;
    if writes {
        edits.write(&files)?;
    }
    match args.output {
        Output::Json => output::json(&rows, writes, terminal)?,
        Output::Table => output::table(&rows, terminal)?,
    }
    output::verdict(&rows, edits.count(), writes, terminal);
    Ok(if args.check && raises { Exit::Failed } else { Exit::Ok })
}

fn decide_all(fleet: &Fleet, observations: &[Observation], ground: Ground<'_>, wish: &Wish) -> Vec<Decision> {
    let seen: BTreeMap<&ClusterName, &Observation> =
        observations.iter().map(|seen| (&seen.cluster, seen)).collect();
    let decide = |cluster: &Located<Cluster>| {
        decide(&cluster.value, seen.get(&cluster.value.name).copied(), ground, wish)
    };
    fleet.clusters.iter().map(decide).collect()
}

/// Which clusters are raised: those that were asked for, and whoever shares a raised value with one of them. Core and web
/// apps of a cluster were chosen together, so whoever is moved is moved in both.
fn moved(decisions: &[Decision], written: &[Written], asked: &[ClusterName]) -> BTreeSet<usize> {
    let chosen = |decision: &Decision| asked.is_empty() || asked.contains(&decision.cluster);
    let mut moved: BTreeSet<usize> = (0..decisions.len()).filter(|at| chosen(&decisions[*at])).collect();
    loop {
        let places: BTreeSet<&Place> = written
            .iter()
            .filter(|written| {
                let raised = decisions.get(written.cluster).map(|own| own.verdict(written.field).raise());
                moved.contains(&written.cluster) && raised.flatten().is_some()
            })
            .map(|written| &written.place)
            .collect();
        let drawn = written.iter().filter(|written| places.contains(&written.place));
        let before = moved.len();
        moved = drawn.map(|written| written.cluster).chain(moved.iter().copied()).collect();
        if moved.len() == before {
            return moved;
        }
    }
}

/// A raise of a value that stands nowhere cannot be written.
fn nowhere(cluster: &ClusterName, field: Field) -> anyhow::Error {
    Helpful::new(
        format!("where the {field} of {cluster} is written was not found"),
        "this is a fault of the program; please report it with the manifest",
    )
    .into()
}

fn file_of<'a>(files: &'a [SourceFile], path: &str) -> Option<&'a SourceFile> {
    files.iter().find(|file| file.path == path)
}

#[cfg(test)]
mod tests;
