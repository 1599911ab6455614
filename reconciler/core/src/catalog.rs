//! All PackageCatalogs as one: which package installs which release, and which release a build is.

mod places;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use dataminer_schema::{
    id::Sha256,
    load::Located,
    v1::catalog::{Insides, Package, PackageCatalog, PackageSource},
    version::{Line, MonthIndex, PackageKind, Track, Version},
};

use self::places::Places;
use crate::{
    knowledge::Knowledge,
    release::{OPEN_END, Release},
    tool::Tool,
};

/// The united catalogue. Its order does not depend on the order in which catalogues or packages were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    /// Ascending by file name.
    packages: Vec<Entry>,
    /// Where they stand among them by what plans ask for.
    places: Places,
    /// The CU of every known build, by line and build; what a catalogue says goes before what is known otherwise.
    builds: BTreeMap<(Line, u32), u16>,
}

/// A package with the release that it installs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub file: String,
    pub sha256: Sha256,
    /// Bytes, where the catalogue tells.
    pub size: Option<u64>,
    pub source: Option<PackageSource>,
    pub kind: PackageKind,
    /// Absent for tools.
    pub release: Option<Release>,
    /// What a scan found inside.
    pub insides: Insides,
}

/// Two catalogue entries that cannot both be true.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{what}` is {first} in {first_place}, but {second} in {second_place}")]
pub struct CatalogConflict {
    /// The file name or the build.
    pub what: String,
    pub first: String,
    pub first_place: Place,
    pub second: String,
    pub second_place: Place,
}

/// Where an entry was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The name of the PackageCatalog.
    pub catalog: String,
    pub path: String,
    /// The line of the document, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { catalog, path, line } = self;
        write!(f, "`{catalog}` ({path}:{line})")
    }
}

impl CatalogConflict {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        "keep the entry that is right and delete the other one"
    }
}

impl Default for Catalog {
    /// No package, and the builds that this release of the program knows.
    fn default() -> Self {
        Self { builds: known_builds(Knowledge::built_in()), ..Self::empty() }
    }
}

impl Catalog {
    /// Unites all catalogues of a repository; every conflict is reported with both places.
    pub fn unite(
        catalogs: &[Located<PackageCatalog>],
        knowledge: &Knowledge,
    ) -> Result<Self, Vec<CatalogConflict>> {
        let mut ordered: Vec<(Place, &PackageCatalog)> =
            catalogs.iter().map(|catalog| (place_of(catalog), &catalog.value)).collect();
        ordered.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut conflicts = Vec::new();
        let mut builds: BTreeMap<(Line, u32), (Version, Place)> = BTreeMap::new();
        let mut packages: BTreeMap<String, (Package, Place)> = BTreeMap::new();
        for (place, catalog) in &ordered {
            for (text, version) in &catalog.builds {
                // The language checks the keys; one that slipped through explains no build.
                let Some((line, build)) = build_key(text) else { continue };
                unite_build(&mut builds, &mut conflicts, (line, build), version, place);
            }
            for package in &catalog.packages {
                unite_package(&mut packages, &mut conflicts, package, place);
            }
        }
        // A package that names both its CU and its build explains that build on an Agent too.
        for (package, place) in packages.values() {
            if let (PackageKind::Full | PackageKind::Update, Some(version)) = (package.kind, &package.version)
                && let (Some(_), Some(build)) = (version.cu(), version.build())
            {
                unite_build(&mut builds, &mut conflicts, (version.line(), build), version, place);
            }
        }
        if !conflicts.is_empty() {
            return Err(conflicts);
        }
        let mut catalog = Self { builds: known_builds(knowledge), ..Self::empty() };
        let own = builds.into_iter().filter_map(|(key, (version, _))| {
            let cu = Release::exact(version)?.cu()?;
            Some((key, cu))
        });
        catalog.builds.extend(own);
        for (package, _) in packages.into_values() {
            let release = package.version.as_ref().map(|version| catalog.release_of(version));
            let Package { file: name, sha256, size, source, kind, insides, .. } = package;
            catalog.packages.push(Entry { file: name, sha256, size, source, kind, release, insides });
        }
        catalog.places = Places::of(&catalog.packages);
        Ok(catalog)
    }

    fn empty() -> Self {
        Self { packages: Vec::new(), places: Places::default(), builds: BTreeMap::new() }
    }

    /// Every package, by file name.
    pub fn packages(&self) -> impl Iterator<Item = &Entry> {
        self.packages.iter()
    }

    /// The package with this digest.
    pub fn by_digest(&self, sha256: &Sha256) -> Option<&Entry> {
        self.all_by_digest(sha256).next()
    }

    /// Every package with this digest: one content may lie there under several names.
    pub fn all_by_digest(&self, sha256: &Sha256) -> impl Iterator<Item = &Entry> {
        self.at(self.places.of_digest(sha256))
    }

    /// The packages at these places.
    fn at<'a>(&'a self, places: impl IntoIterator<Item = &'a usize>) -> impl Iterator<Item = &'a Entry> {
        places.into_iter().filter_map(|place| self.packages.get(*place))
    }

    /// Which release an observed version is: the CU comes from the string, else from the catalogue, else from the
    /// built-in table, else from the known builds around it (D2).
    pub fn release_of(&self, version: &Version) -> Release {
        if version.cu().is_some() {
            return Release::exact(version.clone())
                .unwrap_or_else(|| Release::between(version.clone(), 0, OPEN_END));
        }
        let Some(build) = version.build() else {
            return Release::exact(version.clone())
                .unwrap_or_else(|| Release::between(version.clone(), 0, OPEN_END));
        };
        let known = self.known_builds(version.line());
        if let Some(cu) = known.iter().find(|(known, _)| *known == build).map(|(_, cu)| *cu) {
            let named = version.clone().with_cu(cu);
            return Release::between(named, cu, cu);
        }
        if version.track() == Track::Feature || version.major() < 10 {
            // A Feature Release's CUs are rare and move no index; without other evidence it is CU0 (D3).
            let after_cu = known.iter().filter(|(known, _)| *known < build).map(|(_, cu)| *cu).max();
            return Release::between(version.clone(), after_cu.unwrap_or(0), after_cu.unwrap_or(0));
        }
        Release::bracketed(version.clone(), build, &known)
    }

    /// The level of web apps (W4); `None` where it hangs on a CU that no string, catalogue or table tells.
    pub fn web_level(&self, version: &Version) -> Option<MonthIndex> {
        self.named_web(version).and_then(|named| named.month_index())
    }

    /// Web apps, observed or wanted, with the CU that only their build tells; `None` where nothing tells it.
    pub fn named_web(&self, version: &Version) -> Option<Version> {
        // A web package's build is its own: no core shows it.
        let packaged = self.web_package(version).and_then(|entry| entry.release.as_ref()?.cu());
        let named = match (version.month_index(), packaged.or_else(|| self.release_of(version).cu())) {
            // Only a Main Release without its CU has no month.
            (None, Some(cu)) => version.clone().with_cu(cu),
            _ => version.clone(),
        };
        named.month_index().map(|_| named)
    }

    /// Full packages that install `wanted`: its build if it names one, else its CU; the highest build first.
    pub fn core_packages(&self, wanted: &Version) -> Vec<&Entry> {
        self.matching(PackageKind::Full, wanted)
    }

    /// The Full package that installs `wanted`: several builds of one release, the highest.
    pub fn core_package(&self, wanted: &Version) -> Option<&Entry> {
        self.core_packages(wanted).into_iter().next()
    }

    /// The Web package that installs `wanted`.
    pub fn web_package(&self, wanted: &Version) -> Option<&Entry> {
        self.matching(PackageKind::Web, wanted).into_iter().next()
    }

    /// The package whose file name is `stem`, whatever it is called behind the last dot.
    pub fn named(&self, stem: &str) -> Option<&Entry> {
        let of = |file: &str| file.rsplit_once('.').is_some_and(|(name, _)| name.eq_ignore_ascii_case(stem));
        self.packages.iter().find(|entry| of(&entry.file))
    }

    /// The update package that leads from exactly `source` to `goal`, of those whose base is told.
    pub fn update_package(&self, source: &Release, goal: &Release) -> Option<&Entry> {
        let is = |release: &Release, wanted: &Release| {
            !release.is_hotfix()
                && release.line() == wanted.line()
                && release.cu().is_some()
                && release.cu() == wanted.cu()
                && wanted.build().is_none_or(|build| release.build() == Some(build))
        };
        self.at(self.places.of_kind(PackageKind::Update)).find(|entry| {
            let base = entry.insides.base.as_ref().map(|base| self.release_of(base));
            base.is_some_and(|base| is(source, &base))
                && entry.release.as_ref().is_some_and(|to| is(to, goal))
        })
    }

    /// The package of this tool; of several, the first by its file name.
    pub fn tool(&self, tool: Tool) -> Option<&Entry> {
        self.at(self.places.of_kind(PackageKind::Tool)).find(|entry| Tool::named(&entry.file) == Some(tool))
    }

    /// The releases of the band A.B that Full packages install, each with its best package, ascending by CU.
    /// Packages whose CU is unknown are left out: they cannot be chosen by a rule.
    pub fn core_releases(&self, band: (u16, u16), track: Track) -> Vec<(&Release, &Entry)> {
        let mut best: BTreeMap<(u16, u16), (&Release, &Entry)> = BTreeMap::new();
        for entry in self.at(self.places.of_band(PackageKind::Full, band)) {
            let Some(release) = &entry.release else { continue };
            let Some(cu) = release.cu() else { continue };
            if release.track() != track || release.is_hotfix() {
                continue;
            }
            let slot = best.entry((release.line().feature, cu)).or_insert((release, entry));
            if release.build() > slot.0.build() {
                *slot = (release, entry);
            }
        }
        best.into_values().collect()
    }

    /// The bands A.B of which there is a Full package.
    pub fn bands(&self) -> BTreeSet<(u16, u16)> {
        self.places.bands(PackageKind::Full)
    }

    fn matching(&self, kind: PackageKind, wanted: &Version) -> Vec<&Entry> {
        let wanted_cu = Release::exact(wanted.clone()).and_then(|release| release.cu());
        let mut found: Vec<&Entry> = self
            .at(self.places.of_line(kind, wanted.line()))
            .filter(|entry| {
                let Some(release) = &entry.release else { return false };
                if release.is_hotfix() != wanted.is_hotfix() {
                    return false;
                }
                match wanted.build() {
                    Some(build) => release.build() == Some(build),
                    None => wanted_cu.is_some() && release.cu() == wanted_cu,
                }
            })
            .collect();
        found.sort_by(|a, b| build_of(b).cmp(&build_of(a)).then_with(|| a.file.cmp(&b.file)));
        found
    }

    /// Build and CU of every known build of `line`, ascending by build.
    fn known_builds(&self, line: Line) -> Vec<(u32, u16)> {
        self.builds.range((line, 0)..=(line, u32::MAX)).map(|((_, build), cu)| (*build, *cu)).collect()
    }
}

fn known_builds(knowledge: &Knowledge) -> BTreeMap<(Line, u32), u16> {
    knowledge.builds().map(|(line, build, cu)| ((line, build), cu)).collect()
}

fn build_of(entry: &Entry) -> Option<u32> {
    entry.release.as_ref().and_then(Release::build)
}

fn place_of(catalog: &Located<PackageCatalog>) -> Place {
    Place { catalog: catalog.value.name.clone(), path: catalog.path.clone(), line: catalog.line }
}

fn build_key(text: &str) -> Option<(Line, u32)> {
    let version: Version = text.parse().ok()?;
    Some((version.line(), version.build()?))
}

fn unite_build(
    builds: &mut BTreeMap<(Line, u32), (Version, Place)>,
    conflicts: &mut Vec<CatalogConflict>,
    (line, build): (Line, u32),
    version: &Version,
    place: &Place,
) {
    let release = |version: &Version| Release::exact(version.clone()).map(|release| release.name());
    match builds.get(&(line, build)) {
        None => {
            builds.insert((line, build), (version.clone(), place.clone()));
        }
        Some((first, first_place)) if release(first) != release(version) => conflicts.push(CatalogConflict {
            what: format!("{line}.0-{build}"),
            first: first.release_name(),
            first_place: first_place.clone(),
            second: version.release_name(),
            second_place: place.clone(),
        }),
        Some(_) => {}
    }
}

fn unite_package(
    packages: &mut BTreeMap<String, (Package, Place)>,
    conflicts: &mut Vec<CatalogConflict>,
    package: &Package,
    place: &Place,
) {
    let Some((first, first_place)) = packages.get_mut(&package.file) else {
        packages.insert(package.file.clone(), (package.clone(), place.clone()));
        return;
    };
    let differing = [
        (format!("sha256 {}", first.sha256.short()), format!("sha256 {}", package.sha256.short())),
        (describe(first), describe(package)),
        (size(first), size(package)),
        (source(first), source(package)),
    ];
    for (ours, theirs) in differing {
        // What one entry leaves open, the other may fill in.
        if ours != theirs && !ours.is_empty() && !theirs.is_empty() {
            conflicts.push(CatalogConflict {
                what: package.file.clone(),
                first: ours,
                first_place: first_place.clone(),
                second: theirs,
                second_place: place.clone(),
            });
        }
    }
    first.size = first.size.or(package.size);
    first.source = first.source.take().or_else(|| package.source.clone());
    first.insides = std::mem::take(&mut first.insides).completed_by(&package.insides);
}

fn describe(package: &Package) -> String {
    match &package.version {
        Some(version) => format!("a {:?} package of {version}", package.kind),
        None => format!("a {:?} package", package.kind),
    }
}

fn size(package: &Package) -> String {
    package.size.map(|size| format!("{size} bytes")).unwrap_or_default()
}

fn source(package: &Package) -> String {
    package.source.as_ref().map(|source| format!("at {source}")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
