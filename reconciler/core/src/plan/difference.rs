//! How two plans of one cluster differ: for whoever approved the first and is asked about the second, and for whoever
//! reviews what a commit changes.

use std::collections::BTreeMap;

use dataminer_schema::plan::{Action, Block, ContentLoss, Plan, Step, VersionPair, Waiting, Warning};
use serde::Serialize;

/// One thing that is otherwise in the second plan. What was added has no `before`, what was removed no `after`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    pub what: What,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What differs. The first five are what a plan's id covers, the others stand around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum What {
    /// The lowest versions observed.
    From,
    /// The versions wanted.
    To,
    /// A step, by its action, what it pins and, where they differ, its Agents.
    Step,
    /// The order of the same steps.
    Order,
    /// Upgrade options, Failover policy or account.
    Policy,
    /// What the plan comes to.
    Result,
    /// What a person or a commit must do first.
    Block,
    /// What must pass first.
    Waiting,
    /// When the work is expected to start.
    Start,
    /// What a restore loses.
    ContentLoss,
    /// What a reviewer should know.
    Warning,
}

impl What {
    /// Whether the id of a plan covers it: then an approval of the one plan does not count for the other.
    pub fn is_of_the_id(self) -> bool {
        match self {
            Self::From | Self::To | Self::Step | Self::Order | Self::Policy => true,
            Self::Result | Self::Block | Self::Waiting | Self::Start | Self::ContentLoss | Self::Warning => {
                false
            }
        }
    }
}

/// What an id covers and is otherwise in `after` than in `before`, one sentence part each: where it comes from and goes
/// to, and the steps that were changed, added and removed. Empty only for plans with the same id.
pub fn difference(before: &Plan, after: &Plan) -> Vec<String> {
    let found = of_the_id(before, after);
    let mut parts = Vec::new();
    for part in &found {
        let Difference { what, before, after } = part;
        match (what, before, after) {
            (What::From, Some(then), Some(now)) => parts.push(format!("from {now} instead of {then}")),
            (What::To, Some(then), Some(now)) => parts.push(format!("to {now} instead of {then}")),
            _ => {}
        }
    }
    type Shown = fn(&Difference) -> Option<String>;
    let lists: [(&str, Shown); 3] = [
        ("changed", |step| Some(format!("{} instead of {}", step.after.as_ref()?, step.before.as_ref()?))),
        ("added", |step| step.before.is_none().then(|| step.after.clone())?),
        ("removed", |step| step.after.is_none().then(|| step.before.clone())?),
    ];
    for (what, shown) in lists {
        let steps: Vec<String> =
            found.iter().filter(|part| part.what == What::Step).filter_map(shown).collect();
        if !steps.is_empty() {
            parts.push(format!("steps {what}: {}", steps.join(", ")));
        }
    }
    for part in &found {
        match (part.what, &part.after) {
            (What::Order, Some(now)) => parts.push(format!("the steps come in another order: {now}")),
            (What::Policy, _) => {
                parts.push("with other upgrade options, Failover policy or account".to_owned());
            }
            _ => {}
        }
    }
    parts
}

/// Everything that a reader of both plans would see to be different. What only the clock changed is no part of it where
/// both were made at the same time.
pub fn differences(before: &Plan, after: &Plan) -> Vec<Difference> {
    let mut found = of_the_id(before, after);
    around(before, after, &mut found);
    found
}

fn of_the_id(before: &Plan, after: &Plan) -> Vec<Difference> {
    let mut found = Vec::new();
    for (what, then, now) in [(What::From, &before.from, &after.from), (What::To, &before.to, &after.to)] {
        if then != now {
            found.push(changed(what, pair(then), pair(now)));
        }
    }
    steps(before, after, &mut found);
    if found.is_empty() && before.id != after.id {
        found.push(Difference { what: What::Policy, before: None, after: None });
    }
    found
}

fn changed(what: What, before: String, after: String) -> Difference {
    Difference { what, before: Some(before), after: Some(after) }
}

fn pair(versions: &VersionPair) -> String {
    let VersionPair { core, build, web_apps } = versions;
    let core = core.as_deref().unwrap_or("an unknown core");
    let build = build.map(|build| format!(" (build {build})")).unwrap_or_default();
    let web = web_apps.as_ref().map(|web| format!(", web {web}")).unwrap_or_default();
    format!("{core}{build}{web}")
}

/// Which step of its kind a step is: a hop is compared with the hop at the same place.
type Place = (Action, usize);

fn steps(before: &Plan, after: &Plan, found: &mut Vec<Difference>) {
    let (then, now) = (placed(before), placed(after));
    let removed: BTreeMap<Place, &Step> = without(&then, &now).into_iter().collect();
    let added = without(&now, &then);
    if removed.is_empty() && added.is_empty() {
        let order = |plan: &Plan| plan.steps.iter().map(whole).collect::<Vec<_>>().join(", ");
        let (then, now) = (order(before), order(after));
        if then != now {
            found.push(changed(What::Order, then, now));
        }
        return;
    }
    let kept: Vec<Place> = added.iter().map(|(place, _)| *place).collect();
    for (place, step) in &added {
        found.push(match removed.get(place) {
            Some(was) if was.agents == step.agents => changed(What::Step, brief(was), brief(step)),
            Some(was) => changed(What::Step, whole(was), whole(step)),
            None => Difference { what: What::Step, before: None, after: Some(whole(step)) },
        });
    }
    for (place, step) in removed {
        if !kept.contains(&place) {
            found.push(Difference { what: What::Step, before: Some(whole(step)), after: None });
        }
    }
}

fn placed<'p>(plan: &'p Plan) -> Vec<(Place, &'p Step)> {
    let mut counts: BTreeMap<Action, usize> = BTreeMap::new();
    let place = |step: &'p Step| {
        let action = step.action;
        let count = counts.entry(action).or_default();
        *count += 1;
        ((action, *count), step)
    };
    plan.steps.iter().map(place).collect()
}

/// What is in `all` and, as often, not in `known`; by what an id covers of a step.
fn without<'p>(all: &[(Place, &'p Step)], known: &[(Place, &Step)]) -> Vec<(Place, &'p Step)> {
    let mut known: Vec<String> = known.iter().map(|(_, step)| whole(step)).collect();
    let fresh = |(_, step): &&(Place, &Step)| {
        let text = whole(step);
        match known.iter().position(|have| *have == text) {
            Some(at) => {
                known.swap_remove(at);
                false
            }
            None => true,
        }
    };
    all.iter().filter(fresh).copied().collect()
}

/// A step by what its id covers: the action, what it pins, the Agents.
fn whole(step: &Step) -> String {
    let names: Vec<&str> = step.agents.iter().map(|agent| agent.as_str()).collect();
    format!("{} on {}", brief(step), names.join(" and "))
}

fn brief(step: &Step) -> String {
    let Step { action, to, sha256, backup, module, hook, patch, without, .. } = step;
    let to = to.as_ref().map(|to| format!(" {to}")).unwrap_or_default();
    let module = module.as_ref().map(|module| format!(" {module}")).unwrap_or_default();
    let hook = hook.as_ref().map(|hook| format!(" {hook}")).unwrap_or_default();
    let patch = patch.as_ref().map(|patch| format!(" without {}", patch.removes)).unwrap_or_default();
    let left: String = without.iter().map(|check| format!(" without {check}")).collect();
    let backup = backup
        .as_ref()
        .map(|backup| format!(" of {} ({})", backup.file, backup.sha256.short()))
        .unwrap_or_default();
    let package = sha256.as_ref().map(|sha256| format!(" [{}]", sha256.short())).unwrap_or_default();
    format!("{action:?}{to}{module}{hook}{backup}{package}{patch}{left}")
}

fn around(before: &Plan, after: &Plan, found: &mut Vec<Difference>) {
    if before.result != after.result {
        found.push(changed(What::Result, format!("{:?}", before.result), format!("{:?}", after.result)));
    }
    lists(What::Block, &before.blocked, &after.blocked, block, found);
    lists(What::Waiting, &before.waiting, &after.waiting, waiting, found);
    let start = |plan: &Plan| plan.forecast.as_ref().map(|forecast| forecast.starts.to_string());
    let lost = |plan: &Plan| plan.content_loss.as_ref().map(content_loss);
    for (what, then, now) in
        [(What::Start, start(before), start(after)), (What::ContentLoss, lost(before), lost(after))]
    {
        if then != now {
            found.push(Difference { what, before: then, after: now });
        }
    }
    lists(What::Warning, &before.warnings, &after.warnings, warning, found);
}

fn lists<T: PartialEq>(
    what: What,
    before: &[T],
    after: &[T],
    text: impl Fn(&T) -> String,
    found: &mut Vec<Difference>,
) {
    let gone = before.iter().filter(|one| !after.contains(one));
    found.extend(gone.map(|one| Difference { what, before: Some(text(one)), after: None }));
    let fresh = after.iter().filter(|one| !before.contains(one));
    found.extend(fresh.map(|one| Difference { what, before: None, after: Some(text(one)) }));
}

fn block(block: &Block) -> String {
    let Block { code, message, help: _, agents: _ } = block;
    format!("{code:?}: {message}")
}

fn waiting(waiting: &Waiting) -> String {
    let Waiting { on, until, message } = waiting;
    let until = until.map(|until| format!(" (until {until})")).unwrap_or_default();
    format!("{on:?}: {message}{until}")
}

fn warning(warning: &Warning) -> String {
    let Warning { code, reference, message } = warning;
    let reference = reference.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    format!("{code}: {message}{reference}")
}

fn content_loss(loss: &ContentLoss) -> String {
    let ContentLoss { backup, taken_at: _, content, since, agents: _ } = loss;
    format!("changes since {since}, by backup {} (content of {content})", backup.file)
}
