//! The simulated Windows: programs that every server has, their state, and what a product adds.

mod account;
mod certutil;
mod folder_programs;
mod icacls;
mod msiexec;
pub(crate) mod program;
mod query;
mod registry;
mod tasks;
mod xcopy;

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak, atomic::AtomicI64},
};

use futures::future::BoxFuture;
use jiff::tz::TimeZone;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::{
    msiexec::{Msi, installed, register},
    registry::{Registry, Value},
};
use crate::{
    clock::Clock,
    cmd::Streams,
    disk::{Disk, WinPath},
    spec::Language,
};

/// A process that `tasklist` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) image: String,
    pub(crate) pid: u32,
}

/// A service that `sc query` knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) running: bool,
}

/// What a product adds to Windows. It is asked each time, so it can follow the product's state.
pub(crate) trait Product: Send + Sync {
    fn processes(&self) -> Vec<Process>;
    fn services(&self) -> Vec<Service>;
    /// The task scheduler begins a task.
    fn task_started(&self) {}
    /// Runs a program of the product by its full path; `None` if it has none of that name.
    fn run<'a>(
        &'a self,
        program: &'a WinPath,
        arguments: Vec<String>,
        user: &'a str,
        streams: &'a Streams,
    ) -> Option<BoxFuture<'a, i32>>;
}

/// What kind of process was started apart from its starter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Started {
    /// By the task scheduler, or `start` without waiting.
    Process,
}

/// One Windows server.
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) clock: Clock,
    pub(crate) zone: TimeZone,
    pub(crate) disk: Arc<Disk>,
    pub(crate) language: Language,
    pub(crate) os_build: u32,
    pub(crate) registry: Mutex<Registry>,
    pub(crate) installer: Mutex<msiexec::Installer>,
    pub(crate) tasks: tasks::Scheduler,
    pub(crate) accounts: account::Accounts,
    /// Seconds by which the server's clock is ahead of the true time.
    pub(crate) clock_skew: AtomicI64,
    product: OnceLock<Weak<dyn Product>>,
    unknown: Mutex<Vec<String>>,
    /// Ends every process that runs apart from an SSH session.
    processes: Mutex<CancellationToken>,
    tracker: TaskTracker,
}

/// How many unknown command lines are kept.
const MAX_UNKNOWN: usize = 200;

impl Machine {
    #[expect(clippy::too_many_arguments, reason = "the parts of a server, each used once")]
    pub(crate) fn new(
        name: String,
        clock: Clock,
        zone: TimeZone,
        disk: Arc<Disk>,
        language: Language,
        os_build: u32,
        registry: Registry,
        tracker: TaskTracker,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            clock,
            zone,
            disk,
            language,
            os_build,
            registry: Mutex::new(registry),
            installer: Mutex::default(),
            tasks: tasks::Scheduler::default(),
            accounts: account::Accounts::default(),
            clock_skew: AtomicI64::new(0),
            product: OnceLock::new(),
            unknown: Mutex::new(Vec::new()),
            processes: Mutex::new(CancellationToken::new()),
            tracker,
        })
    }

    /// Installs the product; once.
    pub(crate) fn install(&self, product: Weak<dyn Product>) {
        let _already = self.product.set(product);
    }

    pub(crate) fn product(&self) -> Option<Arc<dyn Product>> {
        self.product.get().and_then(Weak::upgrade)
    }

    /// Remembers a command line that nothing here knows.
    pub(crate) fn note_unknown(&self, line: String) {
        tracing::warn!(agent = %self.name, %line, "the simulated Windows does not know this command");
        let mut unknown = lock(&self.unknown);
        if unknown.len() < MAX_UNKNOWN {
            unknown.push(line);
        }
    }

    pub(crate) fn unknown(&self) -> Vec<String> {
        lock(&self.unknown).clone()
    }

    /// Runs something that outlives whoever started it, until Windows or its jobs are killed.
    pub(crate) fn spawn(&self, _kind: Started, work: impl Future<Output = ()> + Send + 'static) {
        let token = lock(&self.processes).clone();
        self.tracker.spawn(async move {
            // Dropping the work closes its files, as the end of a process does.
            let _outcome = token.run_until_cancelled_owned(work).await;
        });
    }

    /// Kills all that runs apart from an SSH session.
    pub(crate) fn kill_processes(&self) {
        let old = std::mem::take(&mut *lock(&self.processes));
        old.cancel();
        self.tasks.stopped_all();
    }

    /// The environment of a user's processes.
    pub(crate) fn environment(&self, user: &str) -> crate::cmd::Environment {
        let mut environment = crate::cmd::Environment::default();
        let profile = format!(r"C:\Users\{user}");
        for (name, value) in [
            ("ALLUSERSPROFILE", r"C:\ProgramData"),
            ("COMPUTERNAME", &self.name),
            ("ComSpec", r"C:\Windows\system32\cmd.exe"),
            ("OS", "Windows_NT"),
            ("PATH", r"C:\Windows\system32;C:\Windows"),
            ("PATHEXT", ".COM;.EXE;.BAT;.CMD"),
            ("ProgramData", r"C:\ProgramData"),
            ("ProgramFiles", r"C:\Program Files"),
            ("ProgramFiles(x86)", r"C:\Program Files (x86)"),
            ("SystemDrive", "C:"),
            ("SystemRoot", r"C:\Windows"),
            ("TEMP", r"C:\Windows\Temp"),
            ("TMP", r"C:\Windows\Temp"),
            ("USERDOMAIN", &self.name),
            ("USERNAME", user),
            ("USERPROFILE", &profile),
            ("windir", r"C:\Windows"),
        ] {
            environment.set(name, value);
        }
        environment
    }

    /// Runs a program by name or path, with or without `.exe`; `None` if there is none.
    pub(crate) async fn run(
        self: &Arc<Self>,
        name: &str,
        rest: &str,
        folder: &WinPath,
        user: &str,
        streams: &Streams,
    ) -> Option<i32> {
        let name = name.replace('/', "\\");
        let lower = name.to_lowercase();
        let plain = lower.strip_suffix(".exe").or_else(|| lower.strip_suffix(".com")).unwrap_or(&lower);
        let bare = plain.strip_prefix(r"c:\windows\system32\").unwrap_or(plain);
        let arguments = program::arguments(rest);
        if matches!(bare, "xcopy" | "msiexec") {
            self.tasks.works();
        }
        let code = match bare {
            "tasklist" => query::tasklist(self, &arguments, streams),
            "fsutil" => query::fsutil(self, &arguments, streams),
            "sc" => query::sc(self, &arguments, streams),
            "hostname" => query::print(streams, &self.name),
            "whoami" => account::whoami(self, &arguments, user, streams),
            "chcp" => query::print(
                streams,
                &format!("Active code page: {}", arguments.first().map_or("437", |page| page)),
            ),
            "reg" => registry::reg(self, &arguments, streams),
            "icacls" => icacls::icacls(self, &arguments, folder, streams),
            "certutil" => certutil::certutil(self, &arguments, folder, streams).await,
            "schtasks" => tasks::schtasks(self, &arguments, folder, user, streams),
            "ping" => query::ping(self, &arguments, streams).await,
            "xcopy" => xcopy::xcopy(self, &arguments, folder, streams).await,
            "msiexec" => msiexec::msiexec(self, &arguments, folder, streams).await,
            "where" => folder_programs::where_is(self, &arguments, folder, streams),
            _ => {
                let path = WinPath::parse(&name, folder).ok()?;
                let with_extension = WinPath::parse(&format!("{name}.exe"), folder).ok()?;
                let path = [path, with_extension]
                    .into_iter()
                    .find(|path| self.disk.entry(path).is_ok_and(|entry| !entry.is_dir))?;
                let product = self.product()?;
                return match product.run(&path, arguments, user, streams) {
                    Some(run) => {
                        self.tasks.works();
                        Some(run.await)
                    }
                    None => None,
                };
            }
        };
        Some(code)
    }
}

/// Locks; a panic elsewhere leaves plain data.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
