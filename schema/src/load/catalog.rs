//! What a schema cannot say of a PackageCatalog: names that disagree, packages that come twice, builds.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Located,
    across::Facts,
    check::quoted,
    source::{Place, Source},
    tree::{Entry, Node},
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    document::{
        Kind,
        catalog::{CatalogDocument, EXPLICIT},
    },
    v1::catalog::{Package, PackageCatalog},
    version::{PackageFile, PackageKind, Version},
};

/// Writes a PackageCatalog document; [`super::load_fleet`] reads it back as it was.
pub fn catalog_to_yaml(catalog: &PackageCatalog) -> String {
    let document = CatalogDocument::from(catalog);
    let yaml = serde_yaml::to_string(&document).unwrap_or_default();
    // As in an Observation: a file name may hold what the writer takes for a line break.
    if yaml.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return super::printable_json(&serde_json::to_string_pretty(&document).unwrap_or_default());
    }
    yaml
}

pub(super) fn judge(source: &mut Source<'_>, node: &Node, facts: &mut Facts) {
    facts.named(Kind::PackageCatalog, source, node);
    let Some(spec) = node.get("spec") else { return };
    let mut files: BTreeMap<String, Place> = BTreeMap::new();
    for package in spec.get("packages").map(Node::items).unwrap_or_default() {
        judge_package(source, package);
        judge_fingerprints(source, package);
        let Some((file, text)) = package.get("file").and_then(|file| Some((file, file.text()?))) else {
            continue;
        };
        let place = source.place(&file.span);
        // Windows does not tell capitals apart, and the file ends up there.
        if let Some(first) = files.get(&text.to_lowercase()) {
            let message = format!("{} is listed twice", quoted(text));
            let help = format!("keep one; the first is on line {}", first.line);
            source.collision(&file.span, Code::DuplicatePackage, message, help, first);
        } else {
            files.insert(text.to_lowercase(), place.clone());
            if let Some(digest) = package.get("sha256").and_then(Node::text) {
                facts.package(text, &digest.to_ascii_lowercase(), place);
            }
        }
    }
    for build in spec.get("builds").map(Node::entries).unwrap_or_default() {
        judge_build(source, build, facts);
    }
}

/// Packages at places that this release does not fetch from. The catalogue is right, but no plan uses such a package.
pub(super) fn not_carried_out(catalog: &Located<PackageCatalog>) -> Vec<Diagnostic> {
    let remote = |(index, package): (usize, &Package)| {
        let source = package.source.as_ref().filter(|source| !source.is_carried_out())?;
        let message =
            format!("packages are not fetched from {} by this release", quoted(&source.to_string()));
        let help = "the catalogue is right, but no change that needs this package starts: put the file into a package place \
                    and write its relative path, or leave `source` out";
        let place = format!("spec.packages[{index}].source");
        Some(catalog.diagnostic(Severity::Warning, &place, Code::NotSupportedYet, message, help))
    };
    catalog.value.packages.iter().enumerate().filter_map(remote).collect()
}

fn judge_package(source: &mut Source<'_>, package: &Node) {
    let said: Vec<(&Entry, &str, PackageKind)> =
        EXPLICIT.iter().filter_map(|(field, kind)| Some((package.entry(field)?, *field, *kind))).collect();
    if let [(_, first, _), others @ ..] = said.as_slice() {
        for (entry, other, _) in others {
            let message = format!("a package is one thing: `{first}` and `{other}` exclude each other");
            source.error(&entry.key_span, Code::Exclusive, message, "keep one of them".to_owned());
        }
    }
    let Some((file, text)) = package.get("file").and_then(|file| Some((file, file.text()?))) else { return };
    let Ok(PackageFile { kind: named, version: named_version }) = text.parse::<PackageFile>() else { return };
    match said.first() {
        None => {
            // A tool has a free name; a name that speaks of an upgrade was meant as one.
            let speaks =
                ["full upgrade", "web upgrade"].iter().any(|words| text.to_lowercase().contains(words));
            if named_version.is_none() && (speaks || named == PackageKind::Update) {
                let message = format!("{} does not tell which release it installs", quoted(text));
                let help = "restore the original name, for example `DataMiner 10.5.0.0(CU9)-16500 Full \
                            Upgrade.dmupgrade`, or add `core: 10.5.0 CU9` or `web: 10.5.12`";
                source.error(&file.span, Code::PackageWithoutRelease, message, help.to_owned());
            }
        }
        Some((entry, field, kind)) => {
            let version: Option<Version> = entry.value.text().and_then(|text| text.parse().ok());
            let disagreement = match (named_version, version) {
                (Some(_), _) if *kind != named => Some(format!("is not what `{field}` stands for")),
                (Some(named), Some(said)) if !named.agrees_with(&said) => {
                    Some(format!("installs {named}, not {said}"))
                }
                _ => None,
            };
            if let Some(disagreement) = disagreement {
                let message = format!("the file, by its name, {disagreement}");
                let help = format!("take `{field}` out, or restore the original file name");
                source.error(&entry.value.span, Code::PackageNameDisagrees, message, help);
            }
        }
    }
}

/// Windows does not tell capitals apart: two fingerprints of one file cannot both be found there.
fn judge_fingerprints(source: &mut Source<'_>, package: &Node) {
    let mut seen = BTreeSet::new();
    for fingerprint in package.get("fingerprints").map(Node::items).unwrap_or_default() {
        let Some((file, text)) = fingerprint.get("file").and_then(|file| Some((file, file.text()?))) else {
            continue;
        };
        if !seen.insert(text.to_lowercase()) {
            let message = format!("the package has two fingerprints of {}", quoted(text));
            source.error(&file.span, Code::DuplicatePackage, message, "keep one of them".to_owned());
        }
    }
}

fn judge_build(source: &mut Source<'_>, build: &Entry, facts: &mut Facts) {
    let Entry { key, key_span, value } = build;
    let spelt = build_key(key);
    let Some(spelt) = spelt else {
        let message = format!("{} is not a build", quoted(key));
        let help = "write the release with four numbers and the build: `\"10.5.0.0-16889\": 10.5.0 CU12`";
        return source.error(key_span, Code::BadBuild, message, help.to_owned());
    };
    let Some(release) = value.text().and_then(|text| text.parse::<Version>().ok()) else { return };
    let other_build = release.build().is_some_and(|build| Some(build) != spelt.build());
    if release.line() != spelt.line() || other_build {
        let message = format!("build {} of {} cannot be the release {release}", key, spelt.line());
        let help = "the release and its build have the same first three numbers";
        return source.error(&value.span, Code::BadBuild, message, help.to_owned());
    }
    facts.build(key, &release.release_name(), source.place(&value.span));
}

/// `10.5.0.0-16889`.
fn build_key(key: &str) -> Option<Version> {
    let version: Version = key.parse().ok()?;
    let dots = key.bytes().filter(|byte| *byte == b'.').count();
    let plain = key.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    (dots == 3 && plain && version.build().is_some()).then_some(version)
}
