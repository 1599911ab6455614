//! A Profile under a Cluster: the Cluster's own word goes first, field by field.

use serde_json::{Map, Value};

/// Fills what `own` leaves out from `profile`, and notes in `gave` what was taken, as `spec.upgrade.stageAhead`.
///
/// Mappings are merged field by field. A list is taken as a whole, and so is a mapping that is one of several
/// alternatives: half a jump host of the Cluster and half one of the Profile would be neither.
pub(super) fn fill_from(
    own: &mut Map<String, Value>,
    profile: &Map<String, Value>,
    path: &str,
    gave: &mut Vec<String>,
) {
    for (field, given) in profile {
        let path = format!("{path}.{field}");
        match own.get_mut(field) {
            None => {
                name_fields(given, &path, gave);
                own.insert(field.clone(), given.clone());
            }
            Some(Value::Object(own)) if !is_alternative(field) => {
                if let Value::Object(given) = given {
                    fill_from(own, given, &path, gave);
                }
            }
            Some(_) => {}
        }
    }
}

/// The fields of a Profile's spec, as `spec.upgrade.stageAhead`.
pub(super) fn fields_of(spec: &Map<String, Value>) -> Vec<String> {
    let mut fields = Vec::new();
    for (field, given) in spec {
        name_fields(given, &format!("spec.{field}"), &mut fields);
    }
    fields
}

fn name_fields(given: &Value, path: &str, fields: &mut Vec<String>) {
    let name = path.rsplit('.').next().unwrap_or(path);
    match given {
        Value::Object(inner) if !is_alternative(name) && !inner.is_empty() => {
            for (field, given) in inner {
                name_fields(given, &format!("{path}.{field}"), fields);
            }
        }
        _ => fields.push(path.to_owned()),
    }
}

/// The mappings of a Cluster's spec that are one of several alternatives; a test holds the list against the schema.
pub(super) const ALTERNATIVES: [&str; 4] = ["password", "runAs", "ssh", "via"];

fn is_alternative(field: &str) -> bool {
    ALTERNATIVES.contains(&field)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::{Kind, checked_schema};

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(object) => object,
            other => panic!("{other} is no mapping"),
        }
    }

    #[test]
    fn the_clusters_own_word_goes_first_field_by_field() {
        let mut own = object(json!({
            "software": { "webApps": "bundled" },
            "windows": [],
            "connection": { "ssh": { "user": "a", "password": { "env": "P" } } },
        }));
        let profile = object(json!({
            "software": { "core": "10.5.0 CU9", "webApps": "unmanaged" },
            "windows": [{ "kind": "Deny" }],
            "connection": { "ssh": { "user": "b", "identity": { "file": "/k" } }, "via": { "address": "j", "user": "u" } },
            "suspend": true,
        }));
        let mut gave = Vec::new();
        fill_from(&mut own, &profile, "spec", &mut gave);
        gave.sort();
        assert_eq!(gave, ["spec.connection.via", "spec.software.core", "spec.suspend"]);
        assert_eq!(
            Value::Object(own),
            json!({
                "software": { "core": "10.5.0 CU9", "webApps": "bundled" },
                "windows": [],
                "connection": {
                    "ssh": { "user": "a", "password": { "env": "P" } },
                    "via": { "address": "j", "user": "u" },
                },
                "suspend": true,
            })
        );
        assert_eq!(
            fields_of(&profile),
            [
                "spec.connection.ssh",
                "spec.connection.via",
                "spec.software.core",
                "spec.software.webApps",
                "spec.suspend",
                "spec.windows"
            ]
        );
    }

    #[test]
    fn the_alternatives_are_those_of_the_schema() {
        let root = checked_schema(Kind::Profile);
        let mut found = Vec::new();
        search(root, &root["properties"]["spec"], "spec", &mut found);
        found.sort_unstable();
        let mut expected = ALTERNATIVES;
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    /// The names of mappings that are alternatives; what is inside lists is taken as a whole anyway.
    fn search(
        root: &'static Value,
        schema: &'static Value,
        name: &'static str,
        found: &mut Vec<&'static str>,
    ) {
        let mut schema = schema;
        while let Some(reference) = schema
            .get("$ref")
            .or_else(|| schema.get("allOf").and_then(|all| all.get(0)).and_then(|only| only.get("$ref")))
            .and_then(Value::as_str)
        {
            schema = root.pointer(reference.trim_start_matches('#')).expect("a reference leads somewhere");
        }
        let branches = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
        if let Some(branches) = branches {
            if branches.iter().any(|branch| branch.get("$ref").is_some() || branch["type"] == "object") {
                found.push(name);
            }
        } else if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (field, schema) in properties {
                search(root, schema, field, found);
            }
        }
    }
}
