//! `doctor --canary`: by the process that keeps the clusters, or, where none runs, in its place.

use std::time::{Duration, Instant};

use dataminer_schema::{
    id::ClusterName,
    status::{CanaryStatus, FleetStatus},
};
use indicatif::ProgressBar;
use jiff::SignedDuration;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::super::{Exit, Helpful, Terminal, Tone, fleet::Fleet, operator};
use crate::{
    config::Config,
    engine::CanaryEnd,
    http::{
        History, client,
        requests::{Kind, Recorded},
    },
    process,
    store::EventKind,
};

/// A canary ends within its own limit of 20 minutes; staging and health come before.
const PATIENCE: Duration = Duration::from_secs(3600);
const PACE: Duration = Duration::from_millis(500);

/// What came of a canary, for scripts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    cluster: ClusterName,
    result: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canary: Option<CanaryStatus>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    format_version: &'static str,
    canaries: &'a [Told],
}

/// Runs canaries in the place of the process, with its store: refused while it runs.
pub(super) fn run(
    config: &Config,
    fleet: &Fleet,
    within: Option<SignedDuration>,
    json: bool,
    terminal: &mut Terminal,
) -> anyhow::Result<Exit> {
    let bar = spinner(fleet.clusters.len());
    let stop = CancellationToken::new();
    let ends = super::super::block_on(async {
        let work = process::canaries(config, super::wanted(fleet), within, &stop);
        let ends = tokio::select! {
            ends = work => ends,
            _ = tokio::signal::ctrl_c() => {
                let help = "run the canary again: it finds what is left and takes it up";
                return Err(Helpful::new("stopped; what runs on Agents goes on", help).into());
            }
        };
        ends.map_err(|error| {
            let help = error.help();
            let help = match &error {
                process::ProcessError::Store(crate::store::StoreError::InUse { .. }) => {
                    "the process runs: let it run the canary (`--server URL`)".to_owned()
                }
                _ => help,
            };
            anyhow::Error::from(Helpful::new(error.to_string(), help))
        })
    });
    bar.finish_and_clear();
    let told = ends?.into_iter().map(|(cluster, end)| match end {
        CanaryEnd::Ran(canary) => ran(cluster, *canary),
        CanaryEnd::Refused(failure) => Told {
            cluster,
            result: "Refused",
            message: failure.message,
            help: Some(failure.help),
            canary: None,
        },
        CanaryEnd::Stopped => Told {
            cluster,
            result: "Refused",
            message: "it was stopped".to_owned(),
            help: Some("run it again".to_owned()),
            canary: None,
        },
    });
    show(&told.collect::<Vec<_>>(), json, terminal)
}

/// Has the process run them, and waits for what comes of it.
pub(super) fn ask(
    server: &str,
    clusters: &[ClusterName],
    json: bool,
    terminal: &mut Terminal,
) -> anyhow::Result<Exit> {
    if clusters.is_empty() {
        return Err(
            Helpful::new("no cluster is named", "name those that the process shall run a canary on").into()
        );
    }
    let bar = spinner(clusters.len());
    let told = super::super::block_on(async {
        let mut told = Vec::new();
        for cluster in clusters {
            told.push(ask_one(server, cluster).await?);
        }
        anyhow::Ok(told)
    });
    bar.finish_and_clear();
    show(&told?, json, terminal)
}

async fn ask_one(server: &str, cluster: &ClusterName) -> anyhow::Result<Told> {
    let before = canary_of(server, cluster).await?;
    let events = newest_refusal(server, cluster).await?;
    let path = format!("/api/v1/clusters/{cluster}/requests");
    let wanted = operator::wanted(Kind::Canary, None);
    let _recorded: Recorded = client::post(server, &path, &wanted).await.map_err(helpful)?;
    let begun = Instant::now();
    loop {
        tokio::time::sleep(PACE).await;
        let now = canary_of(server, cluster).await?;
        if let Some(canary) = now.filter(|now| Some(now) != before.as_ref()) {
            return Ok(ran(cluster.clone(), canary));
        }
        let refusal = newest_refusal(server, cluster).await?;
        if refusal != events
            && let Some(message) = refusal
        {
            return Ok(Told {
                cluster: cluster.clone(),
                result: "Refused",
                message,
                help: Some(format!("`describe {cluster}` shows more")),
                canary: None,
            });
        }
        if begun.elapsed() > PATIENCE {
            return Err(Helpful::new(
                format!("the process has not told within an hour what came of the canary on {cluster}"),
                format!("`describe {cluster}` shows what it does"),
            )
            .into());
        }
    }
}

async fn canary_of(server: &str, cluster: &ClusterName) -> anyhow::Result<Option<CanaryStatus>> {
    let fleet: FleetStatus = client::get(server, "/api/v1/clusters").await.map_err(helpful)?;
    Ok(fleet.cluster(cluster).and_then(|cluster| cluster.canary.clone()))
}

/// The newest word of the process that a canary was not done, with its time.
async fn newest_refusal(server: &str, cluster: &ClusterName) -> anyhow::Result<Option<String>> {
    let path = format!("/api/v1/events?limit=50&cluster={cluster}");
    let history: History = client::get(server, &path).await.map_err(helpful)?;
    let refused = history.events.iter().find(|event| {
        event.kind == EventKind::OperatorRequest && event.message.starts_with("canary was not done")
    });
    Ok(refused.map(|event| format!("{} ({})", event.message, event.at.strftime("%H:%M:%S%.3f UTC"))))
}

fn helpful(error: client::ClientError) -> anyhow::Error {
    let help = error.help().to_owned();
    Helpful::new(error.to_string(), help).into()
}

fn ran(cluster: ClusterName, canary: CanaryStatus) -> Told {
    let CanaryStatus { package, run_as, agents, job, failure, .. } = &canary;
    let job = job.as_ref().map(|job| format!(" (job {job})")).unwrap_or_default();
    let (result, message, help) = match failure {
        None => {
            let count = agents.len();
            let message = format!("{package} ran under {run_as}{job} and reached all {count} Agents");
            ("Passed", message, None)
        }
        Some(failure) => {
            let message = format!("{package} under {run_as}{job}: {}: {}", failure.reason, failure.message);
            ("Failed", message, Some(failure.help.clone()))
        }
    };
    Told { cluster, result, message, help, canary: Some(canary) }
}

fn show(told: &[Told], json: bool, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    if json {
        terminal.json(&Report { format_version: "1.0", canaries: told })?;
    } else {
        for Told { cluster, result, message, help, canary: _ } in told {
            let tone = if *result == "Passed" { Tone::Good } else { Tone::Bad };
            let cluster = terminal.tint(cluster.as_str(), Tone::Strong);
            let word = terminal.tint(result.to_lowercase(), tone);
            terminal.line(format!("{cluster}: {word}: {message}"))?;
            if let Some(help) = help {
                terminal.line(format!("  cure: {help}"))?;
            }
        }
    }
    let passed = told.iter().all(|told| told.result == "Passed");
    Ok(if passed { Exit::Ok } else { Exit::Failed })
}

fn spinner(clusters: usize) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let of = if clusters == 1 { "a cluster".to_owned() } else { format!("{clusters} clusters") };
    bar.set_message(format!("running a canary on {of}"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
