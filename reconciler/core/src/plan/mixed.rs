//! Two versions in one cluster (D5): the Agents that differ come to the others first, up or down.

use dataminer_schema::{
    id::AgentName,
    plan::{BlockCode, Change},
};

use super::{
    PlanInput,
    course::{CoreChange, Course, Leg, Position, Target, Way, legs, may_fall, position, unknown},
    draft::{Draft, list},
    survey::{Broker, Seen, Survey},
};
use crate::{converged::ExpectedCore, release::Release};

/// The Agents that run one release.
type Group<'g, 's, 'a> = (&'g Release, &'g [&'s Seen<'a>]);

/// D5: laggards first, to the highest release that runs and is not above the target; Agents above the target are a
/// downward step of their own.
pub(super) fn plan_mixed<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    target: &Target<'a>,
    groups: &[(&Release, Vec<&Seen<'a>>)],
    course: &mut Course<'a>,
    draft: &mut Draft,
) -> CoreChange {
    draft.change = Change::Repair;
    let [(low, lower), (high, higher)] = groups else { return CoreChange::Undecided };
    for (release, members) in groups {
        if position(release, target) == Position::Unknown {
            unknown(release, target, names(members), draft);
            return CoreChange::Undecided;
        }
    }
    let mut allowed = true;
    for (release, members) in groups {
        if position(release, target) == Position::Above {
            allowed &= may_fall(input, release, target, names(members), draft);
        }
    }
    if !allowed {
        return CoreChange::Undecided;
    }
    let only = &survey.rules.h4.only;
    let boundary = low.at_least(only) != high.at_least(only) || survey.broker() == Broker::Differs;
    let mix = Mix { input, survey, target, low: (low, lower), high: (high, higher) };
    let legs = if boundary {
        Err("a mix across the BrokerGateway boundary is not repaired unattended".to_owned())
    } else {
        match (position(low, target), position(high, target)) {
            (Position::Below | Position::At, Position::Below | Position::At) => mix.up(draft),
            (Position::At | Position::Above, Position::Above) => mix.down(draft),
            _ => Err(format!("one is below {} and one above", target.release.name())),
        }
    };
    match legs {
        Ok(legs) => {
            course.legs = legs;
            CoreChange::Moves
        }
        Err(why) => {
            draft.block(
                BlockCode::MixedCluster,
                names(lower),
                format!("{}, {}: {why}", runs(&names(lower), low), runs(&names(higher), high)),
                "bring these Agents to the version of the others by hand; a mixed cluster can corrupt data",
            );
            CoreChange::Undecided
        }
    }
}

struct Mix<'m, 's, 'a> {
    input: &'m PlanInput<'a>,
    survey: &'m Survey<'a>,
    target: &'m Target<'a>,
    low: Group<'m, 's, 'a>,
    high: Group<'m, 's, 'a>,
}

impl<'a> Mix<'_, '_, 'a> {
    /// Laggards up to what the others run, then all of them to the target.
    fn up(&self, draft: &mut Draft) -> Result<Vec<Leg<'a>>, String> {
        let ((low, lagging), (high, _)) = (self.low, self.high);
        let common = self.common(high)?;
        let mut way = self.joined(low, lagging, &common, Way::Up, draft)?;
        if position(high, self.target) == Position::Below {
            let all = self.survey.names();
            way.extend(legs(self.input, self.survey, high, self.target, (&all, &all), Way::Up, draft));
        }
        Ok(way)
    }

    /// Agents above the target down to it, or first to the others where those are above it as well.
    fn down(&self, draft: &mut Draft) -> Result<Vec<Leg<'a>>, String> {
        let ((low, _), (high, leading)) = (self.low, self.high);
        if position(low, self.target) == Position::At {
            return self.joined(high, leading, self.target, Way::Down, draft);
        }
        let common = self.common(low)?;
        let mut way = self.joined(high, leading, &common, Way::Down, draft)?;
        let all = self.survey.names();
        way.extend(legs(self.input, self.survey, low, self.target, (&all, &all), Way::Down, draft));
        Ok(way)
    }

    fn common(&self, release: &Release) -> Result<Target<'a>, String> {
        let common = repair_target(self.input, release);
        common.ok_or_else(|| format!("the catalogue has no package of {}", release.describe()))
    }

    /// The legs that bring `members` to what the others run.
    fn joined(
        &self,
        from: &Release,
        members: &[&Seen<'a>],
        common: &Target<'a>,
        way: Way,
        draft: &mut Draft,
    ) -> Result<Vec<Leg<'a>>, String> {
        let units: Vec<AgentName> = self.survey.names_where(|seen| {
            // A Failover pair is one unit.
            members.iter().any(|member| member.name == seen.name || member.partner == Some(seen.name))
        });
        let all = self.survey.names();
        let mut trial = Draft::new(self.input);
        let mut joined = legs(self.input, self.survey, from, common, (&units, &all), way, &mut trial);
        if let Some(block) = trial.blocked.first() {
            return Err(format!("no legal path ({:?}: {})", block.code, block.message));
        }
        if let Some(before) = joined.iter().find_map(|leg| leg.around.before) {
            return Err(format!(
                "{} would be needed, which is no matter for a part of the Agents",
                before.name()
            ));
        }
        draft.warnings.append(&mut trial.warnings);
        let last = joined.len().saturating_sub(1);
        for (number, leg) in joined.iter_mut().enumerate() {
            leg.rules.insert(0, "D5");
            let verb = if units.len() == 1 { "comes" } else { "come" };
            leg.reason = format!("first {} {verb} to what the others run; {}", list(&units), leg.reason);
            if number < last {
                leg.verify.clone_from(&units);
            }
        }
        Ok(joined)
    }
}

fn runs(agents: &[AgentName], release: &Release) -> String {
    let verb = if agents.len() == 1 { "runs" } else { "run" };
    format!("{} {verb} {}", list(agents), release.describe())
}

fn names(members: &[&Seen<'_>]) -> Vec<AgentName> {
    members.iter().map(|seen| seen.name.clone()).collect()
}

/// The package of what the others already run: the same build where it is known.
fn repair_target<'a>(input: &PlanInput<'a>, high: &Release) -> Option<Target<'a>> {
    let version = match (high.build(), high.cu()) {
        (Some(_), _) => high.version().clone(),
        (None, Some(cu)) => high.version().clone().with_cu(cu),
        (None, None) => return None,
    };
    let entry = input.catalog.core_package(&version)?;
    let release = entry.release.clone().unwrap_or_else(|| high.clone());
    Some(Target { release, expected: ExpectedCore::of(&version, input.catalog), entry: Some(entry) })
}
