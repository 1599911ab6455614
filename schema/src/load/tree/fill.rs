//! A tree as serde reads it: straight into the types, without a second tree of JSON in between.

use serde::{
    Deserializer,
    de::{
        IntoDeserializer, Visitor,
        value::{Error, MapAccessDeserializer, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{Entry, Node, Value};

impl Entry {
    fn into_pair(self) -> (String, Node) {
        (self.key, self.value)
    }
}

impl<'de> IntoDeserializer<'de, Error> for Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// As [`Node::to_json`] read by serde; a test holds the two against each other.
impl<'de> Deserializer<'de> for Node {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Integer(value) => match u64::try_from(value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(value),
            },
            Value::Number(value) if value.is_finite() => visitor.visit_f64(value),
            // JSON has no such number.
            Value::Number(_) => visitor.visit_unit(),
            Value::Text(text) => visitor.visit_string(text),
            Value::Sequence(items) => {
                let mut items = SeqDeserializer::new(items.into_iter());
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Value::Mapping(entries) => {
                let mut entries = MapDeserializer::new(entries.into_iter().map(Entry::into_pair));
                let value = visitor.visit_map(&mut entries)?;
                entries.end()?;
                Ok(value)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_none(),
            Value::Number(value) if !value.is_finite() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            Value::Mapping(entries) if entries.len() == 1 => {
                let entries = MapDeserializer::new(entries.into_iter().map(Entry::into_pair));
                visitor.visit_enum(MapAccessDeserializer::new(entries))
            }
            Value::Text(text) => visitor.visit_enum(text.into_deserializer()),
            // No enum of ours is written otherwise; what it says then is serde's to tell.
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Number(_)
            | Value::Mapping(_)
            | Value::Sequence(_) => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{
        collection::{btree_map, vec},
        prelude::*,
        sample::select,
    };
    use serde::{Deserialize, de::DeserializeOwned};

    use super::*;

    /// Every way in which the documents of the language are written down.
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Shapes {
        a: Option<u16>,
        #[serde(default)]
        b: Vec<Word>,
        c: Option<Either>,
        d: Option<BTreeMap<String, Wrapped>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Word {
        #[serde(rename = "a")]
        First,
        #[serde(rename = "b")]
        Holding(i64),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(Wrapped),
        Many(Vec<bool>),
        Inside { a: f64 },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped(String);

    fn node(value: Value) -> Node {
        Node { span: 0..0, value }
    }

    fn any_node() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            prop_oneof![-3_i64..3, any::<i64>()].prop_map(Value::Integer),
            prop_oneof![any::<f64>(), Just(f64::NAN), Just(0.5)].prop_map(Value::Number),
            select(vec!["a", "b", "c"]).prop_map(|text| Value::Text(text.to_owned())),
        ];
        leaf.prop_map(node).prop_recursive(4, 40, 4, |inner| {
            let fields = btree_map(select(vec!["a", "b", "c", "d"]), inner.clone(), 0..4);
            prop_oneof![
                vec(inner, 0..4).prop_map(|items| node(Value::Sequence(items))),
                fields.prop_map(|fields| {
                    let entry =
                        |(key, value): (&str, Node)| Entry { key: key.to_owned(), key_span: 0..0, value };
                    node(Value::Mapping(fields.into_iter().map(entry).collect()))
                }),
            ]
        })
    }

    fn same<T: DeserializeOwned + PartialEq + std::fmt::Debug>(node: &Node) -> Result<(), TestCaseError> {
        let by_json = serde_json::from_value::<T>(node.to_json()).ok();
        prop_assert_eq!(T::deserialize(node.clone()).ok(), by_json);
        Ok(())
    }

    proptest! {
        #[test]
        fn a_tree_fills_types_as_its_json_does(node in any_node()) {
            same::<serde_json::Value>(&node)?;
            same::<Shapes>(&node)?;
            same::<Either>(&node)?;
            same::<Word>(&node)?;
        }
    }

    #[test]
    fn every_shape_is_filled() {
        let limits = super::super::Limits { bytes: 1 << 10, documents: 1, values: 100, depth: 9 };
        let text = "{ a: 7, b: [a, { b: -2 }], c: { a: 1.5 }, d: { x: y } }";
        let mut source = super::super::Source::new("a.yaml", text);
        let node = super::super::read_documents(&mut source, &limits).pop().expect("it is YAML");
        let expected = Shapes {
            a: Some(7),
            b: vec![Word::First, Word::Holding(-2)],
            c: Some(Either::Inside { a: 1.5 }),
            d: Some(BTreeMap::from([("x".to_owned(), Wrapped("y".to_owned()))])),
        };
        assert_eq!(Shapes::deserialize(node).expect("it is of this shape"), expected);
    }
}
