//! What packages, builds and entries of VersionHistory.txt look like, for any release.
//!
//! Builds are made up: they rise with the month inside each line as those of the product do, and lie above all that are
//! known, so that nobody takes them for facts.

use std::collections::BTreeMap;

use dataminer_core::{catalog::Catalog, knowledge::Knowledge};
use dataminer_schema::{
    id::Sha256,
    load::Located,
    v1::catalog::{Insides, Package, PackageCatalog},
    version::{MonthIndex, PackageKind, Track, Version},
};

/// The tools by their documented names (`domain/01 section 1`).
const TOOLS: [&str; 3] = [
    "VerifyClusterPorts.dmupgrade",
    "NATSMigration.dmupgrade",
    "NATSMigration - Prerequisite only.dmupgrade",
];

/// What a story names of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// Full and web packages of every final release, and the tools.
    Everything,
    /// Full and web packages of one track.
    All(Track),
    /// The full package of a release.
    Full(Version),
    /// The web package of a release.
    Web(Version),
    /// A tool, by the beginning of its name.
    Tool(String),
}

impl Item {
    /// Reads `10.5.0 CU9`, `web 10.5.12`, `tool NATSMigration`, `everything`, `main releases`, `feature releases`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "everything" => return Ok(Self::Everything),
            "main releases" => return Ok(Self::All(Track::Main)),
            "feature releases" => return Ok(Self::All(Track::Feature)),
            _ => {}
        }
        if let Some(name) = text.strip_prefix("tool ") {
            let known = TOOLS.iter().any(|tool| tool.starts_with(name));
            return known
                .then(|| Self::Tool(name.to_owned()))
                .ok_or_else(|| format!("no tool is called `{name}`"));
        }
        match text.strip_prefix("web ") {
            Some(version) => release(version).map(Self::Web),
            None => release(text).map(Self::Full),
        }
    }

    /// Whether it means `package`.
    pub(crate) fn means(&self, package: &Package) -> bool {
        let is = |kind: PackageKind, version: &Version| {
            package.kind == kind && package.version.as_ref().is_some_and(|own| own.agrees_with(version))
        };
        match self {
            Self::Everything => true,
            Self::All(track) => package.version.as_ref().is_some_and(|version| version.track() == *track),
            Self::Full(version) => is(PackageKind::Full, version),
            Self::Web(version) => is(PackageKind::Web, version),
            Self::Tool(name) => package.kind == PackageKind::Tool && package.file.starts_with(name),
        }
    }

    /// The packages that it adds to a catalogue.
    pub(crate) fn packages(&self) -> Vec<Package> {
        match self {
            Self::Full(version) => vec![package(version, PackageKind::Full)],
            Self::Web(version) => vec![package(version, PackageKind::Web)],
            Self::Everything | Self::All(_) | Self::Tool(_) => {
                everything().into_iter().filter(|package| self.means(package)).collect()
            }
        }
    }
}

/// A release with its CU and its made-up build. A Feature Release without a CU is its first (D3).
pub(crate) fn release(text: &str) -> Result<Version, String> {
    let version: Version = text.parse().map_err(|error| format!("`{text}` is no version: {error}"))?;
    match (version.track(), version.cu()) {
        (Track::Main, None) if version.build().is_none() && version.major() >= 10 => {
            Err(format!("which CU is `{text}`? write `{text} CU0` or another one"))
        }
        (_, cu) => {
            let build = version.build().unwrap_or_else(|| build_of(&version));
            let named = cu.map_or_else(|| version.clone(), |cu| version.clone().with_cu(cu));
            Ok(named.with_build(build))
        }
    }
}

fn month_of(release: &Version) -> u16 {
    let cu = release.cu().unwrap_or(0);
    release.clone().with_cu(cu).month_index().map_or(0, |MonthIndex(index)| index)
}

fn build_of(release: &Version) -> u32 {
    let index = u32::from(month_of(release));
    let feature = if release.feature() > 0 { 5 + u32::from(release.cu().unwrap_or(0)) } else { 0 };
    20_000 + index * 100 + u32::from(release.minor()) * 10 + feature
}

/// As VersionHistory.txt names the release: without its CU (`domain/01 section 1`, notation 1).
pub(crate) fn history_text(release: &Version) -> String {
    let (a, b, c) = (release.major(), release.minor(), release.feature());
    let build = release.build().unwrap_or_else(|| build_of(release));
    // 10.6.9, of index 81, came out in August 2026.
    let month = 2026 * 12 + 7 + i32::from(month_of(release)) - 81;
    let (year, month) = (month / 12, month % 12 + 1);
    format!("{a}.{b}.{c}.0-{build}-{year}{month:02}21-release")
}

fn package(release: &Version, kind: PackageKind) -> Package {
    let (a, b, c) = (release.major(), release.minor(), release.feature());
    let build = release.build().unwrap_or_else(|| build_of(release));
    let cu = release.cu().filter(|cu| *cu > 0 || c == 0).map(|cu| format!("(CU{cu})")).unwrap_or_default();
    let word = if kind == PackageKind::Web { "Web" } else { "Full" };
    let file = format!("DataMiner {a}.{b}.{c}.0{cu}-{build} {word} Upgrade.dmupgrade");
    // As the file name tells it.
    let named = if cu.is_empty() { Version::new(a, b, c) } else { release.clone() };
    Package {
        sha256: Sha256::of(file.as_bytes()),
        file,
        size: Some(3 << 30),
        source: None,
        kind,
        version: Some(named.with_build(build)),
        insides: Insides::default(),
    }
}

fn tool(file: &str) -> Package {
    Package {
        file: file.to_owned(),
        sha256: Sha256::of(file.as_bytes()),
        size: Some(1 << 20),
        source: None,
        kind: PackageKind::Tool,
        version: None,
        insides: Insides::default(),
    }
}

fn everything() -> Vec<Package> {
    let web_since = Version::new(10, 3, 0).line();
    let releases = Knowledge::built_in().final_releases().iter().flat_map(|release| {
        let release = release.clone().with_build(build_of(release));
        let web = (release.line() >= web_since).then(|| package(&release, PackageKind::Web));
        [Some(package(&release, PackageKind::Full)), web].into_iter().flatten()
    });
    releases.chain(TOOLS.into_iter().map(tool)).collect()
}

/// The catalogue of these packages.
pub(crate) fn catalogue(packages: &[Package], knowledge: &Knowledge) -> Result<Catalog, String> {
    let catalog =
        PackageCatalog { name: "packages".to_owned(), packages: packages.to_vec(), builds: BTreeMap::new() };
    let united = Catalog::unite(&[Located::unmarked(catalog, "packages.yaml")], knowledge);
    united.map_err(|conflicts| conflicts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_the_history_names_the_month_and_no_cu() {
        let august = release("10.6.0 CU6").expect("a release");
        assert_eq!(history_text(&august), "10.6.0.0-28160-20260821-release");
        let same = release("10.5.0 CU18").expect("a release");
        assert_eq!(history_text(&same), "10.5.0.0-28150-20260821-release");
        assert!(release("10.5.0").is_err(), "a Main Release without its CU is none");
    }

    #[test]
    fn an_item_means_what_it_adds_and_nothing_else() {
        let all = everything();
        for text in ["10.5.0 CU9", "web 10.5.12", "tool VerifyClusterPorts", "tool NATSMigration."] {
            let item = Item::parse(text).expect("an item");
            assert_eq!(all.iter().filter(|package| item.means(package)).count(), 1, "{text}");
            assert!(item.packages().iter().all(|package| all.contains(package)), "{text}");
        }
        assert!(Item::parse("tool Nothing").is_err());
    }
}
