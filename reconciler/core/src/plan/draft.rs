//! What a plan gathers while the steps of the ladder run.

use dataminer_schema::{
    id::AgentName,
    plan::{Block, BlockCode, Change, ContentLoss, Step, Waiting, WaitingOn, Warning},
};
use jiff::Timestamp;

/// A plan in the making.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) change: Change,
    pub(super) steps: Vec<Step>,
    pub(super) blocked: Vec<Block>,
    pub(super) waiting: Vec<Waiting>,
    pub(super) warnings: Vec<Warning>,
    pub(super) content_loss: Option<ContentLoss>,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            change: Change::None,
            steps: Vec::new(),
            blocked: Vec::new(),
            waiting: Vec::new(),
            warnings: Vec::new(),
            content_loss: None,
        }
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
