//! What DataMiner says to what is done to it: the rule model of the simulator, beside the world.
//!
//! The model is written from `domain/` and knows no planner; the world only tells it what was really done, step by step.

use dataminer_schema::{
    id::AgentName,
    plan::Step,
    v1::{
        catalog::Package,
        cluster::{DowngradePolicy, Restore},
        observation::AgentState,
    },
};
use dms_simulator::model::{Agent, Broken, Consent, Level, Rule, Shelf, System, Violation, carry_out};

use crate::{process::Target, world::World};

/// The model, and what the owner of the system accepts.
#[derive(Debug, Default)]
pub(crate) struct Product {
    system: Option<System>,
    shelf: Shelf,
    consent: Consent,
    /// Content that newer web apps wrote may stay: the manifest says so.
    keeps_content: bool,
}

impl Product {
    /// Takes the packages that there are.
    pub(crate) fn stock(&mut self, packages: &[Package]) {
        self.shelf = Shelf::default();
        for package in packages {
            let version = package.version.clone();
            // A Feature Release without a CU is its first (D3).
            let version = version.map(|version| match version.cu() {
                None => version.with_cu(0),
                Some(_) => version,
            });
            self.shelf.add(package.sha256.clone(), &package.file, package.kind, version);
        }
    }

    /// An operation begins upon what is there.
    pub(crate) fn begin(&mut self, world: &World, target: &Target) {
        let cluster = &target.desired.cluster;
        self.consent = Consent {
            downgrade: cluster.downgrade.policy == DowngradePolicy::Allow,
            older_fixes: cluster.upgrade.accept_older_fixes,
            patched_packages: cluster.downgrade.patch_prerequisites,
        };
        self.keeps_content = cluster.downgrade.restore == Restore::None;
        self.system = Some(self.of(world));
    }

    /// The story changed what Agents are.
    pub(crate) fn forget(&mut self) {
        self.system = None;
    }

    fn of(&self, world: &World) -> System {
        let agents = world.members.iter().map(|member| {
            let seen = &member.seen;
            let mut agent =
                Agent::new(member.name().clone(), member.core.clone()).with_web(member.web.clone());
            agent.content = Level::of(&member.content.level);
            agent.broker_gateway |= seen.broker_gateway == Some(true);
            agent.expired_users = seen.expired_users == Some(true);
            agent.default_upgrade_options = seen.default_upgrade_options == Some(true);
            let offline = seen.failover.is_some_and(|failover| failover.online == Some(false));
            agent.running = seen.reachable && (offline || seen.state == Some(AgentState::Running));
            for (sha256, content) in world.backups_of(member) {
                agent = agent.with_backup(sha256.clone(), Level::of(&content.level));
            }
            agent
        });
        let system = System::new(agents).with_consent(self.consent);
        let saved = world.saved();
        let system = saved.fold(system, |system, (sha256, content)| {
            system.with_saved(sha256.clone(), Level::of(&content.level))
        });
        world.members.iter().fold(system, |system, member| {
            let staged = member.staged();
            staged.iter().fold(system, |system, sha256| {
                let name = std::slice::from_ref(member.name());
                system.clone().stage(name, sha256).unwrap_or(system)
            })
        })
    }

    /// These Agents were changed by this step; the rule that it breaks. `world` is as it was before.
    pub(crate) fn did(&mut self, step: &Step, agents: &[AgentName], world: &World) -> Option<String> {
        let system = self.system.take().unwrap_or_else(|| self.of(world));
        let step = Step { agents: agents.to_vec(), ..step.clone() };
        match carry_out(&step, system.clone(), &self.shelf) {
            Ok(next) => {
                self.system = Some(next);
                None
            }
            Err(broken) => {
                self.system = Some(system);
                Some(match broken {
                    Broken::Rule { violation, .. } => violation.to_string(),
                    other => other.to_string(),
                })
            }
        }
    }

    /// What is broken in a cluster that calls itself Ready. Nobody answers for web apps that are not `managed`.
    pub(crate) fn broken(&self, world: &World, managed: bool) -> Option<String> {
        let sound = self.system.clone().unwrap_or_else(|| self.of(world)).sound();
        match sound {
            Err(Violation { rule: Rule::MixedWeb | Rule::ContentDiffers, .. }) if !managed => None,
            Err(Violation { rule: Rule::ContentTooNew, .. }) if self.keeps_content => None,
            Err(violation) => Some(violation.to_string()),
            Ok(()) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use dataminer_schema::{
        id::ClusterName,
        plan::{Action, Disruption},
    };

    use super::*;
    use crate::releases::{Item, release};

    fn step(action: Action, package: &Package) -> Step {
        Step {
            id: "1".to_owned(),
            action,
            from: None,
            to: package.version.as_ref().map(|version| version.clone().without_build().to_string()),
            build: None,
            package: Some(package.file.clone()),
            sha256: Some(package.sha256.clone()),
            backup: None,
            module: None,
            hook: None,
            patch: None,
            agents: Vec::new(),
            disruption: Disruption::None,
            rules: Vec::new(),
            reason: String::new(),
            ready: true,
            estimate: None,
            requirements: Vec::new(),
            release_notes: None,
            settle: None,
            without: Vec::new(),
        }
    }

    #[test]
    fn a_skipped_main_release_and_half_a_cluster_are_noticed() {
        let names = [("dma-01".to_owned(), None), ("dma-02".to_owned(), None)];
        let name = ClusterName::new("brussels").expect("a name");
        let core = release("10.3.0 CU22").expect("a release");
        let now = "2026-11-21T21:00:00Z".parse().expect("a time");
        let world = World::new(name, now, &names, &core, None).expect("a world");
        let all: Vec<AgentName> = world.members.iter().map(|member| member.name().clone()).collect();
        let packages = ["10.4.0 CU21", "10.5.0 CU18"]
            .map(|text| Item::parse(text).expect("an item").packages().remove(0));
        let mut product = Product::default();
        product.stock(&packages);
        for package in &packages {
            assert_eq!(product.did(&step(Action::StagePackage, package), &all, &world), None);
        }
        let [next, far] = &packages;
        let broken = product.did(&step(Action::UpgradeCore, far), &all, &world);
        assert!(broken.is_some_and(|what| what.contains("SkippedMajor")));
        let broken = product.did(&step(Action::UpgradeCore, next), &all[..1], &world);
        assert!(broken.is_some_and(|what| what.contains("MixedCore")));
        assert_eq!(product.did(&step(Action::UpgradeCore, next), &all, &world), None);
        assert_eq!(product.broken(&world, true), None);
    }
}
