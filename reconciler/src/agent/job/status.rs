//! How far a job is, as the poll script tells it.

use dataminer_core::exec::effect::Refusal;

use crate::agent::{
    error::{AgentError, Reason},
    probe::sections::Sections,
};

/// What the poll script tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) started: bool,
    pub(super) lock_held: bool,
    pub(super) exit: Option<i64>,
    pub(super) refused: Option<Refusal>,
}

impl Status {
    pub(super) fn parse(output: &[u8]) -> Result<Self, AgentError> {
        let sections = Sections::parse(output, "poll 1")?;
        let value = |key: &str| sections.value("poll 1", key);
        let odd = |what: &str| {
            AgentError::new(
                Reason::ProtocolViolation,
                format!("the poll script did not tell {what}"),
                "look at the job's folder on the server",
            )
        };
        let yes_or_no = |key: &str, yes: &str, no: &str| match value(key) {
            Some(said) if said == yes => Ok(true),
            Some(said) if said == no => Ok(false),
            _ => Err(odd(key)),
        };
        let exit = match value("exit") {
            Some(code) => Some(code.parse().map_err(|_| odd("a numeric exit code"))?),
            None => None,
        };
        let refused = match value("refused") {
            None => None,
            Some("lock") => Some(Refusal::Lock),
            Some("generation") => Some(Refusal::Generation),
            Some("copy") => Some(Refusal::Copy),
            Some("hash") => Some(Refusal::Hash),
            Some(_) => return Err(odd("a known reason of its refusal")),
        };
        Ok(Self {
            started: yes_or_no("started", "yes", "no")?,
            lock_held: yes_or_no("lock", "held", "free")?,
            exit,
            refused,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_poll_output_reads_strictly() {
        let parse = |text: &str| Status::parse(format!("@@poll 1\r\n{text}\r\n@@end\r\n").as_bytes());
        assert_eq!(
            parse("started=yes\r\nlock=held").expect("a status"),
            Status { started: true, lock_held: true, exit: None, refused: None }
        );
        assert_eq!(
            parse("started=yes\r\nlock=free\r\nexit=-1073741819").expect("a status").exit,
            Some(-1_073_741_819)
        );
        assert_eq!(
            parse("started=no\r\nlock=free\r\nrefused=lock").expect("a status").refused,
            Some(Refusal::Lock)
        );
        for text in [
            "",
            "started=yes",
            "started=maybe\r\nlock=free",
            "started=yes\r\nlock=free\r\nexit=x",
            "started=no\r\nlock=free\r\nrefused=why",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
