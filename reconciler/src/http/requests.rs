//! What operators ask for over HTTP: recorded, and done by the loop of the cluster.
//!
//! Nobody authenticates on loopback, so the one danger is a page in a browser on this machine that sends requests in
//! its user's name. Such a page cannot send JSON with a header of our own to another origin without being asked
//! first (and we never answer that question); and where a name was made to point here, the browser says `Origin`.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use dataminer_schema::id::ClusterName;
use serde::{Deserialize, Serialize};

use super::{Shared, problem};

/// The header that a request must carry, with this value.
pub const REQUESTED_WITH: (&str, &str) = ("x-requested-with", "dataminer-reconciler");
/// A request is a line of text.
pub(super) const MOST_BYTES: usize = 16 * 1024;
const LONGEST_REASON: usize = 1000;
const LONGEST_NAME: usize = 100;

/// What is asked of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wanted {
    pub kind: Kind,
    /// Why; kept in the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who, as far as the asking side knows; nobody proves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// For `restore`: the hash of a content backup of the vault, or its first digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    /// For `approve`: the id of the current plan, in full or its first 12 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// The kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    Retry,
    Abort,
    Reconcile,
    Takeover,
    Restore,
    Approve,
    Canary,
}

impl Kind {
    /// Whether it loosens something, so that somebody must say why.
    fn needs_reason(self) -> bool {
        match self {
            Self::Takeover | Self::Restore => true,
            // What it loosens is the plan, and that stands in the history beside the approval.
            Self::Retry | Self::Abort | Self::Reconcile | Self::Approve | Self::Canary => false,
        }
    }
}

/// A request that was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    pub format_version: String,
    pub cluster: ClusterName,
    /// The number of the request.
    pub id: i64,
    /// What was understood, in words.
    pub request: String,
}

/// Why a request was not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unrecorded {
    UnknownCluster,
    /// What it names is not there, or not whole.
    NotThere {
        error: String,
        help: String,
    },
    /// Not now.
    Conflict {
        error: String,
        help: String,
    },
    Failed,
}

pub(super) async fn post(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if let Some(refused) = forged(&headers) {
        return refused;
    }
    let Ok(body) = body else {
        return problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the request is too long",
            "it is a kind and a reason, at most 16 KiB",
        );
    };
    let mut wanted: Wanted = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(error) => {
            return problem(
                StatusCode::BAD_REQUEST,
                format!("the request cannot be read: {error}"),
                r#"write {"kind": "retry"|"abort"|"reconcile"|"takeover"|"restore"|"approve"|"canary", "reason": "…", "by": "…", "backup": "…", "plan": "…"}"#,
            );
        }
    };
    if let Some((error, help)) = wanted.check() {
        return problem(StatusCode::BAD_REQUEST, error, help);
    }
    let Ok(cluster) = ClusterName::new(name) else {
        return no_cluster();
    };
    match shared.shown.request(cluster, wanted).await {
        Ok(recorded) => (StatusCode::ACCEPTED, Json(recorded)).into_response(),
        Err(Unrecorded::UnknownCluster) => no_cluster(),
        Err(Unrecorded::NotThere { error, help }) => problem(StatusCode::UNPROCESSABLE_ENTITY, error, help),
        Err(Unrecorded::Conflict { error, help }) => problem(StatusCode::CONFLICT, error, help),
        Err(Unrecorded::Failed) => problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the request cannot be recorded",
            "see the log of the process",
        ),
    }
}

fn no_cluster() -> Response {
    problem(StatusCode::NOT_FOUND, "there is no such cluster", "see /api/v1/clusters for the names")
}

/// The answer to a request that a browser could have been made to send.
fn forged(headers: &HeaderMap) -> Option<Response> {
    let is_json =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|kind| {
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        });
    if !is_json {
        return Some(problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the request is not marked as JSON",
            "send it with `Content-Type: application/json`",
        ));
    }
    let (name, value) = REQUESTED_WITH;
    let marked = headers.get(name).is_some_and(|found| found.as_bytes() == value.as_bytes());
    let browser = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    (!marked || browser).then(|| {
        problem(
            StatusCode::FORBIDDEN,
            "the request may come from a page in a browser",
            "send it with `X-Requested-With: dataminer-reconciler` and without `Origin`; the verbs `retry`, `abort`, \
             `approve`, `takeover` and `backup restore` do",
        )
    })
}

impl Wanted {
    /// What is wrong with it and what to write, if anything is; trims what people write.
    fn check(&mut self) -> Option<(String, String)> {
        for text in [&mut self.reason, &mut self.by] {
            *text = text.take().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        }
        for (name, text, most) in [("reason", &self.reason, LONGEST_REASON), ("by", &self.by, LONGEST_NAME)] {
            let Some(text) = text else { continue };
            if text.chars().count() > most || text.chars().any(char::is_control) {
                return Some((
                    format!("`{name}` is longer than {most} characters or holds a control character"),
                    "write one line".to_owned(),
                ));
            }
        }
        if self.kind.needs_reason() && self.reason.is_none() {
            return Some((
                format!("a {:?} needs a reason", self.kind).to_lowercase(),
                "say in `reason` why; it is kept in the history".to_owned(),
            ));
        }
        let (error, help) = match (self.kind, &self.backup, &self.plan) {
            (Kind::Restore, None, _) => {
                ("a restore needs a backup", "name it in `backup` by its hash; `backup list` shows them")
            }
            (Kind::Approve, _, None) => {
                ("an approval needs a plan", "name it in `plan` by its id; `describe` shows it")
            }
            (
                Kind::Retry | Kind::Abort | Kind::Reconcile | Kind::Takeover | Kind::Approve | Kind::Canary,
                Some(_),
                _,
            ) => ("only a restore names a backup", "leave `backup` out"),
            (
                Kind::Retry | Kind::Abort | Kind::Reconcile | Kind::Takeover | Kind::Restore | Kind::Canary,
                _,
                Some(_),
            ) => ("only an approval names a plan", "leave `plan` out"),
            (Kind::Restore, Some(_), None)
            | (Kind::Approve, None, Some(_))
            | (Kind::Retry | Kind::Abort | Kind::Reconcile | Kind::Takeover | Kind::Canary, None, None) => {
                return None;
            }
        };
        Some((error.to_owned(), help.to_owned()))
    }
}
