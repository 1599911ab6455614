//! `explain`: a code of a diagnostic or of a plan, a rule, or a field of a document, at length.

mod code;
mod fact;
mod field;
mod finding;
mod told;

use clap::ValueEnum;
use dataminer_schema::diagnostic::{Code, nearest};
use serde_json::json;

use self::field::Documents;
use super::{Exit, Helpful, Terminal};
use crate::package::FindingCode;

/// Explain a code, a rule, a field, or a fact about releases: E0301, NoPackage, H4, Cluster.spec.windows, 10.5.0 CU12
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The code of a diagnostic or of a plan, a rule's id, a kind, or KIND.field; capitals do not matter
    #[arg(value_name = "CODE|KIND.field", required = true, num_args = 1..)]
    what: Vec<String>,

    /// Folder of release knowledge of one's own
    #[arg(long, value_name = "DIR", env = "DATAMINER_RECONCILER_KNOWLEDGE")]
    knowledge: Option<std::path::PathBuf>,

    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Output {
    #[default]
    Text,
    Json,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    // `explain 10.5.0 CU12` is one release, with or without quotes around it.
    let what = args.what.join(" ");
    let what = what.trim().trim_matches('`');
    if let Ok(code) = what.parse::<Code>() {
        match args.output {
            Output::Json => terminal.json(&json!({ "formatVersion": "1.0", "codes": [code::data(code)] }))?,
            Output::Text => terminal.data(code::text(code, terminal))?,
        }
        return Ok(Exit::Ok);
    }
    if let Ok(code) = what.parse::<FindingCode>() {
        match args.output {
            Output::Json => {
                terminal.json(&json!({ "formatVersion": "1.0", "codes": [finding::data(code)] }))?;
            }
            Output::Text => terminal.data(finding::text(code))?,
        }
        return Ok(Exit::Ok);
    }
    // One word may be the code of a block and of a warning.
    let found: Vec<_> = told::all().filter(|(_, told)| told.code.eq_ignore_ascii_case(what)).collect();
    if !found.is_empty() {
        match args.output {
            Output::Json => {
                let codes: Vec<_> = found.iter().map(|(topic, told)| code::plan_data(*topic, told)).collect();
                terminal.json(&json!({ "formatVersion": "1.0", "codes": codes }))?;
            }
            Output::Text => {
                let texts: Vec<_> =
                    found.iter().map(|(topic, told)| code::plan_text(*topic, told, terminal)).collect();
                terminal.data(texts.join("\n"))?;
            }
        }
        return Ok(Exit::Ok);
    }
    let knowledge = super::fleet::knowledge(args.knowledge.as_deref(), terminal)?;
    if let Some(fact) = fact::find(&knowledge, what) {
        match args.output {
            Output::Json => terminal.json(&json!({ "formatVersion": "1.0", "fact": fact.data }))?,
            Output::Text => terminal.data(fact.text)?,
        }
        return Ok(Exit::Ok);
    }
    let documents = Documents::published();
    let field = documents.find(what).ok_or_else(|| nothing(what, &documents))??;
    match args.output {
        Output::Json => terminal.json(&json!({ "formatVersion": "1.0", "field": field }))?,
        Output::Text => terminal.data(field.text(terminal))?,
    }
    Ok(Exit::Ok)
}

/// What to say of a word that is nothing.
fn nothing(what: &str, documents: &Documents) -> anyhow::Error {
    let kinds = documents.kinds();
    let codes = Code::ALL.iter().map(|code| code.as_str());
    let findings = FindingCode::ALL.iter().map(|code| code.as_str());
    let words =
        codes.chain(findings).chain(told::all().map(|(_, told)| told.code)).chain(kinds.iter().copied());
    let shown: String = what.chars().filter(|c| !c.is_control()).take(60).collect();
    let help = match nearest(&shown, &words.collect::<Vec<_>>()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "write the code of a diagnostic (`E0301`), a code of a plan (`NoPackage`), a rule (`H4`), or a field such as \
             `Cluster.spec.windows`; the kinds are {}",
            kinds.join(", ")
        ),
    };
    Helpful::new(format!("there is nothing called `{shown}` to explain"), help).into()
}

/// The widest line of prose.
const WIDTH: usize = 100;

/// `text` in lines that start with `indent`; what cites the sources of facts stays behind.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in without_citation(text).split_whitespace() {
        if !line.is_empty() && indent.len() + line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.extend([format!("{indent}{line}\n")]);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    lines + &format!("{indent}{line}\n")
}

/// Without ``(`domain/04 section 2`)``, which is for readers of the code.
pub(super) fn without_citation(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" (`domain/") {
        plain += before;
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

#[cfg(test)]
mod tests;
