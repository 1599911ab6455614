//! Walks the tree of a line.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};

use super::{
    builtin::words,
    expand::Environment,
    parse::{Node, ParseError, Redirect, Target, parse},
    script::{MAX_SCRIPT, Script, label_of},
    stream::{Output, Streams},
};
use crate::{
    disk::{DiskError, OpenHow, WinPath},
    windows::{Machine, program},
};

/// What the next step is after a command.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Flow {
    Next,
    Goto(String),
    /// `exit /b`: out of this batch file or subroutine.
    Leave,
    /// `exit`: out of the whole interpreter.
    Quit,
}

/// One running `cmd.exe`.
pub(crate) struct Shell {
    pub(super) machine: Arc<Machine>,
    pub(super) environment: Environment,
    pub(super) folder: WinPath,
    pub(super) errorlevel: i32,
    pub(super) for_variables: Vec<(char, String)>,
    pub(super) delayed: bool,
    pub(super) echo: bool,
    pub(super) frames: Vec<Frame>,
    /// Lines run so far; a bound on endless loops.
    steps: u64,
}

/// A batch file or subroutine that runs.
pub(super) struct Frame {
    pub(super) script: Arc<Script>,
    pub(super) arguments: Vec<String>,
    /// What `setlocal` put aside in this frame.
    pub(super) saved: Vec<(Environment, WinPath, bool)>,
}

/// More lines than any honest script of ours runs.
const MAX_STEPS: u64 = 100_000;
/// How deep `call` may nest.
const MAX_FRAMES: usize = 100;
/// Lines that one command may span.
const MAX_CONTINUED: usize = 500;

impl Shell {
    pub(crate) fn new(machine: Arc<Machine>, user: &str) -> Self {
        let environment = machine.environment(user);
        let folder = WinPath::fixed(&format!(r"C:\Users\{user}"));
        Self {
            machine,
            environment,
            folder,
            errorlevel: 0,
            for_variables: Vec::new(),
            delayed: false,
            echo: true,
            frames: Vec::new(),
            steps: 0,
        }
    }

    /// Changes the current folder where it exists.
    pub(crate) fn enter(&mut self, folder: &WinPath) {
        if self.machine.disk.is_dir(folder) {
            self.folder = folder.clone();
        }
    }

    /// Runs one command line as `cmd.exe /c` does; the exit code is the last errorlevel.
    pub(crate) async fn command_line(&mut self, line: &str, streams: &Streams) -> i32 {
        let line = self.expand(line, None);
        match parse(&line) {
            Ok(node) => {
                let _whatever = self.node(&node, streams).await;
            }
            Err(error) => self.syntax_error(&error, streams),
        }
        self.errorlevel
    }

    fn syntax_error(&mut self, error: &ParseError, streams: &Streams) {
        match error {
            ParseError::Unfinished => streams.complain("The syntax of the command is incorrect."),
            ParseError::Syntax(found) => streams.complain(&format!("{found} was unexpected at this time.")),
        }
        self.errorlevel = 255;
    }

    /// Runs a batch file from its first line.
    pub(super) async fn batch(&mut self, path: &WinPath, arguments: Vec<String>, streams: &Streams) -> Flow {
        let script = match self.machine.disk.read(path, MAX_SCRIPT) {
            Ok(bytes) => Script::new(path.clone(), &bytes),
            Err(error) => {
                streams.complain(&error.to_string());
                self.errorlevel = 1;
                return Flow::Next;
            }
        };
        self.frame(script, 0, arguments, streams).await
    }

    /// Runs a script from a line to its end; `setlocal` ends with it.
    pub(super) fn frame<'a>(
        &'a mut self,
        script: Arc<Script>,
        start: usize,
        arguments: Vec<String>,
        streams: &'a Streams,
    ) -> BoxFuture<'a, Flow> {
        async move {
            if self.frames.len() >= MAX_FRAMES {
                streams.complain("******  B A T C H   R E C U R S I O N  exceeds STACK limits ******");
                self.errorlevel = 1;
                return Flow::Quit;
            }
            self.frames.push(Frame { script, arguments, saved: Vec::new() });
            let loops = std::mem::take(&mut self.for_variables);
            let flow = self.lines(start, streams).await;
            self.for_variables = loops;
            if let Some(mut frame) = self.frames.pop()
                && let Some((environment, folder, delayed)) = frame.saved.drain(..).next()
            {
                (self.environment, self.folder, self.delayed) = (environment, folder, delayed);
            }
            if flow == Flow::Quit { Flow::Quit } else { Flow::Next }
        }
        .boxed()
    }

    async fn lines(&mut self, start: usize, streams: &Streams) -> Flow {
        let mut next = start;
        loop {
            let Some(frame) = self.frames.last() else { return Flow::Quit };
            let script = Arc::clone(&frame.script);
            let arguments = frame.arguments.clone();
            let Some(line) = script.lines.get(next) else { return Flow::Leave };
            next += 1;
            self.steps += 1;
            if self.steps > MAX_STEPS {
                self.machine.note_unknown("a script that does not end".to_owned());
                return Flow::Quit;
            }
            if self.steps.is_multiple_of(256) {
                tokio::task::yield_now().await;
            }
            if label_of(line).is_some() || line.trim().is_empty() {
                continue;
            }
            let mut text = self.expand(line, Some(&arguments));
            let mut parsed = parse(&text);
            let mut continued = 0;
            while parsed == Err(ParseError::Unfinished) && continued < MAX_CONTINUED {
                let Some(more) = script.lines.get(next) else { break };
                next += 1;
                continued += 1;
                if label_of(more).is_none() {
                    text.push('\n');
                    text.push_str(&self.expand(more, Some(&arguments)));
                    parsed = parse(&text);
                }
            }
            let node = match parsed {
                Ok(node) => node,
                Err(error) => {
                    // cmd gives up the whole batch file.
                    self.syntax_error(&error, streams);
                    return Flow::Quit;
                }
            };
            if self.echo && !text.trim_start().starts_with('@') && node != Node::Empty {
                let _unwritten = streams.out.write(&format!("\r\n{}>{}\r\n", self.folder, text.trim()));
            }
            match self.node(&node, streams).await {
                Flow::Next => {}
                Flow::Goto(label) if label.eq_ignore_ascii_case("eof") => return Flow::Leave,
                Flow::Goto(label) => match script.after_label(&label) {
                    Some(line) => next = line,
                    None => {
                        streams.complain("The system cannot find the batch label specified.");
                        self.errorlevel = 1;
                        return Flow::Leave;
                    }
                },
                flow @ (Flow::Leave | Flow::Quit) => return flow,
            }
        }
    }

    pub(super) fn node<'a>(&'a mut self, node: &'a Node, streams: &'a Streams) -> BoxFuture<'a, Flow> {
        async move {
            match node {
                Node::Empty => Flow::Next,
                Node::Simple { text, redirects } => {
                    let text = self.substitute(text);
                    match self.redirected(redirects, streams) {
                        Ok(streams) => self.simple(&text, &streams).await,
                        Err(error) => self.not_redirected(error, streams),
                    }
                }
                Node::Block { body, redirects } => match self.redirected(redirects, streams) {
                    Ok(streams) => self.node(body, &streams).await,
                    Err(error) => self.not_redirected(error, streams),
                },
                Node::If { condition, then, otherwise } => match self.holds(condition) {
                    true => self.node(then, streams).await,
                    false => match otherwise {
                        Some(otherwise) => self.node(otherwise, streams).await,
                        None => Flow::Next,
                    },
                },
                Node::For { header, body } => self.for_loop(header, body, streams).await,
                Node::Sequence(nodes) => {
                    for node in nodes {
                        let flow = self.node(node, streams).await;
                        if flow != Flow::Next {
                            return flow;
                        }
                    }
                    Flow::Next
                }
                Node::And(left, right) => match self.node(left, streams).await {
                    Flow::Next if self.errorlevel == 0 => self.node(right, streams).await,
                    flow => flow,
                },
                Node::Or(left, right) => match self.node(left, streams).await {
                    Flow::Next if self.errorlevel != 0 => self.node(right, streams).await,
                    flow => flow,
                },
                Node::Pipe(left, right) => {
                    let piped = Streams { out: Output::Null, error: streams.error.clone() };
                    let _left = self.node(left, &piped).await;
                    self.machine.note_unknown(format!("a pipe into {right:?}"));
                    streams.complain("pipes are not simulated");
                    self.errorlevel = 9009;
                    Flow::Next
                }
            }
        }
        .boxed()
    }

    fn not_redirected(&mut self, error: DiskError, streams: &Streams) -> Flow {
        // The command does not run at all.
        streams.complain(&error.to_string());
        self.errorlevel = 1;
        Flow::Next
    }

    fn redirected(&self, redirects: &[Redirect], streams: &Streams) -> Result<Streams, DiskError> {
        let mut streams = streams.clone();
        for redirect in redirects {
            let output = match &redirect.target {
                Target::Read(name) => {
                    let name = self.substitute(name);
                    if !name.eq_ignore_ascii_case("nul")
                        && !self.machine.disk.exists(&WinPath::parse(&name, &self.folder)?)
                    {
                        return Err(DiskError::NotFound);
                    }
                    continue;
                }
                Target::Handle(1) => streams.out.clone(),
                Target::Handle(2) => streams.error.clone(),
                Target::Handle(_) => Output::Null,
                Target::Write(name) => self.output(name, OpenHow::replace())?,
                Target::Append(name) => self.output(name, OpenHow::append())?,
            };
            match redirect.handle {
                1 => streams.out = output,
                2 => streams.error = output,
                _ => {}
            }
        }
        Ok(streams)
    }

    fn output(&self, name: &str, how: OpenHow) -> Result<Output, DiskError> {
        let name = self.substitute(name);
        if name.eq_ignore_ascii_case("nul") {
            return Ok(Output::Null);
        }
        let path = WinPath::parse(&name, &self.folder)?;
        Ok(Output::file(self.machine.disk.open(&path, how)?))
    }

    /// A command without its redirections.
    async fn simple(&mut self, text: &str, streams: &Streams) -> Flow {
        let text = text.trim_start_matches([' ', '\t', ',', ';', '=', '@']);
        if text.trim().is_empty() {
            return Flow::Next;
        }
        if let Some(flow) = self.builtin(text, streams).await {
            return flow;
        }
        let (name, rest) = program::split_name(text);
        self.program(&name, rest, streams, false).await
    }

    /// A program or batch file by name or path. `called` keeps the caller running after a batch file.
    pub(super) async fn program(&mut self, name: &str, rest: &str, streams: &Streams, called: bool) -> Flow {
        let lower = name.to_lowercase();
        let plain = lower.strip_suffix(".exe").or_else(|| lower.strip_suffix(".com")).unwrap_or(&lower);
        if matches!(plain, "cmd" | r"c:\windows\system32\cmd") {
            self.errorlevel = self.nested(rest, streams).await;
            return Flow::Next;
        }
        if let Some(path) = self.batch_file(name) {
            let mut arguments = vec![name.to_owned()];
            arguments.extend(words(rest));
            let flow = self.batch(&path, arguments, streams).await;
            // Without `call` the first batch file never gets control back.
            return match flow {
                Flow::Quit => Flow::Quit,
                _ if called || self.frames.is_empty() => Flow::Next,
                _ => Flow::Leave,
            };
        }
        let machine = Arc::clone(&self.machine);
        let user = self.environment.get("USERNAME").unwrap_or("SYSTEM").to_owned();
        match machine.run(name, rest, &self.folder, &user, streams).await {
            Some(code) => self.errorlevel = code,
            None => {
                self.machine.note_unknown(format!("{name}{rest}"));
                streams.complain(&format!(
                    "'{name}' is not recognized as an internal or external command,\r\noperable program or batch file."
                ));
                self.errorlevel = 9009;
            }
        }
        Flow::Next
    }

    fn batch_file(&self, name: &str) -> Option<WinPath> {
        let path = WinPath::parse(name, &self.folder).ok()?;
        let lower = name.to_lowercase();
        if lower.ends_with(".cmd") || lower.ends_with(".bat") {
            return self.machine.disk.entry(&path).ok().filter(|entry| !entry.is_dir).map(|_| path);
        }
        [".bat", ".cmd"].iter().find_map(|extension| {
            let path = WinPath::parse(&format!("{name}{extension}"), &self.folder).ok()?;
            self.machine.disk.exists(&path).then_some(path)
        })
    }

    /// `cmd.exe /d /c line` inside a shell: its variables are its own.
    async fn nested(&mut self, rest: &str, streams: &Streams) -> i32 {
        let mut rest = rest.trim_start();
        loop {
            let switch: String = rest.chars().take(2).collect::<String>().to_lowercase();
            match switch.as_str() {
                "/d" | "/q" | "/s" | "/u" | "/a" => rest = rest[2..].trim_start(),
                "/c" | "/k" => {
                    rest = rest[2..].trim_start();
                    break;
                }
                _ => return 0,
            }
        }
        // The outer pair of quotes goes where there are others inside.
        let line = match rest.strip_prefix('"').and_then(|line| line.strip_suffix('"')) {
            Some(inside) if inside.contains('"') => inside,
            _ => rest,
        };
        let mut inner = Self {
            machine: Arc::clone(&self.machine),
            environment: self.environment.clone(),
            folder: self.folder.clone(),
            errorlevel: 0,
            for_variables: Vec::new(),
            delayed: false,
            echo: true,
            frames: Vec::new(),
            steps: self.steps,
        };
        let code = inner.command_line(line, streams).boxed().await;
        self.steps = inner.steps;
        code
    }
}
