//! Codes of diagnostics and of plans, and the rules behind a plan's steps.

use dataminer_schema::diagnostic::{Code, Example, Explanation, Frame};
use serde_json::{Value, json};

use super::{
    super::{Terminal, Tone},
    told::{Told, Topic},
    without_citation, wrapped,
};

pub(super) fn text(code: Code, terminal: &Terminal) -> String {
    let Explanation { why, example } = code.explanation();
    let mut text = format!("{}: {}\n\n", terminal.tint(code.as_str(), Tone::Strong), code.meaning());
    text += &wrapped(why, "");
    match example {
        Example::Parts { of, wrong, right } => {
            let of = name(of);
            text.extend([format!("\nWrong, in {of}:\n\n{}", indented(wrong))]);
            text.extend([format!("\nRight:\n\n{}", indented(right))]);
        }
        Example::Told(example) => text.extend([format!("\n{}", wrapped(example, ""))]),
    }
    text
}

pub(super) fn data(code: Code) -> Value {
    let Explanation { why, example } = code.explanation();
    let mut data = json!({
        "topic": "Diagnostic",
        "code": code,
        "meaning": code.meaning(),
        "why": without_citation(why),
    });
    match example {
        Example::Parts { of, wrong, right } => {
            data["wrong"] = of.documents(wrong).into();
            data["right"] = of.documents(right).into();
        }
        Example::Told(example) => data["example"] = example.into(),
    }
    data
}

fn name(of: Frame) -> &'static str {
    match of {
        Frame::Cluster => "a Cluster",
        Frame::PackageCatalog => "a PackageCatalog",
        Frame::Observation => "an Observation",
        Frame::ReconcilerConfig => "the ReconcilerConfig",
        Frame::Whole => "a manifest",
    }
}

fn indented(yaml: &str) -> String {
    yaml.lines().map(|line| format!("    {line}\n")).collect()
}

/// What a code is the code of; what the last sentences are headed by.
fn words(topic: Topic) -> (&'static str, &'static str) {
    match topic {
        Topic::Block => ("blocks a plan", "What to do"),
        Topic::Waiting => ("a plan waits", "What to do"),
        Topic::Warning => ("a warning of a plan", "What to do"),
        Topic::Check => ("what doctor looks at", "What to do"),
        Topic::Rule => ("a rule of the planner", "What the planner does"),
    }
}

pub(super) fn plan_text(topic: Topic, told: &Told, terminal: &Terminal) -> String {
    let Told { code, meaning, when, cure } = told;
    let (what, heading) = words(topic);
    let mut text = format!("{} ({what}): {meaning}\n\n", terminal.tint(code, Tone::Strong));
    text += &wrapped(&format!("When: {when}"), "");
    text += &wrapped(&format!("{heading}: {cure}"), "");
    text
}

pub(super) fn plan_data(topic: Topic, told: &Told) -> Value {
    let Told { code, meaning, when, cure } = told;
    json!({
        "topic": format!("{topic:?}"),
        "code": code,
        "meaning": meaning,
        "when": without_citation(when),
        "cure": without_citation(cure),
    })
}
