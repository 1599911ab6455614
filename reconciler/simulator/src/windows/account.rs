//! Whom things belong to, and what the account of the SSH session is: no more of Windows' rights is simulated.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Machine, lock};
use crate::{cmd::Streams, disk::WinPath, spec::Language};

/// Owners of folders, and whether the account of the SSH session is an administrator.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    ordinary: AtomicBool,
    /// Folders that do not belong to the Administrators, by their path in lower case.
    owners: Mutex<BTreeMap<String, String>>,
}

impl Accounts {
    /// The account is an ordinary user from now on.
    pub(crate) fn demote(&self) {
        self.ordinary.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_ordinary(&self) -> bool {
        self.ordinary.load(Ordering::Relaxed)
    }

    /// The folder belongs to `owner`, or to the Administrators again.
    pub(crate) fn own(&self, folder: &WinPath, owner: Option<String>) {
        let key = folder.to_string().to_lowercase();
        let mut owners = lock(&self.owners);
        match owner {
            Some(owner) => owners.insert(key, owner),
            None => owners.remove(&key),
        };
    }

    fn owner(&self, folder: &WinPath) -> Option<String> {
        lock(&self.owners).get(&folder.to_string().to_lowercase()).cloned()
    }
}

/// What Windows calls the group of the administrators.
fn administrators(language: Language) -> &'static str {
    match language {
        Language::English => r"BUILTIN\Administrators",
        Language::German => r"VORDEFINIERT\Administratoren",
    }
}

impl Machine {
    /// Whom a folder or file belongs to, as `dir /q` shows it: cut to the width of its column.
    pub(crate) fn owner_shown(&self, path: &WinPath) -> String {
        let owner = self.accounts.owner(path).unwrap_or_else(|| administrators(self.language).to_owned());
        owner.chars().take(22).collect()
    }
}

/// `whoami`, and `whoami /groups /fo csv /nh`: the SID stands third in every language.
pub(super) fn whoami(machine: &Machine, arguments: &[String], user: &str, streams: &Streams) -> i32 {
    let words: Vec<String> = arguments.iter().map(|word| word.to_lowercase()).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => return super::query::print(streams, &format!("{}\\{user}", machine.name).to_lowercase()),
        ["/groups", "/fo", "csv", "/nh"] => {}
        _ => {
            machine.note_unknown(format!("whoami {}", arguments.join(" ")));
            return 9009;
        }
    }
    let group = |name: &str, kind: &str, sid: &str| format!(r#""{name}","{kind}","{sid}","Mandatory group""#);
    let mut lines = vec![group("Everyone", "Well-known group", "S-1-1-0")];
    let (label, level) = if machine.accounts.is_ordinary() { ("Medium", 8192) } else { ("High", 12288) };
    if !machine.accounts.is_ordinary() {
        lines.push(group(administrators(machine.language), "Alias", "S-1-5-32-544"));
    }
    lines.push(format!(r#""Mandatory Label\{label} Mandatory Level","Label","S-1-16-{level}","""#));
    i32::from(lines.iter().try_for_each(|line| streams.line(line)).is_err())
}
