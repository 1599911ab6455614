//! JSON Schema (draft 7) of every document.

use std::sync::OnceLock;

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::transform_subschemas};
use serde_json::{Map, Value};

use super::{
    Kind,
    advisory::AdvisoryDocument,
    catalog::CatalogDocument,
    cluster::{ClusterDocument, ProfileDocument},
    config::ConfigDocument,
    knowledge::KnowledgeDocument,
    observation::ObservationDocument,
    rollout::RolloutDocument,
};
use crate::plan::Plan;

/// The private keyword that names a check of the reader.
pub(crate) const CHECK: &str = "x-check";

/// The published schemas: file names and contents, in the order of the file names.
///
/// They are committed in `schema/json`; `dataminer-reconciler schema --write schema/json` writes them anew.
pub fn json_schemas() -> Vec<(&'static str, Value)> {
    let published = |mut schema: Value| {
        strip_private(&mut schema);
        schema
    };
    vec![
        ("advisory.schema.json", published(document_schema::<AdvisoryDocument>())),
        ("cluster.schema.json", published(document_schema::<ClusterDocument>())),
        ("observation.schema.json", published(document_schema::<ObservationDocument>())),
        ("package-catalog.schema.json", published(document_schema::<CatalogDocument>())),
        ("plan.schema.json", published(document_schema::<Plan>())),
        ("profile.schema.json", published(document_schema::<ProfileDocument>())),
        ("reconciler-config.schema.json", published(document_schema::<ConfigDocument>())),
        ("release-knowledge.schema.json", published(document_schema::<KnowledgeDocument>())),
        ("rollout.schema.json", published(document_schema::<RolloutDocument>())),
    ]
}

/// A schema as its file holds it: fields in alphabetical order, whatever the build says of map order.
pub fn json_schema_text(schema: &Value) -> String {
    let mut text = serde_json::to_string_pretty(&sorted(schema)).unwrap_or_default();
    text.push('\n');
    text
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            names.into_iter().map(|name| (name.clone(), sorted(&fields[name]))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The schema that the reader checks documents of `kind` against, private keywords included.
pub(crate) fn checked_schema(kind: Kind) -> &'static Value {
    static SCHEMAS: [OnceLock<Value>; Kind::ALL.len()] = [const { OnceLock::new() }; Kind::ALL.len()];
    let generate = match kind {
        Kind::Cluster => document_schema::<ClusterDocument>,
        Kind::Profile => document_schema::<ProfileDocument>,
        Kind::PackageCatalog => document_schema::<CatalogDocument>,
        Kind::Rollout => document_schema::<RolloutDocument>,
        Kind::Advisory => document_schema::<AdvisoryDocument>,
        Kind::Observation => document_schema::<ObservationDocument>,
        Kind::ReconcilerConfig => document_schema::<ConfigDocument>,
        Kind::ReleaseKnowledge => document_schema::<KnowledgeDocument>,
    };
    SCHEMAS[kind as usize].get_or_init(generate)
}

fn document_schema<T: JsonSchema>() -> Value {
    let generator =
        SchemaSettings::draft07().with_transform(without_null).with_transform(with_range).into_generator();
    generator.into_root_schema_for::<T>().to_value()
}

/// Takes null out of a schema: what is unknown is absent. serde's optional fields would allow both.
fn without_null(schema: &mut Schema) {
    let null = |value: &Value| value == "null" || value.get("type").is_some_and(|kind| kind == "null");
    if let Some(object) = schema.as_object_mut() {
        if object.get("default").is_some_and(Value::is_null) {
            object.remove("default");
        }
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|kind| !null(kind));
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(branches)) = object.get_mut("anyOf") {
            branches.retain(|branch| !null(branch));
            if let [Value::Object(only)] = branches.as_slice() {
                let only = only.clone();
                object.remove("anyOf");
                merge(object, only);
            }
        }
    }
    transform_subschemas(&mut without_null, schema);
}

/// Says how large a number may be by `maximum`, where Rust's names of widths mean nothing to an editor.
fn with_range(schema: &mut Schema) {
    if let Some(object) = schema.as_object_mut() {
        let widest = match object.get("format").and_then(Value::as_str) {
            Some("uint8") => Some(i64::from(u8::MAX)),
            Some("uint16") => Some(i64::from(u16::MAX)),
            Some("uint32") => Some(i64::from(u32::MAX)),
            // The reader holds numbers as i64.
            Some("uint64") => Some(i64::MAX),
            _ => None,
        };
        if let Some(widest) = widest {
            object.remove("format");
            object.entry("maximum").or_insert(widest.into());
        }
    }
    transform_subschemas(&mut with_range, schema);
}

/// Puts the only branch of an `anyOf` beside the description of its field. Draft 7 reads nothing beside `$ref`, so
/// that one goes into an `allOf`.
fn merge(object: &mut Map<String, Value>, branch: Map<String, Value>) {
    if branch.contains_key("$ref") && !object.is_empty() {
        object.insert("allOf".to_owned(), Value::Array(vec![Value::Object(branch)]));
    } else {
        for (key, value) in branch {
            object.entry(key).or_insert(value);
        }
    }
}

/// Takes out what only the reader understands, and what descriptions cite for readers of the code.
fn strip_private(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|key, _| key != CHECK);
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = without_citation(text);
            }
            object.values_mut().for_each(strip_private);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_private),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `the order inside pairs (`domain/04 section 2`).` becomes `the order inside pairs.`
fn without_citation(text: &str) -> String {
    let Some((before, rest)) = text.split_once(" (`domain/") else { return text.to_owned() };
    let Some((_, after)) = rest.split_once(')') else { return text.to_owned() };
    format!("{before}{after}")
}
