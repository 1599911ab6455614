//! The work of a plan as windows see it: what runs ahead, and the parts between two gates (S7).

use dataminer_schema::{
    id::PlanId,
    plan::{Action, Disruption, ForecastBasis, Step},
    v1::cluster::WebUpgrades,
};
use jiff::{SignedDuration, Timestamp};

use super::{PlanInput, estimate};
use crate::window::{Calendar, Needs};

/// The steps of a plan that disturbs somebody, by what a window gates.
#[derive(Clone, Debug)]
pub(super) struct Work {
    /// What runs before any window; nothing once it is done.
    ahead: Span,
    /// What an operation begins with in its window, before it disturbs anybody: hooks, backups of Agents.
    lead: Span,
    /// From the first disruptive step on; never empty.
    parts: Vec<Part>,
    pub(super) basis: ForecastBasis,
}

/// From one gate to the next.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// The index of its first step.
    step: usize,
    gated: bool,
    span: Span,
}

#[derive(Clone, Copy, Debug, Default)]
struct Span {
    p50: SignedDuration,
    p95: SignedDuration,
}

/// Which course of things is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// Half of all are shorter.
    Half,
    /// Nineteen of twenty are shorter. That every step is slow at once is less likely still: the sum of the p95 of
    /// the steps errs on the side of a longer window.
    Most,
}

/// How the work goes, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) starts: Timestamp,
    pub(super) ends: Timestamp,
    /// The first step that has to wait for a later window, by its index, and that window's opening.
    pub(super) pause: Option<(usize, Timestamp)>,
}

impl Work {
    /// The work of `steps`; `None` where nobody is disturbed.
    pub(super) fn of(input: &PlanInput<'_>, id: &PlanId, steps: &[Step]) -> Option<Self> {
        let first = steps.iter().position(|step| step.disruption != Disruption::None)?;
        let prepared = input.state.prepared.as_ref() == Some(id);
        let (mut ahead, mut lead) = (Span::default(), Span::default());
        let mut parts: Vec<Part> = Vec::new();
        let (mut measured, mut assumed) = (0, 0);
        for (index, step) in steps.iter().enumerate() {
            let runs_ahead = index < first && is_preparation(step);
            // Behind the last look nobody waits for the clean-up.
            if step.action == Action::CleanUp || (runs_ahead && prepared) {
                continue;
            }
            // A settle of its own is the rule's, not the cluster's.
            let known = step.settle.is_none() && estimate::is_measured(input, step.action);
            *(if known { &mut measured } else { &mut assumed }) += 1;
            if index < first {
                (if runs_ahead { &mut ahead } else { &mut lead }).add(step);
                continue;
            }
            let gated = gates(input, step, index == first);
            if gated || index == first {
                parts.push(Part { step: index, gated, span: Span::default() });
            }
            if let Some(part) = parts.last_mut() {
                part.span.add(step);
            }
        }
        let basis = match (measured, assumed) {
            (0, _) => ForecastBasis::Defaults,
            (_, 0) => ForecastBasis::History,
            _ => ForecastBasis::Mixed,
        };
        Some(Self { ahead, lead, parts, basis })
    }

    /// Whether any of it waits for a window.
    pub(super) fn is_gated(&self) -> bool {
        self.parts.iter().any(|part| part.gated)
    }

    /// What it asks of the window that it begins in.
    pub(super) fn needs(&self) -> Needs {
        Needs { ahead_p50: self.ahead.p50, ahead_p95: self.ahead.p95, ..self.rest(0) }
    }

    /// What the parts from `index` on ask of a window that they begin in.
    fn rest(&self, index: usize) -> Needs {
        let (mut last_p95, mut whole_p95) = (SignedDuration::ZERO, self.lead.p95);
        for part in self.parts.iter().skip(index) {
            if part.gated {
                last_p95 = whole_p95;
            }
            whole_p95 = whole_p95.saturating_add(part.span.p95);
        }
        Needs { first_p50: self.lead.p50, last_p95, whole_p95, ..Needs::default() }
    }

    /// The step at each gate, and how long after the present it is reached in nineteen of twenty cases.
    pub(super) fn gates_p95(&self) -> Vec<(usize, SignedDuration)> {
        let mut at = self.ahead.p95.saturating_add(self.lead.p95);
        let mut gates = Vec::new();
        for part in &self.parts {
            if part.gated {
                gates.push((part.step, at));
            }
            at = at.saturating_add(part.span.p95);
        }
        gates
    }

    /// How it goes if nothing holds it from `from` on and its window opens at `opens`; `None` where some step of it
    /// finds no window.
    pub(super) fn run(
        &self,
        calendar: &Calendar,
        from: Timestamp,
        opens: Timestamp,
        case: Case,
    ) -> Option<Run> {
        let mut at = plus(opens.max(plus(from, self.ahead.of(case))), self.lead.of(case));
        let mut starts = None;
        let mut pause = None;
        for (index, part) in self.parts.iter().enumerate() {
            if part.gated && !calendar.is_open(at) {
                // The operation ended at the closed window; what is left begins anew in a later one.
                let opens = calendar.room(at, &self.rest(index))?.opens;
                at = plus(opens, self.lead.p50);
                if index > 0 {
                    pause.get_or_insert((part.step, opens));
                }
            }
            starts.get_or_insert(at);
            at = plus(at, part.span.of(case));
        }
        Some(Run { starts: starts?, ends: at, pause })
    }
}

impl Span {
    fn add(&mut self, step: &Step) {
        if let Some(estimate) = step.estimate {
            self.p50 = self.p50.saturating_add(estimate.p50);
            self.p95 = self.p95.saturating_add(estimate.p95);
        }
    }

    fn of(self, case: Case) -> SignedDuration {
        match case {
            Case::Half => self.p50,
            Case::Most => self.p95,
        }
    }
}

/// S1: what runs ahead of the window, if it stands before everything that disturbs anybody.
pub(super) fn is_preparation(step: &Step) -> bool {
    matches!(step.action, Action::StagePackage | Action::RunPrerequisites | Action::SaveBackup)
}

/// Whether users notice the step and it is not the tail, which follows its hop: whatever stands before it is gated, or
/// nothing is.
pub(super) fn begins_disruption(step: &Step) -> bool {
    let tail = matches!(step.action, Action::RestoreContent | Action::ReinstallModule);
    !tail && step.disruption != Disruption::None
}

/// S7: a window holds each hop, and the first step that users notice; what follows a hop follows it at once.
fn gates(input: &PlanInput<'_>, step: &Step, first: bool) -> bool {
    let in_window = match step.disruption {
        Disruption::Restart => true,
        Disruption::WebServer => first && input.desired.cluster.upgrade.web_upgrades == WebUpgrades::InWindow,
        Disruption::None => false,
    };
    in_window && begins_disruption(step)
}

/// `at + duration`, at most the end of time.
pub(super) fn plus(at: Timestamp, duration: SignedDuration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}
