//! Known issues: which strike a release, and what a way changes about them.

use dataminer_schema::v1::knowledge::{KnownIssue, ReadOn, Stage};

use super::{Knowledge, ranges::holds};
use crate::release::Release;

/// What runs, or shall run.
#[derive(Clone, Copy, Debug)]
pub struct Software<'a> {
    /// The core.
    pub core: &'a Release,
    /// The web apps, where their level is known.
    pub web: Option<&'a Release>,
}

/// What a way from one release to another changes about known issues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssuesBetween<'k> {
    /// Not there before, there afterwards.
    pub introduced: Vec<&'k KnownIssue>,
    /// There before, not there afterwards.
    pub resolved: Vec<&'k KnownIssue>,
    /// An unknown CU, build or web level decides.
    pub unknown: Vec<&'k KnownIssue>,
}

impl Knowledge {
    /// A known issue by its id.
    pub fn issue(&self, id: &str) -> Option<&KnownIssue> {
        self.library().issues.get(id)
    }

    /// Every known issue, by id.
    pub fn issues(&self) -> impl Iterator<Item = &KnownIssue> {
        self.library().issues.values()
    }

    /// The issues that have, and that may have, this software, whatever its stage; without those of which no
    /// releases are known, and without regard to conditions.
    pub fn issues_of(&self, software: Software<'_>) -> (Vec<&KnownIssue>, Vec<&KnownIssue>) {
        let mut sure = Vec::new();
        let mut perhaps = Vec::new();
        for issue in self.issues() {
            match issue.affects.as_ref().map(|_| affects(issue, software)) {
                Some(Some(true)) => sure.push(issue),
                Some(None) => perhaps.push(issue),
                Some(Some(false)) | None => {}
            }
        }
        (sure, perhaps)
    }

    /// What a way changes about the issues of running systems, without regard to conditions.
    pub fn issues_between(&self, from: Software<'_>, to: Software<'_>) -> IssuesBetween<'_> {
        let mut between = IssuesBetween::default();
        let running = self.issues().filter(|issue| issue.stage == Stage::Running && issue.affects.is_some());
        for issue in running {
            match (affects(issue, from), affects(issue, to)) {
                (Some(false), Some(true)) => between.introduced.push(issue),
                (Some(true), Some(false)) => between.resolved.push(issue),
                (Some(false), Some(false)) | (Some(true), Some(true)) => {}
                (None, _) | (_, None) => between.unknown.push(issue),
            }
        }
        between
    }

    /// The issues that strike on the way from one release to another itself, and those that may.
    pub fn issues_on_the_way(
        &self,
        from: Software<'_>,
        to: Software<'_>,
    ) -> (Vec<&KnownIssue>, Vec<&KnownIssue>) {
        let upwards = from.core.compare(to.core).map(std::cmp::Ordering::is_le);
        let mut sure = Vec::new();
        let mut perhaps = Vec::new();
        for issue in self.issues() {
            let strikes = match (&issue.path, issue.stage) {
                (Some(path), _) => both(holds(&path.from, from.core), holds(&path.to, to.core)),
                (None, Stage::Running) => Some(false),
                (None, Stage::UpgradeTo) => both(upwards, affects(issue, to)),
                (None, Stage::DowngradeFrom) => both(upwards.map(|up| !up), affects(issue, from)),
            };
            match strikes {
                Some(true) => sure.push(issue),
                Some(false) => {}
                None => perhaps.push(issue),
            }
        }
        (sure, perhaps)
    }
}

/// Whether the ranges of an issue hold this software; `None` where that is not known.
pub fn affects(issue: &KnownIssue, software: Software<'_>) -> Option<bool> {
    let release = match issue.read_on {
        ReadOn::Core => software.core,
        ReadOn::WebApps => software.web?,
    };
    holds(issue.affects.as_ref()?, release)
}

/// Whether both hold: a no decides, whatever the other is.
fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}
