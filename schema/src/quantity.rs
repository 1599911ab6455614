//! Sizes and durations as manifests spell them: `15GiB`, `72h`, `1h30m`.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Why a string is not the quantity it was read as.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a {expected}")]
pub struct QuantityError {
    value: String,
    expected: &'static str,
    help: &'static str,
}

impl QuantityError {
    /// What to write instead.
    pub fn help(&self) -> &'static str {
        self.help
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ByteSize(pub u64);

/// What [`ByteSize`] reads, for JSON Schema.
pub const SIZE_PATTERN: &str = "^(0|[1-9][0-9]{0,19}) ?([KMGT]i?)?B$";

/// What [`parse_duration`] reads, for JSON Schema.
pub const DURATION_PATTERN: &str = "^([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$";

/// Largest first, so that printing takes the first that divides.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

impl FromStr for ByteSize {
    type Err = QuantityError;

    fn from_str(value: &str) -> Result<Self, QuantityError> {
        let error = || QuantityError {
            value: value.chars().take(60).collect(),
            expected: "size",
            help: "write a whole number and a unit: B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB \
                   (powers of 1024), for example `15GiB`",
        };
        let digits = value.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = value.split_at(digits);
        if number.is_empty() || number.len() > 20 || (number.len() > 1 && number.starts_with('0')) {
            return Err(error());
        }
        let unit = unit.strip_prefix(' ').unwrap_or(unit);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(error)?;
        let number: u64 = number.parse().map_err(|_| error())?;
        number.checked_mul(*factor).map(Self).ok_or_else(error)
    }
}

impl fmt::Display for ByteSize {
    /// Exact: the largest unit that divides the number without a rest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        let unit = UNITS.iter().filter(|(name, _)| name.ends_with("iB"));
        match unit.into_iter().find(|(_, factor)| bytes != 0 && bytes.is_multiple_of(*factor)) {
            Some((name, factor)) => f.pad(&format!("{}{name}", bytes / factor)),
            None => f.pad(&format!("{bytes}B")),
        }
    }
}

impl TryFrom<String> for ByteSize {
    type Error = QuantityError;

    fn try_from(value: String) -> Result<Self, QuantityError> {
        value.parse()
    }
}

impl From<ByteSize> for String {
    fn from(value: ByteSize) -> Self {
        value.to_string()
    }
}

impl JsonSchema for ByteSize {
    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "x-check": "size", "pattern": SIZE_PATTERN, "description": "A size, for example `15GiB`." })
    }
}

/// Reads a duration such as `72h`, `5m`, `1h30m` or `3d`: days (of 24 hours), hours, minutes, seconds, in this order.
pub fn parse_duration(value: &str) -> Result<SignedDuration, QuantityError> {
    let error = || QuantityError {
        value: value.chars().take(60).collect(),
        expected: "duration",
        help: "write days, hours, minutes and seconds in this order, for example `72h`, `1h30m` or `45s`",
    };
    if value.is_empty() || value.len() > 30 {
        return Err(error());
    }
    let mut rest = value;
    let mut seconds: i64 = 0;
    for (unit, factor) in [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)] {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let Some(tail) = tail.strip_prefix(unit) else { continue };
        if number.is_empty() || number.len() > 5 {
            return Err(error());
        }
        seconds += number.parse::<i64>().map_err(|_| error())? * factor;
        rest = tail;
    }
    if rest.is_empty() { Ok(SignedDuration::from_secs(seconds)) } else { Err(error()) }
}

/// Writes a duration as [`parse_duration`] reads it; parts of a second are cut off.
pub fn format_duration(duration: SignedDuration) -> String {
    let mut rest = duration.as_secs().max(0);
    let mut text = String::new();
    for (unit, factor) in [('h', 3_600), ('m', 60), ('s', 1)] {
        let number = rest / factor;
        rest %= factor;
        if number > 0 {
            text.push_str(&number.to_string());
            text.push(unit);
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_printed_exactly() {
        for (text, bytes, printed) in [
            ("15GiB", 15 << 30, "15GiB"),
            ("15 GiB", 15 << 30, "15GiB"),
            ("20GB", 20_000_000_000, "19531250KiB"),
            ("1536MiB", 1536 << 20, "1536MiB"),
            ("2048MiB", 2 << 30, "2GiB"),
            ("0B", 0, "0B"),
            ("0GiB", 0, "0B"),
            ("1B", 1, "1B"),
            ("5KB", 5_000, "5000B"),
            ("18446744073709551615B", u64::MAX, "18446744073709551615B"),
        ] {
            let size: ByteSize = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((size, size.to_string().as_str()), (ByteSize(bytes), printed), "{text}");
            assert_eq!(printed.parse(), Ok(size), "{printed}");
        }
        for text in [
            "",
            "15",
            "15G",
            "15gib",
            "GiB",
            "1.5GiB",
            "-1B",
            "015B",
            "15  GiB",
            "99999999999TiB",
            "18446744073709551616B",
        ] {
            let error = text.parse::<ByteSize>().expect_err(text);
            assert!(error.help().contains("15GiB"), "{text}");
        }
    }

    /// Found by writing observations with any size: 19 digits were written and not read.
    #[test]
    fn every_size_is_read_back() {
        for bytes in [1_000_000_000_000_000_001, u64::MAX, u64::MAX - 1, 1 << 63] {
            assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }
    }

    #[test]
    fn durations_are_read_and_printed() {
        for (text, seconds, printed) in [
            ("72h", 259_200, "72h"),
            ("5m", 300, "5m"),
            ("1h30m", 5_400, "1h30m"),
            ("90m", 5_400, "1h30m"),
            ("3d", 259_200, "72h"),
            ("1d2h3m4s", 93_784, "26h3m4s"),
            ("0s", 0, "0s"),
            ("99999d", 8_639_913_600, "2399976h"),
        ] {
            let duration = parse_duration(text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(
                (duration.as_secs(), format_duration(duration).as_str()),
                (seconds, printed),
                "{text}"
            );
        }
        for text in ["", "h", "5", "5 m", "m5", "5m1h", "1h1h", "1.5h", "-5m", "100000h", "5M", "PT5M", "5m "]
        {
            let error = parse_duration(text).expect_err(text);
            assert!(error.help().contains("72h"), "{text}");
        }
    }
}
