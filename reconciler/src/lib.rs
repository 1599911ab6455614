//! All input and output of dataminer-reconciler: git, SSH, the store, the vault, HTTP and the command line.
//!
//! Decisions are made in `dataminer-core`; this crate carries facts to it and performs what it answers.

pub mod agent;
pub mod cli;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod edit;
pub mod engine;
pub mod http;
pub mod knowledge;
pub mod metrics;
pub mod package;
pub mod packages;
pub mod process;
pub mod rehearsal;
pub mod review;
pub mod source;
pub mod store;
pub mod telemetry;
pub mod vault;
