//! The stand itself: what `tests/windows/host.sh` promises about programs that Wine cannot start.

use std::{fs, os::unix::fs::PermissionsExt as _};

use dataminer_reconciler_tests::wine::WineHost;

const LOADER: &str = "/usr/lib/wine/wine64";

/// Regression: a job's first script failed with 127, because Wine's loader had not started at all.
#[test]
fn a_start_that_wine_failed_is_tried_again_and_told() {
    let Some(host) = WineHost::start() else { return };
    let (launcher, loader) = (host.file("../../sshd/exec"), host.file("../../sshd/loader"));
    let failures = host.file("../../sshd/loader-failures");
    let twice = format!(
        "#!/bin/bash\n[ \"$(grep -c tried \"$0.tries\")\" -ge 2 ] && exec {LOADER} \"$@\"\n\
         echo tried >>\"$0.tries\"\necho 'cannot load libc' >&2\nexit 127\n"
    );
    fs::write(&loader, twice).expect("the host's folder can be written");
    fs::set_permissions(&loader, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    let tries = host.file("../../sshd/loader.tries");
    fs::write(&tries, "").expect("the host's folder can be written");
    let text = fs::read_to_string(&launcher).expect("the host has a launcher");
    let text = text.replace(LOADER, loader.to_str().expect("a readable name"));
    fs::write(&launcher, text).expect("the host's folder can be written");

    let ended = host.exec("cmd.exe /d /c echo here").expect_status(0);
    assert_eq!(ended.stdout.trim(), "here");
    let told = fs::read_to_string(&failures).expect("failures are kept");
    assert_eq!(told.matches("cannot load libc").count(), 2, "{told}");
    assert!(told.contains("try 2 ended with 127: cmd.exe /d /c echo here"), "{told}");

    fs::write(&loader, "#!/bin/bash\necho 'cannot load libc' >&2\nexit 127\n").expect("it can be written");
    let ended = host.exec("cmd.exe /d /c echo here").expect_status(127);
    assert!(ended.stderr.contains("cannot load libc"), "{}", ended.stderr);
}

/// What is tried again must not have run: a program's own 127 is told apart.
#[test]
fn a_program_that_ends_with_127_is_not_run_twice() {
    let Some(host) = WineHost::start() else { return };
    let ended = host.exec(r"cmd.exe /d /c echo ran>>C:\standins\runs& exit 127").expect_status(255);
    assert!(ended.stderr.contains("error code 127"), "{}", ended.stderr);
    let runs = fs::read_to_string(host.file("standins/runs")).expect("it ran");
    assert_eq!(runs.lines().count(), 1, "{runs}");
    assert!(!host.file("../../sshd/loader-failures").exists());
}

/// Regression: a heap at a random place lay over the address that every Windows process needs.
#[test]
fn programs_are_laid_out_the_same_every_time() {
    let Some(host) = WineHost::start() else { return };
    let forbidden = !std::process::Command::new("setarch")
        .args(["-R", "true"])
        .status()
        .is_ok_and(|status| status.success());
    let launcher = fs::read_to_string(host.file("../../sshd/exec")).expect("the host has a launcher");
    assert_ne!(launcher.contains(&format!("setarch -R \"{LOADER}\"")), forbidden, "{launcher}");
}
