//! Workflow commands: GitHub Actions takes them from a step's output and shows them beside the lines.

use dataminer_schema::diagnostic::{Diagnostic, Severity};

use super::{
    Findings,
    place::{end, trimmed, turns},
};

/// One command: `::error file=…,line=…,…,title=E0301::message`.
pub(super) fn command(findings: &Findings<'_>, diagnostic: &Diagnostic) -> String {
    let Diagnostic { code, severity, path, line, column, span, message, help, related } = diagnostic;
    let level = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut properties = vec![("file", trimmed(path).to_owned())];
    if *line > 0 {
        properties.push(("line", line.to_string()));
        let end = end(findings.text_of(path), span.as_ref(), (*line, *column)).unwrap_or((*line, *column));
        properties.push(("endLine", end.0.to_string()));
        // Columns are taken only where they are of one line.
        if end.0 == *line {
            properties.push(("col", column.to_string()));
            properties.push(("endColumn", end.1.to_string()));
        }
    }
    properties.push(("title", code.to_string()));
    let properties: Vec<String> =
        properties.into_iter().map(|(name, value)| format!("{name}={}", property(&value))).collect();
    let mut text = message.clone();
    for place in related {
        text.extend([format!(
            "\n{}:{}:{}: {}",
            trimmed(&place.path),
            place.line,
            place.column,
            place.message
        )]);
    }
    if let Some(help) = help {
        text.extend([format!("\nhelp: {help}")]);
    }
    format!("::{level} {}::{}", properties.join(","), data(&text))
}

/// The text of a command. A line break that is not escaped would end it, and what follows could be another command.
fn data(text: &str) -> String {
    let plain = |c: char| if (c.is_control() && c != '\n' && c != '\r') || turns(c) { '\u{fffd}' } else { c };
    let text: String = text.chars().map(plain).collect();
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{super::testing::hostile, *};

    #[test]
    fn commands_are_one_line_whatever_a_file_says() {
        let (files, diagnostics) = hostile();
        let findings = Findings::new(files.iter(), &diagnostics);
        let commands: Vec<String> =
            diagnostics.iter().map(|diagnostic| command(&findings, diagnostic)).collect();
        assert!(commands.iter().all(|command| !command.contains(['\n', '\r', '\u{1b}'])), "{commands:?}");
        insta::assert_snapshot!(commands.join("\n"));
    }
}
