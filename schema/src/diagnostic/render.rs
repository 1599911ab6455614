//! Diagnostics for people: the line of the file with a caret.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use super::{Code, Diagnostic, Severity};

/// The widest text that is laid out; terminals and review comments are narrow.
const WIDTH: usize = 140;

pub(super) fn render(diagnostic: &Diagnostic, source: &str) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let path = printable(&diagnostic.path);
    let title = level.primary_title(printable(&diagnostic.message)).id(diagnostic.code.as_str());
    let mut group = match diagnostic.span.as_ref().and_then(|span| Excerpt::of(source, span)) {
        Some(Excerpt { mut line, span }) => {
            if diagnostic.code == Code::SecretInFile {
                line = blot(&line, &span);
            }
            title.element(
                Snippet::source(line)
                    .line_start(diagnostic.line)
                    .path(path)
                    .annotation(AnnotationKind::Primary.span(span)),
            )
        }
        None => {
            let origin = Origin::path(path);
            let place = (diagnostic.line > 0).then_some((diagnostic.line, diagnostic.column));
            title.element(match place {
                Some((line, column)) => origin.line(line).char_column(column),
                None => origin,
            })
        }
    };
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    let mut text = Renderer::plain().term_width(WIDTH).render(&[group]);
    text.push('\n');
    text
}

/// The line that a span starts on, and the part of the span on it: one line says enough, also of a whole mapping.
struct Excerpt {
    line: String,
    span: Range<usize>,
}

impl Excerpt {
    /// `None` if the span is not one of `source`.
    fn of(source: &str, span: &Range<usize>) -> Option<Self> {
        let before = source.get(..span.start)?;
        source.get(span.clone())?;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = &source[start..];
        let line = rest.lines().next().unwrap_or_default();
        let from = (span.start - start).min(line.len());
        let to = (span.end - start).min(line.trim_end().len()).max(from);
        // One byte for one byte keeps the span right; a tab would push the caret aside.
        Some(Self { line: line.replace('\t', " "), span: from..to })
    }
}

/// Blots a span out, in the same length.
fn blot(line: &str, span: &Range<usize>) -> String {
    let stars = "*".repeat(span.len());
    format!("{}{stars}{}", &line[..span.start], &line[span.end..])
}

/// Keeps control characters of a file off the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
