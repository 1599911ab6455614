//! The built program, run as an operator runs it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use crate::environment;

/// The built `dataminer-reconciler`. Cargo builds a program for the tests of its own package only, so the first
/// call asks Cargo for it; a fresh one costs no more than that question.
///
/// # Panics
/// When it does not compile.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let folder = environment::build_folder();
        let target = folder.parent().expect("the profile lies in the target folder");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .current_dir(environment::workspace())
            .args(["build", "--quiet", "--package", "dataminer-reconciler", "--bin", "dataminer-reconciler"])
            .env("CARGO_TARGET_DIR", target);
        if folder.file_name() == Some(OsStr::new("release")) {
            cargo.arg("--release");
        }
        let built = cargo.output().expect("cargo can be started");
        assert!(built.status.success(), "cargo build: {}", String::from_utf8_lossy(&built.stderr));
        folder.join(format!("dataminer-reconciler{}", std::env::consts::EXE_SUFFIX))
    })
}

/// What a program that has ended left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit status; none when a signal killed it.
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Runs a command to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn of(command: &mut Command) -> Self {
        let output = command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        Self {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same, where the status is right.
    ///
    /// # Panics
    /// With all output, where it is not.
    #[track_caller]
    pub fn expect_status(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// A call of the program with nothing of the tester's environment in it but `PATH`.
pub fn call(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(folder).env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.env("HOME", folder).env("TZ", "UTC").env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
    command
}

/// Runs the program to its end.
///
/// # Panics
/// When it cannot be started.
pub fn run(arguments: &[&str], folder: &Path) -> Ended {
    Ended::of(&mut call(arguments, folder))
}

/// A started program that does not outlive its test.
pub struct Running(Child);

impl Running {
    /// Starts a command; its output goes into files beside `log` (`.out`, `.err`), for a pipe that nobody reads
    /// would stop it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let file =
            |ending| std::fs::File::create(log.with_extension(ending)).expect("the log can be written");
        command.stdin(Stdio::null()).stdout(file("out")).stderr(file("err"));
        Self(command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}")))
    }

    /// Kills it as a power cut does (SIGKILL) and waits until it is gone.
    ///
    /// # Panics
    /// When the system does not let go of it.
    pub fn kill(&mut self) {
        // An error here only says that it has ended already.
        drop(self.0.kill());
        self.0.wait().expect("a killed child can be waited for");
    }

    /// Asks it to end, as an operator's system does (SIGTERM).
    ///
    /// # Panics
    /// When `kill` is not on this machine.
    pub fn terminate(&self) {
        let asked = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status();
        asked.expect("`kill` is everywhere");
    }

    /// The exit status once it has ended; `Err` while it runs, for [`crate::wait::until`].
    ///
    /// # Panics
    /// When the system does not know the child.
    pub fn ended(&mut self) -> Result<Option<i32>, &'static str> {
        match self.0.try_wait().expect("a child can be asked for") {
            Some(status) => Ok(status.code()),
            None => Err("it still runs"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
