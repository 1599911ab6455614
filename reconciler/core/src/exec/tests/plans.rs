//! Plans as the planner makes them, small enough to be read.

use dataminer_schema::{
    id::{PlanId, Sha256},
    plan::{
        Action, AgentVersions, BackupRef, BreakingChanges, Change, Disruption, FORMAT_VERSION, KnownIssues,
        Plan, PlanResult, Step, VersionPair,
    },
    quantity::ByteSize,
    v1::cluster::{Agent, AgentKind, Cluster, Member, Window},
    version::WebWanted,
};

use super::world::agent;
use crate::desired::{Desired, resolve};

pub(super) const GQI: &str = "DataMiner GQI";
pub(super) const WEB: &str = "DataMiner Web";

pub(super) const STOPPED_FOR: [&str; 2] = ["DataMiner StorageModule", "DataMiner UserDefinableApiEndpoint"];

pub(super) const MIGRATION: &str = "NATSMigration.dmupgrade";
pub(super) const MIGRATION_CHECK: &str = "NATSMigration - Prerequisite only.dmupgrade";

/// Two hotfixes on one base differ in nothing but their names.
pub(super) const HOTFIXES: [&str; 2] =
    ["HF_10.5.12.0(CU0)_20251201-101010", "HF_10.5.12.0(CU0)_20251221-101010"];

/// A release, and its build where it is a core.
type Release = (&'static str, Option<u32>);

const OLD: Release = ("10.4.12", Some(15123));
const MIDDLE: Release = ("10.5.12", Some(16500));
const NEW: Release = ("10.6.4", Some(16900));
pub(super) const HIGH_WEB: &str = "10.6.6";
pub(super) const LOW_WEB: &str = "10.6.5";

pub(super) fn desired(windows: Vec<Window>) -> Desired {
    let member = |name: &str| Agent {
        member: Member {
            name: agent(name),
            host: name.to_owned(),
            port: 22,
            host_keys: Vec::new(),
            ssh: None,
        },
        kind: AgentKind::Agent,
        failover: None,
    };
    let mut cluster = Cluster::new(
        "brussels".parse().expect("a cluster name"),
        "10.6.4".parse().expect("a version"),
        vec![member("a1"), member("a2")],
    );
    cluster.software.web_apps = WebWanted::Version("10.6.6".parse().expect("a version"));
    cluster.upgrade.min_free_disk = ByteSize(0);
    cluster.windows = windows;
    resolve(cluster, None)
}

/// The backup that every restore of these plans puts back.
pub(super) fn backup() -> BackupRef {
    BackupRef {
        file: "content-10.4.12.zip".to_owned(),
        sha256: Sha256::of(b"content of 10.4.12"),
        agent: None,
        vault: true,
    }
}

fn pin(step: &mut Step, package: &str) {
    step.package = Some(package.to_owned());
    step.sha256 = Some(Sha256::of(package.as_bytes()));
}

struct Builder {
    steps: Vec<Step>,
}

impl Builder {
    fn push(&mut self, action: Action, to: Option<Release>, disruption: Disruption) -> &mut Step {
        let package = to.map(|(to, _)| format!("{to}.dmupgrade"));
        let all = vec![agent("a1"), agent("a2")];
        let at = self.steps.len();
        self.steps.push(Step {
            id: (at + 1).to_string(),
            action,
            from: None,
            to: to.map(|(to, _)| to.to_owned()),
            build: to.and_then(|(_, build)| build),
            sha256: package.as_ref().map(|package| Sha256::of(package.as_bytes())),
            package,
            backup: None,
            module: None,
            hook: None,
            patch: None,
            agents: if action == Action::StagePackage { vec![agent("a1")] } else { all },
            disruption,
            rules: Vec::new(),
            reason: "for the test".to_owned(),
            ready: disruption == Disruption::None,
            estimate: None,
            requirements: Vec::new(),
            release_notes: None,
            settle: None,
            without: Vec::new(),
        });
        &mut self.steps[at]
    }

    fn quiet(&mut self, action: Action, to: Option<Release>) {
        self.push(action, to, Disruption::None);
    }

    /// An install and its verification.
    fn install(&mut self, action: Action, to: Release) {
        let web = matches!(action, Action::UpgradeWeb | Action::DowngradeWeb);
        self.push(action, Some(to), if web { Disruption::WebServer } else { Disruption::Restart });
        self.quiet(Action::VerifyCluster, None);
    }

    /// A tool, on all Agents.
    fn tool(&mut self, package: &str, disruption: Disruption) {
        pin(self.push(Action::RunTool, None, disruption), package);
    }

    /// What a lower web level leaves owed, verified.
    fn tail(&mut self) {
        self.push(Action::RestoreContent, None, Disruption::WebServer).backup = Some(backup());
        for module in [GQI, WEB] {
            self.push(Action::ReinstallModule, None, Disruption::WebServer).module = Some(module.to_owned());
        }
        self.quiet(Action::VerifyCluster, None);
    }

    fn plan(mut self, change: Change, from: Release, web: Option<&str>) -> Plan {
        self.quiet(Action::CleanUp, None);
        let web = web.map(str::to_owned);
        let versions = |name| AgentVersions {
            name: agent(name),
            core: Some(from.0.to_owned()),
            build: from.1,
            web_apps: web.clone(),
        };
        let digest = Sha256::of(format!("{change:?} from {from:?} {web:?}: {:?}", self.steps).as_bytes());
        Plan {
            format_version: FORMAT_VERSION.to_owned(),
            cluster: "brussels".parse().expect("a cluster name"),
            commit: None,
            id: PlanId::from_sha256(&digest),
            result: PlanResult::Ready,
            change,
            from: VersionPair { core: Some(from.0.to_owned()), build: from.1, web_apps: web.clone() },
            to: VersionPair::default(),
            agents: vec![versions("a1"), versions("a2")],
            steps: self.steps,
            blocked: Vec::new(),
            waiting: Vec::new(),
            warnings: Vec::new(),
            forecast: None,
            known_issues: KnownIssues::default(),
            breaking_changes: BreakingChanges::default(),
            content_loss: None,
        }
    }
}

/// Two hops and the web apps: 10.4.12 -> 10.5.12 -> 10.6.4, web 10.6.6.
pub(super) fn upgrade() -> Plan {
    let mut plan = Builder { steps: Vec::new() };
    let web = (HIGH_WEB, None);
    for to in [MIDDLE, NEW, web] {
        plan.quiet(Action::StagePackage, Some(to));
    }
    plan.quiet(Action::SaveBackup, None);
    plan.install(Action::UpgradeCore, MIDDLE);
    plan.install(Action::UpgradeCore, NEW);
    plan.install(Action::UpgradeWeb, web);
    plan.plan(Change::Upgrade, OLD, None)
}

/// One hop behind the checks of its package: 10.4.12 -> 10.5.12.
pub(super) fn checked_upgrade() -> Plan {
    let mut plan = Builder { steps: Vec::new() };
    plan.quiet(Action::StagePackage, Some(MIDDLE));
    plan.quiet(Action::RunPrerequisites, Some(MIDDLE));
    plan.quiet(Action::SaveBackup, None);
    plan.install(Action::UpgradeCore, MIDDLE);
    plan.plan(Change::Upgrade, OLD, None)
}

/// The BrokerGateway migration before the last hop (H4): 10.4.12 -> 10.5.12 -> [NATS] -> 10.6.4.
pub(super) fn migration() -> Plan {
    let mut plan = Builder { steps: Vec::new() };
    for to in [MIDDLE, NEW] {
        plan.quiet(Action::StagePackage, Some(to));
    }
    for tool in [MIGRATION_CHECK, MIGRATION] {
        pin(plan.push(Action::StagePackage, None, Disruption::None), tool);
    }
    plan.quiet(Action::SaveBackup, None);
    plan.install(Action::UpgradeCore, MIDDLE);
    plan.tool(MIGRATION_CHECK, Disruption::None);
    plan.tool(MIGRATION, Disruption::Restart);
    plan.quiet(Action::VerifyCluster, None);
    plan.install(Action::UpgradeCore, NEW);
    plan.plan(Change::Upgrade, OLD, None)
}

/// One hop and its hotfixes (D4): 10.4.12 -> 10.5.12 -> both.
pub(super) fn hotfixes() -> Plan {
    let mut plan = Builder { steps: Vec::new() };
    plan.quiet(Action::StagePackage, Some(MIDDLE));
    let file = |name: &str| format!("{name}.dmupgrade");
    for name in HOTFIXES {
        pin(plan.push(Action::StagePackage, None, Disruption::None), &file(name));
    }
    plan.quiet(Action::SaveBackup, None);
    plan.install(Action::UpgradeCore, MIDDLE);
    for name in HOTFIXES {
        let step = plan.push(Action::InstallHotfix, None, Disruption::Restart);
        step.to = Some("10.5.12 CU0 (hotfix)".to_owned());
        pin(step, &file(name));
        plan.quiet(Action::VerifyCluster, None);
    }
    plan.plan(Change::Upgrade, OLD, None)
}

/// A tool that this program does not know, alone.
pub(super) fn unknown_tool() -> Plan {
    let mut plan = Builder { steps: Vec::new() };
    pin(plan.push(Action::StagePackage, None, Disruption::None), "Custom.dmupgrade");
    plan.tool("Custom.dmupgrade", Disruption::None);
    plan.plan(Change::Upgrade, OLD, None)
}

/// Two hops down and what they owe: 10.6.4 with web 10.6.6 -> 10.5.12 -> 10.4.12.
pub(super) fn downgrade() -> Plan {
    let mut plan = Builder { steps: Vec::new() };
    for to in [MIDDLE, OLD] {
        plan.quiet(Action::StagePackage, Some(to));
    }
    plan.quiet(Action::SaveBackup, None);
    for to in [MIDDLE, OLD] {
        plan.install(Action::DowngradeCore, to);
        plan.quiet(Action::SaveBackup, None);
    }
    plan.tail();
    plan.plan(Change::Downgrade, NEW, Some(HIGH_WEB))
}

/// One hop down beside modules that keep DataMiner from starting (G3): 10.6.4 -> 10.5.12.
pub(super) fn swap() -> Plan {
    let mut plan = Builder { steps: Vec::new() };
    plan.quiet(Action::StagePackage, Some(MIDDLE));
    plan.quiet(Action::SaveBackup, None);
    plan.push(Action::DowngradeCore, Some(MIDDLE), Disruption::Restart);
    for module in STOPPED_FOR {
        plan.push(Action::ReinstallModule, None, Disruption::Restart).module = Some(module.to_owned());
    }
    plan.quiet(Action::VerifyCluster, None);
    plan.plan(Change::Downgrade, NEW, None)
}

/// What that one left owed, over Agents that never came up (G8).
pub(super) fn swap_repair() -> Plan {
    let mut plan = Builder { steps: Vec::new() };
    plan.quiet(Action::SaveBackup, None);
    for module in STOPPED_FOR {
        plan.push(Action::ReinstallModule, None, Disruption::Restart).module = Some(module.to_owned());
    }
    plan.quiet(Action::VerifyCluster, None);
    plan.plan(Change::Repair, NEW, None)
}

/// The same from half-way.
pub(super) fn second_hop_down() -> Plan {
    let mut plan = Builder { steps: Vec::new() };
    plan.quiet(Action::StagePackage, Some(OLD));
    plan.quiet(Action::SaveBackup, None);
    plan.install(Action::DowngradeCore, OLD);
    plan.quiet(Action::SaveBackup, None);
    plan.tail();
    plan.plan(Change::Downgrade, MIDDLE, None)
}

/// One hop up to a lower web level (W5): 10.5.12 -> 10.6.4.
pub(super) fn upgrade_that_owes() -> Plan {
    let mut plan = Builder { steps: Vec::new() };
    plan.quiet(Action::StagePackage, Some(NEW));
    plan.quiet(Action::SaveBackup, None);
    plan.install(Action::UpgradeCore, NEW);
    plan.tail();
    plan.plan(Change::Upgrade, MIDDLE, Some(HIGH_WEB))
}

/// The web apps alone: 10.6.6 -> 10.6.5 on core 10.6.4.
pub(super) fn web_downgrade() -> Plan {
    let mut plan = Builder { steps: Vec::new() };
    plan.quiet(Action::StagePackage, Some((LOW_WEB, None)));
    plan.quiet(Action::SaveBackup, None);
    plan.install(Action::DowngradeWeb, (LOW_WEB, None));
    plan.tail();
    plan.plan(Change::WebDowngrade, NEW, Some(HIGH_WEB))
}

/// What an earlier operation left owed, over whichever core it left.
pub(super) fn repair(core: &str) -> Plan {
    let from = [OLD, MIDDLE, NEW].into_iter().find(|(name, _)| core.starts_with(name)).expect("a known core");
    let mut plan = Builder { steps: Vec::new() };
    plan.quiet(Action::SaveBackup, None);
    plan.tail();
    plan.plan(Change::Repair, from, None)
}
