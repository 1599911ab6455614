//! The corpora of the fuzz targets, and changed copies of them: `tests/ARCHITECTURE.md` tells how to fuzz for real.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use dataminer_reconciler_tests::{
    environment::{scratch_folder, workspace},
    fuzz::{Mutator, TARGETS, Target},
};

/// An input takes milliseconds; one that takes this long, also on a busy machine, never ends for whoever waits.
const LONGEST: Duration = Duration::from_secs(60);

fn folder() -> PathBuf {
    workspace().join("tests/fuzz")
}

/// The names in a folder, without hidden ones.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names =
        entries.map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.')).collect()
}

/// Every file of the target's corpus, with its name.
fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = folder().join("corpus").join(target.name);
    let read = |name: String| {
        let bytes = std::fs::read(folder.join(&name)).expect("a file of the corpus can be read");
        (name, bytes)
    };
    names(&folder).into_iter().map(read).collect()
}

/// Runs the body; says which input it was, and keeps it, where something does not hold.
fn run(target: &Target, name: &str, bytes: &[u8]) {
    let started = Instant::now();
    let held = catch_unwind(AssertUnwindSafe(|| (target.body)(bytes)));
    let took = started.elapsed();
    if held.is_err() || took > LONGEST {
        let kept = scratch_folder().join(format!("fuzz-{}", target.name));
        std::fs::write(&kept, bytes).expect("the scratch folder can be written");
        panic!("{} fails on {name} after {took:?}; the input is kept as {}", target.name, kept.display());
    }
}

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).expect("the target is listed")
}

/// The corpus, and copies of it and of the examples.
fn holds(name: &str, examples: &[&str]) {
    let target = target(name);
    let corpus = corpus(target);
    assert!(corpus.len() >= 5, "a corpus of {} files shows little", corpus.len());
    for (name, bytes) in &corpus {
        assert!(bytes.len() <= 16 << 10, "{name}: a file of a corpus is small");
        run(target, name, bytes);
    }
    let mut inputs: Vec<Vec<u8>> = corpus.into_iter().map(|(_, bytes)| bytes).collect();
    inputs.extend(
        examples.iter().map(|path| std::fs::read(workspace().join(path)).expect("the example is there")),
    );
    let mut mutator = Mutator::new(4, &inputs, target.words);
    for round in 0..target.rounds {
        run(target, &format!("copy {round}"), &mutator.copy());
    }
}

#[test]
fn versions_hold() {
    holds("version", &[]);
}

#[test]
fn manifests_hold() {
    holds(
        "manifest",
        &[
            "examples/fleet/clusters/brussels.yaml",
            "examples/fleet/catalog/approved.yaml",
            "examples/observed/brussels.yaml",
            "examples/config/reconciler.yaml",
            "examples/config/full.yaml",
        ],
    );
}

#[test]
fn version_histories_hold() {
    holds("version_history", &[]);
}

#[test]
fn progress_logs_hold() {
    holds("progress_log", &[]);
}

#[test]
fn packages_hold() {
    holds("package", &[]);
}

#[test]
fn windows_hold() {
    holds("window", &[]);
}

/// A target that is not listed everywhere is one that nobody runs.
#[test]
fn every_target_has_a_program_a_corpus_and_a_test() {
    let listed: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names(&folder().join("corpus")), listed);
    let programs = names(&folder().join("fuzz_targets"));
    let expected: BTreeSet<String> = listed.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(programs, expected);
    let manifest =
        std::fs::read_to_string(folder().join("Cargo.toml")).expect("the fuzz crate has a manifest");
    let own = include_str!("fuzz.rs");
    for name in &listed {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} is no program of tests/fuzz/Cargo.toml"
        );
        assert!(
            own.contains(&format!("(\"{name}\", ")) || own.contains(&format!("        \"{name}\",\n")),
            "{name}"
        );
    }
}
