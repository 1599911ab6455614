//! The keywords of JSON Schema that this crate's schemas use.

use serde_json::{Map, Value as Json};

/// Follows `$ref` and the `allOf` around it.
pub(super) fn resolve(root: &'static Json, schema: &'static Json) -> Option<&'static Map<String, Json>> {
    let mut object = schema.as_object()?;
    // A schema of ours refers twice at most; the bound keeps a mistake from hanging.
    for _ in 0..8 {
        let reference = match object.get("allOf") {
            Some(Json::Array(branches)) => branches.first().and_then(|branch| branch.get("$ref")),
            _ => object.get("$ref"),
        };
        let Some(reference) = reference.and_then(Json::as_str) else {
            return Some(object);
        };
        object = match reference.strip_prefix("#/definitions/") {
            // As all of ours are, and without the texts that following a pointer takes.
            Some(name) => root.get("definitions")?.get(name)?.as_object()?,
            None => root.pointer(reference.strip_prefix('#')?)?.as_object()?,
        };
    }
    None
}

pub(super) fn strings(value: Option<&'static Json>) -> impl Iterator<Item = &'static str> {
    value.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
}

/// The values that a schema allows; none if it allows any.
pub(super) fn own_values(schema: &'static Map<String, Json>) -> Vec<&'static str> {
    strings(schema.get("enum")).chain(constant(schema)).collect()
}

/// The values of alternatives that are nothing but values: an enum whose values have descriptions.
pub(super) fn values_of(root: &'static Json, branches: &'static [Json]) -> Option<Vec<&'static str>> {
    let mut all = Vec::new();
    for branch in branches {
        let values = own_values(resolve(root, branch)?);
        if values.is_empty() {
            return None;
        }
        all.extend(values);
    }
    Some(all)
}

fn constant(schema: &'static Map<String, Json>) -> Option<&'static str> {
    schema.get("const").and_then(Json::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        document::{CHECK, Kind, checked_schema},
        load::check::check,
    };

    /// What the walk reads, or may leave alone.
    const READ: [&str; 25] = [
        "$ref",
        "$schema",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "default",
        "definitions",
        "description",
        "enum",
        "items",
        "maxItems",
        "maximum",
        "minItems",
        "minimum",
        "oneOf",
        "properties",
        "required",
        "title",
        "type",
        CHECK,
        // For editors.
        "examples",
        // Of the builds of a catalogue, of hooks and headers, whose keys are judged there.
        "propertyNames",
        // Of a Cluster without a Profile, which is judged there.
        "if",
        "then",
    ];

    /// What a check replaces.
    const CHECKED: [&str; 4] = ["format", "maxLength", "minLength", "pattern"];

    fn visit(schema: &Json, at: &str, faults: &mut Vec<String>) {
        let Json::Object(object) = schema else { return };
        let check_name = object.get(CHECK).and_then(Json::as_str);
        if let Some(name) = check_name
            && check(name, "").is_none()
        {
            faults.push(format!("{at}: there is no check {name}"));
        }
        for (keyword, value) in object {
            let at = format!("{at}/{keyword}");
            let replaced = check_name.is_some() && CHECKED.contains(&keyword.as_str());
            if !replaced && !READ.contains(&keyword.as_str()) {
                faults.push(format!("{at}: the walk does not read this"));
            }
            match (keyword.as_str(), value) {
                ("properties" | "definitions", Json::Object(named)) => {
                    named.iter().for_each(|(name, schema)| visit(schema, &format!("{at}/{name}"), faults));
                }
                ("items" | "additionalProperties", schema) => visit(schema, &at, faults),
                ("oneOf" | "anyOf", Json::Array(branches)) if check_name.is_none() => {
                    branches.iter().for_each(|branch| visit(branch, &at, faults));
                }
                // Draft 7 reads nothing beside `$ref`, so the generator wraps it; nothing else is unwrapped.
                ("allOf", Json::Array(branches)) if !matches!(branches.as_slice(), [only] if only.get("$ref").is_some()) =>
                {
                    faults.push(format!("{at}: more than one reference"));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn every_keyword_of_the_schemas_is_read() {
        let mut faults = Vec::new();
        for kind in Kind::ALL {
            visit(checked_schema(kind), kind.name(), &mut faults);
        }
        assert_eq!(faults, [""; 0]);
    }
}
