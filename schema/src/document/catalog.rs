//! The PackageCatalog document.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ApiVersion, NamedMetadata,
    text::{Digest, FileName, InstalledFile, Label, Line, PackageSource},
};
use crate::{
    v1::catalog::{self, Insides, PackageCatalog},
    version::{PackageFile, PackageKind, Version},
};

/// Which package files exist, pinned by their SHA-256. All catalogues of a repository unite.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "PackageCatalog")]
pub(crate) struct CatalogDocument {
    /// The version of the language.
    api_version: ApiVersion,
    /// Says that this document is a PackageCatalog.
    kind: CatalogKind,
    /// What the catalogue is called.
    metadata: NamedMetadata,
    /// The packages.
    spec: CatalogSpec,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum CatalogKind {
    PackageCatalog,
}

/// The packages of a catalogue.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CatalogSpec {
    /// The package files.
    #[serde(default)]
    packages: Vec<Package>,
    /// Known builds and the releases that they are: `"10.5.0.0-16889": 10.5.0 CU12`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"pattern": "^[0-9]{1,3}(\\.[0-9]{1,3}){3}-[0-9]{1,8}$"}))]
    builds: BTreeMap<String, Version>,
}

/// One package file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Package {
    /// The original file name; version, CU, build and kind are read from it.
    file: FileName,
    /// The SHA-256 of the file. A package with another digest is never installed.
    sha256: Digest,
    /// The size of the file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// Where the file is: relative to the package place, or `file:///…`, `https://…`, `s3://…`, `az://…`; without it, it is
    /// looked up by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<PackageSource>,
    /// Says that the file is a full package of this version, where the name does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    core: Option<Version>,
    /// Says that the file is a web package of this version, where the name does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    web: Option<Version>,
    /// Says that the file is this tool, where the name does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool: Option<Line>,
    /// Says that the file is an update package to this version, where the name does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    update: Option<Version>,
    /// The one release that an update package can follow, exactly as it runs. Without it, nothing is installed by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<Version>,
    /// The checks that the package carries, as `VerifyClusterPorts.dll`; absent if nobody looked. Written by
    /// `catalog scan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prerequisites: Option<Vec<Line>>,
    /// Whether the package carries the program that runs its checks; absent if nobody looked. Written by
    /// `catalog scan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    executor: Option<bool>,
    /// Whether the package's instructions stop or start DataMiner; absent if nobody looked. Written by
    /// `catalog scan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restart: Option<bool>,
    /// Files that the package installs, by which an Agent's build or web level is proven. Written by `catalog scan`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fingerprints: Vec<Fingerprint>,
}

/// A file that a package installs, and what it must hold there.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fingerprint {
    /// Below `C:\Skyline DataMiner`.
    file: InstalledFile,
    /// The SHA-256 of the file.
    sha256: Digest,
    /// The size of the file in bytes.
    size: u64,
}

/// What a package is, by the field that says so: the field's name, its kind.
pub(crate) const EXPLICIT: [(&str, PackageKind); 4] = [
    ("core", PackageKind::Full),
    ("web", PackageKind::Web),
    ("tool", PackageKind::Tool),
    ("update", PackageKind::Update),
];

impl From<CatalogDocument> for PackageCatalog {
    fn from(document: CatalogDocument) -> Self {
        let CatalogDocument {
            api_version: ApiVersion::V1,
            kind: CatalogKind::PackageCatalog,
            metadata: NamedMetadata { name: Label(name), labels: _, annotations: _ },
            spec: CatalogSpec { packages, builds },
        } = document;
        Self { name, packages: packages.into_iter().map(Into::into).collect(), builds }
    }
}

impl From<Package> for catalog::Package {
    fn from(package: Package) -> Self {
        let Package {
            file: FileName(file),
            sha256: Digest(sha256),
            size,
            source,
            core,
            web,
            tool,
            update,
            ..
        } = package;
        let insides = Insides {
            prerequisites: package
                .prerequisites
                .map(|names| names.into_iter().map(|Line(name)| name).collect()),
            executor: package.executor,
            restart: package.restart,
            fingerprints: package.fingerprints.into_iter().map(Into::into).collect(),
            base: package.base,
        };
        let named: Option<PackageFile> = file.parse().ok();
        let said = [
            core.map(|version| (PackageKind::Full, Some(version))),
            web.map(|version| (PackageKind::Web, Some(version))),
            tool.map(|_| (PackageKind::Tool, None)),
            update.map(|version| (PackageKind::Update, Some(version))),
        ];
        let said = said.into_iter().flatten().next();
        let (kind, version) = match (said, named) {
            (Some((kind, Some(said))), Some(PackageFile { version: Some(named), .. })) => {
                (kind, Some(said.completed_by(&named)))
            }
            (Some(said), _) => said,
            (None, Some(PackageFile { kind, version })) => (kind, version),
            (None, None) => (PackageKind::Tool, None),
        };
        Self {
            file,
            sha256,
            size,
            source: source.map(|PackageSource(source)| catalog::PackageSource::of(source)),
            kind,
            version,
            insides,
        }
    }
}

impl From<Fingerprint> for catalog::Fingerprint {
    fn from(fingerprint: Fingerprint) -> Self {
        let Fingerprint { file: InstalledFile(file), sha256: Digest(sha256), size } = fingerprint;
        Self { file, sha256, size }
    }
}

impl From<&PackageCatalog> for CatalogDocument {
    fn from(catalog: &PackageCatalog) -> Self {
        let PackageCatalog { name, packages, builds } = catalog;
        Self {
            api_version: ApiVersion::V1,
            kind: CatalogKind::PackageCatalog,
            metadata: NamedMetadata {
                name: Label(name.clone()),
                labels: BTreeMap::new(),
                annotations: BTreeMap::new(),
            },
            spec: CatalogSpec { packages: packages.iter().map(Into::into).collect(), builds: builds.clone() },
        }
    }
}

impl From<&catalog::Package> for Package {
    fn from(package: &catalog::Package) -> Self {
        let catalog::Package { file, sha256, size, source, kind, version, insides } = package.clone();
        let Insides { prerequisites, executor, restart, fingerprints, base } = insides;
        // The name is the contract; a field is written only where it tells something else.
        let tells =
            file.parse::<PackageFile>().is_ok_and(|named| named.kind == kind && named.version == version);
        let field = |wanted: PackageKind| version.clone().filter(|_| kind == wanted && !tells);
        Self {
            core: field(PackageKind::Full),
            web: field(PackageKind::Web),
            update: field(PackageKind::Update),
            tool: (kind == PackageKind::Tool && !tells).then(|| Line(file.clone())),
            file: FileName(file),
            sha256: Digest(sha256),
            size,
            source: source.map(|source| PackageSource(source.to_string())),
            base,
            prerequisites: prerequisites.map(|names| names.into_iter().map(Line).collect()),
            executor,
            restart,
            fingerprints: fingerprints
                .into_iter()
                .map(|catalog::Fingerprint { file, sha256, size }| Fingerprint {
                    file: InstalledFile(file),
                    sha256: Digest(sha256),
                    size,
                })
                .collect(),
        }
    }
}
