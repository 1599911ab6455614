//! Where manifests come from: a branch or tag of a git repository, or a folder on disk.
//!
//! Blobs are read from the object store, never from a checkout. Everything from outside is capped, and what
//! is not a plain file under a plain name is refused by name. Start reading in [`watch`]: it decides when to
//! look, which commit is in force, and what is reported about the others.

mod accepted;
mod credentials;
mod directory;
mod error;
mod holding;
mod intake;
mod load;
mod location;
mod repository;
mod revisions;
#[cfg(test)]
mod testing;
mod tree;
pub mod watch;

pub use credentials::Auth;
pub use directory::{read_paths, read_tree};
pub use error::SourceError;
pub use holding::Holding;
pub use intake::{Limits, Refusal};
pub use load::{Loaded, assemble, load};
pub use location::Location;
pub use repository::{GitSource, Settings};
pub use revisions::Revisions;

use dataminer_schema::{id::CommitId, load::SourceFile};
use jiff::Timestamp;
use serde::Serialize;

/// A commit as status, history and logs show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitInfo {
    pub id: CommitId,
    pub author: String,
    pub time: Timestamp,
    /// The first line of the message, cut at 200 characters, without control characters.
    pub summary: String,
}

/// The manifests of one commit.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub commit: CommitInfo,
    /// `*.yaml` and `*.yml` below the configured path, sorted by path.
    pub files: Vec<SourceFile>,
    /// Entries that were not read; each makes the commit a broken one.
    pub refused: Vec<Refusal>,
}
