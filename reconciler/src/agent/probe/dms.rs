//! `DMS.xml`: which Agents the DataMiner System has (`domain/04 section 1`), and `DataMiner.xml`: which of them this
//! one is.

use dataminer_schema::v1::observation::{FailoverRole, TopologyEntry};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::text::decode;

/// DataMiner Systems have up to some hundred Agents; more is not a DMS.xml.
const MAX_AGENTS: usize = 2000;
const MAX_DEPTH: usize = 64;

/// DMS.xml as it stands: an Agent's own entry may carry no id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dms {
    name: Option<String>,
    agents: Vec<Entry>,
    /// Addresses that `<Failover primary backup>` elements name.
    primaries: Vec<String>,
    backups: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    address: String,
    id: Option<u32>,
    inside_failover: bool,
}

impl Dms {
    /// Reads every `<DMA ip id/>`. The error says why the file tells nothing.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut dms = Self::default();
        walk("DMS.xml", bytes, |element, path| dms.read(element, path))?;
        if dms.agents.is_empty() {
            return Err("DMS.xml names no Agent (`<DMA ip=… id=…/>`)".to_owned());
        }
        Ok(dms)
    }

    /// What the DMS calls itself: whatever its operators once typed.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The addresses of all Agents, in the order of the file.
    pub fn addresses(&self) -> Vec<String> {
        self.agents.iter().map(|entry| entry.address.clone()).collect()
    }

    /// The Agents with their ids; `own_id` is that of the entry without one. Two with the same id are a Failover
    /// pair: roles by `<Failover>` where it tells, else Main comes first.
    pub fn topology(self, own_id: Result<u32, String>) -> Result<Vec<TopologyEntry>, String> {
        let Self { name: _, agents, primaries, backups } = self;
        let without = agents.iter().filter(|entry| entry.id.is_none()).count();
        if without > 1 {
            return Err(format!("DMS.xml has {without} Agents without an id"));
        }
        let own_id = if without == 0 { 0 } else { own_id? };
        let ids: Vec<u32> = agents.iter().map(|entry| entry.id.unwrap_or(own_id)).collect();
        let mut seen: Vec<u32> = Vec::new();
        Ok(agents
            .into_iter()
            .map(|Entry { address, id, inside_failover }| {
                let id = id.unwrap_or(own_id);
                let again = seen.contains(&id);
                seen.push(id);
                let paired = ids.iter().filter(|other| **other == id).count() > 1;
                let failover = if primaries.contains(&address) {
                    Some(FailoverRole::Main)
                } else if backups.contains(&address) || inside_failover {
                    Some(FailoverRole::Backup)
                } else if paired {
                    Some(if again { FailoverRole::Backup } else { FailoverRole::Main })
                } else {
                    None
                };
                TopologyEntry { id, address, failover }
            })
            .collect())
    }

    fn read(&mut self, element: &BytesStart<'_>, path: &[Vec<u8>]) -> Result<(), String> {
        match element.local_name().as_ref() {
            b"DMA" => self.read_agent(element, path),
            b"Cluster" => {
                let named = attributes("DMS.xml", element)?.into_iter().find(|(name, _)| name == "name");
                let named = named.map(|(_, name)| name).filter(|name| !name.is_empty());
                self.name = self.name.take().or(named);
                Ok(())
            }
            b"Failover" => {
                for (name, value) in attributes("DMS.xml", element)? {
                    let into = match name.as_str() {
                        "primary" => &mut self.primaries,
                        "backup" => &mut self.backups,
                        _ => continue,
                    };
                    into.push(value);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn read_agent(&mut self, element: &BytesStart<'_>, path: &[Vec<u8>]) -> Result<(), String> {
        let attributes = attributes("DMS.xml", element)?;
        let value = |wanted: &str| {
            attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        let address = value("ip").unwrap_or_default();
        let id = match value("id").filter(|id| !id.is_empty()) {
            None => None,
            Some(id) => {
                Some(id.parse().map_err(|_| format!("DMS.xml gives Agent {address:?} the id {id:?}"))?)
            }
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_');
        if address.is_empty() || address.len() > 253 || !address.chars().all(plain) {
            return Err(format!("DMS.xml has an Agent with the impossible address {address:?}"));
        }
        if self.agents.len() >= MAX_AGENTS {
            return Err(format!("DMS.xml names more than {MAX_AGENTS} Agents"));
        }
        if !self.agents.iter().any(|known| known.address == address) {
            let inside_failover = path.iter().any(|name| name == b"Failover");
            self.agents.push(Entry { address: address.to_owned(), id, inside_failover });
        }
        Ok(())
    }
}

/// The Agent's own DataMiner ID out of DataMiner.xml (`<DataMiner id=…>`).
pub fn own_id(bytes: &[u8]) -> Result<u32, String> {
    let mut found = None;
    walk("DataMiner.xml", bytes, |element, path| {
        if path.is_empty() && element.local_name().as_ref() == b"DataMiner" {
            found = attributes("DataMiner.xml", element)?
                .into_iter()
                .find(|(name, _)| name == "id")
                .and_then(|(_, value)| value.parse().ok());
        }
        Ok(())
    })?;
    found.ok_or_else(|| "DataMiner.xml does not tell the Agent's id".to_owned())
}

/// Shows every element, with the names of those around it, of a file that must be whole.
fn walk(
    file: &str,
    bytes: &[u8],
    mut show: impl FnMut(&BytesStart<'_>, &[Vec<u8>]) -> Result<(), String>,
) -> Result<(), String> {
    let text = decode(bytes);
    let mut reader = Reader::from_str(&text);
    let mut path: Vec<Vec<u8>> = Vec::new();
    loop {
        let position = reader.buffer_position();
        match reader.read_event().map_err(|error| format!("{file} is not XML (byte {position}: {error})"))? {
            Event::Start(element) => {
                show(&element, &path)?;
                path.push(element.local_name().as_ref().to_vec());
                if path.len() > MAX_DEPTH {
                    return Err(format!("{file} is nested deeper than {MAX_DEPTH} elements"));
                }
            }
            Event::Empty(element) => show(&element, &path)?,
            Event::End(_) => drop(path.pop()),
            Event::Eof if path.is_empty() => return Ok(()),
            Event::Eof => return Err(format!("{file} ends in the middle")),
            _ => {}
        }
    }
}

fn attributes(file: &str, element: &BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    element
        .attributes()
        .map(|attribute| {
            let attribute = attribute.map_err(|error| format!("{file} has a broken attribute ({error})"))?;
            let value =
                attribute.unescape_value().map_err(|error| format!("{file} has a broken value ({error})"))?;
            let name = String::from_utf8_lossy(attribute.key.local_name().as_ref()).into_owned();
            Ok((name, value.trim().to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u32, address: &str, failover: Option<FailoverRole>) -> TopologyEntry {
        TopologyEntry { id, address: address.to_owned(), failover }
    }

    fn parse(text: &str) -> Result<Vec<TopologyEntry>, String> {
        Dms::parse(text.as_bytes())?.topology(Err("no DataMiner.xml".to_owned()))
    }

    #[test]
    fn agents_and_pairs_are_read() {
        let text = "\u{FEFF}<?xml version=\"1.0\"?>\r\n<DMS xmlns=\"http://www.skyline.be/config/dms\">\r\n<Cluster name=\"A &amp; B\"/>\
                    <DMA ip=\"10.0.0.11\" id=\"101\" contacted_once=\"TRUE\" lostContact=\"\"/>\
                    <DMA ip=\"10.0.0.12\" id=\"101\"></DMA><DMA id=\"102\" ip=\" dma-2.example \"/><Redirects/></DMS>";
        assert_eq!(Dms::parse(text.as_bytes()).expect("a DMS.xml").name(), Some("A & B"));
        assert_eq!(
            parse(text).expect("a DMS.xml"),
            [
                entry(101, "10.0.0.11", Some(FailoverRole::Main)),
                entry(101, "10.0.0.12", Some(FailoverRole::Backup)),
                entry(102, "dma-2.example", None),
            ]
        );
    }

    #[test]
    fn the_agents_own_entry_takes_its_id_from_dataminer_xml() {
        let text = b"<DMS><DMA ip='10.0.0.11' timestamp=''/><DMA ip='10.0.0.12' id='102'/></DMS>";
        let id = own_id(b"<DataMiner id=\"101\" name=\"A\"></DataMiner>");
        let dms = Dms::parse(text).expect("a DMS.xml");
        assert_eq!(dms.addresses(), ["10.0.0.11", "10.0.0.12"]);
        let topology = dms.clone().topology(id).expect("both ids are known");
        assert_eq!(topology, [entry(101, "10.0.0.11", None), entry(102, "10.0.0.12", None)]);
        assert!(dms.topology(own_id(b"<Other id='5'/>")).is_err());
        let two = b"<DMS><DMA ip='10.0.0.11'/><DMA ip='10.0.0.12'/></DMS>";
        assert!(Dms::parse(two).expect("a DMS.xml").topology(Ok(101)).is_err());
    }

    #[test]
    fn failover_elements_tell_the_roles() {
        let text = "<DMS><DMA ip='10.0.0.12' id='101'/><DMA ip='10.0.0.11' id='101'/>\
                    <Failover id='101' primary='10.0.0.11' backup='10.0.0.12' mode='manual'/></DMS>";
        let roles: Vec<_> = parse(text).expect("a DMS.xml").into_iter().map(|entry| entry.failover).collect();
        assert_eq!(roles, [Some(FailoverRole::Backup), Some(FailoverRole::Main)]);
        let text =
            "<DMS><Failover><DMA ip='10.0.0.12' id='101'/></Failover><DMA ip='10.0.0.11' id='102'/></DMS>";
        let roles: Vec<_> = parse(text).expect("a DMS.xml").into_iter().map(|entry| entry.failover).collect();
        assert_eq!(roles, [Some(FailoverRole::Backup), None]);
    }

    #[test]
    fn utf16_reads_too() {
        let text = "<DMS><DMA ip='10.0.0.11' id='1'/></DMS>";
        let bytes: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(Dms::parse(&bytes).expect("a DMS.xml").addresses(), ["10.0.0.11"]);
    }

    #[test]
    fn nonsense_says_what_is_wrong() {
        let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
        for text in [
            "",
            "garbage",
            "<DMS>",
            "<DMS/>",
            "<DMS><DMA id='1' ip=''/></DMS>",
            "<DMS><DMA id='x' ip='1.2.3.4'/></DMS>",
            "<DMS><DMA id='1' ip='<x>'/></DMS>",
            "<DMS><DMA id='1' ip='a b'/></DMS>",
            "<DMS><DMA id=1 ip=2/></DMS>",
            "<DMS><DMA id='99999999999' ip='1.2.3.4'/></DMS>",
            "<DMS><DMA id='1' ip='1.2.3.4'/></DMX>",
            "<DMS><DMA id='1' ip='&x;'/></DMS>",
            &deep,
        ] {
            let error = Dms::parse(text.as_bytes()).expect_err(text);
            assert!(error.starts_with("DMS.xml"), "{error}");
        }
        for text in
            ["", "garbage", "<DataMiner", "<DataMiner/>", "<DataMiner id='x'/>", "<X><DataMiner id='1'/></X>"]
        {
            assert!(own_id(text.as_bytes()).is_err(), "{text}");
        }
    }
}
