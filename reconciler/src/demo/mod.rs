//! `demo`: a simulated DMS, a git repository made from `examples/fleet`, and the real process that follows it.
//!
//! The demo is a user like any other: it starts this very binary as `run`, commits manifests, reads
//! `/api/v1/clusters`, and approves the downgrade by the request that `approve` sends. Only the verdict looks behind
//! the scenes, at what the simulated Agents really hold.

mod fleet;
mod follow;
mod process;
mod stage;
mod verdict;

use std::time::{Duration, Instant};

use anyhow::Context;
use dataminer_schema::version::{Version, WebWanted};

use self::{follow::Follower, stage::Stage, verdict::Verdict};
use crate::cli::{self, Exit, Terminal, Tone};

/// Watch a simulated DMS follow commits: a web-only upgrade, a full upgrade over two Main Releases, an approved downgrade
///
/// Two Agents and a Failover pair listen on loopback SSH; the real engine does the rest. Ends by itself.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Keep everything running at the end, until Ctrl-C
    #[arg(long)]
    keep: bool,

    /// Simulated seconds per second
    #[arg(long, value_name = "FACTOR", default_value_t = 240.0)]
    speed: f64,
}

/// How long one change may take before the demo gives up.
const PATIENCE: Duration = Duration::from_secs(150);

/// One commit of the story.
struct Chapter {
    title: &'static str,
    core: &'static str,
    web_apps: &'static str,
    /// Whether the manifest lets versions fall.
    downgrade: bool,
    /// A dashboard that somebody edits before the commit.
    edit: Option<&'static str>,
    message: &'static str,
}

const ADOPTION: Chapter = Chapter {
    title: "Adoption: the manifest says what runs already",
    core: "10.3.0 CU20",
    web_apps: "unmanaged",
    downgrade: false,
    edit: None,
    message: "Adopt brussels as it is",
};

const CHANGES: [Chapter; 3] = [
    Chapter {
        title: "A web-only upgrade: no Agent restarts",
        core: "10.3.0 CU20",
        web_apps: "10.4.12",
        downgrade: false,
        edit: Some("Lisbon"),
        message: "brussels: web apps 10.4.12",
    },
    Chapter {
        title: "A full upgrade over two Main Releases, and newer web apps on top",
        core: "10.5.0 CU12",
        web_apps: "10.6.4",
        downgrade: false,
        edit: None,
        message: "brussels: 10.5.0 CU12 with web apps 10.6.4",
    },
    Chapter {
        title: "A downgrade: dashboards and apps go back with it, from a backup that the older web apps can read",
        core: "10.4.0 CU21",
        web_apps: "bundled",
        downgrade: true,
        edit: Some("Network health"),
        message: "brussels: back to 10.4.0 CU21",
    },
];

/// Runs the demo to its end.
///
/// # Errors
/// Anything that keeps it from reaching its verdict; a bad verdict is [`Exit::Failed`].
pub fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    cli::block_on(play(args, terminal))
}

async fn play(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    let stage = Stage::build(args.speed).await?;
    introduce(&stage, terminal)?;
    let mut process = process::Process::start(&stage).await?;
    terminal.line(format!("status page   {}/api/v1/clusters\n", process.server()))?;

    let mut verdicts = Vec::new();
    let mut follower = Follower::new(process.server().to_owned(), stage.repository.clone());
    let played = async {
        for (number, chapter) in std::iter::once(&ADOPTION).chain(&CHANGES).enumerate() {
            headline(chapter.title, terminal)?;
            if let Some(dashboard) = chapter.edit {
                stage.edit(dashboard)?;
                terminal.line(format!("  somebody edits the dashboard `{dashboard}`"))?;
            }
            let commit = stage.commit(chapter)?;
            terminal.line(format!("  commit {}  {}", &commit.as_str()[..8], chapter.message))?;
            let times = follower.follow(&commit, PATIENCE, terminal).await?;
            let core = version(chapter.core)?;
            let web = web(chapter.web_apps, &core)?;
            if number > 0 {
                verdicts.push(Verdict::judge(
                    chapter.title,
                    &core,
                    web.as_ref(),
                    times,
                    &stage.simulation.inspect(),
                ));
            }
        }
        anyhow::Ok(())
    };
    let outcome = tokio::select! {
        outcome = played => outcome,
        status = process.ended() => Err(anyhow::anyhow!("the process ended by itself: {status}")),
    };
    if let Err(error) = outcome {
        terminal.say(process.last_words());
        process.stop().await;
        return Err(error);
    }

    headline("Verdict", terminal)?;
    let saved = stage.vault_objects()?;
    let good = verdict::show(&verdicts, saved, begun.elapsed(), terminal)?;
    if args.keep {
        terminal.line(format!(
            "\nEverything keeps running: {}/api/v1/clusters; the fleet repository is {}. End with Ctrl-C.",
            process.server(),
            stage.repository.display()
        ))?;
        terminal.flush()?;
        tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")?;
    }
    process.stop().await;
    stage.simulation.shutdown().await;
    Ok(if good { Exit::Ok } else { Exit::Failed })
}

fn introduce(stage: &Stage, terminal: &mut Terminal) -> anyhow::Result<()> {
    terminal.line("A simulated DMS `brussels` on loopback, behind real SSH and SFTP:\n")?;
    let mut table = terminal.new_table(&["Agent", "SSH", "DataMiner address", "Role"]);
    for agent in &stage.agents {
        table.add_row([agent.name, &agent.endpoint.addr.to_string(), agent.address, agent.role]);
    }
    terminal.table(table)?;
    terminal.line(format!("\nfleet         {}", stage.repository.display()))?;
    terminal.line(format!("packages      {}", stage.packages.display()))?;
    Ok(())
}

fn headline(title: &str, terminal: &mut Terminal) -> anyhow::Result<()> {
    let title = terminal.tint(format!("== {title}"), Tone::Good);
    terminal.line(format!("\n{title}"))?;
    terminal.flush()?;
    Ok(())
}

fn version(text: &str) -> anyhow::Result<Version> {
    text.parse().with_context(|| format!("reading the version {text}"))
}

/// The web apps that the Agents shall have; `None`: whatever they have.
fn web(text: &str, core: &Version) -> anyhow::Result<Option<Version>> {
    Ok(match text.parse::<WebWanted>().with_context(|| format!("reading the web version {text}"))? {
        WebWanted::Unmanaged => None,
        WebWanted::Bundled => Some(core.clone()),
        WebWanted::Version(version) => Some(version),
    })
}
