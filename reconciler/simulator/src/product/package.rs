//! What the product sees of a package on its disk.

use std::{
    fs::File,
    io::{BufReader, Cursor, Read},
    os::unix::fs::MetadataExt,
    path::PathBuf,
};

use dataminer_schema::version::{PackageKind, PackageName, Version};
use zip::ZipArchive;

use super::tools::Tool;

/// What a package brings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Full(Version),
    Web(Version),
    Tool(Tool),
}

/// A package that was opened.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) file: String,
    pub(crate) content: Content,
    /// Names of its checks, as `VerifyClusterPorts.dll`.
    pub(crate) prerequisites: Vec<String>,
    /// Bytes.
    pub(crate) size: u64,
    /// Which copy this is; a copy made afresh is another.
    pub(crate) copy: (u64, u64, i64, i64),
}

/// The largest Update.zip that is opened; real ones are bigger, simulated ones are not.
const MAX_UPDATE: u64 = 64 << 20;
/// The largest Description.txt that is read.
const MAX_DESCRIPTION: u64 = 64 << 10;
/// The most members that are looked at.
const MAX_MEMBERS: usize = 10_000;

/// Names of Main Releases do not always tell the CU; the description inside does.
fn named_inside(content: Content, archive: &mut ZipArchive<BufReader<File>>) -> Content {
    let mut text = String::new();
    let read =
        archive.by_name("Description.txt").map(|file| file.take(MAX_DESCRIPTION).read_to_string(&mut text));
    let inside: Option<Version> = read.is_ok().then(|| text.lines().nth(1)?.trim().parse().ok()).flatten();
    let named = |version: Version| match inside {
        Some(inside)
            if version.cu().is_none() && inside.cu().is_some() && inside.line() == version.line() =>
        {
            inside
        }
        _ => version,
    };
    match content {
        Content::Full(version) => Content::Full(named(version)),
        Content::Web(version) => Content::Web(named(version)),
        Content::Tool(tool) => Content::Tool(tool),
    }
}

/// Opens a package; the error is what the utility would say.
pub(crate) fn read(host: PathBuf, file: &str) -> Result<Package, String> {
    let content = match (file.parse::<PackageName>(), Tool::named(file)) {
        (Ok(PackageName { kind: PackageKind::Full, version, .. }), _) => Content::Full(version),
        (Ok(PackageName { kind: PackageKind::Web, version, .. }), _) => Content::Web(version),
        (_, Some(tool)) => Content::Tool(tool),
        _ => return Err(format!("{file} is not an upgrade package")),
    };
    let invalid = |what: &str| format!("The package {file} is invalid: {what}");
    let handle = File::open(host).map_err(|_| invalid("it cannot be opened"))?;
    let metadata = handle.metadata().map_err(|_| invalid("it cannot be opened"))?;
    let mut archive = ZipArchive::new(BufReader::new(handle)).map_err(|_| invalid("it is no archive"))?;
    let content = named_inside(content, &mut archive);
    let mut update = Vec::new();
    archive
        .by_name("Update.zip")
        .map_err(|_| invalid("Update.zip is missing"))?
        .take(MAX_UPDATE)
        .read_to_end(&mut update)
        .map_err(|_| invalid("Update.zip is damaged"))?;
    let update = ZipArchive::new(Cursor::new(update)).map_err(|_| invalid("Update.zip is damaged"))?;
    let members: Vec<String> =
        update.file_names().flatten().take(MAX_MEMBERS).map(|name| name.replace('\\', "/")).collect();
    if !members.iter().any(|name| name.eq_ignore_ascii_case("UpdateContent.txt")) {
        return Err(invalid("UpdateContent.txt is missing"));
    }
    let mut prerequisites: Vec<String> = members
        .iter()
        .filter_map(|name| {
            let (folder, check) = name.split_once('/')?;
            let dll = check.to_lowercase().ends_with(".dll") && !check.contains('/');
            (folder.eq_ignore_ascii_case("Prerequisites") && dll).then(|| check.to_owned())
        })
        .collect();
    prerequisites.sort();
    Ok(Package {
        file: file.to_owned(),
        content,
        prerequisites,
        size: metadata.len(),
        copy: (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()),
    })
}
