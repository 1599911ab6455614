//! `MaintenanceSettings.xml`: only what rules need.

use quick_xml::{Reader, events::Event};

use super::{text::decode, windows::Service};

const MAX_DEPTH: usize = 64;

/// What the file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Maintenance {
    /// `<BrokerGateway>`; absent where the element is.
    pub broker_gateway: Option<bool>,
    /// Whether `<DefaultUpgradeOptions>` is there (`domain/04 section 7`).
    pub default_upgrade_options: bool,
}

/// Reads the file; the error says why it tells nothing.
pub fn parse(bytes: &[u8]) -> Result<Maintenance, String> {
    let text = decode(bytes);
    let mut reader = Reader::from_str(&text);
    let mut found = Maintenance::default();
    let mut depth = 0_usize;
    let mut elements = 0_usize;
    let mut in_broker_gateway = false;
    loop {
        let position = reader.buffer_position();
        let event = reader
            .read_event()
            .map_err(|error| format!("MaintenanceSettings.xml is not XML (byte {position}: {error})"))?;
        match event {
            Event::Start(element) => {
                depth += 1;
                elements += 1;
                if depth > MAX_DEPTH {
                    return Err(format!(
                        "MaintenanceSettings.xml is nested deeper than {MAX_DEPTH} elements"
                    ));
                }
                in_broker_gateway = element.local_name().as_ref() == b"BrokerGateway";
                found.default_upgrade_options |= element.local_name().as_ref() == b"DefaultUpgradeOptions";
            }
            Event::Empty(element) => {
                elements += 1;
                found.default_upgrade_options |= element.local_name().as_ref() == b"DefaultUpgradeOptions";
            }
            Event::Text(text) if in_broker_gateway => {
                let text = text
                    .decode()
                    .map_err(|error| format!("MaintenanceSettings.xml is not text ({error})"))?;
                found.broker_gateway = match text.trim().to_ascii_lowercase().as_str() {
                    "true" | "1" => Some(true),
                    "false" | "0" => Some(false),
                    "" => found.broker_gateway,
                    other => {
                        return Err(format!("MaintenanceSettings.xml has the BrokerGateway value {other:?}"));
                    }
                };
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                in_broker_gateway = false;
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if depth > 0 || elements == 0 {
        return Err("MaintenanceSettings.xml is not whole".to_owned());
    }
    Ok(found)
}

/// Whether the system runs on BrokerGateway. The element is obsolete from 10.6.0/10.6.1 on, so the service decides
/// where it is absent; where the two contradict each other nothing is known (`domain/04 section 5`).
pub fn broker_gateway(setting: Option<bool>, nats_server: Option<Service>) -> Result<bool, String> {
    match (setting, nats_server) {
        (Some(true), Some(Service::Absent)) => {
            Err("MaintenanceSettings.xml says BrokerGateway, but there is no service nats-server".to_owned())
        }
        (Some(false), Some(Service::Running)) => {
            Err("MaintenanceSettings.xml denies BrokerGateway, but the service nats-server runs".to_owned())
        }
        (Some(setting), _) => Ok(setting),
        (None, Some(service)) => Ok(service != Service::Absent),
        (None, None) => Err("neither MaintenanceSettings.xml nor the service nats-server tells".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_wherever_they_stand() {
        let text = "<?xml version=\"1.0\"?><MaintenanceSettings xmlns=\"x\">\r\n<BrokerGateway> True </BrokerGateway>\
                    <SLNet><DefaultUpgradeOptions a=\"1\"/></SLNet></MaintenanceSettings>";
        let found = parse(text.as_bytes()).expect("settings");
        assert_eq!(found, Maintenance { broker_gateway: Some(true), default_upgrade_options: true });
        let found = parse(b"<MaintenanceSettings/>").expect("settings");
        assert_eq!(found, Maintenance::default());
        let found = parse(b"<M><!-- <BrokerGateway>true</BrokerGateway> --></M>").expect("settings");
        assert_eq!(found.broker_gateway, None, "a comment is no setting");
    }

    #[test]
    fn nonsense_says_what_is_wrong() {
        for text in ["", "x", "<M>", "<M><BrokerGateway>maybe</BrokerGateway></M>", "<M></N>"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn setting_and_service_must_agree() {
        assert_eq!(broker_gateway(Some(true), Some(Service::Running)), Ok(true));
        assert_eq!(broker_gateway(Some(true), None), Ok(true));
        assert_eq!(broker_gateway(None, Some(Service::Running)), Ok(true));
        assert_eq!(broker_gateway(None, Some(Service::Absent)), Ok(false));
        assert_eq!(broker_gateway(Some(false), Some(Service::Absent)), Ok(false));
        assert!(broker_gateway(Some(true), Some(Service::Absent)).is_err());
        assert!(broker_gateway(Some(false), Some(Service::Running)).is_err());
        assert!(broker_gateway(None, None).is_err());
    }
}
