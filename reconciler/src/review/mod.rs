//! What a reviewer of an upgrade pull request sees: what each changed cluster will do, when, how long, what is lost.
//!
//! A [`Review`] is data made of plans; [`comment`] writes it as Markdown, the command line as a table or JSON. Nothing
//! in it is of the time of its making: equal plans give equal text, so that a comment that did not change is not edited.
//! Start reading in [`Review::between`], and in `escape.rs` for what foreign text may do in a comment: nothing.

/// Appends to a String, which cannot fail.
macro_rules! put {
    ($out:expr, $($arguments:tt)*) => {{
        use std::fmt::Write as _;
        let _infallible = $out.write_fmt(format_args!($($arguments)*));
    }};
}

mod comment;
mod details;
pub(crate) mod escape;
mod manifests;
pub(crate) mod work;
pub(crate) mod zone;

use std::collections::BTreeMap;

use dataminer_core::{
    desired::resolve,
    plan::{Difference, differences},
};
use dataminer_schema::{
    id::{ClusterName, CommitId, Sha256},
    plan::{FORMAT_VERSION, Plan, PlanResult},
    v1::cluster::Cluster,
};
use serde::Serialize;

use self::zone::Zone;
pub(crate) use self::{comment::when, details::subject};
pub use self::{
    comment::{GITHUB_LIMIT, MARK, comment},
    manifests::Manifests,
};

/// The clusters of one commit, each with its plan.
#[derive(Clone, Debug, Default)]
pub struct Side {
    clusters: BTreeMap<ClusterName, Planned>,
}

#[derive(Clone, Debug)]
struct Planned {
    plan: Plan,
    zone: Zone,
    digest: Sha256,
    /// Where its main Agents are: what tells a cluster that was renamed.
    places: Vec<String>,
}

impl Side {
    /// Clusters and their plans, one for each in the same order.
    pub fn new(clusters: &[Cluster], plans: Vec<Plan>) -> Self {
        let planned = |(cluster, plan): (&Cluster, Plan)| {
            let planned = Planned {
                plan,
                zone: Zone::of(cluster),
                digest: resolve(cluster.clone(), None).digest,
                places: cluster.agents.iter().map(|agent| agent.member.host.clone()).collect(),
            };
            (cluster.name.clone(), planned)
        };
        Self { clusters: clusters.iter().zip(plans).map(planned).collect() }
    }
}

/// What stands in a review of a cluster.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    pub cluster: ClusterName,
    pub standing: Standing,
    /// Its name before, where its Agents' addresses say that it is the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<ClusterName>,
    /// The plan without the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Plan>,
    /// The plan with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Plan>,
    /// How the two differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    #[serde(skip)]
    zone: Zone,
}

impl Entry {
    /// What a reader is told of.
    fn plan(&self) -> Option<&Plan> {
        self.head.as_ref()
    }

    /// The zone of the cluster's windows.
    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }
}

/// Why a cluster stands in a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Standing {
    /// Something is to be done; there is nothing to compare with.
    Planned,
    /// The change brings it.
    Added,
    /// The change makes another plan of it.
    Changed,
    /// The change takes it out of the manifests.
    Removed,
}

/// What is to be shown of the clusters of a fleet, or of what a change does to them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    format_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<CommitId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<CommitId>,
    /// By what a reader should see first.
    pub clusters: Vec<Entry>,
    /// How many others there are.
    pub unchanged: usize,
    /// Those among the others whose manifests changed in what planning reads, and whose plans did not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub same_plan: Vec<ClusterName>,
    /// What the manifests themselves are accused of.
    pub manifests: Manifests,
}

impl Review {
    /// The plans of a fleet: whatever is not converged.
    pub fn of(side: Side) -> Self {
        let mut review = Self::empty();
        for (cluster, Planned { plan, zone, .. }) in side.clusters {
            if plan.result == PlanResult::Converged {
                review.unchanged += 1;
                continue;
            }
            review.clusters.push(Entry {
                cluster,
                standing: Standing::Planned,
                renamed_from: None,
                base: None,
                head: Some(plan),
                differences: Vec::new(),
                zone,
            });
        }
        review.sorted()
    }

    /// What a change does: clusters whose plans differ, each with both.
    pub fn between(base: Side, head: Side) -> Self {
        let mut review = Self::empty();
        let mut base = base.clusters;
        let mut added = Vec::new();
        for (cluster, now) in head.clusters {
            let Some(then) = base.remove(&cluster) else {
                added.push((cluster, now));
                continue;
            };
            if then.plan == now.plan && then.zone == now.zone {
                if then.digest != now.digest {
                    review.same_plan.push(cluster);
                }
                review.unchanged += 1;
                continue;
            }
            review.clusters.push(Entry {
                cluster,
                standing: Standing::Changed,
                renamed_from: None,
                differences: differences(&then.plan, &now.plan),
                base: Some(then.plan),
                head: Some(now.plan),
                zone: now.zone,
            });
        }
        for (cluster, now) in added {
            let renamed_from = base
                .iter()
                .find(|(_, then)| !then.places.is_empty() && then.places == now.places)
                .map(|(name, _)| name.clone());
            review.clusters.push(Entry {
                cluster,
                standing: Standing::Added,
                renamed_from,
                base: None,
                head: Some(now.plan),
                differences: Vec::new(),
                zone: now.zone,
            });
        }
        for (cluster, then) in base {
            review.clusters.push(Entry {
                cluster,
                standing: Standing::Removed,
                renamed_from: None,
                base: Some(then.plan),
                head: None,
                differences: Vec::new(),
                zone: then.zone,
            });
        }
        review.sorted()
    }

    /// Manifests that cannot be planned.
    pub fn broken(manifests: Manifests) -> Self {
        Self { manifests, ..Self::empty() }
    }

    /// The same with what the manifests themselves are accused of.
    #[must_use]
    pub fn with_manifests(self, manifests: Manifests) -> Self {
        Self { manifests, ..self }
    }

    /// The same with the commits that were compared: the comment does not name them, for a push that changes no plan
    /// shall not change its text.
    #[must_use]
    pub fn of_commits(mut self, base: &CommitId, head: &CommitId) -> Self {
        for entry in &mut self.clusters {
            for (plan, commit) in [(&mut entry.base, base), (&mut entry.head, head)] {
                if let Some(plan) = plan {
                    plan.commit = Some(commit.clone());
                }
            }
        }
        Self { base: Some(base.clone()), head: Some(head.clone()), ..self }
    }

    fn empty() -> Self {
        Self {
            format_version: FORMAT_VERSION,
            base: None,
            head: None,
            clusters: Vec::new(),
            unchanged: 0,
            same_plan: Vec::new(),
            manifests: Manifests::default(),
        }
    }

    fn sorted(mut self) -> Self {
        self.clusters.sort_by(|a, b| (urgency(a), &a.cluster).cmp(&(urgency(b), &b.cluster)));
        self
    }
}

/// What a reader should see first: what is lost, what cannot be done, what will be done.
fn urgency(entry: &Entry) -> u8 {
    match entry.plan() {
        Some(plan) if work::loses_content(plan) => 0,
        Some(plan) => match plan.result {
            PlanResult::Blocked => 1,
            PlanResult::Ready => 2,
            PlanResult::Waiting => 3,
            PlanResult::Converged => 5,
        },
        None => 4,
    }
}

#[cfg(test)]
mod tests;
