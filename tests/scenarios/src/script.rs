//! A story as a file: comments, commands, the indented block of a command, and the text that it printed.
//!
//! Nothing of a file is lost: what was read is written again byte for byte but for the printed lines.

use std::fmt::Write;

/// The mark of a printed line.
const PRINTED: &str = "|";

/// A story, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) items: Vec<Item>,
}

/// A part of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A comment or an empty line.
    Text(String),
    Step(Step),
}

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) command: String,
    /// The lines below it that begin with two blanks, without them.
    pub(crate) block: Vec<String>,
    /// What it printed when the file was written.
    pub(crate) printed: Vec<String>,
}

impl Script {
    /// Reads a file. A line is a comment (`#`), empty, a command, part of its block (two blanks) or of its output (`|`).
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut items: Vec<Item> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let refuse = |what: &str| Err(format!("line {number}: {what}: `{line}`"));
            if line.trim_end() != line {
                return refuse("blanks at the end of a line");
            }
            if let Some(printed) = line.strip_prefix(PRINTED) {
                let Some(Item::Step(step)) = items.last_mut() else {
                    return refuse("output without a command above it");
                };
                step.printed.push(printed.strip_prefix(' ').unwrap_or(printed).to_owned());
            } else if let Some(inner) = line.strip_prefix("  ") {
                let Some(Item::Step(step)) = items.last_mut() else {
                    return refuse("a block without a command above it");
                };
                if !step.printed.is_empty() {
                    return refuse("a block below the output of its command");
                }
                step.block.push(inner.to_owned());
            } else if line.is_empty() || line.starts_with('#') {
                items.push(Item::Text(line.to_owned()));
            } else if line.starts_with(char::is_whitespace) {
                return refuse("a line that begins with a single blank or a tab");
            } else {
                let command = line.to_owned();
                items.push(Item::Step(Step {
                    line: number,
                    command,
                    block: Vec::new(),
                    printed: Vec::new(),
                }));
            }
        }
        let titled = matches!(items.first(), Some(Item::Text(text)) if text.starts_with("# "));
        if !titled {
            return Err("line 1: a story begins with a comment that says what it tells: `# …`".to_owned());
        }
        Ok(Self { items })
    }

    /// The file again.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        for item in &self.items {
            match item {
                Item::Text(line) => {
                    text.push_str(line);
                    text.push('\n');
                }
                Item::Step(Step { line: _, command, block, printed }) => {
                    // Writing to a text cannot fail.
                    _ = writeln!(text, "{command}");
                    block.iter().for_each(|line| _ = writeln!(text, "  {line}"));
                    printed.iter().for_each(|line| {
                        _ = writeln!(text, "{}", format!("{PRINTED} {line}").trim_end());
                    });
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_as_it_was_read() {
        let text = "# A story\n\nat 2026-11-21T02:00Z\ncommit\n  core: 10.5.0 CU12\n| refused\n|   deeper\n|\n# Then\nplan\n";
        let script = Script::parse(text).expect("a story");
        assert_eq!(script.render(), text);
        let Some(Item::Step(step)) = script.items.get(3) else { panic!("a command: {script:?}") };
        assert_eq!((step.line, step.block.as_slice()), (4, ["core: 10.5.0 CU12".to_owned()].as_slice()));
        assert_eq!(step.printed, ["refused", "  deeper", ""]);
    }

    #[test]
    fn what_belongs_to_nothing_is_refused_with_its_line() {
        for (text, line) in [
            ("plan\n", "line 1"),
            ("# A story\n| output\n", "line 2"),
            ("# A story\n\n  block\n", "line 3"),
            ("# A story\nplan\n| output\n  block\n", "line 4"),
            ("# A story\nplan \n", "line 2"),
            ("# A story\n\tplan\n", "line 2"),
        ] {
            let refused = Script::parse(text).expect_err("it belongs to nothing");
            assert!(refused.starts_with(line), "{text:?}: {refused}");
        }
    }
}
