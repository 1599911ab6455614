//! The releases, and what four catalogues have of them.

use std::collections::BTreeMap;

use dataminer_core::{catalog::Catalog, knowledge::Knowledge};
use dataminer_schema::{
    id::Sha256,
    load::Located,
    v1::catalog::{Insides, Package, PackageCatalog},
    version::{PackageKind, Version},
};
use dms_simulator::model::{Level, Shelf, web_gate};

/// What a catalogue has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stock {
    /// Every final release.
    Full,
    /// Of each Main Release its latest CU, of each year of Feature Releases the last.
    LatestOnly,
    /// No Main Release.
    FeatureOnly,
    /// Two of three.
    Gaps,
}

impl Stock {
    pub(crate) const ALL: [Self; 4] = [Self::Full, Self::LatestOnly, Self::FeatureOnly, Self::Gaps];
}

/// One catalogue, as the planner and as the model see it.
pub(crate) struct Store {
    pub(crate) stock: Stock,
    pub(crate) catalog: Catalog,
    /// The same, given in another order.
    pub(crate) reversed: Catalog,
    pub(crate) shelf: Shelf,
    releases: Vec<Version>,
}

impl Store {
    /// Whether a full package of this release is there.
    pub(crate) fn has(&self, release: &Version) -> bool {
        self.releases.contains(release)
    }

    /// The full packages.
    pub(crate) fn releases(&self) -> &[Version] {
        &self.releases
    }
}

/// What all cases share.
pub(crate) struct Stage {
    pub(crate) knowledge: Knowledge,
    /// Every known release of the core with its CU.
    pub(crate) releases: Vec<Version>,
    pub(crate) stores: Vec<Store>,
}

impl Stage {
    pub(crate) fn built_in() -> Self {
        let knowledge = Knowledge::built_in().clone();
        let whole = |version: &Version| version.clone().with_cu(version.cu().unwrap_or(0));
        let releases: Vec<Version> = knowledge.core_releases().map(|fact| whole(&fact.version)).collect();
        let finals: Vec<Version> = knowledge.final_releases().iter().map(whole).collect();
        let stores = Stock::ALL.into_iter().map(|stock| store(stock, &finals, &knowledge)).collect();
        Self { knowledge, releases, stores }
    }

    /// The newest web apps that this core takes and that are newer than its own.
    pub(crate) fn newer_web(&self, core: &Version) -> Option<&Version> {
        let newer = |web: &&Version| web_gate(core, web).is_none() && Level::of(web) > Level::of(core);
        self.releases.iter().filter(newer).max_by_key(|web| Level::of(web))
    }

    /// Web apps some months older than the core, as a web downgrade leaves them.
    pub(crate) fn older_web(&self, core: &Version) -> Option<&Version> {
        let older = |web: &&Version| web_gate(core, web).is_none() && Level::of(web) < Level::of(core);
        self.releases.iter().filter(older).max_by_key(|web| Level::of(web))
    }
}

fn is_in(stock: Stock, at: usize, release: &Version, finals: &[Version]) -> bool {
    let main = release.feature() == 0;
    let last = || {
        let after = finals.get(at + 1);
        after.is_none_or(|after| {
            (after.major(), after.minor()) != (release.major(), release.minor())
                || (after.feature() == 0) != main
        })
    };
    match stock {
        Stock::Full => true,
        Stock::LatestOnly => last(),
        Stock::FeatureOnly => !main,
        Stock::Gaps => at % 3 != 1,
    }
}

fn store(stock: Stock, finals: &[Version], knowledge: &Knowledge) -> Store {
    let releases: Vec<Version> = finals
        .iter()
        .enumerate()
        .filter(|(at, release)| is_in(stock, *at, release, finals))
        .map(|(_, release)| release.clone())
        .collect();
    let mut packages: Vec<Package> = Vec::new();
    let mut shelf = Shelf::default();
    for release in &releases {
        let separate = (release.major(), release.minor(), release.feature()) >= (10, 3, 0);
        for kind in [Some(PackageKind::Full), separate.then_some(PackageKind::Web)].into_iter().flatten() {
            let package = package(release, kind);
            shelf.add(package.sha256.clone(), &package.file, kind, Some(release.clone()));
            packages.push(package);
        }
    }
    for file in [
        "VerifyClusterPorts.dmupgrade",
        "NATSMigration - Prerequisite only.dmupgrade",
        "NATSMigration.dmupgrade",
    ] {
        let package = file_of(file.to_owned(), PackageKind::Tool, None);
        shelf.add(package.sha256.clone(), file, PackageKind::Tool, None);
        packages.push(package);
    }
    let catalog = unite(packages.clone(), knowledge);
    packages.reverse();
    Store { stock, catalog, reversed: unite(packages, knowledge), shelf, releases }
}

fn unite(packages: Vec<Package>, knowledge: &Knowledge) -> Catalog {
    let catalog = PackageCatalog { name: "sweep".to_owned(), packages, builds: BTreeMap::new() };
    Catalog::unite(&[Located::unmarked(catalog, "catalog.yaml")], knowledge)
        .expect("the catalogue of the sweep holds no conflict")
}

/// Rises with the month, and inside each line with the CU.
fn build_of(release: &Version) -> u32 {
    let months = (u32::from(release.minor()) * 12)
        + if release.feature() == 0 {
            u32::from(release.cu().unwrap_or(0)) + 3
        } else {
            u32::from(release.feature())
        };
    let cu = if release.feature() == 0 { 0 } else { 5 + u32::from(release.cu().unwrap_or(0)) };
    30_000 + months * 100 + u32::from(release.minor()) * 10 + cu
}

fn package(release: &Version, kind: PackageKind) -> Package {
    let (a, b, c) = (release.major(), release.minor(), release.feature());
    let build = build_of(release);
    let cu = release.cu().filter(|cu| c == 0 || *cu > 0).map(|cu| format!("(CU{cu})")).unwrap_or_default();
    let word = if kind == PackageKind::Web { "Web" } else { "Full" };
    let named = if cu.is_empty() { Version::new(a, b, c) } else { release.clone() };
    let file = format!("DataMiner {a}.{b}.{c}.0{cu}-{build} {word} Upgrade.dmupgrade");
    file_of(file, kind, Some(named.with_build(build)))
}

fn file_of(file: String, kind: PackageKind, version: Option<Version>) -> Package {
    Package {
        sha256: Sha256::of(file.as_bytes()),
        file,
        size: Some(1 << 30),
        source: None,
        kind,
        version,
        insides: Insides::default(),
    }
}
