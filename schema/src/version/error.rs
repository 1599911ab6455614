//! Why a text is not a version, and what to write instead.

use std::fmt;

use super::Version;

/// The longest part of a refused text that a message repeats, in characters.
const SHOWN: usize = 80;

/// Why a text is not a version, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a DataMiner version: {problem}")]
pub struct VersionError {
    text: String,
    problem: Problem,
    /// What was probably meant.
    meant: Option<Version>,
}

/// What is wrong with the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Empty,
    TooLong,
    /// `10.5`: the Main Release, or a Feature Release?
    TwoNumbers {
        major: u16,
        minor: u16,
    },
    /// `10.5.2521.130`: the file version of a program (`domain/01` notations 13 and 14).
    FileVersion,
    /// `10.3.0 [CU8]/10.3.11`: one release per track (`domain/01` notation 16).
    Threshold(Vec<Version>),
    /// `2026-12-20`.
    Date,
    /// `true`, `no`, `null`: YAML knows them.
    Word,
    /// `Hotfix`: all that some old Agents wrote of a hotfix (`domain/01` notation 2).
    BareHotfix,
    /// A package that installs no release of its own, or whose name tells none.
    Package,
    FeatureTooHigh {
        feature: u16,
    },
    NumberTooLarge,
    CuTwice,
    NotNumbers,
    /// `１０.5.0`: digits of another script.
    OtherDigits,
    LeadingZero,
    /// Text that no notation has there.
    Rest(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong => f.write_str("it is too long"),
            Self::TwoNumbers { .. } => f.write_str("two numbers name a line, not a release"),
            Self::FileVersion => f.write_str("this is the file version of a program"),
            Self::Threshold(_) => f.write_str("this names a release of each track, not one release"),
            Self::Date => f.write_str("this is a date"),
            Self::Word => f.write_str("this is a word that YAML knows, not a release"),
            Self::BareHotfix => f.write_str("it does not say which hotfix"),
            Self::Package => f.write_str("this package does not say which release it installs"),
            Self::FeatureTooHigh { feature } => {
                write!(f, "there is no Feature Release {feature}: they are numbered 1 to 12")
            }
            Self::NumberTooLarge => f.write_str("one of its numbers is too large"),
            Self::CuTwice => f.write_str("it names two CUs that differ"),
            Self::NotNumbers => f.write_str("it does not start with numbers like 10.5.0"),
            Self::OtherDigits => f.write_str("it holds digits other than 0 to 9"),
            Self::LeadingZero => f.write_str("one of its numbers starts with a zero"),
            Self::Rest(rest) => write!(f, "`{}` cannot be read", printable(rest)),
        }
    }
}

impl VersionError {
    pub(super) fn new(text: &str, problem: Problem, meant: Option<Version>) -> Self {
        let shown: String = text.chars().take(SHOWN).collect();
        Self { text: printable(&shown), problem, meant }
    }

    /// What to write instead.
    pub fn help(&self) -> String {
        const EXAMPLES: &str =
            "write for example \"10.5.0 CU9\", \"10.5.12\" or \"10.5.0 CU12 (build 16889)\"";
        if let Some(meant) = &self.meant {
            return format!("did you mean \"{meant}\"?");
        }
        match &self.problem {
            Problem::TwoNumbers { major, minor } => format!(
                "write \"{major}.{minor}.0 CU0\" (or another CU) for the Main Release, or for example \
                 \"{major}.{minor}.1\" for a Feature Release"
            ),
            Problem::FileVersion => {
                "programs and Cube count by year and week; write the release that Cube shows \
                                     under About, for example \"10.5.0 CU9\" or \"10.5.12\""
                    .to_owned()
            }
            Problem::Threshold(members) => {
                let members: Vec<String> = members.iter().map(|member| format!("\"{member}\"")).collect();
                format!("write the one of the track that is meant: {}", members.join(" or "))
            }
            Problem::Date => format!("{EXAMPLES}; no release is named by its day"),
            Problem::BareHotfix => {
                "write the release that the hotfix was made for, for example \"10.0.7 CU0 (hotfix)\""
                    .to_owned()
            }
            Problem::Package => format!("{EXAMPLES}, or the name of a Full or Web Upgrade package"),
            Problem::Empty
            | Problem::TooLong
            | Problem::Word
            | Problem::FeatureTooHigh { .. }
            | Problem::NumberTooLarge
            | Problem::CuTwice
            | Problem::NotNumbers
            | Problem::OtherDigits
            | Problem::LeadingZero
            | Problem::Rest(_) => EXAMPLES.to_owned(),
        }
    }

    /// The sentence and the help in one text, for places that have room for one only.
    pub fn with_help(&self) -> String {
        format!("{self}; {}", self.help())
    }
}

/// A text from outside for a message: nothing that moves a cursor, hides itself or turns the line around.
fn printable(text: &str) -> String {
    let harmless = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|c| if harmless(c) { c } else { '\u{fffd}' }).collect()
}
