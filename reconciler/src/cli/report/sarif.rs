//! SARIF 2.1.0 (OASIS), which code scanning of forges and editors reads.

use std::collections::BTreeSet;

use dataminer_schema::diagnostic::{Code, Diagnostic, Related, Severity};
use serde_json::{Value, json};

use super::{
    super::explain::without_citation,
    Findings,
    place::{end, uri},
};

/// The log: one run, with the rules that found something.
pub(super) fn log(findings: &Findings<'_>) -> Value {
    let used: BTreeSet<Code> = findings.diagnostics.iter().map(|found| found.code).collect();
    let used: Vec<Code> = used.into_iter().collect();
    let results: Vec<Value> =
        findings.diagnostics.iter().map(|found| result(findings, &used, found)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "dataminer-reconciler",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": used.iter().copied().map(rule).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "name": format!("{code:?}"),
        "shortDescription": { "text": code.meaning() },
        "fullDescription": { "text": without_citation(code.explanation().why) },
        "help": { "text": format!("{} `dataminer-reconciler explain {code}` shows an example.", code.meaning()) },
    })
}

fn result(findings: &Findings<'_>, used: &[Code], diagnostic: &Diagnostic) -> Value {
    let Diagnostic { code, severity, path, line, column, span, message, help, related } = diagnostic;
    let text = match help {
        Some(help) => format!("{message}\nhelp: {help}"),
        None => message.clone(),
    };
    let mut result = json!({
        "ruleId": code.as_str(),
        "ruleIndex": used.iter().position(|rule| rule == code),
        "level": match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": { "text": text },
        "locations": [{
            "physicalLocation": location(findings, path, (*line, *column), span.as_ref()),
        }],
    });
    if !related.is_empty() {
        let related =
            related.iter().enumerate().map(|(id, Related { path, line, column, span, message })| {
                json!({
                    "id": id,
                    "message": { "text": message },
                    "physicalLocation": location(findings, path, (*line, *column), span.as_ref()),
                })
            });
        result["relatedLocations"] = related.collect();
    }
    result
}

fn location(
    findings: &Findings<'_>,
    path: &str,
    start: (usize, usize),
    span: Option<&std::ops::Range<usize>>,
) -> Value {
    let mut location = json!({ "artifactLocation": { "uri": uri(path) } });
    let (line, column) = start;
    if line > 0 {
        let mut region = json!({ "startLine": line, "startColumn": column });
        if let Some((end_line, end_column)) = end(findings.text_of(path), span, start) {
            region["endLine"] = end_line.into();
            region["endColumn"] = end_column.into();
        }
        location["region"] = region;
    }
    location
}

#[cfg(test)]
mod tests {
    use super::{super::testing::hostile, *};

    fn of_hostile() -> Value {
        let (files, diagnostics) = hostile();
        log(&Findings::new(files.iter(), &diagnostics))
    }

    #[test]
    fn the_log_reads_well() {
        insta::assert_snapshot!(serde_json::to_string_pretty(&of_hostile()).expect("it is JSON"));
    }

    /// What the standard demands of the parts that are written here (sections 3.27 to 3.30 and 3.49).
    #[test]
    fn the_log_has_what_the_standard_demands() {
        let log = of_hostile();
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().expect("there are rules");
        assert!(run["tool"]["driver"]["name"].is_string());
        let ids: BTreeSet<&str> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
        assert_eq!(ids.len(), rules.len(), "ids are unique");
        let results = run["results"].as_array().expect("there are results");
        assert!(results.len() > 3);
        for result in results {
            let index = result["ruleIndex"].as_u64().and_then(|index| usize::try_from(index).ok());
            assert_eq!(rules[index.expect("it is an index")]["id"], result["ruleId"]);
            assert!(matches!(result["level"].as_str(), Some("error" | "warning")));
            assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
            let related = result["relatedLocations"].as_array().into_iter().flatten();
            for place in result["locations"].as_array().expect("a list").iter().chain(related) {
                let place = &place["physicalLocation"];
                let uri = place["artifactLocation"]["uri"].as_str().expect("it has a URI");
                assert!(uri.is_ascii() && !uri.contains([' ', '\\', '"', '<', ':']), "{uri}");
                let figure = |name: &str| place["region"][name].as_u64();
                if let Some(line) = figure("startLine") {
                    let column = figure("startColumn").expect("a column stands beside the line");
                    assert!(line >= 1 && column >= 1);
                    if let (Some(end_line), Some(end_column)) = (figure("endLine"), figure("endColumn")) {
                        assert!((end_line, end_column) >= (line, column));
                    }
                }
            }
        }
    }
}
