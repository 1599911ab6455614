//! `catalog`: package files become catalogue entries, and are compared with them.

mod list;
mod scan;
mod verify;

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Exit, Terminal, Tone};
use crate::package::{Finding, Severity};

/// Make a catalogue of package files, compare it with them, and show what it offers
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Scan(scan::Args),
    Verify(verify::Args),
    List(list::Args),
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    match &args.verb {
        Verb::Scan(args) => scan::run(args, terminal),
        Verb::Verify(args) => verify::run(args, terminal),
        Verb::List(args) => list::run(args, terminal),
    }
}

/// Prints a finding as the house prints diagnostics.
fn explain(file: &str, finding: &Finding, terminal: &mut Terminal) {
    let Finding { code, severity, member, message } = finding;
    let tone = match severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Pending,
        Severity::Note => Tone::Faint,
    };
    let word = terminal.tint(format!("{}[{code}]", severity.as_str()), tone);
    let place = member.as_ref().map(|member| format!(", {member}")).unwrap_or_default();
    terminal.say(format!("{word}: {message}\n  --> {file}{place}\n   = help: {}", code.cure()));
}

/// Bytes as people read them; packages are told in MB by everybody who ships them.
fn bytes(count: u64) -> String {
    let tenths = |unit: u64| (count + unit / 20) / (unit / 10);
    let shown = |tenths: u64, unit: &str| format!("{}.{} {unit}", tenths / 10, tenths % 10);
    match count {
        0..1_000_000 => shown(tenths(1_000), "kB"),
        1_000_000..1_000_000_000 => shown(tenths(1_000_000), "MB"),
        _ => shown(tenths(1_000_000_000), "GB"),
    }
}

/// Bytes, rate and time left; shown on a terminal only.
fn progress(total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let template = "{wide_bar} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    if std::io::stderr().is_terminal() {
        bar.enable_steady_tick(Duration::from_millis(200));
    } else {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}

/// Writes a file whole or not at all.
fn write_file(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;

    use anyhow::Context;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(&folder)
        .with_context(|| format!("writing beside {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A catalogue is no secret: as any editor would make it, or as it was.
        let mode = path.metadata().map_or(0o644, |metadata| metadata.permissions().mode());
        file.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
    }
    file.persist(path).with_context(|| format!("writing {}", path.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_in_thousands() {
        assert_eq!(bytes(949), "0.9 kB");
        assert_eq!(bytes(1_250_000), "1.3 MB");
        assert_eq!(bytes(4_000_000_000), "4.0 GB");
    }
}
