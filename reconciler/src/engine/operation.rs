//! Drives the execution machine of the core: journal, effect, outcome, again.
//!
//! # Caveats
//!
//! Every await here may be the last one of the process. Whatever is not in the journal by then did not happen;
//! what is intended there and not answered is looked for on the Agents by the next run.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use dataminer_core::{
    canary::is_canary,
    exec::{
        checks::{CheckFinding, Verdict},
        effect::{Effect, EffectKind, JobEnd, Outcome},
        finish::Finish,
        journal::{JournalEntry, Record, Replay, Started},
        machine::{Machine, Next as Step},
        policy::{ExecPolicy, Scope},
    },
    summarize::OperationView,
};
use dataminer_schema::{
    id::JobId,
    plan::{Action, Disruption, Plan},
    status::ProgressStatus,
};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{
    AgentPort, Progress,
    cluster::ClusterLoop,
    next::{Next, until},
    now,
    ownership::Claim,
    publish::PROGRESS_PACE,
};
use crate::store::{EventKind, OperationId, PlanRow, RequestKind, StoreError};

/// The operation at hand.
struct Operation {
    id: OperationId,
    machine: Machine,
    generation: u64,
    /// Of what was wanted when it was begun.
    desired: dataminer_schema::id::Sha256,
    progress: ProgressStatus,
    published_at: Timestamp,
    /// The index of the step that was announced last.
    announced: Option<usize>,
    step_begun_at: Timestamp,
    /// What the step at hand did, as far as its duration goes.
    did: Did,
    /// The last job that was asked for.
    job: Option<JobId>,
}

/// What a step did, for estimates. Only what did its whole work under the eyes of this process tells how long that
/// takes: not a step that found it done, nor one that another process began. A step that failed never comes to be
/// counted: it ended early, or at a time limit.
#[derive(Clone, Copy, Debug, Default)]
struct Did {
    /// An earlier process began it.
    resumed: bool,
    /// A job of it ended, with or without success.
    job: bool,
    /// Bytes went to an Agent.
    sent: bool,
}

impl Did {
    /// Whether the duration of a step of this kind counts. `prepared`: what it prepares was there before.
    fn counts(self, action: Action, prepared: bool) -> bool {
        !self.resumed
            && match action {
                Action::StagePackage => self.sent,
                Action::SaveBackup => !prepared,
                Action::UpgradeCore
                | Action::UpgradeWeb
                | Action::DowngradeCore
                | Action::DowngradeWeb
                | Action::InstallHotfix
                | Action::RestoreContent
                | Action::ReinstallModule
                | Action::RunTool => self.job,
                // The checks of a package are a job too; one that ran ahead is only asked for its findings.
                Action::RunPrerequisites => self.job && !prepared,
                Action::BackupAgent | Action::RunHook | Action::VerifyCluster | Action::CleanUp => true,
                // How long a person takes is no property of the cluster.
                Action::Manual => false,
            }
    }
}

/// What ended waiting for an effect or for time.
enum Heard<T> {
    Done(T),
    /// Something else is wanted, or an operator asked for something.
    Interrupted,
    Stopped,
}

impl<P: AgentPort> ClusterLoop<P> {
    /// Begins and runs an operation of `plan`.
    pub(super) async fn operate(
        &mut self,
        row: PlanRow,
        plan: &Plan,
        scope: Scope,
    ) -> Result<Next, StoreError> {
        let generation = match self.claim().await? {
            Claim::Ours(generation) => generation,
            Claim::Rival(_) | Claim::Stopped => return Ok(Next::Now),
            Claim::Failed(failure) => return self.failed(failure).await,
        };
        self.carry_out(generation, row, plan, scope).await
    }

    /// The same under a generation that was claimed.
    pub(super) async fn carry_out(
        &mut self,
        generation: u64,
        row: PlanRow,
        plan: &Plan,
        scope: Scope,
    ) -> Result<Next, StoreError> {
        let mut policy = ExecPolicy::for_plan(plan).hurried(self.shared.config.hurry);
        policy.scope = scope;
        if let Some(limit) = self.canary_limit.filter(|_| is_canary(plan)) {
            policy.web_job = limit;
        }
        let last = self.shared.store.last_attempt(&self.name, &plan.id).await?;
        policy.first_attempt = first_attempt(last, generation, policy.max_attempts);
        let at = now();
        let started = Started {
            cluster: self.name.clone(),
            plan: plan.id.clone(),
            commit: self.target.desired.commit.clone(),
            desired: self.target.desired.digest.clone(),
            generation,
            first_attempt: policy.first_attempt,
            preparation: scope == Scope::Preparation,
        };
        let first = JournalEntry { at, record: Record::OperationStarted(started) };
        let id = self.shared.store.begin_operation(&self.name, row, &first).await?;
        if scope == Scope::Whole {
            let message =
                format!("{:?} begins: plan {}, {} steps", plan.change, plan.id.short(), plan.steps.len());
            let mut event = self.event(EventKind::OperationStarted, message);
            event.plan = Some(plan.id.clone());
            self.record(event).await;
        }
        let machine = Machine::new(
            plan.clone(),
            (*self.target.desired).clone(),
            Arc::clone(&self.target.catalog),
            policy,
            at,
        )
        .knowing(self.target.knowledge.clone());
        self.execute(Operation::new(id, machine, generation, self.target.desired.digest.clone()), scope).await
    }

    /// Takes up what a crash left; `None` if there is nothing.
    pub(super) async fn resume(&mut self) -> Result<Option<Next>, StoreError> {
        let Some(stored) = self.shared.store.unfinished_operation(&self.name).await? else { return Ok(None) };
        // First the generation, then the journal: a predecessor that still lives can do no harm after this.
        let generation = match self.claim().await? {
            Claim::Ours(generation) => generation,
            Claim::Rival(_) | Claim::Stopped => return Ok(Some(Next::Now)),
            Claim::Failed(failure) => {
                // The operation stays unfinished: nothing else may begin before its fate is known.
                let next = match self.failed(failure).await? {
                    Next::Now => Next::After(self.shared.config.observe),
                    later => later,
                };
                return Ok(Some(next));
            }
        };
        let replay = Replay::of(&stored.journal);
        let begun_with = replay.started.map(|started| started.desired.clone());
        let preparation = replay.started.is_some_and(|started| started.preparation);
        let scope = if preparation { Scope::Preparation } else { Scope::Whole };
        let message = format!("plan {} is taken up again after a restart", stored.plan.id.short());
        let mut event = self.event(EventKind::OperationResumed, message);
        event.plan = Some(stored.plan.id.clone());
        self.record(event).await;
        let machine = Machine::resume(
            stored.plan.clone(),
            (*self.target.desired).clone(),
            Arc::clone(&self.target.catalog),
            ExecPolicy::for_plan(&stored.plan).hurried(self.shared.config.hurry),
            &stored.journal,
            now(),
        )
        .knowing(self.target.knowledge.clone());
        let desired = begun_with.unwrap_or_else(|| self.target.desired.digest.clone());
        self.plan = Some((stored.row, stored.plan));
        self.resumed();
        let mut operation = Operation::new(stored.id, machine, generation, desired);
        operation.did.resumed = true;
        let next = self.execute(operation, scope).await?;
        Ok(Some(next))
    }

    async fn execute(&mut self, mut operation: Operation, scope: Scope) -> Result<Next, StoreError> {
        // A receiver of its own: the loop still has to see the change when the operation is over.
        let mut targets = self.targets.clone();
        loop {
            self.heed(&mut operation).await?;
            let at = now();
            match operation.machine.next(at) {
                Step::Effect(effect) => {
                    self.announce(&mut operation).await;
                    if let Some(job) = effect.kind.job_id() {
                        operation.job = Some(job.clone());
                    }
                    self.append(&operation, at, Record::Intent { effect: effect.clone() }).await?;
                    match self.perform(&mut operation, &effect).await {
                        Heard::Done(outcome) => {
                            let at = now();
                            self.append(
                                &operation,
                                at,
                                Record::Outcome { effect: effect.id, outcome: outcome.for_journal() },
                            )
                            .await?;
                            self.keep_observation(&outcome).await?;
                            self.tell_checks(&operation, &effect, &outcome).await;
                            self.prove_account(&effect.kind, &outcome).await?;
                            operation.did.job |=
                                matches!(outcome, Outcome::JobEnded(_) | Outcome::Checked(_));
                            operation.did.sent |= operation.progress.bytes_done.is_some();
                            operation.machine.handle(at, effect.id, outcome);
                        }
                        Heard::Interrupted => {
                            operation.machine.drop_effect();
                        }
                        Heard::Stopped => return Ok(Next::Now),
                    }
                    self.steps_ended(&mut operation).await?;
                }
                Step::Wait { on, until: at } => {
                    operation.progress.note = Some(format!("waiting for {on}"));
                    self.show(&mut operation, true).await;
                    let stop = self.stop.clone();
                    tokio::select! {
                        () = tokio::time::sleep(until(now(), at)) => {}
                        () = self.wake.notified() => {}
                        Ok(()) = targets.changed() => {}
                        () = stop.cancelled() => return Ok(Next::Now),
                    }
                }
                Step::Finished(finish) => {
                    self.append(&operation, now(), Record::Finished { finish: finish.clone() }).await?;
                    self.finished(&operation, &finish, scope).await;
                    if is_canary(operation.machine.plan()) {
                        return self.canary_ended(operation.machine.plan(), operation.job, &finish).await;
                    }
                    let id = operation.machine.plan().id.clone();
                    return self.conclude(&finish, scope, &id).await;
                }
            }
        }
    }

    /// Passes on to the machine what changed outside.
    async fn heed(&mut self, operation: &mut Operation) -> Result<(), StoreError> {
        if self.targets.borrow().desired.digest != operation.desired {
            operation.machine.supersede();
        }
        for stored in self.shared.store.open_requests(&self.name).await? {
            match stored.request.kind {
                RequestKind::Abort => operation.machine.abort(),
                RequestKind::Takeover => {
                    let message =
                        "takeover was not done: an operation of this process runs, the cluster is its own";
                    self.record(self.event(EventKind::OperatorRequest, message.to_owned())).await;
                }
                // Between two operations.
                RequestKind::Retry
                | RequestKind::Reconcile
                | RequestKind::Restore { .. }
                | RequestKind::Canary
                | RequestKind::Approve { .. } => continue,
            }
            self.shared.store.request_handled(stored.id, now()).await?;
        }
        Ok(())
    }

    async fn perform(&mut self, operation: &mut Operation, effect: &Effect) -> Heard<Outcome> {
        let (sender, mut receiver) = mpsc::channel(64);
        // A job is not given up for a commit or a request; everything else is an ensure and may be.
        let job = effect.kind.is_job();
        let heavy = matches!(effect.kind, EffectKind::StagePackage { .. } | EffectKind::SaveBackup { .. });
        let begun = Instant::now();
        let (stop, wake, shared) = (self.stop.clone(), Arc::clone(&self.wake), Arc::clone(&self.shared));
        let mut targets = self.targets.clone();
        let heard = {
            let port = &self.port;
            let generation = operation.generation;
            let mut work = std::pin::pin!(async {
                let _slot =
                    if heavy { shared.metrics.in_queue(shared.slots.acquire()).await.ok() } else { None };
                match effect.kind {
                    EffectKind::Observe => Outcome::Observed(Box::new(port.observe().await)),
                    _ => port.perform(generation, effect, &sender).await,
                }
            });
            loop {
                tokio::select! {
                    biased;
                    outcome = &mut work => break Heard::Done(outcome),
                    Some(progress) = receiver.recv() => {
                        note(&mut operation.progress, progress);
                        if now().duration_since(operation.published_at) >= PROGRESS_PACE {
                            operation.published_at = now();
                            self.publish(view(operation)).await;
                        }
                    }
                    () = stop.cancelled() => break Heard::Stopped,
                    () = wake.notified(), if !job => break Heard::Interrupted,
                    Ok(()) = targets.changed(), if !job => {
                        if targets.borrow_and_update().desired.digest != operation.desired {
                            break Heard::Interrupted;
                        }
                    }
                }
            }
        };
        if job {
            let result = match &heard {
                Heard::Done(Outcome::JobEnded(_)) => "ended",
                Heard::Done(_) => "failed",
                Heard::Interrupted | Heard::Stopped => "left",
            };
            let action =
                operation.machine.step().map(|step| format!("{:?}", step.action)).unwrap_or_default();
            self.shared.metrics.acted(&action, result, begun.elapsed());
        }
        heard
    }

    async fn append(&self, operation: &Operation, at: Timestamp, record: Record) -> Result<(), StoreError> {
        self.shared.store.append(operation.id, &JournalEntry { at, record }).await
    }

    async fn keep_observation(&mut self, outcome: &Outcome) -> Result<(), StoreError> {
        if let Outcome::Observed(observation) = outcome {
            self.shared.store.observed(observation).await?;
            self.observation = Some((**observation).clone());
        }
        Ok(())
    }

    /// Tells the history which prerequisites did not simply pass; one that failed ends the operation and is told then.
    async fn tell_checks(&self, operation: &Operation, effect: &Effect, outcome: &Outcome) {
        for message in unclear(&effect.kind, outcome) {
            tracing::warn!(cluster = %self.name, "{message}");
            let mut event = self.event(EventKind::PrerequisiteUnclear, message);
            event.plan = Some(operation.machine.plan().id.clone());
            event.step = Some(effect.step.clone());
            self.record(event).await;
        }
    }

    /// Publishes, and tells the history of each step as it begins.
    async fn announce(&mut self, operation: &mut Operation) {
        let index = operation.machine.steps_done();
        let fresh = operation.announced != Some(index);
        if fresh {
            operation.announced = Some(index);
            operation.progress = ProgressStatus {
                steps_done: index,
                steps: operation.machine.plan().steps.len(),
                ..Default::default()
            };
            if let Some(step) = operation.machine.step() {
                let to = step.to.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
                let mut event =
                    self.event(EventKind::StepStarted, format!("step {}: {:?}{to}", step.id, step.action));
                event.plan = Some(operation.machine.plan().id.clone());
                event.step = Some(step.id.clone());
                event.action = Some(step.action);
                self.record(event).await;
            }
        }
        self.show(operation, fresh).await;
    }

    async fn show(&self, operation: &mut Operation, always: bool) {
        if always || now().duration_since(operation.published_at) >= PROGRESS_PACE {
            operation.published_at = now();
            self.publish(view(operation)).await;
        }
    }

    /// Tells the history and the estimates of the step that was at hand, if it is done.
    async fn steps_ended(&mut self, operation: &mut Operation) -> Result<(), StoreError> {
        let Some(before) = operation.announced.filter(|before| *before < operation.machine.steps_done())
        else {
            return Ok(());
        };
        let Some(step) = operation.machine.plan().steps.get(before) else { return Ok(()) };
        let took = operation.machine.step_started_at().duration_since(operation.step_begun_at);
        let mut event =
            self.event(EventKind::StepFinished, format!("step {}: {:?} done", step.id, step.action));
        event.plan = Some(operation.machine.plan().id.clone());
        event.step = Some(step.id.clone());
        event.action = Some(step.action);
        event.duration = Some(took);
        let plan = operation.machine.plan();
        let ahead = plan.steps.iter().take(before).all(|step| step.disruption == Disruption::None);
        let prepared = ahead && self.prepared.as_ref() == Some(&plan.id);
        // A settle of its own is the rule's, and says nothing of other looks.
        // How long a canary takes is no measure of what upgrades stage and run.
        let counts = step.settle.is_none() && !is_canary(plan);
        if counts && operation.did.counts(step.action, prepared) {
            let agents = Self::agents_of(plan, before);
            self.shared.store.record_duration(&self.name, step.action, agents, took, now()).await?;
            self.durations = None;
        }
        self.record(event).await;
        operation.step_begun_at = operation.machine.step_started_at();
        operation.did = Did::default();
        Ok(())
    }

    async fn finished(&self, operation: &Operation, finish: &Finish, scope: Scope) {
        let plan = operation.machine.plan();
        let (kind, reason, message) = match finish {
            Finish::Succeeded if scope == Scope::Preparation => return,
            Finish::Succeeded => {
                (EventKind::OperationFinished, None, format!("plan {} is done", plan.id.short()))
            }
            Finish::Paused { reason, message, .. } => {
                (EventKind::OperationFinished, Some(format!("{reason:?}")), message.clone())
            }
            Finish::Failed { failure } => {
                (EventKind::OperationFailed, Some(failure.reason.clone()), failure.message.clone())
            }
        };
        let mut event = self.event(kind, message);
        event.plan = Some(plan.id.clone());
        event.reason = reason;
        event.duration = Some(now().duration_since(operation.machine.started_at()));
        self.record(event).await;
    }
}

impl Operation {
    fn new(
        id: OperationId,
        machine: Machine,
        generation: u64,
        desired: dataminer_schema::id::Sha256,
    ) -> Self {
        let step_begun_at = machine.step_started_at();
        Self {
            id,
            machine,
            generation,
            desired,
            progress: ProgressStatus::default(),
            published_at: Timestamp::UNIX_EPOCH,
            announced: None,
            step_begun_at,
            did: Did::default(),
            job: None,
        }
    }
}

/// Job ids never come back with another meaning: not after the last attempt that the store knows, and, since the store
/// may be new or an older copy, not with a number that an earlier generation may have used on the Agents.
fn first_attempt(last: u32, generation: u64, max_attempts: u32) -> u32 {
    let earlier = u32::try_from(generation.saturating_sub(1)).unwrap_or(u32::MAX);
    earlier.saturating_mul(max_attempts).max(last).saturating_add(1)
}

/// One sentence for each prerequisite that did not simply pass, with all Agents of which it says the same.
fn unclear(kind: &EffectKind, outcome: &Outcome) -> Vec<String> {
    match (kind, outcome) {
        (_, Outcome::Checked(checked)) => {
            let mut told: BTreeMap<(&str, &str, &str), Vec<&str>> = BTreeMap::new();
            for CheckFinding { agent, check, verdict, message } in &checked.findings {
                let word = match verdict {
                    Verdict::Failed => continue,
                    Verdict::Warned => "warns",
                    Verdict::Unknown => "has no known result",
                };
                told.entry((check, word, message)).or_default().push(agent.as_str());
            }
            let sentence = |((check, word, message), agents): (_, Vec<&str>)| {
                format!("prerequisite {check} {word} on {}: {message}", agents.join(", "))
            };
            told.into_iter().map(sentence).collect()
        }
        (EffectKind::RunPrerequisites(run), Outcome::JobEnded(end)) => {
            let how = match end {
                JobEnd::Exited { code, .. } => format!("ended with {code}"),
                JobEnd::Vanished => "were killed".to_owned(),
                JobEnd::Refused { reason } => format!("did not begin ({reason:?})"),
                JobEnd::TimedOut { .. } => "still ran at their deadline".to_owned(),
            };
            vec![format!(
                "the prerequisites of {} {how} (job {}): their results are not known",
                run.package.file, run.id
            )]
        }
        _ => Vec::new(),
    }
}

fn view(operation: &Operation) -> Option<OperationView<'_>> {
    let machine = &operation.machine;
    Some(OperationView {
        plan: &machine.plan().id,
        step: machine.step()?,
        started_at: machine.started_at(),
        step_started_at: machine.step_started_at(),
        deadline: machine.deadline(),
        progress: operation.progress.clone(),
    })
}

fn note(status: &mut ProgressStatus, progress: Progress) {
    match progress {
        Progress::Bytes { done, total, agent } => {
            status.bytes_done = Some(done);
            status.bytes = Some(total);
            status.note = Some(format!("{agent}: {done} of {total} bytes"));
        }
        Progress::Log { agent, line } => status.note = Some(format!("{agent}: {line}")),
        Progress::Note(note) => status.note = Some(note),
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Did, first_attempt};

    #[test]
    fn only_steps_that_did_their_whole_work_tell_how_long_it_takes() {
        let job = Did { job: true, ..Did::default() };
        assert!(job.counts(Action::UpgradeCore, false));
        assert!(!Did::default().counts(Action::UpgradeCore, false), "the Agents showed it already");
        assert!(!Did { resumed: true, ..job }.counts(Action::UpgradeCore, false), "begun by another process");
        assert!(Did { sent: true, ..Did::default() }.counts(Action::StagePackage, false));
        assert!(!Did::default().counts(Action::StagePackage, false), "the package lay there already");
        assert!(Did::default().counts(Action::SaveBackup, false));
        assert!(!Did::default().counts(Action::SaveBackup, true), "it was saved ahead of the window");
        assert!(Did::default().counts(Action::VerifyCluster, false));
        assert!(!job.counts(Action::Manual, false));
    }

    #[test]
    fn attempts_of_two_generations_or_two_operations_share_no_number() {
        assert_eq!(first_attempt(0, 1, 3), 1);
        assert_eq!(first_attempt(3, 1, 3), 4, "what the store knows");
        // Without the store: the generation before may have used 4, 5 and 6.
        assert_eq!(first_attempt(0, 3, 3), 7);
        assert_eq!(first_attempt(u32::MAX, u64::MAX, 3), u32::MAX);
    }
}
