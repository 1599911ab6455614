//! What is rehearsed: every cluster of a folder, or those that a change touches.

use dataminer_core::{catalog::Catalog, knowledge::Knowledge, plan::PlanMode};
use dataminer_schema::{
    plan::Plan,
    v1::{cluster::Cluster, observation::Observation},
};

use super::Args;
use crate::{
    cli::{
        Helpful, Terminal, fleet, live, misconfigured,
        plan::{self, Vaults},
        plan_review::{self, Grounds},
        read_config,
    },
    config::Overrides,
    rehearsal::Subject,
    review::Review,
    source::{self, Revisions},
};

pub(super) enum Loaded {
    Subjects(Subjects),
    /// The manifests of the change are not valid.
    Broken(Box<Review>, Knowledge),
}

pub(super) struct Subjects {
    pub(super) subjects: Vec<Subject>,
    pub(super) fleet: fleet::Fleet,
    /// How many clusters a change leaves as they are.
    pub(super) unchanged: Option<usize>,
}

/// Reads and plans.
///
/// # Errors
/// Manifests, observations or a configuration with errors, after they were printed.
pub(super) fn load(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Loaded> {
    let knowledge = match (&args.knowledge, &args.config) {
        (None, Some(config)) if args.live => {
            let config = read_config(config, &Overrides::default(), terminal)?;
            config.knowledge().map_err(|error| misconfigured(&error, terminal))?
        }
        (folder, _) => fleet::knowledge(folder.as_deref(), terminal)?,
    };
    if let Some(base) = &args.base {
        return between(args, base, knowledge, terminal);
    }
    let fleet = fleet::load_knowing(knowledge, args.at(), (&args.folder, &args.clusters), terminal)?;
    let mut vaults = Vaults::new();
    let (observations, mode) = if args.live {
        let config = args.config.as_deref().ok_or_else(live::no_config)?;
        vaults = live::vaults(&fleet.clusters, config, terminal)?;
        (live::observe(&fleet.clusters, config, terminal)?, PlanMode::Live)
    } else {
        (fleet::observations(&args.observed, terminal)?, PlanMode::Offline)
    };
    fleet::strangers(&fleet, &observations, &args.clusters, terminal);
    let plans = plan::make(&fleet, (&observations, &vaults), args.at(), mode)?;
    let subjects = fleet
        .clusters
        .iter()
        .zip(plans)
        .map(|(cluster, plan)| subject(cluster, plan, &observations, &vaults))
        .collect();
    Ok(Loaded::Subjects(Subjects { subjects, fleet, unchanged: None }))
}

fn subject(cluster: &Cluster, plan: Plan, observations: &[Observation], vaults: &Vaults) -> Subject {
    Subject {
        cluster: cluster.clone(),
        observation: observations.iter().find(|seen| seen.cluster == cluster.name).cloned(),
        vault: vaults.get(&cluster.name).cloned().unwrap_or_default(),
        commit: plan.commit.clone(),
        plan,
    }
}

/// The clusters whose plans differ between two commits, as the newer one wants them.
fn between(args: &Args, base: &str, knowledge: Knowledge, terminal: &mut Terminal) -> anyhow::Result<Loaded> {
    let explained = |error: source::SourceError| Helpful::new(error.to_string(), error.help());
    let revisions = Revisions::around(&args.folder).map_err(explained)?;
    let observations = fleet::observations(&args.observed, terminal)?;
    let grounds = Grounds {
        knowledge: &knowledge,
        observations: &observations,
        clusters: &args.clusters,
        now: args.at(),
    };
    let review = plan_review::between(&revisions, (base, &args.head), &grounds, terminal)?;
    if review.manifests.are_broken() {
        return Ok(Loaded::Broken(Box::new(review), knowledge));
    }
    let head = revisions.commit(&args.head).map_err(explained)?;
    let (mut clusters, mut catalogs, mut catalog) = (Vec::new(), Vec::new(), Catalog::default());
    if let Some(snapshot) = revisions.snapshot(&head).map_err(explained)? {
        let loaded = fleet::assemble(&args.folder, &snapshot.files, &snapshot.refused, terminal)?;
        catalog = fleet::unite(&loaded.catalogs, &knowledge)?;
        catalogs = loaded.catalogs;
        clusters = loaded.clusters.into_iter().map(|located| located.value).collect();
    }
    let vaults = Vaults::new();
    let subjects = review
        .clusters
        .iter()
        .filter_map(|entry| {
            let plan = entry.head.clone()?;
            let cluster = clusters.iter().find(|cluster| cluster.name == entry.cluster)?;
            Some(subject(cluster, plan, &observations, &vaults))
        })
        .collect();
    let fleet = fleet::Fleet { clusters, catalog, catalogs, knowledge };
    Ok(Loaded::Subjects(Subjects { subjects, fleet, unchanged: Some(review.unchanged) }))
}
