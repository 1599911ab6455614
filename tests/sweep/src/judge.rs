//! Whether a plan is right: well-formed, and carried out in every system that it may meet; or refused for a reason
//! that holds.

use dataminer_core::lint::lint;
use dataminer_schema::{
    plan::{Action, BlockCode, Plan},
    version::{Version, WebWanted},
};
use dms_simulator::model::{
    Broken, Level, Rule, Wanted, is_lower, knows_broker_gateway, loses_fixes, nats_check_fails,
    needs_broker_gateway, replay, stumbles, web_gate,
};

use crate::{
    case::{Case, WebSeen},
    fleet::Fleet,
    truth::worlds,
    ways,
};

/// What is wrong with a plan, in few words: findings of the same words are counted together.
pub(crate) type Finding = String;

/// Judges one plan.
pub(crate) fn judge(case: &Case<'_>, fleet: &Fleet, plan: &Plan) -> Result<(), Finding> {
    if let Some(note) = lint(plan).first() {
        return Err(format!("lint: {}", note.rule));
    }
    let codes: Vec<BlockCode> = plan.blocked.iter().map(|block| block.code).collect();
    let facts = Facts::of(case);
    if let Some(code) = codes.iter().find(|code| !facts.permits(**code)) {
        return Err(format!("refused for no reason: {code:?}"));
    }
    // Also one that the planner did not find.
    let lacks = codes.contains(&BlockCode::NoPackage) && case.looks_for_ways();
    if lacks && !facts.lower && !facts.lacks_certainly() && ways::exists(case) {
        return Err("NoPackage, and yet there is a way".to_owned());
    }
    let demanded = facts.demands();
    if !demanded.is_empty() && !demanded.iter().any(|code| codes.contains(code)) {
        return Err(format!("{demanded:?} expected, got {codes:?}"));
    }
    // What is not carried out yet is planned all the same.
    if codes.iter().any(|code| *code != BlockCode::NotSupportedYet) {
        return Ok(());
    }
    let wanted = case.web_wanted();
    let wanted = Wanted { core: case.to, web: &wanted };
    for world in worlds(case, fleet) {
        // W5: what nobody could see, the plan warns of.
        let warned = plan.warnings.iter().any(|warning| warning.code == "WebLevelUnknown");
        if world.hidden_web && warned {
            continue;
        }
        match replay(plan, world.system, &case.store.shelf, &wanted) {
            Ok(_) => {}
            Err(broken) if is_decided(case, &broken) => {}
            Err(Broken::Rule { violation, .. }) => return Err(format!("breaks {:?}", violation.rule)),
            Err(Broken::Step { what, .. }) => return Err(format!("a step {what}")),
            Err(Broken::Missed { .. }) => return Err("does not end where it should".to_owned()),
        }
    }
    Ok(())
}

/// Where two facts contradict each other and the design says which one counts.
fn is_decided(case: &Case<'_>, broken: &Broken) -> bool {
    let Broken::Rule { violation, .. } = broken else { return false };
    match violation.rule {
        // H6 sends 9.6 and early 10.0.0 to 10.0.0 CU19 first. To a release with fewer fixes than that the way would
        // fall (`domain/01 section 4`): the design goes there directly.
        Rule::StopAt100Cu19 => {
            Level::of(case.to) < Level::of(&Version::new(10, 0, 0).with_cu(19)) && case.to.minor() <= 1
        }
        _ => false,
    }
}

/// What holds of a case, from the domain facts.
struct Facts<'a> {
    case: &'a Case<'a>,
    lower: bool,
    /// The web apps that are there, at the least.
    web_before: Level,
    /// The web apps at the end.
    web_after: Option<Level>,
}

impl<'a> Facts<'a> {
    fn of(case: &'a Case<'a>) -> Self {
        let lower = is_lower(case.from, case.to);
        let changes = case.from != case.to;
        let before = case.web_seen().unwrap_or(case.from);
        let after = match case.web_wanted() {
            WebWanted::Unmanaged if !changes => None,
            WebWanted::Unmanaged | WebWanted::Bundled => Some(Level::of(case.to)),
            WebWanted::Version(version) => Some(Level::of(&version)),
        };
        Self { case, lower, web_before: Level::of(before), web_after: after }
    }

    fn changes(&self) -> bool {
        self.case.from != self.case.to
    }

    fn web_falls(&self) -> bool {
        self.web_after.is_some_and(|after| after < self.web_before)
    }

    /// The web apps that are wanted by name.
    fn web_named(&self) -> Option<Version> {
        match self.case.web_wanted() {
            WebWanted::Version(version) => Some(version),
            WebWanted::Unmanaged | WebWanted::Bundled => None,
        }
    }

    fn crosses_to_10_6(&self) -> bool {
        !needs_broker_gateway(self.case.from) && needs_broker_gateway(self.case.to)
    }

    /// Whether the domain gives a reason for this refusal.
    fn permits(&self, code: BlockCode) -> bool {
        let Self { case, lower, .. } = self;
        let (from, to) = (case.from, case.to);
        match code {
            BlockCode::NotSupportedYet => true,
            BlockCode::DowngradeNotAllowed => !case.allow && (*lower || self.web_falls()),
            BlockCode::OlderFixesNotAccepted => !case.accepts_older_fixes() && loses_fixes(from, to),
            BlockCode::NoPackage => self.lacks_package(),
            BlockCode::KnownIssue => meets_issue(to) || (case.is_pair() && self.passes_trap()),
            BlockCode::WebRegression => {
                let lower_named = self.web_named().is_some_and(|web| Level::of(&web) < Level::of(to));
                // A hop on the way may bring web apps in that are newer than the last ones (`domain/03 section 1`).
                lower_named || (!case.allow && (self.web_falls() || self.changes()))
            }
            BlockCode::WebRequiresNewerCore | BlockCode::WebNotSupported => {
                let over =
                    |core: &Version| self.web_named().is_some_and(|web| web_gate(core, &web).is_some());
                over(to) || over(from)
            }
            BlockCode::NoMatchingBackup => case.allow && !case.has_backups(),
            BlockCode::PrerequisiteKnownToFail => {
                let on_the_way = nats_check_fails(from, to) && !case.patches();
                on_the_way || case.web_seen().is_some_and(|web| stumbles(from, web, to))
            }
            BlockCode::ManualStepRequired => {
                let lost = *lower && !knows_broker_gateway(to);
                lost && (case.broker != Some(false) || needs_broker_gateway(from))
            }
            _ => false,
        }
    }

    /// Whether the way may lead over a version that leaves both members of a pair offline: 10.3.0 CU9 and CU10,
    /// 10.3.12, 10.4.1 (`domain/04 section 2`).
    fn passes_trap(&self) -> bool {
        let Self { case, lower, .. } = self;
        let (low, high) = if *lower { (case.to, case.from) } else { (case.from, case.to) };
        let traps = [(3, 0, 9), (3, 0, 10), (3, 12, 0), (4, 1, 0)];
        traps.into_iter().any(|(minor, feature, cu)| {
            let trap = Version::new(10, minor, feature).with_cu(cu);
            !is_lower(low, &trap) && !is_lower(&trap, high)
        })
    }

    /// Whether the package of the target is missing, or that of its web apps.
    fn lacks_certainly(&self) -> bool {
        let Self { case, .. } = self;
        let to = case.to;
        if !case.store.has(to) && self.changes() {
            return true;
        }
        let web = self.web_named().unwrap_or_else(|| to.clone());
        // A full package brings web apps of its own level (`domain/03 section 1`).
        let there = if self.changes() { Level::of(to) } else { self.web_before };
        let step = self.web_after.is_some_and(|after| after != there || case.web == WebSeen::Unknown);
        step && !case.store.has(&web)
    }

    /// Whether some package of the way may be missing.
    fn lacks_package(&self) -> bool {
        let (from, to) = (self.case.from, self.case.to);
        if self.lacks_certainly() {
            return true;
        }
        // A stop may be missing where there is one to make.
        let far = from.minor().abs_diff(to.minor()) > 1 || from.major() != to.major();
        let early = from.minor() == 0 && to.minor() > 0;
        (far || early || self.crosses_to_10_6()) && self.changes()
    }

    /// The refusals of which one must be there.
    fn demands(&self) -> Vec<BlockCode> {
        let Self { case, lower, .. } = self;
        let mut demanded = Vec::new();
        if *lower && !case.allow {
            return vec![BlockCode::DowngradeNotAllowed];
        }
        if loses_fixes(case.from, case.to) && !case.accepts_older_fixes() {
            return vec![BlockCode::OlderFixesNotAccepted];
        }
        if self.changes() && !case.store.has(case.to) {
            demanded.push(BlockCode::NoPackage);
        }
        if self.changes() && self.web_falls() && !case.allow {
            demanded.push(BlockCode::WebRegression);
        }
        if let Some(web) = self.web_named()
            && Some(Level::of(&web)) > Some(self.web_before.max(Level::of(case.to)))
            && web_gate(case.to, &web).is_some()
        {
            demanded.push(BlockCode::WebRequiresNewerCore);
            demanded.push(BlockCode::WebNotSupported);
        }
        demanded
    }
}

/// Targets that a known issue keeps systems away from (`domain/02` H8, H9, H10).
fn meets_issue(to: &Version) -> bool {
    match ((to.major(), to.minor(), to.feature()), to.cu()) {
        ((10, 2, 7), _) | ((10, 5, 6 | 7), _) => true,
        ((10, 5, 0), Some(cu)) => (3..=4).contains(&cu),
        ((10, 4, feature), _) => (9..=12).contains(&feature),
        _ => false,
    }
}

/// A plan in a few lines.
pub(crate) fn told(plan: &Plan) -> String {
    let mut parts: Vec<String> = Vec::new();
    for step in &plan.steps {
        match step.action {
            Action::StagePackage | Action::SaveBackup | Action::VerifyCluster | Action::CleanUp => {}
            action => {
                let what = step.to.as_deref().or(step.module.as_deref()).or(step.package.as_deref());
                let backup = step.backup.as_ref().map(|backup| backup.file.as_str());
                parts.push(format!("{}: {action:?} {}", step.id, what.or(backup).unwrap_or_default()));
            }
        }
    }
    parts.extend(plan.blocked.iter().map(|block| format!("blocked {:?}: {}", block.code, block.message)));
    parts.extend(plan.warnings.iter().map(|warning| format!("warning {}", warning.code)));
    format!("    {}", parts.join("\n    "))
}
