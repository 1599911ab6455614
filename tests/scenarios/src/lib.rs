//! Stories that an operator would recognise: text in, golden text out.
//!
//! A story is a file beside this folder. Its commands are carried out by the planner, the windows, the execution machine and
//! the status that are shipped, in virtual time, over a cluster in memory that breaks where DataMiner would. What they
//! print stands below each command; `tests/ARCHITECTURE.md` tells the language.

mod command;
mod fault;
mod manifest;
mod names;
mod operation;
mod process;
mod product;
mod releases;
mod script;
mod show;
mod story;
mod world;

use std::path::Path;

use similar::{ChangeTag, TextDiff};

/// Tells the story at `path` and compares what it prints with what stands there; with `BLESS=1` writes it instead.
///
/// # Errors
/// A line that cannot be read or carried out, a rule of DataMiner that was broken, a plan that breaks its own rules
/// (these fail in any case), or other text than what stands there.
pub fn check(path: &Path, text: &str) -> Result<(), String> {
    let script = script::Script::parse(text)?;
    let told = story::Story::tell(script)?.render();
    if told == text {
        return Ok(());
    }
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        return std::fs::write(path, told).map_err(|error| format!("writing {}: {error}", path.display()));
    }
    Err(format!(
        "it prints something else by now; read the difference, and if it is right: BLESS=1\n{}",
        difference(text, &told)
    ))
}

/// The changed lines with three around them.
fn difference(was: &str, is: &str) -> String {
    let diff = TextDiff::from_lines(was, is);
    let mut text = String::new();
    for group in diff.grouped_ops(3) {
        text.push_str("  …\n");
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            text.push(sign);
            text.push_str(change.value());
        }
    }
    text
}
