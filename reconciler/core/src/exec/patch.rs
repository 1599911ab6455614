//! Packages that are staged as a copy without one member (G2): the digest of a copy is known once it was made.

use std::collections::BTreeMap;

use dataminer_schema::{
    id::Sha256,
    plan::{PackagePatch, Step},
};

use super::{
    effect::{EffectKind, Failure, Outcome, Package},
    machine::Machine,
};

/// The digests of the copies that were staged, by those of their packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Copies(BTreeMap<Sha256, Sha256>);

impl Copies {
    /// An effect was answered; also read from the journal.
    pub(super) fn answered(&mut self, kind: &EffectKind, outcome: &Outcome) {
        if let (EffectKind::StagePackage { package, .. }, Outcome::Patched(copy)) = (kind, outcome) {
            self.0.insert(package.sha256.clone(), copy.clone());
        }
    }
}

impl Machine {
    /// The package of a step as it lies, or shall lie, on the Agents.
    pub(super) fn package(&self, step: &Step) -> Result<Package, Failure> {
        let (Some(file), Some(sha256)) = (&step.package, &step.sha256) else {
            return Err(self.invalid("the step names no package and hash"));
        };
        let patch = step.patch.as_ref().map(|patch| PackagePatch {
            removes: patch.removes.clone(),
            sha256: patch.sha256.clone().or_else(|| self.copies.0.get(sha256).cloned()),
        });
        Ok(Package { file: file.clone(), sha256: sha256.clone(), patch })
    }

    /// The same for a job: what it installs is known to the last byte.
    pub(super) fn staged_package(&self, step: &Step) -> Result<Package, Failure> {
        let package = self.package(step)?;
        if package.staged().is_none() {
            return Err(self.invalid("the copy of its package was not staged"));
        }
        Ok(package)
    }
}
