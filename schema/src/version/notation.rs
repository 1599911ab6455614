//! Reading a version in any of the notations of `domain/01 section 1`.

use std::str::FromStr;

use super::{
    Line, Version,
    error::{Problem, VersionError},
    package,
};

/// The longest text that is looked at; names of packages may be longer.
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
    // The name of a package, whole or without its extension.
    "^ *(DataMiner[ \\u00a0][^ \\u00a0]+[ \\u00a0](Full|Web)[ \\u00a0]Upgrade.*|",
    "(HF_)?(0|[1-9][0-9]{0,2})\\.(0|[1-9][0-9]{0,2})(\\.([0-9]|1[0-3])(\\.(0|[1-9][0-9]?))?(",
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
    ")*)) *$"
);

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let trimmed = text.trim_matches(' ');
        if trimmed.starts_with("DataMiner")
            && let Some(version) = package::version_of(trimmed)
        {
            return Ok(version);
        }
        if trimmed.len() > MAX_LENGTH {
            return Err(VersionError::new(text, Problem::TooLong, None));
        }
        plain(trimmed).map_err(|problem| {
            let meant = meant(trimmed);
            let problem = if meant.is_some() { problem } else { named(trimmed).unwrap_or(problem) };
            VersionError::new(text, problem, meant)
        })
    }
}

/// Any notation but the name of a package.
fn plain(text: &str) -> Result<Version, Problem> {
    Reader { rest: text }.version()
}

/// What a refused text probably means: without the words before it, with the blanks and capitals that belong there.
fn meant(text: &str) -> Option<Version> {
    let spaced = text.replace(['\u{a0}', '\u{202f}', '\t'], " ");
    let bare = ["DataMiner ", "version ", "Version ", "v", "V"]
        .iter()
        .fold(spaced.trim(), |text, word| text.strip_prefix(word).unwrap_or(text).trim_start());
    let capital = bare.replace("cu", "CU").replace("Cu", "CU").replace("CU ", "CU");
    let loose = capital.replace("CU", " CU").replace("[ CU", "[CU").replace("( CU", "(CU");
    [bare, &capital, &loose]
        .into_iter()
        .filter(|candidate| *candidate != text)
        .find_map(|text| plain(text).ok())
}

/// What a refused text is instead of a version, where that can be told.
fn named(text: &str) -> Option<Problem> {
    if text.contains('/') {
        let members: Vec<&str> = text.split('/').map(|member| member.trim_matches(' ')).collect();
        return members
            .into_iter()
            .map(|member| plain(member).ok())
            .collect::<Option<_>>()
            .map(Problem::Threshold);
    }
    if text.ends_with(".dmupgrade") || text.ends_with(".dmupdate") {
        return Some(Problem::Package);
    }
    if text.eq_ignore_ascii_case("hotfix") {
        return Some(Problem::BareHotfix);
    }
    if ["true", "false", "yes", "no", "on", "off", "null", "~"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
    {
        return Some(Problem::Word);
    }
    // `2026-12-20`, with or without a time behind it.
    let day: Vec<&str> = text.get(..10).map_or_else(Vec::new, |day| day.split('-').collect());
    let digits = |part: &&str| part.bytes().all(|b| b.is_ascii_digit());
    if matches!(day.as_slice(), [year, month, _] if year.len() == 4 && month.len() == 2)
        && day.iter().all(digits)
    {
        return Some(Problem::Date);
    }
    text.chars().any(|c| c.is_numeric() && !c.is_ascii_digit()).then_some(Problem::OtherDigits)
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
