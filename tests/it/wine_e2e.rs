//! The built program against OpenSSH's sshd and Wine's cmd: a commit in, a version out, none of our simulator.

use std::fs;

use dataminer_reconciler_tests::{
    dms::add_package,
    installation::{Installation, Peer},
    wine::WineHost,
};
use dataminer_schema::status::ClusterState;
use dms_simulator::package::Kind;

use crate::wine_agent::{ROOT, lay_dms};

const PACKAGE: &str = "DataMiner 10.5.0.0(CU13)-17003 Full Upgrade.dmupgrade";

/// An Agent behind `host`, and a commit that wants the next CU of it.
fn wanting_the_next_cu(host: &WineHost) -> Installation {
    lay_dms(host);
    let mut installation = Installation::new(host.user(), host.client_key());
    assert_eq!(add_package(&mut installation, "10.5.0 CU13 (build 17003)", Kind::Full), PACKAGE);
    installation.explain("10.5.0.0-16500", "10.5.0 CU9");
    let peer = Peer {
        name: "dma-01".to_owned(),
        address: format!("127.0.0.1:{}", host.port()),
        host_key: host.host_key().to_owned(),
        partner: None,
    };
    let quick = "  upgrade: { minFreeDisk: 1GiB }\n  health: { settle: 1s, timeout: 2m }\n";
    installation.declare("wine", "10.5.0 CU13", "unmanaged", &[peer], quick);
    installation.repository.commit("wine: 10.5.0 CU13");
    installation
}

#[test]
fn a_commit_upgrades_an_agent_behind_wine() {
    let Some(host) = WineHost::start() else { return };
    let installation = wanting_the_next_cu(&host);
    // What the stand-in for the utility will say that it installed.
    fs::write(host.file("standins/version"), "10.5.0.0-17003-20260320-release")
        .expect("the drive can be written");

    installation.run("run", &["--once"]).expect_status(0);

    let status = installation.cluster("wine");
    assert_eq!(status.state, ClusterState::Ready, "{} {}", status.reason, status.message);
    assert_eq!(status.agents[0].build, Some(17003), "{status:?}");
    let runs = fs::read_to_string(host.file("standins/utility.log")).expect("the utility ran");
    assert_eq!(runs.lines().count(), 1, "{runs}");
    assert!(runs.contains(PACKAGE), "{runs}");
    // The content was saved before, the package is gone after.
    let vault = installation.folder().join("vault/wine/dma-01");
    assert!(fs::read_dir(vault).is_ok_and(|entries| entries.count() >= 2), "two objects with their indices");
    let left = fs::read_dir(host.file(&format!("{ROOT}/packages"))).expect("it was prepared").count();
    assert_eq!(left, 0, "the staged package was cleaned up");

    // Nothing more to do: the second run starts nothing.
    installation.run("run", &["--once"]).expect_status(0);
    let runs = fs::read_to_string(host.file("standins/utility.log")).expect("the utility ran");
    assert_eq!(runs.lines().count(), 1, "{runs}");
}

#[test]
fn an_upgrade_that_fails_behind_wine_is_stalled_with_its_reason() {
    let Some(host) = WineHost::start() else { return };
    let installation = wanting_the_next_cu(&host);
    fs::write(host.file("standins/exitcode"), "1603").expect("the drive can be written");

    installation.run("run", &["--once"]).expect_status(1);

    let status = installation.cluster("wine");
    assert_eq!(
        (status.state, status.reason.as_str()),
        (ClusterState::Stalled, "UpgradeFailed"),
        "{}",
        status.message
    );
    assert!(status.help.is_some(), "{status:?}");
    // A failed version is not tried again by itself.
    installation.run("run", &["--once"]).expect_status(1);
    let runs = fs::read_to_string(host.file("standins/utility.log")).expect("the utility ran");
    assert_eq!(runs.lines().count(), 1, "{runs}");
}
