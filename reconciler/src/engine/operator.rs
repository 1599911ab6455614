//! What operators ask for, done by the loop of the cluster between two operations.

use dataminer_core::exec::{
    effect::{Disposition, Effect, EffectKind, Failure, Outcome},
    finish::Finish,
    journal::{JournalEntry, Record},
};
use dataminer_schema::{
    id::{AgentName, JobId, Sha256},
    plan::Action,
    v1::observation::OwedWork,
};
use tokio::sync::mpsc;

use super::{AgentPort, cluster::ClusterLoop, next::Next, now, ownership::Claim};
use crate::store::{EventKind, OperatorRequest, RequestKind, StoreError, StoredRequest};

/// What came of a request.
pub(super) enum Heed {
    Done,
    /// It cannot be done now and is tried again; the failure says why.
    Later(Failure),
    /// Something else comes first.
    Waits,
    /// It cannot be done at all.
    Refused(Failure),
    Stopped,
}

impl<P: AgentPort> ClusterLoop<P> {
    /// Acts on what was asked for, oldest first; `Some` if the turn ends with it.
    pub(super) async fn heed_requests(&mut self) -> Result<Option<Next>, StoreError> {
        let open = self.shared.store.open_requests(&self.name).await?;
        let aborted = open.iter().rposition(|stored| stored.request.kind == RequestKind::Abort);
        if aborted.is_some_and(|at| at > 0) {
            // What stood in the way of it stands in nobody's way any more.
            self.forget_failure();
        }
        for (at, stored) in open.iter().enumerate() {
            // Whoever stops also stops what was asked for before and could not be done yet.
            let heed = if aborted.is_some_and(|aborted| at < aborted) {
                Heed::Done
            } else {
                self.heed_request(stored).await?
            };
            match heed {
                Heed::Stopped => return Ok(Some(Next::Now)),
                // Tried for as long as it is not aborted: somebody waits for it.
                Heed::Later(failure) => return Ok(Some(self.put_off(failure))),
                Heed::Waits => continue,
                Heed::Done => {}
                Heed::Refused(failure) => {
                    let mut event = self.event(
                        EventKind::OperatorRequest,
                        format!("{} was not done: {}", stored.request.kind, failure.message),
                    );
                    event.reason = Some(failure.reason.clone());
                    self.record(event).await;
                }
            }
            self.shared.store.request_handled(stored.id, now()).await?;
        }
        Ok(None)
    }

    async fn heed_request(&mut self, stored: &StoredRequest) -> Result<Heed, StoreError> {
        match &stored.request.kind {
            RequestKind::Retry => {
                self.forgive().await?;
                Ok(Heed::Done)
            }
            // Nothing is under way here; a turn follows in any case.
            RequestKind::Abort | RequestKind::Reconcile => Ok(Heed::Done),
            RequestKind::Takeover => self.take_over(&stored.request).await,
            RequestKind::Approve { plan } => self.approve(stored, plan).await,
            RequestKind::Canary => self.canary_on_request().await,
            RequestKind::Restore { backup } => self.owe_restore(stored.id, backup).await,
        }
    }

    /// Nothing that failed before counts any more.
    async fn forgive(&mut self) -> Result<(), StoreError> {
        self.shared.store.set_quarantine(&self.name, None).await?;
        self.quarantine = None;
        self.prepared = None;
        self.succeeded = None;
        self.forget_failure();
        Ok(())
    }

    /// Makes the Agents ours, whoever owned them before.
    ///
    /// Every part is done again after a crash, as the request stays open until the end.
    async fn take_over(&mut self, request: &OperatorRequest) -> Result<Heed, StoreError> {
        let stop = self.stop.clone();
        let holders = tokio::select! {
            holders = self.port.holders() => holders,
            () = stop.cancelled() => return Ok(Heed::Stopped),
        };
        let holders = match holders {
            Ok(holders) => holders,
            Err(failure) => return Ok(put_off(failure)),
        };
        let known = self.shared.store.generation(&self.name).await?;
        let generation = known.max(holders.generation) + 1;
        // The old marks are in the history before they are gone.
        let from: Vec<String> = holders.marks.iter().map(|(name, mark)| format!("{name}: {mark}")).collect();
        let from = if from.is_empty() { "nobody".to_owned() } else { from.join("; ") };
        let why = request.reason.as_deref().unwrap_or("no reason was given");
        let message = format!(
            "takes the cluster over under generation {generation} ({why}); the store ended at {known}, the Agents at {}; \
             marked before: {from}",
            holders.generation
        );
        self.record(self.event(EventKind::TakenOver, message)).await;
        self.shared.store.raise_generation(&self.name, generation).await?;
        let taken = tokio::select! {
            taken = self.port.take_over(generation) => taken,
            () = stop.cancelled() => return Ok(Heed::Stopped),
        };
        if let Err(failure) = taken {
            return Ok(put_off(failure));
        }
        self.give_up_unfinished(why).await?;
        // Given before somebody else acted, or in an older copy of the store.
        self.shared.store.forget_approval(&self.name).await?;
        self.approval = None;
        self.forgive().await?;
        self.sole = true;
        self.plan = None;
        self.observation = None;
        Ok(Heed::Done)
    }

    /// Ends what the journal holds unfinished: what the Agents are by now, nobody knows from this store.
    async fn give_up_unfinished(&mut self, why: &str) -> Result<(), StoreError> {
        let Some(stored) = self.shared.store.unfinished_operation(&self.name).await? else { return Ok(()) };
        let failure = Failure {
            disposition: Disposition::Stalled,
            reason: "TakenOver".to_owned(),
            message: format!("plan {} was given up by a takeover: {why}", stored.plan.id.short()),
            help: "The cluster is planned anew from what it shows.".to_owned(),
            agents: Vec::new(),
        };
        let mut event = self.event(EventKind::OperationFailed, failure.message.clone());
        event.plan = Some(stored.plan.id.clone());
        event.reason = Some(failure.reason.clone());
        let record = Record::Finished { finish: Finish::Failed { failure } };
        self.shared.store.append(stored.id, &JournalEntry { at: now(), record }).await?;
        self.record(event).await;
        Ok(())
    }

    /// Writes on every Agent that `backup` is to be restored; the next plan does it (D6).
    async fn owe_restore(&mut self, request: i64, backup: &Sha256) -> Result<Heed, StoreError> {
        // An operation that a crash left is taken up first; its own owed work may be what this asks for.
        if self.shared.store.unfinished_operation(&self.name).await?.is_some() {
            return Ok(Heed::Waits);
        }
        let generation = match self.claim().await? {
            Claim::Stopped => return Ok(Heed::Stopped),
            Claim::Rival(failure) | Claim::Failed(failure) => return Ok(put_off(failure)),
            Claim::Ours(generation) => generation,
        };
        let agents: Vec<AgentName> = self
            .target
            .desired
            .cluster
            .agents
            .iter()
            .flat_map(|agent| std::iter::once(&agent.member).chain(&agent.failover))
            .map(|member| member.name.clone())
            .collect();
        let work = vec![OwedWork {
            id: format!("operator-{request}").parse::<JobId>().ok(),
            action: Action::RestoreContent,
            backup: Some(backup.clone()),
            module: None,
        }];
        let effect = Effect { id: 0, step: "operator".to_owned(), kind: EffectKind::Owe { agents, work } };
        let (sender, _receiver) = mpsc::channel(1);
        let stop = self.stop.clone();
        let outcome = tokio::select! {
            outcome = self.port.perform(generation, &effect, &sender) => outcome,
            () = stop.cancelled() => return Ok(Heed::Stopped),
        };
        match outcome {
            Outcome::Failed(failure) => Ok(put_off(failure)),
            Outcome::Done
            | Outcome::Observed(_)
            | Outcome::Checked(_)
            | Outcome::Saved(_)
            | Outcome::Patched(_)
            | Outcome::JobEnded(_) => {
                let message =
                    format!("the content backup {} is to be restored on every Agent", backup.short());
                self.record(self.event(EventKind::OperatorRequest, message)).await;
                self.forgive().await?;
                Ok(Heed::Done)
            }
        }
    }
}

fn put_off(failure: Failure) -> Heed {
    match failure.disposition {
        Disposition::Retry => Heed::Later(failure),
        Disposition::Stalled => Heed::Refused(failure),
    }
}
