//! Fields: names, types, values, counts.

use super::{
    Code, Entry,
    Frame::{Cluster, PackageCatalog, ReconcilerConfig, Whole},
    parts,
};

pub(super) const ALL: &[Entry] = &[
    (
        Code::UnknownField,
        parts(
            Cluster,
            "A field that is not known is refused, never passed over: a misspelt `suspend` or `windows` would otherwise \
             let work start that somebody meant to stop.",
            "spec:\n  upgrade: { failoverpolicy: BackupFirst }\n",
            "spec:\n  upgrade: { failoverPolicy: BackupFirst }\n",
        ),
    ),
    (
        Code::MissingField,
        parts(
            Whole,
            "Without this field nothing sensible can be done, and there is no default that would be right for everybody.",
            "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: { name: brussels }\nspec:\n  software: { core: \
             10.5.0 CU9 }\n  agents: [ { name: bru-dma-01 } ]\n",
            "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: { name: brussels }\nspec:\n  software: { core: \
             10.5.0 CU9 }\n  agents: [ { name: bru-dma-01, address: 10.0.0.11 } ]\n",
        ),
    ),
    (
        Code::WrongType,
        parts(
            Cluster,
            "A value is a text, a number, true or false, a list or a mapping, as its field says. In YAML 1.2 `yes`, `no`, \
             `on` and `off` are texts.",
            "spec:\n  suspend: yes\n",
            "spec:\n  suspend: true\n",
        ),
    ),
    (
        Code::NullValue,
        parts(
            Cluster,
            "A field without a value is `null` in YAML. Here what is absent takes its default or is unknown; `null` would \
             be a third thing that nobody means. Mostly the lines below lost their indentation, or were all commented out.",
            "spec:\n  windows:\n",
            "spec:\n  windows: []\n",
        ),
    ),
    (
        Code::UnknownValue,
        parts(
            Cluster,
            "The field takes one of a few words, spelt exactly like this; `explain KIND.field` lists them.",
            "spec:\n  upgrade: { failoverPolicy: Simultaneous }\n",
            "spec:\n  upgrade: { failoverPolicy: Simultaneously }\n",
        ),
    ),
    (
        Code::OutOfRange,
        parts(
            ReconcilerConfig,
            "The number is outside of what makes sense for this field; `explain KIND.field` gives the limits.",
            "spec:\n  loop: { concurrency: 0 }\n",
            "spec:\n  loop: { concurrency: 64 }\n",
        ),
    ),
    (
        Code::WrongCount,
        parts(
            Cluster,
            "The list needs at least one item, or takes at most so many.",
            "spec:\n  agents: []\n",
            "spec:\n  agents: [ { name: bru-dma-01, address: 10.0.0.11 } ]\n",
        ),
    ),
    (
        Code::Exclusive,
        parts(
            PackageCatalog,
            "Each of these fields alone says all; together they would say two different things.",
            "spec:\n  packages:\n    - file: renamed.dmupgrade\n      sha256: \
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n      core: 10.5.0 CU9\n      tool: \
             NATSMigration\n",
            "spec:\n  packages:\n    - file: renamed.dmupgrade\n      sha256: \
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n      core: 10.5.0 CU9\n",
        ),
    ),
    (
        Code::NotSupportedYet,
        parts(
            PackageCatalog,
            "The field or value belongs to the language, and what it asks for is not built yet. It is said by name, \
             because doing nothing about it in silence would look like agreement. A cluster on which it is set does not \
             change, and no process starts with a configuration that sets it.",
            "spec:\n  packages:\n    - file: DataMiner 10.5.0.0(CU9)-16500 Full Upgrade.dmupgrade\n      sha256: \
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n      source: \"s3://packages/core\"\n",
            "spec:\n  packages:\n    - file: DataMiner 10.5.0.0(CU9)-16500 Full Upgrade.dmupgrade\n      sha256: \
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n      source: \"file:///packages/core\"\n",
        ),
    ),
];
