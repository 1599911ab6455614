//! What is only read where somebody asks for it, with the user's own before it.

use std::collections::BTreeMap;

use dataminer_schema::{
    v1::knowledge::{
        BreakingChange, Facts, KnownIssue, Prerequisite, ReleaseFact, ReleaseKind, Requirements, SideEffect,
    },
    version::{Line, Version},
};

use super::{Knowledge, releases::key_of};

#[derive(Debug, Default)]
pub(super) struct Library {
    /// Releases of the web apps and of Cube.
    clients: BTreeMap<(ReleaseKind, Line, u16), ReleaseFact>,
    pub(super) issues: BTreeMap<String, KnownIssue>,
    pub(super) changes: BTreeMap<String, BreakingChange>,
    pub(super) side_effects: BTreeMap<String, SideEffect>,
    pub(super) prerequisites: BTreeMap<String, Prerequisite>,
    pub(super) requirements: Requirements,
}

impl Library {
    pub(super) fn of(built_in: &[Facts], own: &[Facts]) -> Self {
        let mut library = Self::default();
        for facts in built_in.iter().chain(own) {
            library.overlay(facts);
        }
        library
    }

    fn overlay(&mut self, facts: &Facts) {
        let clients = facts.releases.iter().filter(|release| release.kind != ReleaseKind::Core);
        for release in clients {
            let (line, cu) = key_of(&release.version);
            self.clients.insert((release.kind, line, cu), release.clone());
        }
        self.issues.extend(facts.known_issues.iter().map(|issue| (issue.id.clone(), issue.clone())));
        self.changes.extend(facts.breaking_changes.iter().map(|change| (change.id.clone(), change.clone())));
        self.side_effects.extend(facts.side_effects.iter().map(|effect| (effect.id.clone(), effect.clone())));
        self.prerequisites.extend(facts.prerequisites.iter().map(|check| (check.id.clone(), check.clone())));
        let Requirements { dotnet, vcredist, os, ports, disk } = &facts.requirements;
        let mine = &mut self.requirements;
        // The first row that speaks of a release is read, so the later document's go before.
        mine.dotnet.splice(0..0, dotnet.iter().cloned());
        mine.vcredist.splice(0..0, vcredist.iter().cloned());
        mine.os.splice(0..0, os.iter().cloned());
        let theirs =
            |port: u16, protocol| ports.iter().any(|own| own.port == port && own.protocol == protocol);
        mine.ports.retain(|known| !theirs(known.port, known.protocol));
        mine.ports.extend(ports.iter().cloned());
        if disk.is_some() {
            mine.disk.clone_from(disk);
        }
    }
}

impl Knowledge {
    /// What is known of a release of the web apps or of Cube; a Feature Release without a CU is its first.
    pub fn client_release(&self, kind: ReleaseKind, version: &Version) -> Option<&ReleaseFact> {
        let (line, cu) = key_of(version);
        self.library().clients.get(&(kind, line, cu))
    }

    /// Every listed release of the web apps and of Cube.
    pub fn client_releases(&self) -> impl Iterator<Item = &ReleaseFact> {
        self.library().clients.values()
    }
}
