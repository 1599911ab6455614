//! What may be wrong with a package: stable codes, each with its meaning and its cure.
//!
//! `explain CODE` prints them, `catalog scan` reports them. Facts: `domain/09 section 4`, `domain/05 section 7`,
//! `domain/01` "Package file names".

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The package is refused: it is left out of the catalogue.
    Error,
    /// The package is listed, and somebody should look at it.
    Warning,
    /// Worth knowing; nothing to do.
    Note,
}

impl Severity {
    /// As it is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Declares the codes once: variant, printed code, severity, meaning, cure.
macro_rules! findings {
    ($($variant:ident = $code:literal $severity:ident, $meaning:literal, $cure:literal;)+) => {
        /// The stable code of a finding. A code is never used again for something else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingCode {
            $(#[doc = $meaning] $variant,)+
        }

        impl FindingCode {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As it is printed: `P0104`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// How much it weighs.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// What the code stands for.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }

            /// What to do about it.
            pub const fn cure(self) -> &'static str {
                match self { $(Self::$variant => $cure,)+ }
            }
        }
    };
}

findings! {
    Unreadable = "P0101" Error, "The file could not be read: access is denied, it is locked, or the disk failed.",
        "make the file readable for this account, close the program that holds it, and scan again";
    NotAFile = "P0102" Error, "The entry is a symbolic link or no regular file, and links are not followed.",
        "put the file itself there instead of a link to it";
    Empty = "P0103" Error, "The file holds no bytes.",
        "copy or download it again";
    NotAZip = "P0104" Error, "The file does not begin like a zip archive, which every package is.",
        "copy or download it again, and compare its size with that of the original";
    WebPage = "P0105" Error, "The file is a web page: the download was answered by a sign-in or an error page.",
        "sign in and download the package again";
    CutOff = "P0106" Error, "The archive has no end: its directory is missing, or lies outside the file.",
        "the copy or download was broken off: do it again, and compare the size";
    Changed = "P0107" Error, "The file changed while it was read.",
        "wait until whoever writes it is done, and scan again";
    OverUploadLimit = "P0108" Warning, "The file is larger than the 4,000 MB that DataMiner takes by default for an upload.",
        "raise MaxUploadSize in MaintenanceSettings.xml before somebody uploads it with Cube; an upload over SSH knows no limit";

    BadFileName = "P0201" Error, "The file name cannot be that of a package: its extension, its length or its characters.",
        "restore the original name; the extension is `.dmupgrade` or `.dmupdate`, in lower case";
    RenamedCopy = "P0202" Warning, "The name looks like that of a second copy, such as `… (1).dmupgrade`.",
        "keep one copy, under the original name";
    NoCu = "P0203" Note, "The name of a Main Release package tells no CU, so the CU is known by its build alone.",
        "add the build to `spec.builds`, or `core: 10.5.0 CU12` to the entry, unless the release knowledge has it";
    Candidate = "P0204" Warning, "The package is a release candidate (`(rc)`).",
        "use the released package in production";
    Internal = "P0205" Warning, "The package is an internal build (`(internal)`).",
        "use the released package in production";
    NoRelease = "P0206" Error, "The name speaks of an upgrade, but does not tell which release.",
        "restore the original name, for example `DataMiner 10.5.0.0(CU9)-16500 Full Upgrade.dmupgrade`";
    FreeName = "P0207" Warning, "The name is neither that of a release nor that of a known tool; the package is listed as a tool.",
        "restore the original name, or say with `core`, `web` or `update` in the entry what it is";
    NameDisagrees = "P0208" Warning, "What the file name says differs from what the package says of itself.",
        "if the file was renamed, restore its original name; the name decides what plans take it for";
    SameName = "P0209" Error, "Two files of one scan have the same name and other bytes; a catalogue knows files by their names.",
        "find out which of them is the vendor's, and take the other one away";
    SameBytes = "P0210" Warning, "Two files of one scan have the same bytes.",
        "keep one of them, under the original name";

    Encrypted = "P0301" Error, "A member is encrypted; no upgrade package is.",
        "do not use the file; get the package from the vendor again";
    Method = "P0302" Warning, "A member is compressed by a method other than store or deflate, so it was not looked into.",
        "get the package from the vendor again if it was packed anew by somebody";
    Ambiguous = "P0303" Error, "A member that decides what the package does comes twice, and programs differ in which one they take.",
        "do not use the file; get the package from the vendor again";
    Duplicate = "P0304" Warning, "Two members have the same name; the later one overwrites the other.",
        "nothing, if the package is the vendor's own: some are made like this";
    DuplicateCase = "P0305" Warning, "Two members have names that differ only in case or separator; Windows makes one file of them.",
        "get the package from the vendor again if it was packed anew by somebody";
    Escapes = "P0306" Error, "The name of a member leads out of the folder into which it is extracted.",
        "do not use the file: it is made to write elsewhere";
    BadMemberName = "P0307" Error, "The name of a member is one that Windows cannot hold or reads as something else: a device, a stream, a drive, control characters.",
        "do not use the file; get the package from the vendor again";
    MixedSeparators = "P0308" Warning, "Some names of members are separated by `/` and some by `\\`.",
        "nothing, if the package is the vendor's own; a package that was packed anew mixes them too";
    Disagreement = "P0309" Error, "The directory of the archive and the members themselves say different things, and programs differ in whom they believe.",
        "do not use the file; get the package from the vendor again";
    Damaged = "P0310" Error, "The archive is damaged: a structure is not where or what it should be, or a checksum differs.",
        "copy or download it again";
    Overlap = "P0311" Error, "Members lie over each other, which only an archive made to harm does.",
        "do not use the file";
    Bomb = "P0312" Error, "Unpacked, the archive would be out of all proportion.",
        "do not use the file";
    TooManyMembers = "P0313" Error, "The archive lists more members, or longer names, than are read.",
        "do not use the file: no package has so many";
    Prefix = "P0314" Warning, "Bytes stand before the archive.",
        "get the package from the vendor again: somebody put something before it";
    Trailing = "P0315" Warning, "Bytes stand behind the archive.",
        "copy or download it again: the file was written over a longer one, or something was added";
    Hidden = "P0316" Warning, "Bytes between members belong to none that the directory lists.",
        "get the package from the vendor again if it was packed anew by somebody";
    Zip64 = "P0317" Note, "The archive uses the zip64 form; old programs cannot open it.",
        "nothing: DataMiner's own packages of this size do";
    NameEncoding = "P0318" Warning, "The name of a member is not ASCII and not marked as UTF-8.",
        "get the package from the vendor again if it was packed anew by somebody";
    Split = "P0319" Error, "The archive is one volume of several.",
        "join the volumes first";
    LinkInside = "P0320" Error, "A member is a symbolic link.",
        "do not use the file: a package for Windows has none";

    NoUpdateZip = "P0401" Error, "The package holds no Update.zip, so it is none that upgrades a DataMiner Agent.",
        "a .dmapp, .dmprotocol or .dmbackup is installed in other ways; else download it again";
    OtherKind = "P0402" Error, "The package is of another kind (.dmapp, .dmprotocol) under the name of an upgrade.",
        "install it as what it is; an upgrade package has another origin";
    NoInstructions = "P0403" Error, "Update.zip holds no UpdateContent.txt, which tells what is to be done.",
        "get the package from the vendor again";
    InstructionsTooLong = "P0404" Error, "UpdateContent.txt or another text of the package is larger than any real one.",
        "do not use the file; get the package from the vendor again";
    UnknownInstruction = "P0405" Warning, "UpdateContent.txt holds an instruction that is not documented; what it does is not known.",
        "nothing, if the package is the vendor's own; else do not use it";
    NotAscii = "P0406" Warning, "UpdateContent.txt holds characters beyond ASCII, on which Agents of older releases fail.",
        "use the vendor's own package";
    NoExecutor = "P0407" Warning, "The package carries prerequisites without the program that runs them, so the upgrade ends with \"BPA executor could not be found\".",
        "use the full package; Update Center's packages lack it since 10.4.0";
    NoPrerequisites = "P0408" Warning, "A full package of 10.2 or later carries no prerequisites: nothing checks the Agents before it.",
        "use the vendor's own package: somebody took them out";
    EmptyPrerequisites = "P0409" Warning, "The folder Prerequisites holds no check.",
        "use the vendor's own package: somebody took them out";
    WebRestarts = "P0410" Warning, "The instructions of a web package stop or start DataMiner, though a web package should restart the web server alone.",
        "plan it like a full upgrade: inside a window";
    FullDoesNotRestart = "P0411" Warning, "The instructions of a full package neither stop nor start DataMiner.",
        "compare it with the vendor's own package";
    NoEngine = "P0412" Warning, "SLUpgrade.dll, which carries out the upgrade, is missing beside Update.zip.",
        "compare it with the vendor's own package";
    LeftBehindCheck = "P0413" Warning, "The package carries VerifyNATSMigrationPrerequisites.dll, which was left in by mistake and fails on 10.4 Agents.",
        "upgrade 10.4 Agents by way of 10.5.0 CU0 to CU2; plans do so by themselves";
    NatsCheck = "P0414" Note, "The package carries VerifyNatsIsRunning.dll, which fails when an Agent of 10.4.0/10.4.3 or later goes down to it.",
        "for such a downgrade allow `downgrade.patchPrerequisites`";
    NestedAgain = "P0415" Warning, "Update.zip holds another Update.zip.",
        "compare it with the vendor's own package";
    NoFingerprint = "P0416" Note, "The package holds no member by which an Agent's level could be proven.",
        "nothing: levels are then known by our own jobs and the Agent's logs";
    Signature = "P0417" Note, "The package carries a signature, which is not checked.",
        "trust rests on the SHA-256 that was reviewed with the catalogue";
    NotFollowed = "P0418" Warning, "Update.zip is compressed and was written in a way that can only be followed from its own directory; its insides were not inspected.",
        "nothing, if the package is the vendor's own; what it carries stays unknown";
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for FindingCode {
    type Err = ();

    /// Reads `P0407`, in either case.
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text)).ok_or(())
    }
}

impl Serialize for FindingCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub code: FindingCode,
    pub severity: Severity,
    /// The member that it is about, as `Update.zip: Files\x.dll`; absent for the file as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// What is wrong there, in one sentence.
    pub message: String,
}

/// Findings as they come up. Of each code only the first few are kept, the rest is counted: a hostile archive can
/// make as many as it has members.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    seen: BTreeMap<FindingCode, usize>,
}

/// How many findings of one code are listed by name.
const KEPT_OF_EACH: usize = 5;

impl Findings {
    pub(super) fn add(&mut self, code: FindingCode, message: impl Into<String>) {
        self.put(code, None, message.into());
    }

    pub(super) fn at(&mut self, code: FindingCode, member: &str, message: impl Into<String>) {
        self.put(code, Some(member.to_owned()), message.into());
    }

    fn put(&mut self, code: FindingCode, member: Option<String>, message: String) {
        let seen = self.seen.entry(code).or_default();
        *seen += 1;
        if *seen <= KEPT_OF_EACH {
            self.kept.push(Finding { code, severity: code.severity(), member, message });
        }
    }

    /// Takes over what was found elsewhere.
    pub(super) fn extend(&mut self, other: Self) {
        let Self { kept, mut seen } = other;
        for Finding { code, severity: _, member, message } in kept {
            if let Some(count) = seen.get_mut(&code) {
                *count -= 1;
            }
            self.put(code, member, message);
        }
        for (code, count) in seen {
            *self.seen.entry(code).or_default() += count;
        }
    }

    pub(super) fn has(&self, code: FindingCode) -> bool {
        self.seen.contains_key(&code)
    }

    /// In the order of severity, code and place; what was not kept is counted in a finding of its own.
    pub(super) fn into_vec(self) -> Vec<Finding> {
        let Self { mut kept, seen } = self;
        for (code, count) in seen {
            if let Some(more) = count.checked_sub(KEPT_OF_EACH).filter(|more| *more > 0) {
                let message = format!("and {more} more of the kind");
                kept.push(Finding { code, severity: code.severity(), member: None, message });
            }
        }
        // Stable: what was found first stays first within its code.
        kept.sort_by_key(|finding| (finding.severity, finding.code));
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_can_be_read_back() {
        for (at, code) in FindingCode::ALL.iter().enumerate() {
            assert!(FindingCode::ALL[..at].iter().all(|other| other.as_str() < code.as_str()), "{code}");
            assert_eq!(code.as_str().to_lowercase().parse(), Ok(*code));
            assert!(code.meaning().ends_with('.'), "{code}");
            assert!(!code.cure().is_empty() && !code.cure().ends_with('.'), "{code}");
        }
        assert_eq!("P9999".parse::<FindingCode>(), Err(()));
    }

    #[test]
    fn many_findings_of_one_kind_are_counted_and_not_kept() {
        let mut findings = Findings::default();
        for number in 0..100_000 {
            findings.at(FindingCode::Duplicate, &number.to_string(), "twice");
        }
        findings.add(FindingCode::Bomb, "large");
        let list = findings.into_vec();
        assert_eq!(list.len(), KEPT_OF_EACH + 2);
        assert_eq!((list[0].code, list[0].severity), (FindingCode::Bomb, Severity::Error));
        assert_eq!(list[KEPT_OF_EACH + 1].message, "and 99995 more of the kind");
    }
}
