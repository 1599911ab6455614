//! What the machine makes of a look at the Agents, in each phase that asks for one.

use std::sync::Arc;

use dataminer_schema::{
    id::AgentName,
    plan::Step,
    v1::{
        cluster::Health,
        observation::{Observation, OperationState},
    },
};
use jiff::{SignedDuration, Timestamp};

use super::{
    effect::{Disposition, Failure, Job},
    expected::{Expected, is_core, is_tail},
    finish::{Finish, Pause, failure, reason},
    machine::Machine,
    phase::{Phase, Tries},
    policy::after,
    sight::{Sight, Standing, join},
    tools::{is_tool, may_repeat},
};

impl Machine {
    pub(super) fn observed(&mut self, now: Timestamp, observation: &Observation) {
        let Some(step) = self.step().cloned() else { return };
        // Borrowed apart from `self`, whose phase changes below.
        let (catalog, desired) = (Arc::clone(&self.catalog), self.desired.clone());
        let sight = Sight { observation, cluster: &desired.cluster, catalog: &catalog };
        let before = Expected::before(&self.plan, self.step);
        match self.phase.clone() {
            Phase::Gate(tries) if is_tail(step.action) => {
                self.repair_gate_observed(now, &sight, observation, tries);
            }
            Phase::Prove(proof) => self.prove_observed(now, &sight, proof),
            Phase::Gate(tries) => self.gate_observed(now, &sight, &step, &before, tries),
            Phase::Reattach { job, tries } => self.reattach_observed(now, &sight, &step, &before, job, tries),
            Phase::Watch { job, quiet_since, .. } => {
                self.watch_observed(now, &sight, &step, &before, job, quiet_since);
            }
            Phase::Verify { good_since, .. } => {
                let mut expected = before;
                if is_tool(step.action) {
                    expected.apply(&step);
                }
                self.verify_observed(now, &sight, &step, &expected, good_since);
            }
            Phase::Enter
            | Phase::Act(_)
            | Phase::Owe(_)
            | Phase::Run { .. }
            | Phase::Tail { .. }
            | Phase::Compare(_)
            | Phase::Acquit(_)
            | Phase::Withdraw { .. }
            | Phase::Finished(_) => {}
        }
    }

    fn gate_observed(
        &mut self,
        now: Timestamp,
        sight: &Sight<'_>,
        step: &Step,
        before: &Expected,
        tries: Tries,
    ) {
        // An operation that still runs is waited for even when every version looks right already.
        let standing = sight.standing(step, before);
        if standing == Standing::Reached && sight.running().is_none() {
            return self.complete(now);
        }
        match sight.ready() {
            Err(failure) if now.duration_since(tries.since) >= self.desired.cluster.health.timeout => {
                self.end_unless_changed(now, Finish::Failed { failure }, SignedDuration::ZERO);
            }
            Err(_) => {
                let next_at = after(now, self.poll());
                self.phase = Phase::Gate(Tries { next_at, ..tries });
            }
            Ok(()) if standing == Standing::Unchanged => self.proceed(now),
            Ok(()) => {
                let message = format!("the Agents do not show what step {} starts from", step.id);
                self.end(now, Finish::Paused { reason: Pause::Outdated, until: None, message });
            }
        }
    }

    fn reattach_observed(
        &mut self,
        now: Timestamp,
        sight: &Sight<'_>,
        step: &Step,
        before: &Expected,
        job: Box<Job>,
        tries: Tries,
    ) {
        if sight.job(&job).is_some_and(|state| state != OperationState::Unknown) {
            self.phase = Phase::Run { job, fresh: false };
            return;
        }
        match sight.standing(step, before) {
            Standing::Reached if sight.running().is_none() => self.complete(now),
            Standing::Unchanged if sight.ready().is_ok() => {
                if now >= job.deadline && is_tool(step.action) && !may_repeat(step, sight) {
                    self.tool_lost(now, &job);
                } else if now >= job.deadline {
                    self.next_attempt(now, &job);
                } else {
                    // It may never have been started, so the window counts; if it was, asking finds it.
                    self.phase = Phase::Run { job, fresh: true };
                }
            }
            _ if now >= job.deadline => {
                let failure = self.partial(sight, step, before, &job);
                self.fail(now, failure);
            }
            _ => {
                let failures = tries.failures + 1;
                let next_at = after(now, self.policy.backoff.pause(failures));
                self.phase = Phase::Reattach { job, tries: Tries { failures, next_at, ..tries } };
            }
        }
    }

    fn watch_observed(
        &mut self,
        now: Timestamp,
        sight: &Sight<'_>,
        step: &Step,
        before: &Expected,
        job: Box<Job>,
        quiet_since: Option<Timestamp>,
    ) {
        if sight.job(&job) == Some(OperationState::Running) {
            self.phase = Phase::Run { job, fresh: false };
            return;
        }
        let standing = sight.standing(step, before);
        if standing == Standing::Reached {
            return self.complete(now);
        }
        let quiet = standing == Standing::Unchanged && sight.ready().is_ok();
        let quiet_since = quiet.then(|| quiet_since.unwrap_or(now));
        if quiet_since.is_some_and(|since| now.duration_since(since) >= self.desired.cluster.health.settle) {
            if is_tool(step.action) && !may_repeat(step, sight) {
                return self.tool_lost(now, &job);
            }
            self.next_attempt(now, &job);
        } else if now >= job.deadline {
            let failure = self.partial(sight, step, before, &job);
            self.fail(now, failure);
        } else {
            let next_at = after(now, self.poll());
            self.phase = Phase::Watch { job, quiet_since, next_at };
        }
    }

    fn verify_observed(
        &mut self,
        now: Timestamp,
        sight: &Sight<'_>,
        step: &Step,
        expected: &Expected,
        good_since: Option<Timestamp>,
    ) {
        let Health { settle, timeout, .. } = self.desired.cluster.health;
        // What a step asks for besides is no reason to fail earlier.
        let hurry = self.policy.hurry.max(1);
        let longer = self
            .step()
            .and_then(|step| step.settle)
            .map(|longer| longer / hurry)
            .filter(|longer| *longer > settle);
        let timeout = longer.map_or(timeout, |longer| timeout.saturating_add(longer.saturating_sub(settle)));
        let settle = longer.unwrap_or(settle);
        let wrong = sight.wrong(expected);
        if wrong.is_empty() {
            let since = good_since.unwrap_or(now);
            if now.duration_since(since) >= settle {
                return if self.closes_tail() { self.tail_verified(now) } else { self.complete(now) };
            }
            self.phase = Phase::Verify { good_since: Some(since), next_at: after(now, self.poll()) };
        } else if now.duration_since(self.step_started_at) >= timeout {
            let count = sight.observation.agents.len();
            let agents: Vec<AgentName> = wrong.keys().map(|name| (*name).clone()).collect();
            let tool = is_tool(step.action);
            let (code, first) = match sight.wrong_version(expected) {
                0 => (reason::VERIFY_FAILED, "the Agents did not become healthy"),
                n if n == count && tool => (reason::TOOL_FAILED, "no Agent shows what the tool was run for"),
                _ if tool => {
                    (reason::TOOL_FAILED, "some Agents show what the tool was run for and others do not")
                }
                n if n == count => (reason::UPGRADE_FAILED, "no Agent shows the new version"),
                _ => (reason::PARTIAL_UPGRADE, "some Agents show the new version and others do not"),
            };
            let failure = failure(
                Disposition::Stalled,
                code,
                format!("{first} within {:#}: {}", timeout, join(&wrong)),
                "Look at the Agents' state in System Center, at VersionHistory.txt, and at the progress.log of the package; \
                 when the cause is gone, run `retry`.",
                agents,
            );
            let finish = Finish::Failed { failure };
            if code == reason::UPGRADE_FAILED {
                self.end_unless_changed(now, finish, SignedDuration::ZERO);
            } else {
                self.end(now, finish);
            }
        } else {
            self.phase = Phase::Verify { good_since: None, next_at: after(now, self.poll()) };
        }
    }

    fn partial(&self, sight: &Sight<'_>, step: &Step, before: &Expected, job: &Job) -> Failure {
        let mut expected = before.clone();
        expected.apply(step);
        let wrong = sight.wrong(&expected);
        failure(
            Disposition::Stalled,
            reason::PARTIAL_UPGRADE,
            format!(
                "job {} ended without an exit code and the Agents do not agree: {}",
                job.id,
                join(&wrong)
            ),
            runbook(step),
            wrong.keys().map(|name| (*name).clone()).collect(),
        )
    }
}

/// What to do with Agents that do not agree.
fn runbook(step: &Step) -> String {
    if is_tool(step.action) {
        return "BrokerGateway and the legacy NATS do not work together in one cluster. On each Agent named, look at the end \
                of progress.log of the package: if it still runs, let it end. Then finish the migration there by hand, on \
                all of them together (NATSMigration.exe in the folder Tools of DataMiner), and wait until every Agent shows \
                BrokerGateway and is Running. Then run `retry`: the cluster is looked at and planned afresh."
            .to_owned();
    }
    let (package, to) = (step.package.as_deref().unwrap_or("?"), step.to.as_deref().unwrap_or("?"));
    let unlike = if is_core(step.action) {
        "Agents of different versions must not run together: they corrupt data. Stop DataMiner on the Agents named. "
    } else {
        "Keep users off the web apps of the Agents named. "
    };
    format!(
        "{unlike}On each, look at the end of progress.log of the package: if an installation still runs, let it end. \
         Then install {package} on those that do not show {to}, with the Taskbar Utility and without the other Agents; \
         start what is stopped, and wait until every Agent is Running and shows {to}. Then run `retry`: the cluster \
         is looked at and planned afresh."
    )
}
