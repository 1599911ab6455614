//! UpgradeInfo.xml, read strictly: the documented elements and no others (`domain/05 section 1`).

use quick_xml::{Reader, events::Event};

use crate::spec::FailoverPolicy;

/// The options of one upgrade.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UpgradeInfo {
    pub(crate) agents: Vec<String>,
    pub(crate) is_cluster: bool,
    pub(crate) start_afterwards: bool,
    pub(crate) reboot_afterwards: bool,
    /// `None` is `UseDefault`.
    pub(crate) policy: Option<FailoverPolicy>,
}

impl UpgradeInfo {
    /// What counts without a file: the local Agent and default options.
    pub(crate) fn local() -> Self {
        Self { agents: vec!["localhost".to_owned()], start_afterwards: true, ..Self::default() }
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        let mut info = Self { start_afterwards: true, ..Self::default() };
        let mut path: Vec<String> = Vec::new();
        let mut value = String::new();
        let mut whole = false;
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(tag) => {
                    let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
                    let known = match path.len() {
                        0 => name == "UpgradeInfo",
                        1 => ELEMENTS.contains(&name.as_str()),
                        2 => path[1] == "Agents" && name == "IP",
                        _ => false,
                    };
                    if !known {
                        return Err(format!("unknown element {name}"));
                    }
                    path.push(name);
                    value.clear();
                }
                Event::Empty(tag) => {
                    return Err(format!("empty element {}", String::from_utf8_lossy(tag.name().as_ref())));
                }
                Event::Text(text) => value.push_str(&text.decode().map_err(|error| error.to_string())?),
                Event::End(_) => {
                    let name = path.pop().unwrap_or_default();
                    whole |= name == "UpgradeInfo";
                    if name != "Agents" && name != "UpgradeInfo" {
                        info.take(&name, value.trim())?;
                    }
                    value.clear();
                }
                Event::Eof => break,
                Event::Decl(_) | Event::Comment(_) => {}
                _ => return Err("something that does not belong there".to_owned()),
            }
        }
        if !whole || !path.is_empty() {
            return Err("the document is not whole".to_owned());
        }
        if info.agents.is_empty() {
            return Err("no Agent is listed".to_owned());
        }
        Ok(info)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        let flag = || match value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("{name} is `{value}`, not true or false")),
        };
        match name {
            "IP" if value.is_empty() => return Err("an IP is empty".to_owned()),
            "IP" => self.agents.push(value.to_owned()),
            "IsCluster" => self.is_cluster = flag()?,
            "AutomaticStartServices" => self.start_afterwards = flag()?,
            "RebootAfterUpgrade" => self.reboot_afterwards = flag()?,
            "FailoverPolicy" => {
                self.policy = match value {
                    "UseDefault" => None,
                    "Simultaneously" => Some(FailoverPolicy::Simultaneously),
                    "BackupFirst" => Some(FailoverPolicy::BackupFirst),
                    "BackupFirstWithSwitchback" => Some(FailoverPolicy::BackupFirstWithSwitchback),
                    _ => return Err(format!("FailoverPolicy is `{value}`")),
                }
            }
            // They change nothing that the simulation shows.
            _ => drop(flag()?),
        }
        Ok(())
    }
}

const ELEMENTS: [&str; 8] = [
    "Agents",
    "IsCluster",
    "ExtractAllFiles",
    "DelayedStart",
    "AutomaticStartServices",
    "StopSNMP",
    "RebootAfterUpgrade",
    "FailoverPolicy",
];

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "<UpgradeInfo>
  <Agents><IP>localhost</IP><IP>10.0.0.2</IP></Agents>
  <IsCluster>true</IsCluster>
  <ExtractAllFiles>true</ExtractAllFiles>
  <DelayedStart>true</DelayedStart>
  <AutomaticStartServices>true</AutomaticStartServices>
  <StopSNMP>false</StopSNMP>
  <RebootAfterUpgrade>false</RebootAfterUpgrade>
  <FailoverPolicy>BackupFirst</FailoverPolicy>
</UpgradeInfo>";

    #[test]
    fn the_documented_sample_reads() {
        let info = UpgradeInfo::read(SAMPLE.as_bytes()).unwrap();
        assert_eq!(info.agents, ["localhost", "10.0.0.2"]);
        assert!(info.is_cluster && info.start_afterwards && !info.reboot_afterwards);
        assert_eq!(info.policy, Some(FailoverPolicy::BackupFirst));
    }

    #[test]
    fn anything_else_is_refused() {
        for (from, to) in [
            ("IsCluster>", "Cluster>"),
            ("<IP>localhost</IP>", "<IP></IP>"),
            (">true<", ">yes<"),
            ("BackupFirst<", "Rolling<"),
            ("</UpgradeInfo>", ""),
            ("<IP>localhost</IP><IP>10.0.0.2</IP>", ""),
        ] {
            assert!(UpgradeInfo::read(SAMPLE.replace(from, to).as_bytes()).is_err(), "{from} -> {to}");
        }
    }
}
