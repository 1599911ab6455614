//! How long steps take: what this cluster took before; documented or assumed durations until it has a history.

use std::collections::BTreeMap;

use dataminer_schema::plan::{Action, Estimate};
use jiff::SignedDuration;

use super::PlanInput;

/// From so many samples on, the median of what was measured replaces the default: the true median lies outside of all
/// of n samples with a probability of 2 / 2^n, which is one in sixteen for five (and one in four for three).
pub const ENOUGH_FOR_P50: usize = 5;

/// From so many samples on, they tell the p95 alone: the next value is above the largest of n samples with a
/// probability of 1 / (n + 1), which is one in twenty for nineteen. Below that the spread of the default counts too.
pub const ENOUGH_FOR_P95: usize = 19;

/// What the steps of a cluster took before, by action. Without any: [`Durations::default`].
///
/// Only steps that succeeded and did what they are for may count. A failed step says little of how long the next
/// one takes: it ended early, or at a time limit that somebody set. Packages of all sizes count together; full
/// packages are of one order of magnitude, and the p95 is that of the large ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations(BTreeMap<Action, Measured>);

/// What one action took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Half of all took less.
    pub p50: SignedDuration,
    /// Nineteen of twenty took less; with fewer than [`ENOUGH_FOR_P95`] samples the largest of them.
    pub p95: SignedDuration,
    /// How many were measured.
    pub samples: usize,
}

impl Durations {
    /// Sums up `samples`, in any order. A negative one (a clock that was set back) is none.
    pub fn of(samples: impl IntoIterator<Item = (Action, SignedDuration)>) -> Self {
        let mut by_action: BTreeMap<Action, Vec<SignedDuration>> = BTreeMap::new();
        for (action, took) in samples {
            if !took.is_negative() {
                by_action.entry(action).or_default().push(took);
            }
        }
        Self(
            by_action
                .into_iter()
                .filter_map(|(action, mut took)| {
                    took.sort_unstable();
                    Some((action, Measured::of(&took)?))
                })
                .collect(),
        )
    }

    /// What `action` took, however few samples there are.
    pub fn of_action(&self, action: Action) -> Option<&Measured> {
        self.0.get(&action)
    }

    /// What `action` took, if there are enough samples to go by.
    fn known(&self, action: Action) -> Option<&Measured> {
        self.of_action(action).filter(|measured| measured.samples >= ENOUGH_FOR_P50)
    }
}

impl Measured {
    fn of(ascending: &[SignedDuration]) -> Option<Self> {
        let samples = ascending.len();
        // The rank that a further value exceeds in one of twenty cases, whatever the distribution.
        let rank = (19 * (samples + 1)).div_ceil(20).clamp(1, samples.max(1));
        Some(Self { p50: *ascending.get(samples / 2)?, p95: *ascending.get(rank - 1)?, samples })
    }
}

/// Whether the estimate of `action` rests on what this cluster took before.
pub(super) fn is_measured(input: &PlanInput<'_>, action: Action) -> bool {
    input.state.durations.known(action).is_some()
}

/// How long a step of this kind takes.
pub(super) fn estimate(input: &PlanInput<'_>, action: Action) -> Estimate {
    let default = default(input, action);
    let Some(measured) = input.state.durations.known(action) else { return default };
    let mut p50 = whole_seconds(measured.p50);
    if action == Action::VerifyCluster {
        // What was measured may be from before the manifest asked for a longer settle.
        p50 = p50.max(input.desired.cluster.health.settle);
    }
    let p95 = whole_seconds(measured.p95);
    let p95 = if measured.samples < ENOUGH_FOR_P95 { p95.max(spread(p50, default)) } else { p95 };
    Estimate { p50, p95: p95.max(p50) }
}

/// The p95 that lies as far above `p50` as that of the default above its own.
fn spread(p50: SignedDuration, default: Estimate) -> SignedDuration {
    let (low, high) = (default.p50.as_secs().max(1), default.p95.as_secs().max(1));
    SignedDuration::from_secs(p50.as_secs().saturating_mul(high) / low)
}

fn whole_seconds(took: SignedDuration) -> SignedDuration {
    let up = i64::from(took.subsec_nanos() > 0);
    SignedDuration::from_secs(took.as_secs().saturating_add(up))
}

/// What is documented (`domain/08` section 1: an upload takes 30 min to 2 h, VerifyClusterPorts about 5 min,
/// installers of modules 15 to 30 min, an upgrade "several minutes" and more), and what is assumed where nothing is.
/// The size of a package does not count: what is documented of uploads is of full packages, and a smaller one is
/// early.
fn default(input: &PlanInput<'_>, action: Action) -> Estimate {
    let minutes = |p50: i64, p95: i64| Estimate {
        p50: SignedDuration::from_mins(p50),
        p95: SignedDuration::from_mins(p95),
    };
    match action {
        Action::StagePackage => minutes(30, 120),
        Action::UpgradeCore | Action::DowngradeCore => minutes(35, 70),
        Action::UpgradeWeb | Action::DowngradeWeb | Action::ReinstallModule => minutes(10, 30),
        Action::VerifyCluster => {
            // `health.timeout` is where it fails, not where most end.
            let health = &input.desired.cluster.health;
            let settled = |minutes| {
                health.settle.saturating_add(SignedDuration::from_mins(minutes)).min(health.timeout)
            };
            Estimate { p50: settled(5), p95: settled(20) }
        }
        Action::SaveBackup => minutes(2, 10),
        // Two copies of the content on each Agent, and one upload.
        Action::RestoreContent => minutes(5, 20),
        Action::RunPrerequisites | Action::RunTool | Action::InstallHotfix => minutes(5, 20),
        Action::BackupAgent => minutes(30, 120),
        Action::CleanUp | Action::RunHook | Action::Manual => minutes(1, 5),
    }
}
