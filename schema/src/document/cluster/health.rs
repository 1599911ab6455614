//! When a cluster counts as healthy, and what is called around a change, in a Cluster document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    document::text::{HttpsUrl, Label, Line, Span},
    v1::cluster::{self, HealthCheck, HookEvent},
};

/// When a cluster counts as healthy after a change.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Health {
    /// How long every Agent must have been right without a break.
    settle: Span,
    /// How long to wait for that.
    timeout: Span,
    /// What must hold besides versions and states.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<Check>,
}

impl Default for Health {
    fn default() -> Self {
        let cluster::Health { settle, timeout, checks: _ } = cluster::Health::default();
        Self { settle: Span(settle), timeout: Span(timeout), checks: Vec::new() }
    }
}

/// A check besides those of versions and states: `https` or `bpa`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Check {
    Https(HttpsCheck),
    Bpa(BpaCheck),
}

/// A page that must answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HttpsCheck {
    /// The page that must answer.
    https: Page,
}

/// A page and its answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Page {
    /// Where the page is.
    url: HttpsUrl,
    /// The HTTP status that it must answer with.
    #[serde(default = "http_ok")]
    #[schemars(range(min = 100, max = 599))]
    expect: u16,
}

fn http_ok() -> u16 {
    200
}

/// A BPA test that must pass.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BpaCheck {
    /// The name of the BPA test, for example `Check System Health`.
    bpa: Line,
}

/// A call of something outside around a change.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Hook {
    /// When it is called: `BeforeDisruption`, right before the first disruptive step; `AfterSuccess`, after the cluster
    /// was verified; `AfterFailure`, after a step failed.
    event: HookEvent,
    /// Its name in the process's configuration; what it runs stands there alone.
    run: Label,
    /// How long it may take.
    #[serde(default = "ten_minutes")]
    timeout: Span,
}

fn ten_minutes() -> Span {
    Span(jiff::SignedDuration::from_mins(10))
}

impl From<Health> for cluster::Health {
    fn from(Health { settle: Span(settle), timeout: Span(timeout), checks }: Health) -> Self {
        Self { settle, timeout, checks: checks.into_iter().map(Into::into).collect() }
    }
}

impl From<Check> for HealthCheck {
    fn from(check: Check) -> Self {
        match check {
            Check::Https(HttpsCheck { https: Page { url: HttpsUrl(url), expect } }) => {
                Self::Https { url, expect }
            }
            Check::Bpa(BpaCheck { bpa: Line(name) }) => Self::Bpa(name),
        }
    }
}

impl From<Hook> for cluster::Hook {
    fn from(Hook { event, run: Label(run), timeout: Span(timeout) }: Hook) -> Self {
        Self { event, run, timeout }
    }
}
