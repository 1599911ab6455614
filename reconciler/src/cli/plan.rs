//! `plan`: what would be done, and why; offline from files, or from a live look.

use std::{collections::BTreeMap, path::PathBuf};

use dataminer_core::{
    desired::resolve,
    knowledge::Knowledge,
    lint::lint,
    plan::{PlanInput, PlanMode, PlanState},
};
use dataminer_schema::{
    beside::beside_each_other,
    id::ClusterName,
    plan::{FORMAT_VERSION, Plan, PlanResult},
    v1::{
        cluster::Cluster,
        observation::{Backup, Observation},
    },
};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    Exit, Helpful, Terminal, fleet, json_list, live,
    plan_review::{self, Grounds},
    plan_table::{self, Detail},
};
use crate::{
    config::Overrides,
    review::{GITHUB_LIMIT, Review, Side, comment},
    source::Revisions,
};

/// Show what would be done to clusters, and why
///
/// Without --live it reads files only: no secret, no Agent, no store.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the manifests
    #[arg(short = 'f', long = "fleet", value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// Clusters to plan; all of them if none is named
    #[arg(value_name = "CLUSTER")]
    clusters: Vec<ClusterName>,

    /// Observations, as `observe` writes them: a file or a folder
    #[arg(long, value_name = "PATH", conflicts_with = "live")]
    observed: Vec<PathBuf>,

    /// Look at the Agents now; needs --config, which grants the secrets
    #[arg(long)]
    live: bool,

    /// The process's configuration, for --live
    #[arg(long, value_name = "FILE", env = "DATAMINER_RECONCILER_CONFIG")]
    config: Option<PathBuf>,

    /// Folder of release knowledge of one's own; without it that of the configuration
    #[arg(long, value_name = "DIR", env = "DATAMINER_RECONCILER_KNOWLEDGE")]
    knowledge: Option<PathBuf>,

    /// Plan as if it were this time
    #[arg(long, value_name = "TIME", value_parser = fleet::point_in_time)]
    now: Option<Timestamp>,

    /// Show what changes from this commit on: the newest that it shares with --head; read from the repository around
    /// the folder, without a checkout
    #[arg(long, value_name = "REV", conflicts_with = "live")]
    base: Option<String>,

    /// Show what this commit changes
    #[arg(long, value_name = "REV", requires = "base", default_value = "HEAD")]
    head: String,

    /// Form of the output; markdown is the comment of a pull request
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,

    /// End with 0 for nothing to do, 2 for changes, 3 for blocked, 1 for an error
    #[arg(long)]
    detailed_exitcode: bool,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Output {
    #[default]
    Table,
    /// A table with everything that the other one only counts
    Wide,
    Json,
    Yaml,
    Markdown,
}

impl Output {
    fn detail(self) -> Detail {
        match self {
            Self::Wide => Detail::Wide,
            Self::Table | Self::Json | Self::Yaml | Self::Markdown => Detail::Brief,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plans<'a> {
    format_version: &'static str,
    plans: &'a [Plan],
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let knowledge = match (&args.knowledge, &args.config) {
        (None, Some(config)) if args.live => {
            let config = super::read_config(config, &Overrides::default(), terminal)?;
            config.knowledge().map_err(|error| super::misconfigured(&error, terminal))?
        }
        (folder, _) => fleet::knowledge(folder.as_deref(), terminal)?,
    };
    if let Some(base) = &args.base {
        return between(args, base, &knowledge, terminal);
    }
    let now = args.now.unwrap_or_else(Timestamp::now);
    let fleet = fleet::load_knowing(knowledge, now, (&args.folder, &args.clusters), terminal)?;
    let mut vaults = Vaults::new();
    let (observations, mode) = if args.live {
        let config = args.config.as_deref().ok_or_else(live::no_config)?;
        vaults = live::vaults(&fleet.clusters, config, terminal)?;
        (live::observe(&fleet.clusters, config, terminal)?, PlanMode::Live)
    } else {
        (observations(args, terminal)?, PlanMode::Offline)
    };
    fleet::strangers(&fleet, &observations, &args.clusters, terminal);
    let plans = make(&fleet, (&observations, &vaults), now, mode)?;
    match args.output {
        Output::Json => json_list::write(FORMAT_VERSION, ("plans", &plans), terminal)?,
        Output::Yaml => terminal.yaml(&Plans { format_version: FORMAT_VERSION, plans: &plans })?,
        Output::Table | Output::Wide => {
            for (at, plan) in plans.iter().enumerate() {
                if at > 0 {
                    terminal.line("")?;
                }
                let cluster = &fleet.clusters[at];
                plan_table::print(plan, cluster, now, args.output.detail(), terminal)?;
            }
        }
        Output::Markdown => {
            let review = Review::of(Side::new(&fleet.clusters, plans.clone()));
            terminal.data(comment(&review, &fleet.knowledge, GITHUB_LIMIT))?;
        }
    }
    Ok(if args.detailed_exitcode { verdict(&plans) } else { Exit::Ok })
}

/// Compares the plans of two commits.
fn between(args: &Args, base: &str, knowledge: &Knowledge, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let revisions =
        Revisions::around(&args.folder).map_err(|error| Helpful::new(error.to_string(), error.help()))?;
    let observations = observations(args, terminal)?;
    let now = args.now.unwrap_or_else(Timestamp::now);
    let grounds = Grounds { knowledge, observations: &observations, clusters: &args.clusters, now };
    let review = plan_review::between(&revisions, (base, &args.head), &grounds, terminal)?;
    match args.output {
        Output::Json => terminal.json(&review)?,
        Output::Yaml => terminal.yaml(&review)?,
        Output::Table | Output::Wide => {
            plan_review::print(&review, now, args.output.detail(), terminal)?;
        }
        Output::Markdown => terminal.data(comment(&review, knowledge, GITHUB_LIMIT))?,
    }
    Ok(plan_review::verdict(&review, args.detailed_exitcode))
}

fn observations(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Vec<Observation>> {
    if args.observed.is_empty() {
        terminal.say("no observations: every cluster counts as never seen; give --observed PATH, or --live --config FILE");
    }
    fleet::observations(&args.observed, terminal)
}

/// What the vault holds of each cluster.
pub(super) type Vaults = BTreeMap<ClusterName, Vec<Backup>>;

/// Fewer plans than this are made faster than a thread starts.
const WORTH_A_THREAD: usize = 8;

/// The plans of these clusters, in their order.
///
/// # Errors
/// A plan that its own checker refuses: a fault of the planner, never shown as a plan.
pub(super) fn make(
    fleet: &fleet::Fleet,
    (observations, vaults): (&[Observation], &Vaults),
    now: Timestamp,
    mode: PlanMode,
) -> anyhow::Result<Vec<Plan>> {
    let seen: BTreeMap<&ClusterName, &Observation> =
        observations.iter().map(|seen| (&seen.cluster, seen)).collect();
    let plan = |cluster: &Cluster| -> anyhow::Result<Plan> {
        let desired = resolve(cluster.clone(), None);
        let plan = dataminer_core::plan::plan(&PlanInput {
            desired: &desired,
            observation: seen.get(&cluster.name).copied(),
            catalog: &fleet.catalog,
            knowledge: &fleet.knowledge,
            vault: vaults.get(&cluster.name).map(Vec::as_slice).unwrap_or_default(),
            state: &PlanState::default(),
            now,
            mode,
        });
        match lint(&plan).as_slice() {
            [] => Ok(plan),
            notes => Err(Helpful::new(
                format!(
                    "the plan of {} breaks its own rules: {}",
                    cluster.name,
                    notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
                ),
                "this is a fault of the planner: please report it with the manifest and the observation",
            )
            .into()),
        }
    };
    let plans = beside_each_other(fleet.clusters.iter().collect(), WORTH_A_THREAD, plan);
    plans.into_iter().collect()
}

/// The worst of all plans decides.
fn verdict(plans: &[Plan]) -> Exit {
    let any = |result| plans.iter().any(|plan| plan.result == result);
    if any(PlanResult::Blocked) {
        Exit::PlanBlocked
    } else if any(PlanResult::Ready) || any(PlanResult::Waiting) {
        Exit::PlanChanges
    } else {
        Exit::Ok
    }
}
