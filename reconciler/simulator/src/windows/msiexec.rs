//! `msiexec` and what is installed: the 64-bit uninstall keys.
//!
//! Exit codes are Windows Installer's: 0, 1605 unknown product, 1618 another installation, 1619 no such package, 1620
//! no package, 1622 no log, 1639 wrong command line, 3010 done but for a restart. What an interrupted run began is
//! rolled back, as Windows does it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{Machine, Registry, Value, lock};
use crate::{
    clock::local_text,
    cmd::Streams,
    disk::{DiskError, OpenHow, WinPath},
};

/// Below `HKEY_LOCAL_MACHINE`.
const UNINSTALL: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";
/// The first line of a simulated installer.
const MARK: &str = "simulated installer";
/// The largest installer that is opened.
const MAX_MSI: usize = 1 << 20;

/// A product that Windows Installer knows: in an installer, or installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Msi {
    /// `{…}`, another for every version.
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) version: String,
}

/// What Windows Installer remembers beside the registry.
#[derive(Debug, Default)]
pub(crate) struct Installer {
    busy: bool,
    /// The next run ends with this code.
    pub(crate) next_exit: Option<i32>,
    /// Products over which an older version was installed; clean again once all of them are uninstalled.
    damaged: BTreeSet<String>,
}

impl Msi {
    /// What lies in an installer of this product.
    pub(crate) fn file(&self) -> String {
        let Self { code, name, version } = self;
        format!("{MARK}\r\nProductCode={code}\r\nProductName={name}\r\nProductVersion={version}\r\n")
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        let mut value = |name: &str| Some(lines.next()?.strip_prefix(name)?.strip_prefix('=')?.to_owned());
        if value(MARK).is_some() {
            return None;
        }
        let (code, name, version) = (value("ProductCode")?, value("ProductName")?, value("ProductVersion")?);
        Some(Self { code, name, version })
    }

    fn numbers(&self) -> Vec<u64> {
        self.version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    }
}

/// Everything that the uninstall keys name with a version.
pub(crate) fn installed(registry: &Registry) -> Vec<Msi> {
    let keys = registry.names(UNINSTALL);
    let found = keys.into_iter().filter_map(|code| {
        let key = format!(r"{UNINSTALL}\{code}");
        let name = registry.text(&key, "DisplayName")?.to_owned();
        let version = registry.text(&key, "DisplayVersion")?.to_owned();
        Some(Msi { code, name, version })
    });
    found.collect()
}

/// Writes an uninstall key.
pub(crate) fn register(registry: &mut Registry, product: &Msi) {
    let key = format!(r"{UNINSTALL}\{}", product.code);
    for (name, value) in [
        ("DisplayName", product.name.clone()),
        ("DisplayVersion", product.version.clone()),
        ("UninstallString", format!("MsiExec.exe /X{}", product.code)),
    ] {
        registry.set(&key, name, Value::Text(value));
    }
}

impl Machine {
    /// Whether an older version was installed over a newer one, which corrupts it (`domain/02 section 3`).
    pub(crate) fn is_damaged(&self, product: &str) -> bool {
        lock(&self.installer).damaged.contains(product)
    }

    /// Installs: a newer version replaces an older one, an older one beside a newer one leaves both unusable.
    pub(crate) fn install_msi(&self, product: &Msi) {
        let mut registry = lock(&self.registry);
        for other in installed(&registry) {
            if other.name != product.name || other.code == product.code {
                continue;
            }
            if other.numbers() > product.numbers() {
                lock(&self.installer).damaged.insert(product.name.clone());
            } else {
                registry.remove(&format!(r"{UNINSTALL}\{}", other.code));
            }
        }
        register(&mut registry, product);
    }

    fn uninstall_msi(&self, product: &Msi) {
        let mut registry = lock(&self.registry);
        registry.remove(&format!(r"{UNINSTALL}\{}", product.code));
        if !installed(&registry).iter().any(|other| other.name == product.name) {
            lock(&self.installer).damaged.remove(&product.name);
        }
    }

    /// Installs unless the same or a newer version is there, as the packages' own module installers do.
    pub(crate) fn upgrade_msi(&self, product: &Msi) {
        let newer = installed(&lock(&self.registry))
            .iter()
            .any(|other| other.name == product.name && other.numbers() >= product.numbers());
        if !newer {
            self.install_msi(product);
        }
    }
}

/// What a command line asks for.
enum Wanted {
    Install(String),
    /// By product code or installer.
    Uninstall(String),
}

fn read(arguments: &[String]) -> Option<(Wanted, Option<String>)> {
    let (mut wanted, mut log, mut quiet) = (None, None, false);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let lower = word.to_lowercase().replacen('-', "/", usize::from(word.starts_with('-')));
        match lower.as_str() {
            "/i" | "/package" => wanted = Some(Wanted::Install(words.next()?.clone())),
            "/x" | "/uninstall" => wanted = Some(Wanted::Uninstall(words.next()?.clone())),
            "/qn" | "/quiet" => quiet = true,
            "/norestart" => {}
            _ if lower.starts_with("/l") => log = Some(words.next()?.clone()),
            _ if lower.starts_with("/x{") => wanted = Some(Wanted::Uninstall(word[2..].to_owned())),
            _ => return None,
        }
    }
    // Without /qn it would wait for somebody to click.
    wanted.filter(|_| quiet).map(|wanted| (wanted, log))
}

/// Only one installation runs at a time; over when this is dropped.
struct Turn<'a>(&'a Machine);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.0.installer).busy = false;
    }
}

/// `msiexec /i FILE.msi | /x {CODE} | /x FILE.msi` with `/qn`, `/norestart` and `/l*v LOG`.
pub(super) async fn msiexec(
    machine: &Arc<Machine>,
    arguments: &[String],
    folder: &WinPath,
    streams: &Streams,
) -> i32 {
    let Some((wanted, log)) = read(arguments) else {
        machine.note_unknown(format!("msiexec {}", arguments.join(" ")));
        return 1639;
    };
    let disk = &machine.disk;
    let log = match log.map(|log| WinPath::parse(&log, folder)) {
        None => None,
        Some(Err(_)) => return 1622,
        Some(Ok(path)) => match disk.open(&path, OpenHow::replace()) {
            Ok(_created) => Some(path),
            Err(_) => return 1622,
        },
    };
    let say = |text: &str| {
        let time = local_text(machine.clock.now(), &machine.zone);
        let line = format!("MSI (s) [{time}] {text}\r\n");
        // A full disk loses log lines on Windows too.
        let _lost = log.as_ref().map(|log| disk.append(log, line.as_bytes()));
    };
    say(&format!("Command Line: {}", arguments.join(" ")));
    let code = run(machine, &wanted, folder).await;
    say(&format!("MainEngineThread is returning {code}"));
    if code != 0 {
        streams.complain(&format!("Windows Installer ended with {code}."));
    }
    code
}

async fn run(machine: &Arc<Machine>, wanted: &Wanted, folder: &WinPath) -> i32 {
    let _turn = {
        let mut installer = lock(&machine.installer);
        if installer.busy {
            return 1618;
        }
        installer.busy = true;
        Turn(machine)
    };
    let open = |name: &str| -> Result<Msi, i32> {
        let read = WinPath::parse(name, folder).and_then(|path| machine.disk.read(&path, MAX_MSI));
        match read {
            Ok(bytes) => Msi::read(&bytes).ok_or(1620),
            Err(DiskError::Io) => Err(1603),
            Err(_) => Err(1619),
        }
    };
    let is_installed = |code: &str| {
        installed(&lock(&machine.registry)).into_iter().find(|found| found.code.eq_ignore_ascii_case(code))
    };
    let (product, install) = match wanted {
        Wanted::Install(file) => match open(file) {
            Ok(product) => (product, true),
            Err(code) => return code,
        },
        Wanted::Uninstall(what) => {
            let code = if what.starts_with('{') { Ok(what.clone()) } else { open(what).map(|msi| msi.code) };
            match code.map(|code| is_installed(&code)) {
                Ok(Some(product)) => (product, false),
                Ok(None) => return 1605,
                Err(code) => return code,
            }
        }
    };
    let next = lock(&machine.installer).next_exit.take();
    machine.clock.sleep(Duration::from_secs(if install { 40 } else { 20 })).await;
    match next {
        None | Some(0 | 3010) => {}
        Some(code) => return code,
    }
    if install {
        machine.install_msi(&product);
    } else {
        machine.uninstall_msi(&product);
    }
    next.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installers_read_what_they_write_and_nothing_else() {
        let msi =
            Msi { code: "{1}".to_owned(), name: "DataMiner GQI".to_owned(), version: "10.5.2".to_owned() };
        assert_eq!(Msi::read(msi.file().as_bytes()), Some(msi));
        assert_eq!(Msi::read(b"MZ"), None);
        assert_eq!(Msi::read(b"\xff\xfe"), None);
    }
}
