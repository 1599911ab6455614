//! Whether a system has what a known issue or a side effect needs besides its release.

use dataminer_schema::v1::{
    knowledge::{Condition, WindowsBuilds},
    observation::{AgentObservation, Storage},
};

use super::{
    PlanInput,
    survey::{Broker, Survey},
};
use crate::{knowledge::Rules, release::Release};

/// What manifest and observation tell of the system.
#[derive(Debug)]
pub(super) struct Conditions<'a> {
    rules: &'a Rules,
    /// One for each declared member; absent where it was not reached.
    members: Vec<Option<&'a AgentObservation>>,
    /// Agents as the DMS counts them: a Failover pair is one.
    agents: usize,
    pairs: bool,
    broker: Broker,
}

/// A no decides, whatever else is unknown.
pub(super) fn all(answers: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    any(answers.into_iter().map(|answer| answer.map(|yes| !yes))).map(|no| !no)
}

/// Whether both hold.
pub(super) fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    all([one, other])
}

/// A yes decides, whatever else is unknown.
pub(super) fn any(answers: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut answer = Some(false);
    for one in answers {
        match one {
            Some(true) => return Some(true),
            Some(false) => {}
            None => answer = None,
        }
    }
    answer
}

impl<'a> Conditions<'a> {
    pub(super) fn of(input: &PlanInput<'a>, survey: &Survey<'a>) -> Self {
        Self {
            rules: survey.rules,
            members: survey.members.iter().map(|seen| seen.reached()).collect(),
            agents: input.desired.cluster.agents.len(),
            pairs: survey.has_pairs(),
            broker: survey.broker(),
        }
    }

    /// Whether all of them hold on `core`; `None` where that was not seen. Conditions that nothing can show are unknown
    /// for good.
    pub(super) fn hold(
        &self,
        conditions: &[Condition],
        windows: &[WindowsBuilds],
        core: &Release,
    ) -> Option<bool> {
        all(conditions.iter().map(|condition| self.holds(*condition, windows, core)))
    }

    fn holds(&self, condition: Condition, windows: &[WindowsBuilds], core: &Release) -> Option<bool> {
        match condition {
            Condition::FailoverPair => Some(self.pairs),
            Condition::HostnameFailover => (!self.pairs).then_some(false),
            Condition::BrokerGateway => self.broker_on(core),
            Condition::SeveralAgents => Some(self.agents > 1),
            Condition::TwoNodes => Some(self.members.len() == 2),
            Condition::ExpiredUsers => self.seen(|agent| agent.expired_users),
            Condition::DefaultUpgradeOptions => self.seen(|agent| agent.default_upgrade_options),
            Condition::CassandraCluster => self.stores(&[Storage::CassandraCluster]),
            Condition::Cassandra => self.stores(&[Storage::Cassandra, Storage::CassandraCluster]),
            Condition::Elasticsearch => self.stores(&[Storage::Elasticsearch]),
            Condition::OpenSearch => self.stores(&[Storage::OpenSearch]),
            // How many there are was not asked; none is not several.
            Condition::SeveralElasticsearch => self.stores(&[Storage::Elasticsearch]).filter(|has| !has),
            Condition::SeveralDataCentres => self.stores(&[Storage::CassandraCluster]).filter(|has| !has),
            Condition::SelfManagedStorage => self.seen(|agent| {
                agent.storage.as_ref().map(|storage| storage.iter().any(|one| *one != Storage::Service))
            }),
            Condition::NonEnglishLocale => self.seen(|agent| agent.locale.as_deref().and_then(is_foreign)),
            Condition::WindowsVersion => self.seen(|agent| {
                let build = windows_build(agent.os.as_deref()?)?;
                Some(windows.iter().any(|builds| (builds.from..=builds.to).contains(&build)))
            }),
            // Packages that are not full ones are no part of any plan.
            Condition::UpdatePackage => Some(false),
            Condition::WindowsUpgradedInPlace
            | Condition::ComputerName
            | Condition::NetworkSettings
            | Condition::Domain
            | Condition::ExternalAuthentication
            | Condition::Saml
            | Condition::Epm
            | Condition::Srm
            | Condition::Idp
            | Condition::CubeClient
            | Condition::Browser => None,
        }
    }

    /// BrokerGateway on this core, whether it runs already or comes with it (`domain/02 section 2`).
    fn broker_on(&self, core: &Release) -> Option<bool> {
        match (core.at_least(&self.rules.h4.only), core.at_least(&self.rules.h4.possible)) {
            (Some(true), _) => Some(true),
            (_, Some(false)) => Some(false),
            _ => match self.broker {
                Broker::Active => Some(true),
                Broker::Inactive => Some(false),
                Broker::Unknown | Broker::Differs => None,
            },
        }
    }

    fn stores(&self, wanted: &[Storage]) -> Option<bool> {
        self.seen(|agent| {
            agent.storage.as_ref().map(|storage| storage.iter().any(|one| wanted.contains(one)))
        })
    }

    /// Whether one member shows it.
    fn seen(&self, shows: impl Fn(&AgentObservation) -> Option<bool>) -> Option<bool> {
        any(self.members.iter().map(|member| member.and_then(&shows)))
    }

    /// Whether one member has a module installed, by the name that Windows lists.
    pub(super) fn has_module(&self, name: &str) -> Option<bool> {
        self.seen(|agent| {
            agent.modules.as_ref().map(|modules| modules.iter().any(|module| module.name.starts_with(name)))
        })
    }
}

/// Whether a language tag is another than English; `None` where it is none.
fn is_foreign(tag: &str) -> Option<bool> {
    let language = tag.split(['-', '_']).next().filter(|language| (2..=3).contains(&language.len()))?;
    Some(!language.eq_ignore_ascii_case("en"))
}

/// Windows Servers by the names that people write, with the build of each.
const SERVERS: [(&str, u32); 6] = [
    ("Server 2012 R2", 9600),
    ("Server 2012", 9200),
    ("Server 2016", 14393),
    ("Server 2019", 17763),
    ("Server 2022", 20348),
    ("Server 2025", 26100),
];

/// The build of Windows, from what a probe wrote (`Windows build 20348`), the usual `10.0.20348`, or the name of a server.
pub(super) fn windows_build(os: &str) -> Option<u32> {
    numbered_build(os).or_else(|| SERVERS.iter().find(|(name, _)| os.contains(name)).map(|(_, build)| *build))
}

fn numbered_build(os: &str) -> Option<u32> {
    let after = |before: &str| os.split_once(before).map(|(_, rest)| rest);
    let rest = after("build ").or_else(|| after("10.0.")).or_else(|| after("6.3."))?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_of_windows_is_read_as_probes_and_people_write_it() {
        for (os, expected) in [
            ("Windows build 20348", Some(20348)),
            ("10.0.17763", Some(17763)),
            ("10.0.20348.2340", Some(20348)),
            ("Windows Server 2012 R2 (6.3.9600)", Some(9600)),
            ("Microsoft Windows Server 2019 Standard", Some(17763)),
            ("Windows Server 2012 R2", Some(9600)),
            ("Windows", None),
            ("", None),
        ] {
            assert_eq!(windows_build(os), expected, "{os}");
        }
    }

    #[test]
    fn a_language_is_foreign_or_not_or_unknown() {
        assert_eq!(is_foreign("en-US"), Some(false));
        assert_eq!(is_foreign("de-DE"), Some(true));
        assert_eq!(is_foreign("0407"), None);
    }
}
