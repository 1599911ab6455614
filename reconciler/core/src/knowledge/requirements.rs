//! What a release asks of its servers, and what its package checks.

use dataminer_schema::v1::knowledge::{
    DotNetRequirement, OsRequirement, PortRequirement, Prerequisite, Requirements, VcRedistRequirement,
};

use super::{Knowledge, ranges::holds};
use crate::release::Release;

impl Knowledge {
    /// A prerequisite by its id.
    pub fn prerequisite(&self, id: &str) -> Option<&Prerequisite> {
        self.library().prerequisites.get(id)
    }

    /// Every prerequisite, by id.
    pub fn prerequisites(&self) -> impl Iterator<Item = &Prerequisite> {
        self.library().prerequisites.values()
    }

    /// The checks that the package of `target` carries, and those that it may carry.
    pub fn prerequisites_of(&self, target: &Release) -> (Vec<&Prerequisite>, Vec<&Prerequisite>) {
        let mut sure = Vec::new();
        let mut perhaps = Vec::new();
        for check in self.prerequisites() {
            match holds(&check.included, target) {
                Some(true) => sure.push(check),
                Some(false) => {}
                None => perhaps.push(check),
            }
        }
        (sure, perhaps)
    }

    /// What servers must have, as it is listed.
    pub fn requirements(&self) -> &Requirements {
        &self.library().requirements
    }

    /// The .NET runtimes that a release needs; `None` where that is not known.
    pub fn dotnet_of(&self, release: &Release) -> Option<&DotNetRequirement> {
        self.requirements().dotnet.iter().find(|row| holds(&row.releases, release) == Some(true))
    }

    /// The Visual C++ runtime that a release needs at least; `None` where that is not known.
    pub fn vcredist_of(&self, release: &Release) -> Option<&VcRedistRequirement> {
        self.requirements().vcredist.iter().find(|row| release.at_least(&row.since) == Some(true))
    }

    /// The least Windows that a release takes; `None` where that is not known.
    pub fn os_of(&self, release: &Release) -> Option<&OsRequirement> {
        let rows = self.requirements().os.iter();
        rows.into_iter()
            .find(|row| row.since.as_ref().is_none_or(|since| release.at_least(since) == Some(true)))
    }

    /// The ports that a release needs.
    pub fn ports_of(&self, release: &Release) -> Vec<&PortRequirement> {
        let ports = self.requirements().ports.iter();
        let gone = |port: &&PortRequirement| {
            port.until.as_ref().is_some_and(|until| release.at_least(until) == Some(true))
        };
        ports.filter(|port| !gone(port)).collect()
    }
}
