//! Follows one commit from the outside, by the status that everybody can read, and tells what changes.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::bail;
use dataminer_schema::{
    id::{CommitId, PlanId},
    plan::{Change, WaitingOn},
    status::{ClusterState, ClusterStatus, ConditionType, FleetStatus, StepState},
};

use super::verdict::Times;
use crate::{
    cli::{Terminal, Tone},
    http::{
        client,
        requests::{Kind, Recorded, Wanted},
    },
};

/// How often the status is read.
const PACE: Duration = Duration::from_millis(100);
/// How long an operator looks at a plan whose preparations were over too soon to be seen.
const REFLECTION: Duration = Duration::from_secs(3);

/// What was told already.
pub(super) struct Follower {
    server: String,
    repository: PathBuf,
    told_plan: Option<PlanId>,
    told_steps: Vec<(String, StepState)>,
    told_note: Option<String>,
    /// Since when an approval is asked for.
    asked: Option<Instant>,
    /// The plan that was approved, so that it is asked for once.
    approved: Option<PlanId>,
}

impl Follower {
    pub(super) fn new(server: String, repository: PathBuf) -> Self {
        Self {
            server,
            repository,
            told_plan: None,
            told_steps: Vec::new(),
            told_note: None,
            asked: None,
            approved: None,
        }
    }

    /// Tells what happens until the cluster is what `commit` wants.
    pub(super) async fn follow(
        &mut self,
        commit: &CommitId,
        patience: Duration,
        terminal: &mut Terminal,
    ) -> anyhow::Result<Times> {
        let begun = Instant::now();
        let mut planned = None;
        loop {
            if begun.elapsed() > patience {
                bail!(
                    "{} has not converged on {} within {} s",
                    "brussels",
                    self.repository.display(),
                    patience.as_secs()
                );
            }
            let fleet: FleetStatus = client::get(&self.server, "/api/v1/clusters").await?;
            if let Some(broken) = &fleet.source.broken {
                bail!("commit {} was set aside: {:?}", broken.commit, broken.diagnostics);
            }
            let current = fleet.clusters.iter().find(|cluster| cluster.commit.as_ref() == Some(commit));
            if let Some(cluster) = current {
                if planned.is_none()
                    && (cluster.change != Change::None || cluster.state == ClusterState::Ready)
                {
                    planned = Some(begun.elapsed());
                }
                self.tell(cluster, begun.elapsed(), terminal)?;
                self.approve(cluster, begun.elapsed(), terminal).await?;
                match cluster.state {
                    ClusterState::Ready => {
                        let total = begun.elapsed();
                        let message =
                            terminal.tint(format!("{}: {}", cluster.reason, cluster.message), Tone::Good);
                        line(total, &message, terminal)?;
                        return Ok(Times { planned: planned.unwrap_or(total), total });
                    }
                    ClusterState::Stalled => {
                        let help = cluster.help.as_deref().unwrap_or("no help is known");
                        bail!("brussels is stalled: {}: {} ({help})", cluster.reason, cluster.message);
                    }
                    ClusterState::Reconciling => {}
                }
            }
            tokio::time::sleep(PACE).await;
        }
    }

    /// Approves what waits for it, as an operator does: by the same request, once the preparations are done.
    async fn approve(
        &mut self,
        cluster: &ClusterStatus,
        at: Duration,
        terminal: &mut Terminal,
    ) -> anyhow::Result<()> {
        let asked = cluster.waiting.iter().find(|waiting| waiting.on == WaitingOn::Approval);
        let (Some(asked), Some(plan)) = (asked, &cluster.plan) else { return Ok(()) };
        let since = *self.asked.get_or_insert_with(Instant::now);
        let prepared = self.told_steps.iter().any(|(_, state)| *state == StepState::Done)
            || since.elapsed() > REFLECTION;
        if cluster.operation.is_some() || !prepared || self.approved.as_ref() == Some(plan) {
            return Ok(());
        }
        line(at, &terminal.tint(format!("waiting: {}", asked.message), Tone::Pending), terminal)?;
        let wanted = Wanted {
            kind: Kind::Approve,
            reason: Some("the dashboards of before are wanted back".to_owned()),
            by: Some("the demo's operator".to_owned()),
            backup: None,
            plan: Some(plan.to_string()),
        };
        let path = format!("/api/v1/clusters/{}/requests", cluster.name);
        let Recorded { request, id, .. } = client::post(&self.server, &path, &wanted).await?;
        line(
            at,
            &terminal.tint(format!("the operator says yes: {request} (request {id})"), Tone::Good),
            terminal,
        )?;
        self.approved = Some(plan.clone());
        Ok(())
    }

    fn tell(&mut self, cluster: &ClusterStatus, at: Duration, terminal: &mut Terminal) -> anyhow::Result<()> {
        if cluster.plan.is_some() && cluster.plan != self.told_plan && !cluster.steps.is_empty() {
            self.told_plan.clone_from(&cluster.plan);
            self.told_steps.clear();
            let id = cluster.plan.as_ref().map(|plan| plan.short().to_owned()).unwrap_or_default();
            line(at, &format!("plan {id}: {:?} in {} steps", cluster.change, cluster.steps.len()), terminal)?;
            let window =
                cluster.conditions.iter().find(|condition| condition.kind == ConditionType::WindowOpen);
            if let Some(window) = window {
                line(at, &format!("window: {}", window.message), terminal)?;
            }
            if let Some(loss) = &cluster.content_loss {
                let text = format!(
                    "lost: every change to dashboards and apps since {} (the backup {}, written by web apps {})",
                    loss.since.strftime("%Y-%m-%d %H:%M:%S UTC"),
                    loss.backup.file,
                    loss.content
                );
                line(at, &terminal.tint(text, Tone::Bad), terminal)?;
            }
            for step in &cluster.steps {
                terminal.line(format!(
                    "             {:>2}. {:?} {}",
                    step.id,
                    step.action,
                    step.to.as_deref().unwrap_or_default()
                ))?;
            }
        }
        for step in &cluster.steps {
            let now = (step.id.clone(), step.state);
            if step.state == StepState::Pending || self.told_steps.contains(&now) {
                continue;
            }
            let verb = if step.state == StepState::Done { "done " } else { "start" };
            let to = step.to.as_deref().unwrap_or_default();
            line(at, &format!("{verb} {:>2}. {:?} {to}", step.id, step.action), terminal)?;
            self.told_steps.push(now);
        }
        let note = cluster.operation.as_ref().and_then(|operation| operation.progress.note.clone());
        if note.is_some() && note != self.told_note {
            line(
                at,
                &terminal.tint(format!("        {}", note.as_deref().unwrap_or_default()), Tone::Faint),
                terminal,
            )?;
            self.told_note = note;
        }
        Ok(())
    }
}

fn line(at: Duration, text: &str, terminal: &mut Terminal) -> anyhow::Result<()> {
    terminal.line(format!("  {:>6.1} s  {text}", at.as_secs_f64()))?;
    terminal.flush()?;
    Ok(())
}
