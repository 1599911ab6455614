//! What ways down bring besides the older release (`domain/02 section 3`), on both sides of each threshold.

use dataminer_schema::{
    plan::Plan,
    v1::observation::{Module, Storage},
};

use crate::testing::{Scenario, warnings};

fn down(from: &str, to: &str) -> Scenario {
    Scenario::new(from, to).allow_downgrades().each(|agent| {
        agent.storage = Some(vec![Storage::Service]);
        agent.modules = Some(Vec::new());
    })
}

/// The side effects that a plan names.
fn effects(plan: &Plan) -> Vec<&str> {
    let of = plan.warnings.iter().filter(|warning| warning.code == "DowngradeSideEffect");
    of.filter_map(|warning| warning.reference.as_deref()).collect()
}

fn has(scenario: &Scenario, id: &str) -> bool {
    effects(&scenario.plan()).contains(&id)
}

#[test]
fn a_way_that_crosses_a_threshold_shows_it_and_one_that_does_not_shows_none() {
    // Each with a way that crosses, one that stays above, and one that stays below.
    let table = [
        ("DE_profile_manager", ("10.5.9", "10.5.8"), ("10.5.10", "10.5.9"), ("10.5.8", "10.5.7")),
        (
            "DE_profile_manager",
            ("10.6.0 CU1", "10.5.0 CU18"),
            ("10.6.0 CU6", "10.6.0 CU1"),
            ("10.5.0 CU18", "10.5.0 CU9"),
        ),
        ("DE_anomaly_thresholds", ("10.3.12", "10.3.11"), ("10.4.1", "10.3.12"), ("10.3.11", "10.3.10")),
        (
            "DE_anomaly_thresholds",
            ("10.4.0 CU3", "10.3.0 CU9"),
            ("10.4.0 CU3", "10.4.0 CU2"),
            ("10.3.0 CU9", "10.3.0 CU8"),
        ),
        (
            "DE_job_data",
            ("10.1.0 CU3", "10.0.0 CU19"),
            ("10.1.0 CU3", "10.1.0 CU2"),
            ("10.0.0 CU20", "10.0.0 CU19"),
        ),
        ("DE_relation_grouping", ("10.3.1", "10.2.12"), ("10.3.2", "10.3.1"), ("10.2.12", "10.2.11")),
        ("DE_offload_keys", ("10.6.4", "10.6.3"), ("10.6.5", "10.6.4"), ("10.6.3", "10.6.2")),
        ("DE_service_templates", ("10.6.7", "10.6.6"), ("10.6.8", "10.6.7"), ("10.6.6", "10.6.5")),
    ];
    for (id, crosses, above, below) in table {
        let shown = |(from, to): (&str, &str)| has(&down(from, to), id);
        assert!(shown(crosses), "{id} on {crosses:?}");
        assert!(!shown(above), "{id} on {above:?}");
        assert!(!shown(below), "{id} on {below:?}");
    }
}

#[test]
fn some_happen_on_every_way_down_from_a_release_on() {
    let table = [
        ("DE_web_api_folder", ("10.5.0 CU8", "10.5.0 CU7"), ("10.5.0 CU7", "10.5.0 CU6")),
        ("DE_web_api_folder", ("10.5.12", "10.5.11"), ("10.5.10", "10.5.9")),
        ("DE_slhelper_config", ("10.4.0 CU2", "10.4.0 CU1"), ("10.3.0 CU9", "10.3.0 CU8")),
    ];
    for (id, happens, not) in table {
        assert!(has(&down(happens.0, happens.1), id), "{id} on {happens:?}");
        assert!(!has(&down(not.0, not.1), id), "{id} on {not:?}");
    }
}

#[test]
fn conditions_that_were_seen_decide() {
    let tables = |storage: Option<Storage>| {
        let scenario =
            down("10.4.3", "10.4.2").each(|agent| agent.storage = storage.map(|storage| vec![storage]));
        let plan = scenario.plan();
        let found =
            plan.warnings.iter().find(|warning| warning.reference.as_deref() == Some("DE_analytics_tables"));
        found.map(|warning| warning.message.ends_with("was not seen"))
    };
    assert_eq!(tables(Some(Storage::CassandraCluster)), Some(false));
    assert_eq!(tables(Some(Storage::Service)), None);
    assert_eq!(tables(None), Some(true));
    let apis = |modules: Option<&str>| {
        let module = |name: &str| Module { name: name.to_owned(), version: "2.0.0".to_owned() };
        let scenario = down("10.5.0 CU9", "10.5.0 CU8")
            .each(|agent| agent.modules = modules.map(|name| vec![module(name)]));
        has(&scenario, "DE_user_defined_apis")
    };
    assert!(apis(Some("DataMiner UserDefinableApiEndpoint")) && apis(None));
    assert!(!apis(Some("DataMiner GQI")));
}

#[test]
fn a_way_up_has_none_and_a_longer_way_down_has_each_once() {
    assert_eq!(effects(&Scenario::new("10.5.8", "10.5.9").plan()), Vec::<&str>::new());
    let plan = down("10.6.0 CU1", "10.2.0 CU21").plan();
    let found = effects(&plan);
    assert!(found.is_sorted());
    for id in ["DE_anomaly_thresholds", "DE_profile_manager", "DE_relation_grouping", "DE_web_api_folder"] {
        assert_eq!(found.iter().filter(|known| **known == id).count(), 1, "{id} in {found:?}");
    }
}

#[test]
fn the_issue_behind_a_side_effect_is_not_told_twice() {
    let plan = down("10.5.9", "10.5.8").plan();
    assert!(!warnings(&plan).contains(&"KnownIssue"), "{:#?}", plan.warnings);
}
