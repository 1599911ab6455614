//! What a schema cannot say of one document.

use super::{
    Code, Entry,
    Frame::{Cluster, PackageCatalog, ReconcilerConfig},
    parts,
};

pub(super) const ALL: &[Entry] = &[
    (
        Code::CutoffExceedsDuration,
        parts(
            Cluster,
            "Nothing disruptive starts in the cutoff, the last part of a window; it is one hour where it is not written. A \
             window that is all cutoff never lets anything start, and the cluster would wait for ever.",
            "spec:\n  windows:\n    - { kind: Allow, schedule: \"0 22 * * SAT\", duration: 45m, timeZone: Europe/Brussels }\n",
            "spec:\n  windows:\n    - { kind: Allow, schedule: \"0 22 * * SAT\", duration: 4h, timeZone: Europe/Brussels, \
             cutoff: 1h }\n",
        ),
    ),
    (
        Code::WindowEndsBeforeStart,
        parts(
            Cluster,
            "`from` is the first and `to` the last day of a freeze, inclusive. Turned around, or with the old year left in \
             one of them, the freeze would never be.",
            "spec:\n  windows: [ { kind: Deny, from: 2026-12-20, to: 2026-01-04, timeZone: Europe/Brussels } ]\n",
            "spec:\n  windows: [ { kind: Deny, from: 2026-12-20, to: 2027-01-04, timeZone: Europe/Brussels } ]\n",
        ),
    ),
    (
        Code::ZeroDuration,
        parts(
            ReconcilerConfig,
            "Something that is done every zero seconds never rests, and a window of no length never opens.",
            "spec:\n  loop: { observe: 0s }\n",
            "spec:\n  loop: { observe: 5m }\n",
        ),
    ),
    (
        Code::DuplicateAgentName,
        parts(
            Cluster,
            "Plans, observations and history tell the Agents of a cluster apart by their names. Capitals do not tell two \
             apart, because they do not on Windows either.",
            "spec:\n  agents:\n    - { name: bru-dma-01, address: 10.0.0.11 }\n    - { name: BRU-DMA-01, address: 10.0.0.12 }\n",
            "spec:\n  agents:\n    - { name: bru-dma-01, address: 10.0.0.11 }\n    - { name: bru-dma-02, address: 10.0.0.12 }\n",
        ),
    ),
    (
        Code::DuplicateAgentAddress,
        parts(
            Cluster,
            "Two names for one server mean that another server was forgotten: it would be left behind on its old version \
             while the rest of the DMS changes.",
            "spec:\n  agents:\n    - { name: bru-dma-01, address: 10.0.0.11 }\n    - { name: bru-dma-02, address: \"10.0.0.11:22\" \
             }\n",
            "spec:\n  agents:\n    - { name: bru-dma-01, address: 10.0.0.11 }\n    - { name: bru-dma-02, address: 10.0.0.12 }\n",
        ),
    ),
    (
        Code::FailoverPartnerIsAgent,
        parts(
            Cluster,
            "The two members of a Failover pair are one Agent of the DMS (`domain/04`). Listed twice, the offline member \
             would be waited for as if it ran elements.",
            "spec:\n  agents:\n    - { name: bru-dma-01, address: 10.0.0.11, failover: { name: bru-dma-01b, address: 10.0.0.12 } \
             }\n    - { name: bru-dma-01b, address: 10.0.0.12 }\n",
            "spec:\n  agents:\n    - { name: bru-dma-01, address: 10.0.0.11, failover: { name: bru-dma-01b, address: 10.0.0.12 } \
             }\n",
        ),
    ),
    (
        Code::SettleExceedsTimeout,
        parts(
            Cluster,
            "After a change every Agent must be right for `settle` without a break, and that within `timeout`. A settle as \
             long as the timeout fails every upgrade.",
            "spec:\n  health: { settle: 1h }\n",
            "spec:\n  health: { settle: 10m, timeout: 1h }\n",
        ),
    ),
    (
        Code::PackageNameDisagrees,
        parts(
            PackageCatalog,
            "The original name of a package says what it installs. A field beside it that says something else is wrong, or \
             the file was renamed; either way it is not known what would be installed.",
            "spec:\n  packages:\n    - file: \"DataMiner 10.5.0.0(CU9)-16500 Full Upgrade.dmupgrade\"\n      sha256: \
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n      core: 10.5.0 CU10\n",
            "spec:\n  packages:\n    - file: \"DataMiner 10.5.0.0(CU9)-16500 Full Upgrade.dmupgrade\"\n      sha256: \
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
        ),
    ),
    (
        Code::PackageWithoutRelease,
        parts(
            PackageCatalog,
            "Without its release a package cannot be chosen for any target.",
            "spec:\n  packages:\n    - file: \"Full Upgrade.dmupgrade\"\n      sha256: \
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
            "spec:\n  packages:\n    - file: \"Full Upgrade.dmupgrade\"\n      sha256: \
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n      core: 10.5.0 CU9\n",
        ),
    ),
    (
        Code::BadBuild,
        parts(
            PackageCatalog,
            "Every CU of a Main Release reports the same four numbers, `10.5.0.0`; only the build tells them apart \
             (`domain/01`). So a build is spelt with all four numbers, and can only be a release of the same line.",
            "spec:\n  builds: { \"10.5.0.0-16889\": 10.6.0 CU1 }\n",
            "spec:\n  builds: { \"10.5.0.0-16889\": 10.5.0 CU12 }\n",
        ),
    ),
    (
        Code::DuplicateName,
        parts(
            ReconcilerConfig,
            "Messages, metrics and the status tell the entries apart by their names.",
            "spec:\n  packages: [ { name: nas, url: \"file:///a\" }, { name: nas, url: \"file:///b\" } ]\n",
            "spec:\n  packages: [ { name: nas, url: \"file:///a\" }, { name: nas-2, url: \"file:///b\" } ]\n",
        ),
    ),
    (
        Code::UngrantableHost,
        parts(
            ReconcilerConfig,
            "A grant for hosts that cannot exist grants nothing, and would be found out in the night in which the secret is \
             needed.",
            "spec:\n  secrets: [ { env: DMS_KEY, hosts: [\"10.0.0.0/40\"] } ]\n",
            "spec:\n  secrets: [ { env: DMS_KEY, hosts: [\"10.0.0.0/16\"] } ]\n",
        ),
    ),
    (
        Code::MissingSecret,
        parts(
            ReconcilerConfig,
            "Signing in to a git server takes a private key (ssh) or a password or token (https).",
            "spec:\n  sources: [ { name: fleet, url: \"ssh://git@git.example/fleet.git\", auth: { user: git } } ]\n",
            "spec:\n  sources: [ { name: fleet, url: \"ssh://git@git.example/fleet.git\", auth: { identity: { env: GIT_KEY } } \
             } ]\n",
        ),
    ),
    (
        Code::OpenListener,
        parts(
            ReconcilerConfig,
            "Whoever reaches the interface may approve downgrades. Without `http.auth` it listens on this machine alone.",
            "spec:\n  http: { listen: \"0.0.0.0:8080\" }\n",
            "spec:\n  http: { listen: \"0.0.0.0:8080\", auth: { tokens: { file: /run/secrets/tokens } } }\n",
        ),
    ),
    (
        Code::FieldsDisagree,
        parts(
            ReconcilerConfig,
            "Each field is right by itself, but not beside the others: a key of S3 opens no container of Azure, and a \
             signature can be checked only by somebody's key.",
            "spec:\n  sources: [ { name: fleet, url: /srv/fleet, verify: { mode: Head } } ]\n",
            "spec:\n  sources: [ { name: fleet, url: /srv/fleet, verify: { mode: Head, allowedSigners: /etc/signers } } \
             ]\n",
        ),
    ),
    (
        Code::RelativeProgram,
        parts(
            ReconcilerConfig,
            "A program that is looked up along PATH, or beside the folder in which the process was started, may be another \
             one tomorrow.",
            "spec:\n  hooks: { snapshot: { argv: [snapshot.sh] } }\n",
            "spec:\n  hooks: { snapshot: { argv: [/usr/local/bin/snapshot.sh] } }\n",
        ),
    ),
];
