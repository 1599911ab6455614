//! What is doubtful about a fleet as a whole: Advisories that no longer count, versions that no package installs or
//! that nobody mends any more.
//!
//! All of it hangs on more than the files: on the day, on release knowledge, on what was catalogued so far. So these
//! are warnings: a repository must not become invalid by waiting.

use dataminer_schema::{
    diagnostic::{Code, Diagnostic, Severity, nearest},
    load::{Fleet, Located},
    v1::{advisory::Advisory, cluster::Cluster},
    version::{Track, Version, WebWanted},
};
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    catalog::Catalog,
    knowledge::{Knowledge, Support},
    release::{Release, web_index},
};

/// The warnings about `fleet` at the time `now`, in the order of its documents.
pub fn lint_fleet(
    fleet: &Fleet,
    catalog: &Catalog,
    knowledge: &Knowledge,
    now: Timestamp,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for advisory in &fleet.advisories {
        lint_advisory(advisory, knowledge, now, &mut found);
    }
    for cluster in &fleet.clusters {
        lint_support(cluster, knowledge, now, &mut found);
    }
    // Without any catalogue nothing was forgotten in one.
    if !fleet.catalogs.is_empty() {
        for cluster in &fleet.clusters {
            lint_versions(cluster, catalog, &mut found);
        }
    }
    found
}

fn lint_advisory(
    advisory: &Located<Advisory>,
    knowledge: &Knowledge,
    now: Timestamp,
    found: &mut Vec<Diagnostic>,
) {
    let Advisory { issue, expires, .. } = &advisory.value;
    let today = now.to_zoned(TimeZone::UTC).date();
    if !advisory.value.counts_on(today) {
        let message = format!("the Advisory expired on {expires} and accepts nothing any more");
        let help = "look at the issue again: set a later day, or take the document out";
        let code = Code::AdvisoryExpired;
        found.push(advisory.diagnostic(Severity::Warning, "spec.expires", code, message, help));
    }
    if knowledge.issue(issue).is_none() {
        let ids: Vec<&str> = knowledge.issues().map(|issue| issue.id.as_str()).collect();
        let help = match nearest(issue, &ids) {
            Some(id) => format!("did you mean `{id}`?"),
            None => "write the id as a plan shows it; a newer one can be added with `--knowledge`".to_owned(),
        };
        let message = format!("no known issue has the id `{issue}`");
        found.push(advisory.diagnostic(Severity::Warning, "spec.issue", Code::UnknownIssue, message, help));
    }
}

fn lint_versions(cluster: &Located<Cluster>, catalog: &Catalog, found: &mut Vec<Diagnostic>) {
    let software = &cluster.value.software;
    if catalog.core_package(&software.core).is_none() {
        let message = format!("no package of the catalogues installs core {}", software.core);
        let help = match newest_of_line(&software.core, catalog) {
            Some(newest) => {
                format!(
                    "the newest of this line in the catalogues is {newest}; add the package, or want that one"
                )
            }
            None => "add the package to a catalogue; `catalog scan` writes the entry".to_owned(),
        };
        found.push(at(cluster, "spec.software.core", Code::NotInCatalog, message, help));
    }
    if let WebWanted::Version(wanted) = &software.web_apps
        && catalog.web_package(wanted).is_none()
        && web_index(wanted) != web_index(&software.core)
    {
        let message = format!("no package of the catalogues installs web apps {wanted}");
        let help =
            "add the web package to a catalogue, or write `bundled` for the level of the core".to_owned();
        found.push(at(cluster, "spec.software.webApps", Code::NotInCatalog, message, help));
    }
}

/// How long the wanted release is supported (`domain/01 section 2`); of one that is not listed nothing is claimed.
fn lint_support(
    cluster: &Located<Cluster>,
    knowledge: &Knowledge,
    now: Timestamp,
    found: &mut Vec<Diagnostic>,
) {
    let wanted = &cluster.value.software.core;
    let today = now.to_zoned(TimeZone::UTC).date();
    let line = wanted.line();
    let (code, message) = match knowledge.support_at(wanted, today) {
        Support::Ended(fact) => {
            (Code::SupportEnded, format!("the support of {line} ended on {}", fact.limited_support_until))
        }
        Support::Limited(fact) => (
            Code::SupportLimited,
            format!("{line} has limited support only, until {}", fact.limited_support_until),
        ),
        Support::OlderFeature => (
            Code::OlderFeatureRelease,
            format!("{wanted} gets no fixes any more: a later Feature Release is out"),
        ),
        Support::Regular(_) | Support::Supported(_) | Support::LatestFeature | Support::Unknown => return,
    };
    let newest = knowledge.final_releases().iter().filter(|known| known.track() == wanted.track());
    let newest = newest.max_by_key(|known| (known.line(), known.cu()));
    let help = match newest.filter(|newest| newest.line() > line) {
        Some(newest) => format!("the newest known of this track is {}", named(newest)),
        None => "want a later release".to_owned(),
    };
    found.push(at(cluster, "spec.software.core", code, message, help));
}

/// A Feature Release's first CU goes without saying.
fn named(version: &Version) -> String {
    Release::exact(version.clone()).map_or_else(|| version.release_name(), |release| release.name())
}

/// At the field, or at the Profile that gave it.
fn at(cluster: &Located<Cluster>, field: &str, code: Code, message: String, help: String) -> Diagnostic {
    let own = cluster.marks.at(field).is_some() || cluster.value.profile.is_none();
    let place = if own { field } else { "spec.profile" };
    cluster.diagnostic(Severity::Warning, place, code, message, help)
}

/// The newest release of the same Main Release, or of the same A.B among Feature Releases, that a package installs.
fn newest_of_line(wanted: &Version, catalog: &Catalog) -> Option<String> {
    let releases = catalog.core_releases((wanted.major(), wanted.minor()), wanted.track());
    let newest: Option<&Release> = releases.last().map(|(release, _)| *release);
    newest
        .filter(|release| release.track() != Track::Main || release.line() == wanted.line())
        .map(Release::name)
}

#[cfg(test)]
mod tests;
