//! What a story can say. A line that is none of this is an error.

use dataminer_schema::{plan::Action, quantity::parse_duration};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use crate::{
    fault::{Fault, On},
    releases::Item,
    script::Step,
};

/// One command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    /// The clock goes on to this time; the process is not looked at meanwhile.
    At(Timestamp),
    /// The clock goes on by this much.
    Advance(SignedDuration),
    /// The manifest; the block is its `spec`, without `agents`.
    Cluster(String),
    /// The Agents of manifest and world, with what runs on them.
    Agents {
        names: Vec<(String, Option<String>)>,
        core: String,
        web: Option<String>,
    },
    /// What is so on an Agent, or on all of them (`None`), each line a field of an observation.
    Agent {
        name: Option<String>,
        facts: Vec<(String, String)>,
    },
    /// The packages that there are.
    Catalogue {
        items: Vec<Item>,
        but: Vec<Item>,
    },
    Add(Vec<Item>),
    Remove(Vec<Item>),
    /// Fields of the manifest, by their path under `spec`.
    Commit(Vec<(String, String)>),
    Advisory {
        name: String,
        issue: String,
        expires: String,
        reason: String,
    },
    /// A content backup of the product's own that lies on an Agent, or on all of them.
    Backup {
        name: Option<String>,
        file: String,
        at: Timestamp,
        level: String,
    },
    /// Users change dashboards.
    Edit,
    /// Work goes wrong the next so many times.
    Fail {
        on: On,
        times: u32,
        fault: Fault,
    },
    /// The process dies before or after the next such work.
    Crash {
        before: bool,
        on: On,
    },
    /// The process dies now.
    Die,
    /// The store of the process is gone as well.
    LoseStore,
    Approve,
    Retry,
    Abort,
    Takeover,
    Plan(Look),
    Run(Until),
    Status,
    Versions,
    Content,
    Vault,
    Forecast,
    /// The warnings of these codes.
    Warnings(Vec<String>),
    /// What the plan says of these known issues.
    Issues(Vec<String>),
}

/// How a plan is made and shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// Upon the observation at hand.
    pub(crate) stale: bool,
    /// As `plan -f` does it: nobody acts on it.
    pub(crate) offline: bool,
    /// With all steps.
    pub(crate) full: bool,
}

/// How long the process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Until nothing is to be done now.
    Idle,
    Time(Timestamp),
    For(SignedDuration),
}

/// All commands, for whoever mistypes one.
const KNOWN: &str = "at, advance, cluster, agents, agent, catalogue, add, remove, backup, commit, advisory, users, fail, crash, lose, \
                     approve, retry, abort, takeover, plan, run, status, versions, content, vault, forecast, warnings, issues";

impl Command {
    /// Reads a command with its block.
    ///
    /// # Errors
    /// The line, and what is wrong with it.
    pub(crate) fn parse(step: &Step) -> Result<Self, String> {
        let takes_block = ["cluster", "commit", "agent"];
        let (word, rest) = step.command.split_once(' ').unwrap_or((step.command.as_str(), ""));
        let command = if !step.block.is_empty() && !takes_block.contains(&word) {
            Err(format!("`{word}` takes no block"))
        } else {
            parse(word, rest, &step.block)
        };
        command.map_err(|wrong| format!("line {}: {wrong}", step.line))
    }
}

fn parse(word: &str, rest: &str, block: &[String]) -> Result<Command, String> {
    let bare = |command: Command| {
        if rest.is_empty() { Ok(command) } else { Err(format!("`{word}` stands alone, without `{rest}`")) }
    };
    match word {
        "at" => Ok(Command::At(time(rest)?)),
        "advance" => Ok(Command::Advance(duration(rest)?)),
        "cluster" => Ok(Command::Cluster(named(rest)?.to_owned())),
        "agents" => agents(rest),
        "agent" => agent(rest, block),
        "catalogue" => {
            let (has, but) = rest.split_once(" but ").unwrap_or((rest, ""));
            let but = if but.is_empty() { Vec::new() } else { items(but)? };
            Ok(Command::Catalogue { items: items(has)?, but })
        }
        "add" => Ok(Command::Add(items(rest)?)),
        "remove" => Ok(Command::Remove(items(rest)?)),
        "backup" => backup(rest),
        "commit" => fields(rest, block).map(Command::Commit),
        "advisory" => advisory(rest),
        "users" if rest == "change dashboards" => Ok(Command::Edit),
        "fail" => fail(rest),
        "crash" if rest == "now" => Ok(Command::Die),
        "crash" => {
            let (when, on) =
                rest.split_once(' ').ok_or("write `crash now` or `crash before|after ACTION [VERSION]`")?;
            let before = match when {
                "before" => true,
                "after" => false,
                _ => return Err(format!("`crash {when}`: write `before` or `after`")),
            };
            Ok(Command::Crash { before, on: on_work(on)? })
        }
        "lose" if rest == "the store" => Ok(Command::LoseStore),
        "approve" => bare(Command::Approve),
        "retry" => bare(Command::Retry),
        "abort" => bare(Command::Abort),
        "takeover" => bare(Command::Takeover),
        "plan" => look(rest).map(Command::Plan),
        "run" => until(rest).map(Command::Run),
        "status" => bare(Command::Status),
        "versions" => bare(Command::Versions),
        "content" => bare(Command::Content),
        "vault" => bare(Command::Vault),
        "forecast" => bare(Command::Forecast),
        "warnings" => Ok(Command::Warnings(words(rest)?)),
        "issues" => Ok(Command::Issues(words(rest)?)),
        _ => Err(format!("`{word} {rest}` is no command; there are: {KNOWN}")),
    }
}

fn named(text: &str) -> Result<&str, String> {
    if text.is_empty() || text.contains(' ') { Err(format!("`{text}` is no name")) } else { Ok(text) }
}

/// Parts between commas.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim)
}

fn words(text: &str) -> Result<Vec<String>, String> {
    parts(text).map(|part| named(part).map(str::to_owned)).collect()
}

fn items(text: &str) -> Result<Vec<Item>, String> {
    parts(text).map(Item::parse).collect()
}

/// `2026-11-21T02:00Z`, or `2026-11-21 22:00 Europe/Brussels`.
fn time(text: &str) -> Result<Timestamp, String> {
    let wrong =
        || format!("`{text}` is no time; write `2026-11-21T02:00Z` or `2026-11-21 22:00 Europe/Brussels`");
    let Some((civil, zone)) = text.rsplit_once(' ') else { return text.parse().map_err(|_| wrong()) };
    let civil: DateTime = civil.parse().map_err(|_| wrong())?;
    let zone = TimeZone::get(zone).map_err(|_| wrong())?;
    let zoned = zone.to_ambiguous_zoned(civil).unambiguous();
    Ok(zoned.map_err(|error| format!("`{text}`: {error}; write it in UTC"))?.timestamp())
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    parse_duration(text).map_err(|error| format!("`{text}` is no duration ({})", error.help()))
}

fn until(text: &str) -> Result<Until, String> {
    if text == "until idle" {
        return Ok(Until::Idle);
    }
    if let Some(text) = text.strip_prefix("until ") {
        return Ok(Until::Time(time(text)?));
    }
    match text.strip_prefix("for ") {
        Some(text) => Ok(Until::For(duration(text)?)),
        None => Err("write `run until idle`, `run until TIME` or `run for DURATION`".to_owned()),
    }
}

fn look(text: &str) -> Result<Look, String> {
    match text {
        "" => Ok(Look::default()),
        "in full" => Ok(Look { full: true, ..Look::default() }),
        "without a fresh look" => Ok(Look { stale: true, ..Look::default() }),
        "offline" => Ok(Look { stale: true, offline: true, ..Look::default() }),
        _ => Err(format!("`plan {text}`: write `in full`, `without a fresh look`, `offline` or nothing")),
    }
}

/// `dma-01 dma-02/dma-02b on 10.4.0 CU6, web 10.4.9`.
fn agents(text: &str) -> Result<Command, String> {
    let (names, runs) =
        text.split_once(" on ").ok_or("write `agents NAME NAME/PARTNER on VERSION[, web LEVEL]`")?;
    let names = names.split_whitespace().map(|name| match name.split_once('/') {
        Some((main, partner)) => (main.to_owned(), Some(partner.to_owned())),
        None => (name.to_owned(), None),
    });
    let (core, web) =
        runs.split_once(", web ").map_or((runs, None), |(core, web)| (core, Some(web.to_owned())));
    Ok(Command::Agents { names: names.collect(), core: core.to_owned(), web })
}

/// `dma-02 state: Stopped`, `all webApps: unknown`, or a block of such facts.
fn agent(text: &str, block: &[String]) -> Result<Command, String> {
    let (name, fact) = text.split_once(' ').unwrap_or((text, ""));
    let facts = fields(fact, block)?;
    Ok(Command::Agent { name: (name != "all").then(|| name.to_owned()), facts })
}

/// `PATH: VALUE` on the line or in the block.
fn fields(text: &str, block: &[String]) -> Result<Vec<(String, String)>, String> {
    let lines = if block.is_empty() { vec![text] } else { block.iter().map(String::as_str).collect() };
    if !block.is_empty() && !text.is_empty() {
        return Err(format!("either `{text}` or a block"));
    }
    lines
        .into_iter()
        .map(|line| {
            let (path, value) =
                line.split_once(": ").ok_or_else(|| format!("`{line}` is not `FIELD: VALUE`"))?;
            Ok((named(path)?.to_owned(), value.to_owned()))
        })
        .collect()
}

/// `Backup_1.zip of 10.4.0 CU21 at 2026-09-05T21:50Z on dma-01`, or `on all`.
fn backup(text: &str) -> Result<Command, String> {
    let read = || {
        let (file, rest) = text.split_once(" of ")?;
        let (level, rest) = rest.split_once(" at ")?;
        let (at, name) = rest.rsplit_once(" on ")?;
        Some((file.to_owned(), level.to_owned(), at, name))
    };
    let (file, level, at, name) = read().ok_or("write `backup FILE of LEVEL at TIME on AGENT`")?;
    let name = (name != "all").then(|| name.to_owned());
    Ok(Command::Backup { name, file, at: time(at)?, level })
}

/// `antivirus accepts KI_… until 2026-12-31: reason`.
fn advisory(text: &str) -> Result<Command, String> {
    let read = || {
        let (name, rest) = text.split_once(" accepts ")?;
        let (issue, rest) = rest.split_once(" until ")?;
        let (expires, reason) = rest.split_once(": ")?;
        let texts = [name, issue, expires, reason].map(str::to_owned);
        let [name, issue, expires, reason] = texts;
        Some(Command::Advisory { name, issue, expires, reason })
    };
    read().ok_or_else(|| "write `advisory NAME accepts ISSUE until DAY: REASON`".to_owned())
}

/// `UpgradeCore 10.5.0 CU18 2 times: vanished`.
fn fail(text: &str) -> Result<Command, String> {
    let (work, fault) = text.split_once(": ").ok_or("write `fail ACTION [VERSION] [N times]: FAULT`")?;
    let (work, times) = match work.strip_suffix(" times").and_then(|work| work.rsplit_once(' ')) {
        Some((work, times)) => (work, times.parse().map_err(|_| format!("`{times}` is no number"))?),
        None => (work, 1),
    };
    Ok(Command::Fail { on: on_work(work)?, times, fault: Fault::parse(fault)? })
}

fn on_work(text: &str) -> Result<On, String> {
    let (action, to) =
        text.split_once(' ').map_or((text, None), |(action, to)| (action, Some(to.to_owned())));
    let action =
        serde_json::from_value::<Action>(action.into()).map_err(|_| format!("`{action}` is no action"))?;
    Ok(On { action, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(command: &str, block: &[&str]) -> Result<Command, String> {
        let block = block.iter().map(|&line| line.to_owned()).collect();
        Command::parse(&Step { line: 7, command: command.to_owned(), block, printed: Vec::new() })
    }

    #[test]
    fn commands_are_read() {
        let at = read("at 2026-11-21 22:00 Europe/Brussels", &[]);
        assert_eq!(at, read("at 2026-11-21T21:00Z", &[]));
        assert_eq!(
            read("agents dma-01 dma-02/dma-02b on 10.4.0 CU6, web 10.4.9", &[]),
            Ok(Command::Agents {
                names: vec![("dma-01".to_owned(), None), ("dma-02".to_owned(), Some("dma-02b".to_owned()))],
                core: "10.4.0 CU6".to_owned(),
                web: Some("10.4.9".to_owned()),
            })
        );
        let one = read("commit core: 10.5.0 CU12", &[]);
        assert_eq!(one, read("commit", &["core: 10.5.0 CU12"]));
        assert!(matches!(
            read("fail UpgradeCore 10.5.0 CU18 2 times: vanished", &[]),
            Ok(Command::Fail { times: 2, on: On { action: Action::UpgradeCore, to: Some(_) }, .. })
        ));
    }

    #[test]
    fn what_is_no_command_is_refused_with_its_line() {
        for command in [
            "dance",
            "plan twice",
            "run",
            "at noon",
            "at 2026-03-29 02:30 Europe/Brussels",
            "users leave",
            "fail Upgrade: vanished",
            "fail UpgradeCore: badly",
            "crash UpgradeCore",
            "approve it",
            "commit core",
            "agent dma-01 stopped",
            "add 10.5.0",
            "advance soon",
            "",
        ] {
            let refused = read(command, &[]).expect_err(command);
            assert!(refused.starts_with("line 7: "), "{command}: {refused}");
        }
        assert!(read("plan", &["core: 10.5.0 CU12"]).is_err(), "a block where none belongs");
        assert!(read("commit core: 10.5.0 CU12", &["suspend: true"]).is_err(), "a block and a field");
    }
}
