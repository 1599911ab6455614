//! Look-alikes of the catalogue's packages: with their names and their checks, and without their gigabytes.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use anyhow::Context;
use camino::Utf8Path;
use dataminer_core::{
    catalog::{Catalog, Entry},
    knowledge::Knowledge,
};
use dataminer_schema::{id::Sha256, load::Located, v1::catalog::PackageCatalog, version::PackageKind};
use dms_simulator::package::{self, PackageSpec, Written};
use tempfile::TempDir;

/// Bytes of ballast: enough for an upload to be one.
const PADDING: u64 = 16 << 10;

/// The look-alikes and the catalogue of them.
pub struct Shelf {
    pub(super) catalog: Arc<Catalog>,
    /// Files of which there is no look-alike, each with the reason.
    pub(super) missing: BTreeMap<String, String>,
    folder: TempDir,
}

impl Shelf {
    /// Makes a look-alike of every package of these catalogues, which `catalog` unites.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn build(
        catalogs: &[Located<PackageCatalog>],
        catalog: &Catalog,
        knowledge: &Knowledge,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("dataminer-packages-")
            .tempdir()
            .context("making a folder for look-alikes of packages")?;
        let path = Utf8Path::from_path(folder.path()).context("the temporary folder's name is not UTF-8")?;
        let mut made = BTreeMap::new();
        let mut missing = BTreeMap::new();
        for entry in catalog.packages() {
            match look_alike(path, entry)? {
                Ok(written) => drop(made.insert(entry.file.clone(), written)),
                Err(why) => drop(missing.insert(entry.file.clone(), why)),
            }
        }
        let mut copies = catalogs.to_vec();
        for copy in &mut copies {
            copy.value.packages.retain(|package| made.contains_key(&package.file));
            for package in &mut copy.value.packages {
                let Some(written) = made.get(&package.file) else { continue };
                package.sha256 =
                    Sha256::new(written.sha256.as_str()).context("the digest of a look-alike")?;
                package.size = Some(written.size);
                package.source = None;
                package.insides.fingerprints.clear();
            }
        }
        let catalog = Catalog::unite(&copies, knowledge)
            .map_err(|conflicts| anyhow::anyhow!("the catalogues contradict each other: {conflicts:?}"))?;
        Ok(Self { catalog: Arc::new(catalog), missing, folder })
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

/// Writes the look-alike of one package; the inner error says why there is none.
fn look_alike(folder: &Utf8Path, entry: &Entry) -> anyhow::Result<Result<Written, String>> {
    let spec = match entry.kind {
        PackageKind::Full | PackageKind::Web => {
            let Some(version) = entry.release.as_ref().map(|release| release.version().clone()) else {
                return Ok(Err("what it installs is not known".to_owned()));
            };
            if version.build().is_none() {
                return Ok(Err("its build is not known".to_owned()));
            }
            let spec = match entry.kind {
                PackageKind::Web => PackageSpec::web(version),
                _ => PackageSpec::full(version),
            };
            PackageSpec { prerequisites: entry.insides.prerequisites.clone(), ..spec.with_padding(PADDING) }
        }
        // Written under its own name, by which the simulated product knows what it does.
        PackageKind::Tool => {
            return Ok(package::write_tool(folder, &entry.file)
                .map_err(|_| "the simulation knows no tool of this name".to_owned()));
        }
        PackageKind::Update => return Ok(Err("the simulation has no update packages".to_owned())),
    };
    let path = folder.join(&entry.file);
    // The names of catalogues are plain; whatever slips through stays in this folder.
    if path.parent() != Some(folder) || fs::exists(&path)? {
        return Ok(Err("its file name is not plain".to_owned()));
    }
    package::write(&path, &spec).map(Ok).with_context(|| format!("writing a look-alike of {}", entry.file))
}
