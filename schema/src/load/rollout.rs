//! What a schema cannot say of a Rollout: waves of the same name.

use std::collections::BTreeMap;

use super::{
    across::Facts,
    check::quoted,
    source::{Place, Source},
    tree::Node,
};
use crate::{diagnostic::Code, document::Kind};

pub(super) fn judge(source: &mut Source<'_>, node: &Node, facts: &mut Facts) {
    facts.named(Kind::Rollout, source, node);
    let waves = node.get("spec").and_then(|spec| spec.get("waves")).map(Node::items).unwrap_or_default();
    let mut names: BTreeMap<&str, Place> = BTreeMap::new();
    for name in waves.iter().filter_map(|wave| wave.get("name")) {
        let Some(text) = name.text() else { continue };
        if let Some(first) = names.get(text) {
            let message = format!("there are two waves {}", quoted(text));
            let help = format!("rename one; the first is on line {}", first.line);
            source.error(&name.span, Code::DuplicateName, message, help);
        } else {
            names.insert(text, source.place(&name.span));
        }
    }
}
