//! `catalog` over real files: what is written, what is refused, and what is told about it.

use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
};

use camino::Utf8Path;
use dataminer_reconciler_tests::{
    environment::workspace,
    program::{self, Ended},
};
use dms_simulator::package::{PackageSpec, write, write_tool};
use tempfile::TempDir;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const FULL: &str = "DataMiner 10.5.0.0(CU9)-16700 Full Upgrade.dmupgrade";
const WEB: &str = "DataMiner 10.5.12.0-16690 Web Upgrade.dmupgrade";
const TOOL: &str = "VerifyClusterPorts.dmupgrade";

fn run(folder: &TempDir, arguments: &[&str]) -> Ended {
    program::run(arguments, folder.path())
}

/// A package store: a full package, a tool, and a web package in a folder of its own.
fn store() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let root = Utf8Path::from_path(folder.path()).expect("temporary folders have plain names");
    fs::create_dir_all(root.join("packages/web")).expect("a folder can be made");
    let version = |text: &str| text.parse().expect("it is a version");
    let full = PackageSpec::full(version("10.5.0 CU9 (build 16700)")).with_padding(1_000_000);
    write(&root.join("packages"), &full).expect("it is written");
    let web = PackageSpec::web(version("10.5.12 (build 16690)"));
    write(&root.join("packages/web"), &web).expect("it is written");
    write_tool(&root.join("packages"), TOOL).expect("it is written");
    folder
}

/// An archive of these members.
fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method))
            .expect("a fresh member");
        zip.write_all(bytes).expect("memory takes it");
    }
    zip.finish().expect("memory takes it").into_inner()
}

/// A package around these members of Update.zip, itself compressed.
fn package(at: &Path, update: &[(&str, &[u8])]) {
    let update = archive(update, CompressionMethod::Stored);
    let members: [(&str, &[u8]); 3] =
        [("Description.txt", b"DataMiner Upgrade"), ("Update.zip", &update), ("SLUpgrade.dll", b"MZ")];
    fs::write(at, archive(&members, CompressionMethod::Deflated)).expect("it can be written");
}

#[test]
fn a_scan_writes_a_catalogue_that_validates_and_verifies() {
    let folder = store();
    let scan = ["catalog", "scan", "packages", "--name", "nas", "--output-file", "catalog.yaml"];
    let ended = run(&folder, &scan).expect_status(0);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("3 listed, 0 refused"), "{}", ended.stderr);
    let text = fs::read_to_string(folder.path().join("catalog.yaml")).expect("it was written");
    assert!(
        text.starts_with("# yaml-language-server: $schema=../schema/package-catalog.schema.json\n"),
        "{text}"
    );
    assert!(!text.contains('\r'));
    let places: Vec<_> = [FULL, WEB, TOOL].iter().map(|file| text.find(&format!("file: {file}"))).collect();
    assert!(places.is_sorted() && places[0].is_some(), "by file name: {places:?}");
    assert!(text.contains(&format!("source: web/{WEB}")), "{text}");
    assert!(text.contains(r"- file: Files\SLNet.exe"), "{text}");
    assert!(text.contains("- VerifyNatsCluster.dll") && text.contains("executor: true"), "{text}");

    // The same store gives the same catalogue, byte for byte.
    let again = run(&folder, &["catalog", "scan", "packages", "--name", "nas"]).expect_status(0);
    assert_eq!(again.stdout, text);
    run(&folder, &["validate", "catalog.yaml"]).expect_status(0);
    let verified = run(&folder, &["catalog", "verify", "--packages", "packages"]).expect_status(0);
    assert_eq!(
        verified.stdout.lines().filter(|line| line.starts_with("good ")).count(),
        3,
        "{}",
        verified.stdout
    );
    let listed = run(&folder, &["catalog", "list"]).expect_status(0);
    let releases: Vec<&str> =
        listed.stdout.lines().skip(1).filter_map(|line| line.split("  ").next()).collect();
    assert_eq!(releases, ["10.5.0 CU9", "10.5.12", "-"], "by release, tools last");
    let json: serde_json::Value =
        serde_json::from_str(&run(&folder, &["catalog", "list", "-o", "json"]).expect_status(0).stdout)
            .expect("it is JSON");
    assert_eq!(json["packages"][0]["build"], 16700);
    assert_eq!(json["packages"][0]["executor"], true);
}

#[test]
fn what_changed_since_the_scan_is_told_and_ends_with_1() {
    let folder = store();
    run(&folder, &["catalog", "scan", "packages", "--output-file", "catalog.yaml"]).expect_status(0);
    let web = folder.path().join("packages/web").join(WEB);
    let mut bytes = fs::read(&web).expect("it is there");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&web, bytes).expect("it can be written");
    fs::remove_file(folder.path().join("packages").join(TOOL)).expect("it is there");
    let ended = run(&folder, &["catalog", "verify", "--packages", "packages"]).expect_status(1);
    let lines: Vec<&str> = ended.stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(lines, [format!("good     {FULL}"), format!("differs  {WEB}"), format!("missing  {TOOL}")]);

    // A fingerprint that somebody changed in the catalogue is told, too.
    let catalog = folder.path().join("catalog.yaml");
    let text = fs::read_to_string(&catalog).expect("it was written");
    fs::write(&catalog, text.replace(r"Files\SLNet.exe", r"Files\SLNot.exe")).expect("it can be written");
    let ended = run(&folder, &["catalog", "verify", "--packages", "packages", "-o", "json"]).expect_status(1);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
    assert_eq!(json["bad"], 3);
    let difference = json["packages"][0]["differences"][0].as_str().unwrap_or_default();
    assert!(difference.contains(r"Files\SLNot.exe"), "{difference}");
}

#[test]
fn packages_that_are_none_or_harm_are_left_out_by_name() {
    let folder = store();
    let at = |name: &str| folder.path().join("packages").join(name);
    let web: [(&str, &[u8]); 2] = [("UpdateContent.txt", b"IIS Stop"), ("Webpages/API/bin/a.dll", b"MZ")];
    fs::write(at("DataMiner 10.6.1.0-17000 Full Upgrade.dmupgrade"), "<html>sign in</html>")
        .expect("written");
    let whole = fs::read(at(FULL)).expect("it is there");
    fs::write(at("DataMiner 10.6.2.0-17001 Full Upgrade.dmupgrade"), &whole[..whole.len() / 2])
        .expect("written");
    fs::write(at("DataMiner 10.6.3.0-17002 Full Upgrade.dmupgrade"), b"").expect("written");
    package(
        &at("DataMiner 10.6.4.0-17003 Web Upgrade.dmupgrade"),
        &[web[0], web[1], (r"..\..\evil.dll", b"MZ")],
    );
    package(&at("DataMiner 10.6.5.0-17004 Web Upgrade (1).dmupgrade"), &web);
    package(&at("DataMiner 10.5.0.0(CU10)-16800.dmupdate"), &[("UpdateContent.txt", b"Kill"), web[1]]);
    fs::write(at("notes.txt"), "not a package by its name").expect("written");
    #[cfg(unix)]
    std::os::unix::fs::symlink(at(FULL), at("DataMiner 10.6.6.0-17005 Full Upgrade.dmupgrade"))
        .expect("a link");

    let ended = run(&folder, &["catalog", "scan", "packages", "-o", "json"]).expect_status(1);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
    let told: Vec<String> = json["packages"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|one| one["findings"].as_array().is_some_and(|findings| !findings.is_empty()))
        .map(|one| {
            format!(
                "{} {} {}",
                one["file"].as_str().unwrap_or_default(),
                one["refused"],
                one["findings"][0]["code"]
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "DataMiner 10.5.0.0(CU10)-16800.dmupdate false \"P0407\"",
            "DataMiner 10.6.1.0-17000 Full Upgrade.dmupgrade true \"P0105\"",
            "DataMiner 10.6.2.0-17001 Full Upgrade.dmupgrade true \"P0106\"",
            "DataMiner 10.6.3.0-17002 Full Upgrade.dmupgrade true \"P0103\"",
            "DataMiner 10.6.4.0-17003 Web Upgrade.dmupgrade true \"P0306\"",
            "DataMiner 10.6.5.0-17004 Web Upgrade (1).dmupgrade false \"P0202\"",
            "DataMiner 10.6.6.0-17005 Full Upgrade.dmupgrade true \"P0102\"",
            "VerifyClusterPorts.dmupgrade false \"P0412\"",
        ]
    );
    assert!(ended.stderr.contains("error[P0306]") && ended.stderr.contains("evil.dll"), "{}", ended.stderr);
    assert!(ended.stderr.contains("= help: "), "{}", ended.stderr);
    let yaml = run(&folder, &["catalog", "scan", "packages"]).expect_status(1).stdout;
    assert_eq!(yaml.matches("- file: DataMiner 10.6").count(), 1, "one of 10.6 is listed: {yaml}");
    fs::write(folder.path().join("catalog.yaml"), yaml).expect("written");
    run(&folder, &["validate", "catalog.yaml"]).expect_status(0);
}

#[test]
fn one_name_with_two_contents_and_one_content_with_two_names_are_told() {
    let folder = store();
    let at = |name: &str| folder.path().join("packages").join(name);
    let (full, web) = (fs::read(at(FULL)).expect("it is there"), format!("web/{FULL}"));
    fs::write(at(&web), [full.as_slice(), b"more"].concat()).expect("written");
    let copy = "DataMiner 10.5.0.0(CU9)-16700 Full Upgrade (2).dmupgrade";
    fs::write(at(copy), &full).expect("written");
    let ended = run(&folder, &["catalog", "scan", "packages"]).expect_status(1);
    assert!(
        ended.stderr.contains("error[P0209]") && ended.stderr.contains("warning[P0210]"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stdout.matches(FULL).count(), 1, "{}", ended.stdout);
}

#[test]
fn an_update_keeps_what_people_wrote() {
    let folder = store();
    let at = |name: &str| folder.path().join(name);
    fs::rename(at("packages").join(FULL), at("packages/renamed.dmupgrade")).expect("it is there");
    run(&folder, &["catalog", "scan", "packages", "--name", "mine", "--output-file", "c.yaml"])
        .expect_status(0);
    let text = fs::read_to_string(at("c.yaml")).expect("it was written");
    let edited = text.replace("file: renamed.dmupgrade\n", "file: renamed.dmupgrade\n    core: 10.5.0 CU9\n")
        + "  builds: { \"10.5.0.0-16889\": 10.5.0 CU12 }\n";
    fs::write(at("c.yaml"), &edited).expect("written");
    fs::remove_file(at("packages").join(TOOL)).expect("it is there");
    let update = ["catalog", "scan", "packages", "--update", "c.yaml", "--output-file", "c.yaml"];
    let ended = run(&folder, &update).expect_status(0);
    assert!(ended.stderr.contains("`VerifyClusterPorts.dmupgrade` was not found; its entry stays"));
    let text = fs::read_to_string(at("c.yaml")).expect("it was written");
    for kept in [
        "name: mine",
        "core: 10.5.0 CU9",
        "10.5.0.0-16889: 10.5.0 CU12",
        "file: VerifyClusterPorts.dmupgrade",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    run(&folder, &["validate", "c.yaml"]).expect_status(0);
    fs::write(at("broken.yaml"), "kind: PackageCatalog\n").expect("written");
    let ended = run(&folder, &["catalog", "scan", "packages", "--update", "broken.yaml"]).expect_status(1);
    assert!(ended.stderr.contains("is not one PackageCatalog without errors"), "{}", ended.stderr);
}

#[test]
fn a_place_that_is_not_there_is_explained() {
    let ended = program::run(&["catalog", "scan", "no/such/folder"], workspace()).expect_status(1);
    assert!(ended.stderr.contains("no/such/folder") && ended.stderr.contains("help: "), "{}", ended.stderr);
    program::run(&["catalog", "verify"], workspace()).expect_status(64);
}
