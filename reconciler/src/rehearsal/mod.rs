//! A rehearsal: the plan of a cluster carried out by the real engine and the real driver, on a simulated copy of it.
//!
//! `copy` turns an Observation into a simulation and says what it had to assume; `shelf` makes look-alikes of the
//! catalogue's packages; `play` runs the engine; `transcript` and `content` tell what happened, from the
//! engine's journal and from the simulated disks; `judge` makes the [`Report`] of it.
//!
//! # What a rehearsal does not show
//! Windows count as open and approvals as given. Packages are look-alikes of some kilobytes, so room on disks and times
//! of uploads are those of the forecast alone. How long simulated Agents take is invented as everything in
//! `dms-simulator` is that the product does not document.

mod comment;
mod content;
mod copy;
mod judge;
mod play;
mod port;
mod report;
mod shelf;
mod staged;
mod transcript;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use camino::Utf8Path;
use dataminer_core::{catalog::Catalog, knowledge::Knowledge};
use dataminer_schema::{
    id::{AgentName, ClusterName, CommitId},
    plan::{Plan, PlanResult},
    v1::{
        cluster::Cluster,
        observation::{Backup, Observation},
    },
};
use dms_simulator::ClusterSpec;
use jiff::Timestamp;

pub(crate) use self::{
    comment::{comment, kept, why},
    report::about,
};
pub use self::{
    report::{Assumption, ContentReport, Played, Rehearsals, Report, StepEnd, Transcript, Verdict},
    shelf::Shelf,
};
use crate::review::zone::Zone;

/// What is rehearsed: a cluster as it is wanted, as it was seen, and the plan that follows from both.
#[derive(Clone, Debug)]
pub struct Subject {
    pub cluster: Cluster,
    pub observation: Option<Observation>,
    /// What the vault holds.
    pub vault: Vec<Backup>,
    pub plan: Plan,
    pub commit: Option<CommitId>,
}

/// What all rehearsals of a call share.
pub struct Grounds {
    pub shelf: Shelf,
    pub knowledge: Knowledge,
    /// Seeds every random choice of the simulation.
    pub seed: u64,
    /// Simulated seconds per second.
    pub speed: u32,
    /// After this a rehearsal is given up.
    pub patience: Duration,
}

/// A step that begins, for whoever watches.
#[derive(Clone, Debug)]
pub struct Progress {
    pub cluster: ClusterName,
    pub done: usize,
    pub steps: usize,
    pub text: String,
}

/// Where progress goes; it may be lost.
pub type Telling = tokio::sync::mpsc::Sender<Progress>;

/// Rehearses one cluster.
///
/// # Errors
/// What keeps the simulation or the engine from running at all; that the cluster would not converge is a report.
pub async fn rehearse(subject: &Subject, grounds: &Grounds, telling: &Telling) -> anyhow::Result<Report> {
    let report = Report::of(subject);
    let observation = match (&subject.observation, subject.plan.result) {
        (_, PlanResult::Converged) => return Ok(report.nothing_to_do()),
        (Some(observation), PlanResult::Ready | PlanResult::Waiting) => observation,
        (_, PlanResult::Blocked) | (None, _) => return Ok(report.blocked()),
    };
    let folder = tempfile::Builder::new()
        .prefix("dataminer-rehearsal-")
        .tempdir()
        .context("making a folder for the rehearsal")?;
    let root = Utf8Path::from_path(folder.path()).context("the temporary folder's name is not UTF-8")?;
    let catalog = Arc::clone(&grounds.shelf.catalog);
    let copied = copy::copy(&copy::Original {
        cluster: &subject.cluster,
        observation,
        vault: &subject.vault,
        catalog: &catalog,
        now: Timestamp::now(),
    });
    let mut report = report.assuming(&copied.assumptions);
    if let Some(problem) = &copied.problem {
        return Ok(report.not_possible(problem));
    }
    report.missing(&grounds.shelf);
    let played = play::play(subject, observation, &copied, grounds, root, telling).await?;
    Ok(judge::judge(report, subject, grounds, &played))
}

/// The simulation that a rehearsal of an observation plays on, the names of the simulated servers in the order of the
/// manifest, and what it assumes.
pub fn simulated(
    cluster: &Cluster,
    observation: &Observation,
    catalog: &Catalog,
) -> (ClusterSpec, Vec<(AgentName, String)>, Vec<Assumption>) {
    let original = copy::Original { cluster, observation, vault: &[], catalog, now: Timestamp::now() };
    let copied = copy::copy(&original);
    let assumptions = copied.assumptions.0.into_iter();
    let assumptions = assumptions.map(|(text, agents)| Assumption { text, agents }).collect();
    (copied.spec, copied.names, assumptions)
}

impl Subject {
    /// The zone in which its times are told.
    pub(crate) fn zone(&self) -> Zone {
        Zone::of(&self.cluster)
    }
}
