//! What only shows across documents: names, addresses and packages that collide.

use std::collections::BTreeMap;

use super::{
    check::quoted,
    source::{Place, Source},
    tree::Node,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    document::text::Address,
};

/// A fact, and where it was said.
type Said = (String, Place);

/// What the documents say, gathered also from those with faults.
#[derive(Default)]
pub(super) struct Facts {
    clusters: Vec<Said>,
    catalogs: Vec<Said>,
    observations: Vec<Said>,
    /// Address, then the cluster.
    addresses: Vec<(String, Said)>,
    /// File, then the digest.
    packages: Vec<(String, Said)>,
    /// Build, then the release.
    builds: Vec<(String, Said)>,
}

impl Facts {
    pub(super) fn cluster(&mut self, name: &str, place: Place) {
        self.clusters.push((name.to_owned(), place));
    }

    pub(super) fn catalog(&mut self, name: &str, place: Place) {
        self.catalogs.push((name.to_owned(), place));
    }

    pub(super) fn address(&mut self, cluster: &str, address: String, place: Place) {
        self.addresses.push((address, (cluster.to_owned(), place)));
    }

    pub(super) fn package(&mut self, file: &str, digest: &str, place: Place) {
        self.packages.push((file.to_lowercase(), (digest.to_owned(), place)));
    }

    pub(super) fn build(&mut self, build: &str, release: &str, place: Place) {
        self.builds.push((build.to_owned(), (release.to_owned(), place)));
    }

    pub(super) fn observation(&mut self, source: &mut Source<'_>, node: &Node) {
        let name = node.get("metadata").and_then(|metadata| metadata.get("name"));
        if let Some((name, text)) = name.and_then(|name| Some((name, name.text()?))) {
            self.observations.push((text.to_owned(), source.place(&name.span)));
        }
        let agents =
            node.get("spec").and_then(|spec| spec.get("agents")).map(Node::items).unwrap_or_default();
        let mut names: BTreeMap<String, Place> = BTreeMap::new();
        for name in agents.iter().filter_map(|agent| agent.get("name")) {
            let Some(text) = name.text() else { continue };
            if let Some(first) = names.get(&text.to_lowercase()) {
                let message = format!("there are two Agents {}", quoted(text));
                let help = format!("keep what was seen last; the first is on line {}", first.line);
                source.error(&name.span, Code::DuplicateAgentName, message, help);
            } else {
                names.insert(text.to_lowercase(), source.place(&name.span));
            }
        }
    }

    /// All collisions; each is placed at the later of the two.
    pub(super) fn judge(self) -> Vec<(Place, Diagnostic)> {
        let Self { clusters, catalogs, observations, addresses, packages, builds } = self;
        let mut found = Vec::new();
        for (code, what, names) in [
            (Code::DuplicateCluster, "clusters", clusters),
            (Code::DuplicateCatalog, "catalogues", catalogs),
            (Code::DuplicateObservation, "observations of", observations),
        ] {
            let names = names.into_iter().map(|(name, place)| (name, (String::new(), place))).collect();
            collisions(
                &mut found,
                names,
                |_, _| true,
                |name, _, first| {
                    let message = format!("there are two {what} `{name}`");
                    (code, message, format!("the first is at {first}; names are unique"))
                },
            );
        }
        collisions(
            &mut found,
            addresses,
            |mine, theirs| mine != theirs,
            |address, cluster, first| {
                let message = format!("{} is also an Agent of the cluster `{cluster}`", quoted(address));
                (
                    Code::AddressInTwoClusters,
                    message,
                    format!("an Agent belongs to one DMS; the other entry is at {first}"),
                )
            },
        );
        collisions(
            &mut found,
            packages,
            |mine, theirs| mine != theirs,
            |file, _, first| {
                let message = format!("{} is listed with another digest elsewhere", quoted(file));
                (
                    Code::PackageConflict,
                    message,
                    format!("the other entry is at {first}; a file has one content"),
                )
            },
        );
        collisions(
            &mut found,
            builds,
            |mine, theirs| mine != theirs,
            |build, release, first| {
                let message = format!("build {} is also mapped to {release}", quoted(build));
                (
                    Code::BuildConflict,
                    message,
                    format!("the other entry is at {first}; a build is one release"),
                )
            },
        );
        found
    }
}

/// Puts a diagnostic at every later entry of the same key whose value collides with the first one's.
fn collisions(
    found: &mut Vec<(Place, Diagnostic)>,
    entries: Vec<(String, Said)>,
    collide: impl Fn(&str, &str) -> bool,
    words: impl Fn(&str, &str, &Place) -> (Code, String, String),
) {
    let mut first: BTreeMap<String, Said> = BTreeMap::new();
    for (key, (value, place)) in entries {
        match first.get(&key) {
            None => {
                first.insert(key, (value, place));
            }
            Some((first_value, first_place)) if collide(&value, first_value) => {
                let (code, message, help) = words(&key, first_value, first_place);
                let diagnostic = place.error(code, message, Some(help));
                found.push((place, diagnostic));
            }
            Some(_) => {}
        }
    }
}

/// An address in the form in which equal ones are equal; `None` if it is none.
pub(super) fn same_address(text: &str) -> Option<String> {
    let Address { host, port } = Address::read(text)?;
    let host =
        host.parse::<std::net::IpAddr>().map_or_else(|_| host.to_lowercase(), |address| address.to_string());
    Some(match port.filter(|port| *port != 22) {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}
