//! What a canary run proved of a cluster, and for how long (S10; `design/04`, Doing).
//!
//! A canary is a documented package without a restart, handed to the Taskbar Utility by the very job that an upgrade
//! would be. What it proves hangs on the account of jobs, on the utility and on the Agents: another one of these is
//! not proven.

use std::collections::BTreeSet;

use dataminer_schema::{
    id::AgentName,
    plan::{Action, Change, Disruption, Plan},
    status::{CanaryAgent, CanaryStatus, FailureStatus},
    v1::{
        cluster::{Cluster, RunAs},
        observation::Observation,
    },
};

use crate::plan::Proof;

/// What the last canary run says of a cluster as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canary<'a> {
    /// None ran yet.
    Never,
    /// It passed.
    Passed(&'a CanaryStatus),
    /// It failed.
    Failed(&'a CanaryStatus, &'a FailureStatus),
    /// It ran under other circumstances; in words, which.
    Expired(String),
}

impl<'a> Canary<'a> {
    /// Reads `last` against the manifest and the latest look.
    pub fn of(last: Option<&'a CanaryStatus>, cluster: &Cluster, observation: Option<&Observation>) -> Self {
        let Some(last) = last else { return Self::Never };
        if let Some(why) = outdated(last, cluster, observation) {
            return Self::Expired(why);
        }
        match &last.failure {
            None => Self::Passed(last),
            Some(failure) => Self::Failed(last, failure),
        }
    }

    /// What the planner is told: who has a process that could have tried, and has not, has no proof.
    pub fn proof(&self) -> Proof {
        match self {
            Self::Passed(_) => Proof::Proven,
            Self::Never | Self::Failed(..) | Self::Expired(_) => Proof::Missing,
        }
    }

    /// The stable code of the condition `Proven`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Never => "NeverTried",
            Self::Passed(_) => "CanaryPassed",
            Self::Failed(..) => "CanaryFailed",
            Self::Expired(_) => "ProofExpired",
        }
    }

    /// One sentence.
    pub fn message(&self) -> String {
        match self {
            Self::Never => "No canary has run yet (`doctor --canary`).".to_owned(),
            Self::Passed(CanaryStatus { at, package, run_as, agents, .. }) => {
                let at = at.strftime("%Y-%m-%d %H:%M UTC");
                format!("{package} ran as a job under {run_as} and reached {} Agents, {at}.", agents.len())
            }
            Self::Failed(CanaryStatus { package, run_as, .. }, FailureStatus { message, .. }) => {
                format!("{package}, run as a job under {run_as}, failed: {message}.")
            }
            Self::Expired(why) => format!("The last canary proves nothing any more: {why}."),
        }
    }
}

/// What is not any more as the canary met it. An Agent that is not seen now is taken for unchanged.
fn outdated(last: &CanaryStatus, cluster: &Cluster, observation: Option<&Observation>) -> Option<String> {
    let now = account(cluster);
    if now != last.run_as {
        return Some(format!("jobs run under {now} by now, it ran under {}", last.run_as));
    }
    let members: BTreeSet<&AgentName> = members(cluster).collect();
    let met: BTreeSet<&AgentName> = last.agents.iter().map(|agent| &agent.name).collect();
    if let Some(name) = members.difference(&met).next() {
        return Some(format!("it did not reach {name}, which is an Agent by now"));
    }
    last.agents.iter().filter(|agent| members.contains(&agent.name)).find_map(|before| {
        let agent = observation?.agents.iter().find(|agent| agent.name == before.name && agent.reachable)?;
        changed(before, agent.taskbar_utility.as_deref(), agent.core.as_deref())
    })
}

/// By the version of the utility where both are known; else by the core, which brings the utility along.
fn changed(before: &CanaryAgent, utility: Option<&str>, core: Option<&str>) -> Option<String> {
    let CanaryAgent { name, utility: old_utility, core: old_core } = before;
    match (old_utility.as_deref(), utility) {
        (Some(old), Some(new)) if old != new => {
            Some(format!("the Taskbar Utility of {name} is {new} by now, it was {old}"))
        }
        (Some(_), Some(_)) => None,
        _ => match (old_core.as_deref(), core) {
            (Some(old), Some(new)) if old != new => Some(format!(
                "{name} runs {new} by now, it ran {old}, and the version of its Taskbar Utility is not known"
            )),
            _ => None,
        },
    }
}

/// The Agents of a cluster as a canary meets them, for the record of its run.
pub fn met(cluster: &Cluster, observation: Option<&Observation>) -> Vec<CanaryAgent> {
    let seen = |name: &AgentName| observation?.agents.iter().find(|agent| agent.name == *name);
    members(cluster)
        .map(|name| CanaryAgent {
            name: name.clone(),
            utility: seen(name).and_then(|agent| agent.taskbar_utility.clone()),
            core: seen(name).and_then(|agent| agent.core.clone()),
        })
        .collect()
}

fn members(cluster: &Cluster) -> impl Iterator<Item = &AgentName> {
    let members =
        cluster.agents.iter().flat_map(|agent| std::iter::once(&agent.member).chain(&agent.failover));
    members.map(|member| &member.name)
}

/// The account that jobs run under, in words that differ where the accounts do. Passwords are no part of them.
pub fn account(cluster: &Cluster) -> String {
    match &cluster.upgrade.run_as {
        RunAs::System => "the local system account".to_owned(),
        RunAs::Named { user, .. } => format!("the account {user}"),
        RunAs::SshUser => {
            let common = cluster.connection.ssh.as_ref();
            let members =
                cluster.agents.iter().flat_map(|agent| std::iter::once(&agent.member).chain(&agent.failover));
            let users: BTreeSet<&str> = members
                .filter_map(|member| member.ssh.as_ref().or(common))
                .map(|ssh| ssh.user.as_str())
                .collect();
            let users: Vec<&str> = users.into_iter().collect();
            format!("the SSH account {}", users.join(", "))
        }
    }
}

/// Whether `plan` is a canary: it changes nothing, and yet it runs something.
pub fn is_canary(plan: &Plan) -> bool {
    plan.change == Change::None
        && plan.steps.iter().any(|step| step.action == Action::RunTool)
        && plan.steps.iter().all(|step| step.disruption == Disruption::None)
}

#[cfg(test)]
mod tests;
