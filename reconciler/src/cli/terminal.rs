//! Where verbs write: data to stdout, talk to stderr.

use std::io::{self, IsTerminal, Write};

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use dataminer_schema::diagnostic::Paint;
use serde::Serialize;

/// The two streams and how to dress them; tests put buffers in their place.
pub struct Terminal {
    out: Box<dyn Write + Send>,
    talk: Box<dyn Write + Send>,
    colour: bool,
    /// Columns of the terminal; none when stdout is a file or a pipe, whose lines are never folded.
    width: Option<u16>,
}

/// What a word means, for the eye; the word itself says it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Pending,
    Bad,
    Strong,
    Faint,
}

impl Terminal {
    /// The process's own streams. Colours need a terminal and no `NO_COLOR`.
    pub fn of_process() -> Self {
        let tty = io::stdout().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let width = tty.then(|| Table::new().width()).flatten();
        Self {
            out: Box::new(io::BufWriter::new(io::stdout())),
            talk: Box::new(io::stderr()),
            colour: tty && !plain,
            width,
        }
    }

    /// A terminal over two writers, without colours.
    pub fn over(out: impl Write + Send + 'static, talk: impl Write + Send + 'static) -> Self {
        Self { out: Box::new(out), talk: Box::new(talk), colour: false, width: None }
    }

    pub fn colour(&self) -> bool {
        self.colour
    }

    /// How diagnostics are painted that go to stdout.
    pub fn paint(&self) -> Paint {
        if self.colour { Paint::Coloured } else { Paint::Plain }
    }

    /// Writes data.
    ///
    /// # Errors
    /// Those of the stream; a closed pipe among them, which [`super::main`] takes for the end of the reading.
    pub fn data(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        self.out.write_all(text.as_ref().as_bytes())
    }

    /// Writes a line of data.
    ///
    /// # Errors
    /// As [`Self::data`].
    pub fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        self.data(text)?;
        self.data("\n")
    }

    /// Writes a line for people.
    pub fn say(&mut self, text: impl AsRef<str>) {
        // Nobody can be told that the stream for telling is gone.
        drop(writeln!(self.talk, "{}", text.as_ref()));
    }

    /// Writes a value as indented JSON.
    ///
    /// # Errors
    /// As [`Self::data`].
    pub fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        Ok(self.line(text)?)
    }

    /// Writes a value as one YAML document.
    ///
    /// # Errors
    /// As [`Self::data`].
    pub fn yaml(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_yaml::to_string(value)?;
        Ok(self.data(text)?)
    }

    /// Writes a table.
    ///
    /// # Errors
    /// As [`Self::data`].
    pub fn table(&mut self, mut table: Table) -> io::Result<()> {
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        self.line(table.trim_fmt())
    }

    /// A table with this header, in the house's look.
    pub fn new_table(&self, header: &[&str]) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if let Some(width) = self.width {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        if self.colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(header.iter().map(|title| self.cell(title, Tone::Strong)).collect::<Vec<_>>());
        table
    }

    /// A cell in a tone.
    pub fn cell(&self, text: impl ToString, tone: Tone) -> Cell {
        let cell = Cell::new(text.to_string());
        if !self.colour {
            return cell;
        }
        match tone {
            Tone::Plain => cell,
            Tone::Good => cell.fg(Color::Green),
            Tone::Pending => cell.fg(Color::Yellow),
            Tone::Bad => cell.fg(Color::Red),
            Tone::Strong => cell.add_attribute(Attribute::Bold),
            Tone::Faint => cell.add_attribute(Attribute::Dim),
        }
    }

    /// Text in a tone, outside tables.
    pub fn tint(&self, text: impl AsRef<str>, tone: Tone) -> String {
        let text = text.as_ref();
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            _ if !self.colour => return text.to_owned(),
            Tone::Good => "32",
            Tone::Pending => "33",
            Tone::Bad => "31",
            Tone::Strong => "1",
            Tone::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// Sends on what is buffered.
    ///
    /// # Errors
    /// As [`Self::data`].
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
