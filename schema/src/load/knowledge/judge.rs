//! What a schema cannot say of one ReleaseKnowledge document.

use jiff::civil;

use super::{
    releases::{Want, ranges, threshold, version},
    said::{Key, Reference, Said},
};
use crate::{
    diagnostic::Code,
    load::{
        source::Source,
        tree::{Entry, Node, Value},
    },
    v1::knowledge::ReleaseKind,
};

pub(super) fn judge(source: &mut Source<'_>, node: &Node, said: &mut Said) {
    if let Some((name, text)) = id(node.get("metadata"), "name") {
        said.fact(Key::Document(text.to_owned()), source.place(&name.span));
    }
    let Some(spec) = node.get("spec") else { return };
    for release in items(spec, "releases") {
        judge_release(source, release, said);
    }
    for build in items(spec, "builds") {
        judge_build(source, build, said);
    }
    for support in items(spec, "support") {
        judge_support(source, support, said);
    }
    for rule in spec.get("rules").map(Node::entries).unwrap_or_default() {
        judge_rule(source, rule, said);
    }
    for check in items(spec, "prerequisites") {
        judge_prerequisite(source, check, said);
    }
    if let Some(requirements) = spec.get("requirements") {
        judge_requirements(source, requirements, said);
    }
    for issue in items(spec, "knownIssues") {
        fact(source, issue, Key::KnownIssue, said);
        ranges(source, issue.get("affects"));
        for end in ["from", "to"] {
            ranges(source, issue.get("path").and_then(|path| path.get(end)));
        }
    }
    for change in items(spec, "breakingChanges") {
        fact(source, change, Key::BreakingChange, said);
        threshold(source, change.get("introduced"));
    }
    for effect in items(spec, "sideEffects") {
        fact(source, effect, Key::SideEffect, said);
        issue(source, effect, said);
        for bound in ["from", "below"] {
            threshold(source, effect.get(bound));
        }
    }
}

fn items<'n>(node: &'n Node, field: &str) -> &'n [Node] {
    node.get(field).map(Node::items).unwrap_or_default()
}

fn id<'n>(node: Option<&'n Node>, field: &str) -> Option<(&'n Node, &'n str)> {
    let node = node?.get(field)?;
    Some((node, node.text()?))
}

fn fact(source: &mut Source<'_>, node: &Node, key: impl Fn(String) -> Key, said: &mut Said) {
    if let Some((node, text)) = id(Some(node), "id") {
        said.fact(key(text.to_owned()), source.place(&node.span));
    }
}

fn issue(source: &mut Source<'_>, node: &Node, said: &mut Said) {
    if let Some((node, text)) = id(Some(node), "issue") {
        said.reference(Reference::KnownIssue(text.to_owned()), source.place(&node.span));
    }
}

fn judge_release(source: &mut Source<'_>, release: &Node, said: &mut Said) {
    let Some(node) = release.get("version") else { return };
    let kind = match release.get("kind").and_then(Node::text) {
        Some("Core") => ReleaseKind::Core,
        Some("Web") => ReleaseKind::Web,
        Some("Cube") => ReleaseKind::Cube,
        _ => return,
    };
    if let Some(version) = version(source, Some(node), Want::Release) {
        let key = Key::Release(kind, version.line(), version.cu().unwrap_or(0));
        said.fact(key, source.place(&node.span));
    }
}

fn judge_build(source: &mut Source<'_>, build: &Node, said: &mut Said) {
    let Some(node) = build.get("release") else { return };
    let Some(version) = version(source, Some(node), Want::Release) else { return };
    said.reference(Reference::Release(version.line(), version.cu().unwrap_or(0)), source.place(&node.span));
    if let Some(number) = build.get("build")
        && let Value::Integer(value) = number.value
    {
        said.fact(Key::Build(version.line(), value), source.place(&number.span));
    }
}

fn judge_support(source: &mut Source<'_>, support: &Node, said: &mut Said) {
    if let Some(node) = support.get("release")
        && let Some(version) = version(source, Some(node), Want::Line)
    {
        said.fact(Key::Support(version.line()), source.place(&node.span));
    }
    let mut before: Option<(&str, civil::Date)> = None;
    for field in ["regularUpdatesUntil", "supportedUntil", "limitedSupportUntil"] {
        let Some((node, text)) = id(Some(support), field) else { continue };
        let Ok(day) = text.parse::<civil::Date>() else { continue };
        if let Some((earlier, first)) = before
            && day < first
        {
            let message = format!("`{field}` is before `{earlier}`, {first}");
            let help = "regular updates end first, then full support, then limited support".to_owned();
            source.error(&node.span, Code::SupportOutOfOrder, message, help);
        }
        before = Some((field, day));
    }
}

fn judge_rule(source: &mut Source<'_>, rule: &Entry, said: &mut Said) {
    let Entry { key, key_span, value } = rule;
    said.fact(Key::Rule(key.clone()), source.place(key_span));
    issue(source, value, said);
    let nested = |name: &str| value.get(name);
    match key.as_str() {
        "oldest" => drop(version(source, nested("line"), Want::Line)),
        "h4" => {
            version(source, nested("line"), Want::Line);
            for field in ["only", "possible", "automatic", "recommended"] {
                threshold(source, nested(field));
            }
        }
        "h5" => {
            for field in ["skips", "below", "reaching"] {
                version(source, nested(field), Want::Line);
            }
        }
        "h6" => {
            if let Some(exit) = version(source, nested("exit"), Want::Release)
                && exit.feature() > 0
                && let Some(node) = nested("exit")
            {
                let help = "write a Main Release with its CU: `10.0.0 CU19`".to_owned();
                source.error(&node.span, Code::WrongRelease, format!("{exit} cannot stand here"), help);
            }
            for field in ["from", "directTo"] {
                version(source, nested(field), Want::Line);
            }
        }
        "h7" => {
            for field in ["from", "reaching"] {
                version(source, nested(field), Want::Line);
            }
        }
        "h8" | "h9" | "h10" => {
            ranges(source, nested("from"));
            ranges(source, nested("to"));
            for via in nested("via").map(Node::items).unwrap_or_default() {
                version(source, Some(via), Want::Release);
            }
        }
        "h11" | "h12" | "h13" => ranges(source, nested("releases")),
        "w1" => threshold(source, nested("core")),
        "w2" => {
            for gate in items(value, "gates") {
                version(source, gate.get("web"), Want::Line);
                threshold(source, gate.get("core"));
            }
            version(source, nested("webDcm").and_then(|gate| gate.get("level")), Want::Feature);
            threshold(source, nested("webDcm").and_then(|gate| gate.get("core")));
        }
        "w8" => {
            let package = nested("package");
            version(source, package.and_then(|package| package.get("web")), Want::Feature);
            version(source, package.and_then(|package| package.get("line")), Want::Line);
            version(source, package.and_then(|package| package.get("fixedIn")), Want::Release);
            let library = nested("library");
            ranges(source, library.and_then(|library| library.get("from")));
            version(source, library.and_then(|library| library.get("fixedLevel")), Want::Feature);
            if let Some(library) = library {
                issue(source, library, said);
            }
        }
        "s5" => {
            threshold(source, nested("core"));
            version(source, nested("web"), Want::Feature);
        }
        "s10" => threshold(source, nested("readsArguments")),
        "g2" => threshold(source, nested("checks")),
        "g3" => {
            version(source, nested("from"), Want::Feature);
            ranges(source, nested("to"));
        }
        "g5" => {
            threshold(source, nested("gqi"));
            threshold(source, nested("webDcm"));
        }
        "g7" => threshold(source, nested("since")),
        // The schema has a word on it.
        _ => {}
    }
}

fn judge_prerequisite(source: &mut Source<'_>, check: &Node, said: &mut Said) {
    fact(source, check, Key::Prerequisite, said);
    ranges(source, check.get("included"));
    for stage in items(check, "stages") {
        threshold(source, stage.get("since"));
    }
    if let Some((node, text)) = id(Some(check), "replaces") {
        said.reference(Reference::Prerequisite(text.to_owned()), source.place(&node.span));
    }
    for issue in items(check, "knownIssues") {
        if let Some(text) = issue.text() {
            said.reference(Reference::KnownIssue(text.to_owned()), source.place(&issue.span));
        }
    }
}

fn judge_requirements(source: &mut Source<'_>, requirements: &Node, said: &mut Said) {
    for row in items(requirements, "dotnet") {
        ranges(source, row.get("releases"));
    }
    for list in ["vcredist", "os"] {
        for row in items(requirements, list) {
            threshold(source, row.get("since"));
        }
    }
    for port in items(requirements, "ports") {
        threshold(source, port.get("until"));
    }
    let Some(disk) = requirements.entry("disk") else { return };
    said.fact(Key::Disk, source.place(&disk.key_span));
    let number = |field: &str| match disk.value.get(field).map(|node| &node.value) {
        Some(Value::Integer(value)) => Some(*value),
        _ => None,
    };
    let (critical, warning, free) = (number("criticalGib"), number("warningGib"), number("freeGib"));
    if let (Some(critical), Some(warning), Some(free)) = (critical, warning, free)
        && !(critical <= warning && warning <= free)
    {
        let message = "the space that is critical must not exceed that worth a warning, nor that the normal";
        source.error(
            &disk.key_span,
            Code::ContradictingFact,
            message,
            "correct the three numbers".to_owned(),
        );
    }
}
