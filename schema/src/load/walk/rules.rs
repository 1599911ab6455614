//! The schema of a kind, read once into what each place of a document is held against: a document asks of every
//! value, and looking keywords up each time would take longer than everything else that is judged of it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::OnceLock,
};

use serde_json::{Map, Value as Json};

use super::keywords::{own_values, resolve, strings, values_of};
use crate::document::{CHECK, Kind, checked_schema};

/// All places of the documents of one kind.
#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: Vec<Rule>,
}

/// A rule of [`Rules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RuleId(usize);

/// What is said of the values of one place.
#[derive(Debug, Default)]
pub(super) struct Rule {
    /// The type by its name in JSON Schema, where there is one.
    pub(super) kind: Option<&'static str>,
    /// The texts that are allowed, where not any is.
    pub(super) values: Vec<&'static str>,
    pub(super) shape: Shape,
}

#[derive(Debug, Default)]
pub(super) enum Shape {
    /// Nothing is said of it.
    #[default]
    Anything,
    /// A text with a check of its own.
    Checked(&'static str),
    /// A text; one of these, if there are any.
    Text(Vec<&'static str>),
    Boolean,
    Integer {
        least: Option<i64>,
        most: Option<i64>,
    },
    List {
        items: Option<RuleId>,
        least: Option<u64>,
        most: Option<u64>,
    },
    Mapping(Mapping),
    Alternatives(Vec<RuleId>),
}

/// What is said of a mapping.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    /// In alphabetical order.
    pub(super) fields: BTreeMap<&'static str, Field>,
    /// What every other field is held against, where others are allowed.
    pub(super) others: Option<RuleId>,
    pub(super) required: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) rule: RuleId,
    /// What the schema tells people about it.
    pub(super) about: Option<&'static str>,
}

impl Rules {
    /// The rules for documents of this kind, and where a document starts.
    pub(super) fn of(kind: Kind) -> (&'static Self, RuleId) {
        static RULES: [OnceLock<Rules>; Kind::ALL.len()] = [const { OnceLock::new() }; Kind::ALL.len()];
        let rules = RULES[kind as usize].get_or_init(|| {
            let root = checked_schema(kind);
            let mut reader = Reader { root, rules: Self::default(), known: HashMap::new() };
            reader.read(root);
            reader.rules
        });
        // The document itself is read first.
        (rules, RuleId(0))
    }

    pub(super) fn get(&self, RuleId(at): RuleId) -> &Rule {
        &self.rules[at]
    }
}

struct Reader {
    /// The whole schema, for `$ref`.
    root: &'static Json,
    rules: Rules,
    /// Rules by where their schema lies in memory: a schema may refer to itself.
    known: HashMap<usize, RuleId>,
}

impl Reader {
    fn read(&mut self, schema: &'static Json) -> RuleId {
        let Some(resolved) = resolve(self.root, schema) else {
            return self.add(Rule::default());
        };
        let place = std::ptr::from_ref(resolved).addr();
        if let Some(known) = self.known.get(&place) {
            return *known;
        }
        let kind = resolved.get("type").and_then(Json::as_str);
        let id = self.add(Rule { kind, values: own_values(resolved), shape: Shape::Anything });
        self.known.insert(place, id);
        let shape = self.shape(resolved, kind);
        self.rules.rules[id.0].shape = shape;
        id
    }

    fn add(&mut self, rule: Rule) -> RuleId {
        self.rules.rules.push(rule);
        RuleId(self.rules.rules.len() - 1)
    }

    fn shape(&mut self, schema: &'static Map<String, Json>, kind: Option<&'static str>) -> Shape {
        let keyword = |keyword: &str| schema.get(keyword);
        if let Some(check) = keyword(CHECK).and_then(Json::as_str) {
            return Shape::Checked(check);
        }
        if let Some(Json::Array(branches)) = keyword("oneOf").or_else(|| keyword("anyOf")) {
            return match values_of(self.root, branches) {
                Some(allowed) => Shape::Text(allowed),
                None => Shape::Alternatives(branches.iter().map(|branch| self.read(branch)).collect()),
            };
        }
        match kind {
            Some("object") => Shape::Mapping(self.mapping(schema)),
            Some("array") => Shape::List {
                items: keyword("items").map(|items| self.read(items)),
                least: keyword("minItems").and_then(Json::as_u64),
                most: keyword("maxItems").and_then(Json::as_u64),
            },
            Some("string") => Shape::Text(own_values(schema)),
            Some("boolean") => Shape::Boolean,
            Some("integer") => Shape::Integer {
                least: keyword("minimum").and_then(Json::as_i64),
                most: keyword("maximum").and_then(Json::as_i64),
            },
            _ => Shape::Anything,
        }
    }

    fn mapping(&mut self, schema: &'static Map<String, Json>) -> Mapping {
        let properties = schema.get("properties").and_then(Json::as_object).into_iter().flatten();
        let mut field = |(name, schema): (&'static String, &'static Json)| {
            let about = schema.get("description").and_then(Json::as_str);
            (name.as_str(), Field { rule: self.read(schema), about })
        };
        let fields = properties.map(&mut field).collect();
        let others = match schema.get("additionalProperties") {
            Some(others @ Json::Object(_)) => Some(self.read(others)),
            _ => None,
        };
        Mapping { fields, others, required: strings(schema.get("required")).collect() }
    }
}
