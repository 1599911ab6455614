//! Rehearsals as Markdown for a pull request: a row for each cluster, what happened folded below.
//!
//! Foreign text goes through [`crate::review::escape`]; the size is capped by whole clusters.

use dataminer_schema::{id::AgentName, plan::Plan};

use super::{
    Rehearsals, Report, StepEnd, Transcript, Verdict,
    report::{Played, about},
};
use crate::review::{
    self,
    escape::{code, html, prose},
    work::{self, plural},
    zone::Zone,
};

/// Appends to a String, which cannot fail.
macro_rules! put {
    ($out:expr, $($arguments:tt)*) => {{
        use std::fmt::Write as _;
        let _infallible = $out.write_fmt(format_args!($($arguments)*));
    }};
}

/// By this first line a comment is found again, apart from that of the review.
const MARK: &str = "<!-- dataminer-reconciler:rehearsal -->";
/// Room for the line that says what was left out.
const RESERVE: usize = 500;

/// The comment, never longer than `limit` bytes. `zones`: of the clusters' windows, in the order of the rehearsals.
pub(crate) fn comment(rehearsals: &Rehearsals, zones: &[Zone], limit: usize) -> String {
    let mut out = format!("{MARK}\n### {}\n\n", headline(rehearsals));
    let utc = Zone::utc();
    let zone = |at: usize| zones.get(at).unwrap_or(&utc);
    let budget = limit.saturating_sub(RESERVE);
    if !rehearsals.rehearsals.is_empty() {
        out.push_str("| Cluster | Rehearsal | Change | Steps | Content | When |\n|--|--|--|--|--|--|\n");
    }
    let (mut rows, mut details) = (0, 0);
    for (at, report) in rehearsals.rehearsals.iter().enumerate() {
        let row = row(report, zone(at));
        if out.len() + row.len() > budget - budget / 4 {
            break;
        }
        out.push_str(&row);
        rows += 1;
    }
    out.push('\n');
    for (at, report) in rehearsals.rehearsals.iter().enumerate() {
        let text = detail(report, zone(at));
        if out.len() + text.len() <= budget {
            out.push_str(&text);
        } else {
            details += 1;
        }
    }
    let more = rehearsals.rehearsals.len() - rows;
    if more > 0 || details > 0 {
        put!(
            out,
            "{} are not in the table and the details of {} do not fit into a comment; `dataminer-reconciler rehearse -o json` has \
             all of them.\n\n",
            plural(more, "cluster"),
            plural(details, "cluster")
        );
    }
    match rehearsals.unchanged {
        None | Some(0) => {}
        Some(1) => out.push_str("1 other cluster does not change.\n"),
        Some(count) => put!(out, "{count} other clusters do not change.\n"),
    }
    out
}

fn headline(rehearsals: &Rehearsals) -> String {
    let all = rehearsals.rehearsals.len();
    let good = rehearsals.rehearsals.iter().filter(|report| report.verdict == Verdict::Converges).count();
    match (all, all - good) {
        (0, _) => "Rehearsal: no cluster changes".to_owned(),
        (1, 0) => "Rehearsal: 1 cluster converges".to_owned(),
        (all, 0) => format!("Rehearsal: all {all} clusters converge"),
        (all, bad) => format!("Rehearsal: **{bad} of {} would not converge**", plural(all, "cluster")),
    }
}

fn row(report: &Report, zone: &Zone) -> String {
    let Report { cluster, verdict, played, plan, .. } = report;
    let verdict = match verdict {
        Verdict::Converges if plan.steps.is_empty() => "nothing to do".to_owned(),
        Verdict::Converges => "converges".to_owned(),
        Verdict::WouldNotConverge { reason, .. } => format!("**would not converge**: {}", code(reason)),
    };
    let (steps, content) = match played {
        None => ("not begun".to_owned(), "-".to_owned()),
        Some(played) => {
            let done = played.steps.iter().filter(|step| step.end == StepEnd::Done).count();
            (format!("{done} of {}", played.steps.len().max(plan.steps.len())), kept(played, true))
        }
    };
    format!(
        "| {} | {verdict} | {} | {steps} | {content} | {} |\n",
        code(cluster.as_str()),
        way(plan),
        review::when(plan, zone)
    )
}

fn way(plan: &Plan) -> String {
    let release = |core: Option<String>| core.map_or_else(|| "unknown".to_owned(), |core| code(&core));
    let (from, to) = (work::core(&plan.from, &plan.to), work::core(&plan.to, &plan.from));
    format!("{} {} → {}", work::change(plan.change), release(from), release(to))
}

/// What became of the content, in a phrase.
pub(crate) fn kept(played: &Played, bold: bool) -> String {
    let content = &played.content;
    let mut parts = vec![format!("{} intact", content.intact)];
    for (count, word) in [
        (content.lost.len(), "lost"),
        (content.unreadable.len(), "unreadable"),
        (content.damaged.len(), "damaged"),
    ] {
        if count > 0 {
            parts.push(if bold { format!("**{count} {word}**") } else { format!("{count} {word}") });
        }
    }
    parts.join(", ")
}

/// Why a path is lost, where that is known.
pub(crate) fn why(played: &Played, path: &str) -> &'static str {
    let changed = played.content.changed_before.as_deref() == Some(path);
    if changed { " (changed right before the rehearsal; the backup is older)" } else { "" }
}

fn detail(report: &Report, zone: &Zone) -> String {
    let Report { cluster, verdict, given, assumptions, played, plan } = report;
    let summary = match verdict {
        Verdict::Converges => "converges",
        Verdict::WouldNotConverge { .. } => "would not converge",
    };
    let mut out =
        format!("<details><summary><code>{}</code>: {summary}</summary>\n\n", html(cluster.as_str()));
    if let Verdict::WouldNotConverge { reason, message, help } = verdict {
        put!(out, "**{}**: {}\n\n", code(reason), prose(message));
        if let Some(help) = help {
            put!(out, "What to do: {}\n\n", prose(help));
        }
    }
    put!(out, "Expected of the real one: {}\n\n", review::when(plan, zone));
    if let Some(played) = played {
        transcript(played, plan, &mut out);
    }
    list(
        "Blocked",
        plan.blocked
            .iter()
            .map(|block| format!("{}: {}", code(&format!("{:?}", block.code)), prose(&block.message))),
        &mut out,
    );
    list(
        "Warnings",
        plan.warnings.iter().map(|warning| format!("{}: {}", code(&warning.code), prose(&warning.message))),
        &mut out,
    );
    list("Counts as given", given.iter().map(|text| prose(text)), &mut out);
    let about = |agents: &[AgentName]| {
        if agents.is_empty() { String::new() } else { format!(" ({})", work::agents(agents, plan, code)) }
    };
    list(
        "Assumed",
        assumptions.iter().map(|one| format!("{}{}", prose(&one.text), about(&one.agents))),
        &mut out,
    );
    out.push_str("</details>\n\n");
    out
}

fn transcript(played: &Played, plan: &Plan, out: &mut String) {
    out.push_str("| # | Step | On | Ended | Simulated |\n|--|--|--|--|--|\n");
    for Transcript { step, action, to, agents, end, simulated, .. } in &played.steps {
        let to = to.as_deref().map(|to| format!(" {}", code(to))).unwrap_or_default();
        let end = match end {
            StepEnd::Done => "done",
            StepEnd::Failed => "**failed**",
            StepEnd::Unfinished => "**not finished**",
        };
        put!(
            out,
            "| {} | {action:?}{to} | {} | {end} | {} |\n",
            code(step),
            work::agents(agents, plan, code),
            simulated.map_or_else(|| "-".to_owned(), about)
        );
    }
    out.push('\n');
    for message in played.steps.iter().filter_map(|step| step.message.as_ref()) {
        put!(out, "{}\n\n", prose(message));
    }
    put!(out, "Dashboards and app versions: {}.", kept(played, true));
    if played.violations.is_empty() {
        out.push_str(" Rules of the product that were broken: none.");
    }
    out.push_str("\n\n");
    list("Lost", played.content.lost.iter().map(|path| format!("{}{}", code(path), why(played, path))), out);
    list("Cannot be used any more", played.content.broken().iter().map(|path| code(path)), out);
    list("Modules that do not fit", played.modules.iter().map(|text| prose(text)), out);
    list("Rules of the product that were broken", played.violations.iter().map(|text| prose(text)), out);
    if let Some(differs) = &played.differs {
        put!(out, "Mind: {}.\n\n", prose(differs));
    }
}

/// The most lines of a list.
const MOST: usize = 40;

fn list(title: &str, items: impl Iterator<Item = String>, out: &mut String) {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        return;
    }
    put!(out, "**{title}**\n\n");
    for item in items.iter().take(MOST) {
        put!(out, "- {item}\n");
    }
    if items.len() > MOST {
        put!(out, "- and {} more\n", items.len() - MOST);
    }
    out.push('\n');
}
