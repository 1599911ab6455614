use proptest::prelude::*;

use super::*;
use crate::testing::{package, version};

fn located(
    name: &str,
    line: usize,
    packages: Vec<Package>,
    builds: &[(&str, &str)],
) -> Located<PackageCatalog> {
    let builds = builds.iter().map(|(build, release)| ((*build).to_owned(), version(release))).collect();
    let value = PackageCatalog { name: name.to_owned(), packages, builds };
    Located { line, ..Located::unmarked(value, format!("{name}.yaml")) }
}

fn full(release: &str, build: u32) -> Package {
    package(&version(release), PackageKind::Full, build)
}

fn unite(catalogs: &[Located<PackageCatalog>]) -> Result<Catalog, Vec<CatalogConflict>> {
    Catalog::unite(catalogs, Knowledge::built_in())
}

fn with_builds(builds: &[(&str, &str)]) -> Catalog {
    unite(&[located("a", 1, Vec::new(), builds)]).expect("no conflict")
}

fn range(catalog: &Catalog, text: &str) -> (u16, u16) {
    let release = catalog.release_of(&version(text));
    (release.cu_low(), release.cu_high())
}

#[test]
fn the_cu_comes_from_the_string_then_the_catalogue_then_the_built_in_table() {
    let catalog = with_builds(&[("10.5.0.0-16889", "10.5.0 CU12"), ("10.5.0.0-16782", "10.5.0 CU10")]);
    assert_eq!(range(&catalog, "10.5.0.0-16889 CU13"), (13, 13));
    assert_eq!(range(&catalog, "10.5.0.0-16889-20260219-release"), (12, 12));
    // The catalogue goes before the built-in table, which says CU11.
    assert_eq!(range(&catalog, "10.5.0.0-16782"), (10, 10));
    assert_eq!(range(&Catalog::default(), "10.5.0.0-16782"), (11, 11));
    assert_eq!(catalog.release_of(&version("10.5.0.0-16889")).name(), "10.5.0 CU12");
}

#[test]
fn d2_an_unknown_build_lies_between_its_neighbours() {
    let none = Catalog::default();
    assert_eq!(range(&none, "10.5.0.0-16500"), (6, 11));
    assert_eq!(range(&none, "10.5.0.0-17000"), (11, OPEN_END));
    assert_eq!(range(&none, "10.5.0.0-15000"), (0, 4));
    // Re-releases: 16230 lies between CU6 (16223) and the second CU4 (16239).
    assert_eq!(range(&none, "10.5.0.0-16230"), (4, 6));
    assert_eq!(range(&none, "10.7.0.0-20000"), (0, OPEN_END));
    assert_eq!(range(&none, "10.5.0"), (0, OPEN_END));
    // A Feature Release without a CU is CU0 until something says otherwise.
    assert_eq!(range(&none, "10.5.12.0-16600"), (0, 0));
    assert_eq!(range(&with_builds(&[("10.5.12.0-16550", "10.5.12 CU2")]), "10.5.12.0-16600"), (2, 2));
}

#[test]
fn a_package_that_names_cu_and_build_explains_that_build() {
    let catalog = unite(&[located("a", 1, vec![full("10.5.0 CU9", 16500)], &[])]).expect("no conflict");
    assert_eq!(range(&catalog, "10.5.0.0-16500-20251120-release"), (9, 9));
}

#[test]
fn the_highest_build_of_a_release_is_taken_unless_a_build_is_wanted() {
    let packages = vec![full("10.5.0 CU4", 16239), full("10.5.0 CU4", 15943), full("10.5.0 CU5", 16086)];
    let catalog = unite(&[located("a", 1, packages, &[])]).expect("no conflict");
    let build = |wanted: &str| {
        catalog.core_package(&version(wanted)).and_then(|entry| entry.release.as_ref()?.build())
    };
    assert_eq!(build("10.5.0 CU4"), Some(16239));
    assert_eq!(build("10.5.0 CU4 (build 15943)"), Some(15943));
    assert_eq!(build("10.5.0 CU4 (build 1)"), None);
    assert_eq!(build("10.5.0 CU6"), None);
    assert_eq!(build("10.5.0"), None);
    let cus: Vec<Option<u16>> =
        catalog.core_releases((10, 5), Track::Main).iter().map(|(release, _)| release.cu()).collect();
    assert_eq!(cus, [Some(4), Some(5)]);
    assert!(catalog.web_package(&version("10.5.0 CU4")).is_none());
}

#[test]
fn conflicts_name_both_places() {
    let mut other = full("10.5.0 CU4", 16239);
    other.sha256 = Sha256::of(b"something else");
    let first = located("a", 1, vec![full("10.5.0 CU4", 16239)], &[("10.5.0.0-16500", "10.5.0 CU9")]);
    let second = located("b", 7, vec![other], &[("10.5.0.0-16500", "10.5.0 CU8")]);
    let conflicts = unite(&[second, first]).expect_err("two conflicts");
    assert_eq!(conflicts.len(), 2);
    for conflict in &conflicts {
        assert_eq!((conflict.first_place.catalog.as_str(), conflict.second_place.line), ("a", 7));
    }
    assert_eq!(
        conflicts[0].to_string(),
        "`10.5.0.0-16500` is 10.5.0 CU9 in `a` (a.yaml:1), but 10.5.0 CU8 in `b` (b.yaml:7)"
    );
    // A package's own name against `builds`.
    let contradicted = located("c", 1, vec![full("10.5.0 CU4", 16239)], &[("10.5.0.0-16239", "10.5.0 CU5")]);
    assert_eq!(unite(&[contradicted]).expect_err("a conflict").len(), 1);
}

#[test]
fn equal_entries_unite_and_fill_each_other() {
    let mut bare = full("10.5.0 CU4", 16239);
    bare.size = None;
    let mut placed = full("10.5.0 CU4", 16239);
    placed.source = Some(PackageSource::File("/packages".to_owned()));
    let catalog = unite(&[located("a", 1, vec![bare], &[]), located("b", 1, vec![placed], &[])]);
    let catalog = catalog.expect("no conflict");
    let entries: Vec<&Entry> = catalog.packages().collect();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].size, entries[0].source.as_ref()),
        (Some(3 << 30), Some(&PackageSource::File("/packages".to_owned())))
    );
    assert_eq!(catalog.by_digest(&entries[0].sha256), Some(entries[0]));
}

proptest! {
    #[test]
    fn any_version_resolves_to_an_ordered_interval(minor in 0_u16..9, feature in 0_u16..14, build in 0_u32..40_000) {
        let release = Catalog::default().release_of(&Version::new(10, minor, feature).with_build(build));
        prop_assert!(release.cu_low() <= release.cu_high());
        prop_assert!(release.index_low() <= release.index_high());
    }

    #[test]
    fn what_places_find_a_scan_finds(
        chosen in proptest::collection::vec((0_u16..3, 0_u16..3, 0_u16..4, 0_usize..4, 0_u8..9), 0..30),
        (minor, feature) in (0_u16..3, 0_u16..3),
    ) {
        const KINDS: [PackageKind; 4] =
            [PackageKind::Full, PackageKind::Web, PackageKind::Update, PackageKind::Tool];
        let packages = chosen.iter().enumerate().map(|(build, (minor, feature, cu, kind, content))| {
            let release = Version::new(10, *minor, *feature).with_cu(*cu);
            let build = u32::try_from(build).expect("a few packages");
            Package { sha256: Sha256::of(&[*content]), ..package(&release, KINDS[*kind], 20_000 + build) }
        });
        let catalog = unite(&[located("a", 1, packages.collect(), &[])]).expect("no conflict");
        let scan = |wanted: &dyn Fn(&Entry) -> bool| -> Vec<&Entry> {
            catalog.packages().filter(|entry| wanted(entry)).collect()
        };
        let places = &catalog.places;
        for kind in KINDS {
            let found: Vec<&Entry> = catalog.at(places.of_kind(kind)).collect();
            prop_assert_eq!(found, scan(&|entry| entry.kind == kind));
            let line = Version::new(10, minor, feature).line();
            let of_line = |entry: &Entry| entry.release.as_ref().is_some_and(|release| release.line() == line);
            let found: Vec<&Entry> = catalog.at(places.of_line(kind, line)).collect();
            prop_assert_eq!(found, scan(&|entry| entry.kind == kind && of_line(entry)));
            let of_band = |entry: &Entry| entry.release.as_ref().is_some_and(|release| release.band() == (10, minor));
            let mut found: Vec<&Entry> = catalog.at(places.of_band(kind, (10, minor))).collect();
            found.sort_by_key(|entry| &entry.file);
            prop_assert_eq!(&found, &scan(&|entry| entry.kind == kind && of_band(entry)));
            prop_assert_eq!(places.bands(kind).contains(&(10, minor)), !found.is_empty());
        }
        for content in 0_u8..10 {
            let sha256 = Sha256::of(&[content]);
            let found: Vec<&Entry> = catalog.all_by_digest(&sha256).collect();
            prop_assert_eq!(found, scan(&|entry| entry.sha256 == sha256));
        }
    }
}
