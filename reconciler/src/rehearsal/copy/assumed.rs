//! What a copy assumes because nobody saw it.

use dataminer_schema::id::AgentName;

/// Assumptions in the order in which they were made, each once, with the Agents that it is about.
#[derive(Clone, Debug, Default)]
pub(in crate::rehearsal) struct Assumptions(pub(in crate::rehearsal) Vec<(String, Vec<AgentName>)>);

impl Assumptions {
    /// Notes one, of an Agent or of the cluster as a whole.
    pub(in crate::rehearsal) fn note(&mut self, text: impl Into<String>, agent: Option<&AgentName>) {
        let text = text.into();
        let place = match self.0.iter_mut().find(|(known, _)| *known == text) {
            Some((_, agents)) => agents,
            None => {
                self.0.push((text, Vec::new()));
                match self.0.last_mut() {
                    Some((_, agents)) => agents,
                    None => return,
                }
            }
        };
        if let Some(agent) = agent.filter(|agent| !place.contains(agent)) {
            place.push(agent.clone());
        }
    }
}
