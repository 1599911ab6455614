//! Whether the demo may claim success: what the simulated Agents really hold, not what the process says of them.

use std::time::Duration;

use dataminer_schema::version::Version;
use dms_simulator::{ContentState, SimulationReport};

use crate::cli::{Terminal, Tone};

/// How long one change took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// From the commit to its plan.
    pub(super) planned: Duration,
    /// From the commit to convergence.
    pub(super) total: Duration,
}

/// One change, judged.
pub(super) struct Verdict {
    title: &'static str,
    wanted: String,
    times: Times,
    agents_right: usize,
    agents: usize,
    content_readable: usize,
    violations: Vec<String>,
}

impl Verdict {
    pub(super) fn judge(
        title: &'static str,
        core: &Version,
        web: Option<&Version>,
        times: Times,
        report: &SimulationReport,
    ) -> Self {
        let agents: Vec<_> = report.clusters.iter().flat_map(|cluster| &cluster.agents).collect();
        let right = |agent: &&&dms_simulator::AgentReport| {
            agent.core.line() == core.line()
                && agent.core.cu() == core.cu()
                && web.is_none_or(|web| agent.web.month_index() == web.month_index())
        };
        let readable =
            |agent: &&&dms_simulator::AgentReport| matches!(agent.content, ContentState::Readable { .. });
        let violations = report.clusters.iter().flat_map(|cluster| &cluster.violations);
        Self {
            title,
            wanted: match web {
                Some(web) => format!("{}, web apps {}", core.release_name(), web.release_name()),
                None => core.release_name(),
            },
            times,
            agents_right: agents.iter().filter(right).count(),
            agents: agents.len(),
            content_readable: agents.iter().filter(readable).count(),
            violations: violations
                .map(|violation| format!("{:?}: {}", violation.kind, violation.detail))
                .collect(),
        }
    }

    fn good(&self) -> bool {
        self.agents > 0
            && self.agents_right == self.agents
            && self.content_readable == self.agents
            && self.violations.is_empty()
    }
}

/// Prints the summary; true if everything is as it should be.
pub(super) fn show(
    verdicts: &[Verdict],
    saved: usize,
    total: Duration,
    terminal: &mut Terminal,
) -> anyhow::Result<bool> {
    let mut table = terminal.new_table(&[
        "Change",
        "Wanted",
        "Commit to plan",
        "Commit to converged",
        "Agents right",
        "Content intact",
    ]);
    for verdict in verdicts {
        let tone = if verdict.good() { Tone::Good } else { Tone::Bad };
        table.add_row([
            terminal.cell(verdict.title, Tone::Plain),
            terminal.cell(&verdict.wanted, Tone::Plain),
            terminal.cell(format!("{:.1} s", verdict.times.planned.as_secs_f64()), Tone::Plain),
            terminal.cell(format!("{:.1} s", verdict.times.total.as_secs_f64()), Tone::Plain),
            terminal.cell(format!("{} of {}", verdict.agents_right, verdict.agents), tone),
            terminal.cell(format!("{} of {}", verdict.content_readable, verdict.agents), tone),
        ]);
    }
    terminal.table(table)?;
    for violation in verdicts.iter().flat_map(|verdict| &verdict.violations) {
        terminal.line(format!("rule broken: {violation}"))?;
    }
    terminal.line(format!(
        "\n{saved} copies of dashboards and low-code apps lie in the vault; the demo took {:.0} s.",
        total.as_secs_f64()
    ))?;
    terminal.flush()?;
    Ok(!verdicts.is_empty() && verdicts.iter().all(Verdict::good))
}
