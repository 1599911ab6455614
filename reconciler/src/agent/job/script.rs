//! The job's own script: one frame (`run.cmd`) around one kind of work. Values are checked, never quoted.

use dataminer_schema::id::{JobId, Sha256};

use crate::agent::{
    error::AgentError,
    layout::generation_name,
    render::{checked_file_name, checked_value},
    scripts::crlf,
};

const FRAME: &str = include_str!("../scripts/run.cmd");
const UPGRADE: &str = include_str!("../scripts/work/upgrade.cmd");
const RESTORE: &str = include_str!("../scripts/work/restore.cmd");
const REINSTALL: &str = include_str!("../scripts/work/reinstall.cmd");
const SWAP: &str = include_str!("../scripts/work/swap.cmd");
const CHECKS: &str = include_str!("../scripts/work/checks.cmd");

/// Hands a package to the Taskbar Utility.
pub(super) fn upgrade(
    job: &JobId,
    generation: u64,
    sha256: &Sha256,
    file: &str,
    utility: &str,
) -> Result<Vec<u8>, AgentError> {
    let file = checked_file_name("the package file name", file)?;
    let utility = checked_value("the path of the Taskbar Utility", utility)?;
    let values = [("sha256", sha256.as_str()), ("file", file), ("utility", utility)];
    Ok(framed(job, generation, &fill(UPGRADE, &values)))
}

/// Puts staged content into place; `safe` names the safety copy.
pub(super) fn restore(job: &JobId, generation: u64, safe: &str) -> Result<Vec<u8>, AgentError> {
    let safe = checked_file_name("the name of the safety copy", safe)?;
    Ok(framed(job, generation, &fill(RESTORE, &[("job", job.as_str()), ("safe", safe)])))
}

/// Removes these products and installs `installer`.
pub(super) fn reinstall(
    job: &JobId,
    generation: u64,
    module: &str,
    products: &[String],
    installer: &str,
) -> Result<Vec<u8>, AgentError> {
    let module = checked_value("the name of the module", module)?;
    let installer = checked_value("the path of the installer", installer)?;
    let uninstall = uninstalls(products)?;
    let values = [("module", module), ("uninstall", uninstall.trim_end()), ("installer", installer)];
    Ok(framed(job, generation, &fill(REINSTALL, &values)))
}

/// The same while DataMiner is stopped (G3); `restarts`: it is started again behind it. Without an installer there is
/// nothing to do but that.
pub(super) fn swap(
    job: &JobId,
    generation: u64,
    module: &str,
    swapped: Option<(&[String], &str)>,
    utility: &str,
    restarts: bool,
) -> Result<Vec<u8>, AgentError> {
    let module = checked_value("the name of the module", module)?;
    let utility = checked_value("the path of the Taskbar Utility", utility)?;
    let (uninstall, install) = match swapped {
        Some((products, installer)) => {
            let installer = checked_value("the path of the installer", installer)?;
            let install = format!("set \"INSTALLER={installer}\"\ncall :install\n{UNLESS_WELL}");
            (uninstalls(products)?, install)
        }
        None => (String::new(), "set \"CODE=0\"".to_owned()),
    };
    let values = [
        ("module", module),
        ("utility", utility),
        ("uninstall", uninstall.trim_end()),
        ("install", install.trim_end()),
        ("start", if restarts { "call :start" } else { "rem Another module follows." }),
    ];
    Ok(framed(job, generation, &fill(SWAP, &values)))
}

/// Ends a work that went wrong.
const UNLESS_WELL: &str = "if not \"%CODE%\"==\"0\" goto ended\n";

/// Lines that remove each of `products`.
fn uninstalls(products: &[String]) -> Result<String, AgentError> {
    let mut lines = String::new();
    for product in products {
        lines.push_str("set \"PRODUCT=");
        lines.push_str(checked_value("the product code", product)?);
        lines.push_str("\"\ncall :remove\n");
        lines.push_str(UNLESS_WELL);
    }
    Ok(lines)
}

/// Runs these checks, which lie in the job's folder.
pub(super) fn checks(job: &JobId, generation: u64, names: &[&str]) -> Result<Vec<u8>, AgentError> {
    let mut calls = String::new();
    for name in names {
        calls.push_str("set \"CHECK=");
        calls.push_str(checked_file_name("the prerequisite", name)?);
        calls.push_str("\"\ncall :check\n");
    }
    Ok(framed(job, generation, &fill(CHECKS, &[("checks", calls.trim_end())])))
}

fn framed(job: &JobId, generation: u64, work: &str) -> Vec<u8> {
    let generation = generation_name(generation);
    crlf(&fill(FRAME, &[("job", job.as_str()), ("generation", &generation), ("work", work.trim_end())]))
}

/// Fills the holes of a template in one pass, so that a value is never read as a hole.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        text.push_str(&rest[..open]);
        rest = &rest[open + 1..];
        let hole = rest.split_once('}').and_then(|(name, after)| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| (value, after))
        });
        match hole {
            Some((value, after)) => {
                text.push_str(value);
                rest = after;
            }
            None => text.push('{'),
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job_id() -> JobId {
        JobId::new("0123456789ab-3-1").expect("a job id")
    }

    fn text(script: Result<Vec<u8>, AgentError>) -> String {
        String::from_utf8(script.expect("all values are fine")).expect("ASCII")
    }

    fn all() -> [String; 6] {
        let sha256 = Sha256::of(b"package");
        let product = "{01234567-89AB-CDEF-0123-456789ABCDEF}".to_owned();
        let installer = r"C:\Skyline DataMiner\Tools\ModuleInstallers\DataMiner GQI 3.0.3.msi";
        [
            text(upgrade(&job_id(), 7, &sha256, "a b.dmupgrade", r"C:\Program Files\U\SLTaskbarUtility.exe")),
            text(restore(&job_id(), 7, "0123456789ab-3")),
            text(reinstall(&job_id(), 7, "DataMiner GQI", std::slice::from_ref(&product), installer)),
            text(swap(&job_id(), 7, "DataMiner GQI", Some((&[product], installer)), r"C:\u.exe", true)),
            text(swap(&job_id(), 7, "DataMiner GQI", None, r"C:\u.exe", false)),
            text(checks(&job_id(), 7, &["VerifyClusterPorts.dll", "Verify X.dll"])),
        ]
    }

    #[test]
    fn scripts_have_no_hole_left() {
        for script in all() {
            let script = script.replace("{01234567-89AB-CDEF-0123-456789ABCDEF}", "");
            assert!(!script.contains(['{', '}']), "{script}");
            assert!(script.is_ascii(), "{script}");
            assert!(script.contains("set \"GENERATION=0000000007\"\r\n"), "{script}");
            assert!(script.contains("set \"JOB=%ROOT%\\jobs\\0123456789ab-3-1\"\r\n"), "{script}");
        }
    }

    /// A work that comes to its end without either would run into nothing: the job would never end.
    #[test]
    fn every_label_that_is_gone_to_is_there_once() {
        for script in all() {
            let lines: Vec<&str> = script.lines().collect();
            for line in &lines {
                for verb in ["goto ", "call :"] {
                    let Some((_, target)) = line.split_once(verb) else { continue };
                    let label = format!(":{}", target.split_whitespace().next().expect("a label"));
                    let found = lines.iter().filter(|line| **line == label).count();
                    assert!(line.starts_with("rem ") || found == 1, "{line} in\n{script}");
                }
            }
        }
    }

    #[test]
    fn a_file_name_cannot_smuggle_another_placeholder() {
        let sha256 = Sha256::of(b"package");
        let text = text(upgrade(&job_id(), 7, &sha256, "{utility}.dmupgrade", r"C:\u.exe"));
        assert!(text.contains(r"\{utility}.dmupgrade"), "{text}");
    }

    #[test]
    fn values_that_cmd_would_interpret_go_into_no_script() {
        let sha256 = Sha256::of(b"package");
        assert!(upgrade(&job_id(), 7, &sha256, "a%b.dmupgrade", r"C:\u.exe").is_err());
        assert!(restore(&job_id(), 7, r"..\x").is_err());
        assert!(checks(&job_id(), 7, &["a%b.dll"]).is_err() && checks(&job_id(), 7, &[r"..\a.dll"]).is_err());
        assert!(reinstall(&job_id(), 7, "a&b", &[], r"C:\x.msi").is_err());
        assert!(reinstall(&job_id(), 7, "a", &["{\"}".to_owned()], r"C:\x.msi").is_err());
        assert!(reinstall(&job_id(), 7, "a", &[], "C:\\x\".msi").is_err());
        assert!(swap(&job_id(), 7, "a&b", None, r"C:\u.exe", true).is_err());
        assert!(swap(&job_id(), 7, "a", Some((&[], "C:\\x\".msi")), r"C:\u.exe", true).is_err());
        assert!(swap(&job_id(), 7, "a", None, "C:\\u\".exe", true).is_err());
    }
}
