//! What a file holds many of is read in one pass: with anything quadratic in it, none of these would end in a build
//! that is not optimised.

use super::*;
use crate::version::Version;

/// A catalogue of so many packages as JSON.
fn catalogue(packages: usize) -> serde_json::Value {
    let package = |at: usize| {
        serde_json::json!({
            "file": format!("é tool {at:05}.dmupgrade"),
            "sha256": format!("{at:064x}"),
            "tool": "tool",
        })
    };
    serde_json::json!({
        "apiVersion": "dataminer.gitops/v1",
        "kind": "PackageCatalog",
        "metadata": { "name": "main" },
        "spec": { "packages": (0..packages).map(package).collect::<Vec<_>>() },
    })
}

#[test]
fn json_on_one_line_is_what_it_is_on_many() {
    let json = catalogue(6_000);
    let (one, found) = load_fleet(&[file("a.yaml", &json.to_string())]);
    assert_eq!(lines(&found), "");
    let pretty = serde_json::to_string_pretty(&json).expect("it is JSON");
    let (many, found) = load_fleet(&[file("a.yaml", &pretty)]);
    assert_eq!(lines(&found), "");
    assert_eq!(one.catalogs[0].value, many.catalogs[0].value);
    assert_eq!(one.catalogs[0].value.packages.len(), 6_000);
}

#[test]
fn a_fault_at_the_end_of_a_long_line_has_its_column_in_characters() {
    let text = catalogue(6_000).to_string().replace("tool 05999.dmupgrade", "tool 05998.dmupgrade");
    let (_, found) = load_fleet(&[file("a.yaml", &text)]);
    let [twice] = found.as_slice() else { panic!("{}", lines(&found)) };
    let place = text.rfind("\"é tool").expect("the last package is there");
    assert_eq!((twice.code, twice.line), (Code::DuplicatePackage, 1));
    assert_eq!(twice.column, text[..place].chars().count() + 1);
}

#[test]
fn a_mapping_of_many_names_is_read_in_one_pass() {
    let labels: Vec<String> = (0..40_000).map(|at| format!("\"l{at:05}\": v")).collect();
    let text = cluster_with("")
        .replace("name: brussels", &format!("name: brussels, labels: {{ {} }}", labels.join(", ")));
    let (fleet, found) = load_fleet(&[file("a.yaml", &text)]);
    assert_eq!(lines(&found), "");
    assert_eq!(fleet.clusters[0].value.labels.len(), 40_000);
    assert_eq!(fleet.clusters[0].value.software.core, Version::new(10, 5, 0).with_cu(12));
    let twice = text.replace("l39999", "l00000");
    assert_eq!(codes(&twice), [Code::DuplicateField]);
}

#[test]
fn many_secrets_are_found_in_one_pass() {
    let items: Vec<String> = (0..20_000).map(|_| "{ password: hunter2 }".to_owned()).collect();
    let text = cluster_with(&format!("  hooks: [{}]\n", items.join(", ")));
    let found = load_fleet(&[file("a.yaml", &text)]).1;
    assert_eq!(found.iter().filter(|found| found.code == Code::SecretInFile).count(), 200);
    assert!(found.iter().all(|found| !found.render_text(&text).contains("hunter2")));
}
