//! Reading a version in any of the notations of `domain/01 section 1`.

use std::str::FromStr;

use super::{Line, Version};

/// The longest text that is looked at.
const MAX_LENGTH: usize = 80;

/// The highest number of a Feature Release: the 10.0 line went to 10.0.13, every other line to 12.
const MAX_FEATURE: u16 = 13;

/// A CU, as a pattern.
macro_rules! cu_part {
    () => {
        "( *\\[CU[0-9]{1,3}\\]| *\\(CU[0-9]{1,3}\\)| +CU[0-9]{1,3}| *[-–—] *CU[0-9]{1,3})"
    };
}

/// Whatever else may follow the numbers, as a pattern: build, date and kind, hotfix.
macro_rules! other_part {
    () => {
        concat!(
            "( *\\(hotfix\\)| *\\(build [0-9]{1,8}\\)| +build [0-9]{1,8}| *[-–—] *[0-9]{1,8}(-[A-Za-z]+)?",
            "| *_[0-9]{8}-[0-9]{6})"
        )
    };
}

/// What is read as a version, for JSON Schema. The reader refuses a little more: two builds, or CUs that differ.
pub const VERSION_PATTERN: &str = concat!(
    "^ *(HF_)?(0|[1-9][0-9]{0,2})\\.(0|[1-9][0-9]{0,2})(\\.([0-9]|1[0-3])(\\.(0|[1-9][0-9]?))?(",
    cu_part!(),
    "|",
    other_part!(),
    // `10.5` alone says too little; with a CU it means 10.5.0.
    ")*|",
    other_part!(),
    "*",
    cu_part!(),
    "(",
    cu_part!(),
    "|",
    other_part!(),
    ")*) *$"
);

/// Why a text is not a version, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a DataMiner version: {}", .problem.describe())]
pub struct VersionError {
    text: String,
    problem: Problem,
}

/// What is wrong with the text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Empty,
    TooLong,
    /// `10.5`: the Main Release, or a Feature Release?
    TwoNumbers {
        major: u16,
        minor: u16,
    },
    /// `10.5.2521.130`: the file version of a program.
    FileVersion,
    FeatureTooHigh {
        feature: u16,
    },
    NumberTooLarge,
    CuTwice,
    NotNumbers,
    LeadingZero,
    /// Text that no notation has there.
    Rest(String),
}

impl Problem {
    fn describe(&self) -> String {
        match self {
            Self::Empty => "it is empty".to_owned(),
            Self::TooLong => "it is too long".to_owned(),
            Self::TwoNumbers { .. } => "two numbers name a line, not a release".to_owned(),
            Self::FileVersion => "this is the file version of a program".to_owned(),
            Self::FeatureTooHigh { feature } => {
                format!("there is no Feature Release {feature}: they are numbered 1 to 12")
            }
            Self::NumberTooLarge => "one of its numbers is too large".to_owned(),
            Self::CuTwice => "it names two CUs that differ".to_owned(),
            Self::NotNumbers => "it does not start with numbers like 10.5.0".to_owned(),
            Self::LeadingZero => "one of its numbers starts with a zero".to_owned(),
            Self::Rest(rest) => format!("`{rest}` cannot be read"),
        }
    }
}

impl VersionError {
    fn new(text: &str, problem: Problem) -> Self {
        Self { text: text.chars().take(MAX_LENGTH).collect(), problem }
    }

    /// What to write instead.
    pub fn help(&self) -> String {
        match self.problem {
            Problem::TwoNumbers { major, minor } => format!(
                "write \"{major}.{minor}.0 CU0\" (or another CU) for the Main Release, or for example \
                 \"{major}.{minor}.1\" for a Feature Release"
            ),
            Problem::FileVersion => {
                "write the release that Cube shows under About, for example \"10.5.0 CU9\" or \"10.5.12\""
                    .to_owned()
            }
            Problem::Empty
            | Problem::TooLong
            | Problem::FeatureTooHigh { .. }
            | Problem::NumberTooLarge
            | Problem::CuTwice
            | Problem::NotNumbers
            | Problem::LeadingZero
            | Problem::Rest(_) => {
                "write for example \"10.5.0 CU9\", \"10.5.12\" or \"10.5.0 CU12 (build 16889)\"".to_owned()
            }
        }
    }

    /// The sentence and the help in one text, for places that have room for one only.
    pub fn with_help(&self) -> String {
        format!("{self}; {}", self.help())
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let trimmed = text.trim_matches(' ');
        if trimmed.len() > MAX_LENGTH {
            return Err(VersionError::new(text, Problem::TooLong));
        }
        Reader { rest: trimmed }.version().map_err(|problem| VersionError::new(text, problem))
    }
}

/// Takes a text apart from the left.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn version(mut self) -> Result<Version, Problem> {
        if self.rest.is_empty() {
            return Err(Problem::Empty);
        }
        let mut version = Version::new(0, 0, 0);
        version.hotfix = self.take("HF_");
        let count = self.numbers(&mut version)?;
        let mut tail = Tail::default();
        while !self.rest.is_empty() {
            self.tail_part(&mut tail)?;
        }
        let Tail { cu, build, hotfix, .. } = tail;
        version.cu = cu;
        version.build = build;
        version.hotfix |= hotfix;
        let Line { major, minor, feature } = version.line;
        if count == 2 && cu.is_none() {
            return Err(Problem::TwoNumbers { major, minor });
        }
        if feature > MAX_FEATURE {
            return Err(Problem::FeatureTooHigh { feature });
        }
        Ok(version)
    }

    /// `A.B`, `A.B.C` or `A.B.C.D`; how many there were.
    fn numbers(&mut self, version: &mut Version) -> Result<usize, Problem> {
        let mut numbers = [0_u32; 4];
        let mut count = 0;
        loop {
            let digits = self.digits();
            if digits.is_empty() {
                return Err(Problem::NotNumbers);
            }
            if digits.len() > 1 && digits.starts_with('0') {
                return Err(Problem::LeadingZero);
            }
            numbers[count] = digits.parse().map_err(|_| Problem::NumberTooLarge)?;
            count += 1;
            if count == numbers.len() || !self.take(".") {
                break;
            }
        }
        if count < 2 {
            return Err(Problem::NotNumbers);
        }
        let [major, minor, feature, week] = numbers;
        // `10.5.2521.130` (year and week in the third place), `10.4.2343.27106`: programs, not releases.
        if feature > 99 || week > 99 {
            return Err(Problem::FileVersion);
        }
        let small = |number: u32| {
            u16::try_from(number).ok().filter(|number| *number <= 999).ok_or(Problem::NumberTooLarge)
        };
        version.line = Line { major: small(major)?, minor: small(minor)?, feature: small(feature)? };
        version.week = small(week)?;
        Ok(count)
    }

    fn tail_part(&mut self, tail: &mut Tail) -> Result<(), Problem> {
        let before = self.rest;
        let unreadable = || Problem::Rest(before.trim().chars().take(40).collect());
        self.blanks();
        for (open, close) in [("[", "]"), ("(", ")")] {
            if !self.take(open) {
                continue;
            }
            if open == "(" && self.take("hotfix") {
                tail.hotfix = true;
            } else if open == "(" && self.take("build ") {
                tail.set_build(self.build()?).ok_or_else(unreadable)?;
            } else if self.take("CU") {
                tail.set_cu(self.cu()?)?;
            } else {
                return Err(unreadable());
            }
            return if self.take(close) { Ok(()) } else { Err(unreadable()) };
        }
        if tail.build.is_none() && before.starts_with(' ') && self.take("build ") {
            return tail.set_build(self.build()?).ok_or_else(unreadable);
        }
        // `HF_10.0.7.0(CU0)_20200520-135714`: when the hotfix was built.
        if self.take("_") {
            let (date, dash, time) = (self.digits().len(), self.take("-"), self.digits().len());
            return if (date, dash, time) == (8, true, 6) { Ok(()) } else { Err(unreadable()) };
        }
        let dash = ["-", "–", "—"].iter().any(|dash| self.take(dash));
        if !dash && !before.starts_with(' ') {
            return Err(unreadable());
        }
        self.blanks();
        if self.take("CU") {
            return tail.set_cu(self.cu()?);
        }
        if !dash {
            return Err(unreadable());
        }
        if tail.build.is_none() {
            return tail.set_build(self.build().map_err(|_| unreadable())?).ok_or_else(unreadable);
        }
        // `-20240821-release` after the build: the date and the kind of build.
        let date = self.digits().len();
        if date != 8 || !self.take("-") {
            return Err(unreadable());
        }
        let letters = self.rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (kind, rest) = self.rest.split_at(letters);
        self.rest = rest;
        match kind {
            "" => Err(unreadable()),
            kind => {
                tail.hotfix |= !kind.eq_ignore_ascii_case("release");
                Ok(())
            }
        }
    }

    fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn digits(&mut self) -> &'a str {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        digits
    }

    fn cu(&mut self) -> Result<u16, Problem> {
        let digits = self.digits();
        if digits.len() > 3 {
            return Err(Problem::NumberTooLarge);
        }
        digits.parse().map_err(|_| Problem::Rest("CU".to_owned()))
    }

    fn build(&mut self) -> Result<u32, Problem> {
        let digits = self.digits();
        if digits.len() > 8 {
            return Err(Problem::NumberTooLarge);
        }
        digits.parse().map_err(|_| Problem::Rest("build".to_owned()))
    }
}

/// What follows the numbers.
#[derive(Default)]
struct Tail {
    cu: Option<u16>,
    build: Option<u32>,
    hotfix: bool,
}

impl Tail {
    fn set_cu(&mut self, cu: u16) -> Result<(), Problem> {
        match self.cu.replace(cu) {
            Some(other) if other != cu => Err(Problem::CuTwice),
            _ => Ok(()),
        }
    }

    fn set_build(&mut self, build: u32) -> Option<()> {
        match self.build.replace(build) {
            Some(_) => None,
            None => Some(()),
        }
    }
}
