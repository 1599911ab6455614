//! The codes of plans and the rules behind their steps, at length and for people.
//!
//! Words only: nothing here decides. Tests hold that every code and every rule that a plan can carry is told.

mod blocks;
mod checks;
mod rules;
mod waits;
mod warnings;

/// What a code belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// Why a person or a commit must act.
    Block,
    /// What must pass first.
    Waiting,
    /// What a reviewer should know.
    Warning,
    /// What `doctor` looks at.
    Check,
    /// A rule that puts a step into a plan, or keeps one out.
    Rule,
}

/// A code of plans at length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// As plans carry it: `NoPackage`, `H4`.
    pub(super) code: &'static str,
    /// What it means.
    pub(super) meaning: &'static str,
    /// When it appears.
    pub(super) when: &'static str,
    /// What to do about it; for rules: what the planner does.
    pub(super) cure: &'static str,
}

const fn told(code: &'static str, meaning: &'static str, when: &'static str, cure: &'static str) -> Told {
    Told { code, meaning, when, cure }
}

/// Everything that is told, topic by topic. One word can stand for a block and for a warning.
pub(super) fn all() -> impl Iterator<Item = (Topic, &'static Told)> {
    let topics = [
        (Topic::Block, blocks::ALL),
        (Topic::Waiting, waits::ALL),
        (Topic::Warning, warnings::ALL),
        (Topic::Check, checks::ALL),
        (Topic::Rule, rules::ALL),
    ];
    topics.into_iter().flat_map(|(topic, all)| all.iter().map(move |told| (topic, told)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn codes(topic: Topic) -> BTreeSet<&'static str> {
        all().filter(|(of, _)| *of == topic).map(|(_, told)| told.code).collect()
    }

    /// The values of an enum, as the schema of plans lists them.
    fn values(name: &str) -> BTreeSet<String> {
        let schemas = dataminer_schema::json_schemas();
        let plan = schemas.iter().find(|(file, _)| *file == "plan.schema.json").expect("plans have a schema");
        let values = plan.1["definitions"][name]["oneOf"].as_array().expect("it is an enum");
        values.iter().map(|value| value["const"].as_str().expect("of texts").to_owned()).collect()
    }

    #[test]
    fn every_code_of_blocks_and_of_waiting_is_told() {
        for (topic, name) in [(Topic::Block, "BlockCode"), (Topic::Waiting, "WaitingOn")] {
            let told: BTreeSet<String> = codes(topic).into_iter().map(ToOwned::to_owned).collect();
            assert_eq!(told, values(name), "{name}");
        }
    }

    #[test]
    fn the_rules_are_all_there_and_in_order() {
        let range = |letter: &'static str, numbers: std::ops::RangeInclusive<u8>| {
            numbers.map(move |number| format!("{letter}{number}"))
        };
        let expected: Vec<String> = range("T", 1..=1)
            .chain(range("D", 1..=7))
            .chain(range("H", 1..=13))
            .chain(range("S", 0..=10))
            .chain(range("W", 1..=9))
            .chain(range("G", 1..=8))
            .collect();
        let told: Vec<&str> = rules::ALL.iter().map(|told| told.code).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn everything_told_is_whole_sentences_and_told_once() {
        let mut seen = BTreeSet::new();
        for (topic, Told { code, meaning, when, cure }) in all() {
            for text in [meaning, when, cure] {
                assert!(text.ends_with('.') && text.len() > 13, "{code}: {text}");
            }
            assert!(seen.insert((format!("{topic:?}"), code)), "{code} is told twice");
        }
    }
}
