//! A host of OpenSSH's sshd and Wine's cmd (`tests/windows/host.sh`): the second opinion on everything that the
//! driver and the simulator believe about Windows.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{environment, program::Ended, ssh::Ssh};

/// A running host; dropping it stops everything and removes its files.
pub struct WineHost {
    folder: PathBuf,
    values: BTreeMap<String, String>,
}

fn host_script(arguments: &[&str]) -> Command {
    let mut command = Command::new(environment::workspace().join("tests/windows/host.sh"));
    command.args(arguments).env("WINE_TEMPLATE", environment::scratch_folder().join("wine-template"));
    command
}

impl WineHost {
    /// Starts a host, or says why this machine cannot have one and returns none (see
    /// [`environment::skip_or_fail`]).
    ///
    /// # Panics
    /// When the host does not come up although the machine has everything.
    pub fn start() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let lacks = Ended::of(&mut host_script(&["check"]));
        if lacks.status != Some(0) {
            environment::skip_or_fail(&lacks.stdout.trim().replace('\n', ", "));
            return None;
        }
        let all = environment::scratch_folder().join("wine-hosts");
        std::fs::create_dir_all(&all).expect("the scratch folder can be written");
        remove_abandoned(&all);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = all.join(format!("{}-{number}", std::process::id()));
        let name = folder.to_str().expect("the scratch folder has a readable name").to_owned();
        Ended::of(&mut host_script(&["up", &name])).expect_status(0);
        let text = std::fs::read_to_string(folder.join("host.env")).expect("the host told where it is");
        let values = text.lines().filter_map(|line| line.split_once('='));
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Some(Self { folder, values })
    }

    fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or_else(|| panic!("host.env lacks {name}"), String::as_str)
    }

    /// The port on 127.0.0.1.
    ///
    /// # Panics
    /// When the script wrote none.
    pub fn port(&self) -> u16 {
        self.value("PORT").parse().expect("a port is a number")
    }

    /// The account to log on with.
    pub fn user(&self) -> &str {
        self.value("USER")
    }

    /// `SHA256:…` of its host key.
    pub fn host_key(&self) -> &str {
        self.value("HOST_KEY")
    }

    /// The private key that the host lets in.
    pub fn client_key(&self) -> &Path {
        Path::new(self.value("CLIENT_KEY"))
    }

    /// The real file behind a path of drive C:, such as `standins/hold`.
    pub fn file(&self, path: &str) -> PathBuf {
        Path::new(self.value("DRIVE")).join(path)
    }

    /// The way in for OpenSSH's programs.
    pub fn ssh(&self) -> Ssh {
        Ssh { port: self.port(), user: self.user().to_owned(), identity: self.client_key().to_owned() }
    }

    /// Runs a command line over an SSH connection of its own, which ends with it.
    pub fn exec(&self, line: &str) -> Ended {
        self.ssh().exec(line)
    }

    /// Runs commands of OpenSSH's sftp program; the first that fails ends it.
    pub fn sftp(&self, commands: &str) -> Ended {
        self.ssh().sftp(commands)
    }
}

impl Drop for WineHost {
    fn drop(&mut self) {
        let name = self.folder.to_string_lossy().into_owned();
        Ended::of(&mut host_script(&["down", &name]));
    }
}

/// Stops hosts whose test process was killed.
fn remove_abandoned(all: &Path) {
    let Ok(entries) = std::fs::read_dir(all) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((process, _)) = name.split_once('-') else { continue };
        if !Path::new("/proc").join(process).exists() {
            Ended::of(&mut host_script(&["down", &entry.path().to_string_lossy()]));
        }
    }
}
