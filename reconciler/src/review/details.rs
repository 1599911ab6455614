//! The folded part of a comment about one cluster.

use dataminer_core::{
    knowledge::Knowledge,
    plan::{Difference, What},
};
use dataminer_schema::{
    plan::{
        Action, Block, ContentLoss, Disruption, ForecastBasis, Plan, PlanResult, Requirement,
        RequirementState, Step, Waiting, Warning,
    },
    quantity::format_duration,
};

use super::{
    Entry, Standing, comment,
    escape::{code, html, prose},
    work::{self, plural},
    zone::{Zone, age, range},
};

/// The most entries of one list; behind them stands how many are missing.
const LISTED: usize = 40;

/// The details, or nothing where the row says it all.
pub(super) fn of(entry: &Entry, knowledge: &Knowledge) -> String {
    let mut out = String::new();
    match (entry.plan(), entry.standing) {
        (None, _) => return out,
        (Some(plan), _) => {
            let name = html(entry.cluster.as_str());
            let result = match plan.result {
                PlanResult::Converged => "converged",
                PlanResult::Ready => "ready",
                PlanResult::Waiting => "waiting",
                PlanResult::Blocked => "blocked",
            };
            let steps = match plan.steps.len() {
                0 => String::new(),
                count => format!(", {}", plural(count, "step")),
            };
            put!(
                out,
                "<details><summary><code>{name}</code>: {}, {result}{steps}</summary>\n\n",
                work::change(plan.change)
            );
            if let Some(before) = &entry.renamed_from {
                put!(
                    out,
                    "**It was called {} before:** its Agents have the same addresses. What was observed, stored and \
                     approved under that name does not count for this one.\n\n",
                    code(before.as_str())
                );
            }
            blocked(plan, &mut out);
            content(plan, entry.zone(), &mut out);
            waiting(plan, entry.zone(), &mut out);
            if entry.standing == Standing::Changed {
                differences(&entry.differences, &mut out);
            }
            steps_of(plan, &mut out);
            forecast(plan, entry.zone(), &mut out);
            requirements(plan, &mut out);
            warnings(plan, &mut out);
            knowledge_of(plan, knowledge, &mut out);
            out.push_str("</details>\n\n");
        }
    }
    out
}

fn heading(text: &str, out: &mut String) {
    put!(out, "**{text}**\n\n");
}

/// A list of at most [`LISTED`] lines.
fn list(lines: Vec<String>, out: &mut String) {
    let more = lines.len().saturating_sub(LISTED);
    for line in lines.into_iter().take(LISTED) {
        put!(out, "- {line}\n");
    }
    if more > 0 {
        put!(out, "- and {more} more\n");
    }
    out.push('\n');
}

fn blocked(plan: &Plan, out: &mut String) {
    if plan.blocked.is_empty() {
        return;
    }
    heading("Blocked: a person or a commit must act first", out);
    let line = |block: &Block| {
        let Block { code: reason, message, help, agents } = block;
        let about = match agents.is_empty() {
            true => String::new(),
            false => format!(" ({})", work::agents(agents, plan, code)),
        };
        format!("`{reason:?}`: {}{about}. Help: {}", prose(message), prose(help))
    };
    list(plan.blocked.iter().map(line).collect(), out);
}

/// What a restore takes away from users.
fn content(plan: &Plan, zone: &Zone, out: &mut String) {
    let Some(step) = plan.steps.iter().find(|step| step.action == Action::RestoreContent) else {
        let Some(loss) = &plan.content_loss else { return };
        return lost(plan, loss, zone, out);
    };
    match (&plan.content_loss, &step.backup) {
        (Some(loss), _) => lost(plan, loss, zone, out),
        (None, backup) => {
            let backup = backup.as_ref().map_or_else(|| "a backup".to_owned(), |backup| code(&backup.file));
            put!(
                out,
                "**Content is lost on {}:** dashboards and apps go back to {backup}, whose time or content is not \
                 known; **every later change is lost**.\n\n",
                work::agents(&step.agents, plan, code)
            );
        }
    }
}

fn lost(plan: &Plan, loss: &ContentLoss, zone: &Zone, out: &mut String) {
    let ContentLoss { backup, taken_at, content, since, agents } = loss;
    let place = match &backup.agent {
        Some(agent) => format!("on {}", code(agent.as_str())),
        None => "in the vault".to_owned(),
    };
    // Against the start of the change, not against today: the text shall not change from day to day.
    let old = comment::known_start(plan)
        .map(|start| format!(", {} before the change can start", age(start.duration_since(*taken_at))));
    put!(
        out,
        "**Content is lost on {}: every change to dashboards and apps since {}.** They go back to the backup {} \
         ({}, {place}), taken {}{}, with content of {}.\n\n",
        work::agents(agents, plan, code),
        zone.both(*since),
        code(&backup.file),
        code(backup.sha256.short()),
        zone.both(*taken_at),
        old.unwrap_or_default(),
        code(content)
    );
}

fn waiting(plan: &Plan, zone: &Zone, out: &mut String) {
    if plan.waiting.is_empty() {
        return;
    }
    heading("Waiting", out);
    let line = |waiting: &Waiting| {
        let Waiting { on, until, message } = waiting;
        let until = until.map(|until| format!("; until {}", zone.both(until))).unwrap_or_default();
        format!("`{on:?}`: {}{until}", prose(message))
    };
    list(plan.waiting.iter().map(line).collect(), out);
}

/// Against the plan without the change.
fn differences(differences: &[Difference], out: &mut String) {
    if differences.is_empty() {
        return;
    }
    heading("What this changes in the plan", out);
    list(differences.iter().map(difference).collect(), out);
}

/// One thing that is otherwise, in Markdown.
fn difference(difference: &Difference) -> String {
    let Difference { what, before, after } = difference;
    let name = subject(*what);
    match (before, after) {
        (Some(before), Some(after)) => format!("{name}: {} → {}", prose(before), prose(after)),
        (None, Some(after)) => format!("{name} added: {}", prose(after)),
        (Some(before), None) => format!("{name} removed: {}", prose(before)),
        (None, None) => format!("{name} changed"),
    }
}

/// What differs, in words.
pub(crate) fn subject(what: What) -> &'static str {
    match what {
        What::From => "from",
        What::To => "to",
        What::Step => "step",
        What::Order => "order of the steps",
        What::Policy => "upgrade options, Failover policy or account",
        What::Result => "result",
        What::Block => "block",
        What::Waiting => "waiting",
        What::Start => "start",
        What::ContentLoss => "content loss",
        What::Warning => "warning",
    }
}

fn steps_of(plan: &Plan, out: &mut String) {
    if plan.steps.is_empty() {
        return;
    }
    let all = work::total(&plan.steps, |_| true);
    let disruptive = work::total(&plan.steps, |step| step.disruption != Disruption::None);
    let takes = match (all, disruptive) {
        (Some(all), Some(some)) => format!(" ({}, of it {} disruptive)", range(all), range(some)),
        (Some(all), None) => format!(" ({}, nothing of it disruptive)", range(all)),
        (None, _) => String::new(),
    };
    put!(out, "**Steps**{takes}\n\n");
    for (at, step) in plan.steps.iter().enumerate() {
        put!(out, "{}. {}\n", at + 1, step_line(step, plan));
    }
    out.push('\n');
}

fn step_line(step: &Step, plan: &Plan) -> String {
    let Step { action, from, package, sha256, backup, module, hook, patch, .. } = step;
    let Step { agents, disruption, rules, reason, settle, .. } = step;
    let mut line = format!("**{action:?}**");
    match (from, &work::after(step)) {
        (Some(from), Some(to)) => put!(line, " {} → {}", code(from), code(to)),
        (None, Some(to)) => put!(line, " {}", code(to)),
        (Some(from), None) => put!(line, " from {}", code(from)),
        (None, None) => {}
    }
    if let Some(backup) = backup {
        put!(line, " {} ({})", code(&backup.file), code(backup.sha256.short()));
    }
    for name in [module, hook].into_iter().flatten() {
        put!(line, " {}", code(name));
    }
    if !agents.is_empty() {
        put!(line, " on {}", work::agents(agents, plan, code));
    }
    match disruption {
        Disruption::None => {}
        Disruption::WebServer => line.push_str("; **restarts the web server**"),
        Disruption::Restart => line.push_str("; **restarts DataMiner**"),
    }
    if let Some(settle) = settle {
        put!(line, "; right for {} without a break", format_duration(*settle));
    }
    if let Some(patch) = patch {
        put!(line, "; **from a copy without** {}", code(&patch.removes));
    }
    for check in &step.without {
        put!(line, "; **without** {}", code(check));
    }
    if let Some(estimate) = step.estimate {
        put!(line, "; {}", range((estimate.p50, estimate.p95)));
    }
    if !reason.is_empty() {
        put!(line, " — {}", prose(reason));
    }
    if !rules.is_empty() {
        let rules: Vec<String> = rules.iter().map(|rule| code(rule)).collect();
        put!(line, " ({})", rules.join(" "));
    }
    if let (Action::StagePackage, Some(package)) = (action, package) {
        let hash = sha256.as_ref().map(|hash| format!(", {}", code(hash.short()))).unwrap_or_default();
        put!(line, ": {}{hash}", code(package));
    }
    if let Some(notes) = &step.release_notes {
        put!(line, "; {}", release_notes(notes));
    }
    line
}

/// The product's own documentation is linked; any other address is shown and leads nowhere.
fn release_notes(address: &str) -> String {
    const DOCS: &str = "https://docs.dataminer.services/";
    let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '#' | '%');
    match address.strip_prefix(DOCS) {
        Some(path) if path.chars().all(is_path) => format!("[release notes]({DOCS}{path})"),
        _ => format!("release notes: {}", code(address)),
    }
}

fn forecast(plan: &Plan, zone: &Zone, out: &mut String) {
    let Some(forecast) = &plan.forecast else { return };
    let basis = match forecast.basis {
        ForecastBasis::Defaults => "documented or assumed durations",
        ForecastBasis::Mixed => "what this cluster took before where it did the same, and defaults elsewhere",
        ForecastBasis::History => "what this cluster took before",
    };
    put!(out, "**When:** {}. The estimates rest on {basis}.\n\n", comment::when(plan, zone));
}

/// What the servers must have; what is there already is only counted.
fn requirements(plan: &Plan, out: &mut String) {
    let found = work::requirements(plan);
    if found.is_empty() {
        return;
    }
    heading("Requirements", out);
    let met = found.iter().filter(|(requirement, _)| requirement.state == RequirementState::Met).count();
    let mut lines: Vec<String> = found
        .iter()
        .filter(|(requirement, _)| requirement.state != RequirementState::Met)
        .map(|(requirement, steps)| {
            let Requirement { name, state, agents } = requirement;
            let bold = if *state == RequirementState::Missing { "**" } else { "" };
            let state = format!("{bold}{}{bold}", work::requirement(*state));
            let about = match agents.is_empty() {
                true => String::new(),
                false => format!(" on {}", work::agents(agents, plan, code)),
            };
            format!("{}: {state}{about} (step {})", code(name), steps.join(", "))
        })
        .collect();
    if met > 0 {
        lines.push(format!("{} met", plural(met, "requirement")));
    }
    list(lines, out);
}

fn warnings(plan: &Plan, out: &mut String) {
    if plan.warnings.is_empty() {
        return;
    }
    heading("Warnings", out);
    let line = |warning: &Warning| {
        let Warning { code: name, reference, message } = warning;
        let reference = reference.as_ref().map(|id| format!(" ({})", code(id))).unwrap_or_default();
        format!("{}: {}{reference}", code(name), prose(message))
    };
    list(plan.warnings.iter().map(line).collect(), out);
}

/// Known issues and breaking changes: counts to read, ids and titles folded.
fn knowledge_of(plan: &Plan, knowledge: &Knowledge, out: &mut String) {
    let issue = |id: &str| knowledge.issue(id).map(|issue| issue.title.as_str());
    let change = |id: &str| knowledge.breaking_change(id).map(|change| change.title.as_str());
    let issues = &plan.known_issues;
    let changes = &plan.breaking_changes;
    let issue_lists =
        [("introduced", &issues.introduced), ("resolved", &issues.resolved), ("staying", &issues.staying)];
    folded("Known issues", &issue_lists, issue, out);
    folded("Breaking changes", &[("brought", &changes.brought), ("undone", &changes.undone)], change, out);
}

fn folded<'k>(
    what: &str,
    lists: &[(&str, &Vec<String>)],
    title: impl Fn(&str) -> Option<&'k str>,
    out: &mut String,
) {
    let counted: Vec<String> = lists
        .iter()
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(how, ids)| format!("{} {how}", ids.len()))
        .collect();
    if counted.is_empty() {
        return;
    }
    put!(out, "<details><summary>{what}: {}</summary>\n\n", counted.join(", "));
    for (how, ids) in lists.iter().filter(|(_, ids)| !ids.is_empty()) {
        put!(out, "{how}:\n\n");
        let line = |id: &String| match title(id) {
            Some(title) => format!("{} {}", code(id), prose(title)),
            None => code(id),
        };
        list(ids.iter().map(line).collect(), out);
    }
    out.push_str("</details>\n\n");
}
