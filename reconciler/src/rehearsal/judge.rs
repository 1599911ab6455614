//! The verdict: the engine's word counts only if the simulated Agents agree.

use dataminer_schema::{
    plan::{Plan, Step},
    status::ClusterState,
};
use dms_simulator::RunState;

use super::{
    Grounds, Subject, content,
    play::Outcome,
    report::{Played, Report, Verdict},
    staged::hurry,
    transcript,
};
use crate::store::StoredOperation;

/// Judges what was played.
pub(super) fn judge(report: Report, subject: &Subject, grounds: &Grounds, outcome: &Outcome) -> Report {
    let content = content::compare(outcome);
    let violations: Vec<String> = outcome
        .last
        .violations
        .iter()
        .map(|violation| format!("{:?}: {}", violation.kind, violation.detail))
        .collect();
    let modules: Vec<String> = outcome
        .agents()
        .flat_map(|(agent, before)| {
            let was = |name: &str| {
                before.is_some_and(|before| {
                    before.modules.iter().any(|module| module.name == name && module.state.is_broken())
                })
            };
            let broken = agent.modules.iter().filter(|module| module.state.is_broken());
            let new: Vec<String> = broken
                .filter(|module| !was(&module.name))
                .map(|module| format!("{} on {}: {:?}", module.name, agent.name, module.state))
                .collect();
            new
        })
        .collect();
    let verdict = verdict(subject, outcome, &violations, &content.broken(), &modules);
    let played = Played {
        seed: grounds.seed,
        speed: hurry(grounds.speed),
        operations: outcome.operations.len(),
        steps: transcript::transcript(&outcome.operations, &subject.plan, grounds.speed),
        content,
        modules,
        violations,
        differs: differs(&subject.plan, &outcome.operations),
    };
    report.played(verdict, played)
}

fn verdict(
    subject: &Subject,
    outcome: &Outcome,
    violations: &[String],
    broken: &[String],
    modules: &[String],
) -> Verdict {
    let no = |reason: &str, message: String, help: &str| Verdict::WouldNotConverge {
        reason: reason.to_owned(),
        message,
        help: Some(help.to_owned()),
    };
    if let Some(first) = violations.first() {
        let message = format!("a rule of the product was broken {} times, first: {first}", violations.len());
        return no(
            "RuleBroken",
            message,
            "this is a fault of the plan: please report it with the manifest and the observation",
        );
    }
    let Some(status) = &outcome.status else {
        return no(
            "GivenUp",
            "the rehearsal said nothing in its time".to_owned(),
            "give it more with --timeout",
        );
    };
    if status.state != ClusterState::Ready {
        if outcome.given_up {
            let at = status.operation.as_ref().map(|operation| format!(" in step {}", operation.step));
            let message =
                format!("the rehearsal did not end in its time and was given up{}", at.unwrap_or_default());
            return no(
                "GivenUp",
                message,
                "give it more with --timeout, or look at what its last step waits for",
            );
        }
        return Verdict::WouldNotConverge {
            reason: status.reason.clone(),
            message: status.message.clone(),
            help: status.help.clone(),
        };
    }
    if let Some(first) = broken.first() {
        let message =
            format!("{} dashboards or app versions cannot be used afterwards, first: {first}", broken.len());
        return no(
            "ContentBroken",
            message,
            "let a backup that the web apps can read follow: `downgrade.restore` of the manifest",
        );
    }
    if let Some(first) = modules.first() {
        let message = format!("{} modules do not fit the software afterwards, first: {first}", modules.len());
        return no(
            "ModuleBroken",
            message,
            "install them again from the package's installers once the cluster has converged",
        );
    }
    let wanted = |agent: &&dms_simulator::AgentReport| {
        let core = &subject.cluster.software.core;
        let reached =
            agent.core.line() == core.line() && core.cu().is_none_or(|cu| agent.core.cu() == Some(cu));
        !reached || agent.state != RunState::Running
    };
    if let Some(agent) = outcome.last.agents.iter().find(wanted) {
        let message =
            format!("{} runs {} and is {:?}, whatever it shows", agent.name, agent.core, agent.state);
        return no("NotAsWanted", message, "please report this with the manifest and the observation");
    }
    Verdict::Converges
}

/// Where what was done on the copy is not what was planned from the observation.
fn differs(plan: &Plan, operations: &[StoredOperation]) -> Option<String> {
    let shape = |steps: &[Step]| -> Vec<(dataminer_schema::plan::Action, Option<String>)> {
        steps.iter().map(|step| (step.action, step.to.clone())).collect()
    };
    let first = operations.first()?;
    let (wanted, done) = (shape(&plan.steps), shape(&first.plan.steps));
    if wanted == done {
        return None;
    }
    let at = wanted
        .iter()
        .zip(&done)
        .position(|(wanted, done)| wanted != done)
        .unwrap_or(wanted.len().min(done.len()));
    let name = |steps: &[(dataminer_schema::plan::Action, Option<String>)]| {
        steps.get(at).map_or_else(
            || "nothing more".to_owned(),
            |(action, to)| {
                format!("{action:?}{}", to.as_deref().map(|to| format!(" {to}")).unwrap_or_default())
            },
        )
    };
    Some(format!(
        "the plan of the copy is another one: from step {} on {} in place of {}",
        at + 1,
        name(&done),
        name(&wanted)
    ))
}

#[cfg(test)]
mod tests;
