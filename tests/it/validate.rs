//! `validate` over manifests that are broken on purpose, beside transcripts of what it says.
//!
//! The manifests lie in `tests/broken`, one family of faults in each file. After a change of the words or of the
//! manifests, write the transcripts anew and read the difference before it is committed:
//!
//! ```sh
//! BLESS=1 cargo test -p dataminer-reconciler-tests --test it validate
//! ```

use std::{collections::BTreeSet, fs, path::PathBuf};

use dataminer_reconciler_tests::{
    environment::workspace,
    program::{self, Ended},
};
use dataminer_schema::diagnostic::Code;

/// A fleet, a configuration and observations: what each PATH holds is told by its files.
const ALL: [&str; 3] = ["fleet", "config", "observed"];

/// What the forms for programs are shown by.
const FEW: [&str; 2] = ["fleet/across", "config/reconciler.yaml"];

/// Faults of release knowledge, which lies in a folder of its own with a reader and tests of its own.
const OF_KNOWLEDGE: &str = "E08";

/// What no document here shows, and why.
const LEFT_OUT: [(Code, &str); 12] = [
    (Code::FileTooLarge, "a cap; the file would be large"),
    (Code::TooManyFiles, "a cap; there would be thousands"),
    (Code::TooManyDocuments, "a cap; a thousand documents would bury the transcript"),
    (Code::TooManyDiagnostics, "a cap; two hundred faults would bury the transcript"),
    (Code::NotRead, "links cannot be checked out everywhere; `cli` makes one"),
    (Code::Unreadable, "a fault of the program, which no document is known to bring out"),
    (Code::AdvisoryExpired, "hangs on the day on which it is asked"),
    (Code::SupportEnded, "hangs on the day on which it is asked"),
    (Code::SupportLimited, "hangs on the day on which it is asked"),
    (Code::OlderFeatureRelease, "judged beside release knowledge, not by the reader of manifests"),
    (Code::UnknownIssue, "judged beside release knowledge, not by the reader of manifests"),
    (Code::NotInCatalog, "judged beside release knowledge, not by the reader of manifests"),
];

fn broken() -> PathBuf {
    workspace().join("tests/broken")
}

fn validate(form: &str, paths: &[&str]) -> Ended {
    let arguments = [&["validate", "-o", form], paths].concat();
    let ended = program::run(&arguments, &broken()).expect_status(1);
    for stream in [&ended.stdout, &ended.stderr] {
        assert!(!stream.contains("hunter2"), "a secret was repeated:\n{stream}");
    }
    ended
}

/// Holds a text against its transcript, or writes that anew.
#[track_caller]
fn compare(name: &str, text: &str) {
    let path = broken().join(name);
    if std::env::var_os("BLESS").is_some() {
        return fs::write(&path, text).expect("the transcript can be written");
    }
    let transcript = fs::read_to_string(&path).unwrap_or_default();
    let mut lines = transcript.lines().zip(text.lines()).enumerate();
    let (at, (was, is)) = lines.find(|(_, (was, is))| was != is).unwrap_or_default();
    assert!(
        transcript == text,
        "{name} differs, first in line {}:\n- {was}\n+ {is}\nBLESS=1 writes it anew",
        at + 1
    );
}

#[test]
fn the_transcript_of_broken_manifests_holds() {
    let ended = validate("text", &ALL);
    compare("transcript.txt", &format!("{}{}", ended.stdout, ended.stderr));
}

#[test]
fn the_forms_for_programs_hold() {
    let version = format!("\"{}\"", env!("CARGO_PKG_VERSION"));
    for (form, name) in [
        ("sarif", "few.sarif"),
        ("github", "few.github.txt"),
        ("junit", "few.junit.xml"),
        ("json", "few.json"),
    ] {
        let ended = validate(form, &FEW);
        compare(name, &ended.stdout.replace(&version, "\"VERSION\""));
        let verdict = if form == "json" { "" } else { "9 files read: " };
        assert!(ended.stderr.starts_with(verdict), "{}", ended.stderr);
    }
}

#[test]
fn every_fault_that_a_document_can_have_is_shown() {
    let report: serde_json::Value = serde_json::from_str(&validate("json", &ALL).stdout).expect("it is JSON");
    let found = report["diagnostics"].as_array().expect("there is a list").iter();
    let shown: BTreeSet<&str> = found.filter_map(|found| found["code"].as_str()).collect();
    let left_out: BTreeSet<&str> = LEFT_OUT.iter().map(|(code, _)| code.as_str()).collect();
    let missing: Vec<_> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| !code.starts_with(OF_KNOWLEDGE))
        .filter(|code| !shown.contains(code) && !left_out.contains(code))
        .collect();
    assert!(missing.is_empty(), "tests/broken shows no {missing:?}: add a manifest, or a reason to LEFT_OUT");
    let needless: Vec<_> = left_out.intersection(&shown).collect();
    assert!(needless.is_empty(), "{needless:?} are shown: take them out of LEFT_OUT");
}
