//! The execution machine: sans-io, driven by the reconciler and by tests alike.
//!
//! Start with [`machine`]. [`effect`] is what it asks for, [`journal`] what is written down about it, `sight`
//! how an Observation is read against a step.

mod answer;
pub mod checks;
pub mod effect;
mod end;
mod expected;
pub mod finish;
pub mod journal;
mod look;
pub mod machine;
mod owed;
mod patch;
mod phase;
pub mod policy;
mod proof;
mod resume;
mod sight;
mod step;
mod swap;
mod tail;
#[cfg(test)]
mod tests;
mod tools;
