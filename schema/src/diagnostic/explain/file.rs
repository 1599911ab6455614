//! Files and YAML: what keeps a document from being looked at.

use super::{
    Code, Entry,
    Frame::{Cluster, Whole},
    parts, told,
};

pub(super) const ALL: &[Entry] = &[
    (
        Code::FileTooLarge,
        told(
            "A repository comes from outside, and one file must not fill the memory of the process that watches it. \
             What people write stays far below the cap: it has room for several hundred clusters.",
            "Manifests and configurations: 1 MiB. Observations: 16 MiB. Split the file; the documents of a fleet may lie \
             in any number of files and folders.",
        ),
    ),
    (
        Code::NotUtf8,
        told(
            "YAML is read as UTF-8. A file in another encoding would be read as other words than its author sees, so \
             nothing of it is guessed.",
            "Windows editors write UTF-16 or an ANSI code page now and then: save the file as UTF-8, or convert it with \
             `iconv -f UTF-16 -t UTF-8`. A byte order mark of UTF-8 does no harm.",
        ),
    ),
    (
        Code::TooManyFiles,
        told(
            "A path that holds this many files is most likely not the folder of the manifests.",
            "At most 20000 files are read. Name the folder of the manifests in the source's `path`.",
        ),
    ),
    (
        Code::TooManyDocuments,
        told(
            "A file that repeats `---` without end must not keep the reader busy for ever.",
            "At most 1000 documents of one file are read, 5000 of a file of observations. Split the file.",
        ),
    ),
    (
        Code::TooDeep,
        told(
            "No document of the language is nested deeper than about ten levels, aliases written out. What is deeper was \
             made to break a reader, or has lost a bracket.",
            "At most 32 levels are read. Look for a `[` or `{` that nothing closes.",
        ),
    ),
    (
        Code::TooManyValues,
        told(
            "An alias repeats a value, and aliases of aliases multiply: a few lines can stand for billions of values.",
            "At most 200000 values of one file are read, aliases written out; 2000000 of a file of observations. Split \
             the file, or use fewer aliases.",
        ),
    ),
    (
        Code::TooManyDiagnostics,
        told(
            "More faults than this in one file mostly have one cause: a lost indentation, another format.",
            "The first 200 faults of a file are listed. Correct them and validate again.",
        ),
    ),
    (
        Code::NotRead,
        told(
            "Half a commit is never in force, so what was passed over must be said. Links are not followed, because they \
             can lead out of the repository; names that a terminal or Windows would read as something else are refused; \
             and a repository has caps on files, bytes, entries and depth.",
            "Put the file itself where the link is; rename what has an odd name; move manifests into a folder of their \
             own and name it in the source's `path`.",
        ),
    ),
    (
        Code::Syntax,
        parts(
            Whole,
            "The file is not YAML 1.2 from the marked place on. The cause often stands a little before it: a quote or \
             bracket that nothing closes, a tab where blanks indent, a colon without a blank behind it.",
            "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: { name: \"brussels }\n",
            "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: { name: \"brussels\" }\nspec:\n  software: { core: \
             10.5.0 CU9 }\n  agents: [ { name: bru-dma-01, address: 10.0.0.11 } ]\n",
        ),
    ),
    (
        Code::DuplicateField,
        parts(
            Cluster,
            "Most readers of YAML take the last of two equal fields and say nothing. Which one its author meant cannot \
             be known, so neither is taken.",
            "spec:\n  suspend: true\n  suspend: false\n",
            "spec:\n  suspend: true\n",
        ),
    ),
    (
        Code::FieldNameNotText,
        parts(
            Cluster,
            "YAML lets a list or a mapping name a field; the language has no such field. Mostly a `?` or a bracket slipped \
             in.",
            "spec:\n  [suspend]: true\n",
            "spec:\n  suspend: true\n",
        ),
    ),
    (
        Code::TagNotAllowed,
        parts(
            Cluster,
            "A tag (`!!str`, `!include`) tells a reader what to make of a value. The schema alone decides that here, and \
             tags that load files or build objects have no place in what is read from outside.",
            "spec:\n  suspend: !!bool true\n",
            "spec:\n  suspend: true\n",
        ),
    ),
    (
        Code::MergeKey,
        parts(
            Cluster,
            "`<<` is a habit of YAML 1.1. In YAML 1.2 it is a field with an odd name, so what it should merge would be \
             lost without a word.",
            "spec:\n  health: &patient { timeout: 2h }\n  upgrade: { <<: { stopSnmp: true } }\n",
            "spec:\n  health: &patient { timeout: 2h }\n  upgrade: { options: { stopSnmp: true } }\n",
        ),
    ),
    (
        Code::AliasInsideItself,
        told(
            "An alias inside the value that it repeats would go on without end.",
            "`labels: &all { team: *all }` repeats itself. Write the value out, or place the anchor (`&name`) at a value \
             that is complete before the alias (`*name`) stands.",
        ),
    ),
    (
        Code::NotADocument,
        parts(
            Whole,
            "Every document says what it is by four fields: `apiVersion`, `kind`, `metadata` and `spec`. A list or a plain \
             text cannot.",
            "- brussels\n- lisbon\n",
            "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: { name: brussels }\nspec:\n  software: { core: \
             10.5.0 CU9 }\n  agents: [ { name: bru-dma-01, address: 10.0.0.11 } ]\n",
        ),
    ),
    (
        Code::UnknownApiVersion,
        parts(
            Whole,
            "`apiVersion` fixes the language, so that a later one can change without old files changing their meaning. \
             YAML of other programs belongs outside the path of the manifests.",
            "apiVersion: dataminer.gitops/v2\nkind: PackageCatalog\nmetadata: { name: approved }\nspec: {}\n",
            "apiVersion: dataminer.gitops/v1\nkind: PackageCatalog\nmetadata: { name: approved }\nspec: {}\n",
        ),
    ),
    (
        Code::UnknownKind,
        parts(
            Whole,
            "`kind` says which fields the document may have. Capitals count.",
            "apiVersion: dataminer.gitops/v1\nkind: packageCatalog\nmetadata: { name: approved }\nspec: {}\n",
            "apiVersion: dataminer.gitops/v1\nkind: PackageCatalog\nmetadata: { name: approved }\nspec: {}\n",
        ),
    ),
    (
        Code::KindNotHere,
        parts(
            Whole,
            "A fleet repository holds what many may propose. The process's own configuration, which grants secrets, and \
             observations, which are measured, never come from it.",
            "apiVersion: dataminer.gitops/v1\nkind: ReconcilerConfig\nspec: { installation: prod }\n",
            "apiVersion: dataminer.gitops/v1\nkind: PackageCatalog\nmetadata: { name: approved }\nspec: {}\n",
        ),
    ),
    (
        Code::SecretInFile,
        parts(
            Cluster,
            "A repository is read by many and forgets nothing. Manifests name secrets, by a file or an environment \
             variable of the process, and the process's configuration says for which hosts. What was once committed must \
             be replaced, also after it was taken out again.",
            "spec:\n  connection: { ssh: { user: svc-gitops, password: hunter2 } }\n",
            "spec:\n  connection: { ssh: { user: svc-gitops, identity: { file: /run/secrets/dms_key } } }\n",
        ),
    ),
    (
        Code::Unreadable,
        told(
            "The checks and the types of this program disagree about a document: a fault of the program, not of the file.",
            "Please report it together with the document.",
        ),
    ),
];
