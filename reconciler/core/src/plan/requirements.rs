//! S5: what servers must have for each step, and what packages check, by the names that the product gives them; and
//! where the product tells what a release changes.

use std::collections::BTreeMap;

use dataminer_schema::{
    id::AgentName,
    plan::{Action, BlockCode, Requirement, RequirementState, Step},
    v1::{
        knowledge::{DotNet, DotNetKind, PortUse, Prerequisite, Protocol, ReleaseKind},
        observation::AgentObservation,
    },
    version::Version,
};

use super::{
    PlanInput,
    conditions::windows_build,
    course::{Course, Leg, Way},
    draft::{Draft, list},
    health::{gibibytes, needed_disk},
    survey::{Broker, Survey},
};
use crate::{knowledge::Knowledge, release::Release, tool::Tool};

/// Fills `requirements` and `releaseNotes` of the steps; blocks where something is observed to be missing that no
/// package brings, and warns once of what was not seen.
pub(super) fn plan_requirements(
    input: &PlanInput<'_>,
    survey: &Survey<'_>,
    course: &Course<'_>,
    draft: &mut Draft,
) {
    if draft.steps.is_empty() {
        return;
    }
    let disk = needed_disk(input, &draft.steps);
    let mut servers = Servers {
        input,
        survey,
        disk,
        several: survey.members.len() > 1,
        lacked: BTreeMap::new(),
        unseen: BTreeMap::new(),
    };
    let mut steps = std::mem::take(&mut draft.steps);
    let mut legs = course.legs.iter();
    for step in &mut steps {
        step.release_notes = release_notes(input.knowledge, step);
        match step.action {
            Action::UpgradeCore | Action::DowngradeCore => {
                if let Some(leg) = legs.next() {
                    step.requirements = servers.core(leg, draft);
                }
            }
            Action::UpgradeWeb | Action::DowngradeWeb => {
                if let Some(web) = &course.web {
                    step.requirements = servers.web(&web.to, &step.agents);
                }
            }
            Action::RunTool => step.requirements = servers.tool(step),
            _ => {}
        }
    }
    draft.steps = steps;
    servers.say(draft);
}

/// Where the product tells what the version behind a step changes.
fn release_notes(knowledge: &Knowledge, step: &Step) -> Option<String> {
    let kind = match step.action {
        Action::UpgradeCore | Action::DowngradeCore => ReleaseKind::Core,
        Action::UpgradeWeb | Action::DowngradeWeb => ReleaseKind::Web,
        _ => return None,
    };
    let version: Version = step.to.as_deref()?.parse().ok()?;
    knowledge.release_notes(kind, &version)
}

/// What the observation shows of the servers.
struct Servers<'s, 'a> {
    input: &'s PlanInput<'a>,
    survey: &'s Survey<'a>,
    /// Bytes that must be free.
    disk: u64,
    /// Whether there is more than one Agent, so that ports between them matter.
    several: bool,
    /// What must be installed by hand, by the Agents that lack it, with what asks for it.
    lacked: BTreeMap<Vec<AgentName>, BTreeMap<String, Vec<String>>>,
    /// What was not seen, by the Agents of which it was not.
    unseen: BTreeMap<Vec<AgentName>, Vec<String>>,
}

impl Servers<'_, '_> {
    /// What a hop of the core needs.
    fn core(&mut self, leg: &Leg<'_>, draft: &mut Draft) -> Vec<Requirement> {
        let (knowledge, to) = (self.input.knowledge, &leg.to);
        let who = format!("core {}", to.name());
        let mut needs = Vec::new();
        for dotnet in self.dotnet_of(to) {
            needs.push(self.dotnet(&dotnet, &leg.agents, &who));
        }
        if let Some(runtime) = knowledge.vcredist_of(to) {
            needs.push(self.vcredist(&runtime.version, &leg.agents, &who, draft));
        }
        if let Some(os) = knowledge.os_of(to) {
            let desktop = os.desktop.map(|desktop| format!(" or Windows {desktop}")).unwrap_or_default();
            let name = format!("Windows Server {}{desktop} or later", os.server);
            needs.push(self.windows(name, os.build, &leg.agents, &who, draft));
        }
        needs.push(self.free_disk(&leg.agents));
        let (checks, perhaps) = knowledge.prerequisites_of(to);
        needs.extend(self.ports(to, &checks));
        let broken: Vec<String> = needs
            .iter()
            .filter(|need| need.state == RequirementState::Missing)
            .map(|need| need.name.clone())
            .collect();
        needs.extend(checks.iter().filter_map(|check| self.check(check, leg, &broken)));
        needs.extend(perhaps.iter().map(|check| Requirement {
            name: check.id.clone(),
            state: RequirementState::Unknown,
            agents: Vec::new(),
        }));
        needs
    }

    /// What a web package needs (`domain/03 section 2`, RN 44906).
    fn web(&mut self, to: &Version, agents: &[AgentName]) -> Vec<Requirement> {
        let rule = &self.survey.rules.s5;
        let mut needs = Vec::new();
        if to.line() >= rule.web.line() {
            let who = format!("web apps {}", to.release_name());
            let bundle = bundle_of(rule.major);
            needs.push(self.dotnet(&bundle, agents, &who));
        }
        needs.push(self.free_disk(agents));
        needs
    }

    /// What a tool package needs (`domain/02 section 2`, H7).
    fn tool(&mut self, step: &Step) -> Vec<Requirement> {
        match step.package.as_deref().and_then(Tool::named) {
            Some(Tool::Migration | Tool::MigrationCheck) => {
                let bundle = bundle_of(self.survey.rules.s5.major);
                vec![self.dotnet(&bundle, &step.agents, "the BrokerGateway migration")]
            }
            Some(tool @ Tool::VerifyClusterPorts) if self.several => {
                let check = self.input.knowledge.prerequisite(tool.as_str());
                let ports = check.map(|check| check.ports.as_slice()).unwrap_or_default();
                let state = RequirementState::Checked;
                vec![Requirement { name: ports_name(ports), state, agents: Vec::new() }]
            }
            Some(Tool::VerifyClusterPorts | Tool::VerifyGrpcConnection) | None => Vec::new(),
        }
    }

    /// The .NET runtimes of a release, and the bundle of the rule where the table does not have it.
    fn dotnet_of(&self, to: &Release) -> Vec<DotNet> {
        let rule = &self.survey.rules.s5;
        let row = self.input.knowledge.dotnet_of(to);
        let mut needs = row.map(|row| row.needs.clone()).unwrap_or_default();
        let bundle = bundle_of(rule.major);
        if to.at_least(&rule.core) == Some(true) && !needs.contains(&bundle) {
            needs.push(bundle);
        }
        needs
    }

    /// One that packages do not install: missing, it must be installed by hand.
    fn dotnet(&mut self, needed: &DotNet, agents: &[AgentName], who: &str) -> Requirement {
        let (name, major) = (name_of(needed), needed.version.split('.').next().unwrap_or_default());
        let major: Option<u64> = major.parse().ok();
        let need = match (needed.kind, major) {
            // Windows and packages bring it, and no probe reads it.
            (DotNetKind::Framework, _) | (_, None) => {
                return Requirement { name, state: RequirementState::Unknown, agents: Vec::new() };
            }
            (DotNetKind::Runtime | DotNetKind::HostingBundle, Some(major)) => {
                self.shown(name, agents, |agent| has_dotnet(agent, major))
            }
        };
        if need.state == RequirementState::Missing {
            let lacked = self.lacked.entry(need.agents.clone()).or_default();
            let asking = lacked.entry(need.name.clone()).or_default();
            if !asking.iter().any(|known| known == who) {
                asking.push(who.to_owned());
            }
        }
        need
    }

    /// An upgrade installs a missing one, and Windows may restart for it (`domain/02 section 4`).
    fn vcredist(&mut self, needed: &str, agents: &[AgentName], who: &str, draft: &mut Draft) -> Requirement {
        let name = format!("Visual C++ {needed} or later");
        let least = numbers(needed);
        let need = self.shown(name, agents, |agent| {
            let installed = numbers(agent.vcredist.as_deref()?);
            (!installed.is_empty()).then(|| installed >= least)
        });
        if need.state == RequirementState::Missing {
            draft.warn(
                "RequirementMissing",
                "S5",
                format!(
                    "{} lacks the {} that {who} needs: the package installs it, and Windows may restart in the middle",
                    list(&need.agents),
                    need.name
                ),
            );
        }
        need
    }

    /// Older Windows never passes the check of the package (`domain/02 section 4`).
    fn windows(
        &mut self,
        name: String,
        first: Option<u32>,
        agents: &[AgentName],
        who: &str,
        draft: &mut Draft,
    ) -> Requirement {
        let need = self.shown(name, agents, |agent| Some(windows_build(agent.os.as_deref()?)? >= first?));
        if need.state == RequirementState::Missing {
            draft.block(
                BlockCode::PrerequisiteKnownToFail,
                need.agents.clone(),
                format!(
                    "VerifyOSVersion of {who} fails on {}: it asks for {}",
                    list(&need.agents),
                    need.name
                ),
                "move the Agent to a newer Windows first, or want a release that still takes this one",
            );
        }
        need
    }

    /// What [`super::health`] blocks where it is missing.
    fn free_disk(&self, agents: &[AgentName]) -> Requirement {
        let name = format!("{} of free disk space", gibibytes(self.disk));
        self.look(name, agents, |agent| agent.free_disk.map(|free| free.0 >= self.disk))
    }

    /// Ports between Agents; the package tries some of them by itself.
    fn ports(&self, to: &Release, checks: &[&Prerequisite]) -> Vec<Requirement> {
        if !self.several {
            return Vec::new();
        }
        let tried = |port: u16| checks.iter().any(|check| check.ports.contains(&port));
        let between = self.input.knowledge.ports_of(to).into_iter().filter(|port| {
            let agents =
                matches!(port.used_for, PortUse::Web | PortUse::Remoting | PortUse::Nats | PortUse::Nas);
            agents && port.protocol == Protocol::Tcp
        });
        let (checked, unknown): (Vec<u16>, Vec<u16>) =
            between.map(|port| port.port).partition(|port| tried(*port));
        let need = |ports: &[u16], state| Requirement { name: ports_name(ports), state, agents: Vec::new() };
        let checked = (!checked.is_empty()).then(|| need(&checked, RequirementState::Checked));
        let unknown = (!unknown.is_empty()).then(|| need(&unknown, RequirementState::Unknown));
        checked.into_iter().chain(unknown).collect()
    }

    /// A check that the package carries: known to fail, known to pass, or up to the package.
    fn check(&self, check: &Prerequisite, leg: &Leg<'_>, broken: &[String]) -> Option<Requirement> {
        let rules = self.survey.rules;
        let crosses = || {
            let checks = &rules.g2.checks;
            let (from, to) = (leg.from.at_least(checks), leg.to.at_least(checks));
            leg.way == Way::Down && from == Some(true) && to == Some(false)
        };
        let asks_dotnet = check.stages.iter().any(|stage| broken.contains(&name_of(&stage.needs)));
        let asks_windows =
            check.id == "VerifyOSVersion" && broken.iter().any(|name| name.starts_with("Windows "));
        let state = if check.dll.as_deref() == Some(rules.g2.dll.as_str()) && crosses() {
            // G2: it is taken out of the package, or it fails.
            if leg.around.patch.is_some() {
                return None;
            }
            RequirementState::Missing
        } else if asks_dotnet || asks_windows {
            RequirementState::Missing
        } else if check.id == "VerifyBrokerGatewayMigration" && self.survey.broker() == Broker::Active {
            RequirementState::Met
        } else {
            RequirementState::Checked
        };
        Some(Requirement { name: check.id.clone(), state, agents: Vec::new() })
    }

    /// What the reached Agents among `agents` show; what one does not show is remembered for the warning.
    fn shown(
        &mut self,
        name: String,
        agents: &[AgentName],
        has: impl Fn(&AgentObservation) -> Option<bool>,
    ) -> Requirement {
        let need = self.look(name, agents, has);
        if need.state == RequirementState::Unknown && !need.agents.is_empty() {
            let names = self.unseen.entry(need.agents.clone()).or_default();
            if !names.contains(&need.name) {
                names.push(need.name.clone());
            }
        }
        need
    }

    fn look(
        &self,
        name: String,
        agents: &[AgentName],
        has: impl Fn(&AgentObservation) -> Option<bool>,
    ) -> Requirement {
        let of = |wanted: Option<bool>| {
            self.survey.names_where(|seen| {
                agents.contains(seen.name) && seen.reached().is_some_and(|agent| has(agent) == wanted)
            })
        };
        let (lacking, unknown) = (of(Some(false)), of(None));
        let (state, agents) = if !lacking.is_empty() {
            (RequirementState::Missing, lacking)
        } else if !unknown.is_empty() {
            (RequirementState::Unknown, unknown)
        } else {
            (RequirementState::Met, Vec::new())
        };
        Requirement { name, state, agents }
    }

    fn say(self, draft: &mut Draft) {
        for (agents, lacked) in self.lacked {
            let parts: Vec<String> =
                lacked.iter().map(|(name, asking)| format!("{name} (for {})", asking.join(", "))).collect();
            let names: Vec<&str> = lacked.keys().map(String::as_str).collect();
            draft.block(
                BlockCode::ManualStepRequired,
                agents.clone(),
                format!("{} lacks {}", list(&agents), parts.join(" and ")),
                format!(
                    "install the {} there; this program installs nothing but DataMiner packages",
                    names.join(" and the ")
                ),
            );
        }
        if self.unseen.is_empty() {
            return;
        }
        let parts: Vec<String> = self
            .unseen
            .iter()
            .map(|(agents, names)| format!("{} on {}", names.join(", "), list(agents)))
            .collect();
        draft.warn(
            "RequirementUnknown",
            "S5",
            format!("whether these are there was not seen: {}", parts.join("; ")),
        );
    }
}

fn bundle_of(major: u16) -> DotNet {
    DotNet { kind: DotNetKind::HostingBundle, version: format!("{major}.0") }
}

fn name_of(needed: &DotNet) -> String {
    let version = &needed.version;
    match needed.kind {
        DotNetKind::Framework => format!(".NET Framework {version}"),
        DotNetKind::Runtime => format!("ASP.NET Core {version} runtime"),
        DotNetKind::HostingBundle => format!("ASP.NET Core {version} hosting bundle"),
    }
}

fn ports_name(ports: &[u16]) -> String {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    format!("TCP {} between Agents", ports.join(", "))
}

/// The numbers of a version such as `v14.40.33816.00`.
fn numbers(version: &str) -> Vec<u32> {
    let version = version.trim_start_matches(['v', 'V']);
    let numbers: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    let mut numbers = numbers.unwrap_or_default();
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers
}

/// Whether a released .NET of this version is there: programs built for 10 run neither on 9 nor on 11, nor is a
/// preview supported. `None` where it was not seen, or where a version could not be read and no other is right.
fn has_dotnet(agent: &AgentObservation, major: u64) -> Option<bool> {
    let versions: Vec<Result<semver::Version, semver::Error>> =
        agent.dotnet.as_ref()?.iter().map(|bundle| semver::Version::parse(bundle)).collect();
    if versions.iter().flatten().any(|version| version.major == major && version.pre.is_empty()) {
        return Some(true);
    }
    versions.iter().all(Result::is_ok).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers_whatever_their_form() {
        assert!(numbers("v14.44.35211.00") >= numbers("14.44.35211.0"));
        assert!(numbers("14.9.1") < numbers("14.40.33816"));
        assert_eq!(numbers("fourteen"), Vec::<u32>::new());
    }
}
