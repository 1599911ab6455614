//! What needs no Agent: spelling, quoting, choosing, writing.

use std::collections::BTreeMap;

use dataminer_core::catalog::Catalog;
use dataminer_schema::{
    id::AgentName,
    v1::observation::{AgentObservation, HistoryEntry},
};
use proptest::prelude::*;

use super::{
    discover::{Dms, Found, Member},
    *,
};

fn member(name: &str, core: Option<&str>, web: Option<&str>) -> Member {
    let name = AgentName::new(name).expect("a name");
    let mut seen = AgentObservation::new(name.clone(), true);
    seen.core = core.map(str::to_owned);
    seen.web_apps = web.map(str::to_owned);
    if web.is_none() {
        seen.unknown = BTreeMap::from([("webApps".to_owned(), "nothing tells".to_owned())]);
    }
    Member {
        name,
        target: "10.0.0.1".parse().expect("a target"),
        key: Some("SHA256:uNiVztksCsDhcc0u9e8BrCpyFEKvEqB3KMQOaPWg0ck".parse().expect("a fingerprint")),
        address: "10.0.0.1".to_owned(),
        seen: Some(seen),
        trouble: None,
    }
}

fn dms(members: Vec<Member>) -> Dms {
    let agents = members.into_iter().zip(101..).map(|(mut member, id)| {
        member.target = format!("10.0.0.{id}").parse().expect("a target");
        Found { id, member, failover: None }
    });
    Dms { name: Some("Brussels".to_owned()), agents: agents.collect(), notes: Vec::new() }
}

fn text(dms: &Dms) -> String {
    let software = software::of(dms, &Catalog::default()).expect("a core is known");
    let secret = SecretRef::File("/run/secrets/dms_key".to_owned());
    manifest::write(&Manifest {
        name: &manifest::name_of(dms).expect("a name"),
        dms,
        software: &software,
        identity: Identity { user: "svc-gitops", secret: &secret },
        schema: "cluster.schema.json",
    })
}

/// core, webApps, remarks
fn chosen(members: &[(&str, Option<&str>, Option<&str>)]) -> (String, String, Vec<String>) {
    let members = members.iter().map(|(name, core, web)| member(name, *core, *web)).collect();
    let software = software::of(&dms(members), &Catalog::default()).expect("a core is known");
    (software.core, software.web_apps, [software.core_remarks, software.web_remarks].concat())
}

#[test]
fn targets_read_as_people_write_them() {
    for (text, host, port, shown) in [
        ("10.0.0.11", "10.0.0.11", 22, "10.0.0.11"),
        ("dma01.example:2222", "dma01.example", 2222, "dma01.example:2222"),
        ("[fd00::1]:2222", "fd00::1", 2222, "[fd00::1]:2222"),
        ("fd00::1", "fd00::1", 22, "[fd00::1]"),
        ("[fd00::1]", "fd00::1", 22, "[fd00::1]"),
        ("10.0.0.11:22", "10.0.0.11", 22, "10.0.0.11"),
    ] {
        let target: Target = text.parse().expect(text);
        assert_eq!((target.host.as_str(), target.port), (host, port));
        assert_eq!(target.to_string(), shown);
    }
    for wrong in ["", "a b", "user@host", "host:port", "host:0", "[fd00::1", "[a]b", "ssh://host", "h\"x"] {
        assert!(wrong.parse::<Target>().is_err(), "{wrong}");
    }
}

#[test]
fn the_versions_are_those_that_most_agents_run() {
    let core = Some("10.5.0.0-16782-20260121-release");
    let (wanted, web, remarks) =
        chosen(&[("a", core, Some("10.5.0 CU11")), ("b", core, Some("10.5.0 CU11"))]);
    assert_eq!((wanted.as_str(), web.as_str()), ("10.5.0 CU11 (build 16782)", "bundled"));
    assert_eq!(remarks.len(), 1);

    let (wanted, web, remarks) = chosen(&[
        ("a", Some("10.5.12.0-16600"), Some("10.6.4")),
        ("b", core, Some("10.6.4")),
        ("c", core, Some("10.6.5")),
    ]);
    assert_eq!((wanted.as_str(), web.as_str()), ("10.5.0 CU11 (build 16782)", "10.6.4"));
    assert!(remarks[0].contains("a runs 10.5.12.0-16600"), "{remarks:?}");
    assert!(remarks[1].contains("c has 10.6.5"), "{remarks:?}");
    // As often as each other: the higher, for laggards follow upwards.
    let (wanted, ..) = chosen(&[("a", core, None), ("b", Some("10.5.12.0-16600"), None)]);
    assert_eq!(wanted, "10.5.12 (build 16600)");

    let (_, web, remarks) = chosen(&[("a", core, Some("10.5.0 CU11")), ("b", core, None)]);
    assert_eq!(web, "unmanaged");
    assert!(remarks[0].contains("nothing tells"), "{remarks:?}");
    // A build between two that are known.
    let (wanted, _, remarks) = chosen(&[("a", Some("10.5.0.0-16500"), None)]);
    assert_eq!(wanted, "10.5.0 (build 16500)");
    assert!(remarks[0].contains("builds"), "{remarks:?}");
}

#[test]
fn the_name_of_the_full_package_tells_the_cu_where_nothing_came_after_it() {
    let seen = |web_history: Option<Vec<HistoryEntry>>| {
        let mut member = member("a", Some("10.5.0.0-17777"), Some("10.5.0 CU14"));
        if let Some(seen) = &mut member.seen {
            seen.web_history = web_history;
        }
        software::of(&dms(vec![member]), &Catalog::default()).expect("a core")
    };
    let told = seen(Some(Vec::new()));
    assert_eq!((told.core.as_str(), told.web_apps.as_str()), ("10.5.0 CU14 (build 17777)", "bundled"));
    // A web package of its own says nothing about the core.
    let entry = HistoryEntry { at: jiff::Timestamp::UNIX_EPOCH, version: "10.5.0 CU14".to_owned() };
    for history in [Some(vec![entry]), None] {
        assert_eq!(seen(history).core, "10.5.0 (build 17777)");
    }
}

#[test]
fn no_core_at_all_is_an_error() {
    let error = software::of(&dms(vec![member("a", Some("nonsense"), None)]), &Catalog::default())
        .expect_err("nothing to want");
    assert!(error.to_string().contains("nonsense"), "{error}");
}

#[test]
fn a_hotfix_is_listed_beside_its_release() {
    let hotfix = "HF_10.0.7.0(CU0)_20200520-135714";
    let software =
        software::of(&dms(vec![member("a", Some(hotfix), None)]), &Catalog::default()).expect("a core");
    assert_eq!(
        (software.core.as_str(), software.hotfixes.as_slice()),
        ("10.0.7 CU0", &[hotfix.to_owned()][..])
    );
}

#[test]
fn cluster_names_come_from_the_dms() {
    let named = |name: &str| {
        let mut dms = dms(vec![member("bru-dma-01", None, None)]);
        dms.name = Some(name.to_owned());
        manifest::name_of(&dms).expect("a name").to_string()
    };
    assert_eq!(named("Brussels"), "brussels");
    assert_eq!(named("Skyline HQ (EMEA)"), "skyline-hq-emea");
    assert_eq!(named("ブリュッセル"), "bru-dma-01");
    assert_eq!(named(&"x".repeat(100)), "x".repeat(63));
}

#[test]
fn the_key_never_stands_in_a_manifest() {
    let env = identity("env:DMS_KEY").expect("a variable");
    assert_eq!(yaml::secret(&env), "{ env: \"DMS_KEY\" }");
    assert!(identity("env:").is_err() && identity("").is_err());
}

proptest! {
    /// Whatever a DMS calls itself, and whatever an Agent says is wrong: the manifest stays what it is.
    #[test]
    fn hostile_texts_stay_texts(name in ".{0,40}\n?\u{2028}?.{0,20}", why in "(.|\n|\u{85}|#|: |'|\"){0,60}") {
        let plain = dms(vec![member("a", Some("10.5.12.0-16600"), None), member("b", Some("10.5.12.0-16600"), None)]);
        let mut hostile = dms(vec![
            member("a", Some("10.5.12.0-16600"), None),
            member("b", Some("10.5.12.0-16600"), None),
        ]);
        hostile.name = Some(name);
        let first = &mut hostile.agents[0].member;
        if let Some(seen) = &mut first.seen {
            seen.unknown.insert("webApps".to_owned(), why.clone());
        }
        let second = &mut hostile.agents[1].member;
        second.trouble = Some(why);
        second.seen = None;
        let read = |text: String| {
            let file = SourceFile { path: "m.yaml".to_owned(), bytes: text.into_bytes() };
            let (fleet, diagnostics) = load_fleet(&[file]);
            assert!(!has_errors(&diagnostics), "{diagnostics:?}");
            let mut cluster = fleet.clusters.into_iter().next().expect("a cluster").value;
            cluster.name = ClusterName::new("same").expect("a name");
            cluster
        };
        prop_assert_eq!(read(text(&hostile)), read(text(&plain)));
    }

    #[test]
    fn quoted_scalars_read_back(text in "(.|\n|\u{85}|\u{2028}|\u{7f}|\u{0}){0,40}") {
        let yaml = format!("x: {}\n", yaml::quoted(&text));
        prop_assert_eq!(yaml.lines().count(), 1);
        let read: serde_json::Value = serde_yaml::from_str(&yaml).expect("it is YAML");
        prop_assert_eq!(read["x"].as_str(), Some(text.as_str()));
    }
}
