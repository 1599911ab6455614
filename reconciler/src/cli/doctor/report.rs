//! How findings are shown.

use serde::Serialize;

use super::super::{Terminal, Tone};
use crate::doctor::{Finding, Severity, Tally};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    format_version: &'static str,
    tally: Tally,
    findings: &'a [Finding],
}

/// Shows findings: those that ask for something, or all.
pub(super) fn show(
    findings: &[Finding],
    all: bool,
    json: bool,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let tally = Tally::of(findings);
    if json {
        return terminal.json(&Report { format_version: "1.0", tally, findings });
    }
    let mut last = None;
    for finding in findings.iter().filter(|finding| all || finding.severity != Severity::Good) {
        let of = about(finding);
        if last.as_ref() != Some(&of) {
            if last.is_some() {
                terminal.line("")?;
            }
            terminal.line(terminal.tint(&of, Tone::Strong))?;
            last = Some(of);
        }
        let (word, tone) = match finding.severity {
            Severity::Error => ("error", Tone::Bad),
            Severity::Warning => ("warning", Tone::Pending),
            Severity::Unknown => ("unknown", Tone::Pending),
            Severity::Good => ("good", Tone::Good),
        };
        let word = terminal.tint(format!("{word:<7}"), tone);
        terminal.line(format!("  {word}  {:?}: {}", finding.check, finding.message))?;
        if let Some(cure) = &finding.cure {
            terminal.line(format!("           cure: {cure}"))?;
        }
    }
    if last.is_some() {
        terminal.line("")?;
    }
    let Tally { errors, warnings, unknown, good } = tally;
    let words = format!("{errors} errors, {warnings} warnings, {unknown} not known, {good} good");
    let tone = if errors > 0 { Tone::Bad } else { Tone::Good };
    terminal.line(terminal.tint(words, tone))?;
    Ok(())
}

fn about(finding: &Finding) -> String {
    match (&finding.cluster, &finding.agent) {
        (None, _) => "this installation".to_owned(),
        (Some(cluster), None) => cluster.to_string(),
        (Some(cluster), Some(agent)) => format!("{cluster} {agent}"),
    }
}
