//! The codes of what `catalog scan` finds in packages.

use serde_json::{Value, json};

use super::wrapped;
use crate::package::FindingCode;

pub(super) fn text(code: FindingCode) -> String {
    let head = format!("{}: {}", code.as_str(), code.meaning());
    let weight = format!("What `catalog scan` says: {}.", code.severity().as_str());
    format!("{}\n{}\n{}", wrapped(&head, ""), wrapped(&weight, ""), wrapped(code.cure(), ""))
}

pub(super) fn data(code: FindingCode) -> Value {
    json!({
        "topic": "Finding",
        "code": code.as_str(),
        "severity": code.severity(),
        "meaning": code.meaning(),
        "cure": code.cure(),
    })
}
