//! What must pass before the plan may go on: suspension, quarantine, retries, approvals and windows (S7). Sets `ready`.

use dataminer_schema::{
    id::PlanId,
    plan::{Action, Change, Disruption, Step, WaitingOn},
    v1::cluster::Approval,
};

use super::{
    PlanInput,
    draft::Draft,
    forecast::Outlook,
    work::{Work, begins_disruption, is_preparation},
};
use crate::window::second;

/// Fills in `waiting`, each step's `ready`, and the forecast. `id` is what an approval stands for; nothing here changes it.
pub(super) fn plan_gate(input: &PlanInput<'_>, id: &PlanId, draft: &mut Draft) {
    if draft.steps.is_empty() && draft.blocked.is_empty() {
        return;
    }
    held(input, draft);
    let held = !draft.waiting.is_empty();
    let unapproved = approval(input, id, draft);
    let outlook = Work::of(input, id, &draft.steps).map(|work| Outlook::of(input, work, &draft.waiting));
    let closed = match outlook.as_ref().and_then(|outlook| window(input, outlook, draft)) {
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
            (false, Some(prepare)) => {
                prepare && first_change.is_none_or(|first| index < first) && is_preparation(step)
            }
        };
    }
    if draft.blocked.is_empty() {
        draft.forecast = outlook.and_then(|outlook| outlook.forecast(&draft.waiting));
    }
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

/// S7. `None` where disruptive work may start as far as windows go; else whether preparations may run already.
fn window(input: &PlanInput<'_>, outlook: &Outlook<'_>, draft: &mut Draft) -> Option<bool> {
    if !outlook.work.is_gated() {
        return None;
    }
    if let Some(message) = outlook.too_short(&draft.steps) {
        draft.warn("WindowTooShort", "S7", message);
    }
    let state = outlook.closed.as_ref()?;
    let opens = outlook.room.map(|room| room.opens);
    // By its times, not by the minutes left: the same plan keeps the same words from round to round.
    let more = match opens {
        Some(opens) if state.open && state.fit_required => format!(
            ", but by the estimate (p95) the work does not fit any more; `fit: Require` waits for the one that opens at {}",
            second(opens)
        ),
        Some(opens) if state.open => format!(
            ", but by the estimate (p50) the preparations end past its cutoff: they run now, and the work starts at once if \
             they are done in time, else in the one that opens at {}",
            second(opens)
        ),
        Some(opens) if state.next_open != Some(opens) => {
            format!("; the first with room for the work opens at {}", second(opens))
        }
        Some(_) => String::new(),
        None if state.open || state.next_open.is_some() => "; none has room for the work".to_owned(),
        None => String::new(),
    };
    if let Some(opens) = opens {
        draft.warn_of_ending_advice(opens);
    }
    let message = format!("{}{more}", state.reason);
    draft.wait(WaitingOn::Window, opens, message);
    let near = |opens| input.now.duration_until(opens) <= input.desired.cluster.upgrade.stage_ahead;
    // Preparations that are done make more room in a window that is open.
    Some(state.open || opens.is_some_and(near))
}
