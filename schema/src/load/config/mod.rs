//! What a schema cannot say of a ReconcilerConfig: names that come twice, grants for nobody, durations of zero, fields
//! that do not fit each other.

mod calls;
mod grants;
mod places;

use std::{collections::BTreeMap, net::SocketAddr};

use super::{
    Located,
    source::{Place, Source},
    tree::{Node, Value},
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    quantity::parse_duration,
    v1::config::ReconcilerConfig,
};

pub(super) fn judge(source: &mut Source<'_>, node: &Node) {
    let Some(spec) = node.get("spec") else { return };
    let list = |field: &str| spec.get(field).map(Node::items).unwrap_or_default();
    for names in ["sources", "packages", "notifications"] {
        unique_names(source, list(names), names);
    }
    if let Some(observe) = spec.get("loop").and_then(|pace| pace.get("observe")) {
        not_zero(source, observe, "a loop that observes without pause");
    }
    for entry in list("sources") {
        places::judge_source(source, entry);
    }
    for entry in list("packages") {
        places::judge_place(source, entry);
    }
    if let Some(vault) = spec.get("vault") {
        places::judge_place(source, vault);
    }
    if let Some(store) = spec.get("store") {
        places::judge_store(source, store);
    }
    grants::judge(source, list("secrets"));
    if let Some(http) = spec.get("http") {
        judge_http(source, http);
    }
    calls::judge_hooks(source, spec.get("hooks").map(Node::entries).unwrap_or_default());
    if let Some(forge) = spec.get("forge") {
        calls::judge_forge(source, forge, list("sources"));
    }
    for entry in list("notifications") {
        calls::judge_notification(source, entry);
    }
}

/// What is set and not carried out by this release. The file is right, but no process starts with it.
pub(super) fn not_carried_out(config: &Located<ReconcilerConfig>) -> Vec<Diagnostic> {
    let warning = |field: &String| {
        let message = format!("`{field}` is not carried out by this release");
        let help = "the file is right, but no process starts with it: take the field out until a release carries it out";
        config.diagnostic(Severity::Warning, field, Code::NotSupportedYet, message, help)
    };
    config.value.not_carried_out().iter().map(warning).collect()
}

fn unique_names(source: &mut Source<'_>, entries: &[Node], list: &str) {
    let mut names: BTreeMap<&str, Place> = BTreeMap::new();
    for name in entries.iter().filter_map(|entry| entry.get("name")) {
        let Some(text) = name.text() else { continue };
        if let Some(first) = names.get(text) {
            let message = format!("there are two entries `{text}` in `{list}`");
            let help = format!("rename one; the first is on line {}", first.line);
            source.collision(&name.span, Code::DuplicateName, message, help, first);
        } else {
            names.insert(text, source.place(&name.span));
        }
    }
}

fn not_zero(source: &mut Source<'_>, node: &Node, what: &str) {
    let zero =
        node.text().and_then(|text| parse_duration(text).ok()).is_some_and(|duration| duration.is_zero());
    if zero {
        source.error(&node.span, Code::ZeroDuration, what.to_owned(), "write for example `60s`".to_owned());
    }
}

/// Says that a field needs another, or does not fit one beside it: at the name of `field` in `node`.
fn disagree(source: &mut Source<'_>, node: &Node, field: &str, message: String, help: &str) {
    if let Some(entry) = node.entry(field) {
        source.error(&entry.key_span, Code::FieldsDisagree, message, help.to_owned());
    }
}

/// The place to point at where something is missing in a mapping.
fn start(node: &Node) -> std::ops::Range<usize> {
    node.span.start..node.span.start + 1
}

fn judge_http(source: &mut Source<'_>, http: &Node) {
    match http.get("auth") {
        Some(auth) => judge_http_auth(source, auth),
        None => {
            if let Some(listen) = http.get("listen") {
                loopback(source, listen);
            }
        }
    }
}

/// Whoever reaches the interface may read and approve: nothing but loopback while it asks nobody who they are.
fn loopback(source: &mut Source<'_>, listen: &Node) {
    let Some(address) = listen.text().and_then(|text| text.parse::<SocketAddr>().ok()) else { return };
    if !address.ip().to_canonical().is_loopback() {
        let message = "an address other than loopback needs `auth`: whoever reaches it would be answered";
        let help =
            "write `127.0.0.1:8080`, and let a proxy with authentication reach it there; or add `auth`";
        source.error(&listen.span, Code::OpenListener, message, help.to_owned());
    }
}

fn judge_http_auth(source: &mut Source<'_>, auth: &Node) {
    let Value::Mapping(_) = auth.value else { return };
    if auth.get("tokens").is_none() && auth.get("oidc").is_none() {
        let message = "`auth` has neither `tokens` nor `oidc`, so that nobody could sign in";
        let help = "add `tokens: { file: PATH }` for programs, `oidc` for people, or take `auth` out";
        source.error(&start(auth), Code::MissingSecret, message, help.to_owned());
    }
    if let Some(oidc) = auth.get("oidc")
        && let Some(roles) = oidc.get("roles")
        && let Value::Mapping(_) = roles.value
        && ["viewer", "operator", "admin"]
            .iter()
            .all(|role| roles.get(role).is_none_or(|groups| groups.items().is_empty()))
    {
        let message = "`roles` gives nobody anything, so that whoever signs in is refused".to_owned();
        disagree(source, oidc, "roles", message, "name a group, for example `viewer: [\"*\"]`");
    }
}
