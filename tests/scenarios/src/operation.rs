//! One operation: the execution machine, its journal, and the world that performs its effects.

use std::sync::Arc;

use dataminer_core::exec::{
    effect::{Effect, Outcome},
    finish::Finish,
    journal::{JournalEntry, Record, Replay, Started},
    machine::{Machine, Next as Step},
    policy::{ExecPolicy, Scope},
};
use dataminer_schema::{
    plan::{Plan, Step as PlanStep},
    v1::observation::Observation,
};
use jiff::Timestamp;

use crate::{process::Target, story::Teller, world::World};

/// An operation under way.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) machine: Machine,
    pub(crate) journal: Vec<JournalEntry>,
    pub(crate) scope: Scope,
    /// The last look at the Agents.
    pub(crate) observation: Option<Observation>,
    /// An effect that was asked for, and when it ends.
    asked: Option<(Effect, Timestamp, Timestamp)>,
}

/// How driving it ended.
#[derive(Debug)]
pub(crate) enum Drive {
    Finished(Finish),
    /// The time is over; it goes on later.
    Over,
    /// The process died here.
    Died,
}

impl Operation {
    /// Begins `plan`.
    pub(crate) fn begin(
        plan: Plan,
        scope: Scope,
        first_attempt: u32,
        target: &Target,
        now: Timestamp,
    ) -> Self {
        let mut policy = ExecPolicy::for_plan(&plan);
        policy.scope = scope;
        policy.first_attempt = first_attempt;
        let started = Started {
            cluster: plan.cluster.clone(),
            plan: plan.id.clone(),
            commit: None,
            desired: target.desired.digest.clone(),
            generation: 1,
            first_attempt,
            preparation: scope == Scope::Preparation,
        };
        let journal = vec![JournalEntry { at: now, record: Record::OperationStarted(started) }];
        let machine = Machine::new(plan, target.desired.clone(), Arc::clone(&target.catalog), policy, now);
        Self { machine, journal, scope, observation: None, asked: None }
    }

    /// Takes up what a crash left.
    pub(crate) fn resume(plan: Plan, journal: Vec<JournalEntry>, target: &Target, now: Timestamp) -> Self {
        let preparation = Replay::of(&journal).started.is_some_and(|started| started.preparation);
        let scope = if preparation { Scope::Preparation } else { Scope::Whole };
        let policy = ExecPolicy::for_plan(&plan);
        let machine =
            Machine::resume(plan, target.desired.clone(), Arc::clone(&target.catalog), policy, &journal, now);
        Self { machine, journal, scope, observation: None, asked: None }
    }

    /// The number of the last attempt at any job.
    pub(crate) fn last_attempt(&self) -> u32 {
        Replay::of(&self.journal).last_attempt
    }

    /// Goes on until it ends, `until` comes, or the process dies.
    ///
    /// # Errors
    /// A machine that does not come to an end.
    pub(crate) fn drive(
        &mut self,
        world: &mut World,
        until: Option<Timestamp>,
        teller: &mut Teller,
    ) -> Result<Drive, String> {
        for _ in 0..100_000 {
            if let Some((effect, began, ends)) = self.asked.take() {
                if until.is_some_and(|until| until < ends) {
                    world.now = until.unwrap_or(ends).max(world.now);
                    self.asked = Some((effect, began, ends));
                    return Ok(Drive::Over);
                }
                world.now = ends.max(world.now);
                if self.end(world, &effect, began, teller) {
                    return Ok(Drive::Died);
                }
            }
            match self.machine.next(world.now) {
                Step::Effect(effect) => {
                    self.append(world.now, Record::Intent { effect: effect.clone() });
                    if teller.dies(true, &effect.kind) {
                        return Ok(Drive::Died);
                    }
                    let ends = world
                        .now
                        .checked_add(world.takes(&effect.kind))
                        .map_err(|error| error.to_string())?;
                    self.asked = Some((effect, world.now, ends));
                }
                Step::Wait { until: at, .. } => {
                    if until.is_some_and(|until| until < at) {
                        world.now = until.unwrap_or(at).max(world.now);
                        return Ok(Drive::Over);
                    }
                    if at <= world.now {
                        return Err("the machine waits for the past".to_owned());
                    }
                    world.now = at;
                }
                Step::Finished(finish) => {
                    self.append(world.now, Record::Finished { finish: finish.clone() });
                    return Ok(Drive::Finished(finish));
                }
            }
        }
        Err("the machine does not come to an end".to_owned())
    }

    /// The process dies here and now. A job on the Agents goes on by itself.
    pub(crate) fn die(&mut self, world: &mut World) {
        if let Some((effect, _, _)) = self.asked.take().filter(|(effect, _, _)| effect.kind.is_job()) {
            if let Some(step) = self.step_of(&effect) {
                world.perform(&effect.kind, &step);
            }
        }
    }

    /// The effect ends; whether the process dies before it hears of that.
    fn end(&mut self, world: &mut World, effect: &Effect, began: Timestamp, teller: &mut Teller) -> bool {
        let fresh = !world.knows_job(&effect.kind);
        let Some(step) = self.step_of(effect) else { return false };
        let outcome = world.perform(&effect.kind, &step);
        if teller.dies(false, &effect.kind) {
            return true;
        }
        if fresh {
            teller.worked(began, &effect.kind, &outcome, world);
        }
        if let Outcome::Observed(observation) = &outcome {
            self.observation = Some((**observation).clone());
        }
        self.append(world.now, Record::Outcome { effect: effect.id, outcome: outcome.for_journal() });
        self.machine.handle(world.now, effect.id, outcome);
        false
    }

    fn step_of(&self, effect: &Effect) -> Option<PlanStep> {
        self.machine.plan().steps.iter().find(|step| step.id == effect.step).cloned()
    }

    fn append(&mut self, at: Timestamp, record: Record) {
        self.journal.push(JournalEntry { at, record });
    }
}
