//! Values that look like secrets. A repository is read by many; a secret in it is one no longer.

use std::ops::Range;

use super::{
    source::Source,
    tree::{Node, Value},
};
use crate::diagnostic::Code;

/// Fields whose value would be a secret. A mapping there (`{ env: NAME }`) only names one.
const SECRET_FIELDS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "accesskey",
    "secretkey",
    "clientsecret",
    "credential",
    "credentials",
    "authorization",
];

/// How the tokens of well-known services begin, and how long they are at least.
const TOKENS: [(&str, usize); 9] = [
    ("ghp_", 36),
    ("gho_", 36),
    ("ghs_", 36),
    ("github_pat_", 40),
    ("glpat-", 24),
    ("AKIA", 20),
    ("xoxb-", 24),
    ("xoxp-", 24),
    ("eyJhbGciOi", 40),
];

/// Notes every value of a document that looks like a secret, and returns where they are.
pub(super) fn find_secrets(source: &mut Source<'_>, document: &Node) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    search(source.text, document, None, &mut found);
    let places: Vec<Range<usize>> = found.iter().map(|(place, _)| place.clone()).collect();
    // Hidden before the first word about any of them, so that none is shown beside another.
    source.hide(&places);
    for (place, message) in found {
        let help = "name it by `{ env: NAME }` or `{ file: PATH }`; what was once committed must be replaced";
        source.error(&place, Code::SecretInFile, message, help.to_owned());
    }
    places
}

/// A secret's place, and what is said of it.
type Found = (Range<usize>, String);

fn search(source: &str, node: &Node, field: Option<&str>, found: &mut Vec<Found>) {
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| search(source, item, field, found)),
        Value::Mapping(entries) => {
            for entry in entries {
                search(source, &entry.value, Some(&entry.key), found);
            }
        }
        Value::Null | Value::Bool(_) => {}
        Value::Integer(_) | Value::Number(_) | Value::Text(_) => {
            let written = source.get(node.span.clone()).unwrap_or_default();
            let text = node.text().unwrap_or(written);
            let named = field.filter(|field| is_secret_field(field)).filter(|_| !text.is_empty());
            let message = match (named, look_of_a_secret(text)) {
                (Some(field), _) => format!("`{field}` holds a secret"),
                (None, Some(look)) => format!("this looks like {look}"),
                (None, None) => return,
            };
            // An alias repeats a value; one word about it is enough.
            if found.iter().all(|(place, _)| *place != node.span) {
                found.push((node.span.clone(), message));
            }
        }
    }
}

/// Whether a line, read as plain text, holds a secret. Used where there is no tree to tell: a line that is hidden
/// without need costs only its picture.
pub(super) fn line_holds_secret(line: &str) -> bool {
    let field_with_value = line.match_indices(':').any(|(at, _)| {
        let name = line[..at].trim_end_matches(['"', '\'', ' ']);
        let start =
            name.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').map_or(0, |at| at + 1);
        let value = line[at + 1..].trim();
        is_secret_field(name.get(start..).unwrap_or_default()) && !value.is_empty() && !value.starts_with('{')
    });
    field_with_value
        || line.contains("-----BEGIN ")
        || line.split([' ', '"', '\'', ',']).any(|word| look_of_a_secret(word).is_some())
}

fn is_secret_field(field: &str) -> bool {
    let plain: String = field.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    SECRET_FIELDS.contains(&plain.as_str())
}

fn look_of_a_secret(text: &str) -> Option<&'static str> {
    if text.contains("-----BEGIN ")
        && (text.contains("PRIVATE KEY") || text.contains("CERTIFICATE") || text.contains("OPENSSH"))
    {
        return Some("a key or certificate");
    }
    let token = TOKENS.iter().any(|(start, length)| {
        text.match_indices(start).any(|(at, _)| {
            let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
            let before = text[..at].bytes().last().is_some_and(|b| word(&b));
            !before && text[at..].bytes().take_while(word).count() >= *length
        })
    });
    if token {
        return Some("an access token");
    }
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user_info, _) = authority.rsplit_once('@')?;
    let (_, password) = user_info.split_once(':')?;
    (!password.is_empty()).then_some("a password in a URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_names_of_secrets() {
        let token = format!("ghp_{}", "a".repeat(36));
        for (text, expected) in [
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc", Some("a key or certificate")),
            (token.as_str(), Some("an access token")),
            ("https://user:hunter2@git.example/fleet.git", Some("a password in a URL")),
            ("https://user@git.example/fleet.git", None),
            ("ssh://git@git.example:22/fleet.git", None),
            ("/run/secrets/dms_key", None),
            ("SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", None),
            ("ghp_short", None),
            ("year-end freeze", None),
        ] {
            assert_eq!(look_of_a_secret(text), expected, "{text}");
        }
        for line in ["  password: x", "{ \"apiKey\" : \"x", "a: [https://u:p@h/x", "passphrase: '"] {
            assert!(line_holds_secret(line), "{line}");
        }
        for line in ["  password: { env: X }", "password:", "identity: x", "# a: password", "é: ü"] {
            assert!(!line_holds_secret(line), "{line}");
        }
        assert!(is_secret_field("clientSecret") && is_secret_field("API-Key"));
        assert!(!is_secret_field("identity") && !is_secret_field("secrets"));
    }
}
