//! The plan of a canary run (S10): a tool that changes nothing, staged and run on all Agents as any other tool is.

use dataminer_schema::{
    id::AgentName,
    plan::{Action, BlockCode, Change, Disruption, Plan, PlanResult, Step},
};

use super::{
    PlanInput, draft::Draft, estimate::estimate, finish, grants, health, identity, lowest, presence,
    survey::Survey,
};
use crate::{catalog::Entry, plan::course::Course, tool::Tool};

/// Plans a canary run on `input`'s cluster, whatever is wanted of it: windows, approvals and quarantines hold it up as
/// little as they do any step that nobody notices. Blocked where an upgrade would be for the sake of its Agents.
pub fn plan_canary(input: &PlanInput<'_>) -> Plan {
    let mut draft = Draft::new(input);
    let survey = Survey::of(input);
    presence::plan_presence(input, &survey, &mut draft);
    grants::plan_grants(input, &mut draft);
    settled(&survey, &mut draft);
    let all = survey.names();
    // What stands in the way of a tool leaves no step of it: there is nothing to prepare.
    if draft.blocked.is_empty()
        && let (Some(entry), Some(orchestrator)) =
            (package(input, all.len(), &mut draft), survey.orchestrator(&all))
    {
        draft.steps = vec![
            step(
                input,
                entry,
                (1, Action::StagePackage, std::slice::from_ref(orchestrator)),
                "the package is uploaded and verified as every package is",
            ),
            step(
                input,
                entry,
                (2, Action::RunTool, &all),
                "whether jobs run unattended is seen days ahead, by a package that changes nothing",
            ),
        ];
        grants::plan_packages(input, &mut draft);
        health::plan_health(input, &survey, &Course::default(), &mut draft);
    }
    draft.change = Change::None;
    // What an upgrade would be warned of is no news here.
    draft.warnings.clear();
    let from = lowest(&survey);
    let id = identity::plan_id(&input.desired.cluster, (&from, &from), &draft.steps);
    let blocked = !draft.blocked.is_empty();
    for step in &mut draft.steps {
        step.ready = !blocked;
    }
    let plan = finish(input, &survey, id, (from.clone(), from), draft);
    debug_assert!(plan.result != PlanResult::Converged, "a canary runs or is blocked");
    plan
}

/// Nothing of an earlier operation is open, and all Agents run one version: tools refuse anything else (D5, D6).
fn settled(survey: &Survey<'_>, draft: &mut Draft) {
    let owing = survey.names_where(super::survey::Seen::owes);
    if !owing.is_empty() {
        draft.block(
            BlockCode::OperationInProgress,
            owing,
            "an interrupted operation left work owed",
            "let the process finish it first",
        );
    }
    let mut releases = survey.members.iter().filter_map(super::survey::Seen::release);
    if let Some(first) = releases.next()
        && releases.any(|release| release.name() != first.name())
    {
        draft.block(
            BlockCode::MixedCluster,
            Vec::new(),
            "the Agents run different versions, and tools refuse that",
            "let the process repair the cluster first",
        );
    }
}

/// The package to run. VerifyClusterPorts refuses a single Agent (RN 33429) and is known to fail on two
/// (`domain/06`, KI_Upgrade_fails_VerifyClusterPorts_prerequisite); VerifyGRPCConnection says little of systems whose
/// Agents talk by .NET Remoting, so it comes second elsewhere.
fn package<'a>(input: &PlanInput<'a>, agents: usize, draft: &mut Draft) -> Option<&'a Entry> {
    let order: &[Tool] = match agents {
        1 => &[Tool::VerifyGrpcConnection],
        2 => &[Tool::VerifyGrpcConnection, Tool::VerifyClusterPorts],
        _ => &[Tool::VerifyClusterPorts, Tool::VerifyGrpcConnection],
    };
    let found = order.iter().find_map(|tool| input.catalog.tool(*tool));
    if found.is_none() {
        let names: Vec<&str> = order.iter().map(|tool| tool.as_str()).collect();
        draft.block(
            BlockCode::NoPackage,
            Vec::new(),
            format!("the catalogue has no package for a canary run: {}", names.join(" or ")),
            format!("add `{}.dmupgrade` to a PackageCatalog, with its SHA-256", names[0]),
        );
    }
    found
}

fn step(
    input: &PlanInput<'_>,
    entry: &Entry,
    (id, action, agents): (usize, Action, &[AgentName]),
    reason: &str,
) -> Step {
    let rule = if action == Action::StagePackage { "S1" } else { "S10" };
    Step {
        id: id.to_string(),
        action,
        from: None,
        to: None,
        build: None,
        package: Some(entry.file.clone()),
        sha256: Some(entry.sha256.clone()),
        backup: None,
        module: None,
        hook: None,
        patch: None,
        without: Vec::new(),
        agents: agents.to_vec(),
        disruption: Disruption::None,
        rules: vec![rule.to_owned()],
        reason: reason.to_owned(),
        ready: false,
        estimate: Some(estimate(input, action)),
        requirements: Vec::new(),
        release_notes: None,
        settle: None,
    }
}
