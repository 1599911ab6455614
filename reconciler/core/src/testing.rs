//! A fluent builder of clusters, observations and catalogues for the tests of this crate.
//!
//! Every plan made here is linted, and planned again from shuffled input: it must come out byte-identical.

use std::collections::BTreeMap;

use dataminer_schema::{
    id::{AgentName, ClusterName, JobId, Sha256},
    load::Located,
    plan::{Action, BlockCode, Plan, Step},
    quantity::ByteSize,
    v1::{
        catalog::{Insides, Package, PackageCatalog},
        cluster::{Agent, AgentKind, Approval, Cluster, DowngradePolicy, Fit, Member, Upgrade, Window},
        observation::{
            AgentObservation, AgentState, Backup, FailoverRole, FailoverState, HistoryEntry, Observation,
            OwedWork, TopologyEntry,
        },
    },
    version::{MonthIndex, PackageKind, Version},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    catalog::Catalog,
    desired::{Desired, resolve},
    knowledge::Knowledge,
    lint::lint,
    plan::{PlanInput, PlanMode, PlanState, plan},
    tool::Tool,
};

/// A Saturday evening; observations are taken five minutes before.
pub(crate) const NOW: &str = "2026-11-21T20:00:00Z";

#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) cluster: Cluster,
    pub(crate) observation: Option<Observation>,
    pub(crate) packages: Vec<Package>,
    pub(crate) vault: Vec<Backup>,
    pub(crate) builds: BTreeMap<String, Version>,
    pub(crate) knowledge: Knowledge,
    pub(crate) state: PlanState,
    pub(crate) now: Timestamp,
    pub(crate) mode: PlanMode,
}

pub(crate) fn version(text: &str) -> Version {
    text.parse().unwrap_or_else(|error| panic!("`{text}` is a version: {error}"))
}

pub(crate) fn name(text: &str) -> AgentName {
    AgentName::new(text).expect("the test names Agents properly")
}

/// The build that the full catalogue gives to a release: rises with the month inside each line.
pub(crate) fn build_of(release: &Version) -> u32 {
    let MonthIndex(index) = release.month_index().unwrap_or(MonthIndex(0));
    let feature = if release.feature() > 0 { 5 + u32::from(release.cu().unwrap_or(0)) } else { 0 };
    20_000 + u32::from(index) * 100 + u32::from(release.minor()) * 10 + feature
}

pub(crate) fn package(release: &Version, kind: PackageKind, build: u32) -> Package {
    let (a, b, c) = (release.major(), release.minor(), release.feature());
    let cu = release.cu().filter(|cu| *cu > 0 || c == 0).map(|cu| format!("(CU{cu})")).unwrap_or_default();
    let word = match kind {
        PackageKind::Web => "Web",
        PackageKind::Update => "Cumulative",
        PackageKind::Full | PackageKind::Tool => "Full",
    };
    let file = format!("DataMiner {a}.{b}.{c}.0{cu}-{build} {word} Upgrade.dmupgrade");
    Package {
        sha256: Sha256::of(file.as_bytes()),
        file,
        size: Some(3 << 30),
        source: None,
        kind,
        version: Some(if c > 0 && release.cu() == Some(0) {
            Version::new(a, b, c).with_build(build)
        } else {
            release.clone().with_build(build)
        }),
        insides: Insides::default(),
    }
}

/// A tool by its documented name.
pub(crate) fn tool(tool: Tool) -> Package {
    let file = format!("{}.dmupgrade", tool.as_str());
    let sha256 = Sha256::of(file.as_bytes());
    Package {
        file,
        sha256,
        size: Some(2 << 20),
        source: None,
        kind: PackageKind::Tool,
        version: None,
        insides: Insides::default(),
    }
}

/// Every tool.
pub(crate) fn tools() -> [Package; 4] {
    [Tool::VerifyClusterPorts, Tool::VerifyGrpcConnection, Tool::MigrationCheck, Tool::Migration].map(tool)
}

/// Full and web packages of every final core release, and every tool.
pub(crate) fn whole_catalogue() -> Vec<Package> {
    let releases = Knowledge::built_in().final_releases();
    releases
        .iter()
        .flat_map(|release| {
            let build = build_of(release);
            let web = (release.line() >= Version::new(10, 3, 0).line())
                .then(|| package(release, PackageKind::Web, build));
            [Some(package(release, PackageKind::Full, build)), web].into_iter().flatten()
        })
        .chain(tools())
        .collect()
}

impl Scenario {
    /// Two healthy Agents on `from`, `to` wanted, every release in the catalogue, no windows.
    pub(crate) fn new(from: &str, to: &str) -> Self {
        Self {
            cluster: cluster(to, &["a1", "a2"]),
            observation: None,
            packages: whole_catalogue(),
            vault: Vec::new(),
            builds: BTreeMap::new(),
            knowledge: Knowledge::default(),
            state: PlanState::default(),
            now: NOW.parse().expect("a timestamp"),
            mode: PlanMode::Live,
        }
        .seen(&[("a1", from), ("a2", from)])
    }

    /// These Agents, each with the core that it shows. Web apps are the core's own.
    pub(crate) fn seen(mut self, agents: &[(&str, &str)]) -> Self {
        let names: Vec<&str> = agents.iter().map(|(agent, _)| *agent).collect();
        self.cluster.agents = names.iter().map(|name| agent(name)).collect();
        self.observation = Some(Observation {
            cluster: self.cluster.name.clone(),
            taken_at: self.now - SignedDuration::from_mins(5),
            topology: Some(topology(&names)),
            agents: agents.iter().map(|(name, core)| observed(name, core)).collect(),
        });
        self
    }

    /// Makes `backup` the Failover partner of `main`; both were given to [`Self::seen`].
    pub(crate) fn pair(mut self, main: &str, backup: &str) -> Self {
        let partner = self.cluster.agents.iter().position(|agent| agent.member.name == name(backup));
        let partner = self.cluster.agents.remove(partner.expect("the partner was given"));
        for agent in &mut self.cluster.agents {
            if agent.member.name == name(main) {
                agent.failover = Some(partner.member.clone());
            }
        }
        let observation = self.observation.as_mut().expect("there is an observation");
        let id = 100;
        for (agent, role) in [(main, FailoverRole::Main), (backup, FailoverRole::Backup)] {
            let address = format!("10.0.0.{agent}");
            for entry in observation.topology.iter_mut().flatten().filter(|entry| entry.address == address) {
                entry.id = id;
                entry.failover = Some(role);
            }
            for agent in observation.agents.iter_mut().filter(|seen| seen.name == name(agent)) {
                agent.failover = Some(FailoverState { role, online: Some(role == FailoverRole::Main) });
            }
        }
        self
    }

    pub(crate) fn each(mut self, change: impl Fn(&mut AgentObservation)) -> Self {
        self.observation.iter_mut().flat_map(|observation| &mut observation.agents).for_each(change);
        self
    }

    pub(crate) fn agent(mut self, agent: &str, change: impl Fn(&mut AgentObservation)) -> Self {
        let agents = self.observation.iter_mut().flat_map(|observation| &mut observation.agents);
        agents.filter(|seen| seen.name == name(agent)).for_each(change);
        self
    }

    /// The web level that every Agent shows; `None` is unknown.
    pub(crate) fn web(self, level: Option<&str>) -> Self {
        self.each(|agent| agent.web_apps = level.map(str::to_owned))
    }

    pub(crate) fn broker(self, active: Option<bool>) -> Self {
        self.each(|agent| agent.broker_gateway = active)
    }

    pub(crate) fn want_web(mut self, wanted: &str) -> Self {
        self.cluster.software.web_apps = wanted.parse().expect("a web level");
        self
    }

    pub(crate) fn upgrade(mut self, change: impl Fn(&mut Upgrade)) -> Self {
        change(&mut self.cluster.upgrade);
        self
    }

    /// Versions may fall, and nobody needs to approve it; [`Self::approval`] asks again.
    pub(crate) fn allow_downgrades(mut self) -> Self {
        self.cluster.downgrade.policy = DowngradePolicy::Allow;
        self.approval(Approval::Never)
    }

    /// Which plans an operator approves besides the merge.
    pub(crate) fn approval(mut self, approval: Approval) -> Self {
        self.cluster.approval = approval;
        self
    }

    /// The vault holds this backup as well.
    pub(crate) fn vault(mut self, backup: Backup) -> Self {
        self.vault.push(Backup { vault: true, ..backup });
        self
    }

    /// The Agent holds this backup as well.
    pub(crate) fn backup(self, agent: &str, backup: &Backup) -> Self {
        self.agent(agent, |seen| seen.backups.get_or_insert_default().push(backup.clone()))
    }

    /// What was installed when (`core` and `web`, each with its version), as the Agent's histories tell it.
    pub(crate) fn history(self, agent: &str, core: &[(&str, &str)], web: &[(&str, &str)]) -> Self {
        let entries = |entries: &[(&str, &str)]| -> Vec<HistoryEntry> {
            let entry = |(at, version): &(&str, &str)| HistoryEntry {
                at: at.parse().expect("a timestamp"),
                version: (*version).to_owned(),
            };
            entries.iter().map(entry).collect()
        };
        self.agent(agent, |seen| {
            seen.history = Some(entries(core));
            seen.web_history = Some(entries(web));
        })
    }

    /// The Agent holds this note of owed work as well.
    pub(crate) fn owed(self, agent: &str, work: &OwedWork) -> Self {
        self.agent(agent, |seen| seen.owed.get_or_insert_default().push(work.clone()))
    }

    /// Without this tool in the catalogue.
    pub(crate) fn without(mut self, tool: Tool) -> Self {
        self.packages.retain(|package| Tool::named(&package.file) != Some(tool));
        self
    }

    /// Only these full packages (and every web package and tool).
    pub(crate) fn only(mut self, releases: &[&str]) -> Self {
        let keep: Vec<u32> = releases
            .iter()
            .map(|text| {
                let release = version(text);
                let cu = release.cu().unwrap_or(0);
                build_of(&release.with_cu(cu))
            })
            .collect();
        self.packages.retain(|package| {
            matches!(package.kind, PackageKind::Web | PackageKind::Tool)
                || package
                    .version
                    .as_ref()
                    .and_then(Version::build)
                    .is_some_and(|build| keep.contains(&build))
        });
        self
    }

    /// Saturdays 22:00 to 02:00 in Brussels, an hour of cutoff.
    pub(crate) fn saturday_nights(mut self) -> Self {
        self.cluster.windows.push(Window::Allow {
            schedule: "0 22 * * SAT".to_owned(),
            duration: SignedDuration::from_hours(4),
            time_zone: "Europe/Brussels".to_owned(),
            cutoff: SignedDuration::from_hours(1),
            fit: Fit::Warn,
        });
        self
    }

    /// The preparations of its plan are done.
    pub(crate) fn prepared(mut self) -> Self {
        self.state.prepared = Some(self.plan_once().id);
        self
    }

    pub(crate) fn at(mut self, now: &str) -> Self {
        self.now = now.parse().expect("a timestamp");
        if let Some(observation) = &mut self.observation {
            observation.taken_at = self.now - SignedDuration::from_mins(5);
        }
        self
    }

    pub(crate) fn catalog(&self) -> Catalog {
        let catalog = PackageCatalog {
            name: "test".to_owned(),
            packages: self.packages.clone(),
            builds: self.builds.clone(),
        };
        Catalog::unite(&[Located::unmarked(catalog, "catalog.yaml")], &self.knowledge)
            .expect("the test's catalogue holds no conflict")
    }

    pub(crate) fn desired(&self) -> Desired {
        resolve(self.cluster.clone(), None)
    }

    fn plan_once(&self) -> Plan {
        let (catalog, desired) = (self.catalog(), self.desired());
        plan(&PlanInput {
            desired: &desired,
            observation: self.observation.as_ref(),
            catalog: &catalog,
            knowledge: &self.knowledge,
            vault: &self.vault,
            state: &self.state,
            now: self.now,
            mode: self.mode,
        })
    }

    /// Plans, lints, and plans again from reversed input.
    pub(crate) fn plan(&self) -> Plan {
        let plan = self.plan_once();
        assert_eq!(lint(&plan), [], "lint of {plan:#?}");
        let mut reversed = self.clone();
        reversed.packages.reverse();
        reversed.vault.reverse();
        if let Some(observation) = &mut reversed.observation {
            observation.agents.reverse();
            observation.topology.iter_mut().for_each(|topology| topology.reverse());
            for agent in &mut observation.agents {
                agent.backups.iter_mut().for_each(|backups| backups.reverse());
                agent.owed.iter_mut().for_each(|owed| owed.reverse());
            }
        }
        let json = |plan: &Plan| serde_json::to_string_pretty(plan).expect("a plan serialises");
        assert_eq!(json(&plan), json(&reversed.plan_once()), "the order of the input shows in the plan");
        plan
    }

    /// The versions of the hops (`down …` where they fall), tools in square brackets, `web …` for a web step, what the
    /// tail restores and reinstalls, then the block codes. What the driver cannot do yet is no matter of the way.
    pub(crate) fn way(&self) -> String {
        way(&self.plan())
    }
}

/// A backup whose hash is that of its name, taken at `at`.
pub(crate) fn backup(file: &str, at: &str, content: Option<&str>) -> Backup {
    Backup {
        at: Some(at.parse().expect("a timestamp")),
        sha256: Some(Sha256::of(file.as_bytes())),
        size: Some(1 << 20),
        content: content.map(str::to_owned),
        ..Backup::new(file)
    }
}

/// The note of a restore of the backup of this name.
pub(crate) fn owed_restore(id: &str, file: &str) -> OwedWork {
    OwedWork {
        id: Some(JobId::new(id).expect("the test names jobs properly")),
        action: Action::RestoreContent,
        backup: Some(Sha256::of(file.as_bytes())),
        module: None,
    }
}

/// The note of a module.
pub(crate) fn owed_module(id: &str, module: &str) -> OwedWork {
    OwedWork {
        id: Some(JobId::new(id).expect("the test names jobs properly")),
        action: Action::ReinstallModule,
        backup: None,
        module: Some(module.to_owned()),
    }
}

pub(crate) fn way(plan: &Plan) -> String {
    let mut parts: Vec<String> = Vec::new();
    for step in &plan.steps {
        let to = step.to.clone().unwrap_or_default();
        match step.action {
            Action::UpgradeCore => parts.push(to),
            Action::UpgradeWeb => parts.push(format!("web {to}")),
            Action::DowngradeCore => parts.push(format!("down {to}")),
            Action::RunTool => match step.package.as_deref().and_then(Tool::named) {
                // It is nothing without the migration behind it.
                Some(Tool::MigrationCheck) => {}
                Some(Tool::Migration) => parts.push("[NATS]".to_owned()),
                named => parts.push(format!("[{}]", named.map_or("a tool", Tool::as_str))),
            },
            Action::DowngradeWeb => parts.push(format!("web down {to}")),
            Action::RestoreContent => {
                let backup = step.backup.as_ref().map(|backup| backup.file.as_str());
                parts.push(format!("restore {}", shown(backup)));
            }
            Action::ReinstallModule => parts.push(format!("module {}", shown(step.module.as_deref()))),
            _ => {}
        }
    }
    let codes = codes(plan).into_iter().filter(|code| *code != BlockCode::NotSupportedYet);
    parts.extend(codes.map(|code| format!("!{code:?}")));
    if parts.is_empty() { format!("{:?}", plan.result) } else { parts.join(", ") }
}

pub(crate) fn codes(plan: &Plan) -> Vec<BlockCode> {
    plan.blocked.iter().map(|block| block.code).collect()
}

pub(crate) fn warnings(plan: &Plan) -> Vec<&str> {
    plan.warnings.iter().map(|warning| warning.code.as_str()).collect()
}

/// A plan as golden files show it.
pub(crate) fn render(plan: &Plan) -> String {
    let mut lines = vec![
        format!("{:?}, {:?}", plan.result, plan.change),
        format!("from {} web {}", shown(plan.from.core.as_deref()), shown(plan.from.web_apps.as_deref())),
        format!("to   {} web {}", shown(plan.to.core.as_deref()), shown(plan.to.web_apps.as_deref())),
    ];
    lines.extend(plan.steps.iter().map(render_step));
    if let Some(loss) = &plan.content_loss {
        let agents: Vec<&str> = loss.agents.iter().map(AgentName::as_str).collect();
        lines.push(format!(
            "content of {} from {} on {}, lost since {}",
            loss.content,
            loss.taken_at,
            agents.join(" "),
            loss.since
        ));
    }
    for block in &plan.blocked {
        lines.push(format!("blocked {:?}: {}", block.code, block.message));
        lines.push(format!("  help: {}", block.help));
    }
    for waiting in &plan.waiting {
        let until = waiting.until.map(|until| format!(" until {until}")).unwrap_or_default();
        lines.push(format!("waiting on {:?}{until}: {}", waiting.on, waiting.message));
    }
    lines
        .extend(plan.warnings.iter().map(|warning| format!("warning {}: {}", warning.code, warning.message)));
    lines.join("\n")
}

fn render_step(step: &Step) -> String {
    let agents: Vec<&str> = step.agents.iter().map(AgentName::as_str).collect();
    let versions = match (&step.from, &step.to) {
        (Some(from), Some(to)) => format!(" {from} -> {to}"),
        (None, Some(to)) => format!(" {to}"),
        _ => String::new(),
    };
    let pinned = match (&step.backup, &step.module) {
        (Some(backup), _) => {
            format!(" {} from {}", backup.file, backup.agent.as_ref().map_or("the vault", AgentName::as_str))
        }
        (None, Some(module)) => format!(" `{module}`"),
        // Neither a version nor a module: a tool is told by its file.
        (None, None) if step.to.is_none() => {
            step.package.as_ref().map(|package| format!(" `{package}`")).unwrap_or_default()
        }
        (None, None) => String::new(),
    };
    let ready = if step.ready { "ready" } else { "later" };
    format!(
        "{:>2} {ready} {:?}{versions}{pinned} on {} [{}] {}",
        step.id,
        step.action,
        agents.join(" "),
        step.rules.join(" "),
        step.reason
    )
}

fn shown(text: Option<&str>) -> &str {
    text.unwrap_or("-")
}

pub(crate) fn cluster(core: &str, agents: &[&str]) -> Cluster {
    let name = ClusterName::new("brussels").expect("a cluster name");
    Cluster::new(name, version(core), agents.iter().map(|name| agent(name)).collect())
}

fn agent(text: &str) -> Agent {
    let member = Member {
        name: name(text),
        host: format!("{text}.example"),
        port: 22,
        host_keys: Vec::new(),
        ssh: None,
    };
    Agent { member, kind: AgentKind::Agent, failover: None }
}

fn topology(names: &[&str]) -> Vec<TopologyEntry> {
    let numbered = names.iter().zip(101..);
    numbered
        .map(|(name, id)| TopologyEntry { id, address: format!("10.0.0.{name}"), failover: None })
        .collect()
}

/// A healthy Agent that shows `core` and its own web apps.
pub(crate) fn observed(text: &str, core: &str) -> AgentObservation {
    AgentObservation {
        address: Some(format!("10.0.0.{text}")),
        core: Some(core.to_owned()),
        web_apps: Some(core.to_owned()),
        state: Some(AgentState::Running),
        broker_gateway: Some(false),
        expired_users: Some(false),
        default_upgrade_options: Some(false),
        pending_reboot: Some(false),
        free_disk: Some(ByteSize(200 << 30)),
        dotnet: Some(["5.0.17", "6.0.36", "8.0.11", "10.0.1"].map(str::to_owned).to_vec()),
        vcredist: Some("v14.44.35211.00".to_owned()),
        os: Some("Windows build 20348".to_owned()),
        ..AgentObservation::new(name(text), true)
    }
}
