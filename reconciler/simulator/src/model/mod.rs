//! DataMiner's documented rules as a small model in memory: a system, what an operator can do to it, and which
//! rule an act breaks. Written from the domain facts and from nothing else; it is what plans are judged by.
//!
//! [`System`] is one system as it really is. Each act ([`System::install_full`], [`System::install_web`],
//! [`System::restore`], …) takes it and returns the next one or the [`Violation`]. [`replay`](fn@replay) walks a whole Plan.

mod act;
pub(crate) mod hop;
pub(crate) mod modules;
mod replay;
mod rule;
pub(crate) mod server;
mod shelf;
mod system;
pub(crate) mod web;

#[cfg(test)]
mod tests;

pub use self::{
    act::Install,
    hop::{
        has_migration_package, is_lower, knows_broker_gateway, loses_fixes, nats_check_fails,
        needs_broker_gateway,
    },
    replay::{Broken, Wanted, carry_out, replay},
    rule::{Rule, Violation},
    server::Server,
    shelf::{Packed, Shelf},
    system::{Agent, Consent, System},
    web::{Level, gate as web_gate, stumbles},
};
