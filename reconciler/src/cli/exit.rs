//! The exit codes, in one place.

use std::process::ExitCode;

/// How a verb ended, as scripts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Ok,
    /// Something failed; for `validate`: there are errors; for `doctor`: a finding is an error, or a canary did not
    /// pass.
    Failed,
    /// `plan --detailed-exitcode`: there is something to do.
    PlanChanges,
    /// `plan --detailed-exitcode`: a person or a commit must act first.
    PlanBlocked,
    /// `rehearse`: a cluster would not converge.
    WouldNotConverge,
    /// `diff`: wanted and observed differ.
    DiffDiffers,
    /// `diff`: they could not be compared.
    DiffFailed,
    /// The command line itself was wrong.
    Usage,
}

impl Exit {
    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed | Self::DiffDiffers => 1,
            Self::PlanChanges | Self::DiffFailed => 2,
            Self::PlanBlocked | Self::WouldNotConverge => 3,
            Self::Usage => 64,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_documentation_holds() {
        let table = [
            (Exit::Ok, 0),
            (Exit::Failed, 1),
            (Exit::PlanChanges, 2),
            (Exit::PlanBlocked, 3),
            (Exit::WouldNotConverge, 3),
            (Exit::DiffDiffers, 1),
            (Exit::DiffFailed, 2),
            (Exit::Usage, 64),
        ];
        for (exit, code) in table {
            assert_eq!(exit.code(), code, "{exit:?}");
        }
    }
}
