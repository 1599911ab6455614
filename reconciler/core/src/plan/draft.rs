//! What a plan gathers while the steps of the ladder run.

use dataminer_schema::{
    id::AgentName,
    plan::{
        Block, BlockCode, BreakingChanges, Change, ContentLoss, Forecast, KnownIssues, Step, Waiting,
        WaitingOn, Warning,
    },
    v1::advisory::Advisory,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::PlanInput;
use crate::window::second;

/// A plan in the making.
#[derive(Debug)]
pub(super) struct Draft {
    /// What Advisories that count on this day say of known issues.
    advice: Vec<Advice>,
    /// The known issues that Advisories accepted until a day that has passed, each with what a reader is told of it.
    expired: Vec<(String, String)>,
    pub(super) change: Change,
    pub(super) steps: Vec<Step>,
    pub(super) blocked: Vec<Block>,
    pub(super) waiting: Vec<Waiting>,
    pub(super) warnings: Vec<Warning>,
    pub(super) forecast: Option<Forecast>,
    pub(super) known_issues: KnownIssues,
    pub(super) breaking_changes: BreakingChanges,
    pub(super) content_loss: Option<ContentLoss>,
}

/// What an Advisory says of a known issue.
#[derive(Debug)]
pub(super) struct Advice {
    issue: String,
    /// Whether it accepts the issue; else it only records it.
    pub(super) accepts: bool,
    /// What a reader is told of it.
    pub(super) told: String,
    /// Its name, and the last day on which it counts.
    name: String,
    expires: Date,
}

impl Advice {
    fn of(advisory: &Advisory) -> Self {
        let Advisory { name, issue, accept, clusters: _, reason, expires } = advisory;
        let done = if *accept { "accepted" } else { "recorded" };
        let told = format!("{done} by the Advisory {name} until {expires}: {reason}");
        Self { issue: issue.clone(), accepts: *accept, told, name: name.clone(), expires: *expires }
    }
}

impl Draft {
    pub(super) fn new(input: &PlanInput<'_>) -> Self {
        let today = input.now.to_zoned(TimeZone::UTC).date();
        let advisories = input.desired.cluster.advisories.iter();
        let (counting, over): (Vec<&Advisory>, Vec<_>) =
            advisories.partition(|advisory| advisory.counts_on(today));
        let over = over.into_iter().filter(|advisory| advisory.accept);
        let renew = |advisory: &Advisory| {
            let Advisory { name, expires, .. } = advisory;
            format!("renew the Advisory {name}, which accepted it until {expires}, if its reason still holds")
        };
        Self {
            advice: counting.into_iter().map(Advice::of).collect(),
            expired: over.map(|advisory| (advisory.issue.clone(), renew(advisory))).collect(),
            change: Change::None,
            steps: Vec::new(),
            blocked: Vec::new(),
            waiting: Vec::new(),
            warnings: Vec::new(),
            forecast: None,
            known_issues: KnownIssues::default(),
            breaking_changes: BreakingChanges::default(),
            content_loss: None,
        }
    }

    /// What an Advisory says of a known issue; one that accepts it goes before one that records it.
    pub(super) fn advice(&self, issue: &str) -> Option<&Advice> {
        let about = || self.advice.iter().filter(|advice| advice.issue == issue);
        about().find(|advice| advice.accepts).or_else(|| about().next())
    }

    /// Records what a person or a commit must act on. `agents` is empty where it is about the whole cluster.
    pub(super) fn block(
        &mut self,
        code: BlockCode,
        agents: Vec<AgentName>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let block = Block { code, message: message.into(), help: help.into(), agents };
        if !self.blocked.contains(&block) {
            self.blocked.push(block);
        }
    }

    /// Records a known issue that hits this change: a block, or a warning where an Advisory accepts it.
    pub(super) fn known_issue(
        &mut self,
        issue: Option<&str>,
        agents: Vec<AgentName>,
        message: String,
        help: String,
    ) {
        let advice = issue.and_then(|issue| self.advice(issue));
        let accepted = advice.filter(|advice| advice.accepts).map(|advice| advice.told.clone());
        match (issue, accepted) {
            (Some(issue), Some(told)) => self.warn("KnownIssue", issue, format!("{message}; {told}")),
            (Some(issue), None) => {
                let expired = self.expired.iter().find(|(expired, _)| expired == issue);
                let accept =
                    expired.map_or("accept the issue by an Advisory, with the reason", |(_, told)| told);
                let help = format!("{help}; or {accept}");
                self.block(BlockCode::KnownIssue, agents, message, help);
            }
            (None, _) => self.block(BlockCode::KnownIssue, agents, message, help),
        }
    }

    /// Warns of Advisories that this plan rests on, and that count no more when its window opens.
    pub(super) fn warn_of_ending_advice(&mut self, opens: Timestamp) {
        let day = opens.to_zoned(TimeZone::UTC).date();
        let rests_on = |advice: &&Advice| {
            let told = |warning: &Warning| {
                warning.code == "KnownIssue" && warning.reference.as_deref() == Some(advice.issue.as_str())
            };
            advice.accepts && advice.expires < day && self.warnings.iter().any(told)
        };
        let ending = |advice: &Advice| {
            let Advice { issue, name, expires, .. } = advice;
            let message = format!(
                "the Advisory {name} accepts {issue} until {expires}, and the work begins at {}: renew it before, \
                 or the plan blocks by then",
                second(opens)
            );
            (issue.clone(), message)
        };
        let found: Vec<(String, String)> = self.advice.iter().filter(rests_on).map(ending).collect();
        for (issue, message) in found {
            self.warn("AdvisoryEnds", &issue, message);
        }
    }

    /// Records a known issue that may hit this change and does not stop it, with what an Advisory says of it.
    pub(super) fn warn_of_issue(&mut self, issue: &str, message: String) {
        let told = self.advice(issue).map(|advice| format!("; {}", advice.told)).unwrap_or_default();
        self.warn("KnownIssue", issue, message + &told);
    }

    /// Records what a reviewer should know. `reference` is a rule or a known issue.
    pub(super) fn warn(&mut self, code: &str, reference: &str, message: impl Into<String>) {
        let reference = (!reference.is_empty()).then(|| reference.to_owned());
        let warning = Warning { code: code.to_owned(), reference, message: message.into() };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Records what must pass first.
    pub(super) fn wait(&mut self, on: WaitingOn, until: Option<Timestamp>, message: impl Into<String>) {
        self.waiting.push(Waiting { on, until, message: message.into() });
    }
}

/// Names in a sentence: `a`, `a and b`, `a, b and 7 more`.
pub(super) fn list(names: &[AgentName]) -> String {
    const SHOWN: usize = 5;
    match names {
        [] => "no Agent".to_owned(),
        [only] => only.to_string(),
        [first @ .., last] if names.len() <= SHOWN => {
            let first: Vec<&str> = first.iter().map(AgentName::as_str).collect();
            format!("{} and {last}", first.join(", "))
        }
        _ => {
            let first: Vec<&str> = names.iter().take(SHOWN - 1).map(AgentName::as_str).collect();
            format!("{} and {} more", first.join(", "), names.len() - first.len())
        }
    }
}
