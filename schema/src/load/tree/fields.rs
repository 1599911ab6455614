//! The fields of a mapping under construction: which names are there already.

use std::collections::HashMap;

use super::Entry;

/// From so many fields on there is an index of them. No document of the language has a mapping this large but for
/// labels, and a hostile one may have a hundred thousand.
const MANY: usize = 32;

/// Fields in the order in which they were written, no name twice.
#[derive(Default)]
pub(super) struct Fields {
    entries: Vec<Entry>,
    /// Where each name stands, once there are many.
    places: HashMap<String, usize>,
}

impl Fields {
    /// The field of this name.
    pub(super) fn find(&self, name: &str) -> Option<&Entry> {
        if self.entries.len() < MANY {
            return self.entries.iter().find(|entry| entry.key == name);
        }
        self.places.get(name).and_then(|place| self.entries.get(*place))
    }

    /// Adds a field whose name was not found.
    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
        let indexed = if self.entries.len() < MANY { self.entries.len() } else { self.places.len() };
        let names = self.entries.iter().enumerate().skip(indexed);
        self.places.extend(names.map(|(place, entry)| (entry.key.clone(), place)));
    }

    pub(super) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::{
        super::{Node, Value},
        *,
    };

    proptest! {
        #[test]
        fn a_field_is_found_as_a_scan_finds_it(names in vec(0_u8..90, 0..200), asked in 0_u8..100) {
            let mut fields = Fields::default();
            let mut scan: Vec<String> = Vec::new();
            for name in names {
                let name = name.to_string();
                prop_assert_eq!(fields.find(&name).map(|entry| &entry.key), scan.iter().find(|known| **known == name));
                if fields.find(&name).is_none() {
                    let value = Node { span: 0..0, value: Value::Null };
                    fields.push(Entry { key: name.clone(), key_span: 0..0, value });
                    scan.push(name);
                }
            }
            let asked = asked.to_string();
            prop_assert_eq!(fields.find(&asked).is_some(), scan.contains(&asked));
            let keys: Vec<String> = fields.into_entries().into_iter().map(|entry| entry.key).collect();
            prop_assert_eq!(keys, scan);
        }
    }
}
