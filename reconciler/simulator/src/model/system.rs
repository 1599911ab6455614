//! A DataMiner System in memory, and one Agent of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dataminer_schema::{
    id::{AgentName, Sha256},
    version::Version,
};

use super::{
    hop::{self, Circumstances},
    modules::Modules,
    rule::{Rule, Violation},
    server::Server,
    web::Level,
};

/// A system: its Agents, what they hold, and what was saved outside.
///
/// A value of the truth, without doubt: where an observation does not know, there are several systems that it could
/// have been taken of, and a plan must be right for each. Every act of an operator takes the system and gives the next
/// one, or says which rule it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    pub(super) agents: Vec<Agent>,
    /// Content backups outside the system, by their hash, with the level that wrote them.
    pub(super) vault: BTreeMap<Sha256, Level>,
    /// VerifyClusterPorts.dmupgrade passed; plans are carried out well within its ten days.
    pub(super) ports_verified: bool,
    /// The check of the BrokerGateway migration passed on the software that runs.
    pub(super) migration_checked: bool,
    pub(super) consent: Consent,
}

/// What the owner of the system accepts knowingly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// Versions may fall (`domain/08 section 4`, D1).
    pub downgrade: bool,
    /// The target may have a higher number and older fixes (`domain/01 section 4`).
    pub older_fixes: bool,
    /// VerifyNatsIsRunning.dll is taken out of packages where that is documented (`domain/02 section 3`).
    pub patched_packages: bool,
}

/// One Agent, a member of a Failover pair as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// As plans name it.
    pub name: AgentName,
    /// Version and CU are known: the product knows them.
    pub core: Version,
    /// The version of the web apps.
    pub web: Version,
    /// The newest level that wrote dashboards and apps.
    pub content: Level,
    /// The legacy NATS has been replaced.
    pub broker_gateway: bool,
    /// It runs, and the others reach it.
    pub running: bool,
    /// `Security.xml` holds `expired="true"`.
    pub expired_users: bool,
    /// `MaintenanceSettings.xml` holds `DefaultUpgradeOptions`.
    pub default_upgrade_options: bool,
    /// What is installed beside DataMiner.
    pub server: Server,
    pub(super) modules: Modules,
    /// Oldest first, never more than five; those that were there before the plan by their hash.
    pub(super) backups: Vec<(Option<Sha256>, Level)>,
    /// Packages that were uploaded and not yet run.
    pub(super) staged: BTreeSet<Sha256>,
    /// Where it was before the first hop.
    pub(super) start: Version,
    /// What the last hop left, and which CUs of the Main Release that it led to could have been taken.
    pub(super) stop: Option<(Version, Arc<[Version]>)>,
}

impl Agent {
    /// An Agent of this core with the web apps that came with it, and with all that servers need. From 10.6 on there
    /// is nothing but BrokerGateway (`domain/02 section 2`).
    pub fn new(name: AgentName, core: Version) -> Self {
        let web = core.clone().without_build();
        Self {
            name,
            content: Level::of(&web),
            broker_gateway: hop::needs_broker_gateway(&core),
            running: true,
            expired_users: false,
            default_upgrade_options: false,
            server: Server::default(),
            modules: Modules::of(&core, &web),
            backups: Vec::new(),
            staged: BTreeSet::new(),
            start: core.clone(),
            stop: None,
            core,
            web,
        }
    }

    /// The same with web apps of this version, which migrated the content.
    #[must_use]
    pub fn with_web(mut self, web: Version) -> Self {
        self.content = Level::of(&web);
        self.modules = Modules::of(&self.core, &web);
        self.web = web;
        self
    }

    /// The same, with or without BrokerGateway.
    #[must_use]
    pub fn with_broker_gateway(mut self, broker_gateway: bool) -> Self {
        self.broker_gateway = broker_gateway;
        self
    }

    /// The same with one more content backup, newer than those it has.
    #[must_use]
    pub fn with_backup(mut self, sha256: Sha256, content: Level) -> Self {
        self.backups.push((Some(sha256), content));
        self
    }

    /// Whether both run the same core.
    pub(super) fn same_core(&self, other: &Self) -> bool {
        crate::order::same(&self.core, &other.core)
    }

    pub(super) fn circumstances(&self, ports_verified: bool) -> Circumstances {
        Circumstances {
            broker_gateway: self.broker_gateway,
            expired_users: self.expired_users,
            default_upgrade_options: self.default_upgrade_options,
            ports_verified,
        }
    }
}

impl System {
    /// A system of these Agents, of which nothing may fall.
    pub fn new(agents: impl IntoIterator<Item = Agent>) -> Self {
        Self {
            agents: agents.into_iter().collect(),
            vault: BTreeMap::new(),
            ports_verified: false,
            migration_checked: false,
            consent: Consent::default(),
        }
    }

    /// The same, of which its owner accepts this.
    #[must_use]
    pub fn with_consent(mut self, consent: Consent) -> Self {
        self.consent = consent;
        self
    }

    /// The same, of which VerifyClusterPorts.dmupgrade said lately that the ports are open.
    #[must_use]
    pub fn with_verified_ports(mut self) -> Self {
        self.ports_verified = true;
        self
    }

    /// The same with a content backup in the vault.
    #[must_use]
    pub fn with_saved(mut self, sha256: Sha256, content: Level) -> Self {
        self.vault.insert(sha256, content);
        self
    }

    /// Its Agents.
    pub fn agents(&self) -> &[Agent] {
        &self.agents
    }

    /// How many different cores run.
    pub(super) fn cores(&self) -> usize {
        let firsts = self.agents.iter().enumerate();
        firsts.filter(|(at, one)| !self.agents[..*at].iter().any(|other| other.same_core(one))).count()
    }

    /// How many levels of web apps there are.
    pub(super) fn webs(&self) -> usize {
        self.agents.iter().map(|agent| Level::of(&agent.web)).collect::<BTreeSet<_>>().len()
    }

    /// Whether nothing is broken that only a moment in the middle of a change may show: content that its web apps
    /// cannot read, different content, modules that do not fit, a mixture of any kind.
    ///
    /// # Errors
    ///
    /// The first rule that is broken.
    pub fn sound(&self) -> Result<(), Violation> {
        if self.cores() > 1 {
            return Err(Violation::new(Rule::MixedCore, "at the end"));
        }
        if self.webs() > 1 {
            return Err(Violation::new(Rule::MixedWeb, "at the end"));
        }
        for agent in &self.agents {
            let bad = |rule, what: &str| Err(Violation::new(rule, format!("{}: {what}", agent.name)));
            if agent.broker_gateway != self.agents.first().is_some_and(|first| first.broker_gateway) {
                return bad(Rule::MixedNats, "at the end");
            }
            if self.agents.first().is_some_and(|first| first.content != agent.content) {
                return bad(Rule::ContentDiffers, "at the end");
            }
            if agent.content > Level::of(&agent.web) {
                return bad(Rule::ContentTooNew, &format!("web apps of {} are left with it", agent.web));
            }
            match agent.modules.broken(&agent.core, &agent.web) {
                Some((module, true)) => return bad(Rule::GqiDamaged, module),
                Some((module, false)) => return bad(Rule::ModuleTooNew, module),
                None => {}
            }
        }
        Ok(())
    }
}
