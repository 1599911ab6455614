//! The verb on files: which bytes change, and what is said.

use std::{fmt::Write as _, fs, path::Path};

use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{Exit, tests::call};

const CATALOGUE: &str = "apiVersion: dataminer.gitops/v1\nkind: PackageCatalog\nmetadata: { name: approved }\nspec:\n  packages:\n";

const PACKAGES: [&str; 6] = [
    "DataMiner 10.5.0.0(CU12)-16889 Full Upgrade.dmupgrade",
    "DataMiner 10.5.0.0(CU18)-17000 Full Upgrade.dmupgrade",
    "DataMiner 10.6.0.0(CU9)-17900 Full Upgrade (rc).dmupgrade",
    "DataMiner 10.5.8.0-16100 Full Upgrade.dmupgrade",
    "DataMiner 10.5.12.0-16600 Full Upgrade.dmupgrade",
    "DataMiner 10.6.9.0-17001 Web Upgrade.dmupgrade",
];

/// A fleet in a folder, with the catalogue beside its manifests.
struct Folder(TempDir);

impl Folder {
    fn of(manifests: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary folder"));
        let mut catalogue = CATALOGUE.to_owned();
        for (at, file) in PACKAGES.iter().enumerate() {
            let _infallible = writeln!(catalogue, "    - {{ file: \"{file}\", sha256: \"{at:064x}\" }}");
        }
        folder.put("packages.yaml", &catalogue);
        for (file, text) in manifests {
            folder.put(file, text);
        }
        folder
    }

    fn path(&self, file: &str) -> String {
        self.0.path().join(file).to_str().expect("a plain name").to_owned()
    }

    fn put(&self, file: &str, text: &str) {
        fs::write(Path::new(&self.path(file)), text).expect("it can be written");
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).expect("it is there")
    }

    fn bump(&self, more: &[&str]) -> (Exit, String, String) {
        let folder = self.path("");
        call(&[&["bump", "-f", &folder], more].concat())
    }

    /// What is raised where, by cluster.
    fn json(&self, more: &[&str]) -> Value {
        let (exit, out, talk) = self.bump(&[more, &["-o", "json"]].concat());
        assert_eq!(exit, Exit::Ok, "{talk}");
        serde_json::from_str(&out).expect("it is JSON")
    }
}

/// A cluster whose `software` is this text.
fn cluster(name: &str, software: &str) -> String {
    format!(
        "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: {{ name: {name} }}\nspec:\n  software: {software}\n  \
         agents: [ {{ name: {name}-1, address: {name}.example }} ]\n"
    )
}

#[test]
fn versions_are_raised_in_place_and_a_second_run_changes_nothing() {
    let text = cluster("brussels", "{ core: \"10.5.0 CU12\", webApps: bundled } # keep me");
    let folder = Folder::of(&[("brussels.yaml", &text)]);
    let (exit, _, talk) = folder.bump(&["--check"]);
    assert_eq!((exit, folder.read("brussels.yaml")), (Exit::Failed, text.clone()), "{talk}");
    let (exit, _, talk) = folder.bump(&["--dry-run"]);
    assert_eq!((exit, folder.read("brussels.yaml")), (Exit::Ok, text.clone()), "{talk}");
    let (exit, out, talk) = folder.bump(&[]);
    assert_eq!(exit, Exit::Ok, "{talk}");
    assert!(talk.contains("1 cluster raised, 1 file written"), "{talk}");
    assert!(out.contains("10.5.0 CU18") && out.contains("brussels.yaml:5"), "{out}");
    let raised = text.replace("10.5.0 CU12", "10.5.0 CU18");
    assert_eq!(folder.read("brussels.yaml"), raised);
    for arguments in [&[][..], &["--check"]] {
        let (exit, _, talk) = folder.bump(arguments);
        assert_eq!(exit, Exit::Ok, "{talk}");
        assert!(talk.contains("0 clusters"), "{talk}");
    }
    assert_eq!(folder.read("brussels.yaml"), raised);
}

#[test]
fn builds_are_written_where_one_was() {
    let folder = Folder::of(&[
        ("a.yaml", &cluster("a", "{ core: 10.5.0 CU12 (build 16889), webApps: '10.6.4 (build 16950)' }")),
        ("b.yaml", &cluster("b", "{ core: '10.5.0.0-16889' }")),
    ]);
    let report = folder.json(&[]);
    assert_eq!(report["written"], true);
    assert_eq!(
        folder.read("a.yaml"),
        cluster("a", "{ core: 10.5.0 CU18 (build 17000), webApps: '10.6.9 (build 17001)' }")
    );
    assert_eq!(folder.read("b.yaml"), cluster("b", "{ core: '10.5.0 CU18 (build 17000)' }"));
}

#[test]
fn the_track_and_the_ceiling_are_the_callers_word() {
    let folder = Folder::of(&[("a.yaml", &cluster("a", "{ core: 10.5.8 }"))]);
    let core =
        |more: &[&str]| folder.json(&[more, &["--dry-run"]].concat())["clusters"][0]["fields"][0].clone();
    assert_eq!(core(&[])["to"], "10.5.12");
    assert_eq!(core(&["--to", "10.5.10"])["stays"], "Ceiling");
    assert_eq!(core(&["--cu-only"])["stays"], "Newest");
    // A Feature Release is not offered a CU of the Main Release below it; the candidate of the next is none.
    assert_eq!(core(&["--track", "main"])["stays"], "Newest");
}

#[test]
fn a_hotfix_is_left_alone_and_named() {
    let text = cluster("a", "{ core: 'HF_10.5.0.0(CU12)_20260301-135714' }");
    let folder = Folder::of(&[("a.yaml", &text)]);
    let (exit, out, talk) = folder.bump(&["--check"]);
    assert_eq!(exit, Exit::Ok, "{talk}");
    assert!(out.contains("a hotfix of 10.5.0 CU12"), "{out}");
    assert!(talk.contains("1 left alone for a reason"), "{talk}");
}

#[test]
fn a_profile_is_edited_once_and_whoever_it_moves_is_named() {
    let profile = "apiVersion: dataminer.gitops/v1\nkind: Profile\nmetadata: { name: production }\nspec:\n  software:\n    \
                   core: 10.5.0 CU12   # for all\n";
    let member = |name: &str, software: &str| {
        cluster(name, software).replace("spec:\n", "spec:\n  profile: production\n")
    };
    let folder = Folder::of(&[
        ("profile.yaml", profile),
        ("a.yaml", &member("a", "{ webApps: bundled }")),
        ("b.yaml", &member("b", "{}")),
        ("c.yaml", &member("c", "{ core: 10.5.8 }")),
    ]);
    let report = folder.json(&["a"]);
    let clusters = report["clusters"].as_array().expect("a list");
    let named: Vec<_> =
        clusters.iter().map(|row| (row["cluster"].as_str(), row["drawnAlong"].as_bool())).collect();
    assert_eq!(named, [(Some("a"), Some(false)), (Some("b"), Some(true))]);
    assert_eq!(clusters[0]["fields"][0]["profile"], "production");
    assert_eq!(folder.read("profile.yaml"), profile.replace("CU12", "CU18"));
    assert_eq!(folder.read("c.yaml"), member("c", "{ core: 10.5.8 }"));
}

#[test]
fn those_who_share_a_value_but_want_different_ones_keep_it() {
    let profile = "apiVersion: dataminer.gitops/v1\nkind: Profile\nmetadata: { name: p }\nspec: { software: { core: 10.5.0 CU12 } }\n";
    let member = |name: &str, web: &str| {
        cluster(name, &format!("{{ webApps: {web} }}")).replace("spec:\n", "spec:\n  profile: p\n")
    };
    // The web apps of `b` are below those of the newer core, above it by number, and no package helps.
    let folder = Folder::of(&[
        ("p.yaml", profile),
        ("a.yaml", &member("a", "bundled")),
        ("b.yaml", &member("b", "10.6.4")),
    ]);
    let catalogue = folder.read("packages.yaml").replace("10.6.9.0-17001 Web", "10.4.9.0-17001 Web");
    folder.put("packages.yaml", &catalogue);
    let report = folder.json(&[]);
    let states: Vec<_> = report["clusters"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["fields"][0]["stays"].clone())
        .collect();
    assert_eq!(states, ["Shared", "Refused"], "{report:#}");
    assert_eq!(folder.read("p.yaml"), profile);
}

#[test]
fn an_anchor_moves_all_its_users_or_none() {
    let shared = "{ core: &v 10.5.0 CU12, webApps: *v }";
    let folder = Folder::of(&[("a.yaml", &cluster("a", shared))]);
    // Core and web apps want the same level, and the core brings it.
    folder.put(
        "packages.yaml",
        &folder.read("packages.yaml").replace("10.6.9.0-17001 Web", "10.4.9.0-17001 Web"),
    );
    let (exit, _, talk) = folder.bump(&[]);
    assert_eq!(exit, Exit::Ok, "{talk}");
    assert_eq!(folder.read("a.yaml"), cluster("a", "{ core: &v 10.5.0 CU18, webApps: *v }"));

    let used = cluster("b", "{ core: &v 10.5.0 CU12 }").replace("metadata: { name: b }\nspec:\n", "spec:\n")
        + "metadata: { name: b, annotations: { note: *v } }\n";
    let folder = Folder::of(&[("b.yaml", &used)]);
    let (exit, _, talk) = folder.bump(&[]);
    assert_eq!(exit, Exit::Failed);
    assert!(talk.contains("nothing was written") && talk.contains("anchor"), "{talk}");
    assert_eq!(folder.read("b.yaml"), used);
}

#[test]
fn a_value_over_several_lines_keeps_what_is_around_it() {
    for (old, new) in [
        ("|-\n      10.5.0 CU12", "|-\n      10.5.0 CU18"),
        (">-  # why\n      10.5.0 CU12\n", ">-  # why\n      10.5.0 CU18\n"),
        ("\"10.5.0\n      CU12\"", "\"10.5.0 CU18\""),
    ] {
        let text = |value: &str| cluster("a", &format!("\n    core: {value}"));
        let folder = Folder::of(&[("a.yaml", &text(old))]);
        let (exit, _, talk) = folder.bump(&[]);
        assert_eq!(exit, Exit::Ok, "{talk}");
        assert_eq!(folder.read("a.yaml"), text(new));
    }
}

#[test]
fn nothing_is_written_where_one_file_cannot_be() {
    let good = cluster("a", "{ core: 10.5.0 CU12 }");
    let bad = cluster("b", "{ core: &v 10.5.0 CU12 }").replace("metadata: { name: b }\nspec:\n", "spec:\n")
        + "metadata: { name: b, annotations: { note: *v } }\n";
    let folder = Folder::of(&[("a.yaml", &good), ("b.yaml", &bad)]);
    let (exit, _, talk) = folder.bump(&[]);
    assert_eq!(exit, Exit::Failed, "{talk}");
    assert_eq!((folder.read("a.yaml"), folder.read("b.yaml")), (good, bad));
}

#[test]
fn an_unknown_cluster_and_broken_manifests_are_errors() {
    let folder = Folder::of(&[("a.yaml", &cluster("a", "{ core: 10.5.0 CU12 }"))]);
    let (exit, _, talk) = folder.bump(&["nowhere"]);
    assert_eq!(exit, Exit::Failed);
    assert!(talk.contains("nowhere"), "{talk}");
    folder.put("b.yaml", "kind: [");
    assert_eq!(folder.bump(&[]).0, Exit::Failed);
    assert_eq!(folder.read("a.yaml"), cluster("a", "{ core: 10.5.0 CU12 }"));
}

/// A way to write the same cluster; `CORE` and `WEB` stand for the values with their quotes.
fn formatted(flow: bool, indent: usize, noise: &str, web_first: bool) -> String {
    let pad = " ".repeat(indent);
    let mut fields = ["core: CORE".to_owned(), "webApps: WEB".to_owned()];
    if web_first {
        fields.reverse();
    }
    let software = if flow {
        let [first, second] = fields;
        format!("software: {{ {first},  {second} }}  # {noise}\n")
    } else {
        let [first, second] = fields;
        format!(
            "software:   # {noise}\n{pad}{pad}{first}   # {noise}\n\n{pad}{pad}# {noise}\n{pad}{pad}{second}\n"
        )
    };
    format!(
        "# {noise}\napiVersion:   dataminer.gitops/v1\n---\n# empty above\napiVersion: dataminer.gitops/v1\nkind: Cluster\n\n\n\
         metadata: {{name: brussels}}\nspec:\n{pad}{software}{pad}agents:\n{pad}- name: x\n{pad}  address: 'x.example' # {noise}\n"
    )
    .replace("apiVersion:   dataminer.gitops/v1\n---\n# empty above\n", "")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever way a manifest is written: only the bytes of the values differ.
    #[test]
    fn only_the_values_bytes_change(
        flow: bool,
        indent in 1..6_usize,
        noise in "[ -~äß→'\"\\[\\]{}:#&*!|>%@`-]{0,24}",
        quotes in (0..3_usize, 0..3_usize),
        crlf: bool,
        bom: bool,
        web_first: bool,
    ) {
        let quote = |style: usize, value: &str| {
            let quote = ["", "'", "\""][style];
            format!("{quote}{value}{quote}")
        };
        let written = |core: &str, web: &str| {
            let mut text = formatted(flow, indent, &noise, web_first)
                .replace("CORE", &quote(quotes.0, core))
                .replace("WEB", &quote(quotes.1, web));
            if crlf {
                text = text.replace('\n', "\r\n");
            }
            if bom { format!("\u{feff}{text}") } else { text }
        };
        prop_assume!(!noise.contains("CORE") && !noise.contains("WEB"));
        let folder = Folder::of(&[("m.yaml", &written("10.5.0 CU12", "10.6.4"))]);
        let (exit, _, talk) = folder.bump(&[]);
        prop_assert_eq!(exit, Exit::Ok, "{}", talk);
        prop_assert_eq!(folder.read("m.yaml"), written("10.5.0 CU18", "10.6.9"));
        let (exit, _, talk) = folder.bump(&["--check"]);
        prop_assert_eq!(exit, Exit::Ok, "{}", talk);
    }
}
