//! A review as one Markdown comment: a headline, a row for each changed cluster, the details folded.
//!
//! Everything that is not ours goes through [`super::escape`]. The size is capped by whole clusters: half a cluster
//! could lack the very line that matters.

use dataminer_core::knowledge::Knowledge;
use dataminer_schema::plan::{Disruption, Plan, PlanResult, RequirementState, WaitingOn};
use jiff::Timestamp;

use super::{
    Entry, Review, Standing, details,
    escape::code,
    work::{self, plural},
    zone::{Zone, range},
};

/// By this first line a comment is found again, so that it is renewed and not repeated.
pub const MARK: &str = "<!-- dataminer-reconciler:review -->";

/// What GitHub takes as the text of a comment, in characters; the others take more. Counted here in bytes, which are
/// never fewer.
pub const GITHUB_LIMIT: usize = 65_536;

/// Room for the lines that say what was left out.
const RESERVE: usize = 1_000;

const HEADER: &str =
    "| Cluster | Result | Change | From and to | Disruption | When | Look at |\n|--|--|--|--|--|--|--|\n";

/// The comment, never longer than `limit` bytes.
pub fn comment(review: &Review, knowledge: &Knowledge, limit: usize) -> String {
    let mut out = format!("{MARK}\n### {}\n\n", headline(review));
    if review.manifests.are_broken() {
        put!(
            out,
            "The manifests have {}, so nothing is planned. Until they are corrected the commit in force stays in force.\n\n",
            review.manifests.verdict()
        );
        let room = limit.saturating_sub(out.len() + RESERVE);
        out.push_str(&review.manifests.markdown(room));
        return out;
    }
    if let Some(why) = review.manifests.base() {
        put!(
            out,
            "There is nothing to compare with: {}. All clusters are shown.\n\n",
            super::escape::prose(why)
        );
    }
    let tail = tail(review, limit / 4);
    let budget = limit.saturating_sub(RESERVE + tail.len());
    // The rows are what everybody reads; the details of the first clusters still find room.
    let shown = rows(review, budget - budget / 4, &mut out);
    let mut left_out = Vec::new();
    for entry in &review.clusters {
        let text = details::of(entry, knowledge);
        if text.is_empty() {
            continue;
        }
        if out.len() + text.len() <= budget {
            out.push_str(&text);
        } else {
            left_out.push(entry);
        }
    }
    out.push_str(&omitted(review.clusters.len() - shown, &left_out));
    out.push_str(&tail);
    out
}

fn headline(review: &Review) -> String {
    if review.manifests.are_broken() {
        return "DataMiner upgrades: the manifests are not valid".to_owned();
    }
    let count = |counts: fn(&Entry) -> bool| review.clusters.iter().filter(|entry| counts(entry)).count();
    let plans = |counts: fn(&Plan) -> bool| {
        review.clusters.iter().filter_map(Entry::plan).filter(|plan| counts(plan)).count()
    };
    let change = count(|entry| entry.plan().is_some_and(|plan| plan.result != PlanResult::Converged));
    let mut parts = vec![match change {
        0 => "no cluster is upgraded".to_owned(),
        1 => "1 cluster changes".to_owned(),
        change => format!("{change} clusters change"),
    }];
    let told = [
        (plans(|plan| plan.result == PlanResult::Blocked), "is blocked", "are blocked"),
        (plans(waits_for_approval), "waits for an approval", "wait for an approval"),
        (count(|entry| entry.standing == Standing::Removed), "is removed", "are removed"),
    ];
    parts.extend(
        told.into_iter()
            .filter(|(count, _, _)| *count > 0)
            .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many })),
    );
    match plans(work::loses_content) {
        0 => {}
        1 => parts.push("**content is lost on 1**".to_owned()),
        lost => parts.push(format!("**content is lost on {lost}**")),
    }
    format!("DataMiner upgrades: {}", parts.join(", "))
}

fn waits_for_approval(plan: &Plan) -> bool {
    plan.waiting.iter().any(|waiting| waiting.on == WaitingOn::Approval)
}

/// The table, as far as it fits into `room`; how many rows it has.
fn rows(review: &Review, room: usize, out: &mut String) -> usize {
    if review.clusters.is_empty() {
        return 0;
    }
    out.push_str(HEADER);
    let mut shown = 0;
    for entry in &review.clusters {
        let row = row(entry);
        if out.len() + row.len() > room {
            break;
        }
        out.push_str(&row);
        shown += 1;
    }
    out.push('\n');
    shown
}

fn row(entry: &Entry) -> String {
    let cluster = code(entry.cluster.as_str());
    let Some(plan) = entry.plan() else {
        return format!("| {cluster} | | no longer managed | | none | | nothing is done to it any more |\n");
    };
    let result = match plan.result {
        PlanResult::Blocked => "**Blocked**",
        PlanResult::Waiting => "Waiting",
        PlanResult::Ready => "Ready",
        PlanResult::Converged => "Converged",
    };
    let new = match (entry.standing, &entry.renamed_from) {
        (Standing::Added, None) => ", new",
        (Standing::Added, Some(_)) => ", renamed",
        (Standing::Planned | Standing::Changed | Standing::Removed, _) => "",
    };
    format!(
        "| {cluster} | {result} | {}{new} | {} | {} | {} | {} |\n",
        work::change(plan.change),
        ends(plan),
        disruption(plan),
        when(plan, entry.zone()),
        look_at(plan)
    )
}

/// Where it comes from and where it goes.
fn ends(plan: &Plan) -> String {
    let way = |what: &str, from: Option<&String>, to: Option<&String>| match (from, to) {
        (Some(from), Some(to)) if from == to => Some(format!("{what}{}", code(to))),
        (Some(from), Some(to)) => Some(format!("{what}{} → {}", code(from), code(to))),
        (None, Some(to)) => Some(format!("{what}unknown → {}", code(to))),
        (Some(from), None) => Some(format!("{what}{}, not managed", code(from))),
        (None, None) => None,
    };
    let (from, to) = (work::core(&plan.from, &plan.to), work::core(&plan.to, &plan.from));
    let core = way("", from.as_ref(), to.as_ref());
    let web = way("web ", plan.from.web_apps.as_ref(), plan.to.web_apps.as_ref());
    let hops = Some(work::hops(plan)).filter(|hops| *hops > 1).map(|hops| plural(hops, "hop"));
    [core, web, hops].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn disruption(plan: &Plan) -> String {
    let worst = work::disruption(plan);
    let name = work::disrupts(worst);
    match work::total(&plan.steps, |step| step.disruption != Disruption::None) {
        Some(takes) => format!("{name}, {}", range(takes)),
        None => name.to_owned(),
    }
}

/// When disruptive work starts or may start, where that is not now.
pub(super) fn known_start(plan: &Plan) -> Option<Timestamp> {
    if work::starts_at_once(plan) {
        return None;
    }
    let forecast = plan.forecast.as_ref().map(|forecast| forecast.starts);
    forecast.or_else(|| plan.waiting.iter().filter_map(|waiting| waiting.until).max())
}

/// When it starts and ends. Nothing here is of the time of the planning: what may start now starts at once.
pub(crate) fn when(plan: &Plan, zone: &Zone) -> String {
    if plan.result == PlanResult::Converged {
        return "nothing to do".to_owned();
    }
    let takes = work::total(&plan.steps, |_| true).map(range);
    let Some(forecast) = &plan.forecast else {
        return match (plan.result, known_start(plan)) {
            (PlanResult::Blocked, _) => "not before the block is gone".to_owned(),
            (_, Some(until)) => format!("not before {}", zone.both(until)),
            (PlanResult::Waiting, None) => "not known".to_owned(),
            (PlanResult::Ready | PlanResult::Converged, None) => {
                takes.map_or_else(|| "at once".to_owned(), |takes| format!("at once, for {takes}"))
            }
        };
    };
    let fits = match (forecast.window_closes, forecast.fits) {
        (None, _) => String::new(),
        (Some(_), true) => "; fits the window".to_owned(),
        (Some(closes), false) => {
            let start = if work::starts_at_once(plan) { closes } else { forecast.starts };
            format!("; does not fit the window, which closes at {}", zone.hour(closes, start))
        }
    };
    if work::starts_at_once(plan) {
        let takes = (
            forecast.ends.duration_since(forecast.starts),
            forecast.ends_latest.duration_since(forecast.starts),
        );
        return format!("at once, for {}{fits}", range(takes));
    }
    format!(
        "{} to {}, at the latest {}{fits}",
        zone.both(forecast.starts),
        zone.hour(forecast.ends, forecast.starts),
        zone.hour(forecast.ends_latest, forecast.starts)
    )
}

/// What a reviewer should not overlook.
fn look_at(plan: &Plan) -> String {
    let mut parts = Vec::new();
    if work::loses_content(plan) {
        parts.push("**content is lost**".to_owned());
    }
    if plan.forecast.as_ref().is_some_and(|forecast| !forecast.fits) {
        parts.push("**does not fit its window**".to_owned());
    }
    let mut codes: Vec<String> = plan.blocked.iter().map(|block| format!("{:?}", block.code)).collect();
    codes.dedup();
    parts.extend(codes.iter().take(4).map(|code| format!("`{code}`")));
    let waits = plan.waiting.iter().filter(|waiting| waiting.on != WaitingOn::Window);
    parts.extend(waits.map(|waiting| format!("waits: {:?}", waiting.on)));
    let requirements = work::requirements(plan);
    let missing = requirements.iter().filter(|(found, _)| found.state == RequirementState::Missing).count();
    let counted = [
        (missing, "missing requirement"),
        (plan.warnings.len(), "warning"),
        (plan.known_issues.introduced.len(), "new known issue"),
        (plan.breaking_changes.brought.len(), "breaking change"),
    ];
    parts
        .extend(counted.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| plural(count, noun)));
    parts.join(", ")
}

fn omitted(rows: usize, left_out: &[&Entry]) -> String {
    let mut out = String::new();
    if rows > 0 {
        put!(out, "{} more changed are not in the table. ", plural(rows, "cluster"));
    }
    if let Some(first) = left_out.first() {
        put!(
            out,
            "The details of {} do not fit into a comment; `dataminer-reconciler plan` shows them where the clusters are \
             named, from {} on, and `-o json` all of them.",
            plural(left_out.len(), "cluster"),
            code(first.cluster.as_str())
        );
    }
    if !out.is_empty() {
        out.push_str("\n\n");
    }
    out
}

/// What stands below the clusters: those that do not change, and new warnings about the manifests.
fn tail(review: &Review, room: usize) -> String {
    let mut out = String::new();
    if review.unchanged > 0 {
        match review.unchanged {
            1 => out.push_str("1 other cluster does not change."),
            count => put!(out, "{count} other clusters do not change."),
        }
        if !review.same_plan.is_empty() {
            let named: Vec<String> =
                review.same_plan.iter().take(10).map(|name| code(name.as_str())).collect();
            let more = review.same_plan.len() - named.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            put!(out, " The manifests change of {}{more}, their plans do not.", named.join(", "));
        }
        out.push('\n');
    }
    let warnings = review.manifests.texts().len();
    if warnings > 0 {
        put!(
            out,
            "\n<details><summary>{} about the manifests</summary>\n\n{}\n</details>\n",
            plural(warnings, "new warning"),
            review.manifests.markdown(room)
        );
    }
    out
}
