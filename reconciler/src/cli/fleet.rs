//! What several verbs need: the fleet of a folder, observations from files, and points in time.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use dataminer_core::{catalog::Catalog, fleet_lint::lint_fleet, knowledge::Knowledge};
use dataminer_schema::{
    diagnostic::{Diagnostic, Severity},
    id::ClusterName,
    load::{self, Located, SourceFile, load_observations},
    v1::{catalog::PackageCatalog, cluster::Cluster, observation::Observation},
};
use jiff::{Timestamp, Zoned};

use super::{Helpful, Terminal, validate};
use crate::{
    knowledge::{self, KnowledgeError},
    source::{self, Limits, Refusal},
};

/// The fleet of a folder, without a repository around it.
pub(super) struct Fleet {
    pub(super) clusters: Vec<Cluster>,
    pub(super) catalog: Catalog,
    /// What `catalog` unites.
    pub(super) catalogs: Vec<Located<PackageCatalog>>,
    /// What is known of DataMiner's releases.
    pub(super) knowledge: Knowledge,
}

/// Reads the fleet below `folder` and keeps the clusters that are named; all of them, if none is.
///
/// # Errors
/// Manifests with errors, after they were printed; a name that no manifest has.
pub(super) fn load(folder: &Path, names: &[ClusterName], terminal: &mut Terminal) -> anyhow::Result<Fleet> {
    load_knowing(Knowledge::default(), Timestamp::now(), (folder, names), terminal)
}

/// What is known of DataMiner's releases, with the documents of `folder` if there is one.
///
/// # Errors
/// Documents with errors, after they were printed.
pub(super) fn knowledge(folder: Option<&Path>, terminal: &mut Terminal) -> anyhow::Result<Knowledge> {
    let Some(folder) = folder else { return Ok(Knowledge::default()) };
    knowledge::read(folder).map_err(|error| unknown(&error, terminal))
}

/// Prints what is wrong with release knowledge.
pub(super) fn unknown(error: &KnowledgeError, terminal: &mut Terminal) -> anyhow::Error {
    if let KnowledgeError::Invalid { files, diagnostics, .. } = error {
        explain(files, diagnostics, terminal);
    }
    Helpful::new(error.to_string(), error.help()).into()
}

/// As [`load`], with what else is known of releases, and by the doubts of this time.
///
/// # Errors
/// As [`load`].
pub(super) fn load_knowing(
    knowledge: Knowledge,
    now: Timestamp,
    (folder, names): (&Path, &[ClusterName]),
    terminal: &mut Terminal,
) -> anyhow::Result<Fleet> {
    let (files, refused) = source::read_tree(folder, Limits::default())?;
    let fleet = assemble(folder, &files, &refused, terminal)?;
    let catalog = unite(&fleet.catalogs, &knowledge)?;
    explain(&files, &lint_fleet(&fleet, &catalog, &knowledge, now), terminal);
    let mut clusters: Vec<_> = fleet.clusters.into_iter().map(|located| located.value).collect();
    clusters.sort_by(|a, b| a.name.cmp(&b.name));
    known(folder, clusters.iter().map(|cluster| &cluster.name), names)?;
    clusters.retain(|cluster| names.is_empty() || names.contains(&cluster.name));
    if clusters.is_empty() {
        terminal.say(format!("no Cluster manifest below {}", folder.display()));
    }
    Ok(Fleet { clusters, catalog, catalogs: fleet.catalogs, knowledge })
}

/// The fleet of files that were read; warnings are printed.
///
/// # Errors
/// Manifests with errors, after they were printed.
pub(super) fn assemble(
    folder: &Path,
    files: &[SourceFile],
    refused: &[Refusal],
    terminal: &mut Terminal,
) -> anyhow::Result<load::Fleet> {
    match source::assemble(files, refused) {
        Ok((fleet, warnings)) => {
            explain(files, &warnings, terminal);
            Ok(fleet)
        }
        Err(diagnostics) => {
            explain(files, &diagnostics, terminal);
            let errors =
                diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
            Err(Helpful::new(
                format!(
                    "the manifests below {} have {}",
                    folder.display(),
                    validate::plural(errors, "error")
                ),
                "correct them; `validate` prints them again",
            )
            .into())
        }
    }
}

/// All catalogues as one.
///
/// # Errors
/// Catalogues that contradict each other.
pub(super) fn unite(catalogs: &[Located<PackageCatalog>], knowledge: &Knowledge) -> anyhow::Result<Catalog> {
    Catalog::unite(catalogs, knowledge).map_err(|conflicts| {
        let all: Vec<_> = conflicts.iter().map(ToString::to_string).collect();
        let help = conflicts.first().map_or("", |conflict| conflict.help());
        Helpful::new(format!("the catalogues contradict each other: {}", all.join("; ")), help).into()
    })
}

/// Refuses a name that no manifest has.
///
/// # Errors
/// The first such name, and which there are.
pub(super) fn known<'a>(
    folder: &Path,
    known: impl IntoIterator<Item = &'a ClusterName>,
    names: &[ClusterName],
) -> anyhow::Result<()> {
    let known: Vec<&ClusterName> = known.into_iter().collect();
    let Some(stranger) = names.iter().find(|name| !known.contains(name)) else { return Ok(()) };
    let there: Vec<String> = known.iter().map(ToString::to_string).collect();
    Err(Helpful::new(
        format!("no manifest below {} describes the cluster `{stranger}`", folder.display()),
        if there.is_empty() {
            "there is none at all".to_owned()
        } else {
            format!("there are: {}", there.join(", "))
        },
    )
    .into())
}

/// Reads Observations from files and folders.
///
/// # Errors
/// Observations with errors, after they were printed.
pub(super) fn observations(paths: &[PathBuf], terminal: &mut Terminal) -> anyhow::Result<Vec<Observation>> {
    let (files, refused) = source::read_paths(paths, Limits::default())?;
    let (observations, mut diagnostics) = load_observations(&files);
    diagnostics.extend(refused.iter().map(Refusal::diagnostic));
    explain(&files, &diagnostics, terminal);
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(Helpful::new(
            "the observations have errors",
            "write them anew with `observe`, or correct the places above",
        )
        .into());
    }
    Ok(observations)
}

/// Names observations that no manifest asks for: mostly a cluster that was renamed. Silent where clusters were
/// picked out by name.
pub(super) fn strangers(
    fleet: &Fleet,
    observations: &[Observation],
    names: &[ClusterName],
    terminal: &mut Terminal,
) {
    if !names.is_empty() {
        return;
    }
    let known: BTreeSet<&ClusterName> = fleet.clusters.iter().map(|cluster| &cluster.name).collect();
    for seen in observations.iter().filter(|seen| !known.contains(&seen.cluster)) {
        terminal.say(format!("the observation of `{}` belongs to no manifest", seen.cluster));
    }
}

/// Prints diagnostics as talk: stdout is for what was asked.
pub(super) fn explain(files: &[SourceFile], diagnostics: &[Diagnostic], terminal: &mut Terminal) {
    for text in validate::rendered(files, diagnostics) {
        terminal.say(text);
    }
}

/// Reads `2026-11-21T21:00:00Z`, or a local time with its zone in brackets.
pub(super) fn point_in_time(text: &str) -> Result<Timestamp, String> {
    text.parse::<Timestamp>().or_else(|_| text.parse::<Zoned>().map(|zoned| zoned.timestamp())).map_err(
        |_| "write a time such as 2026-11-21T21:00:00Z or 2026-11-21T22:00[Europe/Brussels]".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_are_read_in_utc_and_with_a_zone() {
        let utc = point_in_time("2026-11-21T21:00:00Z").expect("it is a time");
        assert_eq!(point_in_time("2026-11-21T22:00[Europe/Brussels]").expect("it is a time"), utc);
        assert!(point_in_time("tonight").expect_err("it is none").contains("2026-11-21"));
        assert!(point_in_time("2026-11-21T22:00").is_err(), "a time without a zone is no point in time");
    }
}
