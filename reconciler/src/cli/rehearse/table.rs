//! Rehearsals for people: the verdict first, then what happened, then what it rests on.

use dataminer_schema::id::AgentName;

use crate::{
    cli::{Terminal, Tone, plan_table},
    rehearsal::{Played, Rehearsals, Report, StepEnd, Subject, Transcript, Verdict, about, kept, why},
    review::{self, work},
};

/// Prints all of them. `subjects` are what they are of, in the same order.
///
/// # Errors
/// Those of the stream.
pub(super) fn print(
    rehearsals: &Rehearsals,
    subjects: &[Subject],
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    for (at, (report, subject)) in rehearsals.rehearsals.iter().zip(subjects).enumerate() {
        if at > 0 {
            terminal.line("")?;
        }
        one(report, subject, terminal)?;
    }
    if let Some(unchanged) = rehearsals.unchanged {
        terminal.line(format!("{} unchanged", work::plural(unchanged, "cluster")))?;
    }
    Ok(())
}

fn one(report: &Report, subject: &Subject, terminal: &mut Terminal) -> anyhow::Result<()> {
    let Report { cluster: _, verdict, given, assumptions, played, plan } = report;
    plan_table::headline(plan, terminal)?;
    match verdict {
        Verdict::Converges if played.is_none() => {
            terminal.line(format!("  {}: there is nothing to do", terminal.tint("converges", Tone::Good)))?;
        }
        Verdict::Converges => {
            let word = terminal.tint("converges", Tone::Good);
            terminal.line(format!("  {word}: every Agent of the copy ends at what is wanted"))?;
        }
        Verdict::WouldNotConverge { reason, message, help } => {
            let word = terminal.tint(format!("would not converge: {reason}"), Tone::Bad);
            terminal.line(format!("  {word}: {}", printable(message)))?;
            if let Some(help) = help {
                terminal.line(format!("    help: {}", printable(help)))?;
            }
        }
    }
    if let Some(played) = played {
        transcript(played, report, terminal)?;
    }
    if !plan.steps.is_empty() {
        terminal.line(format!("  expected: {}", review::when(plan, &subject.zone())))?;
    }
    for block in &plan.blocked {
        let code = terminal.tint(format!("blocked: {:?}", block.code), Tone::Bad);
        terminal.line(format!("  {code}: {}", printable(&block.message)))?;
    }
    for warning in &plan.warnings {
        let reference = warning.reference.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
        let code = terminal.tint(format!("warning: {}", warning.code), Tone::Pending);
        terminal.line(format!("  {code}: {}{}", printable(&warning.message), printable(&reference)))?;
    }
    for text in given {
        terminal.line(format!("  given: {text}"))?;
    }
    for assumption in assumptions {
        let of = match assumption.agents.as_slice() {
            [] => String::new(),
            agents => format!(" ({})", on(agents, report)),
        };
        terminal.line(format!("  assumed: {}{of}", printable(&assumption.text)))?;
    }
    Ok(())
}

fn transcript(played: &Played, report: &Report, terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut table =
        terminal.new_table(&["", "#", "ACTION", "TO", "AGENTS", "ENDED", "SIMULATED", "FORECAST"]);
    for Transcript { step, action, to, agents, end, message: _, simulated, estimate } in &played.steps {
        let (end, tone) = match end {
            StepEnd::Done => ("done", Tone::Good),
            StepEnd::Failed => ("failed", Tone::Bad),
            StepEnd::Unfinished => ("not finished", Tone::Pending),
        };
        let forecast = estimate.map(|estimate| review::zone::range((estimate.p50, estimate.p95)));
        table.add_row([
            terminal.cell(" ", Tone::Plain),
            terminal.cell(step, Tone::Plain),
            terminal.cell(format!("{action:?}"), Tone::Strong),
            terminal.cell(to.as_deref().map_or_else(|| "-".to_owned(), printable), Tone::Plain),
            terminal.cell(on(agents, report), Tone::Plain),
            terminal.cell(end, tone),
            terminal.cell(simulated.map_or_else(|| "-".to_owned(), about), Tone::Plain),
            terminal.cell(forecast.as_deref().unwrap_or("-"), Tone::Plain),
        ]);
    }
    if !played.steps.is_empty() {
        terminal.table(table)?;
    }
    for message in played.steps.iter().filter_map(|step| step.message.as_ref()) {
        terminal.line(format!("  {}", printable(message)))?;
    }
    terminal.line(format!("  dashboards and app versions: {}", kept(played, false)))?;
    for (what, paths) in [
        ("lost", &played.content.lost),
        ("cannot be opened any more", &played.content.unreadable),
        ("damaged", &played.content.damaged),
        ("module that does not fit", &played.modules),
        ("rule of the product broken", &played.violations),
    ] {
        for path in paths {
            let why = if what == "lost" { why(played, path) } else { "" };
            terminal.line(format!("    {}: {}{why}", terminal.tint(what, Tone::Bad), printable(path)))?;
        }
    }
    if played.violations.is_empty() {
        terminal.line("  rules of the product broken: none")?;
    }
    if let Some(differs) = &played.differs {
        terminal.line(format!("  {}: {}", terminal.tint("mind", Tone::Pending), printable(differs)))?;
    }
    Ok(())
}

fn on(agents: &[AgentName], report: &Report) -> String {
    work::agents(agents, &report.plan, str::to_owned)
}

/// What Agents and packages say writes nothing on the terminal by itself.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
