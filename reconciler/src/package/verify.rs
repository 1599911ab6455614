//! Package files against the catalogue that pins them.

use std::path::PathBuf;

use dataminer_schema::{
    id::Sha256,
    v1::catalog::{Insides, PackageSource},
};
use serde::Serialize;

use super::{
    caps::Caps,
    finding::Finding,
    scan::{PackageFound, Scanned, read},
};
use crate::packages::PackagePlaces;

/// What a catalogue says of a file.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub file: &'a str,
    pub source: Option<&'a PackageSource>,
    pub sha256: &'a Sha256,
    pub size: Option<u64>,
    pub insides: &'a Insides,
}

/// How a file compares with its entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    pub file: String,
    /// Where it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// What does not fit; empty if all does.
    pub differences: Vec<String>,
    /// What to do about a file that is not at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What an inspection finds today.
    pub findings: Vec<Finding>,
}

impl Verified {
    /// Whether the file is there and all that the entry says is true.
    pub fn good(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Looks a package up and compares it with its entry.
pub fn verify(
    wanted: &Wanted<'_>,
    places: &PackagePlaces,
    caps: &Caps,
    tick: &(dyn Fn(u64) + Sync),
) -> Verified {
    let file = wanted.file.to_owned();
    let path = match places.find(wanted.file, wanted.source) {
        Ok(path) => path,
        Err(error) => {
            let (differences, help) = (vec![error.to_string()], Some(error.help().to_owned()));
            return Verified { file, path: None, differences, help, findings: Vec::new() };
        }
    };
    let size = path.metadata().map_or(0, |metadata| metadata.len());
    // Inspected under the name that the catalogue knows it by, wherever it lies.
    let found = PackageFound { path: path.clone(), relative: file.clone(), size };
    let scanned = read(&found, caps, tick);
    let differences = differences(wanted, &scanned);
    Verified { file, path: Some(path), differences, help: None, findings: scanned.inspection.findings }
}

fn differences(wanted: &Wanted<'_>, scanned: &Scanned) -> Vec<String> {
    let mut differences = Vec::new();
    let size = scanned.inspection.size;
    if let Some(said) = wanted.size.filter(|said| *said != size) {
        differences.push(format!("it has {size} bytes, the catalogue says {said}"));
    }
    match &scanned.sha256 {
        None => {
            let why = scanned.inspection.findings.first().map(|finding| finding.message.as_str());
            differences.push(format!("it could not be hashed: {}", why.unwrap_or("reading failed")));
            return differences;
        }
        Some(sha256) if sha256 != wanted.sha256 => {
            differences.push(format!("its SHA-256 is {sha256}, the catalogue says {}", wanted.sha256));
            // Other bytes: whatever else the entry says is about another file.
            return differences;
        }
        Some(_) => {}
    }
    let Some(update) = &scanned.inspection.update else { return differences };
    for said in &wanted.insides.fingerprints {
        match update.fingerprints.iter().find(|one| one.file.eq_ignore_ascii_case(&said.file)) {
            Some(one) if one.sha256 == said.sha256 && one.size == said.size => {}
            Some(_) => differences.push(format!("the fingerprint of {} is another one", said.file)),
            None => differences.push(format!("{} is no fingerprint of this package", said.file)),
        }
    }
    let mut said = |what: &str, said: bool| {
        if !said {
            differences.push(format!("`{what}` of the catalogue is not what the package holds"));
        }
    };
    let Insides { prerequisites, executor, restart, fingerprints: _, base: _ } = wanted.insides;
    said("prerequisites", prerequisites.as_ref().is_none_or(|names| *names == update.prerequisites));
    said("executor", executor.is_none_or(|executor| executor == update.executor));
    said("restart", restart.is_none_or(|restart| update.restart == Some(restart)));
    differences
}
