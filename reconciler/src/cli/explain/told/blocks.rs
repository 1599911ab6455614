//! Blocks: a person or a commit must act.

use super::{Told, told};

pub(super) const ALL: &[Told] = &[
    told(
        "AgentUnreachable",
        "An Agent was not seen, so what it runs is not known.",
        "SSH did not reach it, its host key is not the pinned one, or the cluster was never observed.",
        "Look at the reason beside the Agent: correct address, host key or account, or start the server. Offline, give `--observed`.",
    ),
    told(
        "ObservationStale",
        "What was last seen of the cluster is too old to act on.",
        "A running process has seen nothing newer for more than an hour.",
        "Find out why observing fails (`describe`). Offline plans only warn.",
    ),
    told(
        "OperationInProgress",
        "Something is already changing the cluster.",
        "An Agent shows a job of ours, or an upgrade that somebody else started.",
        "Wait until it has ended. One that hangs must be ended where it was started.",
    ),
    told(
        "ManagedElsewhere",
        "Another installation of this program owns the cluster.",
        "The mark on an Agent names another installation, or a store that is newer than ours.",
        "Stop the other process; then `takeover CLUSTER --reason TEXT`.",
    ),
    told(
        "TopologyMismatch",
        "The Agents of the manifest are not those of the DMS.",
        "DMS.xml names an Agent that the manifest lacks, or the other way round. One that is forgotten would stay behind on its version.",
        "Declare exactly the Agents that DMS.xml names, and Failover partners under `failover`.",
    ),
    told(
        "Unhealthy",
        "An Agent is not Running, so no change may start.",
        "DataMiner is starting, stopped, disconnected or switching, a restart of Windows is pending, or a declared check fails.",
        "Bring the Agent into order first; the plan goes on by itself afterwards.",
    ),
    told(
        "UnknownBuild",
        "An observed build is not known, and the answer hangs on it.",
        "Every CU of a Main Release reports the same four numbers (`domain/01`); the build that was seen is in no table, and it lies where a rule or the target makes a difference.",
        "Map the build in a catalogue's `spec.builds`, for example `\"10.5.0.0-16889\": 10.5.0 CU12`.",
    ),
    told(
        "NoPackage",
        "The catalogue lacks a package that the way needs.",
        "The target, a stop on the way, or a tool such as VerifyClusterPorts is in no PackageCatalog.",
        "Get the package, add it with its SHA-256, or want a release that the catalogue has.",
    ),
    told(
        "PackageUnverified",
        "A package's content is not what the catalogue says.",
        "The hash of the file differs from the catalogue's, or the plan was made from another catalogue.",
        "Fetch the file anew and compare it with the digest of its source; never adapt the digest to a file that you do not trust.",
    ),
    told(
        "NoPath",
        "No way leads from what runs to what is wanted.",
        "The source is older than 9.6, or what is wanted cannot be reached by packages.",
        "Choose another target, or move the system by hand first.",
    ),
    told(
        "DowngradeNotAllowed",
        "The target is lower than what runs, and the manifest does not let versions fall.",
        "`downgrade.policy` is Forbid, or the day of `downgrade.until` has passed; web apps alone count as well.",
        "Want at least what runs, or write `downgrade: { policy: Allow, until: DAY }`.",
    ),
    told(
        "NoMatchingBackup",
        "No backup holds content that the wanted web apps can read.",
        "The web level falls, newer web apps have migrated the content, and neither vault nor Agents have a backup of that level or below it.",
        "Bring an older backup into the vault, choose `downgrade.restore: None` to leave the content as it is, or do not go down.",
    ),
    told(
        "OlderFixesNotAccepted",
        "The target has a higher number but older fixes.",
        "A Feature Release was built before the Cumulative Update that runs, as 10.5.5 before 10.5.0 CU9 (D2).",
        "Want a release of the same month or later, or write `upgrade.acceptOlderFixes: true`.",
    ),
    told(
        "HotfixInstalled",
        "A hotfix or custom build would be lost.",
        "A step would replace a build that carries a hotfix (D4).",
        "Ask whether the target has the fix; then list the hotfix, or accept its loss.",
    ),
    told(
        "WebNotSupported",
        "The core is too old for web packages.",
        "Web packages of their own exist from core 10.3.0 or 10.3.3 on (W1).",
        "Raise the core first, or write `webApps: bundled`.",
    ),
    told(
        "WebRequiresNewerCore",
        "The web apps that are wanted need a newer core.",
        "Web 10.5 needs core 10.4.0 or 10.4.1, web 10.6 and later needs core 10.5.0 or 10.5.1 (W2).",
        "Raise the core as well, or want the equal level of an older line that the help names.",
    ),
    told(
        "WebRegression",
        "The web apps would fall to an older level.",
        "A full package brings its own web apps, older than those that run or are wanted; this also happens while the core goes up (W3, W5).",
        "Want web apps of at least the present level, `bundled` where that suffices, or allow downgrades and with them a restore.",
    ),
    told(
        "KnownIssue",
        "A known issue of the product hits exactly this change.",
        "The release notes or a known issue name the source and the target, and the observation does not rule it out (H8 to H13).",
        "Take the release that the help names. Who has read the issue and can live with it accepts it by an Advisory.",
    ),
    told(
        "ManualStepRequired",
        "Something must be done by hand before the plan can go on.",
        "The documentation asks for a step that no package does, such as the BrokerGateway migration, its way back, or Swarming (H4, G4, G7, S10).",
        "Do what the message says; the next observation shows it and the plan goes on.",
    ),
    told(
        "PrerequisiteKnownToFail",
        "A check that the package carries is known to fail on this way.",
        "Going down over 10.4.0 or 10.4.3 (G2), or a 10.4 package over newer web apps (W8).",
        "Take another way, or the documented removal of that check where the help offers it.",
    ),
    told(
        "UnsafeFailoverPolicy",
        "The order inside Failover pairs is unsafe for this change.",
        "One member first would let a pair run two versions across a Main Release, or where BrokerGateway runs (`domain/04`).",
        "Write `upgrade.failoverPolicy: Simultaneously`.",
    ),
    told(
        "InsufficientDisk",
        "An Agent lacks free disk space.",
        "Less is free than `upgrade.minFreeDisk` and twice the package.",
        "Free space on the Agent, or lower `minFreeDisk` where you know better.",
    ),
    told(
        "MixedCluster",
        "The Agents run a mix of versions that cannot be repaired by itself.",
        "More than two versions, a mix across the BrokerGateway boundary, or no legal way for those behind (D5).",
        "Bring the Agents to one version by hand, with the vendor's help if need be.",
    ),
    told(
        "SecretNotAllowed",
        "A manifest names a secret that the configuration does not grant.",
        "The process's configuration lists every secret with the hosts and clusters that may use it; this one is not among them.",
        "Add a grant under `spec.secrets` of the configuration, or name another secret.",
    ),
    told(
        "HookNotAllowed",
        "A manifest names a hook that the configuration does not have.",
        "Hooks are programs of the process; manifests only name them.",
        "Add the hook to the configuration, or take it out of the manifest.",
    ),
    told(
        "NotSupportedYet",
        "The manifest asks for something that this release does not carry out.",
        "A field such as `hooks` or `connection.via` is read and right, and nothing acts on it yet; `validate` warns of it.",
        "Take the field out, or wait for a release that knows it: nothing starts on the cluster before.",
    ),
];
