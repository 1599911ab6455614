//! What the process remembers: one SQLite file.
//!
//! # Guarantees
//!
//! * What a method wrote before it returned survives a crash of the process and of the machine
//!   (`synchronous=FULL`).
//! * One process per file: a second one is refused with [`StoreError::InUse`].
//! * At most one unfinished operation per cluster; plans never change once stored.
//!
//! Start with [`Store::open`]. Each noun has its file; the tables are in `migrations/`.

mod approvals;
mod commits;
mod durations;
mod events;
mod journal;
mod lock;
mod observations;
mod operations;
mod plans;
mod proofs;
mod requests;
mod state;
#[cfg(test)]
mod tests;

use std::{str::FromStr, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use dataminer_schema::id::ClusterName;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{
    Row, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use self::{
    commits::StoredCommit,
    events::{Event, EventKind},
    journal::{OperationId, StoredOperation},
    plans::{PlanRow, StoredPlan},
    requests::{OperatorRequest, RequestKind, StoredRequest},
    state::Quarantine,
};

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("store URL `{url}` cannot be used: {problem}; write `sqlite:///absolute/path/state.db`")]
    Url { url: String, problem: &'static str },
    #[error("store {path} is in use by another process; stop that one, or give this one its own `store.url`")]
    InUse { path: Utf8PathBuf },
    #[error("preparing the lock file {path}")]
    Lock {
        path: Utf8PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("opening store {path}")]
    Open {
        path: Utf8PathBuf,
        #[source]
        source: sqlx::Error,
    },
    #[error(
        "bringing store {path} to the current layout; a store of a newer release cannot be used by an older one"
    )]
    Migrate {
        path: Utf8PathBuf,
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    #[error("{doing} in the store")]
    Query {
        doing: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error(
        "a document in the store cannot be read while {doing}; it was written by another release or damaged"
    )]
    Document {
        doing: &'static str,
        #[source]
        source: serde_json::Error,
    },
    /// Somebody else made another plan current in between.
    #[error("the current plan of cluster {cluster} is no longer the one that was planned upon")]
    PlanConflict { cluster: String },
    #[error("cluster {cluster} has an unfinished operation already")]
    OperationUnfinished { cluster: String },
}

/// How often a reader tries to open the file, and how long it pauses in between.
const READ_ATTEMPTS: u32 = 20;
const READ_PAUSE: Duration = Duration::from_millis(100);

/// The store of one process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
    path: Utf8PathBuf,
    /// Held as long as any clone lives; absent for a reader.
    _lock: Option<std::sync::Arc<lock::Lock>>,
}

impl Store {
    /// Opens the store of `url` (`sqlite:///path`), makes it where it is not there, and keeps other processes out.
    pub async fn open_url(url: &str) -> Result<Self, StoreError> {
        Self::open(&path_of(url)?).await
    }

    /// Opens the file `path`, makes it where it is not there, and keeps other processes out.
    pub async fn open(path: &Utf8Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| StoreError::Lock { path: folder.to_owned(), source })?;
        }
        let lock = lock::Lock::take(path)?;
        let options = options(path).create_if_missing(true);
        let store = Self::connect(path, options, Some(std::sync::Arc::new(lock))).await?;
        sqlx::migrate!("src/store/migrations")
            .run(&store.pool)
            .await
            .map_err(|source| StoreError::Migrate { path: path.to_owned(), source })?;
        Ok(store)
    }

    /// Opens the file `path` to read it beside the process that owns it.
    ///
    /// The owner may be in the middle of making the file, or of putting its last pages into place and removing the
    /// log beside it; whoever comes just then is refused for a moment, which is waited through.
    pub async fn open_read_only(path: &Utf8Path) -> Result<Self, StoreError> {
        let mut attempt = 1;
        loop {
            let opened = Self::connect(path, reading(path), None).await;
            let failed = match opened {
                Ok(store) => match store.peek().await {
                    Ok(()) => return Ok(store),
                    Err(source) => {
                        store.close().await;
                        StoreError::Open { path: path.to_owned(), source }
                    }
                },
                Err(error) => error,
            };
            if attempt == READ_ATTEMPTS {
                return Err(failed);
            }
            attempt += 1;
            tokio::time::sleep(READ_PAUSE).await;
        }
    }

    /// Whether the tables are there and can be read.
    async fn peek(&self) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT COUNT(*) FROM statuses").fetch_one(&self.pool).await.map(drop)
    }

    async fn connect(
        path: &Utf8Path,
        options: SqliteConnectOptions,
        lock: Option<std::sync::Arc<lock::Lock>>,
    ) -> Result<Self, StoreError> {
        // One connection: SQLite has one writer anyway, and nothing here takes long. No statement can then meet
        // SQLITE_BUSY from this process itself.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(60))
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
        Ok(Self { pool, path: path.to_owned(), _lock: lock })
    }

    /// The file.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Closes the file after what is under way; for an orderly end.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// For one who only looks: no pragma that would write.
fn reading(path: &Utf8Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path.as_std_path())
        .read_only(true)
        .busy_timeout(Duration::from_secs(10))
}

fn options(path: &Utf8Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path.as_std_path())
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10))
}

/// The file that a store URL names.
pub fn path_of(url: &str) -> Result<Utf8PathBuf, StoreError> {
    let error = |problem| StoreError::Url { url: url.to_owned(), problem };
    let rest =
        url.strip_prefix("sqlite:").ok_or_else(|| error("this release keeps its state in SQLite only"))?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.contains(['?', '\0']) || path == ":memory:" {
        return Err(error("it names no file"));
    }
    Ok(Utf8PathBuf::from(path))
}

impl Store {
    /// The one document that `select` finds for `cluster`.
    async fn document_of<T: DeserializeOwned>(
        &self,
        cluster: &ClusterName,
        select: &'static str,
        doing: &'static str,
    ) -> Result<Option<T>, StoreError> {
        sqlx::query(select)
            .bind(cluster.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(query(doing))?
            .map(|row| from_json(doing, row.get::<&str, _>(0)))
            .transpose()
    }
}

fn query(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |source| StoreError::Query { doing, source }
}

fn to_json<T: Serialize>(doing: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Document { doing, source })
}

fn from_json<T: DeserializeOwned>(doing: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Document { doing, source })
}

fn from_text<T: FromStr>(doing: &'static str, text: &str) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| StoreError::Document {
        doing,
        source: <serde_json::Error as serde::de::Error>::custom(error),
    })
}

fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}
