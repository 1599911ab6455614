//! Diagnostics for people: the lines of the files with a caret.
//!
//! Each place shows one line and no more: that is enough of a whole mapping too, and a line that nobody pointed at
//! may hold a secret.

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::{Code, Diagnostic, Related, Severity, excerpt::Excerpt};

/// The widest line of a file that is shown whole; terminals and review comments are narrow.
const WIDTH: usize = 140;

/// Whether the text goes to a terminal that shows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Plain text.
    Plain,
    /// ANSI escapes, as compilers use them.
    Coloured,
}

pub(super) fn render<'s>(
    diagnostic: &Diagnostic,
    text_of: impl Fn(&str) -> Option<&'s str>,
    paint: Paint,
) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(printable(&diagnostic.message)).id(diagnostic.code.as_str());
    let excerpt = |path: &str, span: Option<&std::ops::Range<usize>>| {
        text_of(path).zip(span).and_then(|(text, span)| Excerpt::of(text, span))
    };
    let mut own = excerpt(&diagnostic.path, diagnostic.span.as_ref());
    if diagnostic.code == Code::SecretInFile {
        own = own.map(Excerpt::blotted);
    }
    let Diagnostic { path, line, column, .. } = diagnostic;
    let mut group = match own {
        Some(excerpt) => title.element(snippet(excerpt, path, *line, AnnotationKind::Primary, None)),
        None => title.element(origin(path, *line, *column)),
    };
    for Related { path, line, column, span, message } in &diagnostic.related {
        group = match excerpt(path, span.as_ref()) {
            Some(excerpt) => {
                let label = Some(printable(message));
                group.element(snippet(excerpt, path, *line, AnnotationKind::Context, label))
            }
            None => {
                let place = format!("{}:{line}:{column}", printable(path));
                group.element(Level::NOTE.message(format!("{place}: {}", printable(message))))
            }
        };
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    finish(group, paint)
}

fn finish(group: Group<'_>, paint: Paint) -> String {
    let renderer = match paint {
        Paint::Plain => Renderer::plain(),
        Paint::Coloured => Renderer::styled(),
    };
    let mut text = renderer.term_width(WIDTH).render(&[group]);
    text.push('\n');
    text
}

fn origin(path: &str, line: usize, column: usize) -> Origin<'static> {
    let origin = Origin::path(printable(path));
    if line > 0 { origin.line(line).char_column(column) } else { origin }
}

fn snippet(
    Excerpt { line: text, marked }: Excerpt,
    path: &str,
    line: usize,
    kind: AnnotationKind,
    label: Option<String>,
) -> Element<'static> {
    let mark = kind.span(marked);
    let mark = match label {
        Some(label) => mark.label(label),
        None => mark,
    };
    Snippet::source(text).line_start(line).path(printable(path)).annotation(mark).into()
}

/// Keeps control characters of a file off the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use crate::{
        diagnostic::{Diagnostic, Paint},
        load::{SourceFile, load_fleet},
    };

    /// What a reader sees of these files.
    fn seen(files: &[(&str, &str)], paint: Paint) -> String {
        let sources: Vec<SourceFile> = files
            .iter()
            .map(|(path, text)| SourceFile { path: (*path).to_owned(), bytes: text.as_bytes().to_vec() })
            .collect();
        let text_of = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| *text);
        let (_, found) = load_fleet(&sources);
        found.iter().map(|found: &Diagnostic| found.render(text_of, paint)).collect::<Vec<_>>().join("\n")
    }

    fn cluster(name: &str, agents: &str) -> String {
        format!(
            "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: {{ name: {name} }}\nspec:\n  \
             software: {{ core: 10.5.0 CU9 }}\n  agents:\n{agents}"
        )
    }

    #[test]
    fn two_places_of_one_file_and_of_two_are_both_shown() {
        let twice = "    - { name: a, address: 10.0.0.1 }\n    - { name: a, address: 10.0.0.2 }\n";
        let other = "    - { name: b, address: 10.0.0.1 }\n";
        let files = [("lab.yaml", cluster("lab", twice)), ("test/lab.yaml", cluster("lab", other))];
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        insta::assert_snapshot!(seen(&files, Paint::Plain), @r"
        error[E0504]: there are two Agents `a`
         --> lab.yaml:8:15
          |
        8 |     - { name: a, address: 10.0.0.2 }
          |               ^
          |
         ::: lab.yaml:7:15
          |
        7 |     - { name: a, address: 10.0.0.1 }
          |               - the first is here
          |
          = help: rename one; the first is on line 7

        error[E0601]: there are two clusters `lab`
         --> test/lab.yaml:3:19
          |
        3 | metadata: { name: lab }
          |                   ^^^
          |
         ::: lab.yaml:3:19
          |
        3 | metadata: { name: lab }
          |                   --- the other is here
          |
          = help: the first is at lab.yaml:3:19; names are unique
        ");
    }

    #[test]
    fn carets_stand_under_what_is_meant() {
        let mut shown = String::new();
        let long = format!(
            "apiVersion: dataminer.gitops/v1\nkind: Cluster\n\
             metadata: {{ name: lab, annotations: {{ x: {} }}, lables: {{ y: {} }} }}\n\
             spec: {{ software: {{ core: 10.5.0 CU9 }}, agents: [{{ name: a, address: a }}] }}\n",
            "x".repeat(5_000),
            "y".repeat(5_000)
        );
        for (what, text) in [
            (
                "a mapping over several lines",
                cluster("lab", "    - name: a\n      address:\n        host: 10.0.0.1\n"),
            ),
            ("wide characters", cluster("lab", "    - { name: \"値段\", address: \"é é\" }\n")),
            ("CRLF", cluster("lab", "    - { name: a, adress: 10.0.0.1 }\n").replace('\n', "\r\n")),
            (
                "a byte order mark",
                format!("\u{feff}apiversion: x\n{}", cluster("lab", "    - { name: a, address: a }\n")),
            ),
            (
                "a tab",
                cluster("lab", "    - { name: a,\taddress: a }\n")
                    .replace("core", "\tcore")
                    .replace("a }", "a..b }"),
            ),
            ("a long line", long),
            ("a terminal's escapes", cluster("lab", "    - { name: a, address: \"\\e[31m\u{202e}\" }\n")),
        ] {
            shown.extend([format!("== {what}\n{}", seen(&[("lab.yaml", &text)], Paint::Plain))]);
        }
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn colours_are_escapes_around_the_same_text() {
        let text = cluster("lab", "    - { name: a, adress: a }\n");
        let coloured = seen(&[("lab.yaml", &text)], Paint::Coloured);
        assert!(coloured.contains("\u{1b}["), "{coloured:?}");
        let mut plain = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            plain.push_str(before);
            rest = after.split_once('m').expect("an escape ends").1;
        }
        plain.push_str(rest);
        assert_eq!(plain, seen(&[("lab.yaml", &text)], Paint::Plain));
    }
}
