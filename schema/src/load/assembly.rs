//! Documents to a fleet: Profiles are merged into their Clusters, and serde fills the types.

use std::{collections::BTreeMap, thread};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Fleet, Located, catalog, dependencies,
    merge::{fields_of, fill_from},
    reading::ReadDocument,
};
use crate::{
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
        cluster::{AppliedProfile, Cluster},
        profile::Profile,
    },
};

/// The spec of a Profile, as it was written.
type Specs = BTreeMap<String, Map<String, Value>>;

/// The fleet that these documents are. A Cluster with an error is left out.
pub(super) fn assemble(documents: Vec<ReadDocument>) -> (Fleet, Vec<Diagnostic>) {
    let mut fleet = Fleet::default();
    let mut found = Vec::new();
    let mut profiles = Specs::new();
    let mut clusters = Vec::new();
    for document in documents {
        match document.kind {
            Kind::Cluster => clusters.push(document),
            Kind::Profile => {
                let spec = object(document.json.get("spec"));
                if let Some(profile) = profile(document, &spec, &mut found) {
                    profiles.insert(profile.value.name.clone(), spec);
                    fleet.profiles.push(profile);
                }
            }
            Kind::PackageCatalog => fleet.catalogs.extend(fill::<CatalogDocument, _>(document, &mut found)),
            Kind::Rollout => fleet.rollouts.extend(fill::<RolloutDocument, _>(document, &mut found)),
            Kind::Advisory => fleet.advisories.extend(fill::<AdvisoryDocument, _>(document, &mut found)),
            // None of them is read with a fleet.
            Kind::Observation | Kind::ReconcilerConfig | Kind::ReleaseKnowledge => {}
        }
    }
    for (clusters, faults) in beside_each_other(clusters, |run| {
        let mut faults = Vec::new();
        let read: Vec<_> =
            run.into_iter().filter_map(|document| cluster(document, &profiles, &mut faults)).collect();
        (read, faults)
    }) {
        fleet.clusters.extend(clusters);
        found.extend(faults);
    }
    found.extend(fleet.catalogs.iter().flat_map(catalog::not_carried_out));
    dependencies::judge(&fleet, &mut found);
    follow_rollouts(&mut fleet, &mut found);
    hand_out_advisories(&mut fleet, &mut found);
    (fleet, found)
}

/// Fewer documents than this are filled faster than a thread starts.
const WORTH_A_THREAD: usize = 64;

/// What `fill` makes of each run of documents, in their order, with a run for each processor.
fn beside_each_other<T: Send>(
    mut documents: Vec<ReadDocument>,
    fill: impl Fn(Vec<ReadDocument>) -> T + Sync,
) -> Vec<T> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let runs = processors.min(documents.len() / WORTH_A_THREAD).max(1);
    if runs == 1 {
        return vec![fill(documents)];
    }
    let length = documents.len().div_ceil(runs);
    let mut parts = Vec::with_capacity(runs);
    while documents.len() > length {
        let rest = documents.split_off(length);
        parts.push(std::mem::replace(&mut documents, rest));
    }
    parts.push(documents);
    thread::scope(|scope| {
        let threads: Vec<_> = parts.into_iter().map(|run| scope.spawn(|| fill(run))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// All documents as values of one type.
pub(super) fn fill_all<D: DeserializeOwned, T: From<D>>(
    documents: Vec<ReadDocument>,
) -> (Vec<Located<T>>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let values = documents.into_iter().filter_map(|document| fill::<D, T>(document, &mut found)).collect();
    (values, found)
}

fn fill<D: DeserializeOwned, T: From<D>>(
    document: ReadDocument,
    found: &mut Vec<Diagnostic>,
) -> Option<Located<T>> {
    let (located, json) = taken_apart(document);
    match serde_json::from_value::<D>(json) {
        Ok(read) => Some(located.with(read.into())),
        Err(error) => {
            found.push(unreadable(&located, &error));
            None
        }
    }
}

fn taken_apart(document: ReadDocument) -> (Located<Kind>, Value) {
    let ReadDocument { kind, json, path, line, marks, .. } = document;
    (Located { value: kind, path, line, marks }, json)
}

fn unreadable(document: &Located<Kind>, error: &serde_json::Error) -> Diagnostic {
    let message = format!("this {} could not be read: {error}", document.value.name());
    let help = "this is a fault of the program; please report it with the document";
    document.diagnostic(Severity::Error, "", Code::Unreadable, message, help)
}

impl<T> Located<T> {
    fn with<U>(self, value: U) -> Located<U> {
        let Self { value: _, path, line, marks } = self;
        Located { value, path, line, marks }
    }
}

fn profile(
    document: ReadDocument,
    spec: &Map<String, Value>,
    found: &mut Vec<Diagnostic>,
) -> Option<Located<Profile>> {
    let (located, json) = taken_apart(document);
    let name = json.get("metadata")?.get("name")?.as_str()?.to_owned();
    if let Err(error) = serde_json::from_value::<ProfileDocument>(json) {
        found.push(unreadable(&located, &error));
        return None;
    }
    Some(located.with(Profile { name, gives: fields_of(spec) }))
}

fn object(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

fn cluster(
    document: ReadDocument,
    profiles: &Specs,
    found: &mut Vec<Diagnostic>,
) -> Option<Located<Cluster>> {
    let (located, mut json) = taken_apart(document);
    let spec = json.get_mut("spec").and_then(Value::as_object_mut)?;
    let named = spec.get("profile").and_then(Value::as_str).map(str::to_owned);
    let applied = match named {
        None => None,
        Some(name) => {
            // One that is unknown was reported, and so was one with faults of its own.
            let given = profiles.get(&name)?;
            let mut gave = Vec::new();
            fill_from(spec, given, "spec", &mut gave);
            gave.sort();
            Some(AppliedProfile { name, gave })
        }
    };
    let read = match serde_json::from_value::<ClusterDocument>(json) {
        Ok(read) => read,
        Err(error) => {
            found.push(unreadable(&located, &error));
            return None;
        }
    };
    let Some(cluster) = read.into_cluster(applied) else {
        let message = "neither this cluster nor its Profile says which core is wanted";
        let help = "add `software: { core: … }`, for example `core: 10.5.0 CU12`";
        found.push(located.diagnostic(Severity::Error, "spec.software", Code::NoCoreWanted, message, help));
        return None;
    };
    let before = found.len();
    judge_merged(&located, &cluster, found);
    let wrong = found[before..].iter().any(|found| found.severity == Severity::Error);
    (!wrong).then(|| located.with(cluster))
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
fn judge_merged(located: &Located<Kind>, cluster: &Cluster, found: &mut Vec<Diagnostic>) {
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
