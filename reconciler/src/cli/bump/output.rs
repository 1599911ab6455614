//! What was raised, what was left alone, and why.

use std::collections::BTreeSet;

use dataminer_core::bump::{Decision, Field, StayCode, Verdict};
use dataminer_schema::{id::ClusterName, load::Fleet, version::WebWanted};
use serde::Serialize;

use super::places::Written;
use crate::cli::{Terminal, Tone, validate::plural};

/// One cluster of the output.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    cluster: ClusterName,
    suspended: bool,
    /// Whether nobody asked for it by name, but it shares a value with one that was.
    drawn_along: bool,
    fields: Vec<FieldRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FieldRow {
    field: Field,
    from: String,
    /// Absent where it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<u32>,
    /// Where it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    /// Why it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    stays: Option<StayCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Row {
    /// Whether anything of it is raised.
    pub(super) fn raises(&self) -> bool {
        self.fields.iter().any(|field| field.to.is_some())
    }
}

/// The clusters that were asked for and those that are drawn along, by name.
pub(super) fn rows(
    fleet: &Fleet,
    decisions: &[Decision],
    written: &[Written],
    moved: &BTreeSet<usize>,
    asked: &[ClusterName],
) -> Vec<Row> {
    let mut rows: Vec<Row> = moved
        .iter()
        .filter_map(|at| {
            let (decision, cluster) = (decisions.get(*at)?, fleet.clusters.get(*at)?);
            let drawn_along = !asked.is_empty() && !asked.contains(&decision.cluster);
            let software = &cluster.value.software;
            let row = |field: Field| {
                let from = match field {
                    Field::Core => software.core.to_string(),
                    Field::WebApps => software.web_apps.to_string(),
                };
                let place = written.iter().find(|written| written.cluster == *at && written.field == field);
                field_row(field, from, decision.verdict(field), place)
            };
            let web = !matches!(software.web_apps, WebWanted::Unmanaged);
            let fields = [Some(row(Field::Core)), web.then(|| row(Field::WebApps))];
            Some(Row {
                cluster: decision.cluster.clone(),
                suspended: decision.suspended,
                drawn_along,
                fields: fields.into_iter().flatten().collect(),
                notes: decision.notes.clone(),
            })
        })
        .collect();
    rows.sort_by(|a, b| a.cluster.cmp(&b.cluster));
    rows
}

fn field_row(field: Field, from: String, verdict: &Verdict, place: Option<&Written>) -> FieldRow {
    let (to, build, stays, reason) = match verdict {
        Verdict::Raise(raise) => (Some(raise.to.release_name()), raise.to.build(), None, None),
        Verdict::Stays(stays) => (None, None, Some(stays.code), Some(stays.message.clone())),
    };
    FieldRow {
        field,
        from,
        to,
        build,
        path: place.map(|place| place.place.path.clone()),
        line: place.map(|place| place.line),
        profile: place.and_then(|place| place.profile.clone()),
        stays,
        reason,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    format_version: &'static str,
    /// Whether the files were written.
    written: bool,
    clusters: &'a [Row],
}

pub(super) fn json(rows: &[Row], written: bool, terminal: &mut Terminal) -> anyhow::Result<()> {
    terminal.json(&Report { format_version: "1.0", written, clusters: rows })
}

pub(super) fn table(rows: &[Row], terminal: &mut Terminal) -> anyhow::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut table = terminal.new_table(&["CLUSTER", "FIELD", "FROM", "TO", "WHERE", "WHY"]);
    for row in rows {
        for (at, field) in row.fields.iter().enumerate() {
            let tone = match (&field.to, field.stays) {
                (Some(_), _) => Tone::Good,
                (None, Some(code)) if code.is_remarkable() => Tone::Pending,
                (None, _) => Tone::Faint,
            };
            let place = field.path.as_ref().zip(field.line).map(|(path, line)| format!("{path}:{line}"));
            let cluster = if at == 0 { row.cluster.to_string() } else { String::new() };
            table.add_row([
                terminal.cell(cluster, Tone::Strong),
                terminal.cell(field.field, Tone::Plain),
                terminal.cell(&field.from, Tone::Plain),
                terminal.cell(field.to.as_deref().unwrap_or("-"), tone),
                terminal.cell(place.unwrap_or_else(|| "-".to_owned()), Tone::Faint),
                terminal.cell(why(row, field), tone),
            ]);
        }
    }
    terminal.table(table)?;
    for row in rows {
        for note in &row.notes {
            terminal.line(format!("note: {}: {note}", row.cluster))?;
        }
    }
    Ok(())
}

fn why(row: &Row, field: &FieldRow) -> String {
    if let Some(reason) = &field.reason {
        return reason.clone();
    }
    let mut said = Vec::new();
    if let Some(profile) = &field.profile {
        said.push(format!("given by Profile {profile}"));
    }
    if row.drawn_along {
        said.push("shares the value".to_owned());
    }
    if row.suspended {
        said.push("suspended".to_owned());
    }
    said.join(", ")
}

/// One line for people.
pub(super) fn verdict(rows: &[Row], files: usize, written: bool, terminal: &mut Terminal) {
    let raised = rows.iter().filter(|row| row.raises()).count();
    let alone = rows
        .iter()
        .filter(|row| row.fields.iter().any(|field| field.stays.is_some_and(StayCode::is_remarkable)))
        .count();
    let done = if written { "raised" } else { "could be raised" };
    let files = if written { format!(", {} written", plural(files, "file")) } else { String::new() };
    let alone = if alone > 0 { format!(", {alone} left alone for a reason") } else { String::new() };
    terminal.say(format!("{} {done}{files}{alone}", plural(raised, "cluster")));
}
