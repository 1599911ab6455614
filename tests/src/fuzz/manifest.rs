//! Manifests, observations and the configuration, from any bytes.

use dataminer_schema::{
    diagnostic::{Diagnostic, Severity},
    load::{Fleet, Located, SourceFile, load_config, load_fleet, load_observations, observation_to_yaml},
};

pub(super) const WORDS: &[&str] = &[
    "apiVersion: dataminer.gitops/v1\n",
    "kind: Cluster\n",
    "kind: PackageCatalog\n",
    "kind: Observation\n",
    "kind: Profile\n",
    "kind: Rollout\n",
    "kind: Advisory\n",
    "  profile: production\n",
    "kind: ReconcilerConfig\n",
    "---\n",
    "...\n",
    "metadata:\n  name: a\n",
    "spec:\n",
    "  software: ",
    "core: ",
    "10.5",
    "10.5.0 CU9",
    "- ",
    ": ",
    "\n  ",
    "\t",
    "&a ",
    "*a",
    "<<: ",
    "? ",
    "| \n",
    ">-\n",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    "# ",
    "!!str ",
    "%YAML 1.2\n",
    "null",
    "~",
    "true",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "\r\n",
    "é",
    "\0",
    "password: hunter2",
    "{ env: NAME }",
    "\\u0000",
    "\\x",
    "0x1F",
    "1e999",
    ".inf",
    "2026-11-21T10:00:00Z",
];

/// More diagnostics than this of one file are cut; a few come from across files.
const MOST_DIAGNOSTICS: usize = 1_000;

/// Whatever the bytes are, every diagnostic stands at a place of the file and can be shown; and what is read of an
/// observation is read again from its printed form.
///
/// # Panics
/// Where that does not hold.
pub fn manifest(data: &[u8]) {
    let file = |path: &str| SourceFile { path: path.to_owned(), bytes: data.to_vec() };
    let one = [file("fleet/a.yaml")];

    let (fleet, diagnostics) = load_fleet(&one);
    check_all(&diagnostics, &one);
    assert_eq!(load_fleet(&one), (fleet.clone(), diagnostics), "the same bytes were read differently");
    let documents = places(&fleet);
    let lines = line_count(data);
    for (path, line) in &documents {
        assert!(*path == one[0].path && (1..=lines).contains(line), "a document at {path}:{line} of {lines}");
    }

    let two = [file("fleet/a.yaml"), file("fleet/b.yaml")];
    let (fleet, diagnostics) = load_fleet(&two);
    check_all(&diagnostics, &two);
    let twice = places(&fleet);
    // Names are unique in a repository: of each two, one is left out, and it is said.
    assert!(twice.len() <= documents.len(), "of two equal files more is taken than of one: {twice:?}");
    assert!(documents.is_empty() || has_error(&diagnostics), "two documents of one name were taken");

    let (config, diagnostics) = load_config(&one[0]);
    check_all(&diagnostics, &one);
    assert!(config.is_some() || has_error(&diagnostics), "no configuration, and no word why");

    let (observations, diagnostics) = load_observations(&one);
    check_all(&diagnostics, &one);
    for observation in &observations {
        let yaml = observation_to_yaml(observation);
        let printed = [SourceFile { path: "observed/a.yaml".to_owned(), bytes: yaml.clone().into_bytes() }];
        let (again, diagnostics) = load_observations(&printed);
        assert!(diagnostics.is_empty(), "its own printed form is refused: {diagnostics:?}\n{yaml}");
        assert_eq!(again, std::slice::from_ref(observation), "\n{yaml}");
    }
}

/// Where each document of a fleet was written.
fn places(fleet: &Fleet) -> Vec<(String, usize)> {
    fn of<T>(documents: &[Located<T>]) -> Vec<(String, usize)> {
        documents.iter().map(|located| (located.path.clone(), located.line)).collect()
    }
    let Fleet { clusters, profiles, catalogs, rollouts, advisories } = fleet;
    [of(clusters), of(profiles), of(catalogs), of(rollouts), of(advisories)].concat()
}

fn has_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|found| found.severity == Severity::Error)
}

fn line_count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count() + 1
}

fn check_all(diagnostics: &[Diagnostic], files: &[SourceFile]) {
    assert!(diagnostics.len() <= MOST_DIAGNOSTICS * files.len(), "{} diagnostics", diagnostics.len());
    for found in diagnostics {
        let file = files.iter().find(|file| file.path == found.path);
        check(found, &file.unwrap_or_else(|| panic!("no file was called {}", found.path)).bytes);
    }
}

fn check(found: &Diagnostic, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    assert!(!found.message.is_empty(), "{found:?}");
    assert_eq!(found.line == 0, found.column == 0, "{found:?}");
    assert!(found.line <= line_count(bytes), "{found:?}");
    if found.line > 0 {
        let line = text.split('\n').nth(found.line - 1).expect("the line was counted");
        assert!(found.column <= line.chars().count() + 1, "{found:?} in {line:?}");
    }
    if let Some(span) = &found.span {
        assert!(found.line > 0, "a span without a line: {found:?}");
        assert!(span.start <= span.end && text.get(span.clone()).is_some(), "no span of the file: {found:?}");
        let before = &text[..span.start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before[line_start..].strip_prefix('\u{feff}').filter(|_| line_start == 0);
        let column = line.unwrap_or(&before[line_start..]).chars().count() + 1;
        let place = (before.matches('\n').count() + 1, column);
        assert_eq!((found.line, found.column), place, "the span starts elsewhere: {found:?}");
    }
    let shown = found.render_text(text);
    assert!(shown.contains(found.code.as_str()), "{shown}");
    assert!(found.render_text("").contains(found.code.as_str()), "without its file: {found:?}");
    let json = serde_json::to_string(found).expect("a diagnostic is plain data");
    assert_eq!(serde_json::from_str::<Diagnostic>(&json).as_ref().ok(), Some(found), "{json}");
}
