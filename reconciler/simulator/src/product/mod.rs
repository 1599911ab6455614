//! DataMiner itself: what the docs say it does, and what it refuses.
//!
//! Start with [`utility`], which a job calls, then [`operation`] and [`steps`].

mod agent;
mod cluster;
pub(crate) mod content;
mod content_backup;
pub(crate) mod edit;
mod executor;
mod info;
mod items;
pub(crate) mod layout;
mod log;
pub(crate) mod modules;
mod operation;
mod package;
mod prerequisites;
mod rules;
mod steps;
pub(crate) mod survey;
mod sync;
mod tools;
mod utility;

pub use self::items::ContentItem;
pub(crate) use self::{
    agent::Agent, cluster::Cluster, items::items, package::Content, prerequisites::check_file, tools::Tool,
};
