//! A small `cmd.exe`: enough of the batch language for plain scripts, and Windows' own words when it fails.
//!
//! [`parse`] turns a line into a tree after percent expansion, [`run`] walks it. Nothing in here knows a particular
//! script. Not modelled: pipes into programs that read, `for /r`, and everything interactive.

mod builtin;
mod condition;
mod directory;
mod expand;
mod files;
mod loops;
mod parse;
mod run;
mod script;
mod stream;

pub(crate) use self::{
    expand::Environment,
    run::Shell,
    stream::{Chunk, Output, Streams},
};

#[cfg(test)]
mod tests;
