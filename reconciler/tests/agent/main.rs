//! The Agent driver over real SSH against simulated Agents.

mod backup;
mod checks;
mod claim;
mod clean;
mod harness;
mod job;
mod modules;
mod observe;
mod owed;
mod restore;
mod stage;
mod thousand;
