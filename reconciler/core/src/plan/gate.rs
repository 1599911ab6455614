//! What must pass before the plan may go on: suspension, quarantine, retries, approvals and windows (S7). Sets `ready`.

use dataminer_schema::{
    id::PlanId,
    plan::{Action, Change, Disruption, Step, WaitingOn},
    v1::cluster::{Approval, WebUpgrades},
};
use jiff::{SignedDuration, Timestamp};

use super::{PlanInput, draft::Draft};
use crate::window::{WindowState, window_state};

/// Fills in `waiting` and each step's `ready`. `id` is what an approval stands for; nothing here changes it.
pub(super) fn plan_gate(input: &PlanInput<'_>, id: &PlanId, draft: &mut Draft) {
    if draft.steps.is_empty() && draft.blocked.is_empty() {
        return;
    }
    held(input, draft);
    let held = !draft.waiting.is_empty();
    let unapproved = approval(input, id, draft);
    let closed = match window(input, draft) {
        // Preparations disrupt nobody, so nobody approves them; a window that is far off still holds them.
        None if unapproved => Some(true),
        closed => closed,
    };
    let blocked = !draft.blocked.is_empty();
    let first_change = draft.steps.iter().position(|step| step.disruption != Disruption::None);
    for (index, step) in draft.steps.iter_mut().enumerate() {
        step.ready = match (blocked || held, closed) {
            (true, _) => false,
            (false, None) => true,
            // S1: preparations run ahead of the window.
            (false, Some(prepare)) => prepare && is_preparation(step, index, first_change),
        };
    }
}

fn is_preparation(step: &Step, index: usize, first_change: Option<usize>) -> bool {
    first_change.is_none_or(|first| index < first) && prepares(step.action)
}

fn prepares(action: Action) -> bool {
    matches!(action, Action::StagePackage | Action::RunPrerequisites | Action::SaveBackup)
}

fn held(input: &PlanInput<'_>, draft: &mut Draft) {
    if input.desired.cluster.suspend {
        draft.wait(WaitingOn::Suspended, None, "the manifest says `suspend: true`");
    }
    if let Some(reason) = &input.state.suspended {
        draft.wait(WaitingOn::Suspended, None, format!("an operator suspended the cluster: {reason}"));
    }
    if let Some(quarantine) = &input.state.quarantine
        && quarantine.desired == input.desired.digest
    {
        draft.wait(
            WaitingOn::Quarantine,
            None,
            format!(
                "this wanted state failed before ({}): change the manifest, or `retry`",
                quarantine.reason
            ),
        );
    }
    // D5: a repair waits for no wave and no soak time.
    let passed =
        |on: WaitingOn| draft.change == Change::Repair && matches!(on, WaitingOn::Wave | WaitingOn::Soak);
    let held: Vec<_> = input.state.held.iter().filter(|waiting| !passed(waiting.on)).cloned().collect();
    draft.waiting.extend(held);
    if let Some(retry) = &input.state.retry
        && retry.at > input.now
    {
        draft.wait(
            WaitingOn::Retry,
            Some(retry.at),
            format!("attempt {} failed: {}", retry.attempts, retry.reason),
        );
    }
}

/// Asks for an operator's approval of this very plan, where the manifest demands one; whether it is open.
///
/// A plan that is blocked is not asked about: what clears the block may make another plan of it.
fn approval(input: &PlanInput<'_>, id: &PlanId, draft: &mut Draft) -> bool {
    let cluster = &input.desired.cluster;
    let approved = input.state.approved.as_ref() == Some(id);
    // The tail is never held (S7): a plan of owed work is a tail without a hop.
    if approved || !draft.blocked.is_empty() || !draft.steps.iter().any(begins_disruption) {
        return false;
    }
    let why = match cluster.approval {
        Approval::Never => return false,
        Approval::Downgrades if falls(draft) => "versions fall",
        Approval::Downgrades => return false,
        Approval::Always => "the manifest says `approval: Always`",
    };
    let name = &cluster.name;
    draft.wait(
        WaitingOn::Approval,
        None,
        format!(
            "{why}, so an operator approves plan {id} besides the merge: `dataminer-reconciler approve {name} {id}`"
        ),
    );
    true
}

/// Whether anything goes down: the core, the web apps, or, with newer web apps, the content that they wrote.
fn falls(draft: &Draft) -> bool {
    let down = |step: &Step| {
        matches!(step.action, Action::DowngradeCore | Action::DowngradeWeb | Action::RestoreContent)
    };
    matches!(draft.change, Change::Downgrade | Change::WebDowngrade) || draft.steps.iter().any(down)
}

/// Whether users notice the step and it is not the tail, which follows its hop: whatever stands before it is gated, or
/// nothing is.
fn begins_disruption(step: &Step) -> bool {
    let tail = matches!(step.action, Action::RestoreContent | Action::ReinstallModule);
    !tail && step.disruption != Disruption::None
}

/// `None` where disruptive work may start now; else whether preparations may run already.
fn window(input: &PlanInput<'_>, draft: &mut Draft) -> Option<bool> {
    let upgrade = &input.desired.cluster.upgrade;
    let in_window = |step: &Step| match step.disruption {
        Disruption::Restart => true,
        Disruption::WebServer => upgrade.web_upgrades == WebUpgrades::InWindow,
        Disruption::None => false,
    };
    let gated = draft.steps.iter().any(|step| begins_disruption(step) && in_window(step));
    if !gated {
        return None;
    }
    let state = window_state(&input.desired.cluster.windows, input.now);
    let needed = needed(&draft.steps);
    if state.open {
        let left = state.closes_at.map(|end| input.now.duration_until(end));
        if left.is_none_or(|left| needed <= left) {
            return None;
        }
        // Not the minutes left: the same plan keeps the same words from round to round.
        let end =
            state.closes_at.map(|end| end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
        let message = format!(
            "by the estimate (p95) the work takes {} min, longer than the window is open (until {end})",
            needed.as_mins()
        );
        if !state.fit_required {
            draft.warn("WindowTooShort", "S7", message);
            return None;
        }
        // Behind this window's end, so that the next opening is not this one.
        let behind = state.closes_at.unwrap_or(input.now);
        let next = window_state(&input.desired.cluster.windows, behind);
        let until = if next.open { Some(behind) } else { next.next_open };
        draft.wait(WaitingOn::Window, until, format!("{message}; `fit: Require` waits for the next one"));
        return Some(true);
    }
    warn_if_too_short(&state, needed, draft);
    draft.wait(WaitingOn::Window, state.next_open, state.reason.clone());
    Some(state.next_open.is_some_and(|next| is_near(input.now, next, upgrade.stage_ahead)))
}

fn is_near(now: Timestamp, next: Timestamp, stage_ahead: SignedDuration) -> bool {
    now.duration_until(next) <= stage_ahead
}

fn warn_if_too_short(state: &WindowState, needed: SignedDuration, draft: &mut Draft) {
    let (Some(open), Some(close)) = (state.next_open, state.next_close) else { return };
    let length = open.duration_until(close);
    if needed > length {
        let waits = if state.fit_required { "; with `fit: Require` it will never start there" } else { "" };
        draft.warn(
            "WindowTooShort",
            "S7",
            format!(
                "by the estimate (p95) the work takes {} min and the next window lasts {} min{waits}",
                needed.as_mins(),
                length.as_mins()
            ),
        );
    }
}

/// From behind the preparations, which run ahead of the window, to the end, in nineteen of twenty cases.
fn needed(steps: &[Step]) -> SignedDuration {
    let from_first = steps.iter().skip_while(|step| prepares(step.action));
    let work = from_first.filter(|step| step.action != Action::CleanUp);
    work.filter_map(|step| step.estimate)
        .fold(SignedDuration::ZERO, |sum, estimate| sum.saturating_add(estimate.p95))
}
