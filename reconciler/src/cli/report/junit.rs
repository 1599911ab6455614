//! JUnit XML: one test case for each file, so that a build server shows a fleet as it shows tests.

use std::{collections::BTreeMap, io};

use dataminer_schema::diagnostic::{Diagnostic, Severity};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::{Findings, place::turns};

/// The document.
///
/// # Errors
/// None that a buffer in memory has.
pub(super) fn document(findings: &Findings<'_>) -> io::Result<String> {
    // What was not read, a link or a folder, is a case of its own.
    let mut cases: BTreeMap<&str, Vec<&Diagnostic>> =
        findings.files().map(|path| (path, Vec::new())).collect();
    for diagnostic in findings.diagnostics {
        cases.entry(diagnostic.path.as_str()).or_default().push(diagnostic);
    }
    let failed = cases.values().filter(|found| found.iter().any(|found| is_error(found))).count();
    let (tests, failed) = (cases.len().to_string(), failed.to_string());
    let counts =
        [("tests", tests.as_str()), ("failures", failed.as_str()), ("errors", "0"), ("skipped", "0")];
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites =
        writer.create_element("testsuites").with_attribute(("name", "dataminer-reconciler validate"));
    suites.with_attributes(counts).write_inner_content(|writer| {
        let suite = writer.create_element("testsuite").with_attribute(("name", "manifests"));
        suite.with_attributes(counts).write_inner_content(|writer| {
            cases.iter().try_for_each(|(path, found)| case(writer, path, found))
        })?;
        Ok(())
    })?;
    Ok(String::from_utf8_lossy(&writer.into_inner()).into_owned())
}

fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

fn case(writer: &mut Writer<Vec<u8>>, path: &str, found: &[&Diagnostic]) -> io::Result<()> {
    let path = legal(path);
    let element = writer.create_element("testcase").with_attribute(("classname", "manifests"));
    let element = element.with_attributes([("name", path.as_str()), ("file", path.as_str())]);
    if found.is_empty() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|writer| {
        for found in found.iter().filter(|found| is_error(found)) {
            let message = legal(&found.message);
            writer
                .create_element("failure")
                .with_attributes([("type", found.code.as_str()), ("message", message.as_str())])
                .write_text_content(BytesText::new(&words(found)))?;
        }
        let warnings: Vec<String> =
            found.iter().filter(|found| !is_error(found)).map(|found| words(found)).collect();
        if !warnings.is_empty() {
            writer.create_element("system-out").write_text_content(BytesText::new(&warnings.join("\n")))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// A diagnostic on one line, and its other places each on one more.
fn words(diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.to_string();
    for place in &diagnostic.related {
        text.extend([format!("\n{}:{}:{}: {}", place.path, place.line, place.column, place.message)]);
    }
    legal(&text)
}

/// Without the characters that XML 1.0 has no way to write (section 2.2, production `Char`), and without controls.
fn legal(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' => c,
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c if c.is_control() || turns(c) => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use quick_xml::{Reader, events::Event};

    use super::{super::testing::hostile, *};

    #[test]
    fn the_document_is_well_formed_whatever_a_file_says() {
        let (files, diagnostics) = hostile();
        let text = document(&Findings::new(files.iter(), &diagnostics)).expect("a buffer takes everything");
        let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(text.chars().all(legal), "{text}");
        let mut reader = Reader::from_str(&text);
        let mut failures = 0;
        loop {
            match reader.read_event().unwrap_or_else(|error| panic!("{error}: {text}")) {
                Event::Start(start) => {
                    for attribute in start.attributes() {
                        attribute.expect("attributes are well-formed").unescape_value().expect("and escaped");
                    }
                    failures += usize::from(start.name().as_ref() == b"failure");
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(failures, diagnostics.iter().filter(|found| is_error(found)).count());
        insta::assert_snapshot!(text);
    }
}
