//! Packages: what one file is, what it holds, and what is wrong with it.
//!
//! [`inspect()`] reads one `.dmupgrade` or `.dmupdate` and never trusts it: no claim of the file makes it allocate,
//! loop or write, and whatever is wrong becomes a [`Finding`]. [`scan`] adds the SHA-256, for whole folders, and
//! [`verify`] compares files with a catalogue. Facts of the format: `domain/05 section 7`,
//! `domain/09 section 4`.

mod caps;
mod checks;
mod contents;
mod cut;
mod directory;
mod file_name;
pub mod finding;
mod fingerprint;
mod inspect;
mod instructions;
mod member;
mod names;
mod record;
pub mod scan;
mod stream;
#[cfg(test)]
mod tests;
pub mod verify;

pub use self::{
    caps::{Caps, UPLOAD_LIMIT},
    checks::{Check, NoChecks, checks},
    cut::{Cut, NoCut},
    finding::{Finding, FindingCode, Severity},
    fingerprint::{Fingerprint, SENTINELS},
    inspect::{Inspection, OuterMember, Packing, UpdateZip, inspect},
    instructions::{Instruction, Verb},
    names::Separators,
};
