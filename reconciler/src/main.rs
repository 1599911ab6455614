//! The binary; everything is in the library.

use std::process::ExitCode;

use dataminer_reconciler::cli::{self, Terminal};

fn main() -> ExitCode {
    cli::main(std::env::args_os(), &mut Terminal::of_process()).into()
}
