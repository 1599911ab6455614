//! Texts with a meaning: versions, durations, addresses, names.

use super::{
    Code, Entry,
    Frame::{Cluster, PackageCatalog, ReconcilerConfig},
    parts,
};

pub(super) const ALL: &[Entry] = &[
    (
        Code::BadVersion,
        parts(
            Cluster,
            "A DataMiner release is three numbers: a Main Release ends in 0 and has Cumulative Updates (`10.5.0 CU9`), a \
             Feature Release counts months (`10.5.12`, rarely with a CU). Every spelling of the product is read: \
             `10.5.0 [CU9]`, `10.5.0.0-16500`, the text of VersionHistory, the name of a package.",
            "spec:\n  software: { core: latest }\n",
            "spec:\n  software: { core: 10.5.0 CU9 }\n",
        ),
    ),
    (
        Code::VersionNotText,
        parts(
            Cluster,
            "YAML reads a bare 10.5 as a number, and 10.10 as the number 10.1: another release. A date, a boolean or \
             nothing at all is no release either. Two numbers do not say which release is meant; with three, or with a CU, \
             YAML reads a text.",
            "spec:\n  software: { core: 10.10 }\n",
            "spec:\n  software: { core: 10.5.10 }\n",
        ),
    ),
    (
        Code::BadQuantity,
        parts(
            Cluster,
            "A duration is numbers with units, `72h`, `1h30m`, `45s`; a size is a number with a unit, `15GiB`, `20GB`. A \
             number without a unit could be anything.",
            "spec:\n  upgrade: { stageAhead: 3 days }\n",
            "spec:\n  upgrade: { stageAhead: 3d }\n",
        ),
    ),
    (
        Code::BadSchedule,
        parts(
            Cluster,
            "A window opens by a cron expression of five fields: minute, hour, day of month, month, day of week. The same \
             parser opens windows later, so what is accepted here also runs.",
            "spec:\n  windows:\n    - { kind: Allow, schedule: \"22 * * SAT\", duration: 4h, timeZone: Europe/Brussels }\n",
            "spec:\n  windows:\n    - { kind: Allow, schedule: \"0 22 * * SAT\", duration: 4h, timeZone: Europe/Brussels }\n",
        ),
    ),
    (
        Code::BadTimeZone,
        parts(
            Cluster,
            "Time zones have the names of the IANA data base (`Europe/Brussels`), not those of Windows (`Romance Standard \
             Time`): they follow daylight saving the same way on every machine. The rules are compiled into the program.",
            "spec:\n  windows:\n    - { kind: Allow, schedule: \"0 22 * * SAT\", duration: 4h, timeZone: Europe/Brusels }\n",
            "spec:\n  windows:\n    - { kind: Allow, schedule: \"0 22 * * SAT\", duration: 4h, timeZone: Europe/Brussels }\n",
        ),
    ),
    (
        Code::BadTime,
        parts(
            Cluster,
            "A day is written year, month, day; a point in time has an offset as well, for without one it would be another \
             moment in every time zone.",
            "spec:\n  downgrade: { policy: Allow, until: 2026-02-30 }\n",
            "spec:\n  downgrade: { policy: Allow, until: 2026-02-28 }\n",
        ),
    ),
    (
        Code::BadHostKey,
        parts(
            Cluster,
            "An Agent is recognised by the fingerprint of its SSH host key. `observe` shows it at the first contact; \
             compare it on the Agent itself with `ssh-keygen -lf`.",
            "spec:\n  agents:\n    - { name: bru-dma-01, address: 10.0.0.11, hostKey: \"SHA256:tRN9q9f\" }\n",
            "spec:\n  agents:\n    - name: bru-dma-01\n      address: 10.0.0.11\n      hostKey: \
             \"SHA256:tRN9q9fBeSy6niBDrbTxIgkx4h+/+ifVTAk4g9E4+VM\"\n",
        ),
    ),
    (
        Code::BadAddress,
        parts(
            Cluster,
            "An address is a host name or an IP address, with `:port` where it is not 22. No scheme, no path, no account: \
             the account is `connection.ssh.user`.",
            "spec:\n  agents: [ { name: bru-dma-01, address: \"ssh://10.0.0.11\" } ]\n",
            "spec:\n  agents: [ { name: bru-dma-01, address: 10.0.0.11 } ]\n",
        ),
    ),
    (
        Code::BadName,
        parts(
            Cluster,
            "Names appear in paths, metrics, host names and messages, so they use only what fits into all of them.",
            "metadata: { name: Brussels_1 }\n",
            "metadata: { name: brussels-1 }\n",
        ),
    ),
    (
        Code::BadDigest,
        parts(
            PackageCatalog,
            "A package is pinned by its SHA-256, 64 hexadecimal digits: nothing else is ever installed. `sha256sum FILE` \
             and `Get-FileHash FILE` print it.",
            "spec:\n  packages:\n    - { file: \"DataMiner 10.5.0.0(CU9)-16500 Full Upgrade.dmupgrade\", sha256: 0123456789abcdef }\n",
            "spec:\n  packages:\n    - file: \"DataMiner 10.5.0.0(CU9)-16500 Full Upgrade.dmupgrade\"\n      sha256: \
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
        ),
    ),
    (
        Code::BadPackageFile,
        parts(
            PackageCatalog,
            "Version, CU, build and kind are read from the original name of a package, which ends in `.dmupgrade` or \
             `.dmupdate`.",
            "spec:\n  packages:\n    - file: upgrade.zip\n      sha256: \
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
            "spec:\n  packages:\n    - file: \"DataMiner 10.5.0.0(CU9)-16500 Full Upgrade.dmupgrade\"\n      sha256: \
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
        ),
    ),
    (
        Code::BadUrl,
        parts(
            ReconcilerConfig,
            "Each place takes certain URLs: a git repository by ssh, https or a path; packages and vault by `file:///`. A \
             path may not lead out of its folder.",
            "spec:\n  packages: [ { name: nas, url: packages } ]\n",
            "spec:\n  packages: [ { name: nas, url: \"file:///packages\" } ]\n",
        ),
    ),
    (
        Code::BadText,
        parts(
            Cluster,
            "The text is shown on one line, so it has no line breaks or other control characters, is not empty, and is not \
             endless.",
            "spec:\n  connection: { ssh: { user: \"\", identity: { env: DMS_KEY } } }\n",
            "spec:\n  connection: { ssh: { user: svc-gitops, identity: { env: DMS_KEY } } }\n",
        ),
    ),
];
