//! What the name of a package file tells, and what is odd about it (`domain/01` "Package file names").

use dataminer_schema::version::{PackageFile, PackageKind, PackageName, ReleaseChannel, Track};

use super::finding::{FindingCode, Findings};

/// Tools by the beginnings of their documented names. `VerifyClusterPorts` may stand anywhere (RN 33529).
const TOOLS: [&str; 5] = [
    "VerifyGRPCConnection",
    "EnableDotNetRemoting",
    "NATSMigration",
    "NATSMigrationRollback",
    "VerifyElasticStorageType",
];

/// Reads the name and judges it; none if it is not that of a package.
pub(super) fn judge(file: &str, findings: &mut Findings) -> Option<PackageFile> {
    let named = match file.parse::<PackageFile>() {
        Ok(named) => named,
        Err(error) => {
            findings.add(FindingCode::BadFileName, error.to_string());
            return None;
        }
    };
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    if is_copy(stem) {
        findings.add(FindingCode::RenamedCopy, "the name looks like that of a second copy");
    }
    if let Ok(name) = file.parse::<PackageName>() {
        match name.channel {
            ReleaseChannel::Standard => {}
            ReleaseChannel::Candidate => findings.add(FindingCode::Candidate, "a release candidate"),
            ReleaseChannel::Internal => findings.add(FindingCode::Internal, "an internal build"),
        }
    }
    match &named.version {
        Some(version) => {
            if version.track() == Track::Main && version.cu().is_none() {
                findings.add(
                    FindingCode::NoCu,
                    format!("the name tells build {}, and no CU", build(version.build())),
                );
            }
        }
        None => {
            let lower = stem.to_lowercase();
            let speaks = ["full upgrade", "web upgrade"].iter().any(|words| lower.contains(words));
            if speaks || named.kind == PackageKind::Update {
                findings.add(FindingCode::NoRelease, "the name does not tell which release it installs");
            } else if !is_tool(stem) {
                findings.add(FindingCode::FreeName, "the name is that of no known release or tool");
            }
        }
    }
    Some(named)
}

fn build(build: Option<u32>) -> String {
    build.map_or_else(|| "unknown".to_owned(), |build| build.to_string())
}

fn is_tool(stem: &str) -> bool {
    TOOLS.iter().any(|tool| stem.starts_with(tool)) || stem.contains("VerifyClusterPorts")
}

/// `name (1)`, `name - Copy`, `name - Copy (2)`, `Copy of name`.
fn is_copy(stem: &str) -> bool {
    let numbered = stem
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once(" ("))
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
    numbered || stem.ends_with(" - Copy") || stem.starts_with("Copy of ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_told() {
        use FindingCode::*;
        let codes = |file: &str| {
            let mut findings = Findings::default();
            judge(file, &mut findings);
            findings.into_vec().into_iter().map(|finding| finding.code).collect::<Vec<_>>()
        };
        for (file, expected) in [
            ("DataMiner 10.5.0.0(CU9)-16700 Full Upgrade.dmupgrade", vec![]),
            ("DataMiner 10.5.12.0-16690 Web Upgrade.dmupgrade", vec![]),
            ("DataMiner 10.5.0.0-16700 Full Upgrade.dmupgrade", vec![NoCu]),
            ("DataMiner 10.5.5.0(CU0)-15664 Full Upgrade (rc) GER-1 PS-2.dmupgrade", vec![Candidate]),
            ("DataMiner 10.5.5.0(CU0)-15664 Full Upgrade (internal).dmupgrade", vec![Internal]),
            ("DataMiner 10.5.5.0(CU0)-15664 Full Upgrade (1).dmupgrade", vec![RenamedCopy]),
            ("DataMiner 10.5.5.0(CU0)-15664 Full Upgrade - Copy.dmupgrade", vec![RenamedCopy]),
            ("DataMiner 10.5.5 Full Upgrade.dmupgrade", vec![NoRelease]),
            ("something.dmupdate", vec![NoRelease]),
            ("download.dmupgrade", vec![FreeName]),
            ("NATSMigration - Prerequisite only.dmupgrade", vec![]),
            ("RN33529 VerifyClusterPorts v2.dmupgrade", vec![]),
            ("DataMiner 10.5.5.0(CU0)-15664 Full Upgrade.DMUPGRADE", vec![BadFileName]),
            ("a.zip", vec![BadFileName]),
            ("a/b.dmupgrade", vec![BadFileName]),
        ] {
            assert_eq!(codes(file), expected, "{file}");
        }
    }
}
