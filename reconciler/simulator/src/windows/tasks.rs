//! The task scheduler and `schtasks`.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use quick_xml::{Reader, events::Event};

use super::{Machine, Started, lock};
use crate::{
    cmd::{Shell, Streams},
    disk::WinPath,
    inspect::TaskReport,
};

/// Registered tasks by lower-case name.
#[derive(Default)]
pub(crate) struct Scheduler {
    tasks: Mutex<BTreeMap<String, Task>>,
    /// What every task has done, by name; deleting a task does not undo it.
    done: Mutex<BTreeMap<String, TaskReport>>,
}

/// One run of a task.
#[derive(Default)]
struct Run {
    task: String,
    worked: AtomicBool,
}

tokio::task_local! {
    /// The task in whose run something happens.
    static RUN: Run;
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Task {
    name: String,
    definition: Definition,
    runs: u32,
}

/// What task.xml says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Definition {
    command: String,
    arguments: String,
    folder: Option<String>,
    user: Option<String>,
}

impl Scheduler {
    /// No task runs any more.
    pub(super) fn stopped_all(&self) {
        for task in lock(&self.tasks).values_mut() {
            task.runs = 0;
        }
    }

    /// What the tasks have done so far, by name.
    pub(crate) fn done(&self) -> BTreeMap<String, TaskReport> {
        lock(&self.done).clone()
    }

    fn count(&self, task: &str, count: impl FnOnce(&mut TaskReport)) {
        count(lock(&self.done).entry(task.to_owned()).or_default());
    }

    /// Something that changes the server begins: if a task does it, that run of the task has done its work.
    pub(super) fn works(&self) {
        let _by_nobodys_task = RUN.try_with(|run| {
            if !run.worked.swap(true, Ordering::Relaxed) {
                self.count(&run.task, |done| done.worked += 1);
            }
        });
    }

    /// A restart keeps tasks, as Windows does.
    fn finished(&self, name: &str) {
        if let Some(task) = lock(&self.tasks).get_mut(name) {
            task.runs = 0;
        }
    }
}

/// The largest task.xml.
const MAX_TASK: usize = 1 << 20;

/// `/create /tn NAME /xml FILE [/f]`, `/run /tn NAME`, `/query /tn NAME`, `/end /tn NAME`, `/delete /tn NAME /f`.
pub(super) fn schtasks(
    machine: &Arc<Machine>,
    arguments: &[String],
    folder: &WinPath,
    user: &str,
    streams: &Streams,
) -> i32 {
    let value = |switch: &str| {
        arguments.windows(2).find(|pair| pair[0].eq_ignore_ascii_case(switch)).map(|pair| pair[1].clone())
    };
    let has = |switch: &str| arguments.iter().any(|argument| argument.eq_ignore_ascii_case(switch));
    let verb = arguments.first().map(|verb| verb.to_lowercase()).unwrap_or_default();
    let Some(name) = value("/tn") else {
        machine.note_unknown(format!("schtasks {}", arguments.join(" ")));
        return 9009;
    };
    let name = name.trim_start_matches('\\').to_owned();
    let key = name.to_lowercase();
    let done = |text: String| {
        let _unwritten = streams.line(&text);
        0
    };
    let failed = |text: &str| {
        streams.complain(&format!("ERROR: {text}"));
        1
    };
    match verb.as_str() {
        "/create" => {
            let Some(file) = value("/xml") else {
                machine.note_unknown(format!("schtasks {}", arguments.join(" ")));
                return 9009;
            };
            let bytes = WinPath::parse(&file, folder).and_then(|path| machine.disk.read(&path, MAX_TASK));
            let Ok(bytes) = bytes else { return failed("The system cannot find the file specified.") };
            let definition = match Definition::read(&bytes) {
                Ok(definition) => definition,
                Err(problem) => return failed(&format!("The task XML is malformed. {problem}")),
            };
            let mut tasks = lock(&machine.tasks.tasks);
            if tasks.contains_key(&key) && !has("/f") {
                return failed("Cannot create a file when that file already exists.");
            }
            tasks.insert(key, Task { name: name.clone(), definition, runs: 0 });
            done(format!("SUCCESS: The scheduled task \"{name}\" has successfully been created."))
        }
        "/run" => {
            let mut tasks = lock(&machine.tasks.tasks);
            let Some(task) = tasks.get_mut(&key) else {
                return failed("The system cannot find the file specified.");
            };
            // IgnoreNew: a second run while one goes on is accepted and does nothing.
            if task.runs == 0 {
                task.runs = 1;
                let task = task.clone();
                drop(tasks);
                run(machine, task, user);
            }
            done(format!("SUCCESS: Attempted to run the scheduled task \"{name}\"."))
        }
        "/query" => match lock(&machine.tasks.tasks).get(&key) {
            Some(task) => {
                let state = if task.runs > 0 { "Running" } else { "Ready" };
                done(format!("\"\\{}\",\"N/A\",\"{state}\"", task.name))
            }
            None => failed("The system cannot find the file specified."),
        },
        "/delete" => match lock(&machine.tasks.tasks).remove(&key) {
            Some(_) if has("/f") => {
                done(format!("SUCCESS: The scheduled task \"{name}\" was successfully deleted."))
            }
            Some(task) => {
                // It would ask, and nobody answers.
                lock(&machine.tasks.tasks).insert(key, task);
                1
            }
            None => failed("The system cannot find the file specified."),
        },
        _ => {
            machine.note_unknown(format!("schtasks {}", arguments.join(" ")));
            9009
        }
    }
}

fn run(machine: &Arc<Machine>, task: Task, user: &str) {
    let Task { name, definition, runs: _ } = task;
    let user = definition.user.as_deref().map_or(user, |user| user.rsplit('\\').next().unwrap_or(user));
    // The scheduler's own accounts have no profile of their own here.
    let user = if user.trim() == "S-1-5-18" { "SYSTEM" } else { user.trim() }.to_owned();
    let owner = Arc::clone(machine);
    machine.tasks.count(&name, |done| done.started += 1);
    if let Some(product) = machine.product() {
        product.task_started();
    }
    let this = Run { task: name.clone(), worked: AtomicBool::new(false) };
    let work = RUN.scope(this, async move {
        let mut shell = Shell::new(Arc::clone(&owner), &user);
        let line = format!("\"{}\" {}", definition.command, definition.arguments);
        let folder = definition.folder.unwrap_or_else(|| r"C:\Windows\system32".to_owned());
        shell.enter(&WinPath::fixed(&folder));
        let code = shell.command_line(line.trim(), &Streams::null()).await;
        tracing::debug!(agent = %owner.name, task = %name, code, "a scheduled task ended");
        owner.tasks.finished(&name.to_lowercase());
    });
    machine.spawn(Started::Process, work);
}

impl Definition {
    /// Reads task.xml: UTF-16 with a byte order mark, as `schtasks` wants it, and the parts that matter here.
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = decode(bytes)?;
        let mut reader = Reader::from_str(&text);
        let mut definition = Self::default();
        let mut path: Vec<String> = Vec::new();
        let mut namespace = false;
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(tag) => {
                    let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
                    if path.is_empty() {
                        namespace = name == "Task"
                            && tag.attributes().flatten().any(|attribute| {
                                attribute.key.as_ref() == b"xmlns"
                                    && attribute.value.as_ref()
                                        == b"http://schemas.microsoft.com/windows/2004/02/mit/task"
                            });
                    }
                    path.push(name);
                    if path.len() > 16 {
                        return Err("It is nested too deeply.".to_owned());
                    }
                }
                Event::End(_) => drop(path.pop()),
                Event::Text(text) => {
                    let value = text.decode().map_err(|error| error.to_string())?;
                    definition.take(&path, &value);
                }
                Event::GeneralRef(reference) => {
                    let name: &[u8] = &reference;
                    let value = match name {
                        b"amp" => "&",
                        b"lt" => "<",
                        b"gt" => ">",
                        b"quot" => "\"",
                        b"apos" => "'",
                        _ => return Err("It holds an unknown entity.".to_owned()),
                    };
                    definition.take(&path, value);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        if !path.is_empty() || !namespace {
            return Err("The root is not a Task of the scheduler's namespace.".to_owned());
        }
        for field in [&mut definition.command, &mut definition.arguments] {
            *field = field.trim().to_owned();
        }
        if definition.command.is_empty() {
            return Err("(1,2):Actions: the required element Exec/Command is missing.".to_owned());
        }
        Ok(definition)
    }

    fn take(&mut self, path: &[String], value: &str) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["Task", "Actions", "Exec", "Command"] => self.command.push_str(value),
            ["Task", "Actions", "Exec", "Arguments"] => self.arguments.push_str(value),
            ["Task", "Actions", "Exec", "WorkingDirectory"] => {
                self.folder.get_or_insert_default().push_str(value);
            }
            ["Task", "Principals", "Principal", "UserId"] => {
                self.user.get_or_insert_default().push_str(value);
            }
            _ => {}
        }
    }
}

fn decode(bytes: &[u8]) -> Result<String, String> {
    let Some(rest) = bytes.strip_prefix(b"\xff\xfe") else {
        return Err("(1,40)::unable to switch the encoding".to_owned());
    };
    let units: Vec<u16> = rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).map_err(|_| "It is not UTF-16.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect()
    }

    const TASK: &str = r#"<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.3" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Principals><Principal id="Author"><UserId>AGENT-1\svc</UserId></Principal></Principals>
  <Actions Context="Author"><Exec><Command>cmd.exe</Command><Arguments>/d /c "C:\a &amp; b\run.cmd"</Arguments></Exec></Actions>
</Task>"#;

    #[test]
    fn reads_what_the_scheduler_reads() {
        let definition = Definition::read(&utf16(TASK)).unwrap();
        assert_eq!(definition.command, "cmd.exe");
        assert_eq!(definition.user.as_deref(), Some(r"AGENT-1\svc"));
        assert_eq!(definition.arguments, r#"/d /c "C:\a & b\run.cmd""#);
    }

    #[test]
    fn refuses_utf8_and_foreign_roots() {
        assert!(Definition::read(TASK.as_bytes()).is_err());
        assert!(Definition::read(&utf16("<Task><Actions/></Task>")).is_err());
        assert!(Definition::read(&utf16(&TASK.replace("<Command>cmd.exe</Command>", ""))).is_err());
    }
}
