//! What the black-box suites share: the built program, hosts to run it against, repositories and keys.
//!
//! Nothing here waits by sleeping a fixed time: everything that takes long is waited for by its condition, with a
//! deadline, and says what it waited for when that passes.

pub mod chart;
pub mod dms;
pub mod environment;
pub mod fuzz;
pub mod git_host;
pub mod installation;
pub mod key;
pub mod program;
pub mod repository;
pub mod ssh;
pub mod wait;
pub mod wine;
