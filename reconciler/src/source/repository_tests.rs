use super::*;
use crate::source::testing::{CLUSTER, Entry, Fixture};

fn names(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.files.iter().map(|file| file.path.as_str()).collect()
}

fn snapshot(source: &GitSource) -> Snapshot {
    let newest = source.newest().expect("the branch is there");
    source.snapshot(&newest).expect("the commit can be read")
}

#[test]
fn a_commit_is_read_from_the_object_store_without_a_checkout() {
    let fixture = Fixture::new();
    let id = fixture.commit(&[
        ("clusters/brussels.yaml", Entry::File(CLUSTER.as_bytes())),
        ("clusters/deep/er/lisbon.yml", Entry::File(b"a")),
        ("clusters/notes.txt", Entry::File(b"no")),
        (".github/workflows/ci.yaml", Entry::File(b"no")),
    ]);
    let snapshot = snapshot(&fixture.source());
    assert_eq!(snapshot.commit.id.as_str(), id.to_string());
    assert_eq!(snapshot.commit.author, "Ada");
    assert_eq!(snapshot.commit.summary, "Raise Brussels");
    assert_eq!(snapshot.commit.time.as_second(), 1_700_000_000);
    assert_eq!(names(&snapshot), ["clusters/brussels.yaml", "clusters/deep/er/lisbon.yml"]);
    assert_eq!(snapshot.files[0].bytes, CLUSTER.as_bytes());
    assert!(snapshot.refused.is_empty());
    assert!(!fixture.path().join("clusters").exists(), "nothing is checked out");
}

#[test]
fn only_what_lies_below_the_path_is_read_and_refused() {
    let fixture = Fixture::new();
    fixture.commit(&[
        ("clusters/a.yaml", Entry::File(b"a")),
        ("elsewhere/b.yaml", Entry::File(b"b")),
        ("elsewhere/link.yaml", Entry::Link("/etc/passwd")),
    ]);
    let settings = Settings { path: "clusters".into(), ..fixture.settings() };
    let snapshot = snapshot(&GitSource::new(settings, &fixture.state()));
    assert_eq!(names(&snapshot), ["clusters/a.yaml"]);
    assert!(snapshot.refused.is_empty());
}

#[test]
fn links_submodules_odd_names_and_oversized_files_are_refused_by_name() {
    let fixture = Fixture::new();
    fixture.commit(&[
        ("a.yaml", Entry::File(b"a")),
        ("big.yaml", Entry::File(&[b'#'; 2_000])),
        ("link.yaml", Entry::Link("../../etc/passwd")),
        ("linked", Entry::Link("/etc")),
        ("module", Entry::Submodule),
        ("c:evil.yaml", Entry::File(b"x")),
        ("dir\\up.yaml", Entry::File(b"x")),
        ("esc\u{1b}[2J.yaml", Entry::File(b"x")),
        ("stream.yaml::$DATA", Entry::File(b"x")),
    ]);
    let limits = Limits { file_bytes: 1_000, ..Limits::default() };
    let snapshot = snapshot(&GitSource::new(Settings { limits, ..fixture.settings() }, &fixture.state()));
    assert_eq!(names(&snapshot), ["a.yaml"]);
    let refused: Vec<_> = snapshot.refused.iter().map(|r| (r.path.as_str(), r.message.as_str())).collect();
    assert_eq!(refused.len(), 8, "{refused:?}");
    for (path, message) in [
        ("big.yaml", "2000 bytes"),
        ("link.yaml", "symbolic link"),
        ("linked", "symbolic link"),
        ("module", "submodule"),
        ("c:evil.yaml", "colon"),
        ("dir\\up.yaml", "separator"),
        ("esc\u{fffd}[2J.yaml", "cannot be shown"),
        ("stream.yaml::$DATA", "colon"),
    ] {
        assert!(refused.iter().any(|(p, m)| *p == path && m.contains(message)), "{path}: {refused:?}");
    }
}

#[test]
fn a_tree_with_a_dot_dot_entry_is_refused() {
    let fixture = Fixture::new();
    let blob = fixture.repository().blob(b"x").expect("a blob can be written");
    // Written as raw bytes: libgit2's own builder refuses such names.
    let mut raw = b"100644 ..\0".to_vec();
    raw.extend_from_slice(blob.as_bytes());
    raw.extend_from_slice(b"100644 a/b.yaml\0");
    raw.extend_from_slice(blob.as_bytes());
    let odb = fixture.repository().odb().expect("there is an object store");
    let tree = odb.write(ObjectType::Tree, &raw).expect("an object can be written");
    git2::opts::strict_object_creation(false);
    fixture.commit_tree("refs/heads/main", tree, false);
    let source = fixture.source();
    let newest = source.newest().expect("the branch is there");
    // Refused by the reader or by libgit2 itself; never read.
    if let Ok(snapshot) = source.snapshot(&newest) {
        assert!(snapshot.files.is_empty());
        assert!(snapshot.refused.iter().any(|r| r.message.contains("separator")), "{:?}", snapshot.refused);
    }
}

#[test]
fn folders_that_are_too_deep_are_refused() {
    let fixture = Fixture::new();
    fixture.commit(&[("a/b/c/d.yaml", Entry::File(b"x")), ("a/b/ok.yaml", Entry::File(b"x"))]);
    let limits = Limits { depth: 2, ..Limits::default() };
    let snapshot = snapshot(&GitSource::new(Settings { limits, ..fixture.settings() }, &fixture.state()));
    assert_eq!(names(&snapshot), ["a/b/ok.yaml"]);
    assert_eq!(snapshot.refused[0].path, "a/b/c");
}

#[test]
fn a_missing_branch_lists_what_is_there() {
    let fixture = Fixture::new();
    let error = fixture.source().newest().expect_err("the repository is empty");
    assert_eq!(error.code(), "BranchMissing");
    assert!(error.help().contains("nothing is there yet"));

    fixture.commit_file("a.yaml", "a");
    let source =
        GitSource::new(Settings { reference: "mian".into(), ..fixture.settings() }, &fixture.state());
    let error = source.newest().expect_err("there is no such branch");
    assert!(error.to_string().contains("`mian`"), "{error}");
    assert!(error.help().contains("main"), "{}", error.help());
}

#[test]
fn a_missing_path_lists_the_folders() {
    let fixture = Fixture::new();
    fixture.commit_file("clusters/a.yaml", "a");
    let source = GitSource::new(Settings { path: "cluster".into(), ..fixture.settings() }, &fixture.state());
    let newest = source.newest().expect("the branch is there");
    let error = source.snapshot(&newest).expect_err("there is no such folder");
    assert_eq!(error.code(), "PathMissing");
    assert!(error.help().contains("clusters"), "{}", error.help());
}

#[test]
fn a_tag_is_followed_where_no_branch_has_the_name() {
    let fixture = Fixture::new();
    let id = fixture.commit_file("a.yaml", "a");
    let object = fixture.repository().find_object(id, None).expect("the commit is there");
    let who = git2::Signature::now("Ada", "ada@example.org").expect("it is a signature");
    fixture.repository().tag("v1", &object, &who, "annotated", false).expect("a tag can be made");
    let source = GitSource::new(Settings { reference: "v1".into(), ..fixture.settings() }, &fixture.state());
    assert_eq!(source.newest().expect("the tag is there").as_str(), id.to_string());
}

#[test]
fn a_rewritten_history_is_refused_until_acknowledged() {
    let fixture = Fixture::new();
    let source = fixture.source();
    let first = commit_id(fixture.commit_file("a.yaml", "a"));
    source.accept(&first).expect("the state can be kept");
    let second = commit_id(fixture.commit_file("a.yaml", "b"));
    assert_eq!(source.newest().expect("it follows"), second);
    source.accept(&second).expect("the state can be kept");

    let rewritten = commit_id(fixture.commit_on("refs/heads/main", &[("a.yaml", Entry::File(b"c"))], true));
    let error = source.newest().expect_err("the history was rewritten");
    assert_eq!(error.code(), "HistoryRewritten");
    assert!(error.help().contains(&format!("acknowledgeRewrite: {rewritten}")), "{}", error.help());

    let settings = Settings { acknowledged_rewrite: Some(rewritten.clone()), ..fixture.settings() };
    let acknowledged = GitSource::new(settings, &fixture.state());
    assert_eq!(acknowledged.newest().expect("it was acknowledged"), rewritten);
    // What follows the acknowledged commit needs no new word.
    let next = commit_id(fixture.commit_file("a.yaml", "d"));
    assert_eq!(acknowledged.newest().expect("it follows the acknowledged one"), next);
}

#[test]
fn a_moved_back_branch_counts_as_rewritten() {
    let fixture = Fixture::new();
    let source = fixture.source();
    let first = fixture.commit_file("a.yaml", "a");
    let second = commit_id(fixture.commit_file("a.yaml", "b"));
    source.accept(&second).expect("the state can be kept");
    fixture.repository().reference("refs/heads/main", first, true, "reset").expect("a branch can be moved");
    assert_eq!(source.newest().expect_err("the branch went back").code(), "HistoryRewritten");
}

#[test]
fn a_folder_that_is_no_repository_is_named_and_parents_are_not_searched() {
    let fixture = Fixture::new();
    let inside = fixture.path().join("sub");
    std::fs::create_dir(&inside).expect("a folder can be made");
    let settings = Settings::new("fleet", Location::Local(inside.clone()), "main");
    let error = GitSource::new(settings, &fixture.state()).newest().expect_err("it is no repository");
    assert_eq!(error.code(), "NotARepository");
    assert!(error.to_string().contains(&inside.display().to_string()), "{error}");
}

#[test]
fn an_unreachable_server_is_told_apart_from_a_refusal() {
    let fixture = Fixture::new();
    // Bound and closed again: nothing listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port can be bound")
        .port();
    let location =
        Location::parse(&format!("ssh://git@127.0.0.1:{port}/fleet.git")).expect("the URL is good");
    let error = GitSource::new(Settings::new("fleet", location, "main"), &fixture.state())
        .newest()
        .expect_err("nothing listens there");
    assert_eq!(error.code(), "SourceUnreachable", "{error}");
}

#[test]
fn a_bare_repository_is_opened_where_it_lies() {
    let fixture = Fixture::new();
    let id = fixture.commit_file("a.yaml", "a");
    let bare = fixture.other_folder("bare.git");
    let made = git2::build::RepoBuilder::new()
        .bare(true)
        .clone(&fixture.path().display().to_string(), &bare)
        .expect("a clone can be made");
    let location = Location::parse(&format!("file://{}", bare.display())).expect("the URL is good");
    let source = GitSource::new(Settings::new("fleet", location, "main"), &fixture.state());
    assert_eq!(source.newest().expect("the branch is there").as_str(), id.to_string());
    assert_eq!(source.watched_folder().expect("it opens").as_deref(), Some(made.commondir()));
}
