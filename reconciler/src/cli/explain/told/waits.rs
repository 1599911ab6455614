//! What a plan waits on: it goes on by itself.

use super::{Told, told};

pub(super) const ALL: &[Told] = &[
    told(
        "Window",
        "Disruptive work waits for a window.",
        "No window of kind Allow is open, a Deny is in force, the cutoff has begun, or `fit: Require` finds the rest too short (S7).",
        "Wait, or change `spec.windows`. Staging and backups go on meanwhile.",
    ),
    told(
        "Approval",
        "An operator must approve the plan.",
        "`spec.approval` asks for it and nobody has approved this plan's id; another plan needs another approval.",
        "Read the plan and approve its id.",
    ),
    told(
        "Manual",
        "A step that is done by hand is waited for.",
        "The plan has come to a Manual step.",
        "Do it, and acknowledge the step.",
    ),
    told(
        "Dependency",
        "Another cluster comes first.",
        "`spec.dependsOn` names a cluster that has not converged.",
        "See what that one waits for.",
    ),
    told(
        "Wave",
        "An earlier wave of the rollout comes first.",
        "Clusters of an earlier wave have not converged.",
        "See what they wait for.",
    ),
    told(
        "Soak",
        "The earlier wave must prove itself for a while.",
        "The soak time of the rollout's earlier wave has not passed.",
        "Wait; a failure in that time stops the rollout.",
    ),
    told(
        "Quarantine",
        "The cluster rests after a failure.",
        "An operation failed, and nothing that concerns this cluster has changed since.",
        "Look into the failure with `describe`; `retry CLUSTER`, or a commit that changes what is wanted, goes on.",
    ),
    told(
        "Suspended",
        "The manifest stops the cluster.",
        "`spec.suspend` is true: everything but observing rests.",
        "Take `suspend` out when the time has come.",
    ),
    told(
        "Frozen",
        "An operator has frozen all work.",
        "A freeze is in force for the whole fleet.",
        "Ask who froze it, and lift the freeze.",
    ),
    told(
        "Retry",
        "The next attempt comes later.",
        "The last one failed for a reason that may pass by itself.",
        "Wait, or `retry CLUSTER` to try at once.",
    ),
];
