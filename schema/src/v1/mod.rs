//! The kinds of `dataminer.gitops/v1`.

pub mod advisory;
pub mod catalog;
pub mod cluster;
pub mod config;
pub mod knowledge;
pub mod observation;
pub mod profile;
pub mod rollout;

/// The only `apiVersion` that this product reads and writes.
pub const API_VERSION: &str = "dataminer.gitops/v1";
