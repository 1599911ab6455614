//! When a plan could become another one by time alone.

use dataminer_schema::{
    plan::{Action, Plan, WaitingOn},
    v1::cluster::DowngradePolicy,
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::{PlanInput, forecast::Outlook, presence::STALE_AFTER, work::Work};

/// The next time after `input.now` at which `plan`, which was made from `input`, could come out otherwise although
/// nothing else has changed: windows open, reach their cutoff and close; work no longer fits; preparations may begin;
/// a retry is due; the observation becomes too old; an Advisory, the leave to downgrade or the support of the wanted
/// release ends (at midnight UTC).
/// `None`: never. It may name a time at which nothing changes after all.
///
/// Approvals do not expire in this release. A forecast that counts from the present moves on without this, and so does
/// the end of the four years in which windows are looked for.
#[must_use]
pub fn next_change(input: &PlanInput<'_>, plan: &Plan) -> Option<Timestamp> {
    let mut edges = vec![input.observation.and_then(|seen| just_after(seen.taken_at, STALE_AFTER))];
    let cluster = &input.desired.cluster;
    let accepted = cluster.advisories.iter().filter(|advisory| advisory.accept);
    edges.extend(accepted.map(|advisory| day_after(advisory.expires)));
    if cluster.downgrade.policy == DowngradePolicy::Allow {
        edges.push(cluster.downgrade.until.and_then(day_after));
    }
    let changes =
        plan.steps.iter().any(|step| matches!(step.action, Action::UpgradeCore | Action::DowngradeCore));
    if let Some(support) = input.knowledge.support_of(&cluster.software.core).filter(|_| changes) {
        edges.extend([support.supported_until, support.limited_support_until].map(day_after));
    }
    for waiting in &plan.waiting {
        edges.push(waiting.until);
        if waiting.on == WaitingOn::Window {
            // S1: from here on preparations run.
            edges.push(waiting.until.and_then(|until| until.checked_sub(cluster.upgrade.stage_ahead).ok()));
        }
    }
    if let Some(work) = Work::of(input, &plan.id, &plan.steps).filter(Work::is_gated) {
        edges.extend(window_edges(&Outlook::of(input, work, &plan.waiting), input.now));
    }
    edges.into_iter().flatten().filter(|edge| *edge > input.now).min()
}

/// The edges of windows, and when the work no longer fits the one that it shall begin in: what starts now starts later
/// with every minute.
fn window_edges(outlook: &Outlook<'_>, now: Timestamp) -> Vec<Option<Timestamp>> {
    let Outlook { work, calendar, from, room, closed: _ } = outlook;
    let mut edges = vec![calendar.next_edge(now)];
    if now < *from {
        edges.push(calendar.next_edge(*from));
    }
    let Some(room) = room else { return edges };
    let needs = work.needs();
    let before = |at: Timestamp, duration| at.checked_sub(duration).ok();
    if *from < room.opens {
        // From here on preparations that have not run by then delay the start.
        edges.push(before(room.opens, needs.ahead_p95).and_then(|at| just_after(at, SignedDuration::ZERO)));
    }
    if let Some(cutoff) = room.cutoff {
        edges.push(before(cutoff, needs.ahead_p50.saturating_add(needs.first_p50)));
        edges.extend(work.gates_p95().into_iter().map(|(_, gate)| before(cutoff, gate)));
    }
    if let Some(closes) = room.closes {
        let whole = needs.ahead_p95.saturating_add(needs.whole_p95);
        edges.push(before(closes, whole).and_then(|at| just_after(at, SignedDuration::ZERO)));
    }
    edges
}

/// The first instant later than `at + duration`.
fn just_after(at: Timestamp, duration: SignedDuration) -> Option<Timestamp> {
    at.checked_add(duration.saturating_add(SignedDuration::from_nanos(1))).ok()
}

/// When the day after `day` begins in UTC.
fn day_after(day: Date) -> Option<Timestamp> {
    let next = day.tomorrow().ok()?;
    Some(next.to_zoned(TimeZone::UTC).ok()?.timestamp())
}
