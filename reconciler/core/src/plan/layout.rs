//! The steps around each hop (S1, S2, S4, S9) and the tail behind the last one (G5), in the order of execution.

use dataminer_schema::{
    id::AgentName,
    plan::{Action, Disruption, Estimate, PackagePatch, Step},
    v1::cluster::{HookEvent, UpgradeMode},
};
use jiff::SignedDuration;

use super::{
    PlanInput,
    checks::{self, Checks},
    course::{Course, Leg, Way},
    draft::Draft,
    estimate::estimate,
    hotfix::Hotfix,
    restore::{Cause, STOPPED_FOR, Tail},
    survey::Survey,
    tools::Before,
    web::WebLeg,
};
use crate::{catalog::Entry, release::Release};

/// Turns the course into steps. Without a leg and a tail there is nothing to do.
pub(super) fn plan_steps(input: &PlanInput<'_>, survey: &Survey<'_>, course: &Course<'_>, draft: &mut Draft) {
    let tail = course.tail.as_ref().filter(|tail| tail.restore.is_some() || !tail.modules.is_empty());
    if course.legs.is_empty() && course.hotfixes.is_empty() && course.web.is_none() && tail.is_none() {
        return;
    }
    let all = survey.names();
    let mut steps = Layout { input, all: &all, steps: Vec::new() };
    let mut staged = Vec::new();
    let core = course.legs.iter().flat_map(|leg| {
        let tools = leg.around.before.into_iter().flat_map(Before::packages);
        let tools = tools.map(|tool| (tool, all.as_slice(), None));
        tools.chain([(leg.entry, leg.agents.as_slice(), leg.around.patch.as_ref())])
    });
    let hotfixes = course.hotfixes.iter().map(|hotfix| (hotfix.entry, all.as_slice(), None));
    let web = course.web.iter().map(|web| (web.entry, all.as_slice(), None));
    for (entry, agents, patch) in core.chain(hotfixes).chain(web) {
        if staged.contains(&&entry.sha256) {
            continue;
        }
        staged.push(&entry.sha256);
        if let Some(orchestrator) = survey.orchestrator(agents) {
            steps.stage(entry, patch, orchestrator);
        }
    }
    if let Some(checks) = checks::of_course(course, &all) {
        steps.checks(&checks);
    }
    steps.save("before anything changes: an upgrade keeps five content backups and may drop the one that is needed later");
    let owed = tail.is_some_and(|tail| tail.cause == Cause::Owed);
    if !owed {
        steps.hooks(
            HookEvent::BeforeDisruption,
            "before users notice anything; where it fails, nothing has changed",
        );
    }
    for leg in &course.legs {
        match leg.around.before {
            Some(Before::Ports(ports)) => steps.ports(ports, leg),
            Some(Before::Migration { check, migration }) => steps.migration(check, migration, &leg.from),
            None => {}
        }
        steps.core(leg);
        steps.save(match leg.way {
            Way::Up => "the upgrade took a content backup of its own; it is safe once it lies in the vault",
            Way::Down => {
                "the downgrade took a content backup of its own; it is safe once it lies in the vault"
            }
        });
    }
    for hotfix in &course.hotfixes {
        steps.hotfix(hotfix);
    }
    if let Some(web) = &course.web {
        steps.web(web);
    }
    if let Some(tail) = tail {
        steps.tail(tail, after(survey, course));
        draft.content_loss = tail.restore.as_ref().and_then(|chosen| chosen.loss.clone());
    }
    if !owed {
        steps.hooks(HookEvent::AfterSuccess, "everything was verified");
    }
    steps.clean_up();
    if input.desired.cluster.upgrade.mode == UpgradeMode::StageOnly && !owed {
        // S8: what was counted on before the plan was cut short is no part of it.
        steps.steps.retain(|step| matches!(step.action, Action::StagePackage | Action::RunPrerequisites));
        draft.content_loss = None;
        number(&mut steps.steps);
    }
    draft.steps = steps.steps;
}

/// The core that all Agents run behind the last install, with its build; `None` where they differ or one is unknown.
fn after(survey: &Survey<'_>, course: &Course<'_>) -> Option<(String, Option<u32>)> {
    if let Some(leg) = course.legs.last() {
        return Some((leg.to.name(), leg.entry.release.as_ref().and_then(Release::build)));
    }
    let mut releases = survey.members.iter().map(super::survey::Seen::release);
    let first = releases.next()??;
    let same = releases.all(|release| release.is_some_and(|release| release.name() == first.name()));
    same.then(|| (first.name(), None))
}

struct Layout<'i, 'a> {
    input: &'i PlanInput<'a>,
    all: &'i [AgentName],
    steps: Vec<Step>,
}

impl Layout<'_, '_> {
    fn push(
        &mut self,
        action: Action,
        agents: &[AgentName],
        rules: &[&str],
        reason: impl Into<String>,
    ) -> &mut Step {
        let index = self.steps.len();
        self.steps.push(Step {
            id: (index + 1).to_string(),
            action,
            from: None,
            to: None,
            build: None,
            package: None,
            sha256: None,
            backup: None,
            module: None,
            hook: None,
            patch: None,
            without: Vec::new(),
            agents: agents.to_vec(),
            disruption: Disruption::None,
            rules: rules.iter().map(|&rule| rule.to_owned()).collect(),
            reason: reason.into(),
            ready: false,
            estimate: Some(estimate(self.input, action)),
            requirements: Vec::new(),
            release_notes: None,
            settle: None,
        });
        &mut self.steps[index]
    }

    /// S1: every package lies on the orchestrating Agent, hashed, before anything is touched.
    fn stage(&mut self, entry: &Entry, patch: Option<&PackagePatch>, orchestrator: &AgentName) {
        let reason = "every package is uploaded and verified before anything is touched";
        let step = self.push(Action::StagePackage, std::slice::from_ref(orchestrator), &["S1"], reason);
        step.to = entry.release.as_ref().map(Release::name);
        pin(step, entry);
        if let Some(patch) = patch {
            step.rules.push("G2".to_owned());
            step.reason = format!("{}; the copy lacks `{}`", step.reason, patch.removes);
            step.patch = Some(patch.clone());
        }
    }

    /// S1: what would refuse the first package in its window is known before.
    fn checks(&mut self, checks: &Checks<'_>) {
        let Checks { agents, entry, patch, without } = checks;
        let mut reason =
            "the package's own checks run now: what would refuse it is known before the work begins"
                .to_owned();
        for check in without {
            reason = format!(
                "{reason}; `{check}` is left to its hop: a tool before that sees to what it asks for"
            );
        }
        let step = self.push(Action::RunPrerequisites, agents, &["S1"], "");
        step.to = entry.release.as_ref().map(Release::name);
        pin(step, entry);
        step.without.clone_from(without);
        if let Some(patch) = patch {
            step.rules.push("G2".to_owned());
            reason = format!("{reason}; the copy lacks `{}`", patch.removes);
            step.patch = Some((*patch).clone());
        }
        step.reason = reason;
    }

    /// S2.
    fn save(&mut self, reason: &str) {
        let all = self.all;
        self.push(Action::SaveBackup, all, &["S2"], reason);
    }

    /// H7: right before the hop, because its result lives 10 days.
    fn ports(&mut self, ports: &Entry, leg: &Leg<'_>) {
        let all = self.all;
        let (from, to) = (leg.from.name(), leg.to.name());
        let reason = format!(
            "{to} takes services for granted that {from} does not have: the ports between all Agents are checked first"
        );
        let step = self.push(Action::RunTool, all, &["H7"], reason);
        pin(step, ports);
    }

    /// H4: on all Agents together, which must have been online together long enough before.
    fn migration(&mut self, check: &Entry, migration: &Entry, on: &Release) {
        let all = self.all;
        let minutes = self.input.knowledge.rules().h4.online_together_minutes;
        let together = SignedDuration::from_mins(minutes.into());
        let settle = together.max(self.input.desired.cluster.health.settle);
        let reason = format!("all Agents must be online together for {minutes} minutes before the migration");
        let step = self.push(Action::VerifyCluster, all, &["H4", "S4"], reason);
        show(step, on);
        step.settle = Some(settle);
        step.estimate =
            Some(Estimate { p50: settle, p95: settle.saturating_add(SignedDuration::from_mins(15)) });
        let reason = "whether the BrokerGateway migration would succeed is asked first; that changes nothing";
        let step = self.push(Action::RunTool, all, &["H4"], reason);
        pin(step, check);
        let reason = "BrokerGateway takes over from the legacy NATS on all Agents together, which the next hop cannot do \
                      without; a fresh look right before drops this step where it has";
        let step = self.push(Action::RunTool, all, &["H4"], reason);
        step.disruption = Disruption::Restart;
        pin(step, migration);
        let step = self.push(
            Action::VerifyCluster,
            all,
            &["H4", "S4"],
            "every Agent runs BrokerGateway and stays healthy",
        );
        show(step, on);
    }

    /// S4: one package on all its Agents at once, then a look at what they show.
    fn core(&mut self, leg: &Leg<'_>) {
        let (from, to) = (leg.from.name(), leg.to.name());
        let action = match leg.way {
            Way::Up => Action::UpgradeCore,
            Way::Down => Action::DowngradeCore,
        };
        let step = self.push(action, &leg.agents, &leg.rules, leg.reason.clone());
        step.from = Some(from);
        step.to = Some(to.clone());
        step.disruption = Disruption::Restart;
        pin(step, leg.entry);
        step.patch.clone_from(&leg.around.patch);
        let build = step.build;
        if leg.around.swaps {
            self.swap(&leg.agents);
        }
        let reason = format!("every Agent shows core {to} and stays healthy");
        let step = self.push(Action::VerifyCluster, &leg.verify, &["S4"], reason);
        step.to = Some(to);
        step.build = build;
    }

    /// S3. What is called after a failure is no step: it follows one that went wrong.
    fn hooks(&mut self, event: HookEvent, why: &str) {
        let all = self.all;
        let hooks = &self.input.desired.cluster.hooks;
        for hook in hooks.iter().filter(|hook| hook.event == event) {
            let step = self.push(Action::RunHook, all, &["S3"], format!("`{}` is called {why}", hook.run));
            step.hook = Some(hook.run.clone());
            step.estimate =
                Some(Estimate { p50: hook.timeout.min(SignedDuration::from_mins(1)), p95: hook.timeout });
        }
    }

    /// D4: one hotfix on all Agents, in the order of the manifest.
    fn hotfix(&mut self, hotfix: &Hotfix<'_>) {
        let all = self.all;
        let base = hotfix.base.name();
        let reason = format!("the manifest wants this hotfix on core {base}");
        let step = self.push(Action::InstallHotfix, all, &["D4"], reason);
        let to = format!("{base} (hotfix)");
        step.from = Some(base);
        step.to = Some(to.clone());
        step.disruption = Disruption::Restart;
        pin(step, hotfix.entry);
        step.build = None;
        let step =
            self.push(Action::VerifyCluster, all, &["S4"], "every Agent shows the hotfix and stays healthy");
        step.to = Some(to);
    }

    /// G3: right after the install, on every Agent that it reached, before anybody waits for them to come up.
    fn swap(&mut self, agents: &[AgentName]) {
        for module in STOPPED_FOR {
            let reason =
                format!("no package lowers {module}, and DataMiner does not start with the newer one");
            let step = self.push(Action::ReinstallModule, agents, &["G3"], reason);
            step.module = Some(module.to_owned());
            step.disruption = Disruption::Restart;
        }
    }

    fn web(&mut self, web: &WebLeg<'_>) {
        let to = web.to.release_name();
        let all = self.all;
        let action = match web.way {
            Way::Up => Action::UpgradeWeb,
            Way::Down => Action::DowngradeWeb,
        };
        let step = self.push(action, all, &web.rules, web.reason.clone());
        step.from = web.from.as_ref().map(dataminer_schema::version::Version::release_name);
        step.to = Some(to.clone());
        step.disruption = Disruption::WebServer;
        pin(step, web.entry);
        let step = self.push(
            Action::VerifyCluster,
            all,
            &["S4"],
            format!("every Agent shows web apps {to} and stays healthy"),
        );
        step.to = Some(to);
    }

    /// G5: content, then modules, then a look at all of it. Always on every Agent: changes by hand are not
    /// synchronised (`domain/03 section 4`).
    fn tail(&mut self, tail: &Tail, core: Option<(String, Option<u32>)>) {
        let all = self.all;
        let (rules, owed): (&[&str], _) = match tail.cause {
            Cause::Owed => (&["D6", "G8"], "an interrupted operation owes it: "),
            Cause::Fall => (&["G5", "G8"], ""),
            Cause::Library => (&["W8"], ""),
        };
        let (stopped, others): (Vec<&String>, Vec<&String>) =
            tail.modules.iter().partition(|module| STOPPED_FOR.contains(&module.as_str()));
        // G3: DataMiner does not start before.
        for module in stopped {
            let reason =
                format!("{owed}no package lowers {module}, and DataMiner does not start with the newer one");
            let step = self.push(Action::ReinstallModule, all, rules, reason);
            step.module = Some(module.clone());
            step.disruption = Disruption::Restart;
        }
        if let Some(chosen) = &tail.restore {
            let reason = format!("{owed}dashboards and apps go back to a backup that the web apps can read");
            let step = self.push(Action::RestoreContent, all, rules, reason);
            step.backup = Some(chosen.backup.clone());
            step.disruption = Disruption::WebServer;
        }
        for module in others {
            let reason = match tail.cause {
                Cause::Library => {
                    format!("{module} loses a library by this web package, which its installer brings back")
                }
                Cause::Owed | Cause::Fall => format!(
                    "{owed}no package lowers {module}: it is uninstalled, and installed as the web apps bring it"
                ),
            };
            let step = self.push(Action::ReinstallModule, all, rules, reason);
            step.module = Some(module.clone());
            step.disruption = Disruption::WebServer;
        }
        let reason = match &tail.restore {
            Some(_) => "every Agent stays healthy and holds every file of the backup",
            None => "every Agent stays healthy with its modules",
        };
        let step = self.push(Action::VerifyCluster, all, &["S4", "G8"], reason);
        if let Some((to, build)) = core {
            step.to = Some(to);
            step.build = build;
        }
    }

    /// S9.
    fn clean_up(&mut self) {
        let all = self.all;
        self.push(
            Action::CleanUp,
            all,
            &["S9"],
            "our own staged packages and old job folders go; nothing else does",
        );
    }
}

fn number(steps: &mut [Step]) {
    for (index, step) in steps.iter_mut().enumerate() {
        step.id = (index + 1).to_string();
    }
}

/// The core that a verification looks for.
fn show(step: &mut Step, core: &Release) {
    step.to = Some(core.name());
    step.build = core.build();
}

fn pin(step: &mut Step, entry: &Entry) {
    step.package = Some(entry.file.clone());
    step.sha256 = Some(entry.sha256.clone());
    step.build = entry.release.as_ref().and_then(Release::build);
}
