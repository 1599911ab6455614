//! Hooks, headers, the forge, and those who are told.

use super::{disagree, grants, not_zero, start};
use crate::{
    diagnostic::Code,
    load::{
        check::{check, quoted},
        source::Source,
        tree::{Entry, Node, Value},
    },
};

pub(super) fn judge_hooks(source: &mut Source<'_>, hooks: &[Entry]) {
    for Entry { key, key_span, value } in hooks {
        if let Some(Err(fault)) = check("dnsLabel", key) {
            source.error(key_span, fault.code, format!("`hooks`: {}", fault.message), fault.help);
        }
        if let Some(https) = value.get("https") {
            judge_request(source, https);
        }
        if let Some(program) = value.get("argv").and_then(|words| words.items().first())
            && let Some(text) = program.text()
            && !is_absolute(text)
        {
            let message = format!("{} is not an absolute path", quoted(text));
            let help =
                "write where the program is, for example `/usr/local/bin/snapshot`; no shell is between";
            source.error(&program.span, Code::RelativeProgram, message, help.to_owned());
        }
    }
}

/// Of this or another system: `/usr/bin/x`, `C:\x.exe`, `\\server\share\x.exe`.
fn is_absolute(path: &str) -> bool {
    let drive = path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && path.get(1..3).is_some_and(|rest| matches!(rest, ":\\" | ":/"));
    drive || path.starts_with('/') || path.starts_with("\\\\")
}

/// The names of headers, which the walk does not look at.
fn judge_request(source: &mut Source<'_>, request: &Node) {
    for Entry { key, key_span, .. } in request.get("headers").map(Node::entries).unwrap_or_default() {
        let fits = !key.is_empty()
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+.^_`|~-".contains(&b));
        if !fits {
            let message = format!("{} is not the name of a header", quoted(key));
            let help = "write for example `Authorization` or `X-Api-Key`";
            source.error(key_span, Code::BadName, message, help.to_owned());
        }
    }
}

pub(super) fn judge_forge(source: &mut Source<'_>, forge: &Node, sources: &[Node]) {
    let Value::Mapping(_) = forge.value else { return };
    let provider = forge.get("provider").and_then(Node::text);
    if provider == Some("Gitea") && forge.get("url").is_none() {
        let message = "`Gitea` has no public address, and `url` is missing".to_owned();
        disagree(source, forge, "provider", message, "add `url`, for example `https://gitea.example`");
    }
    let parts =
        forge.get("repository").and_then(Node::text).map_or(0, |repository| repository.split('/').count());
    let expected = match provider {
        Some("GitHub" | "Gitea") if parts > 2 => Some("`owner/name`"),
        Some("AzureDevOps") if parts != 3 && parts > 1 => Some("`organization/project/repository`"),
        _ => None,
    };
    if let Some(expected) = expected {
        let message = format!("`repository` does not fit the `provider`, which names its own {expected}");
        disagree(source, forge, "repository", message, &format!("write {expected}"));
    }
    let names: Vec<&str> =
        sources.iter().filter_map(|entry| entry.get("name").and_then(Node::text)).collect();
    match forge.get("source") {
        Some(named) => {
            if let Some(text) = named.text()
                && !names.contains(&text)
            {
                let message = format!("there is no source {}", quoted(text));
                disagree(source, forge, "source", message, "write the `name` of one of `sources`");
            }
        }
        None if sources.len() > 1 => {
            let message = "there are several sources, and the forge does not say which one it holds";
            let help = "add `source` with the `name` of one of `sources`";
            source.error(&start(forge), Code::FieldsDisagree, message, help.to_owned());
        }
        None => {}
    }
}

pub(super) fn judge_notification(source: &mut Source<'_>, entry: &Node) {
    grants::clusters(source, entry);
    if let Some(every) = entry.get("remindEvery") {
        not_zero(source, every, "somebody who is reminded without pause");
    }
    let Some(to) = entry.get("to") else { return };
    if let Some(https) = to.get("webhook").and_then(|webhook| webhook.get("https")) {
        judge_request(source, https);
    }
    let Some(email) = to.get("email") else { return };
    for (field, other) in [("user", "password"), ("password", "user")] {
        if email.get(other).is_none() {
            let message = format!("`{field}` needs `{other}` beside it");
            disagree(source, email, field, message, &format!("add `{other}`, or take `{field}` out"));
        }
    }
    if email.get("tls").and_then(Node::text) == Some("None") {
        let message = "a password would be sent as plain text".to_owned();
        disagree(source, email, "password", message, "write `tls: StartTls` or `tls: Implicit`");
    }
}
