//! What `StandaloneBpaExecutor.exe -f` writes: the result of one check as JSON.
//!
//! How that file is laid out is not documented. Documented are the property `Outcome` of a result with its values (release note
//! 27476, `domain/05 section 3`) and the words that users see. So an outcome is looked for under that name, nearest to
//! the root; anything else is unknown, and neither a success nor a failure.

use serde_json::Value;

use super::text::decode;

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Passed,
    Warned(String),
    Failed(String),
    /// Why nobody can tell.
    Unknown(String),
}

/// Words of a message that are kept.
const LONGEST: usize = 400;

/// Names under which an outcome stands, as letters alone.
const OUTCOMES: [&str; 2] = ["outcome", "status"];
/// Names under which a sentence about it stands, the best first.
const MESSAGES: [&str; 4] = ["resultmessage", "message", "impact", "correctiveaction"];

/// Reads the result of one check.
pub fn parse(bytes: &[u8]) -> Said {
    let text = decode(bytes);
    let root: Value = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(root) => root,
        Err(error) => return Said::Unknown(format!("its result is no JSON ({error})")),
    };
    let mut level = vec![&root];
    while !level.is_empty() {
        let found: Vec<(&Value, &Value)> = level
            .iter()
            .filter_map(|value| Some((*value, OUTCOMES.iter().find_map(|name| named(value, name))?)))
            .collect();
        if !found.is_empty() {
            return judge(&found);
        }
        level = level.into_iter().flat_map(children).collect();
    }
    Said::Unknown("its result holds no outcome".to_owned())
}

/// Several outcomes beside each other: one that failed decides, then one that is not known.
fn judge(found: &[(&Value, &Value)]) -> Said {
    let said: Vec<Said> = found.iter().map(|(result, outcome)| one(result, outcome)).collect();
    let rank = |said: &Said| match said {
        Said::Failed(_) => 3,
        Said::Unknown(_) => 2,
        Said::Warned(_) => 1,
        Said::Passed => 0,
    };
    said.into_iter()
        .max_by_key(rank)
        .unwrap_or_else(|| Said::Unknown("its result holds no outcome".to_owned()))
}

fn one(result: &Value, outcome: &Value) -> Said {
    let Some(word) = outcome.as_str() else {
        return Said::Unknown(format!(
            "its outcome is {}, and what that means is not documented",
            plain(&outcome.to_string())
        ));
    };
    let message = || {
        let told = MESSAGES.iter().find_map(|name| named(result, name)?.as_str().map(plain));
        told.filter(|told| !told.is_empty()).unwrap_or_else(|| plain(word))
    };
    match letters(word).as_str() {
        "noissues" | "ok" | "notapplicable" => Said::Passed,
        "warning" => Said::Warned(message()),
        "issuesdetected" => Said::Failed(message()),
        "executionfailed" => Said::Unknown(format!("it could not be executed: {}", message())),
        _ => Said::Unknown(format!("its outcome is `{}`", plain(word))),
    }
}

fn named<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object()?.iter().find(|(key, _)| letters(key) == name).map(|(_, value)| value)
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Object(members) => members.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect()
}

/// On one line, nothing that a terminal obeys, of bounded length.
fn plain(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(text: &str) -> Said {
        parse(text.as_bytes())
    }

    #[test]
    fn documented_outcomes_read_wherever_they_stand() {
        assert_eq!(said(r#"{ "Outcome": "NoIssues" }"#), Said::Passed);
        assert_eq!(said(r#"[{ "name": "VerifyX", "outcome": "NoIssues" }]"#), Said::Passed);
        assert_eq!(said(r#"{ "Results": [{ "Status": "OK" }], "Message": "x" }"#), Said::Passed);
        assert_eq!(said(r#"{ "Status": "Not applicable" }"#), Said::Passed);
        let failed =
            r#"{ "Outcome": "IssuesDetected", "ResultMessage": "Port 4222\r\nis closed", "Impact": "y" }"#;
        assert_eq!(said(failed), Said::Failed("Port 4222 is closed".to_owned()));
        assert_eq!(said(r#"{ "Status": "Issues detected" }"#), Said::Failed("Issues detected".to_owned()));
        assert_eq!(said(r#"{ "Outcome": "Warning", "Impact": "slow" }"#), Said::Warned("slow".to_owned()));
        let utf16: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain(r#"{ "Outcome": "NoIssues" }"#.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        assert_eq!(parse(&utf16), Said::Passed);
    }

    #[test]
    fn what_is_not_documented_is_neither_success_nor_failure() {
        for text in [
            "",
            "no JSON",
            "{}",
            "[]",
            "null",
            r#"{ "Outcome": 0 }"#,
            r#"{ "Outcome": 1 }"#,
            r#"{ "Outcome": "" }"#,
            r#"{ "Outcome": "Fine" }"#,
            r#"{ "Outcome": "Execution failed", "Message": "no signature" }"#,
            r#"{ "Status": "Test running" }"#,
            r#"{ "Status": "No result available" }"#,
            r#"{ "Outcome": "NoIssues""#,
        ] {
            assert!(matches!(said(text), Said::Unknown(_)), "{text}: {:?}", said(text));
        }
    }

    #[test]
    fn the_outermost_outcome_counts_and_the_worst_of_several() {
        let nested = r#"{ "Outcome": "NoIssues", "Details": [{ "Outcome": "IssuesDetected" }] }"#;
        assert_eq!(said(nested), Said::Passed);
        let several = r#"[{ "Outcome": "NoIssues" }, { "Outcome": "IssuesDetected" }, { "Outcome": "?" }]"#;
        assert!(matches!(said(several), Said::Failed(_)));
        assert!(matches!(said(r#"[{ "Outcome": "NoIssues" }, { "Outcome": "?" }]"#), Said::Unknown(_)));
    }

    proptest! {
        #[test]
        fn any_bytes_read_to_something_of_bounded_length(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            match parse(&bytes) {
                Said::Passed => {}
                Said::Warned(text) | Said::Failed(text) | Said::Unknown(text) => {
                    prop_assert!(text.chars().count() < 1000 && !text.contains(char::is_control));
                }
            }
        }
    }
}
