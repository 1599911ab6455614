//! The packages that an operator has, by their digests.

use std::{collections::BTreeMap, sync::Arc};

use dataminer_schema::{
    id::Sha256,
    version::{PackageKind, Version},
};

use crate::{order::major, product::Tool};

/// What is in a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packed {
    /// Core and web apps of this version, with its CU.
    Full(Version),
    /// Web apps of this version.
    Web(Version),
    /// The files that changed since a base (`domain/02 section 1`, package kind).
    Partial(Version),
    /// A check or a migration, by its documented name.
    Tool(String),
}

/// The packages that an operator has.
#[derive(Clone, Debug)]
pub struct Shelf {
    packages: BTreeMap<Sha256, Packed>,
    /// The full packages of each Main Release.
    mains: BTreeMap<(u16, u16), Arc<[Version]>>,
    none: Arc<[Version]>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { packages: BTreeMap::new(), mains: BTreeMap::new(), none: Arc::new([]) }
    }
}

impl Shelf {
    /// Puts a package on the shelf. Full and web packages say their version with the CU.
    pub fn add(&mut self, sha256: Sha256, file: &str, kind: PackageKind, version: Option<Version>) {
        let packed = match (kind, version) {
            (PackageKind::Full, Some(version)) => Packed::Full(version),
            (PackageKind::Web, Some(version)) => Packed::Web(version),
            (PackageKind::Update, Some(version)) => Packed::Partial(version),
            (PackageKind::Tool | PackageKind::Full | PackageKind::Web | PackageKind::Update, _) => {
                Packed::Tool(file.to_owned())
            }
        };
        if let Packed::Full(version) = &packed
            && version.feature() == 0
        {
            let line = self.mains.entry(major(version)).or_insert_with(|| Arc::clone(&self.none));
            *line = line.iter().chain([version]).cloned().collect();
        }
        self.packages.insert(sha256, packed);
    }

    /// What is in the package of this digest.
    pub fn get(&self, sha256: &Sha256) -> Option<&Packed> {
        self.packages.get(sha256)
    }

    /// Every full package of the Main Release that this is a CU of; empty for a Feature Release.
    pub fn siblings(&self, version: &Version) -> &Arc<[Version]> {
        let line = self.mains.get(&major(version)).filter(|_| version.feature() == 0);
        line.unwrap_or(&self.none)
    }

    pub(super) fn tool(file: &str) -> Option<Tool> {
        Tool::named(file)
    }
}
