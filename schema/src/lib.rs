//! The language of dataminer-reconciler: versions, manifests, observations, plans, diagnostics.
//!
//! This crate holds data and the reading and writing of it. It decides nothing: whether an upgrade is wise is
//! the business of `dataminer-core`. Start with [`version`] and [`v1`].

#![warn(missing_docs)]

pub mod beside;
pub mod diagnostic;
mod document;
pub mod id;
pub mod load;
pub mod plan;
pub mod quantity;
pub mod status;
pub mod v1;
pub mod version;

pub use document::{json_schema_text, json_schemas};
