//! The file names of packages (`domain/01`, "Package file names").

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Version, VersionError};

/// What a package installs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PackageKind {
    /// Core and web apps together.
    Full,
    /// The web apps alone.
    Web,
    /// A check or a migration with a free name (`VerifyClusterPorts.dmupgrade`).
    Tool,
    /// The files changed since a base version (`.dmupdate`).
    Update,
}

/// How far a build had come when it was packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReleaseChannel {
    /// A release.
    Standard,
    /// A release candidate (`(rc)`).
    Candidate,
    /// An internal build (`(internal)`).
    Internal,
}

/// What the name of a full or web package tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageName {
    /// The release; its build is known.
    pub version: Version,
    /// Full or Web.
    pub kind: PackageKind,
    /// How far the build had come.
    pub channel: ReleaseChannel,
    /// The number of the change in the vendor's review system (`GER-99162`).
    pub change: Option<u32>,
    /// The number of the change's patch set (`PS-19`).
    pub patch_set: Option<u32>,
}

/// What the name of any package file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFile {
    /// What the package installs.
    pub kind: PackageKind,
    /// Absent for tools, and where the name does not tell.
    pub version: Option<Version>,
}

/// Why a file name is not that of a package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageNameError {
    /// The extension is not that of a package.
    #[error("`{0}` does not end in `.dmupgrade` or `.dmupdate`")]
    Extension(String),
    /// No release stands in the name.
    #[error("`{0}` does not say which release it installs")]
    NoRelease(String),
    /// The name is that of a full or web package, but its version cannot be right.
    #[error("`{file}` is named like the package of a release, but {source}")]
    BadRelease {
        /// The file name.
        file: String,
        /// What is wrong with the version in it.
        source: VersionError,
    },
    /// The text is a path, or holds characters that Windows does not take.
    #[error("`{0}` is not a plain file name")]
    NotAFileName(String),
}

/// The longest file name that NTFS takes, in characters.
const MAX_FILE_NAME: usize = 255;

impl FromStr for PackageName {
    type Err = PackageNameError;

    /// Reads for example `DataMiner 10.5.5.0(CU0)-15664 Full Upgrade (rc) GER-1 PS-2.dmupgrade`. As the vendor's own
    /// tool does, it looks for the pattern anywhere in the name and tests the extension letter by letter.
    fn from_str(file: &str) -> Result<Self, PackageNameError> {
        check_file_name(file)?;
        let stem =
            file.strip_suffix(".dmupgrade").ok_or_else(|| PackageNameError::Extension(file.to_owned()))?;
        let mut bad = None;
        for text in after_the_word(stem) {
            match release_at(text) {
                Some(Ok(name)) => return Ok(name),
                Some(Err(source)) => bad = bad.or(Some(source)),
                None => {}
            }
        }
        let file = file.to_owned();
        Err(match bad {
            Some(source) => PackageNameError::BadRelease { file, source },
            None => PackageNameError::NoRelease(file),
        })
    }
}

impl FromStr for PackageFile {
    type Err = PackageNameError;

    /// Reads any package file name; a `.dmupgrade` that names no release is a tool.
    fn from_str(file: &str) -> Result<Self, PackageNameError> {
        check_file_name(file)?;
        if let Some(stem) = file.strip_suffix(".dmupdate") {
            let version = after_the_word(stem).find_map(|text| number(text)?.0.ok());
            return Ok(Self { kind: PackageKind::Update, version });
        }
        match PackageName::from_str(file) {
            Ok(name) => Ok(Self { kind: name.kind, version: Some(name.version) }),
            Err(PackageNameError::NoRelease(_)) => Ok(Self { kind: PackageKind::Tool, version: None }),
            Err(error) => Err(error),
        }
    }
}

/// The version in the name of a full or web package, with or without its extension (`domain/01` notation 12).
pub(super) fn version_of(name: &str) -> Option<Version> {
    check_file_name(name).ok()?;
    let stem = name.strip_suffix(".dmupgrade").unwrap_or(name);
    let (_, rest) = stem.split_at_checked("DataMiner".len())?;
    Some(release_at(blank(rest)?)?.ok()?.version)
}

/// What follows each `DataMiner` and its blank.
fn after_the_word(stem: &str) -> impl Iterator<Item = &str> {
    const WORD: &str = "DataMiner";
    stem.match_indices(WORD).filter_map(move |(start, _)| blank(&stem[start + WORD.len()..]))
}

/// What follows one blank; the vendor's pattern takes a no-break one too.
fn blank(text: &str) -> Option<&str> {
    text.strip_prefix(BLANKS)
}

/// The blanks that a file name can hold.
const BLANKS: [char; 2] = [' ', '\u{a0}'];

fn check_file_name(file: &str) -> Result<(), PackageNameError> {
    let plain = file.chars().count() <= MAX_FILE_NAME
        && !file
            .chars()
            .any(|c| c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'));
    if plain {
        Ok(())
    } else {
        Err(PackageNameError::NotAFileName(file.chars().take(MAX_FILE_NAME).collect()))
    }
}

/// `A.B.C.D(CUn)-BUILD Full|Web Upgrade (rc|internal) GER-n PS-n`, and whatever follows. `None` if the text is not of
/// that form, an error if it is and the version in it is none.
fn release_at(text: &str) -> Option<Result<PackageName, VersionError>> {
    let (version, rest) = number(text)?;
    let rest = blank(rest)?;
    let (kind, rest) = [("Full", PackageKind::Full), ("Web", PackageKind::Web)]
        .into_iter()
        .find_map(|(word, kind)| Some((kind, blank(rest.strip_prefix(word)?)?.strip_prefix("Upgrade")?)))?;
    let version = match version {
        Ok(version) => version,
        Err(error) => return Some(Err(error)),
    };
    let in_brackets = |word: &str| blank(rest)?.strip_prefix(word);
    let (channel, rest) = match (in_brackets("(rc)"), in_brackets("(internal)")) {
        (Some(rest), _) => (ReleaseChannel::Candidate, rest),
        (None, Some(rest)) => (ReleaseChannel::Internal, rest),
        (None, None) => (ReleaseChannel::Standard, rest),
    };
    let (change, rest) = numbered(rest, "GER-");
    let (patch_set, _) = numbered(rest, "PS-");
    Some(Ok(PackageName { version, kind, channel, change, patch_set }))
}

/// A blank, `word` and a number, if that is what comes next; and what follows it.
fn numbered<'a>(text: &'a str, word: &str) -> (Option<u32>, &'a str) {
    let read = || {
        let digits = blank(text)?.strip_prefix(word)?;
        let (digits, rest) = digits.split_at(digits.bytes().take_while(u8::is_ascii_digit).count());
        Some((digits.parse().ok()?, rest))
    };
    read().map_or((None, text), |(number, rest)| (Some(number), rest))
}

/// `A.B.C.D(CUn)-BUILD` and what follows it; `None` if it has not four numbers and a build.
fn number(text: &str) -> Option<(Result<Version, VersionError>, &str)> {
    let (number, rest) = text.split_at(text.find(BLANKS).unwrap_or(text.len()));
    let after = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let dots = number[..number.len() - after.len()].matches('.').count();
    let version = number.parse::<Version>();
    let built = match &version {
        Ok(version) => version.build().is_some(),
        Err(_) => {
            let build = after.rsplit_once('-').map(|(_, build)| build);
            build.is_some_and(|build| !build.is_empty() && build.bytes().all(|b| b.is_ascii_digit()))
        }
    };
    (dots == 3 && built).then_some((version, rest))
}
