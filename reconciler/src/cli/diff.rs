//! `diff`: the versions wanted against those observed, Agent by Agent.

use std::path::PathBuf;

use dataminer_core::{
    converged::{Expected, ExpectedCore, Verdict, judge},
    plan::PlanMode,
};
use dataminer_schema::{
    id::{AgentName, ClusterName},
    plan::Plan,
    v1::{cluster::Cluster, observation::Observation},
    version::Version,
};
use jiff::Timestamp;
use serde::Serialize;

use super::{Exit, Terminal, Tone, fleet, live, plan};
use crate::review::escape::{code, prose};

/// Compare the versions wanted with those observed
///
/// Ends with 0 if they are the same, 1 if they differ, 2 if they could not be compared.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the manifests
    #[arg(short = 'f', long = "fleet", value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// Clusters to compare; all of them if none is named
    #[arg(value_name = "CLUSTER")]
    clusters: Vec<ClusterName>,

    /// Observations, as `observe` writes them: a file or a folder
    #[arg(long, value_name = "PATH", required_unless_present = "live", conflicts_with = "live")]
    observed: Vec<PathBuf>,

    /// Look at the Agents now; needs --config, which grants the secrets
    #[arg(long)]
    live: bool,

    /// The process's configuration, for --live
    #[arg(long, value_name = "FILE", env = "DATAMINER_RECONCILER_CONFIG")]
    config: Option<PathBuf>,

    /// Folder of release knowledge of one's own
    #[arg(long, value_name = "DIR", env = "DATAMINER_RECONCILER_KNOWLEDGE")]
    knowledge: Option<PathBuf>,

    /// Compare as if it were this time
    #[arg(long, value_name = "TIME", value_parser = fleet::point_in_time)]
    now: Option<Timestamp>,

    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Output {
    #[default]
    Table,
    Json,
    Markdown,
}

/// What one Agent shows of one thing that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Difference {
    cluster: ClusterName,
    agent: AgentName,
    item: &'static str,
    wanted: String,
    /// Absent where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<String>,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    format_version: &'static str,
    differences: &'a [Difference],
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let knowledge = fleet::knowledge(args.knowledge.as_deref(), terminal)?;
    let now = args.now.unwrap_or_else(Timestamp::now);
    let fleet = fleet::load_knowing(knowledge, now, (&args.folder, &args.clusters), terminal)?;
    let observations = if args.live {
        let config = args.config.as_deref().ok_or_else(live::no_config)?;
        live::observe(&fleet.clusters, config, terminal)?
    } else {
        fleet::observations(&args.observed, terminal)?
    };
    fleet::strangers(&fleet, &observations, &args.clusters, terminal);
    let plans = plan::make(&fleet, (&observations, &plan::Vaults::new()), now, PlanMode::Offline)?;
    let mut differences = Vec::new();
    for (cluster, plan) in fleet.clusters.iter().zip(&plans) {
        let seen = observations.iter().find(|seen| seen.cluster == cluster.name);
        differences.extend(compare(cluster, plan, seen, &fleet.catalog));
    }
    match args.output {
        Output::Json => terminal.json(&Report { format_version: "1.0", differences: &differences })?,
        Output::Table if differences.is_empty() => terminal.say("every Agent shows what is wanted"),
        Output::Table => table(&differences, terminal)?,
        Output::Markdown => markdown(&differences, terminal)?,
    }
    Ok(if differences.is_empty() {
        Exit::Ok
    } else if differences.iter().any(|difference| difference.unknown.is_none()) {
        Exit::DiffDiffers
    } else {
        Exit::DiffFailed
    })
}

fn compare(
    cluster: &Cluster,
    plan: &Plan,
    seen: Option<&Observation>,
    catalog: &dataminer_core::catalog::Catalog,
) -> Vec<Difference> {
    let agents: Vec<AgentName> = cluster
        .agents
        .iter()
        .flat_map(|agent| std::iter::once(&agent.member).chain(&agent.failover))
        .map(|member| member.name.clone())
        .collect();
    let wanted_core = &cluster.software.core;
    // The plan says which level `bundled` stands for.
    let wanted_web: Option<Version> = plan.to.web_apps.as_deref().and_then(|text| text.parse().ok());
    let core = Expected { core: Some(ExpectedCore::of(wanted_core, catalog)), web: None };
    let mut items = vec![("core", core, wanted_core.release_name())];
    if let Some(web) = wanted_web {
        let name = web.release_name();
        items.push(("webApps", Expected { core: None, web: Some(web) }, name));
    }
    let mut differences = Vec::new();
    for (item, expected, wanted) in items {
        let difference = |agent: &AgentName, observed, unknown| Difference {
            cluster: cluster.name.clone(),
            agent: agent.clone(),
            item,
            wanted: wanted.clone(),
            observed,
            unknown,
        };
        let Some(seen) = seen else {
            let never = || Some("the cluster was never observed".to_owned());
            differences.extend(agents.iter().map(|agent| difference(agent, None, never())));
            continue;
        };
        for (agent, verdict) in judge(&expected, &agents, seen, catalog).agents {
            match verdict {
                // Whether it runs is a matter of health, not of versions.
                Verdict::Right | Verdict::NotReady { .. } => {}
                Verdict::Wrong { .. } => {
                    let versions = plan.agents.iter().find(|versions| versions.name == agent);
                    let observed = versions.and_then(|versions| match item {
                        "core" => versions.core.clone(),
                        _ => versions.web_apps.clone(),
                    });
                    differences.push(difference(
                        &agent,
                        observed.or_else(|| Some("another".to_owned())),
                        None,
                    ));
                }
                Verdict::Unknown { what } => differences.push(difference(&agent, None, Some(what))),
            }
        }
    }
    differences.sort_by(|a, b| (&a.cluster, &a.agent, a.item).cmp(&(&b.cluster, &b.agent, b.item)));
    differences
}

/// What `observed` shows, or why it does not.
fn shown(difference: &Difference) -> (String, Tone) {
    match (&difference.observed, &difference.unknown) {
        (Some(observed), _) => (observed.clone(), Tone::Bad),
        (None, Some(why)) => (format!("unknown: {why}"), Tone::Pending),
        (None, None) => ("unknown".to_owned(), Tone::Pending),
    }
}

fn table(differences: &[Difference], terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut table = terminal.new_table(&["CLUSTER", "AGENT", "ITEM", "WANTED", "OBSERVED"]);
    for difference in differences {
        let Difference { cluster, agent, item, wanted, .. } = difference;
        let (shown, tone) = shown(difference);
        table.add_row([
            terminal.cell(cluster, Tone::Strong),
            terminal.cell(agent, Tone::Plain),
            terminal.cell(item, Tone::Plain),
            terminal.cell(wanted, Tone::Plain),
            terminal.cell(shown, tone),
        ]);
    }
    terminal.table(table)?;
    Ok(())
}

/// For a comment or a page: what Agents and manifests say is shown and cannot act.
fn markdown(differences: &[Difference], terminal: &mut Terminal) -> anyhow::Result<()> {
    if differences.is_empty() {
        terminal.line("Every Agent shows what is wanted.")?;
        return Ok(());
    }
    terminal.line("| Cluster | Agent | Item | Wanted | Observed |\n|--|--|--|--|--|")?;
    for difference in differences {
        let Difference { cluster, agent, item, wanted, .. } = difference;
        let [cluster, agent, wanted] = [cluster.as_str(), agent.as_str(), wanted].map(code);
        let (shown, _) = shown(difference);
        terminal.line(format!("| {cluster} | {agent} | {item} | {wanted} | {} |", prose(&shown)))?;
    }
    Ok(())
}
