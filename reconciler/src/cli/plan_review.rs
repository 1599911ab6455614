//! `plan --base REV --head REV`: what a change of the manifests changes about the plans.
//!
//! Both sides are read from the repository's objects and planned against the same observations at the same time, so
//! that what differs comes from the change alone.

use std::collections::BTreeSet;

use dataminer_core::{catalog::Catalog, fleet_lint::lint_fleet, knowledge::Knowledge, plan::PlanMode};
use dataminer_schema::{
    diagnostic::Diagnostic,
    id::{ClusterName, CommitId},
    load::SourceFile,
    v1::observation::Observation,
};
use jiff::Timestamp;

use super::{
    Exit, Helpful, Terminal, Tone, fleet, plan,
    plan_table::{self, Detail},
};
use crate::{
    review::{Entry, Manifests, Review, Side, Standing, work},
    source::{self, Revisions},
};

/// What both sides are planned with.
pub(super) struct Grounds<'a> {
    pub(super) knowledge: &'a Knowledge,
    pub(super) observations: &'a [Observation],
    pub(super) clusters: &'a [ClusterName],
    pub(super) now: Timestamp,
}

/// One side as far as it goes.
enum Judged {
    Good { side: Side, files: Vec<SourceFile>, warnings: Vec<Diagnostic>, names: BTreeSet<ClusterName> },
    Broken(Manifests),
}

/// The review of what lies between two commits of the repository around a folder.
///
/// # Errors
/// Commits that are not here, a repository that cannot be read, a cluster that neither side has.
pub(super) fn between(
    revisions: &Revisions,
    (base, head): (&str, &str),
    grounds: &Grounds<'_>,
    terminal: &mut Terminal,
) -> anyhow::Result<Review> {
    let (named, head) = (commit(revisions, base)?, commit(revisions, head)?);
    let base = match revisions.common(&named, &head).map_err(explained)? {
        Some(common) => common,
        None => {
            terminal.say(
                "no commit is known here that both follow (a shallow clone?): they are compared as they are, and what \
                 came onto the base since shows as taken back",
            );
            named
        }
    };
    if base == head {
        terminal.say("the base has everything of the head already");
    }
    let then = judge(revisions, &base, grounds)?;
    let now = judge(revisions, &head, grounds)?;
    if let (None, None) = (&then, &now) {
        return Err(Helpful::new(
            format!("neither commit has a folder `{}`", revisions.folder()),
            "name the folder of the manifests with -f",
        )
        .into());
    }
    // A side without the folder has no cluster.
    let nothing = || Judged::Good {
        side: Side::default(),
        files: Vec::new(),
        warnings: Vec::new(),
        names: BTreeSet::new(),
    };
    let (then, now) = (then.unwrap_or_else(nothing), now.unwrap_or_else(nothing));
    let review = match (then, now) {
        (_, Judged::Broken(manifests)) => Review::broken(manifests),
        (Judged::Broken(broken), Judged::Good { side, files, warnings, names }) => {
            known(&names, grounds.clusters)?;
            let base = format!("the manifests of the base have {}", broken.verdict());
            Review::of(side).with_manifests(Manifests::doubtful(&files, warnings, &[]).upon(Some(base)))
        }
        (
            Judged::Good { side: then, warnings: before, names: mut all, .. },
            Judged::Good { side: now, files, warnings, names },
        ) => {
            all.extend(names);
            known(&all, grounds.clusters)?;
            Review::between(then, now).with_manifests(Manifests::doubtful(&files, warnings, &before))
        }
    };
    Ok(review.of_commits(&base, &head))
}

fn commit(revisions: &Revisions, name: &str) -> anyhow::Result<CommitId> {
    revisions.commit(name).map_err(explained)
}

fn explained(error: source::SourceError) -> anyhow::Error {
    Helpful::new(error.to_string(), error.help()).into()
}

fn known(names: &BTreeSet<ClusterName>, asked: &[ClusterName]) -> anyhow::Result<()> {
    let Some(stranger) = asked.iter().find(|name| !names.contains(name)) else { return Ok(()) };
    let there: Vec<&str> = names.iter().map(ClusterName::as_str).collect();
    Err(Helpful::new(
        format!("neither commit describes the cluster `{stranger}`"),
        format!("there are: {}", there.join(", ")),
    )
    .into())
}

/// Plans the manifests of a commit; none where it does not have the folder.
fn judge(revisions: &Revisions, id: &CommitId, grounds: &Grounds<'_>) -> anyhow::Result<Option<Judged>> {
    let Some(snapshot) = revisions.snapshot(id).map_err(explained)? else { return Ok(None) };
    let files = snapshot.files;
    let (loaded, mut warnings) = match source::assemble(&files, &snapshot.refused) {
        Ok(loaded) => loaded,
        Err(diagnostics) => return Ok(Some(Judged::Broken(Manifests::broken(&files, diagnostics)))),
    };
    let catalog = match Catalog::unite(&loaded.catalogs, grounds.knowledge) {
        Ok(catalog) => catalog,
        Err(conflicts) => {
            let all: Vec<_> = conflicts.iter().map(ToString::to_string).collect();
            let why = format!("the catalogues contradict each other: {}", all.join("; "));
            return Ok(Some(Judged::Broken(Manifests::contradictory(why))));
        }
    };
    warnings.extend(lint_fleet(&loaded, &catalog, grounds.knowledge, grounds.now));
    let mut clusters: Vec<_> = loaded.clusters.into_iter().map(|located| located.value).collect();
    let names = clusters.iter().map(|cluster| cluster.name.clone()).collect();
    clusters.retain(|cluster| grounds.clusters.is_empty() || grounds.clusters.contains(&cluster.name));
    let fleet =
        fleet::Fleet { clusters, catalog, catalogs: loaded.catalogs, knowledge: grounds.knowledge.clone() };
    let plans =
        plan::make(&fleet, (grounds.observations, &plan::Vaults::new()), grounds.now, PlanMode::Offline)?;
    let side = Side::new(&fleet.clusters, plans);
    Ok(Some(Judged::Good { side, files, warnings, names }))
}

/// How a review ends with `--detailed-exitcode`, and that manifests which are not valid fail without it too.
pub(super) fn verdict(review: &Review, detailed: bool) -> Exit {
    if review.manifests.are_broken() {
        return Exit::Failed;
    }
    let plans = review.clusters.iter().filter_map(|entry| entry.head.as_ref());
    if !detailed {
        Exit::Ok
    } else if plans
        .map(|plan| plan.result)
        .any(|result| result == dataminer_schema::plan::PlanResult::Blocked)
    {
        Exit::PlanBlocked
    } else if review.clusters.is_empty() {
        Exit::Ok
    } else {
        Exit::PlanChanges
    }
}

/// The review as a table for each cluster, with what differs above it.
///
/// # Errors
/// Those of the stream.
pub(super) fn print(
    review: &Review,
    now: Timestamp,
    detail: Detail,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    for text in review.manifests.texts() {
        terminal.say(text.trim_end());
    }
    if review.manifests.are_broken() {
        return Ok(());
    }
    if let Some(why) = review.manifests.base() {
        terminal.say(format!("there is nothing to compare with: {why}"));
    }
    for entry in &review.clusters {
        let Entry { cluster, standing, renamed_from, head, differences, .. } = entry;
        let standing = match (standing, renamed_from) {
            (Standing::Planned, _) => String::new(),
            (Standing::Added, None) => "new".to_owned(),
            (Standing::Added, Some(before)) => format!("new; `{before}` had the same Agents"),
            (Standing::Changed, _) => "changed".to_owned(),
            (Standing::Removed, _) => "no longer managed: nothing is done to it any more".to_owned(),
        };
        if !standing.is_empty() {
            terminal.line(format!("{}: {standing}", terminal.tint(cluster.as_str(), Tone::Strong)))?;
        }
        for difference in differences {
            terminal.line(format!("  {}", plan_table::difference(difference)))?;
        }
        if let Some(plan) = head {
            plan_table::plan(plan, entry.zone(), now, detail, terminal)?;
        }
        terminal.line("")?;
    }
    let same = match review.same_plan.as_slice() {
        [] => String::new(),
        names => {
            let names: Vec<&str> = names.iter().map(ClusterName::as_str).collect();
            format!("; the manifests change of {}, their plans do not", names.join(", "))
        }
    };
    let others = if review.clusters.is_empty() { "" } else { "other " };
    terminal
        .line(format!("{} unchanged{same}", work::plural(review.unchanged, &format!("{others}cluster"))))?;
    Ok(())
}
