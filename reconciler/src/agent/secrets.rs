//! Secrets that manifests name: found only where the configuration grants them to that host and cluster.

use std::{
    fmt,
    io::Read,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use dataminer_schema::{
    id::ClusterName,
    v1::{cluster::SecretRef, config::SecretGrant},
};
use secrecy::SecretString;

use super::error::{AgentError, Reason};

/// Keys are a few kilobytes; nothing larger is one.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Reads secrets, as far as they are granted.
#[derive(Clone, Default)]
pub struct SecretResolver {
    grants: Vec<SecretGrant>,
}

impl fmt::Debug for SecretResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretResolver").field("grants", &self.grants.len()).finish()
    }
}

impl SecretResolver {
    /// A resolver for exactly these grants; without any, nothing resolves.
    pub fn new(grants: Vec<SecretGrant>) -> Self {
        Self { grants }
    }

    /// The value of `secret`, for connecting to `host` of `cluster`.
    pub fn resolve(
        &self,
        secret: &SecretRef,
        host: &str,
        cluster: &ClusterName,
    ) -> Result<SecretString, AgentError> {
        let named = describe(secret);
        let granted = self.grants.iter().any(|grant| {
            grant.secret == *secret
                && grant.hosts.iter().any(|pattern| host_matches(pattern, host))
                && grant.clusters.iter().any(|pattern| name_matches(pattern, cluster.as_str()))
        });
        if !granted {
            return Err(AgentError::new(
                Reason::SecretNotAllowed,
                format!("the configuration grants no {named} for host `{host}` of cluster `{cluster}`"),
                "add it to `spec.secrets` of the ReconcilerConfig with this host and cluster, or name another identity in the manifest",
            ));
        }
        let unreadable = |why: String| {
            AgentError::new(
                Reason::SecretUnreadable,
                format!("cannot read {named}: {why}"),
                "make it readable for the account that the reconciler runs under",
            )
        };
        match secret {
            SecretRef::Env(name) => match std::env::var(name) {
                Ok(value) => Ok(SecretString::from(value)),
                // The error's own text would hold the value.
                Err(std::env::VarError::NotUnicode(_)) => Err(unreadable("it is not valid UTF-8".to_owned())),
                Err(std::env::VarError::NotPresent) => Err(unreadable("the variable is not set".to_owned())),
            },
            SecretRef::File(path) => {
                let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
                let mut value = String::new();
                let size = file
                    .take(MAX_SECRET_BYTES + 1)
                    .read_to_string(&mut value)
                    .map_err(|error| unreadable(error.to_string()))?;
                if size as u64 > MAX_SECRET_BYTES {
                    return Err(unreadable(format!("it is larger than {MAX_SECRET_BYTES} bytes")));
                }
                Ok(SecretString::from(value))
            }
        }
    }
}

fn describe(secret: &SecretRef) -> String {
    match secret {
        SecretRef::Env(name) => format!("secret {{ env: {name} }}"),
        SecretRef::File(path) => format!("secret {{ file: {path} }}"),
    }
}

/// Whether a grant's host pattern (an address, a CIDR range, or a name in which `*` stands for anything) takes `host`.
fn host_matches(pattern: &str, host: &str) -> bool {
    if let Some((network, length)) = pattern.split_once('/') {
        let (Ok(network), Ok(length), Ok(address)) =
            (network.parse::<IpAddr>(), length.parse::<u32>(), host.parse::<IpAddr>())
        else {
            return false;
        };
        return in_network(network, length, address);
    }
    match (pattern.parse::<IpAddr>(), host.parse::<IpAddr>()) {
        (Ok(pattern), Ok(address)) => pattern == address,
        // A name pattern must not take an address: `*` alone does, a partial name never.
        (Err(_), Ok(_)) => pattern == "*",
        _ => name_matches(&pattern.to_ascii_lowercase(), &host.to_ascii_lowercase()),
    }
}

fn in_network(network: IpAddr, length: u32, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) if length <= Ipv4Addr::BITS => {
            let mask = u32::MAX.checked_shl(Ipv4Addr::BITS - length).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) if length <= Ipv6Addr::BITS => {
            let mask = u128::MAX.checked_shl(Ipv6Addr::BITS - length).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

/// `*` stands for any run of characters.
fn name_matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return false };
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut open_end = false;
    let mut tail = parts.peekable();
    while let Some(part) = tail.next() {
        open_end = true;
        if tail.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    open_end || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_match_by_address_network_or_name() {
        for (pattern, host, matches) in [
            ("10.0.0.0/16", "10.0.255.1", true),
            ("10.0.0.0/16", "10.1.0.1", false),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("10.0.0.0/33", "10.0.0.1", false),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "10.0.0.1", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.11", false),
            ("*.example", "dma.example", true),
            ("*.example", "DMA.Example", true),
            ("*.example", "dma.example.evil", false),
            ("*", "10.0.0.1", true),
            ("10.*", "10.0.0.1", false),
            ("dma-*.site.example", "dma-01.site.example", true),
            ("", "dma", false),
        ] {
            assert_eq!(host_matches(pattern, host), matches, "{pattern} {host}");
        }
    }

    /// Invariant 11.
    #[test]
    fn a_secret_is_bound_to_its_host_and_cluster() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("key").to_str().expect("a UTF-8 path").to_owned();
        std::fs::write(&path, "the key").expect("the file is written");
        let secret = SecretRef::File(path);
        let resolver = SecretResolver::new(vec![SecretGrant {
            secret: secret.clone(),
            hosts: vec!["10.0.0.0/24".to_owned()],
            clusters: vec!["eu-*".to_owned()],
        }]);
        let eu = ClusterName::new("eu-1").expect("a name");
        let us = ClusterName::new("us-1").expect("a name");
        assert!(resolver.resolve(&secret, "10.0.0.9", &eu).is_ok());
        for (host, cluster) in [("10.0.1.9", &eu), ("evil.example", &eu), ("10.0.0.9", &us)] {
            let error = resolver.resolve(&secret, host, cluster).expect_err("not granted");
            assert_eq!(error.reason, Reason::SecretNotAllowed);
        }
        let other = SecretRef::File("/etc/shadow".to_owned());
        assert_eq!(
            resolver.resolve(&other, "10.0.0.9", &eu).expect_err("not granted").reason,
            Reason::SecretNotAllowed
        );
    }

    #[test]
    fn a_missing_secret_says_so_without_a_value() {
        let secret = SecretRef::File("/nonexistent/key".to_owned());
        let grant =
            SecretGrant { secret: secret.clone(), hosts: vec!["*".into()], clusters: vec!["*".into()] };
        let error = SecretResolver::new(vec![grant])
            .resolve(&secret, "h", &ClusterName::new("c").expect("a name"))
            .expect_err("no such file");
        assert_eq!(error.reason, Reason::SecretUnreadable);
    }
}
