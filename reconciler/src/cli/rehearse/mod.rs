//! `rehearse`: the plans carried out on simulated copies, before anybody merges them.

mod load;
mod progress;
mod table;

use std::path::PathBuf;

use anyhow::Context;
use dataminer_schema::{id::ClusterName, quantity::parse_duration};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::{Exit, Terminal, fleet, plan_table::Detail};
use crate::{
    rehearsal::{Grounds, Rehearsals, Report, Shelf, Subject, comment, rehearse},
    review::GITHUB_LIMIT,
};

/// Carry the plans of clusters out on simulated copies of them
///
/// Takes what was observed, from files or from a look at the live Agents, builds a simulated copy of each cluster, and lets
/// the real engine bring it to what the manifests want. Nothing real is touched. Ends with 0 if every cluster converges, with
/// 3 if one would not.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the manifests
    #[arg(short = 'f', long = "fleet", value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// Clusters to rehearse; all of them if none is named
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

    /// Rehearse only the clusters whose plans change from this commit on: the newest that it shares with --head
    #[arg(long, value_name = "REV", conflicts_with = "live")]
    base: Option<String>,

    /// Rehearse what this commit wants
    #[arg(long, value_name = "REV", requires = "base", default_value = "HEAD")]
    head: String,

    /// Seed of every random choice of the simulation
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Simulated seconds per second
    #[arg(long, value_name = "FACTOR", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=3000))]
    speed: u32,

    /// Give a cluster up after so long: 15m, 90s
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration)]
    timeout: SignedDuration,

    /// Form of the output; markdown is the comment of a pull request
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

/// How many clusters are rehearsed at a time: each is a simulation and an engine of its own.
const AT_ONCE: usize = 4;

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let loaded = match load::load(args, terminal)? {
        load::Loaded::Subjects(loaded) => loaded,
        load::Loaded::Broken(review, knowledge) => {
            match args.output {
                Output::Json => terminal.json(&review)?,
                Output::Table => {
                    super::plan_review::print(&review, args.at(), Detail::Brief, terminal)?;
                }
                Output::Markdown => {
                    terminal.data(crate::review::comment(&review, &knowledge, GITHUB_LIMIT))?;
                }
            }
            return Ok(Exit::Failed);
        }
    };
    let load::Subjects { subjects, fleet, unchanged } = loaded;
    let grounds = Grounds {
        shelf: Shelf::build(&fleet.catalogs, &fleet.catalog, &fleet.knowledge)?,
        knowledge: fleet.knowledge,
        seed: args.seed,
        speed: args.speed,
        patience: args.timeout.unsigned_abs(),
    };
    let reports = super::block_on(perform(&subjects, &grounds, terminal))?;
    let rehearsals = Rehearsals::new(reports, unchanged);
    match args.output {
        Output::Json => terminal.json(&rehearsals)?,
        Output::Table => table::print(&rehearsals, &subjects, terminal)?,
        Output::Markdown => {
            let zones: Vec<_> = subjects.iter().map(Subject::zone).collect();
            terminal.data(comment(&rehearsals, &zones, GITHUB_LIMIT))?;
        }
    }
    Ok(if rehearsals.all_converge() { Exit::Ok } else { Exit::WouldNotConverge })
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    parse_duration(text).map_err(|error| format!("{error}; {}", error.help()))
}

impl Args {
    /// The time of the plans.
    fn at(&self) -> Timestamp {
        self.now.unwrap_or_else(Timestamp::now)
    }
}

/// Rehearses all of them, some at a time, and tells how far they are.
async fn perform(
    subjects: &[Subject],
    grounds: &Grounds,
    terminal: &mut Terminal,
) -> anyhow::Result<Vec<Report>> {
    let (telling, mut heard) = mpsc::channel(256);
    let rehearsed = subjects.iter().map(|subject| {
        let telling = telling.clone();
        async move {
            let report = rehearse(subject, grounds, &telling).await;
            report.with_context(|| format!("rehearsing {}", subject.cluster.name))
        }
    });
    let mut work = std::pin::pin!(stream::iter(rehearsed).buffered(AT_ONCE).collect::<Vec<_>>());
    let mut shown = progress::Shown::new(subjects.len());
    loop {
        tokio::select! {
            reports = &mut work => {
                shown.end();
                return reports.into_iter().collect();
            }
            Some(progress) = heard.recv() => shown.tell(&progress, terminal),
        }
    }
}
