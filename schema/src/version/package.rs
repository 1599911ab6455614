//! The file names of packages (`domain/01`, "Package file names").

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Version;

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
        stem.match_indices("DataMiner ")
            .find_map(|(start, found)| release_at(&stem[start + found.len()..]))
            .ok_or_else(|| PackageNameError::NoRelease(file.to_owned()))
    }
}

impl FromStr for PackageFile {
    type Err = PackageNameError;

    /// Reads any package file name; a `.dmupgrade` that names no release is a tool.
    fn from_str(file: &str) -> Result<Self, PackageNameError> {
        check_file_name(file)?;
        if let Some(stem) = file.strip_suffix(".dmupdate") {
            let mut names = stem.match_indices("DataMiner ");
            let version = names.find_map(|(start, found)| number(&stem[start + found.len()..]));
            return Ok(Self { kind: PackageKind::Update, version: version.map(|(version, _)| version) });
        }
        match PackageName::from_str(file) {
            Ok(name) => Ok(Self { kind: name.kind, version: Some(name.version) }),
            Err(PackageNameError::NoRelease(_)) => Ok(Self { kind: PackageKind::Tool, version: None }),
            Err(error) => Err(error),
        }
    }
}

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

/// `A.B.C.D(CUn)-BUILD Full|Web Upgrade (rc|internal)`.
fn release_at(text: &str) -> Option<PackageName> {
    let (version, rest) = number(text)?;
    let rest = rest.strip_prefix(' ')?;
    let (kind, rest) = [("Full Upgrade", PackageKind::Full), ("Web Upgrade", PackageKind::Web)]
        .into_iter()
        .find_map(|(words, kind)| Some((kind, rest.strip_prefix(words)?)))?;
    let channel = if rest.starts_with(" (rc)") {
        ReleaseChannel::Candidate
    } else if rest.starts_with(" (internal)") {
        ReleaseChannel::Internal
    } else {
        ReleaseChannel::Standard
    };
    Some(PackageName { version, kind, channel })
}

/// `A.B.C.D(CUn)-BUILD` and what follows it.
fn number(text: &str) -> Option<(Version, &str)> {
    let end = text.find(' ').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let version: Version = number.parse().ok()?;
    let dots = number.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').filter(|b| *b == b'.').count();
    (dots == 3 && version.build().is_some()).then_some((version, rest))
}
