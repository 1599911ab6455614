//! What `if` tests.

use std::cmp::Ordering;

use super::{
    parse::{Condition, Operator, Test},
    run::Shell,
};
use crate::disk::{WinPath, matches_pattern};

impl Shell {
    pub(super) fn holds(&self, condition: &Condition) -> bool {
        let Condition { negated, ignore_case, test } = condition;
        let result = match test {
            Test::Exist(name) => self.file_exists(&self.substitute(name)),
            Test::Defined(name) => self.variable(&self.substitute(name)).is_some(),
            Test::ErrorLevel(number) => {
                self.substitute(number).parse::<i32>().is_ok_and(|number| self.errorlevel >= number)
            }
            Test::Compare { left, operator, right } => {
                let (mut left, mut right) = (self.substitute(left), self.substitute(right));
                if *ignore_case {
                    (left, right) = (left.to_lowercase(), right.to_lowercase());
                }
                compare(&left, *operator, &right)
            }
        };
        result != *negated
    }

    /// `exist`: a file or folder, a pattern, or with a trailing backslash a folder.
    fn file_exists(&self, name: &str) -> bool {
        let name = name.replace('"', "");
        if name.eq_ignore_ascii_case("nul") {
            return true;
        }
        let folder_wanted = name.ends_with('\\') || name.ends_with('/');
        if let Some((folder, pattern)) = split_pattern(&name) {
            let Ok(folder) = WinPath::parse(folder, &self.folder) else { return false };
            return self
                .machine
                .disk
                .list(&folder)
                .is_ok_and(|entries| entries.iter().any(|entry| matches_pattern(pattern, &entry.name)));
        }
        let Ok(path) = WinPath::parse(&name, &self.folder) else { return false };
        match self.machine.disk.entry(&path) {
            Ok(entry) => entry.is_dir || !folder_wanted,
            Err(_) => false,
        }
    }
}

/// The folder and the pattern of a name whose last part holds a wildcard.
pub(super) fn split_pattern(name: &str) -> Option<(&str, &str)> {
    let cut = name.rfind(['\\', '/']);
    let (folder, last) = match cut {
        Some(at) => (&name[..=at], &name[at + 1..]),
        None => (".", name),
    };
    last.contains(['*', '?']).then_some((folder, last))
}

fn compare(left: &str, operator: Operator, right: &str) -> bool {
    if operator == Operator::Same {
        return left == right;
    }
    let order = match (number(left), number(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.cmp(right),
    };
    match operator {
        Operator::Same | Operator::Equ => order == Ordering::Equal,
        Operator::Neq => order != Ordering::Equal,
        Operator::Lss => order == Ordering::Less,
        Operator::Leq => order != Ordering::Greater,
        Operator::Gtr => order == Ordering::Greater,
        Operator::Geq => order != Ordering::Less,
    }
}

/// Decimal, octal with a leading 0, or hexadecimal with 0x.
pub(super) fn number(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16).ok()?
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(&digits[1..], 8).ok()?
    } else {
        digits.parse().ok()?
    };
    let value = i64::from(i32::try_from(value).ok()?);
    Some(if negative { -value } else { value })
}
