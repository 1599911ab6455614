//! What is wrong in a file, where, and what to write instead.

mod code;
mod excerpt;
mod explain;
mod nearest;
mod render;

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

pub use self::{
    code::{Code, UnknownCode},
    explain::{Example, Explanation, Frame},
    nearest::nearest,
    render::Paint,
};

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document is not used.
    Error,
    /// The document is used all the same.
    Warning,
}

/// Something that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Which kind of fault; stable.
    pub code: Code,
    /// Whether the document is used all the same.
    pub severity: Severity,
    /// The file, as it was named when it was read.
    pub path: String,
    /// From 1; 0 where the diagnostic is about the file as a whole.
    pub line: usize,
    /// In characters, from 1; 0 where the diagnostic is about the file as a whole.
    pub column: usize,
    /// Bytes of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Other places that it is about: the first of two that collide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
}

/// Another place that a diagnostic is about, in the same file or another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    /// The file, as it was named when it was read.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// Bytes of the file; absent where its line must not be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Range<usize>>,
    /// What is there: `the first is here`.
    pub message: String,
}

impl Diagnostic {
    /// An error about a file as a whole.
    pub fn of_file(path: &str, code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            path: path.to_owned(),
            line: 0,
            column: 0,
            span: None,
            message: message.into(),
            help: Some(help.into()),
            related: Vec::new(),
        }
    }

    /// The diagnostic with one more place that it is about.
    #[must_use]
    pub fn and(mut self, related: Related) -> Self {
        self.related.push(related);
        self
    }

    /// The diagnostic with a snippet of `source`, the text of its file, and a caret.
    ///
    /// A secret-looking value is blotted out. A `source` that is not the text of the file costs the snippet only.
    pub fn render_text(&self, source: &str) -> String {
        self.render(|path| (path == self.path).then_some(source), Paint::Plain)
    }

    /// The diagnostic with snippets of all files that it speaks of, whose texts `text_of` knows by their paths.
    ///
    /// A secret-looking value is blotted out. A text that is not the file's costs its snippet only.
    pub fn render<'s>(&self, text_of: impl Fn(&str) -> Option<&'s str>, paint: Paint) -> String {
        render::render(self, text_of, paint)
    }
}

impl fmt::Display for Diagnostic {
    /// One line: `path:line:column: error[E0301]: message (help: …)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, severity, path, line, column, span: _, message, help, related: _ } = self;
        f.write_str(path)?;
        if *line > 0 {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {severity}[{code}]: {message}")?;
        match help {
            Some(help) => write!(f, " (help: {help})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}
