//! What a hop needs besides its package; above all the tools that all Agents run together right before it:
//! VerifyClusterPorts (H7), the BrokerGateway migration (H4).

use dataminer_schema::plan::{BlockCode, PackagePatch};

use super::{
    PlanInput, broker,
    draft::Draft,
    route::{Stop, band_of},
};
use crate::{catalog::Entry, knowledge::Rules, release::Release, tool::Tool};

/// What a hop needs besides its package.
#[derive(Clone, Debug, Default)]
pub(super) struct Around<'a> {
    /// What all Agents run together right before.
    pub(super) before: Option<Before<'a>>,
    /// What the staged copy of its package lacks (G2).
    pub(super) patch: Option<PackagePatch>,
    /// Whether modules are exchanged right after, while DataMiner is stopped (G3).
    pub(super) swaps: bool,
}

/// What runs right before a hop, on all Agents together.
#[derive(Clone, Copy, Debug)]
pub(super) enum Before<'a> {
    /// H7.
    Ports(&'a Entry),
    /// H4: the check, then the migration.
    Migration { check: &'a Entry, migration: &'a Entry },
}

impl<'a> Before<'a> {
    /// Its packages, in the order in which they run.
    pub(super) fn packages(self) -> Vec<&'a Entry> {
        match self {
            Self::Ports(ports) => vec![ports],
            Self::Migration { check, migration } => vec![check, migration],
        }
    }

    /// The check of the hop's package that fails until it was run (`domain/prerequisites.yaml`).
    pub(super) fn answers(self) -> &'static str {
        match self {
            Self::Ports(_) => "VerifyClusterPorts.dll",
            Self::Migration { .. } => "VerifyBrokerGatewayMigration.dll",
        }
    }

    /// How a sentence names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ports(_) => Tool::VerifyClusterPorts.as_str(),
            Self::Migration { .. } => "the BrokerGateway migration",
        }
    }
}

/// Puts each tool before the hop that needs it. `migrates`: the way holds the BrokerGateway migration.
pub(super) fn plan_tools<'a>(
    input: &PlanInput<'a>,
    source: &Release,
    migrates: bool,
    stops: &mut [Stop<'a>],
    draft: &mut Draft,
) {
    let rules = input.knowledge.rules();
    let mut from = source.clone();
    for stop in stops {
        stop.around.before = if needs_ports(rules, &from, &stop.to) {
            tool(input, Tool::VerifyClusterPorts, "H7", draft).map(Before::Ports)
        } else if migrates && broker::is_crossing(rules, &from, &stop.to) {
            migration(input, draft)
        } else {
            None
        };
        from = stop.to.clone();
    }
}

/// H7: the releases from here on take running NAS and NATS services for granted, and 10.0 has none.
fn needs_ports(rules: &Rules, from: &Release, to: &Release) -> bool {
    from.band() == band_of(&rules.h7.from) && to.band() >= band_of(&rules.h7.reaching)
}

/// H4.
fn migration<'a>(input: &PlanInput<'a>, draft: &mut Draft) -> Option<Before<'a>> {
    let check = tool(input, Tool::MigrationCheck, "H4", draft);
    let migration = tool(input, Tool::Migration, "H4", draft);
    draft.warn(
        "MigrationFollowUp",
        "H4",
        "behind the BrokerGateway migration DMZ servers, Data Aggregator nodes and Dashboard Gateway servers need steps of \
         their own, which this program does not take",
    );
    Some(Before::Migration { check: check?, migration: migration? })
}

fn tool<'a>(input: &PlanInput<'a>, tool: Tool, rule: &str, draft: &mut Draft) -> Option<&'a Entry> {
    let found = input.catalog.tool(tool);
    if found.is_none() {
        let name = tool.as_str();
        draft.block(
            BlockCode::NoPackage,
            Vec::new(),
            format!("the way needs the tool `{name}` ({rule}), and the catalogue has no package of it"),
            format!("add `{name}.dmupgrade` to a PackageCatalog, with its SHA-256"),
        );
    }
    found
}
