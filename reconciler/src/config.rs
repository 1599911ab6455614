//! The process's own configuration: flag before environment before file.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use dataminer_core::knowledge::Knowledge;
use dataminer_schema::{
    diagnostic::{Diagnostic, Severity},
    id::ClusterName,
    load::{SourceFile, load_config},
    v1::config::{self, KnowledgePlace, Place, ReconcilerConfig, SourceAuth},
};
use jiff::SignedDuration;

use crate::knowledge::{self, KnowledgeError};
use crate::source::{Auth, Limits, Location, Settings, SourceError};

/// A configuration is a page of text; anything larger is another file.
const MAX_BYTES: u64 = 1 << 20;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("reading the configuration {path}: {cause}")]
    Unreadable { path: PathBuf, cause: std::io::Error },
    #[error("the configuration {path} has {} errors", .diagnostics.len())]
    Invalid { path: PathBuf, file: SourceFile, diagnostics: Vec<Diagnostic> },
    #[error("{what} `{url}` of the configuration cannot be used: {problem}")]
    Place { what: &'static str, url: String, problem: &'static str },
    #[error("the configuration names {count} sources")]
    Sources { count: usize },
    #[error("the `auth` of the source {url} does not fit its URL")]
    Auth { url: String },
    #[error("the configuration {path} asks for what this release does not carry out: {}", .fields.join(", "))]
    NotCarriedOut { path: PathBuf, fields: Vec<String> },
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
}

impl ConfigError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Unreadable { .. } => {
                "name the file with --config or DATAMINER_RECONCILER_CONFIG, and make it readable for this process"
                    .to_owned()
            }
            Self::Invalid { .. } => "correct the places above; `examples/config/reconciler.yaml` is a start".to_owned(),
            Self::Place { what: "store", .. } => "write for example sqlite:///var/lib/dataminer-reconciler/state.db".to_owned(),
            Self::Place { .. } => "write a local folder, for example file:///var/lib/dataminer-reconciler/vault".to_owned(),
            Self::Sources { count: 0 } => "add one to `spec.sources`: name, url, branch".to_owned(),
            Self::Sources { .. } => "this release follows one repository: run one process for each, each with its own store".to_owned(),
            Self::Auth { .. } => "write `identity` (a private key) for ssh, `token`, or `user` and `password`, for \
                                  https, and nothing for a repository on this machine"
                .to_owned(),
            Self::NotCarriedOut { .. } => {
                "take these fields out, or wait for a release that carries them out: a process that left them out in \
                 silence would not do what the file says (`explain E0309`)"
                    .to_owned()
            }
            Self::Source(error) => error.help(),
            Self::Knowledge(error) => error.help(),
        }
    }
}

/// What a flag or an environment variable sets in place of the file.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Configuration")]
pub struct Overrides {
    /// Name of the installation that owns what is done on Agents
    #[arg(long, value_name = "NAME", env = "DATAMINER_RECONCILER_INSTALLATION", value_parser = label)]
    pub installation: Option<String>,
    /// Where the process keeps its state: sqlite:///…
    #[arg(long, value_name = "URL", env = "DATAMINER_RECONCILER_STORE")]
    pub store: Option<String>,
    /// Where content backups are kept: file:///…
    #[arg(long, value_name = "URL", env = "DATAMINER_RECONCILER_VAULT")]
    pub vault: Option<String>,
    /// Where the HTTP interface listens
    #[arg(long, value_name = "ADDRESS", env = "DATAMINER_RECONCILER_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Folder of release knowledge of one's own
    #[arg(long, value_name = "DIR", env = "DATAMINER_RECONCILER_KNOWLEDGE")]
    pub knowledge: Option<PathBuf>,
    /// How often each cluster is observed, e.g. 5m
    #[arg(long, value_name = "DURATION", env = "DATAMINER_RECONCILER_OBSERVE", value_parser = duration)]
    pub observe: Option<SignedDuration>,
    /// How many Agents are talked to at a time
    #[arg(long, value_name = "NUMBER", env = "DATAMINER_RECONCILER_CONCURRENCY", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub concurrency: Option<u32>,
}

/// The name is written on Agents and into job folders, so it is as plain as a cluster's.
fn label(text: &str) -> Result<String, String> {
    ClusterName::new(text).map(String::from).map_err(|error| error.to_string())
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    dataminer_schema::quantity::parse_duration(text).map_err(|error| format!("{error}; {}", error.help()))
}

/// A configuration ready for use.
#[derive(Clone, Debug)]
pub struct Config {
    pub spec: ReconcilerConfig,
    /// The folder of the file: relative places are relative to it.
    pub folder: PathBuf,
    /// The file.
    pub path: PathBuf,
    pub warnings: Vec<Diagnostic>,
}

impl Config {
    /// Reads `path` and lays `overrides` over it.
    ///
    /// # Errors
    /// A file that cannot be read or has errors; the diagnostics say where.
    pub fn read(path: &Path, overrides: &Overrides) -> Result<Self, ConfigError> {
        let unreadable = |cause| ConfigError::Unreadable { path: path.to_owned(), cause };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_BYTES {
            let cause = std::io::Error::other(format!("it has {size} bytes; at most {MAX_BYTES} are read"));
            return Err(unreadable(cause));
        }
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let file = SourceFile { path: path.display().to_string(), bytes };
        let (spec, diagnostics) = load_config(&file);
        let broken = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        let Some(mut spec) = spec.filter(|_| !broken) else {
            return Err(ConfigError::Invalid { path: path.to_owned(), file, diagnostics });
        };
        overrides.apply(&mut spec);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Self { spec, folder: folder.to_owned(), path: path.to_owned(), warnings: diagnostics })
    }

    /// Whether a process may start: not with anything that it would leave out.
    ///
    /// # Errors
    /// Fields that are set, also by an override, and not carried out by this release.
    pub fn startable(&self) -> Result<(), ConfigError> {
        match self.spec.not_carried_out() {
            fields if fields.is_empty() => Ok(()),
            fields => Err(ConfigError::NotCarriedOut { path: self.path.clone(), fields }),
        }
    }

    /// The file of the SQLite store.
    ///
    /// # Errors
    /// A URL of another kind.
    pub fn store_file(&self) -> Result<PathBuf, ConfigError> {
        let url = &self.spec.store.url;
        let bad = |problem| ConfigError::Place { what: "store", url: url.clone(), problem };
        let path = url
            .strip_prefix("sqlite://")
            .ok_or_else(|| bad("this release keeps its state in SQLite only"))?;
        if path.is_empty() || path.contains('?') {
            return Err(bad("it must be a plain path"));
        }
        Ok(self.folder.join(path))
    }

    /// The folder of the vault.
    ///
    /// # Errors
    /// A URL of another kind.
    pub fn vault_folder(&self) -> Result<PathBuf, ConfigError> {
        self.folder_of("vault", &self.spec.vault.place.url)
    }

    /// The folders in which packages are found by name, in the order of the file.
    ///
    /// # Errors
    /// A URL of another kind.
    pub fn package_folders(&self) -> Result<Vec<PathBuf>, ConfigError> {
        self.spec.packages.iter().map(|place| self.folder_of("package place", &place.place.url)).collect()
    }

    /// The folder of clones and of what is remembered of sources: beside the store.
    ///
    /// # Errors
    /// A store that is no file.
    pub fn sources_folder(&self) -> Result<PathBuf, ConfigError> {
        Ok(self.store_file()?.parent().unwrap_or(Path::new(".")).join("sources"))
    }

    /// What is known of DataMiner's releases: the program's own, and the user's before it.
    ///
    /// # Errors
    /// Documents that cannot be read, or have errors.
    pub fn knowledge(&self) -> Result<Knowledge, ConfigError> {
        match &self.spec.knowledge {
            None => Ok(Knowledge::default()),
            Some(place) => Ok(knowledge::read(&self.folder.join(&place.path))?),
        }
    }

    /// The one source of this release.
    ///
    /// # Errors
    /// None or several, and a URL that cannot be used.
    pub fn source(&self) -> Result<Settings, ConfigError> {
        let [source] = self.spec.sources.as_slice() else {
            return Err(ConfigError::Sources { count: self.spec.sources.len() });
        };
        let location = match Location::parse(&source.url)? {
            Location::Local(path) => Location::Local(self.folder.join(path)),
            remote @ (Location::Ssh(_) | Location::Https(_)) => remote,
        };
        Ok(Settings {
            path: plain_folder(&source.path),
            interval: Duration::try_from(source.interval).unwrap_or(Duration::from_secs(60)),
            host_keys: source.host_keys.clone(),
            auth: source.auth.as_ref().map(|auth| auth_of(auth, &location)).transpose()?,
            acknowledged_rewrite: source.acknowledge_rewrite.clone(),
            limits: Limits::default(),
            ..Settings::new(source.name.clone(), location, source.branch.clone())
        })
    }

    fn folder_of(&self, what: &'static str, url: &str) -> Result<PathBuf, ConfigError> {
        let bad = |problem| ConfigError::Place { what, url: url.to_owned(), problem };
        let path = match url.split_once(':') {
            Some(("file", rest)) => rest.strip_prefix("//").unwrap_or(rest),
            Some((scheme, _)) if scheme.len() > 1 => {
                return Err(bad("this release reads local folders only"));
            }
            _ => url,
        };
        if path.is_empty() { Err(bad("it names no folder")) } else { Ok(self.folder.join(path)) }
    }
}

/// What the fields of `auth` come to: a key for ssh, a password or token for https.
fn auth_of(auth: &SourceAuth, location: &Location) -> Result<Auth, ConfigError> {
    let SourceAuth { identity, passphrase, user, password, token } = auth.clone();
    match (location, identity, password.xor(token)) {
        (Location::Ssh(_), Some(identity), None) => Ok(Auth::Key { user, identity, passphrase }),
        (Location::Https(_), None, Some(password)) => {
            // Forges take any name beside a token.
            Ok(Auth::Password { user: user.unwrap_or_else(|| "git".to_owned()), password })
        }
        (location, ..) => Err(ConfigError::Auth { url: location.to_string() }),
    }
}

/// A folder of the repository as git's trees name it: `.` and `/` are its root.
fn plain_folder(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

impl Overrides {
    fn apply(&self, spec: &mut ReconcilerConfig) {
        let Self { installation, store, vault, listen, knowledge, observe, concurrency } = self.clone();
        if let Some(installation) = installation {
            spec.installation = installation;
        }
        if let Some(store) = store {
            // Password and TLS of the file are for the database of the file.
            spec.store = config::Store { keep_days: spec.store.keep_days, ..config::Store::new(store) };
        }
        if let Some(vault) = vault {
            spec.vault.place = Place::new(vault);
        }
        if let Some(listen) = listen {
            spec.http.listen = listen;
        }
        if let Some(knowledge) = knowledge {
            // The file's own places are relative to it, those of a flag to where the process was started.
            let path = std::path::absolute(&knowledge).unwrap_or(knowledge);
            spec.knowledge = Some(KnowledgePlace { path: path.to_string_lossy().into_owned() });
        }
        if let Some(observe) = observe {
            spec.r#loop.observe = observe;
        }
        if let Some(concurrency) = concurrency {
            spec.r#loop.concurrency = concurrency;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "apiVersion: dataminer.gitops/v1
kind: ReconcilerConfig
spec:
  installation: prod
  sources: [ { name: fleet, url: \"ssh://git@git.example/fleet.git\", path: ./clusters/, auth: { identity: { env: KEY } } } ]
  store: { url: \"sqlite:///var/lib/dataminer-reconciler/state.db\" }
  vault: { url: \"file:///var/lib/dataminer-reconciler/vault\" }
";

    fn read(text: &str, overrides: &Overrides) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("reconciler.yaml");
        std::fs::write(&path, text).expect("a file can be written");
        Config::read(&path, overrides)
    }

    #[test]
    fn overrides_come_before_the_file_and_the_file_before_defaults() {
        let overrides = Overrides {
            store: Some("sqlite:///tmp/other.db".to_owned()),
            observe: Some(SignedDuration::from_secs(30)),
            ..Overrides::default()
        };
        let config = read(TEXT, &overrides).expect("it is right");
        assert_eq!(config.store_file().expect("it is a file"), Path::new("/tmp/other.db"));
        assert_eq!(config.sources_folder().expect("it is a folder"), Path::new("/tmp/sources"));
        assert_eq!(
            config.vault_folder().expect("it is a folder"),
            Path::new("/var/lib/dataminer-reconciler/vault")
        );
        assert_eq!(config.spec.r#loop.observe, SignedDuration::from_secs(30));
        assert_eq!(config.spec.installation, "prod");
        assert!(config.spec.http.listen.ip().is_loopback());
        let source = config.source().expect("it is right");
        assert_eq!((source.path.as_str(), source.reference.as_str()), ("clusters", "main"));
        assert!(matches!(source.auth, Some(Auth::Key { .. })));
    }

    #[test]
    fn release_knowledge_is_found_beside_the_file_or_where_a_flag_says() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("reconciler.yaml");
        std::fs::write(&path, format!("{TEXT}  knowledge: {{ path: ours }}\n"))
            .expect("a file can be written");
        let config = Config::read(&path, &Overrides::default()).expect("it is right");
        assert!(matches!(config.knowledge(), Err(ConfigError::Knowledge(KnowledgeError::Unreadable { .. }))));
        std::fs::create_dir(folder.path().join("ours")).expect("a folder can be made");
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/knowledge");
        std::fs::copy(example.join("ours.yaml"), folder.path().join("ours/own.yaml")).expect("it is copied");
        assert!(config.knowledge().expect("it is right").is_extended());
        let overrides = Overrides { knowledge: Some(example), ..Overrides::default() };
        let config = Config::read(&path, &overrides).expect("it is right");
        assert!(config.knowledge().expect("it is right").is_extended());
        assert!(
            !read(TEXT, &Overrides::default())
                .and_then(|config| config.knowledge())
                .expect("it is right")
                .is_extended()
        );
    }

    #[test]
    fn a_rewrite_is_acknowledged_by_its_commit() {
        let commit = "0123456789012345678901234567890123456789";
        let text = TEXT.replace("path: ./clusters/", &format!("acknowledgeRewrite: \"{commit}\""));
        let source =
            read(&text, &Overrides::default()).and_then(|config| config.source()).expect("it is right");
        assert_eq!(source.acknowledged_rewrite.expect("it was written").as_str(), commit);
        let short = TEXT.replace("path: ./clusters/", "acknowledgeRewrite: abc123");
        let Err(ConfigError::Invalid { diagnostics, .. }) = read(&short, &Overrides::default()) else {
            panic!("a short id is no commit")
        };
        assert!(
            diagnostics[0].help.as_ref().is_some_and(|help| help.contains("rev-parse")),
            "{diagnostics:?}"
        );
    }

    #[test]
    fn auth_must_fit_the_url() {
        for (url, auth, fits) in [
            ("ssh://git@git.example/fleet.git", "identity: { file: /key }", true),
            ("ssh://git@git.example/fleet.git", "identity: { file: /key }, passphrase: { env: WORD }", true),
            ("ssh://git@git.example/fleet.git", "user: git, password: { env: TOKEN }", false),
            ("https://git.example/fleet.git", "password: { env: TOKEN }", true),
            ("https://git.example/fleet.git", "token: { env: TOKEN }", true),
            ("https://git.example/fleet.git", "token: { env: TOKEN }, password: { env: TOKEN }", false),
            ("ssh://git@git.example/fleet.git", "token: { env: TOKEN }", false),
            ("https://git.example/fleet.git", "identity: { file: /key }", false),
            ("https://git.example/fleet.git", "user: robot", false),
            ("file:///srv/fleet.git", "identity: { file: /key }", false),
        ] {
            let text = TEXT
                .replace("ssh://git@git.example/fleet.git", url)
                .replace("auth: { identity: { env: KEY } }", &format!("auth: {{ {auth} }}"));
            let source = read(&text, &Overrides::default()).and_then(|config| config.source());
            assert_eq!(source.is_ok(), fits, "{url} {auth}: {source:?}");
            if let Err(error) = source {
                // What fits no address is refused at its place in the file already.
                let in_file = matches!(error, ConfigError::Invalid { .. });
                assert!(in_file || error.help().contains("`identity`"), "{error}");
            }
        }
    }

    #[test]
    fn a_broken_file_comes_back_with_its_diagnostics() {
        let error = read(&TEXT.replace("installation", "instalation"), &Overrides::default())
            .expect_err("it is wrong");
        let ConfigError::Invalid { diagnostics, .. } = error else { panic!("{error}") };
        assert!(diagnostics.iter().any(|found| found.line == 4), "{diagnostics:?}");
    }

    #[test]
    fn a_missing_file_says_how_to_name_it() {
        let error = Config::read(Path::new("/nowhere/reconciler.yaml"), &Overrides::default())
            .expect_err("it is gone");
        assert!(error.to_string().contains("/nowhere/reconciler.yaml"), "{error}");
        assert!(error.help().contains("DATAMINER_RECONCILER_CONFIG"), "{}", error.help());
    }

    #[test]
    fn no_process_starts_with_what_it_would_leave_out() {
        assert!(read(TEXT, &Overrides::default()).expect("it is right").startable().is_ok());
        for (part, named) in [
            ("hooks: { snapshot: { argv: [/usr/local/bin/snapshot] } }", "spec.hooks"),
            ("forge: { provider: GitHub, repository: a/b, token: { env: T } }", "spec.forge"),
            ("notifications: [ { name: a, to: { teams: { url: { env: U } } } } ]", "spec.notifications"),
            ("http: { tls: { certificate: /c, key: { file: /k } } }", "spec.http.tls"),
            ("http: { listen: \"0.0.0.0:1\", auth: { tokens: { file: /t } } }", "spec.http.auth"),
            ("http: { url: \"https://a.example\" }", "spec.http.url"),
            ("packages: [ { name: a, url: /a } ]", "is no place"),
            ("packages: [ { name: a, url: \"s3://a\" } ]", "spec.packages[0].url"),
        ] {
            let config = read(&format!("{TEXT}  {part}\n"), &Overrides::default());
            match config.and_then(|config| config.startable()) {
                Err(error @ ConfigError::NotCarriedOut { .. }) => {
                    assert!(error.to_string().contains(named), "{part}: {error}");
                    assert!(error.help().contains("take these fields out"), "{part}");
                }
                Err(ConfigError::Invalid { .. }) => assert_eq!(named, "is no place", "{part}"),
                other => panic!("{part}: {other:?}"),
            }
        }
        // What a flag sets counts as what the file sets.
        for (store, vault) in [(Some("postgres://db.example/a"), None), (None, Some("s3://a"))] {
            let overrides = Overrides {
                store: store.map(str::to_owned),
                vault: vault.map(str::to_owned),
                ..Overrides::default()
            };
            let config = read(TEXT, &overrides).expect("it is right");
            assert!(
                matches!(config.startable(), Err(ConfigError::NotCarriedOut { fields, .. }) if fields.len() == 1)
            );
        }
    }

    #[test]
    fn a_second_source_is_refused_by_number() {
        let text = TEXT.replace("sources: [ {", "sources: [ { name: other, url: /srv/other }, {");
        let error =
            read(&text, &Overrides::default()).and_then(|config| config.source()).expect_err("there are two");
        assert!(error.to_string().contains('2'), "{error}");
    }
}
