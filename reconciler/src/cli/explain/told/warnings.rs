//! Warnings: what a reviewer should know, and what stops nothing.

use super::{Told, told};

pub(super) const ALL: &[Told] = &[
    told(
        "BrokerGatewayUnknown",
        "Whether BrokerGateway runs already was not seen.",
        "The way into 10.6 holds its migration, and the observation of some Agent does not tell (H4).",
        "Nothing: it is looked at again right before, and the migration is left out where it is done.",
    ),
    told(
        "ContentNotRestored",
        "Content stays as newer web apps have left it.",
        "The web level falls and `downgrade.restore` is None.",
        "Dashboards and apps that were migrated may not work; choose Matching to put a backup back.",
    ),
    told(
        "ContentVersionInferred",
        "Which web apps wrote a backup is concluded from the history, not recorded.",
        "The chosen backup is not one of the vault's records.",
        "Compare its date with what ran then, if the content matters.",
    ),
    told(
        "DiskUnknown",
        "The free disk space of an Agent was not seen.",
        "The observation lacks it, with a reason.",
        "Make sure that `minFreeDisk` and twice the package fit.",
    ),
    told(
        "HotfixInstalled",
        "A hotfix or custom build will be replaced, and that was accepted.",
        "`upgrade.acceptHotfixLoss` is true (D4).",
        "Make sure that the target has the fix; take the field out afterwards.",
    ),
    told(
        "KnownIssue",
        "A known issue of the product may hit this change.",
        "The issue names these releases, and whether its condition holds was not seen, or it does not stop the way.",
        "Read the issue that the reference names.",
    ),
    told(
        "LaterStopKnown",
        "A later CU would be the better stop.",
        "It is released, and the catalogue does not have it (H2).",
        "Add its package to the catalogue, or accept the older stop.",
    ),
    told(
        "MigrationFollowUp",
        "The BrokerGateway migration leaves work on servers that are no Agents.",
        "DMZ servers, Data Aggregator nodes and Dashboard Gateway servers are not reached by it (H4).",
        "Take their steps by hand behind the migration, as the vendor's page of it says.",
    ),
    told(
        "MigrationNotRecommended",
        "The BrokerGateway migration would happen on a release for which it is not recommended.",
        "The catalogue has neither 10.5.0 CU11 or later nor 10.5.12 CU2 or later (H4).",
        "Add such a package, so that the migration happens there.",
    ),
    told(
        "NewerStop",
        "A stop has newer fixes than what comes after it.",
        "The catalogue has no older package of that Main Release (H2).",
        "Add an older CU of that line, or expect the web apps to fall on the way.",
    ),
    told(
        "ObservationAge",
        "The plan is made from an old observation.",
        "It was taken more than an hour before, offline.",
        "Observe again, or plan with `--live`, before you rely on it.",
    ),
    told(
        "OlderContentChosen",
        "The backup that goes back is of an older level than the target.",
        "No backup holds content of exactly that level (G6).",
        "Older content is migrated upwards by the web apps; see how far back it lies.",
    ),
    told(
        "OlderFixes",
        "The target has older fixes than what runs, and that was accepted.",
        "`upgrade.acceptOlderFixes` is true (D2).",
        "Nothing, if it is meant; take the field out afterwards.",
    ),
    told(
        "OperationUnknown",
        "Whether an Agent is being changed right now was not seen.",
        "The trace of an operation could not be read to its end (S0).",
        "Look at the Agent before the window opens.",
    ),
    told(
        "PrerequisitePatched",
        "One check is left out of the staged copy of a package.",
        "The way leads down over 10.4.0 or 10.4.3, where that check is known to fail, and `downgrade.patchPrerequisites` is true (G2).",
        "Nothing, if it is meant: the plan names the member that the copy lacks; the package itself stays as it is.",
    ),
    told(
        "ProbeNotReady",
        "A Probe is not Running.",
        "The manifest says `kind: DMP`; Probes are upgraded along, and nothing waits for them (S6).",
        "Look at it when the Agents are done.",
    ),
    told(
        "RequirementUnknown",
        "Whether an Agent has what the target needs was not seen.",
        "A .NET bundle or another requirement is missing in the observation (S5).",
        "Look on the Agent; what is missing makes the package's own check fail.",
    ),
    told(
        "RunAsUnproven",
        "No job has run under the account of jobs on this cluster yet.",
        "`upgrade.runAs` names an account, and nothing shows that it may do there what it must (S10).",
        "Be at hand for the first job, or prove it before: `doctor --canary`.",
    ),
    told(
        "SeveralRestoresOwed",
        "Interrupted operations owe more than one restore.",
        "Agents carry notes of several (G8).",
        "The newest backup goes back; `backup restore` brings another afterwards.",
    ),
    told(
        "StateUnknown",
        "Whether an Agent is Running was not seen.",
        "The observation lacks the state, with a reason (S0).",
        "Look at the Agent before the window opens.",
    ),
    told(
        "SwarmingUnknown",
        "Whether Swarming is on was not seen.",
        "The way down leads to a release that could not run with it (G7).",
        "Make sure that it is off.",
    ),
    told(
        "TopologyUnknown",
        "Whether all Agents are declared was not seen.",
        "No DMS.xml could be read (S0).",
        "Compare the manifest with the Agents of the system by hand.",
    ),
    told(
        "TornBackup",
        "Content changed while the backup was copied.",
        "No other backup serves (G6).",
        "Expect the last changes of that moment to be half there.",
    ),
    told(
        "UnknownMajor",
        "The target is of a Main Release that is newer than the rules.",
        "No rule of the way to it is known; those of the releases before it are applied (H2).",
        "Read the vendor's upgrade page for it, and update this program.",
    ),
    told(
        "UnsafeFailoverPolicy",
        "The members of a Failover pair may run two versions for a while.",
        "The policy is not Simultaneously, or is the system's own that is not known here (S4).",
        "Write `upgrade.failoverPolicy: Simultaneously`.",
    ),
    told(
        "UtilityUnproven",
        "The Taskbar Utility of this release may fail or hang unattended.",
        "It is older than the releases in which that was cured (S10).",
        "Be at hand for the first hop.",
    ),
    told(
        "WebAheadOfCore",
        "The web apps are newer than the core, and the manifest does not manage them.",
        "`webApps` is unmanaged and somebody installed a web package (W9).",
        "Write the web version that is wanted, so that upgrades keep it.",
    ),
    told(
        "WebDcmNeedsCore",
        "A part of the wanted web apps needs a newer core.",
        "Web DcM of web 10.5.11 and later works only with core 10.5.0 or later (W2).",
        "Raise the core, or do without that part.",
    ),
    told(
        "WebDip",
        "On the way the web apps fall, and rise again.",
        "A hop's package brings an older level; a later step of the plan cures it (W5).",
        "Nothing; users may see the older web apps for a while.",
    ),
    told(
        "WebLevelUnknown",
        "The level of the web apps of some Agent is not known.",
        "No trace tells it; at least the level of the core is assumed (W5, W9).",
        "Write the web version that is wanted: then it is installed, and known from then on.",
    ),
    told(
        "WindowTooShort",
        "By the estimate the work does not fit into the window.",
        "Nineteen of twenty such operations are shorter than the estimate, and the window is not longer, or its cutoff \
         comes before the last hop (S7). With `fit: Require` it waits for one that is long enough.",
        "Make the window longer or its cutoff shorter, or let further hops wait for the next one.",
    ),
];
