//! Tool packages of the product, by their documented names (`domain/01`, package file names).

/// A package that checks or migrates and installs no release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// Whether the Agents reach each other's ports; its result lives 10 days (`domain/02 H7`).
    VerifyClusterPorts,
    /// Whether the Agents reach each other over gRPC; takes about a minute (`domain/prerequisites.yaml`).
    VerifyGrpcConnection,
    /// Whether the BrokerGateway migration would succeed; changes nothing (`domain/02 section 2`).
    MigrationCheck,
    /// The BrokerGateway migration (`domain/02 section 2`).
    Migration,
}

impl Tool {
    /// The tool that a package of this name is; `None` for any other, also for the way back from BrokerGateway.
    ///
    /// Letters and blanks count as Windows and browsers leave them. `VerifyClusterPorts` may stand anywhere in the name
    /// (RN 33529).
    pub fn named(file: &str) -> Option<Self> {
        let stem = file.strip_suffix(".dmupgrade")?.to_lowercase();
        let words: Vec<&str> =
            stem.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            ["verifygrpcconnection"] => Some(Self::VerifyGrpcConnection),
            ["natsmigration"] => Some(Self::Migration),
            ["natsmigration", "prerequisite", "only"] => Some(Self::MigrationCheck),
            _ => stem.contains("verifyclusterports").then_some(Self::VerifyClusterPorts),
        }
    }

    /// The documented name, without extension.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyClusterPorts => "VerifyClusterPorts",
            Self::VerifyGrpcConnection => "VerifyGRPCConnection",
            Self::MigrationCheck => "NATSMigration - Prerequisite only",
            Self::Migration => "NATSMigration",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_go_by_their_documented_names() {
        let named = |file: &str| Tool::named(file);
        for tool in
            [Tool::VerifyClusterPorts, Tool::VerifyGrpcConnection, Tool::MigrationCheck, Tool::Migration]
        {
            assert_eq!(named(&format!("{}.dmupgrade", tool.as_str())), Some(tool));
        }
        assert_eq!(named("My VerifyClusterPorts (2).dmupgrade"), Some(Tool::VerifyClusterPorts));
        assert_eq!(named("natsmigration_-_Prerequisite_Only.dmupgrade"), Some(Tool::MigrationCheck));
        assert_eq!(named("NATSMigrationRollback.dmupgrade"), None);
        assert_eq!(named("NATSMigration 2.dmupgrade"), None);
        assert_eq!(named("NATSMigration.dmupdate"), None);
        assert_eq!(named("VerifyGRPCConnection 2.dmupgrade"), None);
    }
}
