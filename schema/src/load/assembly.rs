//! Documents to a fleet: Profiles are merged into their Clusters.

use std::collections::BTreeMap;

use serde::{
    Deserialize,
    de::{Error as _, value::Error},
};
use serde_json::{Map, Value};

use super::{
    Fleet, Located, catalog, dependencies,
    merge::{fields_of, fill_from},
    tree::Node,
};
use crate::{
    beside::beside_each_other,
    diagnostic::{Code, Diagnostic, Severity},
    document::{
        Kind,
        advisory::AdvisoryDocument,
        catalog::CatalogDocument,
        cluster::{ClusterDocument, ProfileDocument},
        rollout::RolloutDocument,
    },
    quantity::format_duration,
    v1::{
        advisory::Advisory,
        catalog::PackageCatalog,
        cluster::{AppliedProfile, Cluster},
        profile::Profile,
        rollout::Rollout,
    },
};

/// A document of a fleet.
pub(super) enum FleetDocument {
    /// All of it stands in the document.
    Cluster(Box<ClusterDocument>),
    /// Its Profile may say more.
    ClusterUnder {
        profile: String,
        json: Value,
    },
    Profile {
        name: String,
        spec: Map<String, Value>,
    },
    Catalog(PackageCatalog),
    Rollout(Rollout),
    Advisory(Advisory),
}

/// What a document of a fleet is.
///
/// # Errors
/// The types differ from the schema that they gave.
pub(super) fn fill(kind: Kind, node: Node) -> Result<FleetDocument, Error> {
    Ok(match kind {
        Kind::Cluster => match node.get("spec").and_then(|spec| spec.get("profile")).and_then(Node::text) {
            Some(profile) => {
                FleetDocument::ClusterUnder { profile: profile.to_owned(), json: node.to_json() }
            }
            None => FleetDocument::Cluster(Box::new(ClusterDocument::deserialize(node)?)),
        },
        Kind::Profile => {
            let json = node.to_json();
            let name = json.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
            ProfileDocument::deserialize(node)?;
            FleetDocument::Profile { name, spec: object(json.get("spec")) }
        }
        Kind::PackageCatalog => FleetDocument::Catalog(CatalogDocument::deserialize(node)?.into()),
        Kind::Rollout => FleetDocument::Rollout(RolloutDocument::deserialize(node)?.into()),
        Kind::Advisory => FleetDocument::Advisory(AdvisoryDocument::deserialize(node)?.into()),
        Kind::Observation | Kind::ReconcilerConfig | Kind::ReleaseKnowledge => {
            return Err(Error::custom(format!("no {} is read with a fleet", kind.name())));
        }
    })
}

/// The spec of a Profile, as it was written.
type Specs = BTreeMap<String, Map<String, Value>>;

/// What of a cluster was written in its own document.
enum Written {
    Whole(Box<ClusterDocument>),
    Under { profile: String, json: Value },
}

/// Fewer clusters than this are filled faster than a thread starts.
const WORTH_A_THREAD: usize = 64;

/// The fleet that these documents are. A Cluster with an error is left out.
pub(super) fn assemble(documents: Vec<Located<FleetDocument>>) -> (Fleet, Vec<Diagnostic>) {
    let mut fleet = Fleet::default();
    let mut found = Vec::new();
    let mut profiles = Specs::new();
    let mut clusters: Vec<Located<Written>> = Vec::new();
    for document in documents {
        let (place, value) = document.split();
        match value {
            FleetDocument::Cluster(document) => clusters.push(place.with(Written::Whole(document))),
            FleetDocument::ClusterUnder { profile, json } => {
                clusters.push(place.with(Written::Under { profile, json }));
            }
            FleetDocument::Profile { name, spec } => {
                fleet.profiles.push(place.with(Profile { name: name.clone(), gives: fields_of(&spec) }));
                profiles.insert(name, spec);
            }
            FleetDocument::Catalog(catalog) => fleet.catalogs.push(place.with(catalog)),
            FleetDocument::Rollout(rollout) => fleet.rollouts.push(place.with(rollout)),
            FleetDocument::Advisory(advisory) => fleet.advisories.push(place.with(advisory)),
        }
    }
    for (cluster, faults) in beside_each_other(clusters, WORTH_A_THREAD, |document| {
        let mut faults = Vec::new();
        (cluster(document, &profiles, &mut faults), faults)
    }) {
        fleet.clusters.extend(cluster);
        found.extend(faults);
    }
    found.extend(fleet.catalogs.iter().flat_map(catalog::not_carried_out));
    dependencies::judge(&fleet, &mut found);
    follow_rollouts(&mut fleet, &mut found);
    hand_out_advisories(&mut fleet, &mut found);
    (fleet, found)
}

fn unreadable<T>(document: &Located<T>, error: &serde_json::Error) -> Diagnostic {
    let message = format!("this Cluster could not be read with its Profile: {error}");
    let help = "this is a fault of the program; please report it with both documents";
    document.diagnostic(Severity::Error, "", Code::Unreadable, message, help)
}

impl<T> Located<T> {
    /// The place of a value, and the value.
    fn split(self) -> (Located<()>, T) {
        let Self { value, path, line, marks } = self;
        (Located { value: (), path, line, marks }, value)
    }

    fn with<U>(self, value: U) -> Located<U> {
        let Self { value: _, path, line, marks } = self;
        Located { value, path, line, marks }
    }
}

fn object(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

fn cluster(
    document: Located<Written>,
    profiles: &Specs,
    found: &mut Vec<Diagnostic>,
) -> Option<Located<Cluster>> {
    let (place, written) = document.split();
    let (read, applied) = match written {
        Written::Whole(read) => (*read, None),
        Written::Under { profile: name, mut json } => {
            let spec = json.get_mut("spec").and_then(Value::as_object_mut)?;
            // One that is unknown was reported, and so was one with faults of its own.
            let given = profiles.get(&name)?;
            let mut gave = Vec::new();
            fill_from(spec, given, "spec", &mut gave);
            gave.sort();
            match serde_json::from_value::<ClusterDocument>(json) {
                Ok(read) => (read, Some(AppliedProfile { name, gave })),
                Err(error) => {
                    found.push(unreadable(&place, &error));
                    return None;
                }
            }
        }
    };
    let Some(cluster) = read.into_cluster(applied) else {
        let message = "neither this cluster nor its Profile says which core is wanted";
        let help = "add `software: { core: … }`, for example `core: 10.5.0 CU12`";
        found.push(place.diagnostic(Severity::Error, "spec.software", Code::NoCoreWanted, message, help));
        return None;
    };
    let before = found.len();
    judge_merged(&place, &cluster, found);
    let wrong = found[before..].iter().any(|found| found.severity == Severity::Error);
    (!wrong).then(|| place.with(cluster))
}

/// Notes for each cluster the Rollout whose waves it follows: at most one.
fn follow_rollouts(fleet: &mut Fleet, found: &mut Vec<Diagnostic>) {
    for rollout in &fleet.rollouts {
        let name = &rollout.value.name;
        let selected =
            fleet.clusters.iter_mut().filter(|cluster| rollout.value.selector.selects(&cluster.value.labels));
        let mut followers = 0;
        for cluster in selected {
            followers += 1;
            match &cluster.value.rollout {
                None => cluster.value.rollout = Some(name.clone()),
                Some(first) => {
                    let message = format!(
                        "the cluster `{}` is selected by the Rollout `{first}` too",
                        cluster.value.name
                    );
                    let help = "a cluster follows one Rollout: narrow one of the selectors";
                    let code = Code::TwoRollouts;
                    found.push(rollout.diagnostic(Severity::Error, "spec.selector", code, message, help));
                    break;
                }
            }
        }
        if followers == 0 {
            let message = format!("the Rollout `{name}` selects no cluster");
            found.push(selects_nothing(rollout, "spec.selector", message));
        } else {
            let message = "Rollouts are not carried out by this release";
            let help = "the manifest is right, but no cluster that it selects changes while it is there";
            let code = Code::NotSupportedYet;
            found.push(rollout.diagnostic(Severity::Warning, "kind", code, message, help));
        }
    }
}

/// Hands each cluster the Advisories that are about it.
fn hand_out_advisories(fleet: &mut Fleet, found: &mut Vec<Diagnostic>) {
    for advisory in &fleet.advisories {
        let mut about = 0;
        for cluster in &mut fleet.clusters {
            if advisory.value.clusters.selects(&cluster.value.labels) {
                about += 1;
                cluster.value.advisories.push(advisory.value.clone());
            }
        }
        if about == 0 {
            let message = format!("the Advisory `{}` is about no cluster", advisory.value.name);
            found.push(selects_nothing(advisory, "spec.clusters", message));
        }
    }
    for cluster in &mut fleet.clusters {
        cluster.value.advisories.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

/// The warning about a selector, the value of `field`, that no cluster's labels meet.
fn selects_nothing<T>(document: &Located<T>, field: &str, message: String) -> Diagnostic {
    let help = "compare its `matchLabels` with `metadata.labels` of the clusters";
    document.diagnostic(Severity::Warning, field, Code::SelectsNothing, message, help)
}

/// What shows only in a Cluster and its Profile together, and what this release does not carry out.
fn judge_merged(located: &Located<()>, cluster: &Cluster, found: &mut Vec<Diagnostic>) {
    let gave = cluster.profile.as_ref().map(|profile| profile.gave.as_slice()).unwrap_or_default();
    let from_profile =
        |field: &str| located.marks.at(field).is_none() && gave.iter().any(|given| given.starts_with(field));
    // In one document it was judged already, at its place.
    let (settle, timeout) = (cluster.health.settle, cluster.health.timeout);
    if cluster.profile.is_some() && settle >= timeout {
        let message = format!(
            "with its Profile, Agents must be right for {} within {}, which cannot happen",
            format_duration(settle),
            format_duration(timeout)
        );
        let help = "make `health.timeout` longer than `health.settle`";
        found.push(located.diagnostic(
            Severity::Error,
            "spec.profile",
            Code::SettleExceedsTimeout,
            message,
            help,
        ));
    }
    for field in cluster.not_carried_out() {
        let place = if from_profile(field) { "spec.profile" } else { field };
        let message = format!("`{field}` is not carried out by this release");
        let help = "the manifest is right, but no change of this cluster starts while it is there";
        found.push(located.diagnostic(Severity::Warning, place, Code::NotSupportedYet, message, help));
    }
}
