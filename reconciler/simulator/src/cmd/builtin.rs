//! Commands that `cmd.exe` itself knows, apart from those that touch files.

use futures::future::{BoxFuture, FutureExt};

use super::{
    run::{Flow, Shell},
    script::label_word,
    stream::Streams,
};
use crate::{
    cmd::condition::number,
    disk::WinPath,
    windows::{Started, program},
};

impl Shell {
    /// Runs a built-in command; `None` if the first word is none.
    pub(super) fn builtin<'a>(
        &'a mut self,
        text: &'a str,
        streams: &'a Streams,
    ) -> BoxFuture<'a, Option<Flow>> {
        self.find_builtin(text, streams).boxed()
    }

    async fn find_builtin(&mut self, text: &str, streams: &Streams) -> Option<Flow> {
        let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        // `format.exe` and `call_me` are other words.
        let next = rest.chars().next();
        let apart = match next {
            None => true,
            Some('.' | ':' | '\\') => {
                matches!(word.to_ascii_lowercase().as_str(), "echo" | "cd" | "md" | "goto" | "call")
            }
            Some(c) => c.is_whitespace() || matches!(c, '/' | '"' | ',' | ';' | '=' | '(' | '[' | '+'),
        };
        if !apart {
            return None;
        }
        let ok = Some(Flow::Next);
        match word.to_ascii_lowercase().as_str() {
            "echo" => {
                self.echo(rest, streams);
                ok
            }
            "set" => {
                self.set(rest, streams);
                ok
            }
            "setlocal" => {
                let delayed = rest.to_lowercase().contains("enabledelayedexpansion");
                let saved = (self.environment.clone(), self.folder.clone(), self.delayed);
                if let Some(frame) = self.frames.last_mut() {
                    frame.saved.push(saved);
                    self.delayed |= delayed;
                }
                ok
            }
            "endlocal" => {
                if let Some(saved) = self.frames.last_mut().and_then(|frame| frame.saved.pop()) {
                    (self.environment, self.folder, self.delayed) = saved;
                }
                ok
            }
            "goto" => Some(Flow::Goto(label_word(rest.trim_start().trim_start_matches(':')).to_owned())),
            "call" => Some(self.call(rest, streams).await),
            "exit" => Some(self.exit(rest)),
            "shift" => {
                if let Some(frame) = self.frames.last_mut()
                    && frame.arguments.len() > 1
                {
                    frame.arguments.remove(1);
                }
                ok
            }
            "cd" | "chdir" => {
                self.change_folder(rest, streams);
                ok
            }
            "start" => Some(self.start(rest, streams).await),
            "copy" => Some(self.copy_command(rest, streams).await),
            "ver" => {
                let _unwritten = streams
                    .line(&format!("\r\nMicrosoft Windows [Version 10.0.{}.1]", self.machine.os_build));
                ok
            }
            "title" | "color" | "cls" | "break" | "verify" | "prompt" | "path" => ok,
            _ => self.file_command(&word.to_ascii_lowercase(), rest, streams),
        }
    }

    fn echo(&mut self, rest: &str, streams: &Streams) {
        // `echo.` prints an empty line; one separator after the word is not printed.
        let text = rest.get(1..).unwrap_or_default();
        if rest.is_empty() || (rest.starts_with(' ') && text.trim().is_empty()) {
            let state = if self.echo { "on" } else { "off" };
            let _unwritten = streams.line(&format!("ECHO is {state}."));
            return;
        }
        match text.trim().to_ascii_lowercase().as_str() {
            "on" => self.echo = true,
            "off" => self.echo = false,
            _ => {
                if let Err(error) = streams.line(text) {
                    streams.complain(&error.to_string());
                    self.errorlevel = 1;
                }
            }
        }
    }

    fn set(&mut self, rest: &str, streams: &Streams) {
        let rest = rest.trim_start();
        if rest.get(..2).is_some_and(|switch| switch.eq_ignore_ascii_case("/a")) {
            match self.arithmetic(&rest[2..]) {
                Some(_) => self.errorlevel = 0,
                None => {
                    streams.complain("Missing operand.");
                    self.errorlevel = 1_073_750_988;
                }
            }
            return;
        }
        // `set "NAME=value"`: what follows the last quote does not count.
        let assignment = match rest.strip_prefix('"') {
            Some(inside) => inside.rfind('"').map_or(inside, |end| &inside[..end]),
            None => rest,
        };
        match assignment.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                self.environment.set(name, value);
                self.errorlevel = 0;
            }
            Some(_) => {
                streams.complain("The syntax of the command is incorrect.");
                self.errorlevel = 1;
            }
            None => {
                let prefix = assignment.trim();
                let listed: Vec<String> = self.environment.listed(prefix).collect();
                if listed.is_empty() {
                    streams.complain(&format!("Environment variable {prefix} not defined"));
                    self.errorlevel = 1;
                }
                for line in listed {
                    let _unwritten = streams.line(&line);
                }
            }
        }
    }

    /// `A=B+1,C*=2`: the value of the last part.
    fn arithmetic(&mut self, text: &str) -> Option<i64> {
        let mut last = None;
        for part in text.trim().trim_matches('"').split(',') {
            let value = match part.split_once('=') {
                None => self.sum(&mut part.trim())?,
                Some((name, expression)) => {
                    let name = name.trim_end();
                    let operator = name.chars().last().filter(|c| "+-*/%".contains(*c));
                    let name = name.trim_end_matches(['+', '-', '*', '/', '%']).trim();
                    let right = self.sum(&mut expression.trim())?;
                    let value = match operator {
                        None => right,
                        Some(operator) => {
                            let left = self.variable(name).as_deref().and_then(number).unwrap_or(0);
                            apply(operator, left, right)?
                        }
                    };
                    self.environment.set(name, &value.to_string());
                    value
                }
            };
            last = Some(value);
        }
        last
    }

    fn sum(&self, text: &mut &str) -> Option<i64> {
        let mut value = self.product(text)?;
        while let Some(operator) = text.trim_start().chars().next().filter(|c| matches!(c, '+' | '-')) {
            *text = &text.trim_start()[1..];
            value = apply(operator, value, self.product(text)?)?;
        }
        Some(value)
    }

    fn product(&self, text: &mut &str) -> Option<i64> {
        let mut value = self.factor(text, 0)?;
        while let Some(operator) = text.trim_start().chars().next().filter(|c| matches!(c, '*' | '/' | '%')) {
            *text = &text.trim_start()[1..];
            value = apply(operator, value, self.factor(text, 0)?)?;
        }
        Some(value)
    }

    fn factor(&self, text: &mut &str, depth: usize) -> Option<i64> {
        *text = text.trim_start();
        if depth > 32 {
            return None;
        }
        if let Some(inside) = text.strip_prefix('-') {
            *text = inside;
            return self.factor(text, depth + 1).map(|value| value.wrapping_neg());
        }
        let end = text.find(|c: char| c.is_whitespace() || "+-*/%()".contains(c)).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        *text = rest;
        if word.is_empty() {
            return None;
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return number(word);
        }
        // A name; what is not defined or no number counts as 0.
        Some(self.variable(word).as_deref().and_then(number).unwrap_or(0))
    }

    async fn call(&mut self, rest: &str, streams: &Streams) -> Flow {
        let rest = rest.trim_start();
        if let Some(label) = rest.strip_prefix(':') {
            let name = label_word(label);
            let Some(frame) = self.frames.last() else { return Flow::Next };
            let script = std::sync::Arc::clone(&frame.script);
            if name.eq_ignore_ascii_case("eof") {
                return Flow::Next;
            }
            let Some(line) = script.after_label(name) else {
                streams.complain(&format!("The system cannot find the batch label specified - {name}"));
                self.errorlevel = 1;
                return Flow::Next;
            };
            let mut arguments = vec![format!(":{name}")];
            arguments.extend(words(&label[name.len()..]));
            return self.frame(script, line, arguments, streams).await;
        }
        let (name, rest) = program::split_name(rest);
        if let Some(flow) = self.builtin(&format!("{name}{rest}"), streams).await {
            return flow;
        }
        self.program(&name, rest, streams, true).await
    }

    fn exit(&mut self, rest: &str) -> Flow {
        let words = words(rest);
        let only_batch = words.first().is_some_and(|word| word.eq_ignore_ascii_case("/b"));
        if let Some(code) = words.get(usize::from(only_batch)).and_then(|word| number(word)) {
            self.errorlevel = i32::try_from(code).unwrap_or(1);
        }
        // On a command line there is no batch file to leave.
        if only_batch && !self.frames.is_empty() { Flow::Leave } else { Flow::Quit }
    }

    fn change_folder(&mut self, rest: &str, streams: &Streams) {
        let name = words(rest).into_iter().find(|word| !word.eq_ignore_ascii_case("/d"));
        let Some(name) = name else {
            let _unwritten = streams.line(&self.folder.to_string());
            return;
        };
        match WinPath::parse(name.trim_matches('"'), &self.folder) {
            Ok(path) if self.machine.disk.is_dir(&path) => {
                self.folder = path;
                self.errorlevel = 0;
            }
            _ => {
                streams.complain("The system cannot find the path specified.");
                self.errorlevel = 1;
            }
        }
    }

    /// `start [/wait] "title" program arguments`.
    async fn start(&mut self, rest: &str, streams: &Streams) -> Flow {
        let mut rest = rest.trim_start();
        let mut wait = false;
        let mut titled = false;
        loop {
            if rest.starts_with('"') && !titled {
                titled = true;
                let end = rest[1..].find('"').map_or(rest.len(), |at| at + 2);
                rest = rest[end..].trim_start();
            } else if rest.starts_with('/') {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                wait |= rest[..end].eq_ignore_ascii_case("/wait") || rest[..end].eq_ignore_ascii_case("/w");
                rest = rest[end..].trim_start();
            } else {
                break;
            }
        }
        if rest.is_empty() {
            return Flow::Next;
        }
        if wait {
            let (name, rest) = program::split_name(rest);
            return self.program(&name, rest, streams, true).boxed().await;
        }
        let machine = std::sync::Arc::clone(&self.machine);
        let user = self.environment.get("USERNAME").unwrap_or("SYSTEM").to_owned();
        let line = rest.to_owned();
        // What it inherits stays open with it.
        let inherited = streams.clone();
        self.machine.spawn(Started::Process, async move {
            let mut shell = Self::new(machine, &user);
            let _code = shell.command_line(&line, &inherited).await;
        });
        self.errorlevel = 0;
        Flow::Next
    }
}

fn apply(operator: char, left: i64, right: i64) -> Option<i64> {
    let wide = match operator {
        '+' => left.checked_add(right),
        '-' => left.checked_sub(right),
        '*' => left.checked_mul(right),
        '/' => left.checked_div(right),
        _ => left.checked_rem(right),
    }?;
    // 32 bits that wrap, as in cmd.
    #[expect(clippy::cast_possible_truncation, reason = "the wrap is what cmd does")]
    let narrow = wide as i32;
    Some(i64::from(narrow))
}

/// Words between blanks and separators, as a batch file sees its arguments; quotes keep theirs together and stay.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.push(c);
            }
            ' ' | '\t' | ',' | ';' | '=' if !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_split_words_and_quotes_keep_them() {
        assert_eq!(words(r#" one,two "a b" c=d"#), ["one", "two", r#""a b""#, "c", "d"]);
    }
}
