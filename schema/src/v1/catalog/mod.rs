//! The PackageCatalog: which package files exist, pinned by their SHA-256.

mod source;

use std::collections::BTreeMap;

pub use self::source::PackageSource;
use crate::{
    id::Sha256,
    version::{PackageKind, Version},
};

/// A catalogue of packages. Several catalogues of one repository unite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageCatalog {
    /// The name of the document; says where an entry came from.
    pub name: String,
    /// The packages, as listed.
    pub packages: Vec<Package>,
    /// Known builds (`10.5.0.0-16889`) and the releases that they are.
    pub builds: BTreeMap<String, Version>,
}

/// One package file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The original file name; version, CU, build and kind are read from it.
    pub file: String,
    /// The digest of the file.
    pub sha256: Sha256,
    /// Bytes.
    pub size: Option<u64>,
    /// Where the file is; without it, it is looked up by name in the configured package places.
    pub source: Option<PackageSource>,
    /// What the package installs.
    pub kind: PackageKind,
    /// The release that the package installs; absent for tools.
    pub version: Option<Version>,
    /// What was found inside it.
    pub insides: Insides,
}

/// What `catalog scan` found inside a package, and what was told of it. What is absent is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Insides {
    /// The checks that it carries, as `VerifyClusterPorts.dll`.
    pub prerequisites: Option<Vec<String>>,
    /// Whether it carries the program that runs its checks.
    pub executor: Option<bool>,
    /// Whether its instructions stop or start DataMiner.
    pub restart: Option<bool>,
    /// Files by which an Agent's level is proven.
    pub fingerprints: Vec<Fingerprint>,
    /// The one release that an update package can follow; nothing inside tells it.
    pub base: Option<Version>,
}

impl Insides {
    /// The same, with what only `other` knows.
    #[must_use]
    pub fn completed_by(self, other: &Self) -> Self {
        Self {
            prerequisites: self.prerequisites.or_else(|| other.prerequisites.clone()),
            executor: self.executor.or(other.executor),
            restart: self.restart.or(other.restart),
            base: self.base.or_else(|| other.base.clone()),
            fingerprints: if self.fingerprints.is_empty() {
                other.fingerprints.clone()
            } else {
                self.fingerprints
            },
        }
    }
}

/// A file that a package installs, and what it must hold there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Below `C:\Skyline DataMiner`, with back-slashes.
    pub file: String,
    /// The digest of the file.
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
}
