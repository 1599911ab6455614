//! `for` in its forms.

use std::sync::PoisonError;

use super::{
    condition::{number, split_pattern},
    parse::{ForHeader, ForKind, Node, parse},
    run::{Flow, Shell},
    stream::{Output, Streams},
};
use crate::disk::{WinPath, matches_pattern};

/// The most bytes that `for /f` reads of a file.
const MAX_INPUT: usize = 16 << 20;
/// The most rounds of one loop.
const MAX_ROUNDS: usize = 100_000;

/// The options of `for /f`.
struct Options {
    end_of_line: Option<char>,
    skip: usize,
    delimiters: Vec<char>,
    tokens: Vec<usize>,
    /// `tokens=1,*`: one more variable with all that is left.
    rest: bool,
    back_quotes: bool,
}

impl Shell {
    pub(super) async fn for_loop(&mut self, header: &ForHeader, body: &Node, streams: &Streams) -> Flow {
        let set = self.substitute(&header.set);
        let rounds: Vec<Vec<String>> = match &header.kind {
            ForKind::File { options } => {
                let options = self.substitute(options);
                let Some(options) = Options::read(&options) else {
                    streams.complain(&format!("{options} was unexpected at this time."));
                    self.errorlevel = 255;
                    return Flow::Quit;
                };
                match self.for_text(&set, &options, streams).await {
                    Some(text) => rows(&text, &options),
                    None => return Flow::Next,
                }
            }
            ForKind::Words => self.words(&set, false),
            ForKind::Folders => self.words(&set, true),
            ForKind::Numbers => numbers(&set),
        };
        for values in rounds.into_iter().take(MAX_ROUNDS) {
            let before = self.for_variables.len();
            let names = (header.variable..='\u{7e}').chain(std::iter::repeat('\0'));
            self.for_variables.extend(names.zip(values));
            let flow = self.node(body, streams).await;
            self.for_variables.truncate(before);
            if flow != Flow::Next {
                return flow;
            }
        }
        Flow::Next
    }

    /// The text that `for /f` goes through: a string, the output of a command, or files.
    async fn for_text(&mut self, set: &str, options: &Options, streams: &Streams) -> Option<String> {
        let inside = |open: char| set.strip_prefix(open).and_then(|set| set.strip_suffix(open));
        let (string, command) =
            if options.back_quotes { (inside('\''), inside('`')) } else { (inside('"'), inside('\'')) };
        if let Some(string) = string {
            return Some(string.to_owned());
        }
        if let Some(command) = command {
            let (out, buffer) = Output::buffer();
            let captured = Streams { out, error: streams.error.clone() };
            // It runs in a cmd.exe of its own, as this one does not see its variables.
            match parse(command) {
                Ok(node) => {
                    let code = self.errorlevel;
                    let _flow = self.node(&node, &captured).await;
                    self.errorlevel = code;
                }
                Err(_) => streams.complain("The syntax of the command is incorrect."),
            }
            let bytes = buffer.lock().unwrap_or_else(PoisonError::into_inner).clone();
            return Some(String::from_utf8_lossy(&bytes).into_owned());
        }
        let mut text = String::new();
        let names: Vec<&str> = if set.contains('"') {
            set.split('"').filter(|name| !name.trim().is_empty()).collect()
        } else {
            set.split_whitespace().collect()
        };
        for name in names {
            let read =
                WinPath::parse(name, &self.folder).and_then(|path| self.machine.disk.read(&path, MAX_INPUT));
            match read {
                Ok(bytes) => {
                    text.push_str(&String::from_utf8_lossy(&bytes));
                    if !text.ends_with('\n') {
                        text.push('\n');
                    }
                }
                Err(_) => {
                    streams.complain(&format!("The system cannot find the file {name}."));
                    self.errorlevel = 1;
                    return None;
                }
            }
        }
        Some(text)
    }

    /// Plain words; those with a wildcard become what lies there.
    fn words(&self, set: &str, folders: bool) -> Vec<Vec<String>> {
        let mut rounds = Vec::new();
        for word in super::builtin::words(set) {
            let name = word.trim_matches('"');
            match split_pattern(name) {
                None => rounds.push(vec![word]),
                Some((folder, pattern)) => {
                    let Ok(path) = WinPath::parse(folder, &self.folder) else { continue };
                    let prefix = if folder == "." { "" } else { folder };
                    let entries = self.machine.disk.list(&path).unwrap_or_default();
                    let fitting = entries
                        .iter()
                        .filter(|entry| entry.is_dir == folders && matches_pattern(pattern, &entry.name));
                    rounds.extend(fitting.map(|entry| vec![format!("{prefix}{}", entry.name)]));
                }
            }
        }
        rounds
    }
}

/// `for /l`: start, step, end.
fn numbers(set: &str) -> Vec<Vec<String>> {
    let parts: Vec<i64> = set.split([',', ' ']).filter_map(number).collect();
    let &[start, step, end] = parts.as_slice() else { return Vec::new() };
    let mut rounds = Vec::new();
    let mut value = start;
    while step != 0 && rounds.len() < MAX_ROUNDS && if step > 0 { value <= end } else { value >= end } {
        rounds.push(vec![value.to_string()]);
        value += step;
    }
    rounds
}

impl Options {
    fn read(text: &str) -> Option<Self> {
        let mut options = Self {
            end_of_line: Some(';'),
            skip: 0,
            delimiters: vec![' ', '\t'],
            tokens: vec![1],
            rest: false,
            back_quotes: false,
        };
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let lower = rest.to_ascii_lowercase();
            if lower.starts_with("usebackq") {
                options.back_quotes = true;
                rest = &rest[8..];
            } else if lower.starts_with("eol=") {
                let value = rest[4..].chars().next();
                options.end_of_line = value;
                rest = &rest[4 + value.map_or(0, char::len_utf8)..];
            } else if lower.starts_with("skip=") {
                let end = rest[5..].find(' ').map_or(rest.len(), |at| at + 5);
                options.skip = usize::try_from(number(&rest[5..end])?).ok().filter(|skip| *skip > 0)?;
                rest = &rest[end..];
            } else if lower.starts_with("delims=") {
                // A blank among them has to be the last thing of all.
                let value = &rest[7..];
                let end = match value.find(' ') {
                    Some(at) if !value[at..].trim().is_empty() => at,
                    _ => value.len(),
                };
                options.delimiters = value[..end].chars().collect();
                rest = &value[end..];
            } else if lower.starts_with("tokens=") {
                let end = rest[7..].find(' ').map_or(rest.len(), |at| at + 7);
                (options.tokens, options.rest) = tokens(&rest[7..end])?;
                rest = &rest[end..];
            } else {
                return None;
            }
            rest = rest.trim_start();
        }
        Some(options)
    }
}

/// `1,3-4,*`.
fn tokens(text: &str) -> Option<(Vec<usize>, bool)> {
    let (text, rest) = match text.strip_suffix('*') {
        Some(text) => (text.trim_end_matches(','), true),
        None => (text, false),
    };
    let mut tokens = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (usize, usize) = (from.parse().ok()?, to.parse().ok()?);
        if from == 0 || to > 31 {
            return None;
        }
        tokens.extend(from..=to);
    }
    Some((tokens, rest))
}

/// The values of each line that is not empty.
fn rows(text: &str, options: &Options) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for line in text.split('\n').skip(options.skip) {
        let line = line.trim_end_matches('\r').trim_start_matches('\u{feff}');
        if line.is_empty() {
            continue;
        }
        let delimiter = |c: char| options.delimiters.contains(&c);
        let mut found: Vec<&str> = Vec::new();
        let mut rest = line.trim_start_matches(delimiter);
        if rest.is_empty() || rest.chars().next() == options.end_of_line {
            continue;
        }
        let last = options.tokens.iter().copied().max().unwrap_or(0);
        while found.len() < last && !rest.is_empty() {
            let end = rest.find(delimiter).unwrap_or(rest.len());
            found.push(&rest[..end]);
            rest = rest[end..].trim_start_matches(delimiter);
        }
        let mut values: Vec<String> = options
            .tokens
            .iter()
            .map(|token| found.get(token - 1).copied().unwrap_or_default().to_owned())
            .collect();
        if options.rest {
            values.push(rest.to_owned());
        }
        rows.push(values);
    }
    rows
}
