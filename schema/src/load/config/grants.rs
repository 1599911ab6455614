//! For whom secrets and notifications are: patterns of hosts and clusters.

use std::net::IpAddr;

use crate::{
    diagnostic::Code,
    id::ClusterName,
    load::{check::quoted, source::Source, tree::Node},
};

pub(super) fn judge(source: &mut Source<'_>, grants: &[Node]) {
    for grant in grants {
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
        clusters(source, grant);
    }
}

/// The names of clusters in the field `clusters` of `entry`.
pub(super) fn clusters(source: &mut Source<'_>, entry: &Node) {
    for cluster in entry.get("clusters").map(Node::items).unwrap_or_default() {
        if let Some(text) = cluster.text()
            && !is_cluster_pattern(text)
        {
            let message = format!("{} cannot be the name of a cluster", quoted(text));
            let help = "write the name of a cluster, `prefix-*`, or `*` for all";
            source.error(&cluster.span, Code::UngrantableHost, message, help.to_owned());
        }
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
