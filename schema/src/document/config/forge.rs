//! Where pull requests are commented, in a ReconcilerConfig document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    document::text::{ForgeRepository, HttpsUrl, Label, Line},
    v1::{
        cluster::SecretRef,
        config::{self, ForgeProvider},
    },
};

/// Where pull requests are commented, and commits get their status.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Forge {
    /// Which API it has.
    provider: ForgeProvider,
    /// Its address; without it the public one of the provider. Gitea has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<HttpsUrl>,
    /// The repository there.
    repository: ForgeRepository,
    /// The name of the source that it holds; needed where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Label>,
    /// Where the token is that proves this process there. It needs to write comments and statuses, and nothing else.
    token: SecretRef,
    /// Whether the plans of a pull request are written under it, in one comment that is kept up to date.
    #[serde(default = "yes")]
    comments: bool,
    /// Whether commits get a status: whether they are valid, and later whether the fleet is what they declare.
    #[serde(default = "yes")]
    statuses: bool,
    /// A PEM file of the authorities that are trusted; without it those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<Line>,
}

fn yes() -> bool {
    true
}

impl From<Forge> for config::Forge {
    fn from(forge: Forge) -> Self {
        let Forge {
            provider,
            url,
            repository: ForgeRepository(repository),
            source,
            token,
            comments,
            statuses,
            ca,
        } = forge;
        Self {
            provider,
            url: url.map(|HttpsUrl(url)| url),
            repository,
            source: source.map(|Label(source)| source),
            token,
            comments,
            statuses,
            ca: ca.map(|Line(file)| file),
        }
    }
}
