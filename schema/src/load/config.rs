//! What a schema cannot say of a ReconcilerConfig: names that come twice, grants for nobody, durations of zero.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use super::{
    check::quoted,
    source::{Place, Source},
    tree::{Node, Value},
};
use crate::{diagnostic::Code, id::ClusterName, quantity::parse_duration};

pub(super) fn judge(source: &mut Source<'_>, node: &Node) {
    let Some(spec) = node.get("spec") else { return };
    let list = |field: &str| spec.get(field).map(Node::items).unwrap_or_default();
    unique_names(source, list("sources"), "sources");
    unique_names(source, list("packages"), "packages");
    for interval in list("sources").iter().filter_map(|entry| entry.get("interval")) {
        not_zero(source, interval, "a source that is looked at without pause");
    }
    if let Some(observe) = spec.get("loop").and_then(|pace| pace.get("observe")) {
        not_zero(source, observe, "a loop that observes without pause");
    }
    for auth in list("sources").iter().filter_map(|entry| entry.get("auth")) {
        judge_auth(source, auth);
    }
    if let Some(listen) = spec.get("http").and_then(|http| http.get("listen")) {
        loopback(source, listen);
    }
    for grant in list("secrets") {
        for host in grant.get("hosts").map(Node::items).unwrap_or_default() {
            if let Some(text) = host.text()
                && !is_host_pattern(text)
            {
                let message = format!("{} is not a host name, an address or a range", quoted(text));
                let help =
                    "write for example `10.0.0.0/16`, `10.0.0.11`, `dma01.example`, `*.example` or `*`";
                source.error(&host.span, Code::UngrantableHost, message, help.to_owned());
            }
        }
        for cluster in grant.get("clusters").map(Node::items).unwrap_or_default() {
            if let Some(text) = cluster.text()
                && !is_cluster_pattern(text)
            {
                let message = format!("{} cannot be the name of a cluster", quoted(text));
                let help = "write the name of a cluster, `prefix-*`, or `*` for all";
                source.error(&cluster.span, Code::UngrantableHost, message, help.to_owned());
            }
        }
    }
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

/// A way to sign in needs a key or a password, and a passphrase opens a key.
fn judge_auth(source: &mut Source<'_>, auth: &Node) {
    let Value::Mapping(_) = auth.value else { return };
    if auth.get("identity").is_none() && auth.get("password").is_none() {
        let place = auth.span.start..auth.span.start + 1;
        let message = "`auth` has neither `identity` nor `password`";
        let help = "add `identity` for ssh, `password` for https, or take `auth` out";
        source.error(&place, Code::MissingSecret, message, help.to_owned());
    } else if let (None, Some(passphrase)) = (auth.get("identity"), auth.entry("passphrase")) {
        let help = "add `identity`, or take `passphrase` out".to_owned();
        source.error(
            &passphrase.key_span,
            Code::MissingSecret,
            "`passphrase` opens an `identity`, which is missing",
            help,
        );
    }
}

/// Whoever reaches the interface may read all of it: nothing but loopback while it knows no users.
fn loopback(source: &mut Source<'_>, listen: &Node) {
    let Some(address) = listen.text().and_then(|text| text.parse::<SocketAddr>().ok()) else { return };
    if !address.ip().to_canonical().is_loopback() {
        let message =
            "an address other than loopback needs authentication, which is not supported yet by this version";
        let help = "write `127.0.0.1:8080`, and let a proxy with authentication reach it there";
        source.error(&listen.span, Code::NotSupportedYet, message, help.to_owned());
    }
}

/// `*`, an address, a range in CIDR notation, or a host name whose labels may be `*`.
fn is_host_pattern(text: &str) -> bool {
    if let Some((address, prefix)) = text.split_once('/') {
        let most = match address.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        return prefix.len() <= 3 && prefix.parse::<u8>().is_ok_and(|prefix| prefix <= most);
    }
    if text.parse::<IpAddr>().is_ok() {
        return true;
    }
    let label = |label: &str| {
        label == "*"
            || (!label.is_empty()
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
                && !label.starts_with('-')
                && !label.ends_with('-'))
    };
    let numbers = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.len() <= 253 && !numbers && text.split('.').all(label)
}

/// `*`, a name, or a name that ends in `*`.
fn is_cluster_pattern(text: &str) -> bool {
    let stem = text.strip_suffix('*').unwrap_or(text);
    stem.is_empty() && text == "*"
        || ClusterName::new(text).is_ok()
        || (stem != text && ClusterName::new(format!("{stem}x")).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_name_hosts_ranges_and_clusters() {
        for text in
            ["*", "10.0.0.0/16", "10.0.0.11", "fd00::/8", "::1", "dma01.example", "*.example", "dma01"]
        {
            assert!(is_host_pattern(text), "{text}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0", "a..b", "-a", "10.0.0.11:22", "a b", "fd00::/129", "x/8"] {
            assert!(!is_host_pattern(text), "{text}");
        }
        for text in ["*", "brussels", "emea-*"] {
            assert!(is_cluster_pattern(text), "{text}");
        }
        for text in ["", "Brussels", "*-emea", "a*b"] {
            assert!(!is_cluster_pattern(text), "{text}");
        }
    }
}
