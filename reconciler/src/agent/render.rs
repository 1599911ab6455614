//! What we write into files that Windows or DataMiner reads: values are checked, never quoted.

use dataminer_schema::{
    id::{JobId, Sha256},
    plan::PackagePatch,
    v1::cluster::{FailoverPolicy, RunAs, UpgradeOptions},
};

use super::{
    error::{AgentError, Reason},
    layout::ROOT,
};

/// Refuses everything that `cmd.exe`, NTFS or XML could read as anything but itself.
pub fn checked_value<'a>(what: &str, value: &'a str) -> Result<&'a str, AgentError> {
    let refused = |why: &str| {
        Err(AgentError::new(
            Reason::ValueRefused,
            format!("{what} `{}` {why}", value.escape_debug()),
            "rename it; letters, digits, blanks, dots, hyphens, underscores and round brackets are safe",
        ))
    };
    if value.is_empty() {
        return refused("is empty");
    }
    if value.len() > 240 {
        return refused("is longer than 240 characters");
    }
    if let Some(c) =
        value.chars().find(|c| matches!(c, '"' | '%' | '!' | '^' | '&' | '|' | '<' | '>') || c.is_control())
    {
        return refused(&format!("holds {c:?}, which cmd.exe does not take as itself"));
    }
    if value.ends_with(['.', ' ']) || value.starts_with(' ') {
        return refused("begins or ends with a blank, or ends with a dot, which Windows drops");
    }
    Ok(value)
}

/// A checked file name: also no separators, drives, streams or reserved names, and ASCII only since batch files
/// are read in the server's own code page.
pub fn checked_file_name<'a>(what: &str, value: &'a str) -> Result<&'a str, AgentError> {
    checked_value(what, value)?;
    let stem = value.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || (stem.len() == 4
            && (stem.starts_with("COM") || stem.starts_with("LPT"))
            && !stem.ends_with(char::is_alphabetic));
    if value.contains(['/', '\\', ':', '*', '?']) || device || !value.is_ascii() {
        return Err(AgentError::new(
            Reason::ValueRefused,
            format!("{what} `{}` is not a plain file name", value.escape_debug()),
            "rename the file; ASCII letters, digits, blanks, dots, hyphens, underscores and round brackets are safe",
        ));
    }
    Ok(value)
}

/// The scheduled task of a job, UTF-16LE as `schtasks /create /xml` wants it: no trigger, no time limit, normal
/// priority, not held back by batteries, never two at once.
pub fn task_xml(job: &JobId, run_as: &RunAs, user: &str) -> Result<Vec<u8>, AgentError> {
    let principal = match run_as {
        RunAs::System => "<UserId>S-1-5-18</UserId>".to_owned(),
        // S4U: runs without the user being logged on and without a stored password.
        RunAs::SshUser => {
            format!(
                "<UserId>{}</UserId>\n      <LogonType>S4U</LogonType>",
                xml(checked_value("the account", user)?)
            )
        }
        RunAs::Named { user, .. } => {
            return Err(AgentError::new(
                Reason::ValueRefused,
                format!("this release runs no jobs as `{user}`"),
                "set `upgrade.runAs: { account: SshUser }` or `{ account: System }`",
            ));
        }
    };
    let text = format!(
        r#"<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>dataminer-reconciler job {job}</Description>
  </RegistrationInfo>
  <Triggers />
  <Principals>
    <Principal id="Author">
      {principal}
      <RunLevel>HighestAvailable</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>false</AllowHardTerminate>
    <StartWhenAvailable>false</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>6</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>C:\Windows\System32\cmd.exe</Command>
      <Arguments>/d /c {ROOT}\jobs\{job}\run.cmd</Arguments>
      <WorkingDirectory>{ROOT}\jobs\{job}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"#
    );
    let mut bytes = vec![0xFF, 0xFE];
    bytes.extend(text.replace('\n', "\r\n").encode_utf16().flat_map(u16::to_le_bytes));
    Ok(bytes)
}

/// UpgradeInfo.xml in the documented order of elements (`domain/05 section 1`).
pub fn upgrade_info(
    addresses: &[String],
    whole_cluster: bool,
    options: &UpgradeOptions,
    policy: FailoverPolicy,
) -> Result<Vec<u8>, AgentError> {
    if addresses.is_empty() {
        return Err(AgentError::new(
            Reason::TopologyMismatch,
            "no DataMiner address is known for the Agents of the job",
            "make DMS.xml readable on an Agent, then observe again",
        ));
    }
    let mut agents = String::new();
    for address in addresses {
        let address = checked_value("an Agent's address in DMS.xml", address)?;
        agents.push_str("    <IP>");
        agents.push_str(&xml(address));
        agents.push_str("</IP>\r\n");
    }
    let policy = match policy {
        FailoverPolicy::UseDefault => "UseDefault",
        FailoverPolicy::Simultaneously => "Simultaneously",
        FailoverPolicy::BackupFirst => "BackupFirst",
        FailoverPolicy::BackupFirstWithSwitchback => "BackupFirstWithSwitchback",
    };
    let UpgradeOptions {
        extract_all_files,
        delayed_start,
        automatic_start_services,
        stop_snmp,
        reboot_after_upgrade,
    } = options;
    Ok(format!(
        "<UpgradeInfo>\r\n  <Agents>\r\n{agents}  </Agents>\r\n  <IsCluster>{whole_cluster}</IsCluster>\r\n  \
         <ExtractAllFiles>{extract_all_files}</ExtractAllFiles>\r\n  <DelayedStart>{delayed_start}</DelayedStart>\r\n  \
         <AutomaticStartServices>{automatic_start_services}</AutomaticStartServices>\r\n  \
         <StopSNMP>{stop_snmp}</StopSNMP>\r\n  <RebootAfterUpgrade>{reboot_after_upgrade}</RebootAfterUpgrade>\r\n  \
         <FailoverPolicy>{policy}</FailoverPolicy>\r\n</UpgradeInfo>\r\n"
    )
    .into_bytes())
}

/// What we remember of a job on the Agent that runs it (`job.json`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobRecord {
    pub id: JobId,
    pub installation: String,
    pub cluster: String,
    pub generation: u64,
    pub action: dataminer_schema::plan::Action,
    /// The package's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The package's hash, or the restored backup's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// What the copy lacks that the job works with, and the copy's own hash (G2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<PackagePatch>,
    /// The version that the package brings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The module that is installed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The Agents that the job changes.
    pub agents: Vec<dataminer_schema::id::AgentName>,
}

impl JobRecord {
    /// Whether the job works with this package.
    pub fn is_of(&self, package: &str) -> bool {
        self.file.as_deref() == Some(package)
    }
}

fn xml(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job_id() -> JobId {
        JobId::new("0123456789ab-3-1").expect("a job id")
    }

    #[test]
    fn values_that_cmd_would_interpret_are_refused() {
        for value in [
            "a\"b", "%PATH%", "a!b", "a^b", "a&calc", "a|b", "a<b", "a>b", "a\nb", "a\0b", "a.", "a ", " a",
            "",
        ] {
            assert!(checked_value("a value", value).is_err(), "{value:?}");
        }
        assert!(checked_value("a value", r"C:\Program Files (x86)\Skyline\x.exe").is_ok());
    }

    #[test]
    fn file_names_are_plain() {
        for value in
            [r"..\x", "a/b", "C:x", "a:b", "NUL", "nul.dmupgrade", "com1.x", "LPT9", "a*", "é.dmupgrade"]
        {
            assert!(checked_file_name("a name", value).is_err(), "{value:?}");
        }
        for value in [
            "DataMiner 10.5.5.0(CU0)-15664 Full Upgrade (internal).dmupgrade",
            "COMMON.dmupgrade",
            "computer",
        ] {
            assert!(checked_file_name("a name", value).is_ok(), "{value:?}");
        }
    }

    /// Web levels are proven by records that an older reconciler may have written.
    #[test]
    fn records_of_older_reconcilers_still_read() {
        let text = r#"{ "id": "p-1-1", "installation": "prod", "cluster": "c", "generation": 3,
            "action": "UpgradeWeb", "file": "w.dmupgrade", "to": "10.5.12", "agents": ["a"],
            "sha256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" }"#;
        let record: JobRecord = serde_json::from_str(text).expect("it reads");
        assert!(record.is_of("w.dmupgrade") && !record.is_of("x.dmupgrade"));
        assert_eq!(record.to.as_deref(), Some("10.5.12"));
        let short = r#"{ "id": "p-1-1", "installation": "prod", "cluster": "c", "generation": 3,
            "action": "ReinstallModule", "module": "DataMiner GQI", "agents": ["a"] }"#;
        let record: JobRecord = serde_json::from_str(short).expect("it reads");
        assert_eq!(serde_json::to_value(&record).expect("it writes").get("file"), None);
    }

    #[test]
    fn the_task_is_utf16_with_the_account() {
        let bytes = task_xml(&job_id(), &RunAs::SshUser, r"DOM\svc-gitöps").expect("a fine account");
        assert_eq!(&bytes[..2], [0xFF, 0xFE]);
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
        let text = String::from_utf16(&units).expect("UTF-16");
        assert!(text.contains(r"<UserId>DOM\svc-gitöps</UserId>"), "{text}");
        assert!(text.contains("<LogonType>S4U</LogonType>"), "{text}");
        assert!(text.contains("<ExecutionTimeLimit>PT0S</ExecutionTimeLimit>"), "{text}");
        let system = task_xml(&job_id(), &RunAs::System, "").expect("no account needed");
        let sid: Vec<u8> = "<UserId>S-1-5-18</UserId>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(system.windows(sid.len()).any(|window| window == sid), "SYSTEM is named by its SID");
    }

    #[test]
    fn upgrade_info_has_the_documented_order() {
        let addresses = ["10.0.0.11".to_owned(), "10.0.0.12".to_owned()];
        let bytes =
            upgrade_info(&addresses, true, &UpgradeOptions::default(), FailoverPolicy::Simultaneously)
                .expect("fine addresses");
        let text = String::from_utf8(bytes).expect("UTF-8");
        let order = [
            "<UpgradeInfo>",
            "<Agents>",
            "<IP>10.0.0.11</IP>",
            "<IP>10.0.0.12</IP>",
            "<IsCluster>true<",
            "<ExtractAllFiles>true<",
            "<DelayedStart>true<",
            "<AutomaticStartServices>true<",
            "<StopSNMP>false<",
            "<RebootAfterUpgrade>false<",
            "<FailoverPolicy>Simultaneously<",
            "</UpgradeInfo>",
        ];
        let mut at = 0;
        for part in order {
            at += text[at..].find(part).unwrap_or_else(|| panic!("{part} follows in {text}"));
        }
        assert!(upgrade_info(&[], true, &UpgradeOptions::default(), FailoverPolicy::UseDefault).is_err());
        assert!(
            upgrade_info(&["<x/>".to_owned()], true, &UpgradeOptions::default(), FailoverPolicy::UseDefault)
                .is_err()
        );
    }
}
