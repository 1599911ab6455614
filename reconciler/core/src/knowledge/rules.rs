//! The parameters of the planner's rules, all of them there.

use dataminer_schema::v1::knowledge::{
    BrokerRule, ClusterPortsRule, DescentRule, DotNetRule, ExitRule, HopRule, ModulesRule, OldestRule,
    ReleasesRule, RuleSet, SkipRule, StorageRule, SwarmingRule, UtilityRule, WebFaultsRule, WebGatesRule,
    WebPackagesRule,
};

macro_rules! rules {
    ($($(#[$doc:meta])+ $name:ident: $type:ty,)+) => {
        /// The parameters of the planner's rules, by the ids that plans cite.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Rules {
            $($(#[$doc])+ pub $name: $type,)+
        }

        impl Rules {
            /// All of them; `None` where one is missing.
            pub(super) fn complete(set: RuleSet) -> Option<Self> {
                let RuleSet { $($name),+ } = set;
                Some(Self { $($name: $name?),+ })
            }

            /// These, but where `set` has its own.
            pub(super) fn overlaid(&self, set: &RuleSet) -> Self {
                let RuleSet { $($name),+ } = set;
                Self { $($name: $name.clone().unwrap_or_else(|| self.$name.clone())),+ }
            }
        }

        /// Fills `into` with what `from` has.
        pub(super) fn merge(into: &mut RuleSet, from: &RuleSet) {
            let RuleSet { $($name),+ } = from;
            $(if $name.is_some() { into.$name.clone_from($name); })+
        }
    };
}

impl Rules {
    /// The known issues that a rule decides upon: nothing else has to.
    pub fn issues(&self) -> impl Iterator<Item = &str> {
        let hops = [&self.h8, &self.h9, &self.h10].map(|rule| rule.issue.as_deref());
        let releases = [&self.h11, &self.h12, &self.h13].map(|rule| rule.issue.as_deref());
        let others = [self.w8.library.issue.as_deref(), self.g2.issue.as_deref()];
        hops.into_iter().chain(releases).chain(others).flatten()
    }
}

rules! {
    /// The oldest release that any way leads from or to.
    oldest: OldestRule,
    /// The BrokerGateway migration (`domain/02 H4`).
    h4: BrokerRule,
    /// The line that is skipped (`domain/02 H5`).
    h5: SkipRule,
    /// The one release by which old systems leave (`domain/02 H6`).
    h6: ExitRule,
    /// VerifyClusterPorts before the hop (`domain/02 H7`).
    h7: ClusterPortsRule,
    /// VerifyNatsIsRunning (`domain/02 H8`).
    h8: HopRule,
    /// Crashing prerequisites (`domain/02 H9`).
    h9: HopRule,
    /// SNMPv3 credentials (`domain/02 H10`).
    h10: HopRule,
    /// Expired users (`domain/02 H11`).
    h11: ReleasesRule,
    /// Antivirus programs (`domain/02 H12`).
    h12: ReleasesRule,
    /// Saved upgrade options (`domain/06 KI_Default_upgrade_options_SLNet_issue`).
    h13: ReleasesRule,
    /// Separate web packages (`domain/03 section 2`).
    w1: WebPackagesRule,
    /// The core that web packages need (`domain/03 section 2`).
    w2: WebGatesRule,
    /// What web packages break (`domain/03 sections 1 and 2`).
    w8: WebFaultsRule,
    /// The .NET hosting bundle (`domain/02 section 4`).
    s5: DotNetRule,
    /// The Taskbar Utility (`domain/05 section 1`).
    s10: UtilityRule,
    /// A prerequisite that refuses the way down (`domain/02 section 3`).
    g2: DescentRule,
    /// Modules that are exchanged on the way down (`domain/02 section 3`).
    g3: StorageRule,
    /// Modules that come with web apps (`domain/03 section 3`).
    g5: ModulesRule,
    /// Swarming (`domain/02 section 3`).
    g7: SwarmingRule,
}
