//! Each rule is broken once, by the domain's own examples where it gives any.

use std::sync::Arc;

use dataminer_schema::{
    id::{AgentName, Sha256},
    version::{PackageKind, Version},
};

use super::{
    Agent, Consent, Install, Level, Rule, Server, Shelf, System, Violation,
    modules::{GQI, STORAGE, USER_DEFINABLE_API, WEB},
};
use crate::product::Tool;

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

fn name(text: &str) -> AgentName {
    AgentName::new(text).unwrap()
}

fn digest(text: &str) -> Sha256 {
    Sha256::of(text.as_bytes())
}

/// One Agent of this core.
fn agent(core: &str) -> Agent {
    Agent::new(name("one"), v(core))
}

/// A system with one Agent.
fn system(core: &str) -> System {
    System::new([agent(core)])
}

fn with(agent: Agent) -> System {
    System::new([agent])
}

const ACCEPTED: Consent = Consent { downgrade: true, older_fixes: false, patched_packages: true };

/// An operator with a package for every stop, who acts on all Agents.
trait Operator: Sized {
    fn full_on(self, agents: &[&str], to: &str) -> Result<Self, Violation>;
    fn web_on(self, agents: &[&str], to: &str) -> Result<Self, Violation>;
    fn tool_on(self, agents: &[&str], tool: Tool) -> Result<Self, Violation>;
    fn names(&self) -> Vec<String>;

    fn full(self, to: &str) -> Result<Self, Violation> {
        let names = self.names();
        self.full_on(&names.iter().map(String::as_str).collect::<Vec<_>>(), to)
    }
    fn web(self, to: &str) -> Result<Self, Violation> {
        let names = self.names();
        self.web_on(&names.iter().map(String::as_str).collect::<Vec<_>>(), to)
    }
    fn tool(self, tool: Tool) -> Result<Self, Violation> {
        let names = self.names();
        self.tool_on(&names.iter().map(String::as_str).collect::<Vec<_>>(), tool)
    }
    fn migrate(self) -> Result<Self, Violation> {
        self.tool(Tool::NatsMigrationCheck)?.tool(Tool::NatsMigration)
    }
}

/// Every final CU of each Main Release.
fn siblings(version: &Version) -> Arc<[Version]> {
    let last = match version.minor() {
        0..=2 => 21,
        3 => 22,
        4 => 21,
        5 => 18,
        _ => 6,
    };
    let line = Version::new(version.major(), version.minor(), 0);
    (0..=last).filter(|_| version.feature() == 0).map(|cu| line.clone().with_cu(cu)).collect()
}

impl Operator for System {
    fn names(&self) -> Vec<String> {
        self.agents().iter().map(|agent| agent.name.to_string()).collect()
    }

    fn full_on(self, agents: &[&str], to: &str) -> Result<Self, Violation> {
        let (sha256, version) = (digest(to), v(to));
        let agents: Vec<AgentName> = agents.iter().map(|text| name(text)).collect();
        let siblings = siblings(&version);
        let patched = self.consent.patched_packages
            && self.agents().iter().any(|agent| super::nats_check_fails(&agent.core, &version));
        self.stage(&agents, &sha256)?.install_full(
            &agents,
            Install { sha256: &sha256, version: &version, siblings: &siblings, patched },
        )
    }

    fn web_on(self, agents: &[&str], to: &str) -> Result<Self, Violation> {
        let (sha256, version) = (digest(&format!("web {to}")), v(to));
        let agents: Vec<AgentName> = agents.iter().map(|text| name(text)).collect();
        self.stage(&agents, &sha256)?.install_web(
            &agents,
            Install { sha256: &sha256, version: &version, siblings: &Arc::from([]), patched: false },
        )
    }

    fn tool_on(self, agents: &[&str], tool: Tool) -> Result<Self, Violation> {
        let sha256 = digest(&format!("{tool:?}"));
        let agents: Vec<AgentName> = agents.iter().map(|text| name(text)).collect();
        self.stage(&agents, &sha256)?.run_tool(&agents, tool, &sha256)
    }
}

/// Walks over these stops.
fn walk(system: System, stops: &[&str]) -> Result<System, Violation> {
    stops.iter().try_fold(system, |system, stop| system.full(stop))
}

fn rule(result: Result<System, Violation>) -> Option<Rule> {
    result.err().map(|violation| violation.rule)
}

#[track_caller]
fn fine(result: Result<System, Violation>) -> System {
    match result {
        Ok(system) => system,
        Err(violation) => panic!("{violation}"),
    }
}

#[test]
fn a_cu_of_the_same_main_release_is_reached_directly_h1() {
    fine(walk(system("10.4.0 CU6"), &["10.4.0 CU8"]));
}

#[test]
fn a_skipped_major_is_noticed_h2() {
    for (from, to) in
        [("10.3.0 CU10", "10.5.0 CU18"), ("10.4.12", "10.6.0 CU6"), ("10.0.0 CU19", "10.3.0 CU22")]
    {
        assert_eq!(rule(system(from).full(to)), Some(Rule::SkippedMajor), "{from} to {to}");
    }
    for (from, to) in [
        ("10.3.0 CU10", "10.4.0 CU21"),
        ("10.4.12", "10.5.0 CU18"),
        ("10.3.0 CU1", "10.3.0 CU9"),
        ("9.6.0 CU1", "10.0.0 CU19"),
    ] {
        fine(system(from).full(to));
    }
}

#[test]
fn stops_are_the_latest_cu_h2() {
    fine(walk(system("10.3.0 CU10"), &["10.4.0 CU21", "10.5.0 CU18"]));
    let early = walk(system("10.3.0 CU10"), &["10.4.0 CU20", "10.5.0 CU18"]);
    assert_eq!(rule(early), Some(Rule::StopNotLatest));
    // A Feature Release is a stop as well: 10.4.12, any 10.5.x, 10.6.0.
    let stopped = fine(walk(system("10.4.12"), &["10.5.12"]));
    fine(fine(stopped.migrate()).full("10.6.0 CU6"));
    // 10.5.0 CU18 has more fixes than 10.6.4 (CU13 has as many), and 10.4.0 CU14 is kept away from (H12).
    let stopped = |stop: &str| fine(fine(system("10.4.0 CU20").full(stop)).migrate());
    fine(stopped("10.5.0 CU13").full("10.6.4"));
    assert_eq!(rule(stopped("10.5.0 CU12").full("10.6.4")), Some(Rule::StopNotLatest));
    assert_eq!(rule(stopped("10.5.0 CU18").full("10.6.4")), Some(Rule::OlderFixes));
    fine(walk(system("10.3.0 CU10"), &["10.4.0 CU13", "10.5.0 CU2"]));
    assert_eq!(rule(walk(system("10.3.0 CU10"), &["10.4.0 CU12", "10.5.0 CU2"])), Some(Rule::StopNotLatest));
    // Where the way ends, any CU will do, and where it begins.
    fine(system("10.3.0 CU10").full("10.4.0 CU20"));
}

#[test]
fn ten_one_is_left_out_on_the_way_h5() {
    let on_10_0 = || fine(system("10.0.0 CU19").tool(Tool::VerifyClusterPorts));
    fine(walk(on_10_0(), &["10.2.0 CU21"]));
    assert_eq!(rule(walk(on_10_0(), &["10.1.0 CU21", "10.2.0 CU21"])), Some(Rule::StopAt101));
    // As a target, and as a beginning, it is one like any other.
    fine(walk(on_10_0(), &["10.1.0 CU21"]));
    fine(walk(system("10.1.0 CU9"), &["10.2.0 CU21"]));
}

#[test]
fn old_systems_go_on_from_10_0_0_cu19_h6() {
    for from in ["9.6.0 CU1", "10.0.0 CU5"] {
        assert_eq!(rule(system(from).full("10.1.0 CU21")), Some(Rule::StopAt100Cu19), "{from}");
        let stopped = |stop: &str| fine(fine(system(from).full(stop)).tool(Tool::VerifyClusterPorts));
        assert_eq!(rule(stopped("10.0.0 CU21").full("10.2.0 CU21")), Some(Rule::StopAt100Cu19), "{from}");
        fine(stopped("10.0.0 CU19").full("10.2.0 CU21"));
    }
    // H6 speaks of the Main Release alone.
    fine(fine(system("10.0.9").tool(Tool::VerifyClusterPorts)).full("10.2.0 CU21"));
}

#[test]
fn ten_six_wants_broker_gateway_and_that_wants_late_10_5_h4() {
    assert_eq!(rule(system("10.5.0 CU18").full("10.6.0 CU6")), Some(Rule::NoBrokerGateway));
    assert_eq!(rule(system("10.5.8").full("10.6.9")), Some(Rule::NoBrokerGateway));
    fine(fine(system("10.5.0 CU18").migrate()).full("10.6.0 CU6"));
    fine(with(agent("10.5.0 CU18").with_broker_gateway(true)).full("10.6.9"));
    assert_eq!(rule(system("10.5.0 CU3").migrate()), Some(Rule::MigrationTooEarly));
    assert_eq!(rule(system("10.5.6").migrate()), Some(Rule::MigrationTooEarly));
    assert_eq!(rule(system("10.5.8").tool(Tool::NatsMigration)), Some(Rule::MigrationNotChecked));
    // The check was passed by other software.
    let checked = fine(system("10.5.0 CU11").tool(Tool::NatsMigrationCheck));
    let raised = fine(checked.full("10.5.0 CU18"));
    assert_eq!(rule(raised.tool(Tool::NatsMigration)), Some(Rule::MigrationNotChecked));
}

#[test]
fn the_migration_wants_dotnet_10_domain_02_section_2() {
    let mut old = agent("10.5.0 CU9");
    old.server.hosting_bundles = vec![8];
    assert_eq!(rule(with(old).migrate()), Some(Rule::DotNetMissing));
}

#[test]
fn ten_two_wants_verified_ports_h7() {
    assert_eq!(rule(system("10.0.0 CU19").full("10.2.0 CU21")), Some(Rule::PortsNotVerified));
    assert_eq!(rule(system("10.0.9").full("10.2.4")), Some(Rule::PortsNotVerified));
    fine(system("10.1.0 CU9").full("10.2.0 CU21"));
}

#[test]
fn ten_two_seven_is_not_for_old_systems_h8() {
    for from in ["10.1.0 CU11", "10.2.2", "10.1.12"] {
        assert_eq!(rule(system(from).full("10.2.7")), Some(Rule::TooOldFor1027), "{from}");
        fine(system(from).full("10.2.8"));
    }
    fine(system("10.2.3").full("10.2.7"));
}

#[test]
fn a_check_that_cannot_run_on_10_4_h9() {
    for (from, to) in [
        ("10.4.0 CU4", "10.5.0 CU3"),
        ("10.4.0 CU4", "10.5.0 CU4"),
        ("10.4.3", "10.5.6"),
        ("10.4.0 CU1", "10.5.7"),
    ] {
        assert_eq!(rule(system(from).full(to)), Some(Rule::CheckCrashesOn104), "{from} to {to}");
    }
    for to in ["10.5.0 CU2", "10.5.0 CU5", "10.5.8"] {
        fine(system("10.4.0 CU4").full(to));
    }
    fine(system("10.4.5").full("10.5.6"));
    fine(walk(system("10.4.0 CU4"), &["10.5.0 CU1", "10.5.0 CU3"]));
}

#[test]
fn snmpv3_credentials_are_lost_h10() {
    for to in ["10.4.9", "10.4.12"] {
        assert_eq!(rule(system("10.4.0 CU6").full(to)), Some(Rule::Snmpv3CredentialsLost), "{to}");
    }
    fine(system("10.4.0 CU6").full("10.5.1"));
    fine(system("10.4.0 CU5").full("10.4.9"));
}

#[test]
fn expired_users_hang_10_5_1_and_10_5_2_h11() {
    let with_users = || {
        let mut agent = agent("10.4.12");
        agent.expired_users = true;
        with(agent)
    };
    for to in ["10.5.1", "10.5.2 CU0"] {
        assert_eq!(rule(with_users().full(to)), Some(Rule::ExpiredUsers), "{to}");
    }
    fine(with_users().full("10.5.2 CU1"));
    fine(with_users().full("10.5.0 CU18"));
}

#[test]
fn default_upgrade_options_stop_slnet_domain_04_section_7() {
    let poisoned = || {
        let mut agent = agent("10.4.0 CU5");
        agent.default_upgrade_options = true;
        with(agent)
    };
    for to in ["10.5.0 CU3", "10.5.5", "10.4.12"] {
        assert_eq!(rule(poisoned().full(to)), Some(Rule::DefaultUpgradeOptions), "{to}");
    }
    fine(poisoned().full("10.5.0 CU5"));
}

#[test]
fn a_higher_number_with_older_fixes_must_be_wanted_domain_01_section_4() {
    assert_eq!(rule(system("10.5.0 CU9").full("10.5.5")), Some(Rule::OlderFixes));
    assert_eq!(rule(system("10.4.0 CU21").full("10.5.0 CU5")), Some(Rule::OlderFixes));
    fine(system("10.5.0 CU2").full("10.5.5"));
    let consent = Consent { older_fixes: true, ..Consent::default() };
    fine(system("10.5.0 CU9").with_consent(consent).full("10.5.5"));
}

#[test]
fn a_downgrade_must_be_wanted_and_takes_one_major_at_a_time_domain_02_section_3() {
    for (from, to) in [("10.5.12", "10.5.0 CU18"), ("10.4.0 CU9", "10.4.0 CU8"), ("10.4.0 CU9", "10.3.0 CU1")]
    {
        assert_eq!(
            rule(
                system(from).with_consent(Consent { patched_packages: true, ..Consent::default() }).full(to)
            ),
            Some(Rule::Downgrade),
            "{from} to {to}"
        );
        fine(system(from).with_consent(ACCEPTED).full(to));
    }
    for (from, to) in [("10.4.0 CU9", "10.2.0 CU1"), ("10.1.0 CU1", "9.6.0 CU1"), ("10.6.1", "10.4.12")] {
        let broken = rule(system(from).with_consent(ACCEPTED).full(to));
        assert_eq!(broken, Some(Rule::SeveralMajorsDown), "{from} to {to}");
    }
    fine(walk(system("10.4.0 CU9").with_consent(ACCEPTED), &["10.3.0 CU0", "10.2.0 CU0", "10.1.0 CU0"]));
    fine(system("10.0.0 CU1").with_consent(ACCEPTED).full("9.6.0 CU1"));
    let too_old = system("9.6.0 CU1").with_consent(ACCEPTED).full("9.5.0 CU1");
    assert_eq!(rule(too_old), Some(Rule::OlderThan96));
}

#[test]
fn broker_gateway_does_not_survive_below_10_5_0_cu2_domain_02_section_2() {
    let migrated = || with(agent("10.5.0 CU9").with_broker_gateway(true)).with_consent(ACCEPTED);
    for to in ["10.4.0 CU9", "10.5.0 CU1"] {
        assert_eq!(rule(migrated().full(to)), Some(Rule::BrokerGatewayLost), "{to}");
        fine(fine(migrated().tool(Tool::NatsMigrationRollback)).full(to));
    }
    fine(migrated().full("10.5.0 CU2"));
    // From 10.6 on there is no way back: 10.5 first.
    let on_10_6 = || with(agent("10.6.0 CU3")).with_consent(ACCEPTED);
    assert_eq!(rule(on_10_6().tool(Tool::NatsMigrationRollback)), Some(Rule::NoWayBackToNats));
    let on_10_5 = fine(on_10_6().full("10.5.0 CU18"));
    fine(fine(on_10_5.tool(Tool::NatsMigrationRollback)).full("10.4.0 CU21"));
}

#[test]
fn an_older_package_looks_for_nats_domain_02_section_3() {
    let unpatched = Consent { downgrade: true, ..Consent::default() };
    for (from, to) in [("10.4.0 CU9", "10.3.0 CU1"), ("10.4.3", "10.4.2")] {
        let broken = rule(system(from).with_consent(unpatched).full(to));
        assert_eq!(broken, Some(Rule::NatsCheckRefusesDowngrade), "{from} to {to}");
        fine(system(from).with_consent(ACCEPTED).full(to));
    }
    fine(system("10.4.2").with_consent(unpatched).full("10.3.12"));
}

#[test]
fn no_check_is_taken_out_unasked_domain_08_section_4() {
    let (sha256, siblings) = (digest("p"), Arc::from([]));
    let agents = [name("one")];
    for (from, to, consent) in [
        ("10.4.0 CU9", "10.3.0 CU1", Consent { downgrade: true, ..Consent::default() }),
        ("10.5.0 CU9", "10.5.0 CU8", ACCEPTED),
    ] {
        let version = v(to);
        let install = Install { sha256: &sha256, version: &version, siblings: &siblings, patched: true };
        let staged = system(from).with_consent(consent).stage(&agents, &sha256).unwrap();
        assert_eq!(rule(staged.install_full(&agents, install)), Some(Rule::PatchedUnasked), "{from} to {to}");
    }
}

/// The checks of a package alone refuse what its install would refuse, and change nothing (`domain/prerequisites.yaml`).
#[test]
fn the_checks_of_a_package_run_ahead_of_it_domain_prerequisites() {
    let run = |system: System, to: &str, patched: bool, without: &[&str]| {
        let (sha256, version, agents) = (digest("p"), v(to), [name("one")]);
        let without: Vec<String> = without.iter().map(|&check| check.to_owned()).collect();
        let package = Install { sha256: &sha256, version: &version, siblings: &Arc::from([]), patched };
        let nowhere = system.run_checks(&agents, package, &without).err().map(|found| found.rule);
        assert_eq!(nowhere, Some(Rule::PackageConsumed), "not staged");
        let staged = system.stage(&agents, &sha256).unwrap();
        staged.run_checks(&agents, package, &without).err().map(|found| found.rule)
    };
    assert_eq!(run(system("10.5.0 CU9"), "10.5.0 CU18", false, &[]), None);
    let broker = "VerifyBrokerGatewayMigration.dll";
    assert_eq!(run(system("10.5.0 CU9"), "10.6.0 CU3", false, &[]), Some(Rule::NoBrokerGateway));
    assert_eq!(run(system("10.5.0 CU9"), "10.6.0 CU3", false, &[broker]), None);
    let migrated = || with(agent("10.5.0 CU9").with_broker_gateway(true));
    assert_eq!(run(migrated(), "10.6.0 CU3", false, &[]), None);
    assert_eq!(run(system("10.0.9"), "10.2.0 CU21", false, &[]), Some(Rule::PortsNotVerified));
    assert_eq!(run(system("10.0.9"), "10.2.0 CU21", false, &["VerifyClusterPorts.dll"]), None);
    assert_eq!(
        run(system("10.4.0 CU4"), "10.5.0 CU3", false, &[]),
        None,
        "a check that cannot run says nothing"
    );
    let down = || system("10.4.0 CU9");
    assert_eq!(run(down(), "10.3.0 CU1", false, &[]), Some(Rule::NatsCheckRefusesDowngrade));
    assert_eq!(run(down(), "10.3.0 CU1", true, &[]), None);
}

fn pair(first: &str, second: &str) -> System {
    System::new([Agent::new(name("one"), v(first)), Agent::new(name("two"), v(second))])
}

#[test]
fn all_agents_run_one_version_domain_04_section_1() {
    let both = || pair("10.4.0 CU4", "10.4.0 CU4");
    assert_eq!(rule(both().full_on(&["one"], "10.4.0 CU8")), Some(Rule::MixedCore));
    fine(both().full("10.4.0 CU8"));
    // A mixture is brought together, and in between nothing is well.
    let mixed = pair("10.4.0 CU4", "10.4.0 CU8");
    assert_eq!(looked(&mixed, &["one", "two"]), Some(Rule::MixedCore));
    assert_eq!(looked(&fine(mixed.full_on(&["one"], "10.4.0 CU8")), &["one", "two"]), None);
    let behind = pair("10.3.0 CU4", "10.5.0 CU18");
    let behind = fine(behind.full_on(&["one"], "10.4.0 CU21"));
    fine(behind.full_on(&["one"], "10.5.0 CU18")).sound().unwrap();
}

/// What a look at these Agents finds.
fn looked(system: &System, agents: &[&str]) -> Option<Rule> {
    let agents: Vec<AgentName> = agents.iter().map(|agent| name(agent)).collect();
    system.verify(&agents).err().map(|found| found.rule)
}

/// Between two hops of those that are several behind (D5); the sweep found it taken for a mixture.
#[test]
fn agents_on_their_way_to_the_others_are_looked_at_alone_domain_04_section_1() {
    let behind = fine(pair("10.3.0 CU4", "10.5.0 CU18").full_on(&["one"], "10.4.0 CU21"));
    assert_eq!(looked(&behind, &["one"]), None);
    assert_eq!(looked(&behind, &["one", "two"]), Some(Rule::MixedCore));
    // In a system of one version nobody is left out.
    let joined = fine(behind.full_on(&["one"], "10.5.0 CU18"));
    assert_eq!(looked(&joined, &["one"]), Some(Rule::WholeClusterOnly));
    assert_eq!(looked(&joined, &["one", "two"]), None);
}

#[test]
fn what_others_run_already_is_no_stop_h2() {
    let mixed = || pair("10.3.0 CU4", "10.4.0 CU8");
    let joined = fine(mixed().full_on(&["one"], "10.4.0 CU8"));
    fine(joined.full("10.5.0 CU18"));
    // Nor is another CU where the way begins.
    fine(walk(system("10.4.0 CU4"), &["10.4.0 CU8", "10.5.0 CU18"]));
}

#[test]
fn all_agents_have_one_web_level_domain_03_section_1() {
    let both = || pair("10.5.0 CU4", "10.5.0 CU4");
    assert_eq!(rule(both().web_on(&["two"], "10.5.0 CU9")), Some(Rule::MixedWeb));
    fine(both().web("10.5.0 CU9"));
    let mixed = System::new([
        Agent::new(name("one"), v("10.5.0 CU4")).with_web(v("10.5.0 CU9")),
        Agent::new(name("two"), v("10.5.0 CU4")),
    ]);
    assert_eq!(looked(&mixed, &["one", "two"]), Some(Rule::MixedWeb));
    fine(mixed.web_on(&["two"], "10.5.12")).sound().unwrap();
}

#[test]
fn a_package_runs_once_domain_02_package_kind() {
    let (sha256, version) = (digest("p"), v("10.5.0 CU9"));
    let agents = [name("one")];
    let siblings = siblings(&version);
    let install = Install { sha256: &sha256, version: &version, siblings: &siblings, patched: false };
    assert_eq!(rule(system("10.5.0 CU1").install_full(&agents, install)), Some(Rule::PackageConsumed));
    let staged = system("10.5.0 CU1").stage(&agents, &sha256).unwrap();
    let installed = fine(staged.install_full(&agents, install));
    assert_eq!(rule(installed.clone().install_full(&agents, install)), Some(Rule::PackageConsumed));
    fine(installed.stage(&agents, &sha256).unwrap().install_full(&agents, install));
}

#[test]
fn nothing_is_installed_while_an_agent_is_down_domain_04_section_1() {
    let mut system = pair("10.5.0 CU4", "10.5.0 CU4");
    system.agents[1].running = false;
    assert_eq!(rule(system.clone().full("10.5.0 CU9")), Some(Rule::AgentDown));
    assert_eq!(rule(system.clone().web("10.5.0 CU9")), Some(Rule::AgentDown));
    assert_eq!(looked(&system, &["one", "two"]), Some(Rule::AgentDown));
}

#[test]
fn tools_take_the_whole_cluster_domain_04_section_1() {
    let tool = pair("10.0.0 CU19", "10.0.0 CU19").tool_on(&["one"], Tool::VerifyClusterPorts);
    assert_eq!(rule(tool), Some(Rule::WholeClusterOnly));
}

#[test]
fn a_mixture_of_nats_does_not_work_domain_02_section_2() {
    let system = System::new([
        Agent::new(name("one"), v("10.5.0 CU9")).with_broker_gateway(true),
        Agent::new(name("two"), v("10.5.0 CU9")),
    ]);
    assert_eq!(system.sound().err().map(|found| found.rule), Some(Rule::MixedNats));
}

#[test]
fn web_apps_need_a_core_domain_03_section_2() {
    for (core, web, expected) in [
        ("10.2.0 CU21", "10.4.0 CU9", Rule::WebNotSeparate),
        ("10.3.2", "10.4.0 CU9", Rule::WebNotSeparate),
        ("10.3.0 CU22", "10.5.1", Rule::WebNeedsCore),
        ("10.3.12", "10.5.0 CU1", Rule::WebNeedsCore),
        ("10.4.0 CU21", "10.6.0 CU1", Rule::WebNeedsCore),
        ("10.4.12", "10.6.1", Rule::WebNeedsCore),
    ] {
        assert_eq!(rule(system(core).web(web)), Some(expected), "{web} over {core}");
    }
    fine(system("10.4.0 CU0").web("10.5.1"));
    fine(system("10.5.0 CU0").web("10.6.9"));
    let mut old = agent("10.5.0 CU0");
    old.server = Server { hosting_bundles: vec![8], ..Server::default() };
    assert_eq!(rule(with(old.clone()).web("10.6.5")), Some(Rule::DotNetMissing));
    fine(with(old).web("10.6.4"));
}

#[test]
fn a_full_package_brings_its_own_web_apps_domain_03_section_1() {
    let raised = fine(with(agent("10.4.0 CU5").with_web(v("10.5.0 CU9"))).full("10.5.0 CU2"));
    assert_eq!(raised.agents()[0].web, v("10.5.0 CU2"));
    assert_eq!(raised.sound().err().map(|found| found.rule), Some(Rule::ContentTooNew));
    fine(raised.web("10.5.12")).sound().unwrap();
}

#[test]
fn a_full_10_4_stumbles_over_web_apps_of_10_5_domain_03_section_1() {
    let ahead = || with(agent("10.4.0 CU5").with_web(v("10.5.0 CU9")));
    assert_eq!(rule(ahead().full("10.4.0 CU19")), Some(Rule::StumblesOverWeb));
    fine(ahead().full("10.4.0 CU20"));
    fine(ahead().full("10.5.0 CU18"));
}

#[test]
fn servers_need_what_the_package_checks_domain_prerequisites() {
    let with_server = |server: Server| {
        let mut agent = agent("10.5.0 CU2").with_broker_gateway(true);
        agent.server = server;
        with(agent)
    };
    let full = Server::default;
    let bundles = |hosting_bundles| Server { hosting_bundles, ..full() };
    assert_eq!(rule(with_server(bundles(vec![8])).full("10.5.0 CU10")), Some(Rule::DotNetMissing));
    assert_eq!(rule(with_server(bundles(vec![10])).full("10.5.0 CU9")), Some(Rule::DotNetMissing));
    fine(with_server(bundles(vec![8])).full("10.5.0 CU9"));
    let no_framework = Server { framework_4_8: false, ..full() };
    assert_eq!(rule(with_server(no_framework).full("10.6.6")), Some(Rule::DotNetMissing));
    let old_windows = Server { windows: 9600, ..full() };
    assert_eq!(rule(with_server(old_windows.clone()).full("10.6.0 CU6")), Some(Rule::WindowsTooOld));
    fine(with_server(old_windows).full("10.5.0 CU18"));
}

#[test]
fn newer_content_is_not_read_by_older_web_apps_domain_03_section_4() {
    let backup = digest("backup");
    let down = || {
        let agent = agent("10.5.0 CU9").with_backup(backup.clone(), Level::of(&v("10.4.0 CU12")));
        fine(with(agent).with_consent(ACCEPTED).full("10.4.0 CU14"))
    };
    assert_eq!(down().sound().err().map(|found| found.rule), Some(Rule::ContentTooNew));
    fine(down().restore(&[name("one")], &backup)).sound().unwrap();
    let too_new = digest("too new");
    let newer = down().with_saved(too_new.clone(), Level::of(&v("10.5.0 CU9")));
    assert_eq!(rule(newer.restore(&[name("one")], &too_new)), Some(Rule::ContentTooNew));
}

#[test]
fn a_backup_is_restored_on_every_agent_domain_03_section_5() {
    let (first, second) = (name("one"), name("two"));
    let backup = digest("backup");
    let system = pair("10.5.0 CU9", "10.5.0 CU9")
        .with_consent(ACCEPTED)
        .with_saved(backup.clone(), Level::of(&v("10.4.0 CU12")));
    let down = fine(system.full("10.4.0 CU21"));
    // 10.4.0 CU21 is as new as 10.5.0 CU9: its web apps read what lies there.
    down.sound().unwrap();
    let half = fine(down.restore(std::slice::from_ref(&first), &backup));
    assert_eq!(half.sound().err().map(|found| found.rule), Some(Rule::ContentDiffers));
    fine(half.restore(&[first, second], &backup)).sound().unwrap();
}

#[test]
fn five_backups_are_kept_domain_03_section_4() {
    let backup = digest("backup");
    let content = Level::of(&v("10.4.0 CU5"));
    let on_the_way = ["10.5.0 CU6", "10.5.0 CU7", "10.5.0 CU8", "10.5.0 CU9"];
    let start = || with(agent("10.5.0 CU5").with_backup(backup.clone(), content));
    let kept = fine(walk(start(), &on_the_way));
    fine(kept.clone().restore(&[name("one")], &backup));
    let pushed_out = fine(kept.full("10.5.0 CU10"));
    assert_eq!(rule(pushed_out.restore(&[name("one")], &backup)), Some(Rule::BackupGone));
    let saved = fine(fine(walk(start().save_backups(), &on_the_way)).full("10.5.0 CU10"));
    fine(saved.restore(&[name("one")], &backup));
}

#[test]
fn modules_are_left_behind_by_a_downgrade_domain_03_section_5() {
    let backup = digest("backup");
    let down = fine(
        with(agent("10.5.0 CU12"))
            .with_consent(ACCEPTED)
            .with_saved(backup.clone(), Level::of(&v("10.5.0 CU9")))
            .full("10.5.0 CU9"),
    );
    let agents = [name("one")];
    let restored = fine(down.restore(&agents, &backup));
    let broken = |system: &System| system.sound().err().map(|found| found.detail);
    assert_eq!(broken(&restored).as_deref(), Some("one: DataMiner GQI"));
    let half = fine(restored.reinstall(&agents, GQI));
    assert_eq!(broken(&half).as_deref(), Some("one: DataMiner Web"));
    let whole = fine(half.reinstall(&agents, WEB));
    whole.sound().unwrap();
    assert_eq!(rule(whole.reinstall(&agents, "DataMiner Nothing")), Some(Rule::NoSuchModule));
    // Older web apps than those that brought a module leave it unused.
    let lower = fine(
        with(agent("10.5.0 CU2"))
            .with_consent(ACCEPTED)
            .with_saved(backup.clone(), Level::of(&v("10.4.0 CU9")))
            .full("10.4.0 CU9"),
    );
    let restored = fine(lower.restore(&agents, &backup));
    restored.sound().unwrap();
    assert_eq!(rule(restored.reinstall(&agents, GQI)), Some(Rule::NoSuchModule));
}

#[test]
fn the_storage_module_changes_its_generation_at_10_3_8_domain_02_section_3() {
    let backup = digest("backup");
    let agents = [name("one")];
    let down = fine(
        with(agent("10.3.8"))
            .with_consent(ACCEPTED)
            .with_saved(backup.clone(), Level::of(&v("10.3.6")))
            .full("10.3.6"),
    );
    let restored = fine(down.restore(&agents, &backup));
    assert_eq!(restored.sound().err().map(|found| found.rule), Some(Rule::ModuleTooNew));
    let swapped = fine(fine(restored.reinstall(&agents, STORAGE)).reinstall(&agents, USER_DEFINABLE_API));
    swapped.sound().unwrap();
}

#[test]
fn gqi_loses_a_library_on_a_direct_web_upgrade_domain_03_section_2() {
    let damaged = |from: &str, to: &str| {
        let core = if from == "10.5.0 CU0" { "10.5.0 CU0" } else { "10.5.1" };
        fine(with(agent(core).with_web(v(from))).web(to))
    };
    for (from, to) in [("10.5.0 CU0", "10.5.0 CU1"), ("10.5.2", "10.5.4"), ("10.5.3", "10.6.5")] {
        let found = damaged(from, to).sound().err().map(|found| found.rule);
        assert_eq!(found, Some(Rule::GqiDamaged), "{from} to {to}");
    }
    for (from, to) in [("10.5.3", "10.6.6"), ("10.5.4", "10.5.5"), ("10.5.0 CU0", "10.5.0 CU15")] {
        damaged(from, to).sound().unwrap();
    }
    fine(damaged("10.5.2", "10.5.4").reinstall(&[name("one")], GQI)).sound().unwrap();
    fine(damaged("10.5.2", "10.5.4").web("10.5.5")).sound().unwrap();
}

#[test]
fn the_documented_ways_break_nothing_domain_02_worked_examples() {
    // 1: 9.6.0 to 10.3.0.
    let old = fine(system("9.6.0 CU1").full("10.0.0 CU19"));
    let verified = fine(old.tool(Tool::VerifyClusterPorts));
    fine(walk(verified, &["10.2.0 CU21", "10.3.0 CU22"])).sound().unwrap();
    // 4: 10.1.0 CU9 to 10.6.0 CU6.
    let stops = ["10.2.0 CU21", "10.3.0 CU22", "10.4.0 CU21", "10.5.0 CU18"];
    let on_10_5 = fine(walk(system("10.1.0 CU9"), &stops));
    fine(fine(on_10_5.migrate()).full("10.6.0 CU6")).sound().unwrap();
    // 6: 10.4.0 CU4 to 10.6.0.
    let on_10_5 = fine(system("10.4.0 CU4").full("10.5.0 CU18"));
    fine(fine(on_10_5.migrate()).full("10.6.0 CU6")).sound().unwrap();
    // 7: 10.5.8 to 10.6.9.
    let migrated = fine(system("10.5.8").migrate());
    fine(migrated.full("10.6.9")).sound().unwrap();
}

#[test]
fn a_shelf_knows_the_other_cus_h2() {
    let mut shelf = Shelf::default();
    for version in ["10.5.0 CU3", "10.5.0 CU9", "10.5.12"].map(v) {
        shelf.add(digest(&version.to_string()), "p.dmupgrade", PackageKind::Full, Some(version));
    }
    assert_eq!(shelf.siblings(&v("10.5.0 CU3"))[..], ["10.5.0 CU3", "10.5.0 CU9"].map(v));
    assert!(shelf.siblings(&v("10.5.12")).is_empty() && shelf.siblings(&v("10.4.0 CU3")).is_empty());
}

#[test]
fn a_violation_tells_its_rule_and_where_it_stands() {
    let refused = pair("10.4.0 CU4", "10.4.0 CU8").sound();
    let text = refused.unwrap_err().to_string();
    assert_eq!(text, "MixedCore (domain/04 section 1): at the end");
}

#[test]
fn every_rule_names_its_source() {
    for found in [
        rule(system("10.4.12").full("10.6.0 CU6")),
        rule(system("10.5.0 CU9").full("10.5.5")),
        rule(system("10.5.0 CU9").full("10.4.0 CU21")),
    ] {
        assert!(found.is_some_and(|rule| rule.source().starts_with("domain/")), "{found:?}");
    }
}
