//! `StandaloneBpaExecutor.exe` on the command line (`domain/05 section 3`).
//!
//! How its result file is laid out is not documented; what stands here is invented around the documented property
//! `Outcome` and its values.

use std::{fmt::Write as _, sync::Arc};

use dataminer_schema::version::Version;

use super::{
    agent::Agent,
    package::Content,
    prerequisites::{self, check_file},
};
use crate::{cmd::Streams, disk::WinPath, order::reached};

/// The largest check that is opened.
const MAX_CHECK: usize = 1 << 20;

/// What a command line asks for.
struct Wanted {
    result: Option<WinPath>,
    checks: Vec<WinPath>,
}

/// `-f RESULT --"CHECK" "CHECK"…`: two hyphens are glued to the first check.
fn read(arguments: &[String]) -> Option<Wanted> {
    let mut wanted = Wanted { result: None, checks: Vec::new() };
    let path = |text: &str| WinPath::parse(text, &WinPath::root()).ok();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if let Some(first) = word.strip_prefix("--") {
            wanted.checks.push(path(first)?);
            for check in words.by_ref() {
                wanted.checks.push(path(check)?);
            }
        } else {
            match word.as_str() {
                "-f" | "-file" => wanted.result = Some(path(words.next()?)?),
                "-u" | "-username" | "-p" | "-password" => {
                    words.next()?;
                }
                _ => return None,
            }
        }
    }
    (!wanted.checks.is_empty()).then_some(wanted)
}

/// One check as the result file tells it.
struct Result {
    name: String,
    outcome: &'static str,
    message: String,
}

/// Runs the checks to their end; dropping it is killing it.
pub(super) async fn run(agent: Arc<Agent>, arguments: Vec<String>, streams: &Streams) -> i32 {
    let Some(wanted) = read(&arguments) else {
        agent.machine.note_unknown(format!("StandaloneBpaExecutor {}", arguments.join(" ")));
        streams.complain("Invalid arguments");
        return exit(&agent, 1);
    };
    let mut results = Vec::new();
    for check in &wanted.checks {
        agent.pause(2, 8).await;
        results.push(one(&agent, check));
    }
    let text = json(&results);
    let written = wanted.result.as_ref().map(|path| agent.machine.disk.write(path, text.as_bytes()));
    let _unwritten = streams.line(&text);
    if let Some(Err(error)) = written {
        streams.complain(&format!("The results could not be written: {error}"));
        return exit(&agent, 1);
    }
    if results.iter().any(|result| result.outcome == "ExecutionFailed") {
        exit(&agent, 1)
    } else {
        exit(&agent, if results.iter().any(|result| result.outcome == "IssuesDetected") { 2 } else { 0 })
    }
}

/// Before 10.6.7/10.7.0 it always ends with 0 (RN 45433).
fn exit(agent: &Agent, code: i32) -> i32 {
    if reached(&agent.state().core, (10, 7, 0), (10, 6, 7)) { code } else { 0 }
}

fn one(agent: &Agent, path: &WinPath) -> Result {
    let name = path.name().unwrap_or_default().to_owned();
    let bytes = agent.machine.disk.read(path, MAX_CHECK).unwrap_or_default();
    let Some((check, content)) = signed(&bytes) else {
        let message = "The test is not signed or cannot be loaded".to_owned();
        return Result { name, outcome: "ExecutionFailed", message };
    };
    match prerequisites::run(agent, &content, &check) {
        Ok(()) => Result { name, outcome: "NoIssues", message: "No issues were detected.".to_owned() },
        Err(message) => Result { name, outcome: "IssuesDetected", message },
    }
}

/// The check and the software that its package brings, as `package` wrote it there.
fn signed(bytes: &[u8]) -> Option<(String, Content)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (check, rest) = text.strip_prefix("MZ ")?.split_once(" of ")?;
    let (kind, version) = rest.split_once(' ')?;
    let version: Version = version.parse().ok()?;
    let content = match kind {
        "Full" => Content::Full(version),
        "Web" => Content::Web(version),
        _ => return None,
    };
    (check_file(check, &content) == text).then(|| (check.to_owned(), content))
}

fn json(results: &[Result]) -> String {
    let quoted = |text: &str| {
        let mut out = String::from("\"");
        for c in text.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                c if c.is_control() => {
                    let _infallible = write!(out, "\\u{:04x}", u32::from(c));
                }
                c => out.push(c),
            }
        }
        out.push('"');
        out
    };
    let results: Vec<String> = results
        .iter()
        .map(|Result { name, outcome, message }| {
            format!(
                "  {{ \"Name\": {}, \"Outcome\": {}, \"ResultMessage\": {}, \"Impact\": \"\", \"CorrectiveAction\": \"\" }}",
                quoted(name),
                quoted(outcome),
                quoted(message)
            )
        })
        .collect();
    format!("\u{feff}[\r\n{}\r\n]\r\n", results.join(",\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_command_line_reads() {
        let words = |text: &[&str]| text.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let documented = words(&[
            "-u",
            "Administrator",
            "-p",
            "x",
            "-f",
            r"C:\t\r.json",
            r"--C:\t\a b.dll",
            r"C:\t\c.dll",
        ]);
        let wanted = read(&documented).expect("it reads");
        assert_eq!(wanted.checks.len(), 2);
        assert!(wanted.result.is_some());
        assert!(read(&words(&["-f", r"C:\t\r.json"])).is_none(), "no check");
        assert!(read(&words(&["-x", r"--C:\t\a.dll"])).is_none());
    }

    #[test]
    fn a_check_is_known_by_what_its_package_wrote() {
        let content = Content::Full("10.5.0 CU12 (build 16889)".parse().expect("a version"));
        let file = check_file("VerifyX.dll", &content);
        assert_eq!(signed(file.as_bytes()), Some(("VerifyX.dll".to_owned(), content)));
        for other in ["", "MZ", "MZ VerifyX.dll", "MZ a of Full x", "MZ a of Tool 10.5.1", "\u{ff}"] {
            assert_eq!(signed(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn results_are_json_whatever_a_check_says() {
        let result = Result { name: "a".to_owned(), outcome: "NoIssues", message: "\"\\\n\u{1}".to_owned() };
        assert!(json(&[result]).contains(r#""\"\\\u000a\u0001""#));
    }
}
