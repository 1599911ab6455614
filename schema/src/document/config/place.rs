//! Where packages, backups and the process's own state are, in a ReconcilerConfig document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Keep;
use crate::{
    document::text::{HttpsUrl, Label, Line, PlaceUrl, StoreUrl, VaultUrl},
    v1::{
        cluster::SecretRef,
        config::{self, Place, StoreTlsMode},
    },
};

/// A place where package files are found by name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PackagePlace {
    /// A name for messages, unique among the places.
    name: Label,
    /// Where it is.
    url: PlaceUrl,
    /// How to sign in there; without it what this machine has by itself (rights to files, a role), or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth: Option<PlaceAuth>,
    /// The region of an S3 bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<Line>,
    /// Where S3 or Azure Blob answers, if not at Amazon's or Microsoft's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<HttpsUrl>,
}

/// How to sign in to a place: one way for each kind of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum PlaceAuth {
    Token(TokenAuth),
    Password(PasswordAuth),
    AccessKey(AccessKeyAuth),
    AccountKey(AccountKeyAuth),
    SasToken(SasTokenAuth),
    Principal(PrincipalAuth),
}

/// For `https:`: a bearer token.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenAuth {
    /// For `https:`: where the bearer token is.
    token: SecretRef,
}

/// For `https:`: basic authentication.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PasswordAuth {
    /// For `https:`: the account.
    user: Line,
    /// Where its password is.
    password: SecretRef,
}

/// For `s3:`: an access key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccessKeyAuth {
    /// For `s3:`: where the id of the access key is.
    access_key_id: SecretRef,
    /// Where its secret is.
    secret_access_key: SecretRef,
    /// Where the session token is, of a key that was lent for a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_token: Option<SecretRef>,
}

/// For `az:`: a key of the storage account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccountKeyAuth {
    /// For `az:`: where the key of the storage account is.
    account_key: SecretRef,
}

/// For `az:`: a shared access signature.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SasTokenAuth {
    /// For `az:`: where the shared access signature is.
    sas_token: SecretRef,
}

/// For `az:`: an application of Entra ID.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PrincipalAuth {
    /// The id or domain of the directory.
    tenant_id: Line,
    /// For `az:`: the id of the application.
    client_id: Line,
    /// Where its secret is.
    client_secret: SecretRef,
}

/// Where the process keeps its own state.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Store {
    /// A SQLite file, or a PostgreSQL database that several processes share.
    url: StoreUrl,
    /// For PostgreSQL: where the password of the account in the URL is.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<SecretRef>,
    /// For PostgreSQL: how the connection is secured.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<StoreTls>,
    /// How long what happened is kept; without it by number.
    #[serde(skip_serializing_if = "Option::is_none")]
    keep: Option<KeepHistory>,
}

impl Default for Store {
    fn default() -> Self {
        let url = StoreUrl("sqlite:///var/lib/dataminer-reconciler/state.db".to_owned());
        Self { url, password: None, tls: None, keep: None }
    }
}

/// How the connection to a database is secured.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoreTls {
    /// How much is asked for.
    #[serde(default)]
    mode: StoreTlsMode,
    /// A PEM file of the authorities that are trusted; without it those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<Line>,
}

/// How long what happened is kept.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeepHistory {
    /// Days that events, observations and finished operations are kept. What is under way is never dropped.
    #[schemars(range(min = 1, max = 36_500))]
    days: u32,
}

/// Where content backups are kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Vault {
    /// Where it is.
    url: VaultUrl,
    /// How to sign in there; without it what this machine has by itself (rights to files, a role).
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<PlaceAuth>,
    /// The region of an S3 bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Line>,
    /// Where S3 or Azure Blob answers, if not at Amazon's or Microsoft's own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<HttpsUrl>,
    /// How much is kept.
    keep: Keep,
}

impl Default for Vault {
    fn default() -> Self {
        Self {
            url: VaultUrl("file:///var/lib/dataminer-reconciler/vault".to_owned()),
            auth: None,
            region: None,
            endpoint: None,
            keep: Keep::default(),
        }
    }
}

fn place(url: String, auth: Option<PlaceAuth>, region: Option<Line>, endpoint: Option<HttpsUrl>) -> Place {
    Place {
        url,
        auth: auth.map(Into::into),
        region: region.map(|Line(region)| region),
        endpoint: endpoint.map(|HttpsUrl(endpoint)| endpoint),
    }
}

impl From<PackagePlace> for config::PackagePlace {
    fn from(
        PackagePlace { name: Label(name), url: PlaceUrl(url), auth, region, endpoint }: PackagePlace,
    ) -> Self {
        Self { name, place: place(url, auth, region, endpoint) }
    }
}

impl From<Vault> for config::Vault {
    fn from(Vault { url: VaultUrl(url), auth, region, endpoint, keep }: Vault) -> Self {
        let Keep { per_content, days } = keep;
        Self { place: place(url, auth, region, endpoint), keep: config::Keep { per_content, days } }
    }
}

impl From<Store> for config::Store {
    fn from(Store { url: StoreUrl(url), password, tls, keep }: Store) -> Self {
        let tls = tls.map(|StoreTls { mode, ca }| config::StoreTls { mode, ca: ca.map(|Line(file)| file) });
        Self { url, password, tls, keep_days: keep.map(|KeepHistory { days }| days) }
    }
}

impl From<PlaceAuth> for config::PlaceAuth {
    fn from(auth: PlaceAuth) -> Self {
        match auth {
            PlaceAuth::Token(TokenAuth { token }) => Self::Token(token),
            PlaceAuth::Password(PasswordAuth { user: Line(user), password }) => {
                Self::Password { user, password }
            }
            PlaceAuth::AccessKey(AccessKeyAuth { access_key_id, secret_access_key, session_token }) => {
                Self::AccessKey { id: access_key_id, secret: secret_access_key, session: session_token }
            }
            PlaceAuth::AccountKey(AccountKeyAuth { account_key }) => Self::AccountKey(account_key),
            PlaceAuth::SasToken(SasTokenAuth { sas_token }) => Self::SasToken(sas_token),
            PlaceAuth::Principal(PrincipalAuth {
                tenant_id: Line(tenant),
                client_id: Line(client),
                client_secret,
            }) => Self::Principal { tenant, client, secret: client_secret },
        }
    }
}
