//! Where a step stands.

use jiff::Timestamp;

use super::{effect::Job, finish::Finish, proof::Proof, tail::TailJob};

/// Where the step at hand stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Enter,
    /// Looking at the Agents before a disruptive step.
    Gate(Tries),
    /// Asking for an effect that disturbs nobody.
    Act(Tries),
    /// The notes of what the coming job will owe.
    Owe(Tries),
    /// The job may be asked for. `fresh`: it was not asked for before, so the window counts.
    Run {
        job: Box<Job>,
        fresh: bool,
    },
    /// The job was asked for and its fate is not known: look before asking again.
    Reattach {
        job: Box<Job>,
        tries: Tries,
    },
    /// The job is gone without an exit code: the Agents tell what it did.
    Watch {
        job: Box<Job>,
        quiet_since: Option<Timestamp>,
        next_at: Timestamp,
    },
    /// What a job left owed: asked for under one id until its fate is known.
    Tail {
        work: TailJob,
        tries: Tries,
    },
    Verify {
        good_since: Option<Timestamp>,
        next_at: Timestamp,
    },
    /// The content of every Agent is held against the backup that was put back.
    Compare(Tries),
    /// The notes of verified work go.
    Acquit(Tries),
    /// The first job seems to have changed nothing: the Agents must show it before the notes go.
    Prove(Proof),
    /// Nothing was changed, so nothing is owed: the notes go, then the operation ends so.
    Withdraw {
        finish: Finish,
        tries: Tries,
    },
    Finished(Finish),
}

/// Counting failures of one thing in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tries {
    pub(super) since: Timestamp,
    pub(super) failures: u32,
    pub(super) next_at: Timestamp,
}

impl Tries {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { since: now, failures: 0, next_at: now }
    }
}
