//! `demo`: a simulated DMS, a git repository made from `examples/fleet`, and the real process that follows it.
//!
//! The demo is a user like any other: it starts this very binary as `run`, commits manifests, and reads
//! `/api/v1/clusters`. Only the verdict looks behind the scenes, at what the simulated Agents really hold.

mod fleet;
mod follow;
mod process;
mod stage;
mod verdict;

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use dataminer_schema::version::{Version, WebWanted};

use self::{follow::Follower, stage::Stage, verdict::Verdict};
use crate::cli::{self, Exit, Terminal, Tone};

/// Watch a simulated DMS follow commits: a web-only upgrade, and a full upgrade over two Main Releases
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
    message: &'static str,
}

const ADOPTION: Chapter = Chapter {
    title: "Adoption: the manifest says what runs already",
    core: "10.3.0 CU20",
    web_apps: "unmanaged",
    message: "Adopt brussels as it is",
};

const CHANGES: [Chapter; 2] = [
    Chapter {
        title: "A web-only upgrade: no Agent restarts",
        core: "10.3.0 CU20",
        web_apps: "10.4.12",
        message: "brussels: web apps 10.4.12",
    },
    Chapter {
        title: "A full upgrade over two Main Releases, and newer web apps on top",
        core: "10.5.0 CU12",
        web_apps: "10.6.4",
        message: "brussels: 10.5.0 CU12 with web apps 10.6.4",
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
            let commit = stage.commit(chapter.core, chapter.web_apps, chapter.message)?;
            terminal.line(format!("  commit {}  {}", &commit.as_str()[..8], chapter.message))?;
            let times = follower.follow(&commit, PATIENCE, terminal).await?;
            let wanted = (version(chapter.core)?, web(chapter.web_apps)?);
            if number > 0 {
                verdicts.push(Verdict::judge(
                    chapter.title,
                    &wanted.0,
                    wanted.1.as_ref(),
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

fn web(text: &str) -> anyhow::Result<Option<Version>> {
    match text.parse::<WebWanted>().with_context(|| format!("reading the web version {text}"))? {
        WebWanted::Unmanaged => Ok(None),
        WebWanted::Bundled => bail!("the story wants no bundled web apps"),
        WebWanted::Version(version) => Ok(Some(version)),
    }
}
