//! The bodies of the fuzz targets: plain functions over bytes, each with all that must hold of them.
//!
//! `tests/fuzz` hands them what libFuzzer makes up; `tests/it/fuzz.rs` hands them the corpora and a bounded number of
//! changed copies. A body panics where something does not hold, and returns otherwise: that it returns in time and
//! within little memory is part of it.

mod manifest;
mod mutate;
mod package;
mod probe;
mod version;
mod window;

pub use self::{
    manifest::manifest,
    mutate::Mutator,
    package::package,
    probe::{progress_log, version_history},
    version::version,
    window::window,
};

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Also the name of its file in `tests/fuzz/fuzz_targets` and of its folder in `tests/fuzz/corpus`.
    pub name: &'static str,
    /// Panics where something does not hold of these bytes.
    pub body: fn(&[u8]),
    /// How many changed copies an ordinary test run takes.
    pub rounds: usize,
    /// What the format is made of: put into the copies.
    pub words: &'static [&'static str],
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "version", body: version, rounds: 20_000, words: version::WORDS },
    Target { name: "manifest", body: manifest, rounds: 400, words: manifest::WORDS },
    Target { name: "version_history", body: version_history, rounds: 1_500, words: probe::HISTORY_WORDS },
    Target { name: "progress_log", body: progress_log, rounds: 3_000, words: probe::LOG_WORDS },
    Target { name: "package", body: package, rounds: 400, words: package::WORDS },
    Target { name: "window", body: window, rounds: 300, words: window::WORDS },
];
