//! The store on a real file, also after it was closed and opened again.

use camino::Utf8PathBuf;
use dataminer_core::exec::{
    effect::{Disposition, Effect, EffectKind, Failure, Job, Outcome, Package},
    finish::Finish,
    journal::{JournalEntry, Record, Started},
};
use dataminer_schema::{
    id::{AgentName, ClusterName, PlanId, Sha256},
    plan::{Action, BreakingChanges, Change, FORMAT_VERSION, KnownIssues, Plan, PlanResult, VersionPair},
    status::{ApprovalStatus, CanaryStatus, SourceDiagnostic},
    v1::{
        cluster::{FailoverPolicy, RunAs, UpgradeOptions},
        observation::{AgentObservation, Observation},
    },
};
use jiff::{SignedDuration, Timestamp};

use super::*;

struct Scratch {
    _folder: tempfile::TempDir,
    db: Utf8PathBuf,
}

fn scratch() -> Scratch {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = Utf8PathBuf::from_path_buf(folder.path().join("deep/state.db")).expect("a UTF-8 path");
    Scratch { _folder: folder, db }
}

fn cluster() -> ClusterName {
    "brussels".parse().expect("a cluster name")
}

fn agent() -> AgentName {
    "a1".parse().expect("an Agent name")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a time")
}

fn plan(text: &str) -> Plan {
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        cluster: cluster(),
        commit: None,
        id: PlanId::from_sha256(&Sha256::of(text.as_bytes())),
        result: PlanResult::Ready,
        change: Change::Upgrade,
        from: VersionPair::default(),
        to: VersionPair::default(),
        agents: Vec::new(),
        steps: Vec::new(),
        blocked: Vec::new(),
        waiting: Vec::new(),
        warnings: Vec::new(),
        forecast: None,
        known_issues: KnownIssues::default(),
        breaking_changes: BreakingChanges::default(),
        content_loss: None,
    }
}

fn started(plan: &Plan, second: i64) -> JournalEntry {
    JournalEntry {
        at: at(second),
        record: Record::OperationStarted(Started {
            cluster: cluster(),
            plan: plan.id.clone(),
            commit: None,
            desired: Sha256::of(b"wanted"),
            generation: 3,
            first_attempt: 1,
            preparation: false,
        }),
    }
}

fn job(attempt: u32) -> JournalEntry {
    let job = Job {
        id: format!("abc-5-{attempt}").parse().expect("a job id"),
        action: Action::UpgradeCore,
        package: Package { file: "a.dmupgrade".to_owned(), sha256: Sha256::of(b"a"), patch: None },
        to: Some("10.5.12".to_owned()),
        orchestrator: agent(),
        agents: vec![agent()],
        whole_cluster: true,
        options: UpgradeOptions::default(),
        failover_policy: FailoverPolicy::Simultaneously,
        run_as: RunAs::SshUser,
        deadline: at(9_000),
    };
    let effect = Effect { id: 7, step: "5".to_owned(), kind: EffectKind::RunJob(Box::new(job)) };
    JournalEntry { at: at(2), record: Record::Intent { effect } }
}

fn failure() -> Failure {
    Failure {
        disposition: Disposition::Stalled,
        reason: "UpgradeFailed".to_owned(),
        message: "it failed".to_owned(),
        help: "look".to_owned(),
        agents: vec![agent()],
    }
}

#[tokio::test]
async fn a_second_process_is_refused_with_a_clear_message() {
    let scratch = scratch();
    let first = Store::open(&scratch.db).await.expect("a new store opens");
    let error = Store::open(&scratch.db).await.expect_err("the file is taken");
    assert!(matches!(error, StoreError::InUse { .. }));
    assert!(error.to_string().contains("in use by another process"), "{error}");
    let reader = Store::open_read_only(&scratch.db).await.expect("reading beside the owner is fine");
    assert_eq!(reader.statuses().await.expect("it reads"), []);
    reader.close().await;
    first.close().await;
    drop(first);
    let reader = Store::open_read_only(&scratch.db).await.expect("reading while nobody owns it is fine, too");
    assert_eq!(reader.statuses().await.expect("it reads"), []);
    reader.close().await;
    Store::open(&scratch.db).await.expect("free again after the owner ended");
}

#[test]
fn urls_name_a_file() {
    assert_eq!(path_of("sqlite:///var/lib/state.db").expect("absolute"), "/var/lib/state.db");
    assert_eq!(path_of("sqlite://state.db").expect("relative"), "state.db");
    for wrong in
        ["postgres://x/y", "sqlite://", "sqlite::memory:", "/var/lib/state.db", "sqlite:///a?mode=memory"]
    {
        let error = path_of(wrong).expect_err(wrong).to_string();
        assert!(error.contains("sqlite:///"), "{error}");
    }
}

/// Invariant 6, and what invariant 5 rests on.
#[tokio::test]
async fn an_unfinished_operation_survives_with_its_whole_journal() {
    let scratch = scratch();
    let store = Store::open(&scratch.db).await.expect("a new store opens");
    let plan = plan("one");
    let row = store.store_plan(&plan, None, at(0)).await.expect("the first plan");
    let operation = store.begin_operation(&cluster(), row, &started(&plan, 1)).await.expect("it begins");
    store.append(operation, &job(1)).await.expect("the journal is written");
    let again = store.begin_operation(&cluster(), row, &started(&plan, 3)).await.expect_err("invariant 6");
    assert!(matches!(again, StoreError::OperationUnfinished { .. }), "{again}");
    store.close().await;
    drop(store);

    let store = Store::open(&scratch.db).await.expect("it opens again");
    let found = store.unfinished_operation(&cluster()).await.expect("it reads").expect("it is there");
    assert_eq!((found.id, found.row, found.plan), (operation, row, plan.clone()));
    assert_eq!(found.journal, [started(&plan, 1), job(1)]);

    store.append(operation, &job(2)).await.expect("the journal is written");
    let outcome = Outcome::Failed(failure());
    let entry = JournalEntry { at: at(4), record: Record::Outcome { effect: 7, outcome } };
    store.append(operation, &entry).await.expect("the journal is written");
    assert_eq!(store.last_attempt(&cluster(), &plan.id).await.expect("it reads"), 0, "not finished yet");
    let entry = JournalEntry {
        at: at(5),
        record: Record::Finished { finish: Finish::Failed { failure: failure() } },
    };
    store.append(operation, &entry).await.expect("the journal is written");
    assert_eq!(store.unfinished_operation(&cluster()).await.expect("it reads"), None);
    assert_eq!(store.last_attempt(&cluster(), &plan.id).await.expect("it reads"), 2);
    assert_eq!(store.journal(operation).await.expect("it reads").len(), 5);
    store.begin_operation(&cluster(), row, &started(&plan, 6)).await.expect("the next one may begin");
}

#[tokio::test]
async fn the_current_plan_is_replaced_only_by_who_knows_it() {
    let scratch = scratch();
    let store = Store::open(&scratch.db).await.expect("a new store opens");
    let first = store.store_plan(&plan("one"), None, at(0)).await.expect("the first plan");
    let same = store.store_plan(&plan("one"), Some(first), at(1)).await.expect("the same document");
    assert_eq!(same, first, "nothing new is stored");
    let second = store.store_plan(&plan("two"), Some(first), at(2)).await.expect("the second plan");
    let stale =
        store.store_plan(&plan("three"), Some(first), at(3)).await.expect_err("its parent is not current");
    assert!(matches!(stale, StoreError::PlanConflict { .. }), "{stale}");
    let current = store.current_plan(&cluster()).await.expect("it reads").expect("it is there");
    assert_eq!((current.row, current.parent, current.plan), (second, Some(first), plan("two")));
    let old = store.plan(&cluster(), &plan("one").id).await.expect("it reads").expect("plans are kept");
    assert_eq!(old.plan, plan("one"));
}

#[tokio::test]
async fn only_observations_that_bring_something_new_enter_the_history() {
    let scratch = scratch();
    let store = Store::open(&scratch.db).await.expect("a new store opens");
    let observation = |second, reachable| Observation {
        cluster: cluster(),
        taken_at: at(second),
        topology: None,
        agents: vec![AgentObservation::new(agent(), reachable)],
    };
    for (second, reachable) in [(0, true), (1, true), (2, false), (3, false), (4, true)] {
        store.observed(&observation(second, reachable)).await.expect("it is kept");
    }
    let latest = store.latest_observation(&cluster()).await.expect("it reads").expect("it is there");
    assert_eq!(latest, observation(4, true));
    let changes = store.observation_changes(&cluster(), 10).await.expect("it reads");
    assert_eq!(changes, [observation(4, true), observation(2, false), observation(0, true)]);
}

#[tokio::test]
async fn commits_are_judged_once_and_the_last_good_one_is_known() {
    let scratch = scratch();
    let store = Store::open(&scratch.db).await.expect("a new store opens");
    let commit = |digit: &str| digit.repeat(40).parse().expect("a commit id");
    let problem = SourceDiagnostic {
        code: "E0101".to_owned(),
        path: "a.yaml".to_owned(),
        line: 3,
        column: 5,
        message: "no".to_owned(),
        help: None,
    };
    assert!(store.commit_seen("fleet", &commit("a"), true, &[], at(0)).await.expect("noted"));
    assert!(
        store
            .commit_seen("fleet", &commit("b"), false, std::slice::from_ref(&problem), at(1))
            .await
            .expect("noted")
    );
    assert!(!store.commit_seen("fleet", &commit("a"), true, &[], at(2)).await.expect("noted"), "seen before");
    assert_eq!(store.last_good_commit("fleet").await.expect("it reads"), Some(commit("a")));
    assert_eq!(store.last_good_commit("other").await.expect("it reads"), None);
    let commits = store.commits("fleet", 10).await.expect("it reads");
    assert_eq!(commits.len(), 2);
    assert_eq!((&commits[0].commit, &commits[0].diagnostics[..]), (&commit("b"), &[problem][..]));
}

#[tokio::test]
async fn generations_never_fall_and_quarantines_come_and_go() {
    let scratch = scratch();
    let store = Store::open(&scratch.db).await.expect("a new store opens");
    assert_eq!(store.generation(&cluster()).await.expect("it reads"), 0);
    store.raise_generation(&cluster(), 7).await.expect("raised");
    store.raise_generation(&cluster(), 5).await.expect("nothing happens");
    assert_eq!(store.generation(&cluster()).await.expect("it reads"), 7);
    let quarantine = Quarantine { desired: Sha256::of(b"wanted"), since: at(1), failure: failure() };
    store.set_quarantine(&cluster(), Some(&quarantine)).await.expect("set");
    assert_eq!(store.quarantine(&cluster()).await.expect("it reads"), Some(quarantine));
    store.set_quarantine(&cluster(), None).await.expect("released");
    assert_eq!(store.quarantine(&cluster()).await.expect("it reads"), None);
}

/// Invariant 10.
#[tokio::test]
async fn requests_wait_until_they_are_handled() {
    let scratch = scratch();
    let store = Store::open(&scratch.db).await.expect("a new store opens");
    let request = OperatorRequest { kind: RequestKind::Retry, reason: Some("fixed".to_owned()), by: None };
    store.request(&cluster(), &request, at(1)).await.expect("recorded");
    let open = store.open_requests(&cluster()).await.expect("it reads");
    assert_eq!((open.len(), &open[0].request), (1, &request));
    store.request_handled(open[0].id, at(2)).await.expect("closed");
    assert_eq!(store.open_requests(&cluster()).await.expect("it reads"), []);
}

#[tokio::test]
async fn events_come_back_newest_first() {
    let scratch = scratch();
    let store = Store::open(&scratch.db).await.expect("a new store opens");
    for (second, name) in [(0, Some(cluster())), (1, None), (2, Some(cluster()))] {
        let mut event = Event::new(at(second), EventKind::StateChanged, format!("event {second}"));
        event.cluster = name;
        store.record_event(&event).await.expect("recorded");
    }
    let messages = |events: Vec<Event>| events.into_iter().map(|event| event.message).collect::<Vec<_>>();
    let all = store.events(None, 10).await.expect("it reads");
    assert_eq!(messages(all), ["event 2", "event 1", "event 0"]);
    let own = store.events(Some(&cluster()), 1).await.expect("it reads");
    assert_eq!(messages(own), ["event 2"]);
}

#[tokio::test]
async fn durations_are_kept_by_cluster_and_action_and_the_oldest_go() {
    let scratch = scratch();
    let store = Store::open(&scratch.db).await.expect("a new store opens");
    let other: ClusterName = "paris".parse().expect("a cluster name");
    let note = async |cluster: &ClusterName, action, minutes| {
        let took = SignedDuration::from_mins(minutes);
        store.record_duration(cluster, action, 2, took, at(minutes)).await.expect("noted");
    };
    note(&cluster(), Action::UpgradeWeb, 7).await;
    note(&other, Action::UpgradeCore, 8).await;
    for minutes in 1..=60 {
        note(&cluster(), Action::UpgradeCore, minutes).await;
    }
    let took = store.durations(&cluster()).await.expect("it reads");
    let core = (11..=60).rev().map(|minutes| (Action::UpgradeCore, SignedDuration::from_mins(minutes)));
    let web = [(Action::UpgradeWeb, SignedDuration::from_mins(7))];
    assert_eq!(took, core.chain(web).collect::<Vec<_>>());
    let others = store.durations(&other).await.expect("it reads");
    assert_eq!(others, [(Action::UpgradeCore, SignedDuration::from_mins(8))]);
}

/// What a process leaves that was killed, or that ended before its last connection had tidied up.
#[tokio::test]
async fn a_reader_sees_what_a_killed_owner_wrote() {
    let scratch = scratch();
    let store = Store::open(&scratch.db).await.expect("a new store opens");
    store.raise_generation(&cluster(), 7).await.expect("raised");
    for suffixes in [&["", "-wal", "-shm"][..], &["", "-wal"][..]] {
        let copy = scratch.db.with_file_name(format!("copy{}.db", suffixes.len()));
        for suffix in suffixes {
            std::fs::copy(format!("{}{suffix}", scratch.db), format!("{copy}{suffix}"))
                .expect("it can be copied");
        }
        for _ in 0..50 {
            let reader = Store::open_read_only(&copy).await.unwrap_or_else(|error| panic!("{:?}", error));
            assert_eq!(reader.generation(&cluster()).await.expect("it reads"), 7, "with {suffixes:?}");
            reader.close().await;
        }
    }
}

/// Regression: `status --config` met "unable to open" while a process was just ending.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_is_served_while_owners_come_and_go() {
    let scratch = scratch();
    Store::open(&scratch.db).await.expect("a new store opens").close().await;
    let path = scratch.db.clone();
    let readers = tokio::spawn(async move {
        for _ in 0..60 {
            let reader = Store::open_read_only(&path).await.unwrap_or_else(|error| panic!("{error:?}"));
            assert_eq!(reader.statuses().await.expect("it reads"), []);
            reader.close().await;
        }
    });
    for generation in 1..=20 {
        let owner = Store::open(&scratch.db).await.expect("the last owner let go");
        owner.raise_generation(&cluster(), generation).await.expect("raised");
        owner.close().await;
    }
    readers.await.expect("every reader was served");
}

#[tokio::test]
async fn a_reader_waits_for_an_owner_that_is_just_making_the_file() {
    let scratch = scratch();
    std::fs::create_dir_all(scratch.db.parent().expect("it lies in a folder")).expect("it can be made");
    std::fs::write(&scratch.db, b"").expect("it can be written");
    let (reader, owner) = tokio::join!(Store::open_read_only(&scratch.db), Store::open(&scratch.db));
    assert_eq!(reader.expect("served in the end").statuses().await.expect("it reads"), []);
    owner.expect("the owner is not disturbed").close().await;
}

#[tokio::test]
async fn an_approval_is_of_one_plan_and_survives_until_it_is_forgotten() {
    let scratch = scratch();
    let approval = |text: &str, by: &str| ApprovalStatus {
        plan: plan(text).id,
        at: at(1),
        by: Some(by.to_owned()),
        reason: None,
    };
    let store = Store::open(&scratch.db).await.expect("it opens");
    assert_eq!(store.approval(&cluster()).await.expect("it reads"), None);
    assert!(store.approve(&cluster(), &approval("a", "ada")).await.expect("it is kept"));
    assert!(!store.approve(&cluster(), &approval("a", "grace")).await.expect("it is known"));
    store.close().await;
    drop(store);
    let store = Store::open(&scratch.db).await.expect("it opens again");
    assert_eq!(store.approval(&cluster()).await.expect("it reads"), Some(approval("a", "ada")));
    assert!(store.approve(&cluster(), &approval("b", "grace")).await.expect("it replaces"));
    assert_eq!(store.approval(&cluster()).await.expect("it reads"), Some(approval("b", "grace")));
    store.forget_approval(&cluster()).await.expect("it is forgotten");
    assert_eq!(store.approval(&cluster()).await.expect("it reads"), None);
}

#[tokio::test]
async fn a_plan_is_found_by_the_digits_that_people_see() {
    let scratch = scratch();
    let store = Store::open(&scratch.db).await.expect("it opens");
    let first = store.store_plan(&plan("a"), None, at(1)).await.expect("it is stored");
    store.store_plan(&plan("b"), Some(first), at(2)).await.expect("it is stored");
    let found = store.plan_named(&cluster(), plan("a").id.short()).await.expect("it reads");
    assert_eq!(found.map(|stored| stored.plan), Some(plan("a")));
    assert_eq!(store.plan_named(&cluster(), "%").await.expect("it reads"), None);
}

#[tokio::test]
async fn proofs_survive_and_are_of_their_cluster_and_account() {
    let scratch = scratch();
    let canary = |package: &str| CanaryStatus {
        at: at(1),
        package: package.to_owned(),
        sha256: Sha256::of(package.as_bytes()),
        run_as: "the SSH account svc".to_owned(),
        agents: Vec::new(),
        plan: plan("a").id,
        job: None,
        failure: None,
    };
    let other: ClusterName = "lisbon".parse().expect("a cluster name");
    let store = Store::open(&scratch.db).await.expect("it opens");
    assert_eq!(store.canary(&cluster()).await.expect("it reads"), None);
    store.keep_canary(&cluster(), &canary("one")).await.expect("it is kept");
    store.keep_canary(&cluster(), &canary("two")).await.expect("it is replaced");
    let job = "0123456789ab-2-1".parse().expect("a job id");
    store.prove_account(&cluster(), "svc", &job, at(2)).await.expect("it is noted");
    store.prove_account(&cluster(), "svc", &job, at(3)).await.expect("it is noted again");
    store.close().await;
    drop(store);
    let store = Store::open_read_only(&scratch.db).await.expect("it opens for a reader");
    assert_eq!(store.canary(&cluster()).await.expect("it reads"), Some(canary("two")));
    assert_eq!(store.canary(&other).await.expect("it reads"), None);
    for (of, account, proven) in
        [(&cluster(), "svc", true), (&cluster(), "system", false), (&other, "svc", false)]
    {
        assert_eq!(store.is_account_proven(of, account).await.expect("it reads"), proven, "{of} {account}");
    }
}
