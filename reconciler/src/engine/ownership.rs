//! Whose the cluster is: the check before anything is done to it, and the generation under which it is done.
//!
//! # Guarantees
//!
//! * A generation is in the store before it is raised on an Agent. So the store of whoever acted last knows at
//!   least the generation that the Agents show, and a crash in between never looks like a rival.
//! * A store that acted before and meets a higher generation than it knows does nothing: it is an older copy of the
//!   store, or another process uses the same installation name. Only `takeover` heals that.
//! * A store that never acted takes the Agents as it finds them: theirs is the only memory.

use dataminer_core::exec::{
    effect::{Disposition, Failure},
    finish::reason,
};
use dataminer_schema::id::ClusterName;

use super::{AgentPort, cluster::ClusterLoop, next::Next};
use crate::store::StoreError;

/// What came of a claim.
pub(super) enum Claim {
    /// The cluster is ours under this generation.
    Ours(u64),
    /// Somebody else acted since; what is wrong is said by [`ClusterLoop::check_sole`], which is asked first from
    /// now on.
    Rival(Failure),
    Failed(Failure),
    /// The loop is to stop.
    Stopped,
}

impl<P: AgentPort> ClusterLoop<P> {
    /// Whether this store is the one that acted last, asked until the Agents have said so once; `Some` where it is
    /// not, or where the loop is to stop.
    pub(super) async fn check_sole(&mut self) -> Result<Option<Next>, StoreError> {
        if self.sole {
            return Ok(None);
        }
        let known = self.shared.store.generation(&self.name).await?;
        if known == 0 {
            self.sole = true;
            return Ok(None);
        }
        let stop = self.stop.clone();
        let newest = tokio::select! {
            newest = self.port.newest_generation() => newest,
            () = stop.cancelled() => return Ok(Some(Next::Now)),
        };
        let Ok(newest) = newest else {
            // An Agent that cannot be asked, or is somebody else's, is the planner's to name; nothing begins without
            // a claim, which asks again.
            return Ok(None);
        };
        let Some(failure) = rival(&self.name, known, newest) else {
            self.sole = true;
            return Ok(None);
        };
        // Looking is allowed, so that the status shows what the Agents are.
        if !self.observe().await? {
            return Ok(Some(Next::Now));
        }
        self.plan = None;
        self.failure = Some(failure);
        Ok(Some(Next::After(self.shared.config.observe)))
    }

    /// Takes the cluster under a new generation.
    pub(super) async fn claim(&mut self) -> Result<Claim, StoreError> {
        let known = self.shared.store.generation(&self.name).await?;
        let stop = self.stop.clone();
        let newest = tokio::select! {
            newest = self.port.newest_generation() => newest,
            () = stop.cancelled() => return Ok(Claim::Stopped),
        };
        let newest = match newest {
            Ok(newest) => newest,
            Err(failure) => return Ok(Claim::Failed(failure)),
        };
        if let Some(failure) = rival(&self.name, known, newest) {
            self.sole = false;
            return Ok(Claim::Rival(failure));
        }
        let generation = known.max(newest) + 1;
        self.shared.store.raise_generation(&self.name, generation).await?;
        let claimed = tokio::select! {
            claimed = self.port.claim(generation) => claimed,
            () = stop.cancelled() => return Ok(Claim::Stopped),
        };
        Ok(claimed.map_or_else(Claim::Failed, |()| Claim::Ours(generation)))
    }
}

/// Why a store that knows `known` may not act on Agents that show `newest`, if it may not.
fn rival(cluster: &ClusterName, known: u64, newest: u64) -> Option<Failure> {
    if known == 0 || newest <= known {
        return None;
    }
    Some(Failure {
        disposition: Disposition::Stalled,
        reason: reason::MANAGED_ELSEWHERE.to_owned(),
        message: format!(
            "the Agents of {cluster} show generation {newest}, this store ends at {known}: it is an older copy of the \
             store, or a second process uses the same installation name"
        ),
        help: format!(
            "If another process manages the cluster, stop one of the two. If this store was restored from a backup, or \
             shall manage the cluster from now on: `dataminer-reconciler takeover {cluster} --reason TEXT`."
        ),
        agents: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_store_that_acted_and_knows_less_has_a_rival() {
        let name: ClusterName = "brussels".parse().expect("a cluster name");
        for (known, newest) in [(0, 0), (0, 7), (7, 7), (7, 3), (7, 0)] {
            assert_eq!(rival(&name, known, newest), None, "{known} {newest}");
        }
        let failure = rival(&name, 3, 7).expect("a rival");
        assert_eq!(
            (failure.reason.as_str(), failure.disposition),
            ("ManagedElsewhere", Disposition::Stalled)
        );
        assert!(failure.help.contains("takeover brussels --reason"), "{}", failure.help);
    }
}
