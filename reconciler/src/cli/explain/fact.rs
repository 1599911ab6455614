//! Facts about releases: a release, a known issue, a breaking change, a side effect of a downgrade.

use dataminer_core::{
    knowledge::{Knowledge, Software},
    release::Release,
};
use dataminer_schema::{
    v1::knowledge::{BreakingChange, KnownIssue, Range, RangeTrack, SideEffect},
    version::Version,
};
use serde_json::{Value, json};

/// A fact for people and for scripts.
pub(super) struct Fact {
    pub(super) text: String,
    pub(super) data: Value,
}

/// The fact of this id, or the release of this version; capitals do not matter.
pub(super) fn find(knowledge: &Knowledge, what: &str) -> Option<Fact> {
    if let Some(issue) = knowledge.issues().find(|issue| issue.id.eq_ignore_ascii_case(what)) {
        return Some(known_issue(issue));
    }
    let mut changes = knowledge.breaking_changes();
    if let Some(change) = changes.find(|change| change.id.eq_ignore_ascii_case(what)) {
        return Some(breaking_change(change));
    }
    let mut effects = knowledge.side_effects();
    if let Some(effect) = effects.find(|effect| effect.id.eq_ignore_ascii_case(what)) {
        return Some(side_effect(effect));
    }
    release(knowledge, &what.parse().ok()?)
}

fn known_issue(issue: &KnownIssue) -> Fact {
    let mut lines = vec![
        format!("{}: {}", issue.id, issue.title),
        format!("  impact     {:?} ({:?})", issue.impact, issue.component),
    ];
    match issue.affects.as_deref() {
        Some(ranges) => {
            lines.extend(ranges.iter().map(|range| format!("  releases   {}", range_text(range))));
        }
        None if issue.path.is_none() => lines.push("  releases   not known".to_owned()),
        None => {}
    }
    if let Some(path) = &issue.path {
        lines.extend(path.from.iter().map(|range| format!("  from       {}", range_text(range))));
        lines.extend(path.to.iter().map(|range| format!("  to         {}", range_text(range))));
    }
    if !issue.conditions.is_empty() {
        let conditions: Vec<_> = issue.conditions.iter().map(|condition| format!("{condition:?}")).collect();
        lines.push(format!("  condition  {}", conditions.join(", ")));
    }
    lines.extend(issue.note.iter().map(|note| format!("  note       {note}")));
    if issue.workaround {
        lines.push("  workaround documented".to_owned());
    }
    lines.push(format!("  source     {}", issue.source));
    Fact { text: lines.join("\n") + "\n", data: json!(issue) }
}

fn breaking_change(change: &BreakingChange) -> Fact {
    let since = match (&change.introduced, &change.component_version) {
        (Some(introduced), _) => introduced.to_string(),
        (None, Some(version)) => format!("{:?} {version}", change.component),
        (None, None) => "not known".to_owned(),
    };
    let text = format!(
        "{}: {}\n  component  {:?}\n  since      {since}\n  source     {}\n",
        change.id, change.title, change.component, change.source
    );
    Fact { text, data: json!(change) }
}

fn side_effect(effect: &SideEffect) -> Fact {
    let SideEffect { id, title, from, below, conditions, module, issue, release_notes: _, source } = effect;
    let mut lines = vec![format!("{id}: {title}"), format!("  down from  {from} or later")];
    lines.push(match below {
        Some(below) => format!("  to         below {below}"),
        None => "  to         any lower release".to_owned(),
    });
    if !conditions.is_empty() {
        let conditions: Vec<_> = conditions.iter().map(|condition| format!("{condition:?}")).collect();
        lines.push(format!("  condition  {}", conditions.join(", ")));
    }
    lines.extend(module.iter().map(|module| format!("  with       {module}")));
    lines.extend(issue.iter().map(|issue| format!("  issue      {issue}")));
    lines.push(format!("  source     {source}"));
    Fact { text: lines.join("\n") + "\n", data: json!(effect) }
}

/// A range as a sentence says it.
fn range_text(range: &Range) -> String {
    let Range { track, from, to, fixed_in, fixed_in_build, fixed_in_rerelease, band } = range;
    if *track == RangeTrack::Any {
        return "all".to_owned();
    }
    let release = |words: &str, version: Option<&Version>| {
        version.map(|version| format!(", {words} {}", version.release_name()))
    };
    let parts = [
        Some(format!("{track:?}")),
        release("of", band.as_ref()),
        release("from", from.as_ref()),
        release("to", to.as_ref()),
        release("right again in", fixed_in.as_ref()),
        fixed_in_build.map(|build| format!(" build {build}")),
        fixed_in_rerelease.then(|| " when it came out again".to_owned()),
    ];
    parts.into_iter().flatten().collect()
}

fn release(knowledge: &Knowledge, version: &Version) -> Option<Fact> {
    let fact = knowledge.release(version)?;
    let release = Release::exact(version.clone())?;
    let builds: Vec<u32> = knowledge.builds_of_release(version).iter().map(|fact| fact.build).collect();
    let same: Vec<String> =
        knowledge.counterparts(&fact.version).iter().map(|other| other.release_name()).collect();
    let (issues, perhaps) = knowledge.issues_of(Software { core: &release, web: None });
    let (sure, possible) = (issues.len(), perhaps.len());
    let mut lines = vec![fact.version.release_name(), format!("  status     {:?}", fact.status)];
    lines.extend(fact.finalized.iter().map(|day| format!("  finalized  about {day}")));
    if let Some(support) = knowledge.support_of(version) {
        lines.push(format!(
            "  support    regular updates until {}, supported until {}, limited until {}",
            support.regular_updates_until, support.supported_until, support.limited_support_until
        ));
    }
    if !same.is_empty() {
        lines.push(format!("  same fixes {}", same.join(", ")));
    }
    if !builds.is_empty() {
        let builds: Vec<String> = builds.iter().map(u32::to_string).collect();
        lines.push(format!("  builds     {}", builds.join(", ")));
    }
    lines.push(format!("  issues     {sure} known, {possible} more that hang on a build or on the web apps"));
    lines.push(format!("  source     {}", fact.source));
    let data = json!({
        "release": fact,
        "support": knowledge.support_of(version),
        "sameFixes": same,
        "builds": builds,
        "issues": issues.iter().map(|issue| &issue.id).collect::<Vec<_>>(),
    });
    Some(Fact { text: lines.join("\n") + "\n", data })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(what: &str) -> Option<String> {
        find(Knowledge::built_in(), what).map(|fact| fact.text)
    }

    #[test]
    fn facts_are_found_by_their_ids_and_releases_by_their_versions() {
        let issue = text("ki_upgrade_to_1051_stuck").expect("it is known");
        assert!(issue.contains("Feature, from 10.5.1, to 10.5.2, right again in 10.5.2 CU1"), "{issue}");
        assert!(issue.contains("ExpiredUsers"), "{issue}");
        let change = text("BC_44420").expect("it is known");
        assert!(change.contains("since      10.6.0 CU3/10.6.3"), "{change}");
        let effect = text("de_web_api_folder").expect("it is known");
        assert!(effect.contains("down from  10.4.0 CU20/10.5.0 CU8/10.5.11 or later"), "{effect}");
        assert!(effect.contains("any lower release"), "{effect}");
        let release = text("10.5.0 CU4").expect("it is known");
        assert!(release.contains("builds     15943, 16239"), "{release}");
        assert!(release.contains("same fixes 10.4.0 CU16, 10.5.7"), "{release}");
        assert!(release.contains("regular updates until 2026-11-20"), "{release}");
        assert_eq!(text("10.5.0 CU99"), None);
        assert_eq!(text("10.5.0"), None, "a Main Release without a CU is many");
        assert_eq!(text("KI_nowhere"), None);
    }
}
