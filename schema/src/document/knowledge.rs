//! The ReleaseKnowledge document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ApiVersion, NamedMetadata, text::Label};
use crate::v1::knowledge::{Facts, ReleaseKnowledge};

/// What is known of DataMiner's releases, beyond or against what the program knows by itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "ReleaseKnowledge")]
pub(crate) struct KnowledgeDocument {
    /// The version of the language.
    api_version: ApiVersion,
    /// Says that this document is ReleaseKnowledge.
    kind: KnowledgeKind,
    /// What the document is called.
    metadata: NamedMetadata,
    /// The facts.
    spec: Facts,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum KnowledgeKind {
    ReleaseKnowledge,
}

impl From<KnowledgeDocument> for ReleaseKnowledge {
    fn from(document: KnowledgeDocument) -> Self {
        let KnowledgeDocument {
            api_version: ApiVersion::V1,
            kind: KnowledgeKind::ReleaseKnowledge,
            metadata: NamedMetadata { name: Label(name), labels: _, annotations: _ },
            spec: facts,
        } = document;
        Self { name, facts }
    }
}
