//! Percent expansion, variables of `for`, and delayed expansion.

use std::collections::BTreeMap;

use super::run::Shell;
use crate::{clock::local_text, disk::WinPath};

/// Environment variables; names have no case but keep their spelling.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    values: BTreeMap<String, (String, String)>,
}

/// The longest value, in bytes; Windows' own limit is of that order.
const MAX_VALUE: usize = 32_767;

impl Environment {
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let key = name.to_uppercase();
        if value.is_empty() {
            self.values.remove(&key);
        } else if value.len() <= MAX_VALUE {
            self.values.insert(key, (name.to_owned(), value.to_owned()));
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(&name.to_uppercase()).map(|(_, value)| value.as_str())
    }

    /// `NAME=value` of all names that start so.
    pub(crate) fn listed<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = String> + 'a {
        let prefix = prefix.to_uppercase();
        self.values
            .iter()
            .filter(move |(key, _)| key.starts_with(&prefix))
            .map(|(_, (name, value))| format!("{name}={value}"))
    }
}

impl Shell {
    /// The value of a variable, the computed ones too.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        if let Some(value) = self.environment.get(name) {
            return Some(value.to_owned());
        }
        let now = || local_text(self.machine.clock.now(), &self.machine.zone);
        match name.to_uppercase().as_str() {
            "ERRORLEVEL" => Some(self.errorlevel.to_string()),
            "CD" => Some(self.folder.to_string()),
            "DATE" => now().split(' ').next().map(str::to_owned),
            "TIME" => now().split(' ').nth(1).map(|time| format!("{time}.00")),
            _ => None,
        }
    }

    /// Expands `%1`, `%*`, `%~dp0`, `%NAME%`, `%NAME:a=b%`, `%NAME:~1,2%` and `%%`.
    ///
    /// In a batch file an unknown variable is empty; on a command line it stays as it is.
    pub(super) fn expand(&self, line: &str, arguments: Option<&[String]>) -> String {
        let mut out = String::with_capacity(line.len());
        let mut rest = line;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(arguments) = arguments {
                if let Some(after) = rest.strip_prefix('%') {
                    out.push('%');
                    rest = after;
                    continue;
                }
                if let Some((value, after)) = self.argument(rest, arguments) {
                    out.push_str(&value);
                    rest = after;
                    continue;
                }
            }
            match self.named(rest) {
                Some((Some(value), after)) => {
                    out.push_str(&value);
                    rest = after;
                }
                Some((None, after)) if arguments.is_some() => rest = after,
                // The single percent sign of a command line stays; that of a batch file goes.
                _ if arguments.is_none() => out.push('%'),
                _ => {}
            }
        }
        out.push_str(rest);
        out
    }

    /// `NAME%`, `NAME:a=b%`, `NAME:~s,n%`: the value and what follows the closing percent sign.
    fn named<'a>(&self, text: &'a str) -> Option<(Option<String>, &'a str)> {
        let end = text.find('%')?;
        let (inside, after) = (&text[..end], &text[end + 1..]);
        if inside.is_empty() {
            return None;
        }
        let (name, change) = match inside.split_once(':') {
            Some((name, change)) if !name.is_empty() => (name, Some(change)),
            _ => (inside, None),
        };
        let Some(value) = self.variable(name) else { return Some((None, after)) };
        let value = match change {
            None => value,
            Some(change) => match change.strip_prefix('~') {
                Some(range) => slice(&value, range)?,
                None => {
                    let (from, to) = change.split_once('=')?;
                    replace(&value, from, to)
                }
            },
        };
        Some((Some(value), after))
    }

    /// `1`, `*`, `~1`, `~dp0`: an argument of the batch file and what follows.
    fn argument<'a>(&self, text: &'a str, arguments: &[String]) -> Option<(String, &'a str)> {
        let mut chars = text.char_indices();
        let (_, first) = chars.next()?;
        if first == '*' {
            return Some((arguments.get(1..).unwrap_or_default().join(" "), &text[1..]));
        }
        if let Some(digit) = first.to_digit(10) {
            return Some((arguments.get(digit as usize).cloned().unwrap_or_default(), &text[1..]));
        }
        if first != '~' {
            return None;
        }
        let end = text[1..].find(|c: char| c.is_ascii_digit())? + 1;
        let modifiers = &text[1..end];
        if !modifiers.chars().all(|c| "fdpnxsatz".contains(c.to_ascii_lowercase())) {
            return None;
        }
        let digit = text[end..].chars().next()?.to_digit(10)? as usize;
        let value = match self.frames.last() {
            // The batch file itself, wherever it was called from.
            Some(frame) if digit == 0 => frame.script.path.to_string(),
            _ => arguments.get(digit).cloned().unwrap_or_default(),
        };
        Some((self.modified(&value, modifiers), &text[end + 1..]))
    }

    /// Substitutes `%a` and `%~nxa` by the variables of the `for` loops around, then `!NAME!` where enabled.
    pub(super) fn substitute(&self, text: &str) -> String {
        let text = if self.for_variables.is_empty() { text.to_owned() } else { self.for_values(text) };
        if !self.delayed || !text.contains('!') {
            return text;
        }
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find('!') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let Some(end) = rest.find('!') else { break };
            // The same forms as between percent signs.
            let inside = format!("{}%", &rest[..end]);
            if let Some((Some(value), _)) = self.named(&inside) {
                out.push_str(&value);
            }
            rest = &rest[end + 1..];
        }
        out.push_str(rest);
        out
    }

    fn for_values(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let tilde = rest.strip_prefix('~');
            let word = tilde.unwrap_or(rest);
            // The longest run of modifiers that ends in the letter of a loop.
            let found =
                word.char_indices().take_while(|(_, c)| c.is_ascii_alphanumeric()).find_map(|(at, c)| {
                    if tilde.is_none() && at > 0 {
                        return None;
                    }
                    let modifiers = &word[..at];
                    let fits = modifiers.chars().all(|c| "fdpnxsatz".contains(c.to_ascii_lowercase()));
                    let value = self.for_variables.iter().rev().find(|(name, _)| *name == c)?;
                    fits.then(|| (modifiers, &value.1, &word[at + c.len_utf8()..]))
                });
            match found {
                Some((modifiers, value, after)) => {
                    out.push_str(&if tilde.is_some() {
                        self.modified(value, modifiers)
                    } else {
                        value.clone()
                    });
                    rest = after;
                }
                None => out.push('%'),
            }
        }
        out.push_str(rest);
        out
    }

    /// `~` and the letters after it: without quotes, full path, drive, folder, name, extension.
    fn modified(&self, value: &str, modifiers: &str) -> String {
        let plain = value.trim_matches('"');
        let letters = modifiers.to_ascii_lowercase();
        if letters.is_empty() {
            return plain.to_owned();
        }
        let Ok(path) = WinPath::parse(plain, &self.folder) else { return plain.to_owned() };
        if letters.contains('z') {
            return self.machine.disk.entry(&path).map(|entry| entry.len.to_string()).unwrap_or_default();
        }
        if letters.contains('f') {
            return path.to_string();
        }
        let name = path.name().unwrap_or_default();
        let (stem, extension) = match name.rfind('.') {
            Some(dot) => name.split_at(dot),
            None => (name, ""),
        };
        let mut out = String::new();
        if letters.contains('d') {
            out.push_str("C:");
        }
        if letters.contains('p') {
            let folder = path.parent().map(|parent| parent.parts().join("\\")).unwrap_or_default();
            out.push('\\');
            if !folder.is_empty() {
                out.push_str(&folder);
                out.push('\\');
            }
        }
        if letters.contains('n') {
            out.push_str(stem);
        }
        if letters.contains('x') {
            out.push_str(extension);
        }
        out
    }
}

/// `:a=b`: every `a` whatever its case; `*a` takes all before it too.
fn replace(value: &str, from: &str, to: &str) -> String {
    let (greedy, from) = match from.strip_prefix('*') {
        Some(rest) => (true, rest),
        None => (false, from),
    };
    if from.is_empty() {
        return value.to_owned();
    }
    // Lower case of ASCII keeps every byte's place.
    let (haystack, needle) = (value.to_ascii_lowercase(), from.to_ascii_lowercase());
    if greedy {
        return match haystack.find(&needle) {
            Some(at) => format!("{to}{}", &value[at + needle.len()..]),
            None => value.to_owned(),
        };
    }
    let mut out = String::new();
    let mut done = 0;
    while let Some(at) = haystack[done..].find(&needle) {
        out.push_str(&value[done..done + at]);
        out.push_str(to);
        done += at + needle.len();
    }
    out.push_str(&value[done..]);
    out
}

/// `:~start,length`; negative numbers count from the end.
fn slice(value: &str, range: &str) -> Option<String> {
    let chars: Vec<char> = value.chars().collect();
    let len = i64::try_from(chars.len()).ok()?;
    let (start, length) = match range.split_once(',') {
        Some((start, length)) => (start, Some(length.trim().parse::<i64>().ok()?)),
        None => (range, None),
    };
    let start: i64 = start.trim().parse().ok()?;
    let start = if start < 0 { len + start } else { start }.clamp(0, len);
    let end = match length {
        None => len,
        Some(length) if length < 0 => (len + length).clamp(start, len),
        Some(length) => start.saturating_add(length).clamp(start, len),
    };
    let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
    Some(chars[start..end].iter().collect())
}
