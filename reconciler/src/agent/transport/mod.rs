//! SSH to one Agent: exec and SFTP behind our own small types.
//!
//! Nothing outside this folder names `russh`: its API changes with most releases.

mod connection;
mod host_key;
mod sftp;
#[cfg(test)]
mod tests;
mod upload;

pub use connection::{Connection, Exec, ExecLimits, Identity, Timeouts};
pub use host_key::Fingerprint;
pub use sftp::{Entry, FileText, Receive, Sftp};
pub use upload::{CHUNK_BYTES, Sink, Uploader, WRITES_IN_FLIGHT};
