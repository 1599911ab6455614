//! YAML itself, and what a file may cost.

use super::*;
use crate::load::source::MAX_DIAGNOSTICS;

#[test]
fn the_first_lines_say_what_a_document_is() {
    for (text, code, place) in [
        ("a: b", Code::UnknownApiVersion, "a.yaml:1:1"),
        ("- a", Code::NotADocument, "a.yaml:1:1"),
        ("just text", Code::NotADocument, "a.yaml:1:1"),
        ("apiVersion: v1\nkind: ConfigMap", Code::UnknownApiVersion, "a.yaml:1:13"),
        ("apiVersion: dataminer.gitops/v1", Code::UnknownKind, "a.yaml:1:1"),
        ("apiVersion: dataminer.gitops/v1\nkind: cluster", Code::UnknownKind, "a.yaml:2:7"),
        ("apiVersion: dataminer.gitops/v1\nkind: 5", Code::UnknownKind, "a.yaml:2:7"),
        ("apiVersion: dataminer.gitops/v1\nkind: ReconcilerConfig", Code::KindNotHere, "a.yaml:2:7"),
        ("apiVersion: dataminer.gitops/v1\nkind: Observation", Code::KindNotHere, "a.yaml:2:7"),
    ] {
        let found = load_fleet(&[file("a.yaml", text)]).1;
        let [only] = found.as_slice() else { panic!("{text}: {}", lines(&found)) };
        assert_eq!(only.code, code, "{text}");
        assert!(only.to_string().starts_with(place), "{text}: {only}");
    }
    assert!(
        fleet_faults("apiVersion: dataminer.gitops/v1\nkind: cluster").contains("did you mean `Cluster`?")
    );
}

#[test]
fn empty_files_and_documents_are_no_fault() {
    for text in ["", "\n\n", "# only a comment\n", "---\n---\n", "---\n# a\n---\n...\n"] {
        assert_eq!(fleet_faults(text), "", "{text:?}");
    }
    let text = format!("---\n---\n{}---\n", cluster_with(""));
    let (fleet, found) = load_fleet(&[file("a.yaml", &text)]);
    assert_eq!((lines(&found).as_str(), fleet.clusters.len(), fleet.clusters[0].line), ("", 1, 3));
}

#[test]
fn yaml_itself_is_judged_with_positions() {
    for (extra, code, place) in [
        ("  suspend: true\n  suspend: false\n", Code::DuplicateField, ":8:3"),
        ("  suspend: true\n\thealth: {}\n", Code::Syntax, ":7:12"),
        ("  suspend: \"tru\n", Code::Syntax, ":8:1"),
        ("  suspend: !!bool true\n", Code::TagNotAllowed, ":7:12"),
        ("  <<: { suspend: true }\n", Code::MergeKey, ":7:3"),
        ("  [a, b]: c\n", Code::FieldNameNotText, ":7:3"),
        ("  suspend: *nothing\n", Code::Syntax, ":7:12"),
        ("  health: &a { settle: *a }\n", Code::AliasInsideItself, ":7:24"),
        ("  suspend: ~\n", Code::NullValue, ":7:12"),
        ("  true: 1\n", Code::UnknownField, ":7:3"),
    ] {
        let said = fleet_faults(&cluster_with(extra));
        let first = said.lines().next().unwrap_or_default();
        assert!(first.starts_with(&format!("a.yaml{place}: error[{code}]")), "{extra}: {said}");
    }
}

#[test]
fn columns_count_characters_and_line_ends_do_not_matter() {
    let text = cluster_with(
        "  upgrade: { stageAhead: 1h }\n  suspend: \"é\" # ü\n  windows: [{ kind: Deny, reason: \"ééé\", from: 1 }]\n",
    );
    let unix = fleet_faults(&text);
    assert!(unix.contains("a.yaml:9:48: error[E0303]: `from` must be a text"), "{unix}");
    assert_eq!(fleet_faults(&text.replace('\n', "\r\n")), unix);
    assert_eq!(fleet_faults(&format!("\u{feff}{text}")), unix);
}

#[test]
fn a_file_costs_no_more_than_its_limits() {
    let (_, found) =
        load_fleet(&[SourceFile { path: "a.yaml".to_owned(), bytes: vec![b'#'; MAX_MANIFEST_BYTES + 1] }]);
    assert_eq!(found[0].code, Code::FileTooLarge);
    let (_, found) = load_fleet(&[SourceFile { path: "a.yaml".to_owned(), bytes: b"a: \xff".to_vec() }]);
    assert_eq!(found[0].code, Code::NotUtf8);

    let many = codes(&"--- {}\n".repeat(1_001));
    assert!(many.contains(&Code::TooManyDocuments) && many.last() == Some(&Code::TooManyDiagnostics));
    assert_eq!(many.len(), MAX_DIAGNOSTICS + 1);
    assert_eq!(codes(&"---\n".repeat(1_001)), [Code::TooManyDocuments]);

    for (open, close) in [("[", "]"), ("{ a: ", "}")] {
        let deep = format!("a: {}{}", open.repeat(10_000), close.repeat(10_000));
        assert_eq!(codes(&deep), [Code::TooDeep], "{open}");
    }
    let blocks: String = (0..500).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(codes(&blocks), [Code::TooDeep]);
}

#[test]
fn aliases_cannot_blow_a_file_up() {
    let laughs: String =
        (1..20).map(|n| format!("l{n}: &l{n} [{}]\n", vec![format!("*l{}", n - 1); 10].join(", "))).collect();
    assert_eq!(codes(&format!("l0: &l0 [x]\n{laughs}")), [Code::TooManyValues]);
    // Deep rather than wide: each alias nests the one before.
    let nested: String = (1..40).map(|n| format!("l{n}: &l{n} [*l{}]\n", n - 1)).collect();
    assert_eq!(codes(&format!("l0: &l0 [x]\n{nested}")), [Code::TooDeep]);
    // Anchors around anchors: what they name is kept once for each.
    let anchors = format!(
        "a: {}{}{}",
        (0..30).map(|n| format!("&a{n} [")).collect::<String>(),
        "x,".repeat(20_000),
        "]".repeat(30)
    );
    assert_eq!(codes(&anchors), [Code::TooManyValues]);
}

#[test]
fn too_many_files_are_one_fault() {
    let files = vec![file("a.yaml", ""); MAX_FILES + 2];
    let found = load_fleet(&files).1;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, Code::TooManyFiles);
}

proptest::proptest! {
    /// Half-written, truncated and garbled files: always a clear word, never a panic, never a wrong place.
    #[test]
    fn garbled_manifests_are_refused_with_places_in_the_file(
        seed in proptest::sample::select(vec![FULL, BROKEN, CONFIG]),
        cut in 0_usize..3_000,
        edits in proptest::collection::vec((0_usize..3_000, proptest::sample::select(vec![
            "", ":", " ", "\n", "\t", "-", "[", "]", "{", "}", "\"", "'", "*", "&", "!", "#", "|", ">", "é", "---\n", "\r",
            "\u{2028}", "\u{feff}", "&a [*a]", "10.5", "~", "? ", "%YAML 1.1\n", "<<: ", "password: x", "\0",
        ])), 0..6),
    ) {
        let mut text = seed.to_owned();
        for (at, insert) in edits {
            let at = (at..=at + 4).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            if at <= text.len() {
                text.insert_str(at, insert);
            }
        }
        if let Some(end) = (cut..cut + 4).find(|at| *at < text.len() && text.is_char_boundary(*at)) {
            text.truncate(end);
        }
        let files = [file("a.yaml", &text)];
        for found in [load_fleet(&files).1, load_observations(&files).1, load_config(&files[0]).1].concat() {
            let rendered = found.render_text(&text);
            proptest::prop_assert!(rendered.contains(found.code.as_str()));
            proptest::prop_assert!(found.code != Code::Unreadable, "{}", found);
            if let Some(span) = &found.span {
                proptest::prop_assert!(text.get(span.clone()).is_some(), "{}", found);
                let line = text[..span.start].matches('\n').count() + 1;
                proptest::prop_assert_eq!(line, found.line, "{}", found);
            }
        }
    }
}
