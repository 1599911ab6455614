//! What `doctor` looks at, in the order of its report, and the reasons of the condition `Proven`.

use super::{Told, told};

pub(super) const ALL: &[Told] = &[
    told(
        "Configuration",
        "The process can be started with its configuration.",
        "A field asks for what this release does not carry out (E0309).",
        "Take the fields out that it names.",
    ),
    told(
        "Store",
        "The state of the process can be opened, or made.",
        "The file is damaged, from a newer release, or not readable for this account.",
        "Give the account of the process the folder; put back a copy of the file where it is damaged.",
    ),
    told(
        "Vault",
        "Content backups can be written.",
        "The folder is not mounted, full, or not writable: no upgrade begins without it, as content is saved first.",
        "Mount it, or make it writable for the process.",
    ),
    told(
        "Source",
        "The repository of the manifests answers with the branch that is followed.",
        "Address, credential, host key or branch is wrong, or the server is away.",
        "Do what it says; the last good commit serves meanwhile.",
    ),
    told(
        "PackagePlaces",
        "Every package of the catalogue lies in its place, with the size and, up to 64 MiB, the SHA-256 of its entry.",
        "A file is missing or another one, or a folder cannot be read.",
        "Fetch the file anew; `catalog verify` hashes the large ones too.",
    ),
    told(
        "Reachability",
        "The Agent answers over SSH, and a look at it ends in time.",
        "Nothing listens, a firewall drops packets, or the server is too busy.",
        "Start sshd there, open its port for this machine alone, and look at the server's load.",
    ),
    told(
        "HostKey",
        "The server shows a key that the manifest pins.",
        "It was set up anew, somebody stands in between, or a pinned key is shown no more.",
        "Compare the fingerprint on the server itself before you write it into `hostKey`.",
    ),
    told(
        "SignIn",
        "The account signs in with its key.",
        "sshd does not take the key, or the configuration grants it to other hosts or clusters.",
        "Put the public key into `administrators_authorized_keys` with its narrow rights; look at `spec.secrets`.",
    ),
    told(
        "Rights",
        "The session has an administrator's rights.",
        "The account is no member of the Administrators, or its token is filtered.",
        "Add it to the group; for local accounts set LocalAccountTokenFilterPolicy to 1.",
    ),
    told(
        "Folder",
        "C:\\ProgramData\\dataminer-reconciler belongs to the Administrators or to our account.",
        "Somebody else made the folder, and could exchange what runs as an administrator.",
        "Find out who made it, and remove it; doctor uses nothing of such a folder.",
    ),
    told(
        "Ownership",
        "No other installation has marked the Agent.",
        "Its owner.json names another one.",
        "Take the Agent out there, or take the cluster over with a reason.",
    ),
    told(
        "Clock",
        "The Agent's clock agrees with this machine's, as far as the round trip shows.",
        "They differ by more than 30 seconds; by more than five minutes it is an error.",
        "Synchronise both with the same time server.",
    ),
    told(
        "Programs",
        "The programs of Windows that jobs call are there.",
        "Something took them away.",
        "Repair Windows (`sfc /scannow`).",
    ),
    told(
        "TaskbarUtility",
        "The Taskbar Utility lies in one of its two documented folders and may run unattended.",
        "It is missing, or from before 10.3.0 CU11 or 10.4.2 (S10).",
        "Install it; prove an old one with `doctor --canary`.",
    ),
    told(
        "BpaExecutor",
        "StandaloneBpaExecutor.exe is there, so prerequisites can be checked ahead.",
        "The release is older than 10.4.0, or its file is gone.",
        "Nothing on older releases: a package's checks then run in the upgrade alone.",
    ),
    told(
        "Disk",
        "Drive C: has room for `upgrade.minFreeDisk` and twice the largest package of the catalogue.",
        "It has less room than that.",
        "Free disk space on that server.",
    ),
    told(
        "JobAccount",
        "Jobs run under an account that DataMiner can know.",
        "`upgrade.runAs` is System, which needs credentials saved in the Taskbar Utility, or one that this release does not \
         run jobs under.",
        "Use the SSH account, which is a DataMiner user with the right Upgrade / restore; or prove System by a canary.",
    ),
    told(
        "UpgradeDefaults",
        "MaintenanceSettings.xml holds no DefaultUpgradeOptions.",
        "Somebody saved default upgrade options; on some releases SLNet does not start with them (H13).",
        "Remove the element on every Agent before an upgrade to one of these.",
    ),
    told(
        "Reboot",
        "Windows waits for no reboot.",
        "Updates or an installer asked for one.",
        "Reboot the server in an orderly way before the window.",
    ),
    told(
        "AgentState",
        "DataMiner runs, or is the offline member of its Failover pair.",
        "It is stopped or starting.",
        "Start it, and look into why it was not running.",
    ),
    told(
        "Canary",
        "A canary showed that upgrades can run on the cluster as it is.",
        "None ran, the last one failed, or account, Taskbar Utility or Agents have changed since.",
        "Run `doctor --canary` some days before the window.",
    ),
    told(
        "CanaryPassed",
        "The condition Proven holds: a package without a restart ran as an upgrade would.",
        "`doctor --canary` came to a good end on all Agents.",
        "Nothing is to be done.",
    ),
    told(
        "CanaryFailed",
        "The condition Proven does not hold: the last canary failed.",
        "The task did not begin, the Taskbar Utility hung or said no, or an Agent was not reached.",
        "`describe` and `history` say which; cure it and run the canary again.",
    ),
    told(
        "NeverTried",
        "Nothing is known of the condition Proven: no canary has run.",
        "The cluster is new here.",
        "Run `doctor --canary`.",
    ),
    told(
        "ProofExpired",
        "Nothing is known of the condition Proven any more.",
        "The account of jobs, the Taskbar Utility (every full upgrade brings one) or the Agents have changed since.",
        "Run `doctor --canary` again.",
    ),
];
