//! The ReconcilerConfig: the process's own file. It is never part of a fleet repository.
//!
//! Fields that this release does not act on are part of the language all the same:
//! [`ReconcilerConfig::not_carried_out`] names those that are set, and no process starts with them.

mod call;
mod http;
mod place;
mod source;

use std::collections::BTreeMap;

pub use self::{
    call::{
        Email, Forge, ForgeProvider, HeaderValue, Hook, Notification, NotificationEvent, Recipient, Request,
        SmtpTls,
    },
    http::{Http, HttpAuth, Oidc, Roles, Tls},
    place::{
        Keep, KnowledgePlace, Loop, PackagePlace, Place, PlaceAuth, SecretGrant, Store, StoreTls,
        StoreTlsMode, Vault,
    },
    source::{Source, SourceAuth, Verify, VerifyMode, Webhook, WebhookProvider},
};

/// The configuration of one process, with every default filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconcilerConfig {
    /// Marks what this installation owns on Agents.
    pub installation: String,
    /// The repositories, at least one; names are unique.
    pub sources: Vec<Source>,
    /// The places where packages are looked up; names are unique.
    pub packages: Vec<PackagePlace>,
    /// The process's own state.
    pub store: Store,
    /// Content backups.
    pub vault: Vault,
    /// All secrets that manifests may name, and for whom.
    pub secrets: Vec<SecretGrant>,
    /// What manifests may name as hooks.
    pub hooks: BTreeMap<String, Hook>,
    /// Release knowledge of the user's own; without it the program's alone is used.
    pub knowledge: Option<KnowledgePlace>,
    /// The pace of the loop.
    pub r#loop: Loop,
    /// Where the process listens.
    pub http: Http,
    /// Where pull requests are commented.
    pub forge: Option<Forge>,
    /// Who is told of what; names are unique.
    pub notifications: Vec<Notification>,
}

impl ReconcilerConfig {
    /// What is set and not carried out by this release, as paths such as `spec.packages[1].url`. No process may start
    /// with any of it: whoever wrote it counts on it.
    pub fn not_carried_out(&self) -> Vec<String> {
        let Self {
            installation: _,
            sources,
            packages,
            store,
            vault,
            secrets: _,
            hooks,
            knowledge: _,
            r#loop: _,
            http,
            forge,
            notifications,
        } = self;
        let mut found = Vec::new();
        let mut note = |set: bool, field: String| {
            if set {
                found.push(field);
            }
        };
        for (at, source) in sources.iter().enumerate() {
            note(source.verify.mode != VerifyMode::None, format!("spec.sources[{at}].verify"));
            note(source.webhook.is_some(), format!("spec.sources[{at}].webhook"));
        }
        for (at, PackagePlace { name: _, place }) in packages.iter().enumerate() {
            note(!place.is_folder(), format!("spec.packages[{at}].url"));
            note(place.auth.is_some(), format!("spec.packages[{at}].auth"));
        }
        let Store { url, password, tls, keep_days } = store;
        note(!url.starts_with("sqlite:"), "spec.store.url".to_owned());
        note(password.is_some(), "spec.store.password".to_owned());
        note(tls.is_some(), "spec.store.tls".to_owned());
        note(keep_days.is_some(), "spec.store.keep".to_owned());
        note(!vault.place.is_folder(), "spec.vault.url".to_owned());
        note(vault.place.auth.is_some(), "spec.vault.auth".to_owned());
        let Http { listen: _, metrics: _, url, tls, auth } = http;
        note(!hooks.is_empty(), "spec.hooks".to_owned());
        note(url.is_some(), "spec.http.url".to_owned());
        note(tls.is_some(), "spec.http.tls".to_owned());
        note(auth.is_some(), "spec.http.auth".to_owned());
        note(forge.is_some(), "spec.forge".to_owned());
        note(!notifications.is_empty(), "spec.notifications".to_owned());
        found
    }
}

impl Place {
    /// Whether it is a folder of this machine. `region` and `endpoint` stand only beside a URL that is none.
    fn is_folder(&self) -> bool {
        // An override may be a plain path, and on Windows one with a drive.
        self.url.starts_with("file:") || !self.url.contains("://")
    }
}
