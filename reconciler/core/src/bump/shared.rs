//! Values that several clusters share: of a Profile, or behind a YAML anchor. One edit moves all of them, so all of them
//! must want the same.

use std::collections::BTreeMap;

use dataminer_schema::version::Version;

use super::{Decision, Field, StayCode, Stays, Verdict};

/// Which value a field of a cluster is written as; `place` names one value of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share<P> {
    /// The index of the decision.
    pub cluster: usize,
    pub field: Field,
    pub place: P,
}

/// Takes back every raise that not all users of its value want, and with it the cluster's other raise: core and web
/// apps were chosen together.
pub fn agree<P: Ord + Clone>(decisions: &mut [Decision], shares: &[Share<P>]) {
    let mut users: BTreeMap<&P, Vec<(usize, Field)>> = BTreeMap::new();
    for Share { cluster, field, place } in shares {
        users.entry(place).or_default().push((*cluster, *field));
    }
    users.retain(|_, users| users.len() > 1);
    // Each round takes back at least one raise, so there are no more rounds than raises.
    loop {
        let mut withdrawn: BTreeMap<usize, String> = BTreeMap::new();
        for sharers in users.values() {
            let wish = |&(cluster, field): &(usize, Field)| -> Option<&Version> {
                decisions.get(cluster)?.verdict(field).raise().map(|raise| &raise.to)
            };
            if sharers.iter().all(|user| agree_on(wish(user), wish(&sharers[0]))) {
                continue;
            }
            for user in sharers {
                let Some(own) = wish(user) else { continue };
                let other = sharers.iter().find(|other| !agree_on(wish(other), Some(own)));
                let other = other.and_then(|&(other, field)| {
                    Some(disagreement(decisions.get(other)?, field, user.0 == other))
                });
                withdrawn.insert(user.0, other.unwrap_or_default());
            }
        }
        if withdrawn.is_empty() {
            return;
        }
        for (cluster, why) in withdrawn {
            if let Some(decision) = decisions.get_mut(cluster) {
                withdraw(decision, &why);
            }
        }
    }
}

/// One of them may not know a build: the web apps of a core have none of their own.
fn agree_on(one: Option<&Version>, other: Option<&Version>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.agrees_with(other),
        (None, None) => true,
        _ => false,
    }
}

fn disagreement(other: &Decision, field: Field, itself: bool) -> String {
    let who = if itself { format!("its own {field}") } else { format!("{field} of {}", other.cluster) };
    match other.verdict(field) {
        Verdict::Raise(raise) => format!("{who} would go to {}", raise.to.release_name()),
        Verdict::Stays(stays) => format!("{who} stays: {}", stays.message),
    }
}

fn withdraw(decision: &mut Decision, why: &str) {
    decision.notes.clear();
    for field in [Field::Core, Field::WebApps] {
        let verdict = decision.verdict_mut(field);
        if let Verdict::Raise(raise) = verdict {
            let message = format!(
                "{} is offered, but the value is shared, and {why}: write it out where it differs",
                raise.to.release_name()
            );
            *verdict = Verdict::Stays(Stays { code: StayCode::Shared, message });
        }
    }
}
