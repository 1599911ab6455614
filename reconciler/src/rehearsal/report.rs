//! What a rehearsal tells: the document behind `rehearse -o json`.
//!
//! Nothing in it is of the time of its making but the simulated durations: equal input and seed give the same verdict.

use dataminer_schema::{
    id::{AgentName, ClusterName},
    plan::{Action, Estimate, Plan},
};
use jiff::SignedDuration;
use serde::{Serialize, Serializer};

use super::{Shelf, Subject, copy::Assumptions, staged};

/// The version of this document.
const FORMAT_VERSION: &str = "1.0";

/// Every rehearsal of a call.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rehearsals {
    format_version: &'static str,
    /// By the names of their clusters.
    pub rehearsals: Vec<Report>,
    /// Clusters that a change leaves as they are; they are not rehearsed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unchanged: Option<usize>,
}

impl Rehearsals {
    /// Of a whole fleet, or of the clusters that a change touches.
    pub fn new(rehearsals: Vec<Report>, unchanged: Option<usize>) -> Self {
        Self { format_version: FORMAT_VERSION, rehearsals, unchanged }
    }

    /// Whether every cluster would converge.
    pub fn all_converge(&self) -> bool {
        self.rehearsals.iter().all(|report| matches!(report.verdict, Verdict::Converges))
    }
}

/// One cluster's rehearsal.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub cluster: ClusterName,
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What counts as given.
    pub given: Vec<String>,
    /// What was assumed, because the observation does not tell.
    pub assumptions: Vec<Assumption>,
    /// What was played; absent where there was nothing to play.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub played: Option<Played>,
    /// The plan of the real cluster, with its forecast, warnings and blocks.
    pub plan: Plan,
}

/// What would become of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all_fields = "camelCase")]
pub enum Verdict {
    /// Every Agent ends at what is wanted.
    Converges,
    /// It does not.
    WouldNotConverge {
        /// A stable code: of a block, of a failure, or of the rehearsal itself.
        reason: String,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        help: Option<String>,
    },
}

/// Something that the observation does not tell, and what was taken in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Assumption {
    pub text: String,
    /// The Agents that it is about; empty for the cluster as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentName>,
}

/// What happened on the copy.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Played {
    pub seed: u64,
    /// Simulated seconds per second.
    pub speed: i32,
    /// How many operations the engine began.
    pub operations: usize,
    pub steps: Vec<Transcript>,
    pub content: ContentReport,
    /// Modules that do not fit the software afterwards and did before.
    pub modules: Vec<String>,
    /// Rules of the product that were broken: none, or the plan is wrong.
    pub violations: Vec<String>,
    /// Where the plan of the copy is not that of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differs: Option<String>,
}

/// A step that was begun.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transcript {
    /// Its id in the plan of the copy.
    pub step: String,
    pub action: Action,
    /// The version, backup or module that it leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    pub agents: Vec<AgentName>,
    pub end: StepEnd,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How long the simulated Agents worked on it, the time of this machine counted as theirs; absent where they did
    /// not.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rounded")]
    pub simulated: Option<SignedDuration>,
    /// What the plan expects of the real ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum StepEnd {
    Done,
    Failed,
    Unfinished,
}

/// Dashboards and versions of low-code apps, counted on the simulated disks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentReport {
    /// How many are on every Agent as they were, or newer.
    pub intact: usize,
    /// Paths of those that are gone, or back at an older revision.
    pub lost: Vec<String>,
    /// The one that was changed right before the rehearsal, as users change them behind a backup: what a restore takes
    /// back shows by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_before: Option<String>,
    /// Paths of those that the web apps cannot open any more.
    pub unreadable: Vec<String>,
    /// Paths of those that are not what the product wrote.
    pub damaged: Vec<String>,
}

impl ContentReport {
    /// What cannot be used.
    pub(super) fn broken(&self) -> Vec<String> {
        self.unreadable.iter().chain(&self.damaged).cloned().collect()
    }
}

impl Report {
    /// A report without a verdict yet.
    pub(super) fn of(subject: &Subject) -> Self {
        Self {
            cluster: subject.cluster.name.clone(),
            verdict: Verdict::Converges,
            given: Vec::new(),
            assumptions: Vec::new(),
            played: None,
            plan: subject.plan.clone(),
        }
        .given(staged::given(&subject.cluster))
    }

    fn given(self, given: Vec<String>) -> Self {
        Self { given, ..self }
    }

    pub(super) fn assuming(self, assumptions: &Assumptions) -> Self {
        let assumptions = assumptions.0.iter();
        let assumptions =
            assumptions.map(|(text, agents)| Assumption { text: text.clone(), agents: agents.clone() });
        Self { assumptions: assumptions.collect(), ..self }
    }

    /// Tells which packages of the plan have no look-alike.
    pub(super) fn missing(&mut self, shelf: &Shelf) {
        for file in self.plan.steps.iter().filter_map(|step| step.package.as_ref()) {
            let Some(why) = shelf.missing.get(file) else { continue };
            let text =
                format!("the package `{file}` has no look-alike ({why}): the copy is planned without it");
            if !self.assumptions.iter().any(|known| known.text == text) {
                self.assumptions.push(Assumption { text, agents: Vec::new() });
            }
        }
    }

    /// The Agents show what is wanted.
    pub(super) fn nothing_to_do(self) -> Self {
        Self { given: Vec::new(), ..self }
    }

    /// The plan itself says that it would not.
    pub(super) fn blocked(self) -> Self {
        let verdict = match self.plan.blocked.first() {
            Some(block) => Verdict::WouldNotConverge {
                reason: format!("{:?}", block.code),
                message: block.message.clone(),
                help: Some(block.help.clone()),
            },
            None => Verdict::WouldNotConverge {
                reason: "NeverObserved".to_owned(),
                message: "the cluster was never seen, so there is nothing to copy".to_owned(),
                help: Some("give --observed PATH, or --live --config FILE".to_owned()),
            },
        };
        Self { verdict, given: Vec::new(), ..self }
    }

    /// No copy can be made.
    pub(super) fn not_possible(self, problem: &str) -> Self {
        let verdict = Verdict::WouldNotConverge {
            reason: "CannotBeCopied".to_owned(),
            message: problem.to_owned(),
            help: Some("let the reconciler finish that first, and observe the cluster again".to_owned()),
        };
        Self { verdict, ..self }
    }

    pub(super) fn played(self, verdict: Verdict, played: Played) -> Self {
        Self { verdict, played: Some(played), ..self }
    }
}

/// `14m`: to the minute, as the durations of simulated Agents are no better.
pub(crate) fn about(duration: SignedDuration) -> String {
    let minutes = (duration.as_secs() + 30) / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "<1m".to_owned(),
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes}m"),
    }
}

#[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
fn rounded<S: Serializer>(duration: &Option<SignedDuration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => serializer.serialize_str(&about(*duration)),
        None => serializer.serialize_none(),
    }
}
