//! S1: the checks of the package that is installed first run on every Agent that it will reach, once everything is
//! staged: what would refuse it in its window is known before.

use dataminer_schema::{id::AgentName, plan::PackagePatch, version::PackageKind};

use super::{course::Course, tools::Before};
use crate::catalog::Entry;

/// The checks that a plan runs ahead of its first install.
pub(super) struct Checks<'a> {
    /// Those that the package reaches. Others may run newer software, on which its checks may fail (D5, G2).
    pub(super) agents: &'a [AgentName],
    pub(super) entry: &'a Entry,
    /// What the staged copy lacks (G2).
    pub(super) patch: Option<&'a PackagePatch>,
    /// The checks that ask for what a tool right before the install brings about.
    pub(super) without: Vec<String>,
}

/// The checks of the package that is installed first; `None` where it has none that could be run.
///
/// Hotfixes are left out: no source tells of checks that they carry. So are web packages, unless a scan found some: what
/// they ask for they ask themselves (`domain/prerequisites.yaml`, web package checks).
pub(super) fn of_course<'c>(course: &'c Course<'_>, all: &'c [AgentName]) -> Option<Checks<'c>> {
    let (entry, agents, around) = match (course.legs.first(), &course.web) {
        (Some(leg), _) => (leg.entry, leg.agents.as_slice(), Some(&leg.around)),
        (None, Some(web)) => (web.entry, all, None),
        (None, None) => return None,
    };
    let patch = around.and_then(|around| around.patch.as_ref());
    let answered = around.and_then(|around| around.before).map(Before::answers);
    let is_left = |check: &String| {
        let lacks = patch.and_then(PackagePatch::check);
        ![answered, lacks].into_iter().flatten().any(|gone| gone.eq_ignore_ascii_case(check))
    };
    let runs = match &entry.insides.prerequisites {
        Some(found) => found.iter().any(is_left),
        None => entry.kind != PackageKind::Web,
    };
    runs.then(|| Checks { agents, entry, patch, without: answered.map(str::to_owned).into_iter().collect() })
}
