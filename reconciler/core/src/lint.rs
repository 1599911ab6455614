//! An independent checker of plans: proves that a plan is well-formed before it is stored or run.
//!
//! It knows nothing of the planner: each rule reads the plan alone. It runs inside every planner test.

mod content;
mod direction;
mod facts;
mod forecast;
mod modules;
mod order;
mod path;
mod tools;

use std::{collections::BTreeSet, fmt};

use dataminer_schema::{
    id::AgentName,
    plan::{Action, Disruption, FORMAT_VERSION, Plan, PlanResult, Step, WaitingOn},
    version::Version,
};

/// A rule that a plan breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintNote {
    /// The rule's stable name.
    pub rule: &'static str,
    /// The id of the step, where it is about one.
    pub step: Option<String>,
    pub message: String,
}

impl fmt::Display for LintNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, step, message } = self;
        match step {
            Some(step) => write!(f, "{rule} at step {step}: {message}"),
            None => write!(f, "{rule}: {message}"),
        }
    }
}

/// Checks `plan`; empty if nothing is wrong with it.
pub fn lint(plan: &Plan) -> Vec<LintNote> {
    let mut notes = Notes(Vec::new());
    check_format(plan, &mut notes);
    check_step_ids(plan, &mut notes);
    check_agents(plan, &mut notes);
    check_texts(plan, &mut notes);
    check_packages(plan, &mut notes);
    check_staged(plan, &mut notes);
    check_saved(plan, &mut notes);
    check_verified(plan, &mut notes);
    check_web_last(plan, &mut notes);
    check_disruption(plan, &mut notes);
    check_chain(plan, &mut notes);
    check_indices(plan, &mut notes);
    check_arrival(plan, &mut notes);
    check_clean_up(plan, &mut notes);
    path::check_lines(plan, &mut notes);
    path::check_exit(plan, &mut notes);
    path::check_broker(plan, &mut notes);
    path::check_descent(plan, &mut notes);
    path::check_web_gate(plan, &mut notes);
    order::check_hotfixes(plan, &mut notes);
    order::check_hooks(plan, &mut notes);
    order::check_prerequisites(plan, &mut notes);
    order::check_settle(plan, &mut notes);
    modules::check_swaps(plan, &mut notes);
    modules::check_patches(plan, &mut notes);
    modules::check_crossing(plan, &mut notes);
    tools::check_uniform(plan, &mut notes);
    tools::check_places(plan, &mut notes);
    tools::check_ports(plan, &mut notes);
    content::check_pins(plan, &mut notes);
    content::check_tail(plan, &mut notes);
    content::check_fall(plan, &mut notes);
    direction::check_direction(plan, &mut notes);
    direction::check_change(plan, &mut notes);
    check_result(plan, &mut notes);
    check_ready(plan, &mut notes);
    check_approval(plan, &mut notes);
    facts::check_issues(plan, &mut notes);
    facts::check_requirements(plan, &mut notes);
    forecast::check_forecast(plan, &mut notes);
    notes.0
}

struct Notes(Vec<LintNote>);

impl Notes {
    fn note(&mut self, rule: &'static str, step: Option<&Step>, message: impl Into<String>) {
        self.0.push(LintNote { rule, step: step.map(|step| step.id.clone()), message: message.into() });
    }
}

fn is_core_change(step: &Step) -> bool {
    matches!(step.action, Action::UpgradeCore | Action::DowngradeCore)
}

fn is_web_change(step: &Step) -> bool {
    matches!(step.action, Action::UpgradeWeb | Action::DowngradeWeb)
}

fn installs(step: &Step) -> bool {
    is_core_change(step)
        || is_web_change(step)
        || matches!(step.action, Action::RunTool | Action::InstallHotfix)
}

fn check_format(plan: &Plan, notes: &mut Notes) {
    if plan.format_version != FORMAT_VERSION {
        notes.note("format", None, format!("is {}, not {FORMAT_VERSION}", plan.format_version));
    }
}

fn check_step_ids(plan: &Plan, notes: &mut Notes) {
    for (index, step) in plan.steps.iter().enumerate() {
        if step.id != (index + 1).to_string() {
            notes.note("step-ids", Some(step), format!("the {}th step is not called so", index + 1));
        }
    }
}

fn check_agents(plan: &Plan, notes: &mut Notes) {
    let known: BTreeSet<&AgentName> = plan.agents.iter().map(|agent| &agent.name).collect();
    for step in &plan.steps {
        let named: BTreeSet<&AgentName> = step.agents.iter().collect();
        if named.is_empty() {
            notes.note("agents", Some(step), "names no Agent");
        }
        if named.len() != step.agents.len() {
            notes.note("agents", Some(step), "names an Agent twice");
        }
        if let Some(stranger) = named.difference(&known).next() {
            notes.note("agents", Some(step), format!("{stranger} is not an Agent of the plan"));
        }
    }
}

fn check_texts(plan: &Plan, notes: &mut Notes) {
    for step in &plan.steps {
        if step.rules.is_empty() || step.reason.is_empty() {
            notes.note("texts", Some(step), "has no rule or no reason");
        }
    }
    for block in &plan.blocked {
        if block.message.is_empty() || block.help.is_empty() {
            notes.note("texts", None, format!("{:?} has no message or no help", block.code));
        }
    }
    if plan.waiting.iter().any(|waiting| waiting.message.is_empty()) {
        notes.note("texts", None, "a reason to wait has no message");
    }
}

fn check_packages(plan: &Plan, notes: &mut Notes) {
    for step in &plan.steps {
        let needs = installs(step) || matches!(step.action, Action::StagePackage | Action::RunPrerequisites);
        if needs && (step.sha256.is_none() || step.package.is_none()) {
            notes.note("packages", Some(step), "has no package or no SHA-256");
        }
        if !needs && step.sha256.is_some() {
            notes.note("packages", Some(step), "pins a package that it does not use");
        }
    }
}

fn check_staged(plan: &Plan, notes: &mut Notes) {
    for (index, step) in plan.steps.iter().enumerate().filter(|(_, step)| installs(step)) {
        let staged = plan.steps[..index].iter().filter(|before| before.action == Action::StagePackage);
        let mut staged = staged.filter(|before| before.sha256 == step.sha256);
        match staged.next() {
            None => notes.note("staged", Some(step), "its package was not staged before"),
            Some(before) if before.agents.len() != 1 => {
                notes.note("staged", Some(before), "stages on other than one orchestrating Agent");
            }
            Some(before) if !before.agents.iter().all(|agent| step.agents.contains(agent)) => {
                notes.note("staged", Some(step), "its orchestrating Agent is not one of its Agents");
            }
            Some(_) => {}
        }
    }
}

/// S2: content is copied off before anything that could rotate or migrate it, and after every hop.
fn check_saved(plan: &Plan, notes: &mut Notes) {
    let all: BTreeSet<&AgentName> = plan.agents.iter().map(|agent| &agent.name).collect();
    let saves = |step: &&Step| {
        step.action == Action::SaveBackup && step.agents.iter().collect::<BTreeSet<_>>() == all
    };
    let first = plan.steps.iter().position(|step| step.disruption != Disruption::None);
    if let Some(first) = first
        && !plan.steps[..first].iter().any(|step| saves(&step))
    {
        notes.note("saved", plan.steps.get(first), "no SaveBackup of all Agents stands before it");
    }
    for (index, step) in plan.steps.iter().enumerate().filter(|(_, step)| is_core_change(step)) {
        let behind = plan.steps[index + 1..].iter().skip_while(|after| modules::is_swap(after));
        let until_next = behind.take_while(|after| after.disruption == Disruption::None);
        if !until_next.clone().any(|after| saves(&after)) {
            notes.note("saved", Some(step), "no SaveBackup of all Agents follows it");
        }
    }
}

fn check_verified(plan: &Plan, notes: &mut Notes) {
    for (index, step) in plan.steps.iter().enumerate() {
        if !is_core_change(step) && !is_web_change(step) && step.action != Action::InstallHotfix {
            continue;
        }
        let next = plan.steps[index + 1..].iter().find(|next| !modules::is_swap(next));
        let verified = next.is_some_and(|next| {
            next.action == Action::VerifyCluster
                && next.to == step.to
                && step.agents.iter().all(|agent| next.agents.contains(agent))
        });
        if !verified {
            notes.note("verified", Some(step), "no VerifyCluster of its version and Agents follows at once");
        }
    }
}

fn check_web_last(plan: &Plan, notes: &mut Notes) {
    let web = plan.steps.iter().position(is_web_change);
    let core = plan.steps.iter().rposition(is_core_change);
    if let (Some(web), Some(core)) = (web, core)
        && web < core
    {
        notes.note("web-last", plan.steps.get(web), "a later core hop would replace its web apps");
    }
}

fn check_disruption(plan: &Plan, notes: &mut Notes) {
    for step in &plan.steps {
        let expected = match step.action {
            Action::UpgradeCore | Action::DowngradeCore | Action::InstallHotfix => Disruption::Restart,
            // One that DataMiner itself works with is exchanged while that is stopped (G3).
            Action::ReinstallModule if modules::is_swap(step) => continue,
            Action::UpgradeWeb | Action::DowngradeWeb | Action::RestoreContent | Action::ReinstallModule => {
                Disruption::WebServer
            }
            Action::StagePackage
            | Action::RunPrerequisites
            | Action::SaveBackup
            | Action::VerifyCluster
            | Action::BackupAgent
            | Action::RunHook
            | Action::CleanUp => Disruption::None,
            Action::RunTool | Action::Manual => continue,
        };
        if step.disruption != expected {
            notes.note("disruption", Some(step), format!("is {:?}, not {expected:?}", step.disruption));
        }
    }
}

/// Each hop begins where the one before it ended.
fn check_chain(plan: &Plan, notes: &mut Notes) {
    let hops: Vec<&Step> = plan.steps.iter().filter(|step| is_core_change(step)).collect();
    for pair in hops.windows(2) {
        if let [before, after] = pair
            && before.to != after.from
        {
            notes.note("chain", Some(after), "does not begin where the hop before it ended");
        }
    }
}

/// D2: fixes never fall along a path, unless that was accepted and the step says so.
fn check_indices(plan: &Plan, notes: &mut Notes) {
    let index = |text: &Option<String>| {
        let version: Version = text.as_deref()?.parse().ok()?;
        version.month_index()
    };
    for step in plan.steps.iter().filter(|step| step.action == Action::UpgradeCore) {
        if let (Some(from), Some(to)) = (index(&step.from), index(&step.to))
            && to < from
            && !step.rules.iter().any(|rule| rule == "D2")
        {
            notes.note("indices", Some(step), "loses fixes without saying so (D2)");
        }
    }
}

/// A plan that nothing blocks ends at what is wanted.
fn check_arrival(plan: &Plan, notes: &mut Notes) {
    if !plan.blocked.is_empty() {
        return;
    }
    if let Some(last) = plan.steps.iter().rfind(|step| is_core_change(step))
        && last.to != plan.to.core
    {
        notes.note("arrival", Some(last), "the last hop does not end at the wanted core");
    }
    if let Some(last) = plan.steps.iter().rfind(|step| is_web_change(step))
        && last.to != plan.to.web_apps
    {
        notes.note("arrival", Some(last), "the last web step does not end at the wanted level");
    }
}

fn check_clean_up(plan: &Plan, notes: &mut Notes) {
    let mut clean_ups = plan.steps.iter().enumerate().filter(|(_, step)| step.action == Action::CleanUp);
    if let Some((_, step)) = clean_ups.find(|(index, _)| index + 1 != plan.steps.len()) {
        notes.note("clean-up", Some(step), "is not the last step");
    }
}

fn check_result(plan: &Plan, notes: &mut Notes) {
    let expected = if !plan.blocked.is_empty() {
        PlanResult::Blocked
    } else if !plan.waiting.is_empty() {
        PlanResult::Waiting
    } else if !plan.steps.is_empty() {
        PlanResult::Ready
    } else {
        PlanResult::Converged
    };
    if plan.result != expected {
        notes.note("result", None, format!("is {:?}, not {expected:?}", plan.result));
    }
}

/// Ready steps stand at the front; nothing disruptive is ready while the plan waits, nothing at all while blocked.
fn check_ready(plan: &Plan, notes: &mut Notes) {
    let after_gap = plan.steps.iter().skip_while(|step| step.ready).find(|step| step.ready);
    if let Some(step) = after_gap {
        notes.note("ready", Some(step), "is ready behind a step that is not");
    }
    for step in &plan.steps {
        let right = match plan.result {
            PlanResult::Ready => step.ready,
            PlanResult::Waiting => !step.ready || step.disruption == Disruption::None,
            PlanResult::Blocked | PlanResult::Converged => !step.ready,
        };
        if !right {
            notes.note("ready", Some(step), format!("ready: {} does not fit {:?}", step.ready, plan.result));
        }
    }
}

/// An approval stands for one plan id: a plan asks for its own, in full, and only where it changes something.
fn check_approval(plan: &Plan, notes: &mut Notes) {
    let asked: Vec<_> = plan.waiting.iter().filter(|waiting| waiting.on == WaitingOn::Approval).collect();
    if asked.len() > 1 {
        notes.note("approval", None, "is asked for more than once");
    }
    for waiting in asked {
        if !waiting.message.contains(plan.id.as_str()) {
            notes.note("approval", None, format!("is asked for without the id {}", plan.id));
        }
        if plan.steps.iter().all(|step| step.disruption == Disruption::None) {
            notes.note("approval", None, "is asked for though nobody would notice anything");
        }
    }
}

#[cfg(test)]
mod tests;
