//! The Advisory document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ApiVersion, NamedMetadata,
    rollout::Selector,
    text::{Day, IssueId, Label, Line},
};
use crate::v1::advisory::Advisory;

/// Accepts a known issue for some clusters, for a time, for a reason.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Advisory")]
pub(crate) struct AdvisoryDocument {
    /// The version of the language.
    api_version: ApiVersion,
    /// Says that this document is an Advisory.
    kind: AdvisoryKind,
    /// What the Advisory is called.
    metadata: NamedMetadata,
    /// What is accepted, where, until when and why.
    spec: AdvisorySpec,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum AdvisoryKind {
    Advisory,
}

/// What is accepted, where, until when and why.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AdvisorySpec {
    /// The id of the known issue, as a plan shows it.
    issue: IssueId,
    /// Whether the issue is accepted: a plan that it would block goes on, with a warning. `false` only records it.
    accept: bool,
    /// The clusters that it is about; without labels all of them.
    clusters: Selector,
    /// Why; shown wherever the Advisory lets a plan go on.
    reason: Line,
    /// The last day, in UTC, on which it counts.
    expires: Day,
}

impl From<AdvisoryDocument> for Advisory {
    fn from(document: AdvisoryDocument) -> Self {
        let AdvisoryDocument {
            api_version: ApiVersion::V1,
            kind: AdvisoryKind::Advisory,
            metadata: NamedMetadata { name: Label(name), labels: _, annotations: _ },
            spec:
                AdvisorySpec {
                    issue: IssueId(issue),
                    accept,
                    clusters,
                    reason: Line(reason),
                    expires: Day(expires),
                },
        } = document;
        Self { name, issue, accept, clusters: clusters.into(), reason, expires }
    }
}
