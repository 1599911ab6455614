//! `completion`: a script for the shell, made from the command line itself.

use clap_complete::Shell;

use super::{Exit, Terminal};

/// Print a completion script for a shell
///
/// bash: `source <(dataminer-reconciler completion bash)`.
/// PowerShell: `dataminer-reconciler completion powershell | Out-String | Invoke-Expression`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "dataminer-reconciler", &mut script);
    terminal.data(String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
