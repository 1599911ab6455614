//! The command line: one file for each verb.
//!
//! stdout is data, stderr is talk. A verb returns an [`Exit`] or an error; nothing here ends the process.

mod backup;
mod bump;
mod catalog;
mod completion;
mod describe;
mod diff;
mod doctor;
mod exit;
mod explain;
mod fleet;
mod history;
mod import;
mod json_list;
mod lab;
mod live;
mod observe;
mod operator;
mod plan;
mod plan_review;
mod plan_table;
mod rehearse;
mod remote;
mod report;
mod run;
mod schema;
mod simulate;
mod status;
mod terminal;
mod validate;
mod version;

use std::{ffi::OsString, io, path::Path};

use anyhow::Context;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use exit::Exit;
pub use terminal::{Terminal, Tone};

use crate::{
    config::{Config, ConfigError, Overrides},
    telemetry::{self, LogFormat},
};

/// Keep fleets of DataMiner Systems on the versions that manifests in git declare.
#[derive(Debug, Parser)]
#[command(name = "dataminer-reconciler", version, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    /// Level of the log on stderr: error, warn, info, debug or trace, or a RUST_LOG filter
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Log")]
    log_level: Option<String>,

    /// Form of the log on stderr
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "DATAMINER_RECONCILER_LOG_FORMAT",
        help_heading = "Log"
    )]
    log_format: LogFormat,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Validate(validate::Args),
    Plan(plan::Args),
    Rehearse(rehearse::Args),
    Diff(diff::Args),
    Observe(observe::Args),
    Doctor(Box<doctor::Args>),
    Import(import::Args),
    Bump(bump::Args),
    Run(Box<run::Args>),
    Status(status::Args),
    Describe(describe::Args),
    History(history::Args),
    Retry(operator::RetryArgs),
    Abort(operator::AbortArgs),
    Approve(operator::ApproveArgs),
    Takeover(operator::TakeoverArgs),
    Backup(backup::Args),
    Catalog(catalog::Args),
    Simulate(simulate::Args),
    Demo(crate::demo::Args),
    Explain(explain::Args),
    Schema(schema::Args),
    Completion(completion::Args),
    Version(version::Args),
}

/// Runs one command line.
pub fn main(arguments: impl IntoIterator<Item = OsString>, terminal: &mut Terminal) -> Exit {
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return usage(&error, terminal),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, terminal),
    };
    if let Err(error) = telemetry::start(cli.log_level.as_deref(), cli.log_format, default_level(&cli.verb)) {
        terminal.say(format!("error: {error:#}"));
        return Exit::Usage;
    }
    let failed = cli.verb.failed();
    match cli.verb.run(terminal).and_then(|exit| Ok(terminal.flush().map(|()| exit)?)) {
        Ok(exit) => exit,
        // The reader has seen enough: `… | head`.
        Err(error) if is_broken_pipe(&error) => Exit::Ok,
        Err(error) => {
            drop(terminal.flush());
            terminal.say(format!("error: {error:#}"));
            if let Some(help) = error.downcast_ref::<Helpful>().map(|helpful| helpful.help.as_str()) {
                terminal.say(format!("help: {help}"));
            }
            failed
        }
    }
}

/// The whole command line as clap knows it, for completions and their tests.
fn command() -> clap::Command {
    Cli::command()
}

impl Verb {
    fn run(self, terminal: &mut Terminal) -> anyhow::Result<Exit> {
        match self {
            Self::Validate(args) => validate::run(&args, terminal),
            Self::Plan(args) => plan::run(&args, terminal),
            Self::Rehearse(args) => rehearse::run(&args, terminal),
            Self::Diff(args) => diff::run(&args, terminal),
            Self::Doctor(args) => doctor::run(&args, terminal),
            Self::Observe(args) => observe::run(&args, terminal),
            Self::Import(args) => import::run(&args, terminal),
            Self::Bump(args) => bump::run(&args, terminal),
            Self::Run(args) => run::run(&args, terminal),
            Self::Status(args) => status::run(&args, terminal),
            Self::Describe(args) => describe::run(&args, terminal),
            Self::History(args) => history::run(&args, terminal),
            Self::Retry(args) => operator::retry(&args, terminal),
            Self::Abort(args) => operator::abort(&args, terminal),
            Self::Approve(args) => operator::approve(&args, terminal),
            Self::Takeover(args) => operator::takeover(&args, terminal),
            Self::Backup(args) => backup::run(&args, terminal),
            Self::Catalog(args) => catalog::run(&args, terminal),
            Self::Simulate(args) => simulate::run(&args, terminal),
            Self::Demo(args) => crate::demo::run(&args, terminal),
            Self::Explain(args) => explain::run(&args, terminal),
            Self::Schema(args) => schema::run(&args, terminal),
            Self::Completion(args) => completion::run(&args, terminal),
            Self::Version(args) => version::run(&args, terminal),
        }
    }

    /// What an error of this verb ends with.
    fn failed(&self) -> Exit {
        match self {
            Self::Diff(_) => Exit::DiffFailed,
            _ => Exit::Failed,
        }
    }
}

/// Verbs that answer and end stay silent unless something is wrong; those that stay tell what they do.
fn default_level(verb: &Verb) -> &'static str {
    match verb {
        Verb::Run(_) => "info",
        _ => "warn",
    }
}

fn usage(error: &clap::Error, terminal: &mut Terminal) -> Exit {
    let text = if terminal.colour() { error.render().ansi().to_string() } else { error.render().to_string() };
    if error.use_stderr() {
        terminal.say(text.trim_end());
        return Exit::Usage;
    }
    // Help and version were asked for: they are data.
    drop(terminal.data(text));
    drop(terminal.flush());
    Exit::Ok
}

/// Runs `work` to its end on a runtime of its own.
///
/// # Errors
/// Those of `work`, and a runtime that cannot start.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(work)
}

/// Reads the configuration; its faults are printed with their places.
fn read_config(path: &Path, overrides: &Overrides, terminal: &mut Terminal) -> anyhow::Result<Config> {
    let error = match Config::read(path, overrides) {
        Ok(config) => {
            for warning in &config.warnings {
                terminal.say(warning.to_string());
            }
            return Ok(config);
        }
        Err(error) => error,
    };
    Err(misconfigured(&error, terminal))
}

/// Prints what is wrong with the configuration, or with what it names.
fn misconfigured(error: &ConfigError, terminal: &mut Terminal) -> anyhow::Error {
    match error {
        ConfigError::Invalid { file, diagnostics, .. } => {
            fleet::explain(std::slice::from_ref(file), diagnostics, terminal);
        }
        ConfigError::Knowledge(error) => return fleet::unknown(error, terminal),
        _ => {}
    }
    Helpful::new(error.to_string(), error.help()).into()
}

/// An error that knows what to do about itself.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Helpful {
    pub message: String,
    pub help: String,
}

impl Helpful {
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests;
