//! The planner: one pure, total, deterministic function from what is wanted and what was seen to a [`Plan`].

mod allowance;
mod backups;
mod broker;
mod canary;
mod checks;
mod conditions;
mod course;
mod descent;
mod difference;
mod draft;
mod estimate;
mod forecast;
mod gate;
mod grants;
mod hazards;
mod health;
mod hotfix;
mod identity;
mod issues;
mod layout;
mod mixed;
mod owed;
mod presence;
mod proof;
mod requirements;
mod restore;
mod route;
mod side_effects;
mod support;
mod survey;
mod tools;
mod unsupported;
mod wake;
mod web;
mod web_gate;
mod web_level;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use dataminer_schema::{
    id::{PlanId, Sha256},
    plan::{AgentVersions, FORMAT_VERSION, Plan, PlanResult, VersionPair, Waiting},
    v1::observation::{Backup, Observation},
    version::{Version, WebWanted},
};
use jiff::Timestamp;

pub use self::{
    canary::plan_canary,
    difference::{Difference, What, difference, differences},
    estimate::{Durations, ENOUGH_FOR_P50, ENOUGH_FOR_P95, Measured},
    proof::Proof,
    wake::next_change,
};
use self::{
    course::Course,
    draft::Draft,
    restore::Cause,
    survey::{Seen, Survey},
};
use crate::{catalog::Catalog, desired::Desired, knowledge::Knowledge, release::Release};

/// Everything that a plan depends on.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    pub desired: &'a Desired,
    /// The latest observation; `None`: the cluster was never seen.
    pub observation: Option<&'a Observation>,
    pub catalog: &'a Catalog,
    /// What is known of DataMiner's releases.
    pub knowledge: &'a Knowledge,
    /// What the vault holds of this cluster.
    pub vault: &'a [Backup],
    pub state: &'a PlanState,
    pub now: Timestamp,
    pub mode: PlanMode,
}

/// How old an observation may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanMode {
    /// From a file: its age is a warning.
    Offline,
    /// From the loop: an observation older than an hour blocks.
    Live,
}

/// What the process knows about a cluster besides manifests and observations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanState {
    /// The name of this installation, by which operations on Agents are told ours from others'; absent offline.
    pub installation: Option<String>,
    /// An operator holds the cluster; the reason that was given.
    pub suspended: Option<String>,
    /// A wanted state that failed and is not tried again until the manifest changes or an operator retries.
    pub quarantine: Option<Quarantine>,
    /// Nothing is tried before this time.
    pub retry: Option<Retry>,
    /// The plan that an operator approved. It counts for this id alone, and changes no id.
    pub approved: Option<PlanId>,
    /// What the fleet (other clusters, waves, soak times), a freeze or a step by hand makes it wait for.
    pub held: Vec<Waiting>,
    /// The hooks that the process's configuration has, by name; `None` offline.
    pub hooks: Option<BTreeSet<String>>,
    /// The secrets that the manifest names and the configuration does not grant, as a person reads them.
    pub refused_secrets: Vec<String>,
    /// The packages whose content turned out to be another than the catalogue says, each with what is wrong.
    pub unverified: BTreeMap<Sha256, String>,
    /// Whether the Taskbar Utility was seen to run unattended there (S10).
    pub canary: Proof,
    /// Whether any job has run there under the account of jobs (S10).
    pub run_as: Proof,
    /// The plan whose preparations (S1) are done; changes no id.
    pub prepared: Option<PlanId>,
    /// What the steps of this cluster took before; changes no id.
    pub durations: Durations,
}

/// A wanted state that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// [`Desired::digest`] of the state that failed.
    pub desired: Sha256,
    /// What failed, in one sentence.
    pub reason: String,
}

/// A time before which nothing is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    pub at: Timestamp,
    /// Why, in one sentence.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
}

/// Plans one cluster. Synchronous, total, deterministic: the same input gives a byte-identical plan, in whatever
/// order Agents and packages came in.
///
/// The ladder: who was seen, what is owed, which way the core and the web apps go, the steps around each hop, what must hold before
/// them, what must pass first. Each rung writes into the draft and none looks back.
pub fn plan(input: &PlanInput<'_>) -> Plan {
    let mut draft = Draft::new(input);
    let survey = Survey::of(input);
    presence::plan_presence(input, &survey, &mut draft);
    grants::plan_grants(input, &mut draft);
    // D6: owed work comes before anything else, so nothing else is planned then.
    let course = match owed::plan_owed(input, &survey, &mut draft) {
        Some(tail) => Course { tail: Some(tail), ..Course::default() },
        None => course::plan_course(input, &survey, &mut draft),
    };
    layout::plan_steps(input, &survey, &course, &mut draft);
    // What is owed waits for nobody's health: an Agent may still start after the very job that owes it. VerifyCluster
    // judges it afterwards.
    let owed = course.tail.as_ref().is_some_and(|tail| tail.cause == Cause::Owed);
    if !draft.steps.is_empty() && !owed {
        unsupported::plan_unsupported(input, &mut draft);
        grants::plan_packages(input, &mut draft);
        proof::plan_proofs(input, &survey.rules.s10, &course, &mut draft);
        health::plan_health(input, &survey, &course, &mut draft);
    }
    issues::plan_issues(input, &survey, &course, &mut draft);
    side_effects::plan_side_effects(input, &survey, &course, &mut draft);
    support::plan_support(input, &course, &mut draft);
    requirements::plan_requirements(input, &survey, &course, &mut draft);
    let (from, to) = (lowest(&survey), wanted(input, &course));
    let id = identity::plan_id(&input.desired.cluster, (&from, &to), &draft.steps);
    gate::plan_gate(input, &id, &mut draft);
    finish(input, &survey, id, (from, to), draft)
}

fn finish(
    input: &PlanInput<'_>,
    survey: &Survey<'_>,
    id: PlanId,
    (from, to): (VersionPair, VersionPair),
    draft: Draft,
) -> Plan {
    let Draft {
        change,
        steps,
        blocked,
        waiting,
        warnings,
        forecast,
        known_issues,
        breaking_changes,
        content_loss,
        ..
    } = draft;
    let result = if !blocked.is_empty() {
        PlanResult::Blocked
    } else if !waiting.is_empty() {
        PlanResult::Waiting
    } else if !steps.is_empty() {
        PlanResult::Ready
    } else {
        PlanResult::Converged
    };
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        cluster: input.desired.cluster.name.clone(),
        commit: input.desired.commit.clone(),
        id,
        result,
        change,
        from,
        to,
        agents: survey.members.iter().map(versions_of).collect(),
        steps,
        blocked,
        waiting,
        warnings,
        forecast,
        known_issues,
        breaking_changes,
        content_loss,
    }
}

fn lowest(survey: &Survey<'_>) -> VersionPair {
    VersionPair {
        core: survey.lowest_core().map(Release::name),
        build: survey.lowest_core().and_then(Release::build),
        web_apps: survey.lowest_web().map(Version::release_name),
    }
}

fn wanted(input: &PlanInput<'_>, course: &Course<'_>) -> VersionPair {
    let software = &input.desired.cluster.software;
    let name = match &course.target {
        Some(target) => target.release.name(),
        None => software.core.release_name(),
    };
    VersionPair {
        build: course.target.as_ref().map_or_else(|| software.core.build(), |target| target.release.build()),
        web_apps: match &software.web_apps {
            WebWanted::Unmanaged => None,
            WebWanted::Bundled => Some(name.clone()),
            WebWanted::Version(version) => {
                Some(input.catalog.named_web(version).as_ref().unwrap_or(version).release_name())
            }
        },
        core: Some(name),
    }
}

fn versions_of(seen: &Seen<'_>) -> AgentVersions {
    // A hotfix as the Agent names it (D4): by the name of its base, the execution would look for the base.
    let verbatim = || seen.reached().and_then(|agent| agent.core.clone());
    AgentVersions {
        name: seen.name.clone(),
        core: seen.release().and_then(|core| if core.is_hotfix() { verbatim() } else { Some(core.name()) }),
        build: seen.release().and_then(Release::build),
        web_apps: seen.web.as_ref().map(Version::release_name),
    }
}

#[cfg(test)]
mod tests;
