use super::*;
use crate::source::{
    Settings,
    testing::{CLUSTER, Entry, Fixture, remove},
};

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_100).expect("in range")
}

#[test]
fn a_broken_commit_keeps_the_last_good_one_in_force_and_is_reported() {
    let fixture = Fixture::new();
    let source = fixture.source();
    let good = fixture.commit_file("brussels.yaml", CLUSTER).to_string();
    let report = look(&source, &Report::new("fleet"), now());
    assert_eq!(report.in_force.as_ref().expect("the commit is good").commit.id.as_str(), good);

    let broken = fixture.commit(&[("brussels.yaml", Entry::Link("/etc/passwd"))]).to_string();
    let report = look(&source, &report, now());
    assert_eq!(report.result(), "rejected");
    assert_eq!(report.in_force.as_ref().expect("it stays").commit.id.as_str(), good);
    let rejected = report.rejected.clone().expect("the broken commit is reported");
    assert_eq!(rejected.commit.as_str(), broken);
    assert!(rejected.diagnostics.iter().any(|d| d.path == "brussels.yaml"), "{:?}", rejected.diagnostics);

    // After a restart the last good one is found again behind the broken head.
    let report = look(&source, &Report::new("fleet"), now());
    assert_eq!(report.in_force.as_ref().expect("it is restored").commit.id.as_str(), good);
    assert!(report.rejected.is_some());

    let fixed = fixture.commit_file("brussels.yaml", CLUSTER).to_string();
    let report = look(&source, &report, now());
    assert_eq!(report.in_force.as_ref().expect("the commit is good").commit.id.as_str(), fixed);
    assert!(report.rejected.is_none());
}

#[test]
fn a_fault_keeps_the_commit_in_force_and_remembers_since_when() {
    let fixture = Fixture::new();
    let source = fixture.source();
    fixture.commit_file("brussels.yaml", CLUSTER);
    let good = look(&source, &Report::new("fleet"), now());
    remove(&fixture.path());

    let report = look(&source, &good, now());
    assert!(report.in_force.is_some());
    let fault = report.fault.clone().expect("the repository is gone");
    assert_eq!((fault.code, fault.since), ("NotARepository", now()));
    assert!(!fault.help.is_empty());

    let later = now() + jiff::SignedDuration::from_secs(60);
    let report = look(&source, &report, later);
    assert_eq!(report.fault.expect("it is still gone").since, now());
    assert_eq!(report.last_success, Some(now()));
}

#[tokio::test]
async fn a_local_commit_is_seen_at_once_and_not_at_the_next_poll() {
    let fixture = Fixture::new();
    fixture.commit_file("brussels.yaml", CLUSTER);
    let settings = Settings { interval: Duration::from_secs(86_400), ..fixture.settings() };
    let stop = CancellationToken::new();
    let source = GitSource::new(settings, &fixture.state());
    let (mut watched, task) = spawn(source, Metrics::new(), stop.clone());
    let limit = Duration::from_secs(30);
    let seen = async |watched: &mut Watched, commit: &str| {
        tokio::time::timeout(
            limit,
            watched.reports.wait_for(|report| {
                report.in_force.as_ref().is_some_and(|loaded| loaded.commit.id.as_str() == commit)
            }),
        )
        .await
        .expect("the commit is seen long before the next poll")
        .expect("the watcher runs")
        .result()
    };
    let first =
        fixture.repository().refname_to_id("refs/heads/main").expect("the branch is there").to_string();
    assert_eq!(seen(&mut watched, &first).await, "ok");
    let second = fixture.commit_file("brussels.yaml", &CLUSTER.replace("CU12", "CU13")).to_string();
    assert_eq!(seen(&mut watched, &second).await, "ok");
    stop.cancel();
    tokio::time::timeout(limit, task).await.expect("the watcher stops").expect("the watcher does not panic");
}

#[test]
fn our_own_reading_and_lock_files_are_no_change() {
    assert!(is_reference(Path::new("/srv/fleet/.git/refs/heads/main")));
    assert!(is_reference(Path::new("/srv/fleet/.git/packed-refs")));
    assert!(is_reference(Path::new("/srv/fleet/.git/HEAD")));
    assert!(!is_reference(Path::new("/srv/fleet/.git/refs/heads/main.lock")));
    assert!(!is_reference(Path::new("/srv/fleet/.git/index")));
}

#[tokio::test]
async fn a_server_that_never_answers_times_out_and_is_not_asked_without_end() {
    let fixture = Fixture::new();
    // Connections are accepted by the kernel and never spoken to.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let location = crate::source::Location::parse(&format!("ssh://git@127.0.0.1:{port}/fleet.git"))
        .expect("the URL is good");
    let settings =
        Settings { timeout: Duration::from_millis(100), ..Settings::new("fleet", location, "main") };
    let source = Arc::new(GitSource::new(settings, &fixture.state()));
    let hanging = Arc::new(AtomicUsize::new(0));
    let mut report = Report::new("fleet");
    for _ in 0..MOST_HANGING {
        report = look_in_time(&source, report, &hanging).await;
        let fault = report.fault.clone().expect("nobody answers");
        assert_eq!(fault.code, "SourceTimedOut", "{}", fault.message);
        assert!(fault.message.contains("no answer"), "{}", fault.message);
    }
    report = look_in_time(&source, report, &hanging).await;
    let fault = report.fault.expect("nobody answers");
    assert!(fault.message.contains("still hang"), "{}", fault.message);
    assert_eq!(hanging.load(Ordering::SeqCst), MOST_HANGING);
}

#[test]
fn a_commit_with_very_many_errors_is_kept_short() {
    let fixture = Fixture::new();
    let names: Vec<_> = (0..300).map(|number| format!("{number:03}.yaml")).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), Entry::Link("/etc/passwd"))).collect();
    fixture.commit(&entries);
    let rejected = look(&fixture.source(), &Report::new("fleet"), now()).rejected.expect("links are errors");
    assert_eq!((rejected.total, rejected.diagnostics.len()), (300, MOST_DIAGNOSTICS));
    assert_eq!(rejected.diagnostics[0].path, "000.yaml");
}
