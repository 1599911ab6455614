//! Plain scalars by the core schema of YAML 1.2: `no` is a text, `10.5` is a number.

use super::Value;

/// A plain scalar by the core schema of YAML 1.2.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Value::Number(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Value::Number(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Value::Number(f64::NAN),
        _ => {}
    }
    let based = |prefix: &str, radix: u32| {
        let digits = text.strip_prefix(prefix)?;
        digits.chars().all(|c| c.is_digit(radix)).then(|| i64::from_str_radix(digits, radix).ok()).flatten()
    };
    if let Some(number) = based("0x", 16).or_else(|| based("0o", 8)) {
        return Value::Integer(number);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !is_decimal(unsigned) {
        return Value::Text(text.to_owned());
    }
    if let Ok(number) = text.parse::<i64>() {
        return Value::Integer(number);
    }
    text.parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Number)
}

/// `[0-9]*(\.[0-9]*)?([eE][-+]?[0-9]+)?` with at least one digit before the exponent.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match plain(text) {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => format!("bool {value}"),
            Value::Integer(value) => format!("integer {value}"),
            Value::Number(value) => format!("number {value}"),
            Value::Text(text) => format!("text {text}"),
            Value::Sequence(_) | Value::Mapping(_) => "collection".to_owned(),
        }
    }

    #[test]
    fn plain_scalars_follow_yaml_1_2() {
        for (text, expected) in [
            ("", "null"),
            ("~", "null"),
            ("no", "text no"),
            ("yes", "text yes"),
            ("True", "bool true"),
            ("10.5", "number 10.5"),
            ("10.10", "number 10.1"),
            ("10.5.0", "text 10.5.0"),
            ("10", "integer 10"),
            ("-3", "integer -3"),
            ("+3", "integer 3"),
            ("0x1F", "integer 31"),
            ("0o17", "integer 15"),
            ("1e3", "number 1000"),
            (".5", "number 0.5"),
            ("5.", "number 5"),
            (".", "text ."),
            ("-", "text -"),
            ("e3", "text e3"),
            ("1e", "text 1e"),
            ("0x", "text 0x"),
            ("0xZZ", "text 0xZZ"),
            ("2026-12-20", "text 2026-12-20"),
            ("60s", "text 60s"),
            (".inf", "number inf"),
            ("99999999999999999999", "number 100000000000000000000"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
