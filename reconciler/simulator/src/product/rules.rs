//! Hops that the product does not refuse and does not survive (`domain/02`): recorded, never prevented.

use dataminer_schema::version::Version;

use super::agent::Agent;
use crate::{
    inspect::ViolationKind,
    model::{
        Rule,
        hop::{self, Circumstances},
    },
    order::major,
    spec::FailoverPolicy,
};

/// What is wrong with bringing this Agent to this version, as far as no check of the package refuses it.
pub(crate) fn hop(agent: &Agent, target: &Version) -> Vec<(ViolationKind, String)> {
    let state = agent.state();
    let from = &state.core;
    let known = Circumstances {
        broker_gateway: state.broker_gateway,
        expired_users: hangs(agent, target),
        default_upgrade_options: poisoned(agent, target),
        ports_verified: state.ports_verified.is_some(),
    };
    let mut found = Vec::new();
    hop::broken(from, target, known, &mut |rule| {
        if let Some(kind) = kind_of(rule) {
            let source = rule.source();
            found.push((kind, format!("{}: {from} to {target}: {rule:?} ({source})", agent.spec.name)));
        }
    });
    found
}

/// `None` for what a package's own checks refuse, and for what is no hop.
fn kind_of(rule: Rule) -> Option<ViolationKind> {
    match rule {
        Rule::SkippedMajor | Rule::StopAt100Cu19 => Some(ViolationKind::SkippedMajor),
        Rule::NoBrokerGateway
        | Rule::TooOldFor1027
        | Rule::Snmpv3CredentialsLost
        | Rule::ExpiredUsers
        | Rule::DefaultUpgradeOptions => Some(ViolationKind::BreakingHop),
        Rule::SeveralMajorsDown | Rule::BrokerGatewayLost => Some(ViolationKind::BreakingDowngrade),
        Rule::PortsNotVerified
        | Rule::CheckCrashesOn104
        | Rule::NatsCheckRefusesDowngrade
        | Rule::DotNetMissing
        | Rule::WindowsTooOld
        | Rule::AgentDown
        | Rule::WholeClusterOnly
        | Rule::WebNotSeparate
        | Rule::WebNeedsCore
        | Rule::StumblesOverWeb
        | Rule::PackageConsumed
        | Rule::PartialPackage
        | Rule::MigrationTooEarly
        | Rule::NoWayBackToNats => None,
        // Told by a whole journey, by what the owner wants, or by how things stand at the end.
        Rule::StopNotLatest
        | Rule::StopAt101
        | Rule::OlderFixes
        | Rule::Downgrade
        | Rule::PatchedUnasked
        | Rule::OlderThan96
        | Rule::MixedCore
        | Rule::MixedWeb
        | Rule::MigrationNotChecked
        | Rule::MixedNats
        | Rule::BackupGone
        | Rule::ContentTooNew
        | Rule::ContentDiffers
        | Rule::ModuleTooNew
        | Rule::GqiDamaged
        | Rule::NoSuchModule => None,
    }
}

fn file_holds(agent: &Agent, file: &str, text: &str) -> bool {
    let bytes = agent.machine.disk.read(&super::layout::dataminer(file), 1 << 20).unwrap_or_default();
    String::from_utf8_lossy(&bytes).contains(text)
}

/// H11: 10.5.1 and 10.5.2 CU0 never finish with expired users.
pub(crate) fn hangs(agent: &Agent, target: &Version) -> bool {
    hop::hangs_on_expired_users(target) && file_holds(agent, "Security.xml", "expired=\"true\"")
}

/// `domain/04 section 7`: saved default options stop SLNet from starting.
pub(crate) fn poisoned(agent: &Agent, target: &Version) -> bool {
    hop::chokes_on_default_options(target)
        && file_holds(agent, "MaintenanceSettings.xml", "<DefaultUpgradeOptions")
}

/// One member after the other is unsafe across majors, and wherever BrokerGateway runs (`domain/04 section 2`).
pub(crate) fn unsafe_policy(agent: &Agent, target: &Version, policy: FailoverPolicy) -> bool {
    let state = agent.state();
    agent.spec.failover.is_some()
        && policy != FailoverPolicy::Simultaneously
        && (major(&state.core) != major(target) || state.broker_gateway)
}
