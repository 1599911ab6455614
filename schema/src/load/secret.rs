//! Values that look like secrets. A repository is read by many; a secret in it is one no longer.

use std::collections::BTreeMap;

use super::{
    hidden::Hidden,
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

/// The shortest of them.
const SHORTEST_TOKEN: usize = 20;

/// How keys and certificates begin.
const BEGINNING: &str = "-----BEGIN ";

/// Parts of addresses that are secrets themselves: of Slack, and of Teams before and after its workflows.
const WEBHOOKS: [&str; 4] =
    ["hooks.slack.com/services/", ".webhook.office.com/", ".logic.azure.com", ".powerplatform.com"];

/// Notes every value of a document that looks like a secret, and returns where they are.
pub(super) fn find_secrets(source: &mut Source<'_>, document: &Node) -> Hidden {
    let mut found = Found::new();
    search(source.text, document, None, false, &mut found);
    let hidden = Hidden::of(found.keys().map(|(start, end)| *start..*end));
    // Hidden before the first word about any of them, so that none is shown beside another.
    source.hide(&hidden);
    for ((start, end), message) in found {
        let help = "name it by `{ env: NAME }` or `{ file: PATH }`; what was once committed must be replaced";
        source.error(&(start..end), Code::SecretInFile, message, help.to_owned());
    }
    hidden
}

/// What is said of each secret, by its place: an alias repeats a value, and one word about it is enough.
type Found = BTreeMap<(usize, usize), String>;

/// `header`: whether `field` is the name of an HTTP header.
fn search(source: &str, node: &Node, field: Option<&str>, header: bool, found: &mut Found) {
    match &node.value {
        Value::Sequence(items) => {
            items.iter().for_each(|item| search(source, item, field, header, found));
        }
        Value::Mapping(entries) => {
            let headers = field == Some("headers");
            for entry in entries {
                search(source, &entry.value, Some(&entry.key), headers, found);
            }
        }
        Value::Null | Value::Bool(_) => {}
        Value::Integer(_) | Value::Number(_) | Value::Text(_) => {
            let written = source.get(node.span.clone()).unwrap_or_default();
            let text = node.text().unwrap_or(written);
            let named = field
                .filter(|field| is_secret_field(field) || (header && is_secret_header(field)))
                .filter(|_| !text.is_empty());
            let message = match (named, look_of_a_secret(text)) {
                (Some(field), _) => format!("`{field}` holds a secret"),
                (None, Some(look)) => format!("this looks like {look}"),
                (None, None) => return,
            };
            found.entry((node.span.start, node.span.end)).or_insert(message);
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
        || (line.len() > BEGINNING.len() && line.contains(BEGINNING))
        || line.split([' ', '"', '\'', ',']).any(|word| look_of_a_secret(word).is_some())
}

fn is_secret_field(field: &str) -> bool {
    // Of every field of every file, so without making a text of it, and most fields are no longer than `token`.
    let plain = || field.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase());
    let length = plain().count();
    SECRET_FIELDS.iter().any(|secret| secret.len() == length && plain().eq(secret.bytes()))
}

/// Whether a header of this name proves somebody: `X-Auth-Token`, `PRIVATE-TOKEN`, `Ocp-Apim-Subscription-Key`, `Cookie`.
fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["auth", "token", "secret", "password", "cookie", "signature", "credential", "key"]
        .iter()
        .any(|word| name.contains(word))
}

/// Of every value of every file: most are shorter than what is looked for, and hold no colon.
fn look_of_a_secret(text: &str) -> Option<&'static str> {
    if text.len() > BEGINNING.len()
        && text.contains(BEGINNING)
        && (text.contains("PRIVATE KEY") || text.contains("CERTIFICATE") || text.contains("OPENSSH"))
    {
        return Some("a key or certificate");
    }
    if text.len() >= SHORTEST_TOKEN && holds_token(text.as_bytes()) {
        return Some("an access token");
    }
    let (scheme, _) = text.match_indices(':').find(|(at, _)| text[*at..].starts_with("://"))?;
    let rest = &text[scheme + "://".len()..];
    if WEBHOOKS.iter().any(|part| rest.contains(part)) {
        return Some("the address of a webhook, by which whoever knows it can write");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user_info, _) = authority.rsplit_once('@')?;
    let (_, password) = user_info.split_once(':')?;
    (!password.is_empty()).then_some("a password in a URL")
}

/// Whether a word of the text starts like a token, and is as long as one. One pass, as it is asked of every value.
fn holds_token(text: &[u8]) -> bool {
    let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let mut rest = text;
    loop {
        let Some(start) = rest.iter().position(word) else { return false };
        rest = &rest[start..];
        let length = rest.iter().position(|b| !word(b)).unwrap_or(rest.len());
        let (found, after) = rest.split_at(length);
        if TOKENS.iter().any(|(prefix, least)| length >= *least && found.starts_with(prefix.as_bytes())) {
            return true;
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_is_shorter_than_the_shortest() {
        assert_eq!(TOKENS.iter().map(|(_, least)| *least).min(), Some(SHORTEST_TOKEN));
    }

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
            (
                "https://hooks.slack.com/services/T0/B0/x",
                Some("the address of a webhook, by which whoever knows it can write"),
            ),
            ("https://slack.com/docs", None),
            ("SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", None),
            ("ghp_short", None),
            (&format!("Bearer:{token},"), Some("an access token")),
            (&format!("no{token}"), None),
            (&format!("é{token}"), Some("an access token")),
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
        assert!(
            is_secret_header("X-Auth-Token")
                && is_secret_header("Authorization")
                && is_secret_header("api-key")
        );
        assert!(!is_secret_header("Content-Type") && !is_secret_header("X-Request-Source"));
    }
}
