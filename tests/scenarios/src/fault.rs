//! What can go wrong with work in a story.

use dataminer_core::exec::effect::{EffectKind, Refusal};
use dataminer_schema::plan::Action;

/// The work that a fault waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct On {
    pub(crate) action: Action,
    /// Only where it brings this version.
    pub(crate) to: Option<String>,
}

impl On {
    /// Whether `effect` is that work.
    pub(crate) fn is(&self, effect: &EffectKind) -> bool {
        let (action, to) = work(effect);
        action == Some(self.action) && self.to.as_deref().is_none_or(|wanted| to == Some(wanted))
    }
}

/// The action that an effect carries out, and the version that it brings.
pub(crate) fn work(effect: &EffectKind) -> (Option<Action>, Option<&str>) {
    match effect {
        EffectKind::RunJob(job) => (Some(job.action), Some(&job.to)),
        EffectKind::StagePackage { .. } => (Some(Action::StagePackage), None),
        EffectKind::SaveBackup { .. } => (Some(Action::SaveBackup), None),
        EffectKind::CleanUp { .. } => (Some(Action::CleanUp), None),
        EffectKind::RestoreContent(_) => (Some(Action::RestoreContent), None),
        EffectKind::ReinstallModule(_) => (Some(Action::ReinstallModule), None),
        EffectKind::Observe
        | EffectKind::Owe { .. }
        | EffectKind::Acquit { .. }
        | EffectKind::VerifyContent { .. } => (None, None),
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A prerequisite of the package refuses it; nothing is changed.
    Prerequisite {
        name: String,
        agent: String,
    },
    /// The program ends with a code, having changed nothing.
    Code {
        code: i64,
        text: String,
    },
    /// It dies; these Agents were changed.
    Vanished {
        changed: Vec<String>,
    },
    /// It ends well, and these Agents do not come back.
    Stopped {
        agents: Vec<String>,
    },
    Refused(Refusal),
    /// The connection is lost before anything is known of it.
    Lost,
}

impl Fault {
    /// Reads a fault.
    ///
    /// # Errors
    /// Another text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let list = |text: &str| text.split(',').map(|name| name.trim().to_owned()).collect();
        if text == "vanished" {
            return Ok(Self::Vanished { changed: Vec::new() });
        }
        if let Some(changed) = text.strip_prefix("vanished after ") {
            return Ok(Self::Vanished { changed: list(changed) });
        }
        if let Some((name, agent)) =
            text.strip_prefix("prerequisite ").and_then(|rest| rest.split_once(" on "))
        {
            return Ok(Self::Prerequisite { name: name.to_owned(), agent: agent.to_owned() });
        }
        if let Some((code, text)) = text.strip_prefix("code ").and_then(|rest| rest.split_once(", ")) {
            let code = code.parse().map_err(|_| format!("`{code}` is no exit code"))?;
            return Ok(Self::Code { code, text: text.to_owned() });
        }
        if let Some(agents) = text.strip_suffix(" stays Stopped").or(text.strip_suffix(" stay Stopped")) {
            return Ok(Self::Stopped { agents: list(agents) });
        }
        match text {
            "no room for the package" => Ok(Self::Refused(Refusal::Copy)),
            "another job holds the lock" => Ok(Self::Refused(Refusal::Lock)),
            "a newer owner acts" => Ok(Self::Refused(Refusal::Generation)),
            "connection lost" => Ok(Self::Lost),
            _ => Err(format!(
                "`{text}` is no fault; there are: `prerequisite NAME on AGENT`, `code N, TEXT`, `vanished`, `vanished after \
                 AGENT, …`, `AGENT, … stays Stopped`, `no room for the package`, `another job holds the lock`, `a newer \
                 owner acts`, `connection lost`"
            )),
        }
    }
}
