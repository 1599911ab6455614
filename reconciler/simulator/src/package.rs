//! Look-alike `.dmupgrade` files.
//!
//! A zip with Description.txt, SLUpgrade.dll and Update.zip, which in turn holds instructions, prerequisites and a
//! few sentinel files (`domain/05 section 7`, `domain/09 section 4`). Written from the description of the format;
//! nothing of a real package is in them, and the same spec gives the same bytes.

use std::{
    fs::File,
    io::{self, BufWriter, Cursor, Read, Seek, Write},
};

use camino::{Utf8Path, Utf8PathBuf};
use dataminer_schema::version::Version;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    error::SimulatorError,
    order::reached,
    product::{Content, Hotfix, Tool, check_file, layout},
    random,
};

/// What a package installs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Full,
    Web,
}

/// What to put into a package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackageSpec {
    /// With its build; the file name cannot do without.
    pub version: Version,
    pub kind: Kind,
    /// Bytes of ballast that do not compress.
    #[serde(default)]
    pub padding: u64,
    /// The checks that it carries, as `VerifyClusterPorts.dll`; those of the version if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prerequisites: Option<Vec<String>>,
}

/// A written package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    pub path: Utf8PathBuf,
    /// The file name, which carries version and kind.
    pub file: String,
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// A padding above this is a mistake, not a package: the product's default limit is 4000 MB.
const MAX_PADDING: u64 = 4000 << 20;

impl PackageSpec {
    /// A full package.
    pub fn full(version: Version) -> Self {
        Self { version, kind: Kind::Full, padding: 0, prerequisites: None }
    }

    /// A web package.
    pub fn web(version: Version) -> Self {
        Self { kind: Kind::Web, ..Self::full(version) }
    }

    /// The same with so many bytes of ballast.
    #[must_use]
    pub fn with_padding(mut self, bytes: u64) -> Self {
        self.padding = bytes;
        self
    }

    /// The same with these checks and no others.
    #[must_use]
    pub fn with_prerequisites(mut self, names: &[&str]) -> Self {
        self.prerequisites = Some(names.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// The file name as the vendor forms it: `DataMiner 10.5.0.0(CU9)-16700 Full Upgrade.dmupgrade`.
    pub fn file_name(&self) -> String {
        let Self { version, kind, .. } = self;
        let cu = version.cu().map(|cu| format!("(CU{cu})")).unwrap_or_default();
        let kind = match kind {
            Kind::Full => "Full",
            Kind::Web => "Web",
        };
        format!(
            "DataMiner {}.{}.{}.{}{cu}-{} {kind} Upgrade.dmupgrade",
            version.major(),
            version.minor(),
            version.feature(),
            version.week(),
            version.build().unwrap_or_default()
        )
    }

    fn checks(&self) -> Vec<String> {
        self.prerequisites.clone().unwrap_or_else(|| match self.kind {
            Kind::Full => prerequisites_of(&self.version),
            Kind::Web => Vec::new(),
        })
    }
}

/// The checks that the full package of a version carries (`domain/prerequisites.yaml`), those that the simulation
/// can fail by itself.
fn prerequisites_of(version: &Version) -> Vec<String> {
    type Threshold = ((u16, u16, u16), (u16, u16, u16));
    let from: [(&str, Threshold); 6] = [
        ("VerifyClusterPorts.dll", ((10, 2, 2), (10, 2, 5))),
        ("VerifyCloudDxMVersion.dll", ((10, 2, 6), (10, 2, 8))),
        ("VerifyDotNetVersion.dll", ((10, 3, 12), (10, 4, 3))),
        ("VerifyOSVersion.dll", ((10, 6, 0), (10, 5, 12))),
        ("VerifyGRPCConnection.dll", ((10, 6, 0), (10, 5, 10))),
        ("VerifyBrokerGatewayMigration.dll", ((10, 6, 0), (10, 6, 1))),
    ];
    let mut names: Vec<String> = from
        .into_iter()
        .filter(|(_, (main, feature))| reached(version, *main, *feature))
        .map(|(name, _)| name.to_owned())
        .collect();
    let nats_cluster = reached(version, (10, 5, 3), (10, 5, 6));
    if nats_cluster {
        names.push("VerifyNatsCluster.dll".to_owned());
    } else if reached(version, (10, 2, 14), (10, 2, 7)) {
        names.push("VerifyNatsIsRunning.dll".to_owned());
    }
    // Left behind by mistake (`domain/02 H9`).
    let line = (version.major(), version.minor(), version.feature());
    if (line == (10, 5, 0) && matches!(version.cu(), Some(3 | 4))) || matches!(line, (10, 5, 6 | 7)) {
        names.push("VerifyNATSMigrationPrerequisites.dll".to_owned());
    }
    names
}

/// Writes a package to this file, or into this folder under its own name.
pub fn write(path: &Utf8Path, spec: &PackageSpec) -> Result<Written, SimulatorError> {
    let path = if path.is_dir() { path.join(spec.file_name()) } else { path.to_owned() };
    let failed = |problem: String| SimulatorError::Package { path: path.clone(), problem };
    let file = path.file_name().unwrap_or_default().to_owned();
    if spec.version.build().is_none() {
        return Err(failed("the version needs a build, such as `10.5.0 CU9 (build 16700)`".to_owned()));
    }
    if spec.padding > MAX_PADDING {
        return Err(failed(format!("{} bytes of padding are more than a package may have", spec.padding)));
    }
    let handle = File::create(&path).map_err(|error| failed(error.to_string()))?;
    write_zip(BufWriter::new(handle), spec).map_err(|error| failed(error.to_string()))?;
    let (sha256, size) = hash(&path).map_err(|error| failed(error.to_string()))?;
    Ok(Written { path: path.clone(), file, sha256, size })
}

/// Writes a package that checks or migrates, under its own name into a folder: `NATSMigration.dmupgrade`.
pub fn write_tool(folder: &Utf8Path, file: &str) -> Result<Written, SimulatorError> {
    write_named(folder, file, Tool::named(file).is_some(), "SLEEP 1\r\n")
}

/// Writes a hotfix, under its own name into a folder: `HF_10.5.0.0(CU9)_20251120-135714.dmupgrade`.
pub fn write_hotfix(folder: &Utf8Path, file: &str) -> Result<Written, SimulatorError> {
    let content = "Disable\r\nKill\r\nUpdate Files\r\nEnable\r\nStart\r\n";
    write_named(folder, file, Hotfix::named(file).is_some(), content)
}

/// Writes a package that goes by its name alone.
fn write_named(
    folder: &Utf8Path,
    file: &str,
    is_known: bool,
    content: &str,
) -> Result<Written, SimulatorError> {
    let path = folder.join(file);
    let failed = |problem: String| SimulatorError::Package { path: path.clone(), problem };
    if !is_known {
        return Err(failed("no package of this name does anything here".to_owned()));
    }
    let text = |text: &str| text.as_bytes().to_vec();
    let update = layout::zip_of([("UpdateContent.txt".to_owned(), text(content))].into_iter());
    let written = update.and_then(|update| {
        let members = [("Description.txt".to_owned(), text(file)), ("Update.zip".to_owned(), update)];
        layout::zip_of(members.into_iter())
    });
    let bytes = written.map_err(|error| failed(error.to_string()))?;
    std::fs::write(&path, bytes).map_err(|error| failed(error.to_string()))?;
    let (sha256, size) = hash(&path).map_err(|error| failed(error.to_string()))?;
    Ok(Written { path: path.clone(), file: file.to_owned(), sha256, size })
}

fn write_zip(out: impl Write + Seek, spec: &PackageSpec) -> Result<(), zip::result::ZipError> {
    let mut outer = ZipWriter::new(out);
    let small = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let stored = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(spec.padding > u64::from(u32::MAX));
    outer.start_file("Description.txt", small)?;
    let kind = if spec.kind == Kind::Full { "Full" } else { "Web" };
    write!(outer, "DataMiner Upgrade ({kind}), simulated\r\n{}\r\n", spec.version)?;
    outer.start_file("Update.zip", stored)?;
    outer.write_all(&update_zip(spec)?)?;
    outer.start_file("SLUpgrade.dll", stored)?;
    outer.write_all(b"MZ simulated")?;
    let mut noise = random::stream(0, &["package padding", &spec.file_name()]);
    let mut buffer = vec![0; 1 << 20];
    noise.fill_bytes(&mut buffer);
    let mut left = spec.padding;
    let mut block = 0_u64;
    while left > 0 {
        // Each block differs from the one before, without the price of fresh noise.
        buffer[..8].copy_from_slice(&block.to_le_bytes());
        block += 1;
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        outer.write_all(&buffer[..count])?;
        left -= count as u64;
    }
    outer.finish()?.flush()?;
    Ok(())
}

fn update_zip(spec: &PackageSpec) -> Result<Vec<u8>, zip::result::ZipError> {
    let mut inner = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let content = match spec.kind {
        Kind::Full => {
            "SetOption EXTRACTALL\r\nDisable\r\nKill\r\nUpdate Files\r\nUpdate Webpages\r\nRegister\r\nEnable\r\nStart\r\n"
        }
        Kind::Web => "IIS Stop\r\nUpdate Webpages\r\nIIS Start\r\n",
    };
    let version = &spec.version;
    let mut members = vec![
        ("UpdateContent.txt".to_owned(), content.to_owned()),
        ("FilesToDelete.txt".to_owned(), "C:\\Skyline DataMiner\\Files\\*.SLReplace\r\n".to_owned()),
        ("Webpages/API/bin/Skyline.DataMiner.Web.dll".to_owned(), format!("MZ web {version}")),
    ];
    if spec.kind == Kind::Full {
        members.push(("Files/SLNet.exe".to_owned(), format!("MZ core {version}")));
    }
    let checks = spec.checks();
    if !checks.is_empty() {
        members
            .push(("Prerequisites/executor/StandaloneBpaExecutor.exe".to_owned(), "MZ simulated".to_owned()));
    }
    let brings = match spec.kind {
        Kind::Full => Content::Full(version.clone()),
        Kind::Web => Content::Web(version.clone()),
    };
    members.extend(checks.iter().map(|name| (format!("Prerequisites/{name}"), check_file(name, &brings))));
    for (name, text) in members {
        inner.start_file(name, options)?;
        inner.write_all(text.as_bytes())?;
    }
    Ok(inner.finish()?.into_inner())
}

fn hash(path: &Utf8Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((hex::encode(hasher.finalize()), size));
        }
        hasher.update(&buffer[..count]);
        size += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn names_are_the_vendors() {
        let spec = PackageSpec::full(v("10.5.0 CU9 (build 16700)"));
        assert_eq!(spec.file_name(), "DataMiner 10.5.0.0(CU9)-16700 Full Upgrade.dmupgrade");
        let spec = PackageSpec::web(v("10.5.12 (build 16690)"));
        assert_eq!(spec.file_name(), "DataMiner 10.5.12.0-16690 Web Upgrade.dmupgrade");
        let read: dataminer_schema::version::PackageName = spec.file_name().parse().unwrap();
        assert_eq!(read.version.build(), Some(16690));
    }

    #[test]
    fn the_same_spec_gives_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let spec = PackageSpec::full(v("10.6.0 CU1 (build 17000)")).with_padding(3_000_000);
        let first = write(folder, &spec).unwrap();
        let second = write(&folder.join("again.dmupgrade"), &spec).unwrap();
        assert_eq!(first.sha256, second.sha256);
        assert!(first.size > 3_000_000);
        assert!(write(folder, &PackageSpec::full(v("10.6.0 CU1"))).is_err(), "a build is needed");
    }

    #[test]
    fn checks_follow_the_version() {
        assert!(prerequisites_of(&v("10.6.0 CU0")).contains(&"VerifyBrokerGatewayMigration.dll".to_owned()));
        assert!(!prerequisites_of(&v("10.5.0 CU9")).contains(&"VerifyBrokerGatewayMigration.dll".to_owned()));
        assert!(prerequisites_of(&v("10.4.0 CU10")).contains(&"VerifyNatsIsRunning.dll".to_owned()));
    }
}
