//! Fields of documents, told from the published JSON Schemas: the same that editors and the reader use.

use dataminer_schema::diagnostic::nearest;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    super::{Helpful, Terminal, Tone},
    wrapped,
};

/// Every kind of document with its schema.
pub(super) struct Documents(Vec<(String, Value)>);

/// What is known of a field, or of a document as a whole.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Field {
    path: String,
    #[serde(rename = "type")]
    form: String,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// What a text must look like.
    #[serde(skip_serializing_if = "Option::is_none")]
    looks: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<Allowed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    examples: Vec<Value>,
    /// Where the value comes from, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    taken_from: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Below>,
}

/// A value that is allowed.
#[derive(Debug, Serialize)]
struct Allowed {
    value: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// A field of the field.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Below {
    name: String,
    #[serde(rename = "type")]
    form: String,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

type Schema = Map<String, Value>;

impl Documents {
    /// As they are published.
    pub(super) fn published() -> Self {
        let schemas = dataminer_schema::json_schemas().into_iter();
        Self(schemas.filter_map(|(_, schema)| Some((schema["title"].as_str()?.to_owned(), schema))).collect())
    }

    pub(super) fn kinds(&self) -> Vec<&str> {
        self.0.iter().map(|(kind, _)| kind.as_str()).collect()
    }

    /// The field that a path names; `None` if it does not start with a kind.
    pub(super) fn find(&self, path: &str) -> Option<anyhow::Result<Field>> {
        let mut parts = path.split('.').map(|part| part.split('[').next().unwrap_or_default());
        let first = parts.next()?;
        let (kind, schema) = self.0.iter().find(|(kind, _)| kind.eq_ignore_ascii_case(first))?;
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        Some(Kind { kind, root: schema }.field(&parts).map(|mut field| {
            if kind == "Cluster" && self.is_in_profile(&field.path) {
                field.taken_from = vec!["the Cluster", "its Profile", "the default"];
            }
            field
        }))
    }

    /// Whether a Profile may give what this path of a Cluster names.
    fn is_in_profile(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('.').skip(1).collect();
        let profile = self.0.iter().find(|(kind, _)| kind == "Profile");
        parts.first() == Some(&"spec")
            && parts.len() > 1
            && profile.is_some_and(|(kind, root)| Kind { kind, root }.field(&parts).is_ok())
    }
}

/// One kind of document.
struct Kind<'d> {
    kind: &'d str,
    root: &'d Value,
}

/// A schema with its references followed.
struct Resolved<'d> {
    /// Where the field is declared: its description and default.
    own: &'d Schema,
    /// What it refers to in the end: its type.
    of: &'d Schema,
}

impl<'d> Resolved<'d> {
    fn get(&self, keyword: &str) -> Option<&'d Value> {
        self.own.get(keyword).or_else(|| self.of.get(keyword))
    }

    fn text(&self, keyword: &str) -> Option<String> {
        self.get(keyword).and_then(Value::as_str).map(ToOwned::to_owned)
    }
}

impl<'d> Kind<'d> {
    fn field(&self, parts: &[&str]) -> anyhow::Result<Field> {
        let root = self.resolve(self.root).ok_or_else(|| anyhow::anyhow!("the schema is not an object"))?;
        // `spec` goes without saying where nothing else has that name.
        let in_spec = parts.first().is_some_and(|first| self.step(root.of, first).is_none());
        let spec = in_spec.then(|| self.step(root.of, "spec")).flatten();
        let (mut path, mut here, mut required) = (self.kind.to_owned(), root, true);
        if let Some((_, spec)) = spec
            && parts.first().is_some_and(|first| self.step(spec.of, first).is_some())
        {
            path += ".spec";
            here = spec;
        }
        for part in parts {
            let Some((name, next)) = self.step(here.of, part) else {
                return Err(self.stranger(&path, here.of, part));
            };
            required = self.requires(here.of, &name);
            path.extend([format!(".{name}")]);
            here = next;
        }
        Ok(self.told(path, &here, required))
    }

    fn told(&self, path: String, here: &Resolved<'d>, required: bool) -> Field {
        let description = here.text("description");
        let values = self.values(here.of);
        // Values speak for themselves.
        let text = if values.is_empty() { self.text_type(here.of, 0) } else { None };
        let of_text = |keyword: &str| text?.get(keyword)?.as_str().map(ToOwned::to_owned);
        Field {
            form: self.form(here.of, 0),
            required,
            looks: of_text("description").filter(|looks| Some(looks) != description.as_ref()),
            description,
            pattern: of_text("pattern"),
            limits: limits(here.of),
            default: here.own.get("default").cloned(),
            values,
            examples: here.get("examples").and_then(Value::as_array).cloned().unwrap_or_default(),
            taken_from: Vec::new(),
            fields: self.below(here.of),
            path,
        }
    }

    /// The error of a field that is not there.
    fn stranger(&self, path: &str, here: &'d Schema, part: &str) -> anyhow::Error {
        let names: Vec<&str> =
            self.objects(here).into_iter().flat_map(properties).map(|(name, _)| name).collect();
        let part: String = part.chars().filter(|c| !c.is_control()).take(60).collect();
        let help = match nearest(&part, &names) {
            Some(near) => format!("did you mean `{path}.{near}`?"),
            None if names.is_empty() => format!("`{path}` has no fields"),
            None => format!("its fields are {}", names.join(", ")),
        };
        Helpful::new(format!("`{path}` has no field `{part}`"), help).into()
    }

    /// A field of `schema`, whatever its capitals, also of the items of a list.
    fn step(&self, schema: &'d Schema, part: &str) -> Option<(String, Resolved<'d>)> {
        let objects = self.objects(schema);
        let exact =
            objects.iter().copied().flat_map(properties).find(|(name, _)| name.eq_ignore_ascii_case(part));
        if let Some((name, schema)) = exact {
            return Some((name.to_owned(), self.resolve(schema)?));
        }
        let free = objects
            .iter()
            .find_map(|object| object.get("additionalProperties").filter(|any| any.is_object()));
        Some((part.to_owned(), self.resolve(free?)?))
    }

    /// Whether every form of `schema` that has the field demands it.
    fn requires(&self, schema: &'d Schema, name: &str) -> bool {
        let demands = |object: &&Schema| {
            let names = object.get("required").and_then(Value::as_array);
            names.is_some_and(|names| names.iter().any(|one| one == name))
        };
        let has = |object: &&Schema| properties(object).any(|(field, _)| field == name);
        let objects: Vec<&Schema> = self.objects(schema).into_iter().filter(has).collect();
        !objects.is_empty() && objects.iter().all(demands)
    }

    /// The mappings that a value of `schema` can be, or its items.
    fn objects(&self, schema: &'d Schema) -> Vec<&'d Schema> {
        if schema.contains_key("properties")
            || schema.get("additionalProperties").is_some_and(Value::is_object)
        {
            return vec![schema];
        }
        let branches = alternatives(schema).into_iter().chain(schema.get("items"));
        branches
            .filter_map(|branch| self.resolve(branch))
            .flat_map(|branch| self.objects(branch.of))
            .collect()
    }

    fn resolve(&self, schema: &'d Value) -> Option<Resolved<'d>> {
        let own = schema.as_object()?;
        let mut of = own;
        for _ in 0..8 {
            let reference = match of.get("allOf") {
                Some(Value::Array(branches)) => branches.first().and_then(|branch| branch.get("$ref")),
                _ => of.get("$ref"),
            };
            let Some(reference) = reference.and_then(Value::as_str) else {
                return Some(Resolved { own, of });
            };
            of = self.root.pointer(reference.strip_prefix('#')?)?.as_object()?;
        }
        None
    }

    /// The type of a text, of the texts of a list, or of the one among several forms that is a text.
    fn text_type(&self, schema: &'d Schema, depth: usize) -> Option<&'d Schema> {
        if schema.get("type").is_some_and(|kind| kind == "string") {
            return Some(schema);
        }
        let branches = alternatives(schema).into_iter().chain(schema.get("items"));
        branches
            .filter(|_| depth < 4)
            .filter_map(|branch| self.resolve(branch))
            .find_map(|branch| self.text_type(branch.of, depth + 1))
    }

    /// The type in words.
    fn form(&self, schema: &'d Schema, depth: usize) -> String {
        let of = |schema: &'d Value| match self.resolve(schema) {
            Some(resolved) if depth < 4 => self.form(resolved.of, depth + 1),
            _ => "value".to_owned(),
        };
        match schema.get("type").and_then(Value::as_str) {
            Some("string") if !self.values(schema).is_empty() => "one of the values".to_owned(),
            Some("string") => "text".to_owned(),
            Some("integer") => "whole number".to_owned(),
            Some("number") => "number".to_owned(),
            Some("boolean") => "true or false".to_owned(),
            Some("array") => match schema.get("items") {
                Some(items) => format!("list of {}", of(items)),
                None => "list".to_owned(),
            },
            Some("object") => match schema.get("additionalProperties") {
                Some(any @ Value::Object(_)) => format!("mapping of names to {}", of(any)),
                _ => "mapping".to_owned(),
            },
            _ if !self.values(schema).is_empty() => "one of the values".to_owned(),
            _ => {
                let mut forms: Vec<String> = alternatives(schema).into_iter().map(of).collect();
                forms.dedup();
                if forms.is_empty() { "value".to_owned() } else { forms.join(" or ") }
            }
        }
    }

    /// The values of an enum, with their meanings; none of anything else.
    fn values(&self, schema: &'d Schema) -> Vec<Allowed> {
        let plain = |value: &Value| Allowed { value: value.clone(), description: None };
        if let Some(Value::Array(values)) = schema.get("enum") {
            return values.iter().map(plain).collect();
        }
        if let Some(value) = schema.get("const") {
            return vec![plain(value)];
        }
        let mut all = Vec::new();
        for branch in alternatives(schema) {
            let Some(branch) = self.resolve(branch) else { return Vec::new() };
            let values = self.values(branch.of);
            if values.is_empty() {
                return Vec::new();
            }
            let described = branch.text("description");
            all.extend(values.into_iter().map(|allowed| Allowed {
                description: allowed.description.or_else(|| described.clone()),
                ..allowed
            }));
        }
        all
    }

    /// The fields of a mapping, of each that is possible where there are several.
    fn below(&self, schema: &'d Schema) -> Vec<Below> {
        let mut all: Vec<Below> = Vec::new();
        for (name, declared) in self.objects(schema).into_iter().flat_map(properties) {
            let Some(field) = self.resolve(declared) else { continue };
            if all.iter().all(|known| known.name != name) {
                all.push(Below {
                    name: name.to_owned(),
                    form: self.form(field.of, 0),
                    required: self.requires(schema, name),
                    default: field.own.get("default").cloned(),
                    description: field.text("description"),
                });
            }
        }
        all
    }
}

fn properties(schema: &Schema) -> impl Iterator<Item = (&str, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
}

fn alternatives(schema: &Schema) -> Vec<&Value> {
    let branches = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
    branches.into_iter().flatten().collect()
}

/// `at least 1 item`, `1 to 65535`.
fn limits(schema: &Schema) -> Option<String> {
    let of = |keyword: &str| schema.get(keyword).and_then(Value::as_i64);
    // The ends of the types of whole numbers are no limits that anybody meets.
    let range = |least: Option<i64>, most: Option<i64>, unit: &str| match (
        least,
        most.filter(|most| *most < i64::from(u32::MAX)),
    ) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}{unit}")),
        (Some(least), None) if least != 0 => Some(format!("at least {least}{unit}")),
        (None, Some(most)) => Some(format!("at most {most}{unit}")),
        (Some(_) | None, None) => None,
    };
    range(of("minimum"), of("maximum"), "")
        .or_else(|| range(of("minItems"), of("maxItems"), " items"))
        .or_else(|| range(of("minLength"), of("maxLength"), " characters"))
}

impl Field {
    pub(super) fn text(&self, terminal: &Terminal) -> String {
        let Self {
            path,
            form,
            required,
            description,
            looks,
            pattern,
            limits,
            default,
            values,
            examples,
            taken_from,
            fields,
        } = self;
        let mut text = format!("{} ({form})\n", terminal.tint(path, Tone::Strong));
        for prose in [description, looks].into_iter().flatten() {
            text.extend([format!("\n{}", wrapped(prose, "  "))]);
        }
        let mut facts: Vec<(&str, String)> = Vec::new();
        if path.contains('.') {
            facts.push(("required", if *required { "yes" } else { "no" }.to_owned()));
        }
        facts.extend(default.as_ref().map(|default| ("default", shown(default))));
        facts.extend(limits.as_ref().map(|limits| ("limits", limits.clone())));
        facts.extend(pattern.as_ref().map(|pattern| ("pattern", pattern.clone())));
        facts.extend(examples.iter().map(|example| ("example", shown(example))));
        if !taken_from.is_empty() {
            facts.push(("taken from", taken_from.join(", else ")));
        }
        if !facts.is_empty() {
            text.push('\n');
        }
        for (name, fact) in facts {
            text.extend([format!("  {:<12}{fact}\n", format!("{name}:"))]);
        }
        let values = values
            .iter()
            .map(|allowed| (shown(&allowed.value), String::new(), allowed.description.as_deref()));
        text += &list("Values", values.collect());
        let fields = fields.iter().map(|field| {
            let mark = if field.required { "*" } else { "" };
            let default = match &field.default {
                Some(default) if !default.is_object() => format!("{} = {}", field.form, shown(default)),
                _ => field.form.clone(),
            };
            (format!("{}{mark}", field.name), default, field.description.as_deref())
        });
        text += &list("Fields (* required)", fields.collect());
        text
    }
}

/// A value as a manifest writes it.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn list(heading: &str, rows: Vec<(String, String, Option<&str>)>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let width =
        |of: fn(&(String, String, Option<&str>)) -> usize| rows.iter().map(of).max().unwrap_or_default();
    let (names, forms) = (width(|row| row.0.chars().count()), width(|row| row.1.chars().count()));
    let mut text = format!("\n{heading}:\n");
    for (name, form, about) in rows {
        let head = format!("  {name:<names$}  {form:<forms$}");
        let about = wrapped(about.unwrap_or_default(), "");
        let about = about.trim_end().lines().collect::<Vec<_>>();
        let gap = " ".repeat(head.chars().count() + if forms > 0 { 2 } else { 0 });
        let (first, rest) = about.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
        let head = if forms > 0 { format!("{head}  ") } else { head };
        text += format!("{head}{first}").trim_end();
        text.push('\n');
        for line in rest {
            text.extend([format!("{gap}{line}\n")]);
        }
    }
    text
}
