//! The log: for people by default, as JSON lines for collectors; always on stderr.

use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing_subscriber::{EnvFilter, fmt};

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Starts the log. `level` (a word, or a filter as in `RUST_LOG`) comes before `RUST_LOG`, which comes before
/// `fallback`. A second call changes nothing.
///
/// # Errors
/// A level or filter that cannot be read.
pub fn start(level: Option<&str>, format: LogFormat, fallback: &str) -> anyhow::Result<()> {
    let from_environment = std::env::var("RUST_LOG").ok().filter(|value| !value.trim().is_empty());
    let (wanted, origin) = match (level, &from_environment) {
        (Some(level), _) => (level, "--log-level"),
        (None, Some(filter)) => (filter.as_str(), "RUST_LOG"),
        (None, None) => (fallback, "the default level"),
    };
    let unreadable = || {
        format!(
            "reading {origin} `{wanted}`: write off, error, warn, info, debug or trace, or a filter such as russh=debug"
        )
    };
    // A bare word is about us; the libraries below speak up from warnings on.
    let directives = if wanted.chars().all(char::is_alphabetic) && !wanted.eq_ignore_ascii_case("off") {
        ours(wanted.parse().map_err(|_| anyhow::Error::msg(unreadable()))?)
    } else {
        wanted.to_owned()
    };
    let filter = EnvFilter::builder().parse(directives).with_context(unreadable)?;
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr);
    // Fails only when a log was started before, in tests.
    drop(match format {
        LogFormat::Json => builder.json().flatten_event(true).with_ansi(false).try_init(),
        LogFormat::Text => {
            builder.with_ansi(io::stderr().is_terminal() && !plain).with_target(false).try_init()
        }
    });
    Ok(())
}

fn ours(level: tracing::Level) -> String {
    let others = if level > tracing::Level::DEBUG { level } else { tracing::Level::WARN };
    format!("{others},dataminer_reconciler={level},dataminer_core={level},dms_simulator={level}")
}
