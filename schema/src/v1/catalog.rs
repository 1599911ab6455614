//! The PackageCatalog: which package files exist, pinned by their SHA-256.

use std::collections::BTreeMap;

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
    pub source: Option<String>,
    /// What the package installs.
    pub kind: PackageKind,
    /// The release that the package installs; absent for tools.
    pub version: Option<Version>,
}
