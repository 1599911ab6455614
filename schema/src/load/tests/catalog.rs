use super::*;

fn catalog(spec: &str) -> String {
    format!(
        "apiVersion: dataminer.gitops/v1\nkind: PackageCatalog\nmetadata: {{ name: main }}\nspec:\n{spec}"
    )
}

const DIGEST: &str = "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn packages_are_told_by_their_names_and_fields() {
    let text = catalog(&format!(
        "  packages:
    - {{ file: \"DataMiner 10.5.0.0-16889 Full Upgrade.dmupgrade\", sha256: {DIGEST}, core: 10.5.0 CU12, size: 5 }}
    - {{ file: \"DataMiner 10.5.12.0(CU1)-16999 Web Upgrade.dmupgrade\", sha256: {DIGEST} }}
    - {{ file: renamed.dmupgrade, sha256: {DIGEST}, web: 10.5.12, source: a/b }}
    - {{ file: NATSMigration.dmupgrade, sha256: {DIGEST} }}
  builds:
    \"10.5.0.0-16889\": 10.5.0 CU12
"
    ));
    let (fleet, found) = load_fleet(&[file("a.yaml", &text)]);
    assert_eq!(lines(&found), "");
    let catalog = &fleet.catalogs[0].value;
    let shown: Vec<String> = catalog
        .packages
        .iter()
        .map(|package| {
            let version = package.version.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{:?} {version} {}", package.kind, package.sha256.short())
        })
        .collect();
    assert_eq!(
        shown,
        [
            "Full 10.5.0 CU12 (build 16889) 0123456789ab",
            "Web 10.5.12 CU1 (build 16999) 0123456789ab",
            "Web 10.5.12 0123456789ab",
            "Tool  0123456789ab",
        ]
    );
    assert_eq!(catalog.builds["10.5.0.0-16889"].to_string(), "10.5.0 CU12");
}

fn with_fingerprint(file: &str) -> String {
    format!(
        "{{ file: x.dmupgrade, sha256: {DIGEST}, fingerprints: [{{ file: \"{file}\", sha256: {DIGEST}, size: 1 }}] }}"
    )
}

#[test]
fn what_is_written_is_read_back_as_it_was() {
    use crate::{
        v1::catalog::{Fingerprint, Insides, Package, PackageCatalog, PackageSource},
        version::PackageKind,
    };
    let sha256: crate::id::Sha256 = DIGEST.to_lowercase().parse().expect("it is one");
    let package = |file: &str, kind, version: Option<&str>| Package {
        file: file.to_owned(),
        sha256: sha256.clone(),
        size: Some(5),
        source: Some(PackageSource::Relative("2026/a b.dmupgrade".to_owned())),
        kind,
        version: version.map(|version| version.parse().expect("a version")),
        insides: Insides::default(),
    };
    let mut full = package(
        "DataMiner 10.5.0.0(CU9)-16700 Full Upgrade.dmupgrade",
        PackageKind::Full,
        Some("10.5.0 CU9 (build 16700)"),
    );
    full.insides = Insides {
        prerequisites: Some(vec!["VerifyClusterPorts.dll".to_owned()]),
        executor: Some(true),
        restart: Some(true),
        fingerprints: vec![Fingerprint {
            file: r"Files\SLNet.exe".to_owned(),
            sha256: sha256.clone(),
            size: 7,
        }],
        base: Some("10.5.0 CU8".parse().expect("a version")),
    };
    let nothing_found = Insides { prerequisites: Some(Vec::new()), ..Insides::default() };
    let catalog = PackageCatalog {
        name: "main".to_owned(),
        packages: vec![
            full,
            package("renamed.dmupgrade", PackageKind::Web, Some("10.5.12 (build 16690)")),
            Package { insides: nothing_found, ..package("NATSMigration.dmupgrade", PackageKind::Tool, None) },
            package("DataMiner.dmupdate", PackageKind::Update, Some("10.5.0 CU10")),
        ],
        builds: [("10.5.0.0-16889".to_owned(), "10.5.0 CU12".parse().expect("a version"))].into(),
    };
    let text = catalog_to_yaml(&catalog);
    let (fleet, found) = load_fleet(&[file("a.yaml", &text)]);
    assert_eq!(lines(&found), "", "{text}");
    assert_eq!(fleet.catalogs[0].value, catalog, "{text}");
}

#[test]
fn packages_that_contradict_themselves_are_refused() {
    let full = "DataMiner 10.5.0.0(CU9)-16500 Full Upgrade.dmupgrade";
    for (package, code) in [
        (format!("{{ file: \"{full}\", sha256: {DIGEST}, core: 10.5.0 CU10 }}"), Code::PackageNameDisagrees),
        (format!("{{ file: \"{full}\", sha256: {DIGEST}, web: 10.5.0 CU9 }}"), Code::PackageNameDisagrees),
        (format!("{{ file: \"{full}\", sha256: {DIGEST}, tool: x }}"), Code::PackageNameDisagrees),
        (format!("{{ file: x.dmupgrade, sha256: {DIGEST}, tool: x, core: 10.5.1 }}"), Code::Exclusive),
        (
            format!("{{ file: DataMiner 10.5.6 Full Upgrade.dmupgrade, sha256: {DIGEST} }}"),
            Code::PackageWithoutRelease,
        ),
        (format!("{{ file: x.dmupdate, sha256: {DIGEST} }}"), Code::PackageWithoutRelease),
        (format!("{{ file: x.zip, sha256: {DIGEST} }}"), Code::BadPackageFile),
        (format!("{{ file: x.dmupgrade, sha256: {DIGEST}, source: \"file:///a/../b\" }}"), Code::BadUrl),
        (format!("{{ file: x.dmupgrade, sha256: {DIGEST}, source: a/../../b }}"), Code::BadUrl),
        (format!("{{ file: x.dmupgrade, sha256: {DIGEST}, source: \"s3://b/../x\" }}"), Code::BadUrl),
        (format!("{{ file: x.dmupgrade, sha256: {DIGEST}, source: \"http://x/y\" }}"), Code::BadUrl),
        (format!("{{ file: x.dmupgrade, sha256: {DIGEST}, source: \"https://x\" }}"), Code::BadUrl),
        (format!("{{ file: x.dmupgrade, sha256: {DIGEST}, source: \"https://me@x/y\" }}"), Code::BadUrl),
        (format!("{{ file: x.dmupgrade, sha256: {DIGEST}, source: 'C:\\x' }}"), Code::BadUrl),
        ("{ file: x.dmupgrade, sha256: 1234abcd }".to_owned(), Code::BadDigest),
        ("{ file: x.dmupgrade }".to_owned(), Code::MissingField),
        (format!("{{ file: x.dmupgrade, sha256: {DIGEST}, size: -1 }}"), Code::OutOfRange),
        (with_fingerprint("Files\\\\..\\\\x"), Code::BadText),
        (with_fingerprint("C:\\\\x"), Code::BadText),
        (with_fingerprint("SLNet.exe"), Code::BadText),
        (
            format!(
                "{{ file: x.dmupgrade, sha256: {DIGEST}, fingerprints: [{{ file: 'a\\b', sha256: {DIGEST}, size: 1 }}, \
                 {{ file: 'A\\b', sha256: {DIGEST}, size: 1 }}] }}"
            ),
            Code::DuplicatePackage,
        ),
        (
            format!(
                "{{ file: x.dmupgrade, sha256: {DIGEST} }}\n    - {{ file: X.dmupgrade, sha256: {DIGEST} }}"
            ),
            Code::DuplicatePackage,
        ),
    ] {
        assert_eq!(codes(&catalog(&format!("  packages:\n    - {package}\n"))), [code], "{package}");
    }
    for (build, code) in [
        ("\"10.5.0-16889\": 10.5.0 CU12", Code::BadBuild),
        ("\"10.5.0.0 - 16889\": 10.5.0 CU12", Code::BadBuild),
        ("\"10.5.0.0-16889\": 10.6.0 CU12", Code::BadBuild),
        ("\"10.5.0.0-16889\": 10.5.0 CU12 (build 1)", Code::BadBuild),
        ("\"10.5.0.0-16889\": 10.5", Code::VersionNotText),
    ] {
        assert_eq!(codes(&catalog(&format!("  builds:\n    {build}\n"))), [code], "{build}");
    }
}

#[test]
fn each_form_of_a_source_is_read_and_what_is_not_fetched_is_said_at_its_place() {
    use crate::v1::catalog::PackageSource;
    for (source, remote) in [
        ("2026/a.dmupgrade", false),
        ("file:///packages/a b.dmupgrade", false),
        ("https://packages.example/2026/a.dmupgrade", true),
        ("s3://packages/dataminer/a.dmupgrade", true),
        ("az://account/packages/a.dmupgrade", true),
    ] {
        let text = catalog(&format!(
            "  packages:\n    - {{ file: x.dmupgrade, sha256: {DIGEST}, tool: x, source: \"{source}\" }}\n"
        ));
        let (fleet, found) = load_fleet(&[file("a.yaml", &text)]);
        let read = fleet.catalogs[0].value.packages[0].source.as_ref().expect("the catalogue is right");
        assert_eq!((read.to_string().as_str(), read.is_carried_out()), (source, !remote));
        assert_eq!(matches!(read, PackageSource::Remote(_)), remote);
        let said = lines(&found);
        let expected = format!("warning[E0309]: packages are not fetched from `{source}` by this release");
        assert_eq!(said.contains(&expected), remote, "{said}");
    }
}

#[test]
fn catalogues_that_contradict_each_other_are_refused() {
    let other = "f".repeat(64);
    let one = catalog(&format!(
        "  packages: [{{ file: a.dmupgrade, sha256: {DIGEST} }}]\n  builds: {{ \"10.5.0.0-1\": 10.5.0 CU1 }}\n"
    ));
    let two = one
        .replace("name: main", "name: more")
        .replace(DIGEST, &other)
        .replace("10.5.0 CU1 }", "10.5.0 CU2 }");
    let (fleet, found) = load_fleet(&[file("a.yaml", &one), file("b.yaml", &two)]);
    let codes: Vec<Code> = found.iter().map(|found| found.code).collect();
    assert_eq!(codes, [Code::PackageConflict, Code::BuildConflict], "{}", lines(&found));
    assert_eq!(fleet.catalogs.len(), 1);
    let same = one.replace("name: main", "name: more").replace(DIGEST, &DIGEST.to_lowercase());
    assert_eq!(lines(&load_fleet(&[file("a.yaml", &one), file("b.yaml", &same)]).1), "");
    assert_eq!(load_fleet(&[file("a.yaml", &one), file("b.yaml", &one)]).1[0].code, Code::DuplicateCatalog);
}
