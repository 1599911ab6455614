//! The machine the tests run on: where they may write, what they may expect.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

/// The folder of build products that the running test belongs to (`target/debug`).
///
/// # Panics
/// When the test executable lies somewhere else than Cargo puts it.
pub fn build_folder() -> PathBuf {
    let test = std::env::current_exe().expect("the running test has a path");
    let deps = test.parent().expect("the test lies in a folder");
    deps.parent().expect("`deps` lies in the folder of the profile").to_owned()
}

/// A folder for what tests make, beside the build products, so that `cargo clean` removes it too.
pub fn scratch_folder() -> PathBuf {
    let target = build_folder().parent().expect("the profile lies in the target folder").join("tmp");
    std::fs::create_dir_all(&target).expect("the target folder can be written");
    target
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace")
}

/// Whether this is a continuous integration run, where nothing may be left out.
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// Whether the full figures were asked for (`.ci/run --long`).
pub fn long_run() -> bool {
    std::env::var_os("DATAMINER_RECONCILER_LONG").is_some_and(|value| value == "1")
}

/// Says loudly that the calling test cannot run here. The test then returns; in continuous integration it fails,
/// so that a missing package can never turn a suite off unseen.
///
/// # Panics
/// When `CI` is set.
pub fn skip_or_fail(reason: &str) {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(!in_ci(), "{name} must run in continuous integration, but {reason}");
    // Not by a print macro: the test harness would keep that back.
    let mut stderr = std::io::stderr().lock();
    let written = writeln!(stderr, "SKIPPED: {name} because {reason}");
    drop(written);
}
