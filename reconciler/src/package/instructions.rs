//! UpdateContent.txt: what a package does on an Agent, one instruction a line (`domain/09 section 4`).

use serde::Serialize;

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Instruction {
    /// From 1.
    pub line: usize,
    pub verb: Verb,
    /// What follows the word, as it is written.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub argument: String,
}

/// The documented words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    Sleep,
    Lock,
    Unlock,
    Disable,
    Enable,
    Kill,
    Start,
    Iis,
    Update,
    Register,
    Delete,
    Extract,
    Execute,
    JavaScript,
    PowerShell,
    InstallApp,
    SetOption,
    UpgradeDatabase,
    UpgradeTaskbarUtility,
    ExecuteUpgrade,
    AddRollbackAction,
    /// A word that no documentation names.
    Other(String),
}

impl Verb {
    /// The product reads the words in any case.
    fn read(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "sleep" => Self::Sleep,
            "lock" => Self::Lock,
            "unlock" => Self::Unlock,
            "disable" => Self::Disable,
            "enable" => Self::Enable,
            "kill" => Self::Kill,
            "start" => Self::Start,
            "iis" => Self::Iis,
            "update" => Self::Update,
            "register" => Self::Register,
            "delete" => Self::Delete,
            "extract" => Self::Extract,
            "execute" => Self::Execute,
            "js" => Self::JavaScript,
            "ps" => Self::PowerShell,
            "installapp" => Self::InstallApp,
            "setoption" => Self::SetOption,
            "upgradedb" => Self::UpgradeDatabase,
            // The page spells it both ways.
            "upgradesltaskbarutility" | "upgradedataminertaskbarutility" => Self::UpgradeTaskbarUtility,
            "executeupgrade" => Self::ExecuteUpgrade,
            "addrollbackaction" => Self::AddRollbackAction,
            _ => Self::Other(word.to_owned()),
        }
    }
}

/// Instructions that are read; real packages have some dozen.
const MOST: usize = 5_000;
/// Characters of an argument or an unknown word that are kept.
const LONGEST: usize = 300;

/// What UpdateContent.txt says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Instructions {
    pub(super) list: Vec<Instruction>,
    /// More lines than are read.
    pub(super) cut: bool,
    pub(super) ascii: bool,
}

impl Instructions {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let text = text(bytes);
        let body = text.trim_start_matches('\u{feff}');
        let mut list = Vec::new();
        for (at, line) in body.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            if list.len() == MOST {
                return Self { list, cut: true, ascii: body.is_ascii() };
            }
            let (word, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let kept = |text: &str| text.trim().chars().take(LONGEST).collect::<String>();
            list.push(Instruction { line: at + 1, verb: Verb::read(&kept(word)), argument: kept(argument) });
        }
        Self { list, cut: false, ascii: body.is_ascii() }
    }

    /// A package restarts the Agent iff it disables, kills or starts DataMiner. Inferred (`domain/09 section 4`): an
    /// unknown instruction could do so too.
    pub(super) fn restart(&self) -> bool {
        self.list
            .iter()
            .any(|instruction| matches!(instruction.verb, Verb::Disable | Verb::Kill | Verb::Start))
    }
}

/// A text of a Windows program: UTF-8, or UTF-16 with its mark.
pub(super) fn text(bytes: &[u8]) -> String {
    let wide = |read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_read_in_any_case_and_without_a_last_newline() {
        let read = Instructions::read(
            b"\xef\xbb\xbfSetOption EXTRACTALL\r\n\r\nkill\r\njs 60 Tools\\a.js\r\nFrobnicate now",
        );
        let shown: Vec<_> =
            read.list.iter().map(|one| format!("{} {:?} {}", one.line, one.verb, one.argument)).collect();
        assert_eq!(
            shown,
            [
                "1 SetOption EXTRACTALL",
                "3 Kill ",
                "4 JavaScript 60 Tools\\a.js",
                "5 Other(\"Frobnicate\") now"
            ]
        );
        assert!(read.restart() && read.ascii && !read.cut);
        let web = Instructions::read(b"IIS Stop\r\nUpdate Webpages\r\nIIS Start\r\n");
        assert!(!web.restart(), "`IIS Start` starts the web server");
        assert!(!Instructions::read("Delete Ünter.dll".as_bytes()).ascii);
        assert!(Instructions::read(&[0xff, 0xfe, b'K', 0, b'i', 0, b'l', 0, b'l', 0]).restart());
        assert!(Instructions::read(&b"a\n".repeat(MOST + 1)).cut);
    }
}
