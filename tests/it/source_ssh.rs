//! The git source against a real server: OpenSSH's sshd and git.

use std::path::Path;

use dataminer_reconciler::source::{Auth, GitSource, Location, Settings};
use dataminer_reconciler_tests::{git_host::GitHost, repository::Repository};
use dataminer_schema::v1::cluster::SecretRef;
use tempfile::TempDir;

fn settings(host: &GitHost, repository: &Path, key: &Path) -> Settings {
    let location = Location::parse(&host.url(repository)).expect("the URL is good");
    Settings {
        host_keys: vec![host.host_key()],
        auth: Some(Auth::Key {
            user: None,
            identity: SecretRef::File(key.display().to_string()),
            passphrase: None,
        }),
        path: "clusters".to_owned(),
        ..Settings::new("fleet", location, "main")
    }
}

fn state() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

#[test]
fn commits_are_fetched_one_after_the_other_and_survive_the_server() {
    let Some(mut host) = GitHost::start() else { return };
    let repository = Repository::new();
    repository.write("clusters/a.yaml", "one").write("README.md", "no");
    let first = repository.commit("One");
    let state = state();
    let source = GitSource::new(settings(&host, repository.path(), &host.client_key()), state.path());

    let newest = source.newest().expect("the server answers");
    assert_eq!(newest.as_str(), first);
    let snapshot = source.snapshot(&newest).expect("the commit was fetched");
    assert_eq!(snapshot.files.len(), 1);
    assert_eq!(
        (snapshot.files[0].path.as_str(), snapshot.files[0].bytes.as_slice()),
        ("clusters/a.yaml", &b"one"[..])
    );
    assert_eq!(source.newest().expect("nothing is new").as_str(), first);

    repository.write("clusters/a.yaml", "two");
    let second = repository.commit("Two");
    let newest = source.newest().expect("the server answers");
    assert_eq!(newest.as_str(), second);
    assert_eq!(source.snapshot(&newest).expect("the commit was fetched").files[0].bytes, b"two");

    host.stop();
    assert_eq!(source.newest().expect_err("the server is gone").code(), "SourceUnreachable");
    source.snapshot(&newest).expect("what was fetched stays");
}

#[test]
fn an_unknown_host_key_is_refused_and_shown() {
    let Some(host) = GitHost::start() else { return };
    let repository = Repository::new();
    repository.write("clusters/a.yaml", "one").commit("One");
    let state = state();
    for pinned in [vec![], vec!["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned()]] {
        let settings =
            Settings { host_keys: pinned, ..settings(&host, repository.path(), &host.client_key()) };
        let error = GitSource::new(settings, state.path()).newest().expect_err("the key is not pinned");
        assert_eq!(error.code(), "SourceHostKeyUnknown", "{error}");
        assert!(error.to_string().contains(&host.host_key()), "{error}");
        assert!(error.help().contains(&host.host_key()), "{}", error.help());
    }
}

#[test]
fn a_refused_or_missing_key_is_told_apart() {
    let Some(host) = GitHost::start() else { return };
    let repository = Repository::new();
    repository.write("clusters/a.yaml", "one").commit("One");
    let state = state();
    let refused = GitSource::new(settings(&host, repository.path(), &host.strange_key()), state.path());
    let error = refused.newest().expect_err("the key is not accepted");
    assert_eq!(error.code(), "SourceUnauthorized", "{error}");

    let none = Settings { auth: None, ..settings(&host, repository.path(), &host.client_key()) };
    let error = GitSource::new(none, state.path()).newest().expect_err("there is no key");
    assert_eq!(error.code(), "SourceUnauthorized", "{error}");

    let missing = GitSource::new(settings(&host, repository.path(), Path::new("/nowhere/key")), state.path());
    let error = missing.newest().expect_err("there is no such file");
    assert_eq!(error.code(), "SourceSecretMissing", "{error}");
}

#[test]
fn a_missing_branch_or_repository_is_told_apart() {
    let Some(host) = GitHost::start() else { return };
    let repository = Repository::new();
    repository.write("clusters/a.yaml", "one").commit("One");
    let state = state();
    let branch = Settings {
        reference: "release".to_owned(),
        ..settings(&host, repository.path(), &host.client_key())
    };
    let error = GitSource::new(branch, state.path()).newest().expect_err("there is no such branch");
    assert_eq!(error.code(), "BranchMissing", "{error}");
    assert!(error.help().contains("main"), "{}", error.help());

    let gone = settings(&host, Path::new("/nowhere/fleet.git"), &host.client_key());
    let error = GitSource::new(gone, state.path()).newest().expect_err("there is no such repository");
    assert_eq!(error.code(), "SourceUnreachable", "{error}");
}
