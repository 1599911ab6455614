//! DataMiner versions: one type for every spelling that users, logs and packages carry.
//!
//! Identity is the release number and the build. The CU is a label: every CU of a Main Release reports
//! `10.Y.0.0`, only the build differs (`domain/01 section 4`). That is why [`Version`] has no `Ord`: which of two
//! versions is newer depends on the question, and the rules that answer it (D1, D2) are decisions of the planner.

mod error;
mod month;
mod notation;
mod package;
mod wanted;

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use self::{
    error::VersionError,
    month::MonthIndex,
    notation::VERSION_PATTERN,
    package::{PackageFile, PackageKind, PackageName, PackageNameError, ReleaseChannel},
    wanted::WebWanted,
};

/// A DataMiner version, as far as a text tells it.
///
/// # Notations
///
/// Every spelling of `domain/01 section 1` is read. What a notation leaves out stays unknown: a version without a CU
/// is not CU0.
///
/// | text | where it is met | printed |
/// |--|--|--|
/// | `10.5.4.0-15588-20250319-release` | VersionHistory.txt, About box | `10.5.4 (build 15588)` |
/// | `HF_10.0.7.0(CU0)_20200520-135714` | VersionHistory.txt after a hotfix | `10.0.7 CU0 (hotfix)` |
/// | `10.5.0 CU9`, `10.5.0 [CU9]`, `10.5.0[CU9]`, `10.5 [CU9]` | release notes | `10.5.0 CU9` |
/// | `10.4.0 (CU13)`, `10.5 (CU1)` | guides | `10.4.0 CU13`, `10.5.0 CU1` |
/// | `10.5.12`, `10.5.12 CU2` | Feature Releases | the same |
/// | `10.4.0.0 - 14003`, `10.1.0.0 - 11229 CU10`, `10.5.0.0 – 16782 CU11` | release notes, connectors | `10.4.0 (build 14003)`, `10.1.0 CU10 (build 11229)` … |
/// | `10.2.0.0-11897-CU4` | release notes | `10.2.0 CU4 (build 11897)` |
/// | `10.0.3.0-CU0`, `10.4.0-CU4` | code libraries, log lines | `10.0.3 CU0`, `10.4.0 CU4` |
/// | `10.5.0 [CU4] build 16239` | known issues | `10.5.0 CU4 (build 16239)` |
/// | `10.4.5.0-14225` | package manifests | `10.4.5 (build 14225)` |
/// | `DataMiner 10.0.12.0-9536 Full Upgrade (rc)`, with or without `.dmupgrade` | packages ([`PackageName`]) | `10.0.12 (build 9536)` |
/// | `9.0.3.7-5687` | very old builds; the fourth number was the week | `9.0.3.7 (build 5687)` |
///
/// ```
/// use dataminer_schema::version::{Track, Version};
///
/// let history: Version = "10.5.0.0-16889-20260219-release".parse()?;
/// assert_eq!(history.to_string(), "10.5.0 (build 16889)");
/// assert_eq!((history.track(), history.cu()), (Track::Main, None));
///
/// let spoken: Version = "10.5 [CU12]".parse()?;
/// assert_eq!(spoken, "10.5.0-CU12".parse()?);
/// assert!(spoken.agrees_with(&history));
/// assert_eq!(spoken.completed_by(&history).to_string(), "10.5.0 CU12 (build 16889)");
/// # Ok::<(), dataminer_schema::version::VersionError>(())
/// ```
///
/// # What is refused
///
/// Each with a word on what it is and what to write: a bare line, the file version of a program or of Cube, a
/// threshold of several releases, a date, a word that YAML knows, a package without a release.
///
/// ```
/// use dataminer_schema::version::Version;
///
/// let help = |text: &str| text.parse::<Version>().map_err(|error| error.help());
/// assert!(help("10.5").is_err_and(|help| help.contains("\"10.5.0 CU0\" (or another CU)")));
/// assert!(help("10.4.2343.27106").is_err_and(|help| help.contains("year and week")));
/// assert!(help("10.3.0 [CU8]/10.3.11").is_err_and(|help| help.contains("\"10.3.0 CU8\" or \"10.3.11\"")));
/// assert_eq!(help("v10.5.12"), Err("did you mean \"10.5.12\"?".to_owned()));
/// ```
///
/// # Order
///
/// There is none: [`Line`] orders as the product does (D1), [`Version::month_index`] by fixes (D2, and W4 for web
/// apps), and which one counts is a decision.
///
/// ```
/// use dataminer_schema::version::Version;
///
/// let main: Version = "10.5.0 CU9".parse()?;
/// let feature: Version = "10.5.5".parse()?;
/// // Numerically lower, and yet with more fixes.
/// assert!(main.line() < feature.line() && main.month_index() > feature.month_index());
/// # Ok::<(), dataminer_schema::version::VersionError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    line: Line,
    week: u16,
    cu: Option<u16>,
    build: Option<u32>,
    hotfix: bool,
}

/// The three numbers `A.B.C` that the product itself compares (`domain/01 section 4`, numeric rule).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
    /// 0 for the Main Release, else the number of the Feature Release.
    pub feature: u16,
}

/// Main Release or Feature Release (`domain/01 section 2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Track {
    /// `10.5.0 CU9`: fixes only, within one line.
    Main,
    /// `10.5.12`: new features.
    Feature,
}

impl Version {
    /// The release `a.b.c`, of which neither CU nor build is known.
    pub const fn new(a: u16, b: u16, c: u16) -> Self {
        Self { line: Line { major: a, minor: b, feature: c }, week: 0, cu: None, build: None, hotfix: false }
    }

    /// The same with this CU.
    #[must_use]
    pub const fn with_cu(mut self, cu: u16) -> Self {
        self.cu = Some(cu);
        self
    }

    /// The same with this build.
    #[must_use]
    pub const fn with_build(mut self, build: u32) -> Self {
        self.build = Some(build);
        self
    }

    /// The same without a build.
    #[must_use]
    pub const fn without_build(mut self) -> Self {
        self.build = None;
        self
    }

    /// The same, with CU and build from `other` where this one does not know them. Of two texts about one release,
    /// that is: where they do not agree ([`Self::agrees_with`]), this one's word stands.
    #[must_use]
    pub fn completed_by(mut self, other: &Self) -> Self {
        self.cu = self.cu.or(other.cu);
        self.build = self.build.or(other.build);
        self
    }

    /// Whether nothing that both know differs.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let agree =
            |mine: Option<u32>, theirs: Option<u32>| mine.is_none() || theirs.is_none() || mine == theirs;
        self.line == other.line
            && self.week == other.week
            && self.hotfix == other.hotfix
            && agree(self.cu.map(u32::from), other.cu.map(u32::from))
            && agree(self.build, other.build)
    }

    /// `A.B.C`, ordered as the product orders it.
    pub const fn line(&self) -> Line {
        self.line
    }

    /// The first number.
    pub const fn major(&self) -> u16 {
        self.line.major
    }

    /// The second number.
    pub const fn minor(&self) -> u16 {
        self.line.minor
    }

    /// The third number: 0 for a Main Release.
    pub const fn feature(&self) -> u16 {
        self.line.feature
    }

    /// The fourth number: the week in very old versions, 0 since.
    pub const fn week(&self) -> u16 {
        self.week
    }

    /// Main Release or Feature Release.
    pub const fn track(&self) -> Track {
        if self.line.feature == 0 { Track::Main } else { Track::Feature }
    }

    /// The CU, where the text told it. VersionHistory entries of Main Releases do not.
    pub const fn cu(&self) -> Option<u16> {
        self.cu
    }

    /// The build, where the text told it.
    pub const fn build(&self) -> Option<u32> {
        self.build
    }

    /// Whether this is a hotfix or another build that is not a default release.
    pub const fn is_hotfix(&self) -> bool {
        self.hotfix
    }

    /// The release without the build: `10.5.0 CU9`, `10.5.12`, `10.5.12 CU2`.
    pub fn release_name(&self) -> String {
        let week = if self.week == 0 { String::new() } else { format!(".{}", self.week) };
        let cu = self.cu.map(|cu| format!(" CU{cu}")).unwrap_or_default();
        format!("{}{week}{cu}", self.line)
    }
}

impl fmt::Display for Version {
    /// The release name, then ` (hotfix)` and ` (build 16782)` where they apply.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hotfix = if self.hotfix { " (hotfix)" } else { "" };
        let build = self.build.map(|build| format!(" (build {build})")).unwrap_or_default();
        f.pad(&format!("{}{hotfix}{build}", self.release_name()))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { major, minor, feature } = self;
        f.pad(&format!("{major}.{minor}.{feature}"))
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).and_then(|text: String| {
            text.parse().map_err(|error: VersionError| de::Error::custom(error.with_help()))
        })
    }
}

/// Takes a string and nothing else, so that `10.5` as a number does not become a version by accident.
struct TextVisitor;

impl de::Visitor<'_> for TextVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a version in quotes, for example \"10.5.0 CU9\" or \"10.5.12\" (a bare 10.5 is a number)",
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

impl JsonSchema for Version {
    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "x-check": "version",
            "pattern": VERSION_PATTERN,
            "description": "A DataMiner version, for example `10.5.0 CU9`, `10.5.12` or `10.5.0 CU12 (build 16889)`.",
        })
    }
}

#[cfg(test)]
mod tests;
