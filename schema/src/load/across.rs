//! What only shows across documents: names, addresses and packages that collide.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    check::quoted,
    source::{Place, Source},
    tree::Node,
    walk::words::{listed, nearest},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    document::{Kind, text::Address},
};

/// A fact, and where it was said.
type Said = (String, Place);

/// What the documents say, gathered also from those with faults.
#[derive(Default)]
pub(super) struct Facts {
    clusters: Vec<Said>,
    /// The names of documents that are no clusters, by kind.
    named: BTreeMap<Kind, Vec<Said>>,
    observations: Vec<Said>,
    /// The Profiles that clusters name.
    profiles_used: Vec<Said>,
    /// The clusters that clusters wait for.
    dependencies: Vec<Said>,
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

    pub(super) fn uses_profile(&mut self, name: &str, place: Place) {
        self.profiles_used.push((name.to_owned(), place));
    }

    pub(super) fn depends_on(&mut self, cluster: &str, place: Place) {
        self.dependencies.push((cluster.to_owned(), place));
    }

    /// Notes what a document is called.
    pub(super) fn named(&mut self, kind: Kind, source: &Source<'_>, node: &Node) {
        let name = node.get("metadata").and_then(|metadata| metadata.get("name"));
        if let Some((name, text)) = name.and_then(|name| Some((name, name.text()?))) {
            self.named.entry(kind).or_default().push((text.to_owned(), source.place(&name.span)));
        }
    }

    /// Adds what later files say.
    pub(super) fn join(&mut self, other: Self) {
        let Self { clusters, named, observations, profiles_used, dependencies, addresses, packages, builds } =
            other;
        self.clusters.extend(clusters);
        for (kind, names) in named {
            self.named.entry(kind).or_default().extend(names);
        }
        self.observations.extend(observations);
        self.profiles_used.extend(profiles_used);
        self.dependencies.extend(dependencies);
        self.addresses.extend(addresses);
        self.packages.extend(packages);
        self.builds.extend(builds);
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
                source.collision(&name.span, Code::DuplicateAgentName, message, help, first);
            } else {
                names.insert(text.to_lowercase(), source.place(&name.span));
            }
        }
    }

    /// All collisions, each placed at the later of the two, and all names that lead nowhere.
    pub(super) fn judge(self) -> Vec<(Place, Diagnostic)> {
        let Self { clusters, named, observations, profiles_used, dependencies, addresses, packages, builds } =
            self;
        let mut found = Vec::new();
        let profiles = named.get(&Kind::Profile).map(Vec::as_slice).unwrap_or_default();
        strangers(&mut found, profiles_used, profiles, Code::UnknownProfile, "Profile");
        strangers(&mut found, dependencies, &clusters, Code::UnknownDependency, "cluster");
        let named = named.into_iter().map(|(kind, names)| {
            let (code, what) = match kind {
                Kind::Cluster => (Code::DuplicateCluster, "clusters"),
                Kind::Profile => (Code::DuplicateProfile, "Profiles"),
                Kind::PackageCatalog => (Code::DuplicateCatalog, "catalogues"),
                Kind::Rollout => (Code::DuplicateRollout, "Rollouts"),
                Kind::Advisory => (Code::DuplicateAdvisory, "Advisories"),
                Kind::Observation => (Code::DuplicateObservation, "observations of"),
                Kind::ReconcilerConfig => (Code::DuplicateName, "configurations"),
                Kind::ReleaseKnowledge => (Code::DuplicateFact, "documents of release knowledge"),
            };
            (code, what, names)
        });
        let others = [
            (Code::DuplicateCluster, "clusters", clusters),
            (Code::DuplicateObservation, "observations of", observations),
        ];
        for (code, what, names) in others.into_iter().chain(named) {
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

/// Puts a diagnostic at every name that no document has; one with faults counts, for it was meant.
fn strangers(found: &mut Vec<(Place, Diagnostic)>, used: Vec<Said>, known: &[Said], code: Code, what: &str) {
    let known: BTreeSet<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
    let names: Vec<&str> = known.iter().copied().collect();
    for (name, place) in used.into_iter().filter(|(name, _)| !known.contains(name.as_str())) {
        let help = match (nearest(&name, &names), names.as_slice()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, []) => format!("this repository has no {what} at all: add it, or take the name out"),
            (None, names) if names.len() <= SHOWN_NAMES => format!("there are {}", listed(names)),
            (None, _) => format!("name a {what} of this repository"),
        };
        let message = format!("there is no {what} {}", quoted(&name));
        let diagnostic = place.error(code, message, Some(help));
        found.push((place, diagnostic));
    }
}

/// More names than this help nobody.
const SHOWN_NAMES: usize = 8;

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
                let related = first_place.related("the other is here");
                let diagnostic = place.error(code, message, Some(help)).and(related);
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
