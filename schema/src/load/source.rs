//! A file under reading: its text, positions in it, and what was found wrong.

use std::{cell::RefCell, ops::Range, sync::Arc};

use super::{characters::Characters, hidden::Hidden, secret::line_holds_secret};
use crate::diagnostic::{Code, Diagnostic, Related, Severity};

/// More faults than this in one file help nobody.
pub(super) const MAX_DIAGNOSTICS: usize = 200;

/// A place in a file, for messages that refer to it later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: Arc<str>,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) span: Range<usize>,
    /// Whether its line may be shown: not if it holds a secret.
    pub(super) shown: bool,
}

impl Place {
    /// A diagnostic at this place.
    pub(super) fn error(&self, code: Code, message: String, help: Option<String>) -> Diagnostic {
        let Self { path, line, column, span, shown } = self.clone();
        let (path, span) = (path.to_string(), shown.then_some(span));
        let (severity, related) = (Severity::Error, Vec::new());
        Diagnostic { code, severity, path, line, column, span, message, help, related }
    }

    /// This place, for a diagnostic about another.
    pub(super) fn related(&self, message: &str) -> Related {
        let Self { path, line, column, span, shown } = self.clone();
        Related {
            path: path.to_string(),
            line,
            column,
            span: shown.then_some(span),
            message: message.to_owned(),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, line, column, span: _, shown: _ } = self;
        write!(f, "{path}:{line}:{column}")
    }
}

/// A file under reading.
pub(super) struct Source<'a> {
    path: Arc<str>,
    pub(super) text: &'a str,
    /// Where each line starts.
    lines: Vec<usize>,
    /// Whether each line, read as plain text, holds a secret: found out when it is first asked for, and asked for by
    /// every value on it.
    telling: RefCell<Vec<Option<bool>>>,
    /// Values that look like secrets.
    secrets: Hidden,
    characters: Characters,
    diagnostics: Vec<Diagnostic>,
    errors: usize,
    /// Whether faults were left out.
    cut: bool,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a str, text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines: Vec<usize> = std::iter::once(0).chain(breaks).collect();
        let telling = RefCell::new(vec![None; lines.len()]);
        Self {
            path: path.into(),
            text,
            lines,
            telling,
            secrets: Hidden::default(),
            characters: Characters::of(text),
            diagnostics: Vec::new(),
            errors: 0,
            cut: false,
        }
    }

    /// The place of a byte range.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        // A fault of a whole collection is placed at its first byte, which may be part of a character.
        let start = (0..=span.start.min(self.text.len()))
            .rev()
            .find(|at| self.text.is_char_boundary(*at))
            .unwrap_or(0);
        let end = (span.end..).take(4).find(|at| self.text.is_char_boundary(*at)).unwrap_or(self.text.len());
        let line = self.lines.partition_point(|line_start| *line_start <= start);
        let line_start = self.lines[line - 1];
        let line_end = self.lines.get(line).copied().unwrap_or(self.text.len());
        // The byte order mark is no part of the first line. Only in front of everything it is a mark; elsewhere it is
        // a character.
        let marked = line_start == 0 && start > 0 && self.text.starts_with('\u{feff}');
        let column = self.characters.within(self.text, line_start..start) - usize::from(marked) + 1;
        // The secret itself is blotted out when it is shown; others on its line would not be.
        let own = self.secrets.contains(span);
        let shown = !self.secrets.others(span, &(line_start..line_end))
            && (own || !self.tells(line - 1, line_start..line_end));
        let span = start..end.max(start);
        Place { path: Arc::clone(&self.path), line, column, span, shown }
    }

    /// Whether a line holds a secret as plain text.
    fn tells(&self, line: usize, span: Range<usize>) -> bool {
        let mut telling = self.telling.borrow_mut();
        let judge = || line_holds_secret(self.text.get(span).unwrap_or_default());
        match telling.get_mut(line) {
            Some(known) => *known.get_or_insert_with(judge),
            None => judge(),
        }
    }

    /// Notes values that must not be shown; from now on their lines are not.
    pub(super) fn hide(&mut self, secrets: &Hidden) {
        self.secrets.add(secrets);
    }

    /// Notes an error.
    pub(super) fn error(
        &mut self,
        span: &Range<usize>,
        code: Code,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        let diagnostic = self.place(span).error(code, message.into(), help.into());
        self.push(diagnostic);
    }

    /// Notes an error at the second of two places that collide.
    pub(super) fn collision(
        &mut self,
        span: &Range<usize>,
        code: Code,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
        first: &Place,
    ) {
        let diagnostic = self.place(span).error(code, message.into(), help.into());
        self.push(diagnostic.and(first.related("the first is here")));
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(diagnostic);
        } else if !self.cut {
            self.cut = true;
            self.diagnostics.push(Diagnostic::of_file(
                self.path.as_ref(),
                Code::TooManyDiagnostics,
                format!("this file has more than {MAX_DIAGNOSTICS} faults"),
                "correct these first, then validate again",
            ));
        }
    }

    /// How many errors there are so far.
    pub(super) fn error_count(&self) -> usize {
        self.errors
    }

    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }
}
