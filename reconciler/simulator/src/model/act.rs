//! What an operator can do to a system, one function for each act.

use std::sync::Arc;

use dataminer_schema::{
    id::{AgentName, Sha256},
    version::Version,
};

use super::{
    hop,
    rule::{Rule, Violation},
    server,
    system::{Agent, Consent, System},
    web::{self, Level},
};
use crate::{order::major, product::Tool};

/// A full or web package that is run.
#[derive(Clone, Copy, Debug)]
pub struct Install<'a> {
    /// The package.
    pub sha256: &'a Sha256,
    /// What it installs, with its CU.
    pub version: &'a Version,
    /// What else of the same Main Release could be taken (`domain/02 H2`); empty for Feature Releases and web packages.
    pub siblings: &'a Arc<[Version]>,
    /// Whether VerifyNatsIsRunning.dll was taken out of the copy that was uploaded (`domain/02 section 3`).
    pub patched: bool,
}

/// The fewest and the most Agents that an act reaches.
type Reached<'a> = &'a [AgentName];

impl System {
    /// Uploads a package, so that it can be run once (`domain/02 section 1`, package kind).
    ///
    /// # Errors
    ///
    /// An Agent that is down.
    pub fn stage(mut self, agents: Reached<'_>, sha256: &Sha256) -> Result<Self, Violation> {
        self.each(agents, |agent| {
            agent.staged.insert(sha256.clone());
            Ok(())
        })?;
        Ok(self)
    }

    /// Runs a full package on these Agents at once.
    ///
    /// # Errors
    ///
    /// Every rule of `domain/02` about hops, `domain/04 section 1` about mixtures, and the checks of
    /// `domain/prerequisites.yaml`.
    pub fn install_full(mut self, agents: Reached<'_>, package: Install<'_>) -> Result<Self, Violation> {
        self.all_running()?;
        self.consume(package.sha256)?;
        let (cores, consent, ports) = (self.cores(), self.consent, self.ports_verified);
        self.each(agents, |agent| {
            may_hop(agent, package, consent, ports)?;
            hop_to(agent, package);
            Ok(())
        })?;
        self.migration_checked = false;
        self.one_version(cores, package.version)?;
        self.join(agents);
        Ok(self)
    }

    /// Runs a web package on these Agents.
    ///
    /// # Errors
    ///
    /// The gates of `domain/03 section 2`, and a mixture.
    pub fn install_web(mut self, agents: Reached<'_>, package: Install<'_>) -> Result<Self, Violation> {
        self.all_running()?;
        self.consume(package.sha256)?;
        let (webs, consent) = (self.webs(), self.consent);
        let target = package.version;
        self.each(agents, |agent| {
            let bad = |rule| Err(violation(agent, rule, &agent.web, target));
            if let Some(rule) = web::gate(&agent.core, target) {
                return bad(rule);
            }
            if web::checks_dotnet_10(target) && !agent.server.hosting_bundles.contains(&10) {
                return bad(Rule::DotNetMissing);
            }
            if Level::of(target) < Level::of(&agent.web) && !consent.downgrade {
                return bad(Rule::Downgrade);
            }
            install_web_apps(agent, target);
            Ok(())
        })?;
        let now = self.webs();
        if now > 1 && now >= webs {
            return Err(Violation::new(Rule::MixedWeb, format!("after {target}")));
        }
        Ok(self)
    }

    /// Runs the checks of a full package that lies uploaded, but for those of these names; nothing changes by it.
    ///
    /// # Errors
    ///
    /// The check that fails (`domain/prerequisites.yaml`), or a package that is nowhere (any more).
    pub fn run_checks(
        &self,
        agents: Reached<'_>,
        package: Install<'_>,
        without: &[String],
    ) -> Result<(), Violation> {
        self.all_running()?;
        if !self.agents.iter().any(|agent| agent.staged.contains(package.sha256)) {
            return Err(Violation::new(Rule::PackageConsumed, package.sha256.short()));
        }
        let runs = |check: &str| !without.iter().any(|name| name == check);
        for agent in self.agents.iter().filter(|agent| agents.contains(&agent.name)) {
            let (from, target) = (&agent.core, package.version);
            let mut failed = server::lacks(&agent.server, target);
            hop::broken(from, target, agent.circumstances(self.ports_verified), &mut |rule| {
                let fails = match rule {
                    Rule::NoBrokerGateway => runs("VerifyBrokerGatewayMigration.dll"),
                    Rule::PortsNotVerified => runs("VerifyClusterPorts.dll"),
                    // A check that cannot run (H9) says nothing ahead; the install is what it stops.
                    _ => false,
                };
                if fails {
                    failed.get_or_insert(rule);
                }
            });
            if hop::nats_check_fails(from, target) && !package.patched {
                failed.get_or_insert(Rule::NatsCheckRefusesDowngrade);
            }
            if let Some(rule) = failed {
                return Err(violation(agent, rule, from, target));
            }
        }
        Ok(())
    }

    /// Runs a package that checks or migrates and installs nothing.
    ///
    /// # Errors
    ///
    /// A part of the cluster (`domain/04 section 1`), or a migration that does not exist for the version
    /// (`domain/02 section 2`).
    pub(super) fn run_tool(
        mut self,
        agents: Reached<'_>,
        tool: Tool,
        sha256: &Sha256,
    ) -> Result<Self, Violation> {
        self.all_running()?;
        self.consume(sha256)?;
        if self.agents.iter().any(|agent| !agents.contains(&agent.name)) {
            return Err(Violation::new(Rule::WholeClusterOnly, format!("{tool:?}")));
        }
        let checked = self.migration_checked;
        self.each(agents, |agent| {
            let bad = |rule| Err(Violation::new(rule, format!("{}: {}", agent.name, agent.core)));
            match tool {
                Tool::VerifyClusterPorts | Tool::VerifyGrpcConnection => {}
                Tool::NatsMigrationCheck | Tool::NatsMigration => {
                    if !hop::has_migration_package(&agent.core) {
                        return bad(Rule::MigrationTooEarly);
                    }
                    if !agent.server.hosting_bundles.contains(&10) {
                        return bad(Rule::DotNetMissing);
                    }
                    if tool == Tool::NatsMigration && !checked {
                        return bad(Rule::MigrationNotChecked);
                    }
                    agent.broker_gateway |= tool == Tool::NatsMigration;
                }
                Tool::NatsMigrationRollback if hop::needs_broker_gateway(&agent.core) => {
                    return bad(Rule::NoWayBackToNats);
                }
                Tool::NatsMigrationRollback => agent.broker_gateway = false,
            }
            Ok(())
        })?;
        self.ports_verified |= tool == Tool::VerifyClusterPorts;
        self.migration_checked |= tool == Tool::NatsMigrationCheck;
        Ok(self)
    }

    /// Copies the content backups that are there out of the system, so that none of them is pushed out of the five.
    #[must_use]
    pub fn save_backups(mut self) -> Self {
        for (sha256, level) in self.agents.iter().flat_map(|agent| &agent.backups) {
            if let Some(sha256) = sha256 {
                self.vault.insert(sha256.clone(), *level);
            }
        }
        self
    }

    /// Puts a content backup back on these Agents.
    ///
    /// # Errors
    ///
    /// A backup that is nowhere (any more), or that was written by newer web apps than those that shall read it.
    pub fn restore(mut self, agents: Reached<'_>, sha256: &Sha256) -> Result<Self, Violation> {
        let on_agents = self.agents.iter().flat_map(|agent| &agent.backups);
        let found =
            on_agents.filter(|(found, _)| found.as_ref() == Some(sha256)).map(|(_, level)| *level).next();
        let level = self
            .vault
            .get(sha256)
            .copied()
            .or(found)
            .ok_or_else(|| Violation::new(Rule::BackupGone, sha256.short()))?;
        self.each(agents, |agent| {
            if level > Level::of(&agent.web) {
                let what = format!("{}: {} over web apps {}", agent.name, sha256.short(), agent.web);
                return Err(Violation::new(Rule::ContentTooNew, what));
            }
            agent.content = level;
            Ok(())
        })?;
        Ok(self)
    }

    /// Uninstalls a module and installs the one that belongs to the software on these Agents.
    ///
    /// # Errors
    ///
    /// A module that does not belong to it.
    pub fn reinstall(mut self, agents: Reached<'_>, module: &str) -> Result<Self, Violation> {
        self.each(agents, |agent| {
            let Agent { modules, core, web, name, .. } = agent;
            if modules.reinstall(module, core, web) {
                return Ok(());
            }
            Err(Violation::new(Rule::NoSuchModule, format!("{name}: {module} for {core}, web apps {web}")))
        })?;
        Ok(self)
    }

    /// Looks at these Agents: one version, one web level, all of the system up. A part of a system is looked at only
    /// while it is on its way to what the others run.
    ///
    /// # Errors
    ///
    /// What is not so.
    pub fn verify(&self, agents: Reached<'_>) -> Result<(), Violation> {
        self.all_running()?;
        let (named, others): (Vec<&Agent>, Vec<&Agent>) =
            self.agents.iter().partition(|agent| agents.contains(&agent.name));
        if !others.is_empty() && self.cores() == 1 {
            return Err(Violation::new(Rule::WholeClusterOnly, "when verified"));
        }
        let one = |same: fn(&Agent, &Agent) -> bool| named.windows(2).all(|pair| same(pair[0], pair[1]));
        if !one(Agent::same_core) {
            return Err(Violation::new(Rule::MixedCore, "when verified"));
        }
        if !one(|one, other| Level::of(&one.web) == Level::of(&other.web)) {
            return Err(Violation::new(Rule::MixedWeb, "when verified"));
        }
        Ok(())
    }

    fn all_running(&self) -> Result<(), Violation> {
        match self.agents.iter().find(|agent| !agent.running) {
            Some(down) => Err(Violation::new(Rule::AgentDown, down.name.as_str())),
            None => Ok(()),
        }
    }

    /// What was run is marked completed everywhere (`domain/02 section 1`, package kind).
    fn consume(&mut self, sha256: &Sha256) -> Result<(), Violation> {
        let mut found = false;
        for agent in &mut self.agents {
            found |= agent.staged.remove(sha256);
        }
        if found { Ok(()) } else { Err(Violation::new(Rule::PackageConsumed, sha256.short())) }
    }

    /// Who came to what others ran all along stands where they stand: that was no stop of anybody's choice.
    fn join(&mut self, names: Reached<'_>) {
        let joined = self.agents.iter().any(|agent| !names.contains(&agent.name));
        if joined && self.cores() == 1 {
            for agent in self.agents.iter_mut().filter(|agent| names.contains(&agent.name)) {
                agent.stop = None;
            }
        }
    }

    fn each(
        &mut self,
        names: Reached<'_>,
        mut act: impl FnMut(&mut Agent) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        self.agents.iter_mut().filter(|agent| names.contains(&agent.name)).try_for_each(&mut act)
    }

    /// A system of one version stays one, and one that is mixed becomes less so (`domain/04 section 1`).
    fn one_version(&self, before: usize, target: &Version) -> Result<(), Violation> {
        let now = self.cores();
        // On the way of those that are several hops behind, their number may stay the same.
        if now > 1 && (before == 1 || now > before) {
            return Err(Violation::new(Rule::MixedCore, format!("after {target}")));
        }
        Ok(())
    }
}

fn violation(agent: &Agent, rule: Rule, from: &Version, to: &Version) -> Violation {
    Violation::new(rule, format!("{}: {from} to {to}", agent.name))
}

fn may_hop(agent: &Agent, package: Install<'_>, consent: Consent, ports: bool) -> Result<(), Violation> {
    let (from, target) = (&agent.core, package.version);
    let bad = |rule| Err(violation(agent, rule, from, target));
    if major(from) < (9, 6) || major(target) < (9, 6) {
        return bad(Rule::OlderThan96);
    }
    if let Some(rule) = server::lacks(&agent.server, target) {
        return bad(rule);
    }
    let mut first = None;
    hop::broken(from, target, agent.circumstances(ports), &mut |rule| {
        first.get_or_insert(rule);
    });
    if let Some(rule) = first {
        return bad(rule);
    }
    if hop::nats_check_fails(from, target) && !package.patched {
        return bad(Rule::NatsCheckRefusesDowngrade);
    }
    // Nobody takes a check out unasked, nor where it is not documented (`domain/08 section 4`, D4).
    if package.patched && !(consent.patched_packages && hop::nats_check_fails(from, target)) {
        return bad(Rule::PatchedUnasked);
    }
    if hop::is_lower(from, target) && !consent.downgrade {
        return bad(Rule::Downgrade);
    }
    if hop::loses_fixes(from, target) && !consent.older_fixes {
        return bad(Rule::OlderFixes);
    }
    if web::stumbles(from, &agent.web, target) {
        return bad(Rule::StumblesOverWeb);
    }
    may_leave(agent, target).map_or(Ok(()), bad)
}

/// Whether the stop that an Agent is on may be left upwards into another major (H2, H5, H6).
fn may_leave(agent: &Agent, target: &Version) -> Option<Rule> {
    let (here, there) = (major(&agent.core), major(target));
    let (left, siblings) = agent.stop.as_ref().filter(|_| there > here)?;
    if here == (10, 0) && hop::early_10_0(&agent.start) {
        let at_cu19 = agent.core.feature() == 0 && agent.core.cu() == Some(19);
        return (!at_cu19).then_some(Rule::StopAt100Cu19);
    }
    if here == (10, 1) && major(&agent.start) < (10, 1) {
        return Some(Rule::StopAt101);
    }
    // A later CU may have more fixes than what comes next (`domain/01 section 4`), or be one to keep away from.
    let serves = |sibling: &Version| {
        let mut serves = sibling.cu() > agent.core.cu() && !hop::alarms_antivirus(sibling);
        serves &= !hop::loses_fixes(sibling, target);
        hop::broken(left, sibling, agent.circumstances(true), &mut |_| serves = false);
        serves
    };
    // H2 is about majors between: where the way began, any CU is left.
    let between = here != major(&agent.start) && agent.core.feature() == 0;
    (between && siblings.iter().any(serves)).then_some(Rule::StopNotLatest)
}

fn hop_to(agent: &mut Agent, package: Install<'_>) {
    let target = package.version;
    back_up(agent, target);
    let left = std::mem::replace(&mut agent.core, target.clone());
    agent.stop = Some((left, Arc::clone(package.siblings)));
    // Whatever web apps there were: those of the package count now (`domain/03 section 1`).
    agent.web = target.clone();
    // Content is migrated upwards, and by nobody downwards (`domain/03 section 4`).
    agent.content = agent.content.max(Level::of(target));
    agent.modules.raise_all(target);
}

fn install_web_apps(agent: &mut Agent, target: &Version) {
    back_up(agent, target);
    let damages = web::damages_gqi(&agent.web, target);
    agent.web = target.clone();
    agent.content = agent.content.max(Level::of(target));
    agent.modules.raise(&agent.core, target);
    if damages {
        agent.modules.damage_gqi();
    }
}

/// The first thing that a package does; the oldest of six goes (`domain/03 section 4`).
fn back_up(agent: &mut Agent, package: &Version) {
    if web::backs_up(package) {
        agent.backups.push((None, agent.content));
        let surplus = agent.backups.len().saturating_sub(web::KEPT_BACKUPS);
        agent.backups.drain(..surplus);
    }
}
