//! `tasklist /fo csv /nh`: which programs run.

use std::collections::BTreeSet;

use dataminer_schema::v1::observation::AgentState;

/// The image names that run, lowercase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Processes(BTreeSet<String>);

impl Processes {
    /// Reads the first CSV column of each line; the columns after it are localised.
    /// `None` when no line is of that form, as when tasklist failed.
    pub fn parse(lines: &[String]) -> Option<Self> {
        let names: BTreeSet<String> = lines
            .iter()
            .filter_map(|line| {
                let (name, rest) = line.strip_prefix('"')?.split_once('"')?;
                (rest.starts_with(",\"") && !name.is_empty()).then(|| name.to_ascii_lowercase())
            })
            .collect();
        (!names.is_empty()).then_some(Self(names))
    }

    /// Whether an image of this name runs.
    pub fn runs(&self, image: &str) -> bool {
        self.0.contains(&image.to_ascii_lowercase())
    }

    /// Whether elements run, as they do on the online member of a Failover pair only (our inference, `domain/04
    /// section 3` names no process for it).
    pub fn elements_run(&self) -> bool {
        self.agent_state() == AgentState::Running
            && (self.runs("SLElement.exe") || self.runs("SLProtocol.exe"))
    }

    /// The Agent's state: running only with both SLDataMiner.exe and SLNet.exe (`domain/04 section 3`).
    pub fn agent_state(&self) -> AgentState {
        match (self.runs("SLDataMiner.exe"), self.runs("SLNet.exe")) {
            (true, true) => AgentState::Running,
            (false, false) => AgentState::Stopped,
            // The watchdog starts one after the other.
            _ => AgentState::Starting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Processes> {
        Processes::parse(&text.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn states_follow_from_both_processes() {
        let both = "\"System\",\"4\",\"Services\",\"0\",\"144 K\"\n\"SLNet.exe\",\"88\",\"Services\",\"0\",\"1.044 K\"\n\"sldataminer.EXE\",\"9\",\"Services\",\"0\",\"1 K\"";
        assert_eq!(parse(both).expect("processes").agent_state(), AgentState::Running);
        let one =
            "\"System\",\"4\",\"Services\",\"0\",\"144 K\"\n\"SLNet.exe\",\"88\",\"Dienste\",\"0\",\"1 K\"";
        assert_eq!(parse(one).expect("processes").agent_state(), AgentState::Starting);
        assert_eq!(
            parse("\"System\",\"4\",\"\",\"0\",\"\"").expect("processes").agent_state(),
            AgentState::Stopped
        );
    }

    #[test]
    fn what_tasklist_did_not_print_is_unknown() {
        for text in [
            "",
            "INFO: No tasks are running which match the specified criteria.",
            "SLNet.exe",
            "\"half",
            "\"\",\"4\"",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
