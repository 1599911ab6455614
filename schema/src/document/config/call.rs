//! What the process calls, in a ReconcilerConfig document: hooks, and requests in general.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    document::text::{EnvName, HttpsUrl, Line},
    v1::{cluster::SecretRef, config},
};

/// The name of a header, as RFC 9110 has it.
pub(super) const HEADER_NAME: &str = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";

/// What a hook runs: `https` or `argv`. It is told what is about to happen as a JSON document: the body of the request,
/// or the standard input of the program.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Hook {
    /// A `POST` request; an answer of 2xx is success.
    Https(Request),
    /// A program of this machine, by its absolute path, and its arguments. No shell is between; status 0 is success.
    Argv(#[schemars(length(min = 1))] Vec<Line>),
}

/// A request.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Request {
    /// Where it goes.
    url: HttpsUrl,
    /// Headers by their names; a secret one by `{ env: NAME }` or `{ file: PATH }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"pattern": HEADER_NAME}))]
    headers: BTreeMap<String, HeaderValue>,
    /// A PEM file of the authorities that are trusted; without it those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<Line>,
}

/// The value of a header: a text, `env` or `file`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum HeaderValue {
    Text(Line),
    Env(EnvValue),
    File(FileValue),
}

/// A value from the environment of the process.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EnvValue {
    /// The environment variable.
    #[schemars(with = "EnvName")]
    env: String,
}

/// A value from a file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FileValue {
    /// The file.
    file: Line,
}

impl From<Hook> for config::Hook {
    fn from(hook: Hook) -> Self {
        match hook {
            Hook::Https(request) => Self::Https(request.into()),
            Hook::Argv(words) => Self::Argv(words.into_iter().map(|Line(word)| word).collect()),
        }
    }
}

impl From<Request> for config::Request {
    fn from(Request { url: HttpsUrl(url), headers, ca }: Request) -> Self {
        let value = |value| match value {
            HeaderValue::Text(Line(text)) => config::HeaderValue::Text(text),
            HeaderValue::Env(EnvValue { env }) => config::HeaderValue::Secret(SecretRef::Env(env)),
            HeaderValue::File(FileValue { file: Line(file) }) => {
                config::HeaderValue::Secret(SecretRef::File(file))
            }
        };
        Self {
            url,
            headers: headers.into_iter().map(|(name, header)| (name, value(header))).collect(),
            ca: ca.map(|Line(file)| file),
        }
    }
}
