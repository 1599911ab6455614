//! The ends of one job on several Agents as one end: the worst.

use dataminer_core::exec::effect::JobEnd;
use dataminer_schema::id::AgentName;

/// Lines of an Agent's log that go into the common one.
const LINES: usize = 20;

/// What became of the job on all `agents`; `ends` are in their order. What has not ended comes before what was
/// refused, that before a bad exit code, that before what vanished: each is a reason for another attempt on all.
pub(in crate::agent) fn together(agents: &[AgentName], ends: Vec<JobEnd>) -> JobEnd {
    let mut log = Vec::new();
    let mut worst: Option<JobEnd> = None;
    for (agent, end) in agents.iter().zip(ends) {
        if let JobEnd::Exited { log_tail, .. } | JobEnd::TimedOut { log_tail } = &end {
            let skipped = log_tail.len().saturating_sub(LINES);
            log.extend(log_tail[skipped..].iter().map(|line| format!("{agent}: {line}")));
        }
        if worst.as_ref().is_none_or(|worst| rank(&end) > rank(worst)) {
            worst = Some(end);
        }
    }
    match worst {
        Some(JobEnd::Exited { code, .. }) => JobEnd::Exited { code, log_tail: log },
        Some(JobEnd::TimedOut { .. }) => JobEnd::TimedOut { log_tail: log },
        Some(end @ (JobEnd::Vanished | JobEnd::Refused { .. })) => end,
        None => JobEnd::Exited { code: 0, log_tail: log },
    }
}

fn rank(end: &JobEnd) -> u8 {
    match end {
        JobEnd::Exited { code: 0, .. } => 0,
        JobEnd::Vanished => 1,
        JobEnd::Exited { .. } => 2,
        JobEnd::Refused { .. } => 3,
        JobEnd::TimedOut { .. } => 4,
    }
}

#[cfg(test)]
mod tests {
    use dataminer_core::exec::effect::Refusal;

    use super::*;

    #[test]
    fn the_worst_end_counts() {
        let agents = ["a", "b"].map(|name| AgentName::new(name).expect("a name"));
        let exited = |code| JobEnd::Exited { code, log_tail: vec!["line".to_owned()] };
        let refused = || JobEnd::Refused { reason: Refusal::Lock };
        let both = |a, b| together(&agents, vec![a, b]);
        assert_eq!(
            both(exited(0), exited(0)),
            JobEnd::Exited { code: 0, log_tail: vec!["a: line".to_owned(), "b: line".to_owned()] }
        );
        assert_eq!(both(exited(0), JobEnd::Vanished), JobEnd::Vanished);
        assert!(matches!(both(exited(41), JobEnd::Vanished), JobEnd::Exited { code: 41, .. }));
        assert_eq!(both(refused(), exited(41)), refused());
        assert!(matches!(
            both(refused(), JobEnd::TimedOut { log_tail: Vec::new() }),
            JobEnd::TimedOut { .. }
        ));
    }
}
