//! Sources, and places outside the process: whether the way to sign in fits the URL.

use super::{disagree, not_zero, start};
use crate::{
    diagnostic::Code,
    load::{
        source::Source,
        tree::{Node, Value},
        walk::words::listed,
    },
};

pub(super) fn judge_source(source: &mut Source<'_>, entry: &Node) {
    if let Some(interval) = entry.get("interval") {
        not_zero(source, interval, "a source that is looked at without pause");
    }
    let url = entry.get("url").and_then(Node::text).unwrap_or_default();
    if let Some(auth) = entry.get("auth") {
        judge_auth(source, auth, url);
    }
    if let Some(verify) = entry.get("verify") {
        judge_verify(source, verify);
    }
    if let Some(webhook) = entry.get("webhook") {
        let provider = webhook.get("provider").and_then(Node::text);
        if provider.is_some_and(|provider| provider != "AzureDevOps") {
            let message = "`user` is for `AzureDevOps`; the others sign their calls".to_owned();
            disagree(source, webhook, "user", message, "take `user` out");
        }
    }
}

/// A way to sign in needs one key, password or token, which must be of the kind that the URL takes.
fn judge_auth(source: &mut Source<'_>, auth: &Node, url: &str) {
    let Value::Mapping(_) = auth.value else { return };
    let has: Vec<&str> =
        ["identity", "password", "token"].into_iter().filter(|field| auth.get(field).is_some()).collect();
    let &[way] = has.as_slice() else {
        if let [first, others @ ..] = has.as_slice() {
            for other in others {
                let message = format!("`{first}` and `{other}` are two ways to sign in");
                disagree(source, auth, other, message, "keep one of them");
            }
            return;
        }
        let message = "`auth` has neither `identity` nor `password` nor `token`";
        let help = "add `identity` for ssh, `password` or `token` for https, or take `auth` out";
        return source.error(&start(auth), Code::MissingSecret, message, help.to_owned());
    };
    if let (true, Some(passphrase)) = (way != "identity", auth.entry("passphrase")) {
        let help = "add `identity`, or take `passphrase` out".to_owned();
        let message = "`passphrase` opens an `identity`, which is missing";
        source.error(&passphrase.key_span, Code::MissingSecret, message, help);
    }
    let fault = match (url.split_once("://").map(|(scheme, _)| scheme), way) {
        (Some("ssh"), "password" | "token") => Some("a repository over ssh takes an `identity`"),
        (Some("https"), "identity") => Some("a repository over https takes a `password` or a `token`"),
        _ => None,
    };
    if let Some(fault) = fault {
        let help = "change it, or the `url` of the source";
        disagree(source, auth, way, format!("`{way}` does not fit the URL: {fault}"), help);
    }
}

fn judge_verify(source: &mut Source<'_>, verify: &Node) {
    let Value::Mapping(_) = verify.value else { return };
    let mode = verify.get("mode").map_or(Some("None"), Node::text);
    let (signers, keys) =
        (verify.get("allowedSigners"), verify.get("gpgKeys").filter(|keys| !keys.items().is_empty()));
    if matches!(mode, Some("Head" | "All")) && signers.is_none() && keys.is_none() {
        let message = "`mode` asks for signatures, and nobody is named who may sign".to_owned();
        disagree(source, verify, "mode", message, "add `allowedSigners` (SSH), `gpgKeys` (OpenPGP), or both");
    }
    for field in ["allowedSigners", "gpgKeys", "since"] {
        let used = match field {
            "since" => mode == Some("All"),
            _ => mode != Some("None"),
        };
        if !used && mode.is_some() {
            let message = format!("`{field}` has no effect with this `mode`");
            disagree(source, verify, field, message, "write `mode: All` (or `Head`), or take the field out");
        }
    }
}

/// The ways to sign in at a place, by the field that tells them, and the scheme that each is for.
const WAYS: [(&str, &str); 6] = [
    ("token", "https"),
    ("user", "https"),
    ("accessKeyId", "s3"),
    ("accountKey", "az"),
    ("sasToken", "az"),
    ("tenantId", "az"),
];

/// Whether what stands beside the URL of a place is for such places.
pub(super) fn judge_place(source: &mut Source<'_>, place: &Node) {
    let default = "file:///";
    let Some(url) = place.get("url").map_or(Some(default), Node::text) else { return };
    let Some((scheme @ ("file" | "https" | "s3" | "az"), _)) = url.split_once("://") else { return };
    for (field, schemes) in [("region", &["s3"][..]), ("endpoint", &["s3", "az"][..])] {
        if !schemes.contains(&scheme) {
            let message = format!("`{field}` has no meaning for a place at `{scheme}:`");
            disagree(source, place, field, message, "take it out");
        }
    }
    let Some(auth) = place.get("auth") else { return };
    let fitting: Vec<&str> =
        WAYS.iter().filter(|(_, kind)| *kind == scheme).map(|(field, _)| *field).collect();
    if fitting.is_empty() {
        let message =
            "a folder is opened by the rights of the account under which the process runs".to_owned();
        return disagree(source, place, "auth", message, "take `auth` out");
    }
    for (field, kind) in WAYS {
        if kind != scheme && auth.get(field).is_some() {
            let message = format!("`{field}` opens a place at `{kind}:`, and this one is at `{scheme}:`");
            disagree(source, auth, field, message, &format!("write {}", listed(&fitting)));
        }
    }
}

/// What is for PostgreSQL alone.
pub(super) fn judge_store(source: &mut Source<'_>, store: &Node) {
    let Some(url) = store.get("url").map_or(Some("sqlite:"), Node::text) else { return };
    if url.starts_with("sqlite:") {
        for field in ["password", "tls"] {
            let message = format!("`{field}` is for PostgreSQL; a SQLite file has none");
            disagree(
                source,
                store,
                field,
                message,
                "take it out, or write `url: postgres://user@host/database`",
            );
        }
    }
    if let Some(tls) = store.get("tls")
        && matches!(tls.get("mode").and_then(Node::text), Some("Require" | "Disable"))
    {
        let message = "`ca` has no effect with this `mode`, which checks no certificate".to_owned();
        disagree(source, tls, "ca", message, "write `mode: VerifyFull`, or take `ca` out");
    }
}
