//! The published JSON Schema files: up to date, valid draft 7, and free of what only the reader understands.

use std::path::PathBuf;

use serde_json::Value;

/// How the files are written anew.
const COMMAND: &str = "cargo run -- schema --write schema/json";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("json")
}

#[test]
fn committed_schemas_are_current() {
    for (name, schema) in dataminer_schema::json_schemas() {
        let path = folder().join(name);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; run `{COMMAND}`", path.display()));
        assert!(
            text == dataminer_schema::json_schema_text(&schema),
            "schema/json/{name} is stale; run `{COMMAND}`"
        );
    }
    let mut committed: Vec<String> = std::fs::read_dir(folder())
        .expect("the folder of the schemas is there")
        .map(|entry| entry.expect("a folder can be listed").file_name().to_string_lossy().into_owned())
        .collect();
    committed.sort();
    let expected: Vec<&str> = dataminer_schema::json_schemas().iter().map(|(name, _)| *name).collect();
    assert_eq!(committed, expected, "schema/json holds other files than are generated; run `{COMMAND}`");
}

#[test]
fn schemas_are_draft_7_and_hold_no_private_keyword_and_no_null() {
    for (name, schema) in dataminer_schema::json_schemas() {
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#", "{name}");
        assert!(jsonschema::draft7::meta::is_valid(&schema), "{name}");
        let text = schema.to_string();
        assert!(!text.contains("\"x-"), "{name} holds a private keyword");
        assert!(!text.contains("\"null\""), "{name} allows null, which stands for nothing here");
        assert!(!text.contains("`domain/"), "{name} cites the sources of the code");
        for (definition, property, described) in properties(&schema) {
            assert!(described, "{name}: {definition}.{property} has no description for editors");
        }
    }
}

/// Every property with whether it has a description.
fn properties(schema: &Value) -> Vec<(String, String, bool)> {
    let definitions = schema["definitions"].as_object().cloned().unwrap_or_default();
    let all = definitions.into_iter().chain([("the document".to_owned(), schema.clone())]);
    all.flat_map(|(name, definition)| {
        let properties = definition["properties"].as_object().cloned().unwrap_or_default();
        properties
            .into_iter()
            .map(move |(property, schema)| (name.clone(), property, schema["description"].is_string()))
    })
    .collect()
}

/// For looking things up, so that nothing may be missing in it.
#[test]
fn the_full_example_of_a_configuration_has_every_field() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/config/full.yaml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (config, found) = dataminer_schema::load::load_config(&dataminer_schema::load::SourceFile {
        path: "full.yaml".to_owned(),
        bytes: text.clone().into_bytes(),
    });
    assert!(config.is_some(), "{found:?}");
    let schemas = dataminer_schema::json_schemas();
    let (_, schema) =
        schemas.iter().find(|(name, _)| name.starts_with("reconciler-config")).expect("it has a schema");
    let mut fields = std::collections::BTreeSet::new();
    names(schema, &mut fields);
    assert!(fields.len() > 80, "{fields:?}");
    // Of the ways to sign in, `sessionToken` goes with a key that is lent, and is in no one's file.
    let missing: Vec<_> = fields
        .iter()
        .filter(|field| field.as_str() != "sessionToken" && !text.contains(&format!("{field}:")))
        .collect();
    assert!(missing.is_empty(), "{} lacks {missing:?}", path.display());
}

/// The names of all properties, wherever they stand.
fn names(schema: &Value, found: &mut std::collections::BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                found.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| names(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A plan with every field, as `03-planner` of the design shows it.
const PLAN: &str = r#"{
  "formatVersion": "1.0",
  "cluster": "brussels",
  "commit": "0123456789abcdef0123456789abcdef01234567",
  "id": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
  "result": "Waiting",
  "change": "Upgrade",
  "from": { "core": "10.4.0 CU4", "build": 14772, "webApps": "10.4.7" },
  "to": { "core": "10.6.0 CU3", "webApps": "10.6.6" },
  "agents": [{ "name": "bru-dma-01", "core": "10.4.0 CU4", "build": 14772, "webApps": "10.4.7" }],
  "steps": [{
    "id": "1", "action": "UpgradeCore", "from": "10.4.0 CU4", "to": "10.5.0 CU9", "build": 16500,
    "package": "DataMiner 10.5.0.0(CU9)-16500 Full Upgrade.dmupgrade",
    "sha256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "agents": ["bru-dma-01"], "disruption": "Restart", "rules": ["H2"], "reason": "One line at a time.",
    "ready": false, "estimate": { "p50": "PT35M", "p95": "PT70M" }
  }],
  "blocked": [{ "code": "NoPackage", "message": "m", "help": "h", "agents": [] }],
  "waiting": [{ "on": "Window", "until": "2026-11-21T21:00:00Z", "message": "m" }],
  "warnings": [{ "code": "KnownIssue", "ref": "KI_x", "message": "m" }],
  "knownIssues": { "introduced": ["KI_x"], "resolved": [] },
  "contentLoss": {
    "backup": {
      "file": "a.zip", "agent": "bru-dma-01",
      "sha256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    },
    "takenAt": "2026-11-20T21:00:00Z", "content": "10.4.0 CU12", "since": "2026-11-20T21:00:00Z",
    "agents": ["bru-dma-01"]
  }
}"#;

#[test]
fn a_plan_is_what_its_schema_says() {
    let schemas = dataminer_schema::json_schemas();
    let (_, schema) =
        schemas.iter().find(|(name, _)| *name == "plan.schema.json").expect("plans have a schema");
    let validator = jsonschema::draft7::new(schema).expect("a generated schema is valid");
    let written: Value = serde_json::from_str(PLAN).expect("the sample is JSON");
    let plan: dataminer_schema::plan::Plan =
        serde_json::from_value(written.clone()).expect("the sample is a plan");
    let printed = serde_json::to_value(&plan).expect("plans are JSON");
    for document in [&written, &printed] {
        let faults: Vec<String> = validator.iter_errors(document).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, [""; 0]);
    }
    for (pointer, wrong) in [
        ("/result", Value::from("Done")),
        ("/steps/0/ready", Value::from("no")),
        ("/steps/0/sha256", Value::from("ABC")),
        ("/from/build", Value::Null),
        ("/cluster", Value::from("Brussels")),
    ] {
        let mut changed = written.clone();
        *changed.pointer_mut(pointer).expect("the sample has every field") = wrong;
        assert!(!validator.is_valid(&changed), "{pointer}");
    }
}
