use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use super::*;

/// A writer whose text a test can read afterwards.
#[derive(Clone, Default)]
pub(super) struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no writer panicked").clone()).expect("verbs write UTF-8")
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer whose reader has gone away.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

/// Exit, stdout and stderr of a command line.
pub(super) fn call(arguments: &[&str]) -> (Exit, String, String) {
    let (out, talk) = (Buffer::default(), Buffer::default());
    let arguments = ["dataminer-reconciler"].iter().chain(arguments).map(OsString::from);
    let exit = main(arguments, &mut Terminal::over(out.clone(), talk.clone()));
    (exit, out.text(), talk.text())
}

#[test]
fn the_command_line_is_sound() {
    command().debug_assert();
}

#[test]
fn wrong_usage_is_64_and_talks_on_stderr() {
    for wrong in [&["validate"][..], &["frobnicate"], &[], &["version", "-o", "nonsense"]] {
        let (exit, out, talk) = call(wrong);
        assert_eq!((exit.code(), out.as_str()), (64, ""), "{wrong:?}");
        assert!(talk.contains("--help") || talk.contains("Usage"), "{wrong:?}: {talk}");
    }
}

#[test]
fn help_and_version_are_data() {
    for asked in [&["--help"][..], &["--version"], &["validate", "--help"]] {
        let (exit, out, talk) = call(asked);
        assert_eq!((exit, talk.as_str()), (Exit::Ok, ""), "{asked:?}");
        assert!(!out.is_empty(), "{asked:?}");
    }
}

#[test]
fn every_shell_gets_a_script_that_knows_the_verbs() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (exit, out, _) = call(&["completion", shell]);
        assert_eq!(exit, Exit::Ok);
        assert!(out.contains("validate"), "{shell}");
    }
}

#[test]
fn version_says_which_documents_it_speaks() {
    let (exit, out, _) = call(&["version", "-o", "json"]);
    assert_eq!(exit, Exit::Ok);
    let facts: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!(facts["apiVersion"], "dataminer.gitops/v1");
    assert_eq!(facts["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let talk = Buffer::default();
    let arguments = ["dataminer-reconciler", "version"].iter().map(OsString::from);
    let exit = main(arguments, &mut Terminal::over(Closed, talk.clone()));
    assert_eq!((exit, talk.text().as_str()), (Exit::Ok, ""));
}

#[test]
fn a_log_level_that_cannot_be_read_says_what_to_write() {
    let (exit, _, talk) = call(&["version", "--log-level", "loud"]);
    assert_eq!(exit, Exit::Usage);
    assert!(talk.contains("warn, info, debug"), "{talk}");
}

#[test]
fn a_missing_path_is_named() {
    let (exit, out, talk) = call(&["validate", "/nowhere/fleet"]);
    assert_eq!((exit, out.as_str()), (Exit::Failed, ""));
    assert!(talk.contains("/nowhere/fleet"), "{talk}");
}

fn example(path: &str) -> String {
    format!("{}/../examples/{path}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_examples_are_valid() {
    for path in ["fleet", "config/reconciler.yaml"] {
        let (exit, out, talk) = call(&["validate", &example(path)]);
        assert_eq!((exit, out.as_str()), (Exit::Ok, ""), "{path}: {talk}");
        assert!(talk.contains("0 errors"), "{path}: {talk}");
    }
    // It has every field of the language; what this release does not carry out is warned of, and nothing else is.
    let (exit, out, talk) = call(&["validate", "-o", "github", &example("config/full.yaml")]);
    assert_eq!(exit, Exit::Ok, "{out}{talk}");
    assert!(!out.is_empty() && out.lines().all(|line| line.contains("E0309")), "{out}");
}

#[test]
fn validate_reports_every_error_with_place_code_and_cure() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("lab.yaml");
    let text = "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: { name: lab }\nspec:\n  sofware: {}\n  software: { core: 10.5 }\n  agents: []\n";
    std::fs::write(&file, text).expect("a file can be written");
    let (exit, out, _) = call(&["validate", &folder.path().display().to_string()]);
    assert_eq!(exit, Exit::Failed);
    let place = |line: usize| format!("{}:{line}:", file.display());
    for line in [5, 6, 7] {
        assert!(out.contains(&place(line)), "line {line} is missing from\n{out}");
    }

    let (exit, out, _) = call(&["validate", "-o", "json", &file.display().to_string()]);
    assert_eq!(exit, Exit::Failed);
    let report: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!(report["files"], 1);
    let found = report["diagnostics"].as_array().expect("there is a list");
    assert_eq!(report["errors"].as_u64(), u64::try_from(found.len()).ok());
    assert!(
        found.iter().all(|found| found["code"].as_str().is_some_and(|code| code.starts_with('E'))),
        "{out}"
    );
}

#[test]
fn a_configuration_is_no_part_of_a_fleet() {
    let (exit, out, _) = call(&["validate", &example("")]);
    assert_eq!(exit, Exit::Failed);
    assert!(out.contains("E0203"), "{out}");
}

#[test]
fn schemas_are_listed_printed_and_written() {
    let (exit, names, _) = call(&["schema"]);
    assert_eq!(exit, Exit::Ok);
    assert!(names.lines().any(|name| name == "cluster"), "{names}");
    for name in names.lines() {
        let (exit, out, _) = call(&["schema", name]);
        assert_eq!(exit, Exit::Ok);
        let schema: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    }
    let (exit, _, talk) = call(&["schema", "clutser"]);
    assert_eq!(exit, Exit::Failed);
    assert!(talk.contains("help: there are: ") && talk.contains(" cluster,"), "{talk}");

    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (exit, ..) = call(&["schema", "--write", &folder.path().join("new").display().to_string()]);
    assert_eq!(exit, Exit::Ok);
    for name in names.lines() {
        let file = format!("{name}.schema.json");
        let written =
            std::fs::read_to_string(folder.path().join("new").join(&file)).expect("the file is there");
        let committed = format!("{}/../schema/json/{file}", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(
            written,
            std::fs::read_to_string(committed).expect("the schema is committed"),
            "{file} is stale"
        );
    }
}
