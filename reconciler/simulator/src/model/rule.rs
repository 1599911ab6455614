//! The documented rules by name, and what it looks like when one is broken.

use std::fmt;

/// A rule of DataMiner, or of changing it safely, that an act of an operator can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A major lies between and is not stopped at.
    SkippedMajor,
    /// A stop on the way up is not the latest CU of its Main Release that what comes next is not older than.
    StopNotLatest,
    /// 10.1 is stopped at on the way from below 10.1 to above it.
    StopAt101,
    /// 9.6 and early 10.0.0 go on from 10.0.0 CU19 and from no other.
    StopAt100Cu19,
    /// 10.6 is entered without BrokerGateway.
    NoBrokerGateway,
    /// 10.2 is entered from 10.0 without a fresh result of VerifyClusterPorts.
    PortsNotVerified,
    /// 10.2.7 is entered from too old a version.
    TooOldFor1027,
    /// An early 10.4 meets a check that cannot run there.
    CheckCrashesOn104,
    /// A late 10.4.0 loses its SNMPv3 credentials.
    Snmpv3CredentialsLost,
    /// Expired users keep 10.5.1 and 10.5.2 from starting.
    ExpiredUsers,
    /// Saved default options keep SLNet from starting.
    DefaultUpgradeOptions,
    /// The target has fewer fixes, and nobody accepted that.
    OlderFixes,
    /// The target is lower, and nobody accepted that.
    Downgrade,
    /// Several majors down with one package.
    SeveralMajorsDown,
    /// Software without BrokerGateway comes under one that is managed by it.
    BrokerGatewayLost,
    /// A check of the older package looks for what is no longer there.
    NatsCheckRefusesDowngrade,
    /// A check was taken out of a package that nobody allowed it for.
    PatchedUnasked,
    /// Nothing older than 9.6 is a source or a target.
    OlderThan96,
    /// Agents of one cluster run different core versions.
    MixedCore,
    /// Agents of one cluster have different web levels.
    MixedWeb,
    /// The package was run before, or is not there.
    PackageConsumed,
    /// A partial package: its checks have nothing to run them.
    PartialPackage,
    /// There are no separate web packages for so old a core.
    WebNotSeparate,
    /// The web apps need a newer core.
    WebNeedsCore,
    /// A full package stumbles over web apps that were upgraded apart.
    StumblesOverWeb,
    /// A hosting bundle or the .NET Framework is missing.
    DotNetMissing,
    /// Windows is too old.
    WindowsTooOld,
    /// An Agent is down or not reached.
    AgentDown,
    /// The tool takes the whole cluster or nothing.
    WholeClusterOnly,
    /// The migration does not exist for this version.
    MigrationTooEarly,
    /// The migration was started without its check.
    MigrationNotChecked,
    /// There is no way back to the legacy NATS.
    NoWayBackToNats,
    /// Some Agents run BrokerGateway, others the legacy NATS.
    MixedNats,
    /// The backup is in no vault and on no Agent (any more).
    BackupGone,
    /// Dashboards and apps were written by newer web apps than those that shall read them.
    ContentTooNew,
    /// Agents hold different dashboards and apps.
    ContentDiffers,
    /// A module is newer than the software beside it.
    ModuleTooNew,
    /// The GQI DxM lacks a library.
    GqiDamaged,
    /// There is no installer of this module here.
    NoSuchModule,
}

impl Rule {
    /// Where the domain facts tell it.
    pub const fn source(self) -> &'static str {
        match self {
            Self::SkippedMajor => "domain/02 H2, H5, H6, H14",
            Self::StopNotLatest => "domain/02 H2",
            Self::StopAt101 => "domain/02 H5",
            Self::StopAt100Cu19 => "domain/02 H6",
            Self::NoBrokerGateway => "domain/02 H4",
            Self::PortsNotVerified => "domain/02 H7",
            Self::TooOldFor1027 => "domain/02 H8",
            Self::CheckCrashesOn104 => "domain/02 H9",
            Self::Snmpv3CredentialsLost => "domain/02 H10",
            Self::ExpiredUsers => "domain/02 H11",
            Self::DefaultUpgradeOptions => "domain/04 section 7",
            Self::OlderFixes => "domain/01 section 4",
            Self::Downgrade => "domain/08 section 4, D1",
            Self::PatchedUnasked => "domain/08 section 4, D4",
            Self::SeveralMajorsDown | Self::NatsCheckRefusesDowngrade | Self::OlderThan96 => {
                "domain/02 section 3"
            }
            Self::BrokerGatewayLost
            | Self::MigrationTooEarly
            | Self::MigrationNotChecked
            | Self::NoWayBackToNats
            | Self::MixedNats => "domain/02 section 2",
            Self::MixedCore | Self::AgentDown | Self::WholeClusterOnly => "domain/04 section 1",
            Self::MixedWeb => "domain/03 section 1",
            Self::PackageConsumed | Self::PartialPackage => "domain/02 section 1, package kind",
            Self::WebNotSeparate | Self::StumblesOverWeb => "domain/03 section 1",
            Self::WebNeedsCore => "domain/03 section 2",
            Self::DotNetMissing => "domain/prerequisites.yaml, VerifyDotNetVersion",
            Self::WindowsTooOld => "domain/prerequisites.yaml, VerifyOSVersion",
            Self::BackupGone | Self::ContentTooNew | Self::ContentDiffers => "domain/03 section 4",
            Self::ModuleTooNew => "domain/03 section 5, domain/02 section 3",
            Self::GqiDamaged => "domain/03 section 2, known faults",
            Self::NoSuchModule => "domain/03 section 3",
        }
    }
}

/// A broken rule, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What was broken.
    pub rule: Rule,
    /// Of what.
    pub detail: String,
}

impl Violation {
    pub(crate) fn new(rule: Rule, detail: impl Into<String>) -> Self {
        Self { rule, detail: detail.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, detail } = self;
        write!(f, "{rule:?} ({}): {detail}", rule.source())
    }
}

impl std::error::Error for Violation {}
