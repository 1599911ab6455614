//! The simulator from outside: over SSH and SFTP, as a reconciler meets it.

mod client;
mod content;
mod hotfix;
mod swap;
mod transport;
mod upgrade;
mod world;
