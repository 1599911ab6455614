//! How two plans of one cluster differ, for whoever approved the first and is asked about the second.

use dataminer_schema::plan::{Plan, Step, VersionPair};

/// What is otherwise in `after` than in `before`, one sentence part each: where it comes from and goes to, and the steps
/// that were added and removed. Empty only for plans with the same id.
pub fn difference(before: &Plan, after: &Plan) -> Vec<String> {
    let mut parts = Vec::new();
    let ends = [("from", &before.from, &after.from), ("to", &before.to, &after.to)];
    for (end, then, now) in ends {
        if then != now {
            parts.push(format!("{end} {} instead of {}", pair(now), pair(then)));
        }
    }
    let (then, now) = (described(before), described(after));
    let added = without(&now, &then);
    let removed = without(&then, &now);
    for (what, steps) in [("added", &added), ("removed", &removed)] {
        if !steps.is_empty() {
            parts.push(format!("steps {what}: {}", steps.join(", ")));
        }
    }
    if added.is_empty() && removed.is_empty() && then != now {
        parts.push(format!("the steps come in another order: {}", now.join(", ")));
    }
    if parts.is_empty() && before.id != after.id {
        parts.push("with other upgrade options, Failover policy or account".to_owned());
    }
    parts
}

fn pair(versions: &VersionPair) -> String {
    let VersionPair { core, build, web_apps } = versions;
    let core = core.as_deref().unwrap_or("an unknown core");
    let build = build.map(|build| format!(" (build {build})")).unwrap_or_default();
    let web = web_apps.as_ref().map(|web| format!(", web {web}")).unwrap_or_default();
    format!("{core}{build}{web}")
}

/// Each step by what its id covers: the action, what it pins, the Agents.
fn described(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(step).collect()
}

fn step(step: &Step) -> String {
    let Step { action, to, sha256, backup, module, agents, .. } = step;
    let to = to.as_ref().map(|to| format!(" {to}")).unwrap_or_default();
    let module = module.as_ref().map(|module| format!(" {module}")).unwrap_or_default();
    let backup = backup
        .as_ref()
        .map(|backup| format!(" of {} ({})", backup.file, backup.sha256.short()))
        .unwrap_or_default();
    let package = sha256.as_ref().map(|sha256| format!(" [{}]", sha256.short())).unwrap_or_default();
    let names: Vec<&str> = agents.iter().map(|agent| agent.as_str()).collect();
    format!("{action:?}{to}{module}{backup}{package} on {}", names.join(" and "))
}

/// What is in `all` and, as often, not in `known`.
fn without(all: &[String], known: &[String]) -> Vec<String> {
    let mut known: Vec<&String> = known.iter().collect();
    let fresh = |text: &&String| match known.iter().position(|have| have == text) {
        Some(at) => {
            known.swap_remove(at);
            false
        }
        None => true,
    };
    all.iter().filter(fresh).cloned().collect()
}
