//! What a schema cannot say of a Cluster: windows, and Agents that collide.
//!
//! Everything here reads the tree and not the filled type, so that a fault elsewhere hides nothing.

use std::collections::BTreeMap;

use jiff::{SignedDuration, civil};

use super::{
    across::{Facts, same_address},
    source::{Place, Source},
    tree::Node,
};
use crate::{
    diagnostic::Code,
    document::{Kind, cluster::DEFAULT_CUTOFF, text::Span},
    quantity::{format_duration, parse_duration},
    v1::cluster::Health,
};

pub(super) fn judge(source: &mut Source<'_>, node: &Node, facts: &mut Facts) {
    let cluster = node.get("metadata").and_then(|metadata| metadata.get("name"));
    if let Some((name, text)) = cluster.and_then(|name| Some((name, name.text()?))) {
        facts.cluster(text, source.place(&name.span));
    }
    let Some(spec) = node.get("spec") else { return };
    if let Some(agents) = spec.get("agents") {
        judge_agents(source, agents, cluster.and_then(Node::text), facts);
    }
    if let Some((profile, name)) = spec.get("profile").and_then(|profile| Some((profile, profile.text()?))) {
        facts.uses_profile(name, source.place(&profile.span));
    }
    judge_shared(source, spec, facts, spec.get("profile").is_none());
}

pub(super) fn judge_profile(source: &mut Source<'_>, node: &Node, facts: &mut Facts) {
    facts.named(Kind::Profile, source, node);
    if let Some(spec) = node.get("spec") {
        judge_shared(source, spec, facts, false);
    }
}

/// What a Cluster and a Profile may both hold; `whole` if nothing can come from elsewhere.
fn judge_shared(source: &mut Source<'_>, spec: &Node, facts: &mut Facts, whole: bool) {
    for dependency in spec.get("dependsOn").map(Node::items).unwrap_or_default() {
        if let Some(name) = dependency.text() {
            facts.depends_on(name, source.place(&dependency.span));
        }
    }
    for window in spec.get("windows").map(Node::items).unwrap_or_default() {
        judge_window(source, window);
    }
    if let Some(health) = spec.get("health").filter(|_| whole) {
        judge_health(source, health);
    }
    if whole && spec.get("software").is_none_or(|software| software.get("core").is_none()) {
        let place = spec.get("software").unwrap_or(spec).span.clone();
        let message = "`software.core` is missing: nothing says which core is wanted";
        let help =
            "add `software: { core: … }`, for example `core: 10.5.0 CU12`, or name a `profile` that gives it";
        source.error(&(place.start..place.start + 1), Code::MissingField, message, help.to_owned());
    }
}

/// One server of the cluster.
struct Server<'n> {
    member: &'n Node,
    partner: bool,
}

fn judge_agents(source: &mut Source<'_>, agents: &Node, cluster: Option<&str>, facts: &mut Facts) {
    let servers = agents.items().iter().flat_map(|agent| {
        let partner = agent.get("failover").map(|member| Server { member, partner: true });
        std::iter::once(Server { member: agent, partner: false }).chain(partner)
    });
    let mut names: BTreeMap<String, (Place, bool)> = BTreeMap::new();
    let mut addresses: BTreeMap<String, (Place, bool)> = BTreeMap::new();
    for Server { member, partner } in servers {
        let mut collided = false;
        if let Some((name, text)) = member.get("name").and_then(|name| Some((name, name.text()?))) {
            let place = source.place(&name.span);
            // Windows and metrics do not tell capitals apart, so two names that differ in them only collide.
            match names.get(&text.to_lowercase()) {
                Some((first, first_partner)) => {
                    collided = true;
                    let (code, message, help) = if partner != *first_partner {
                        partner_words(text, first)
                    } else {
                        (
                            Code::DuplicateAgentName,
                            format!("there are two Agents `{text}`"),
                            format!("rename one; the first is on line {}", first.line),
                        )
                    };
                    let first = first.clone();
                    source.collision(&name.span, code, message, help, &first);
                }
                None => {
                    names.insert(text.to_lowercase(), (place, partner));
                }
            }
        }
        let Some((address, text)) =
            member.get("address").and_then(|address| Some((address, address.text()?)))
        else {
            continue;
        };
        let Some(key) = same_address(text) else { continue };
        let place = source.place(&address.span);
        if let Some((first, first_partner)) = addresses.get(&key) {
            // The same Agent twice, name and address, is one fault.
            if !collided {
                let (code, message, help) = if partner != *first_partner {
                    partner_words(text, first)
                } else {
                    (
                        Code::DuplicateAgentAddress,
                        format!("there are two Agents at `{text}`"),
                        format!("correct one; the first is on line {}", first.line),
                    )
                };
                let first = first.clone();
                source.collision(&address.span, code, message, help, &first);
            }
        } else {
            if let Some(cluster) = cluster {
                facts.address(cluster, key.clone(), place.clone());
            }
            addresses.insert(key, (place, partner));
        }
    }
}

fn partner_words(text: &str, first: &Place) -> (Code, String, String) {
    (
        Code::FailoverPartnerIsAgent,
        format!("`{text}` is both a Failover partner and an Agent of its own"),
        format!(
            "list a pair once: the partner under `failover` only; the other entry is on line {}",
            first.line
        ),
    )
}

fn duration(node: Option<&Node>) -> Option<SignedDuration> {
    parse_duration(node?.text()?).ok()
}

fn judge_window(source: &mut Source<'_>, window: &Node) {
    if let Some(open) = duration(window.get("duration")) {
        let Span(default) = DEFAULT_CUTOFF;
        let written = window.get("cutoff");
        let cutoff = match written {
            Some(cutoff) => duration(Some(cutoff)),
            None => Some(default),
        };
        let place = written.or_else(|| window.get("duration")).map(|node| node.span.clone());
        if let (Some(cutoff), Some(place)) = (cutoff, place) {
            if open.is_zero() {
                let message = "a window that is open for no time";
                source.error(&place, Code::ZeroDuration, message, "write how long it stays open".to_owned());
            } else if cutoff >= open {
                let what = if written.is_some() { "cutoff" } else { "default cutoff" };
                let message = format!(
                    "the {what} of {} leaves nothing of a window of {}",
                    format_duration(cutoff),
                    format_duration(open)
                );
                let help = "nothing new starts in the cutoff, the last part of the window: make it shorter than `duration`";
                source.error(&place, Code::CutoffExceedsDuration, message, help.to_owned());
            }
        }
    }
    let day = |field: &str| window.get(field)?.text()?.parse::<civil::Date>().ok();
    if let (Some(from), Some(to), Some(place)) = (day("from"), day("to"), window.get("to"))
        && to < from
    {
        let message = format!("the window ends on {to}, before it starts on {from}");
        let help = "`to` is the last day, inclusive";
        source.error(&place.span, Code::WindowEndsBeforeStart, message, help.to_owned());
    }
}

fn judge_health(source: &mut Source<'_>, health: &Node) {
    let defaults = Health::default();
    let of = |field: &str, default: SignedDuration| match health.get(field) {
        Some(node) => duration(Some(node)),
        None => Some(default),
    };
    let (Some(settle), Some(timeout)) = (of("settle", defaults.settle), of("timeout", defaults.timeout))
    else {
        return;
    };
    let Some(place) = health.get("timeout").or_else(|| health.get("settle")) else { return };
    if settle >= timeout {
        let message = format!(
            "Agents must be right for {} within {}, which cannot happen",
            format_duration(settle),
            format_duration(timeout)
        );
        source.error(
            &place.span,
            Code::SettleExceedsTimeout,
            message,
            "make `timeout` longer than `settle`".to_owned(),
        );
    }
}
