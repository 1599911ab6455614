//! The pure decisions of dataminer-reconciler.
//!
//! No clock, no entropy, no file system, no network: time and limits come in with the input. `Cargo.toml` and
//! `clippy.toml` of this crate guard that.

pub mod bump;
pub mod canary;
pub mod catalog;
pub mod converged;
pub mod desired;
pub mod exec;
pub mod fleet_lint;
mod hotfix;
pub mod knowledge;
pub mod lint;
pub mod patience;
pub mod plan;
pub mod release;
pub mod summarize;
pub mod tool;
pub mod window;

#[cfg(test)]
pub(crate) mod testing;
