//! Findings about this installation: its configuration, and the places that it names.

use std::{fs::File, io::Read, path::Path};

use camino::Utf8PathBuf;
use dataminer_core::catalog::{Catalog, Entry};
use dataminer_schema::id::Sha256;
use sha2::{Digest, Sha256 as Hasher};

use super::{Check, Finding, Severity};
use crate::{config::Config, packages::PackagePlaces, source::GitSource, store::Store};

/// Larger packages are hashed by `catalog verify`: this is a look that takes seconds.
const HASHED: u64 = 64 << 20;

/// Looks at everything that the configuration names.
pub async fn findings(config: &Config, catalog: &Catalog) -> Vec<Finding> {
    let mut found = vec![match config.startable() {
        Ok(()) => {
            Finding::good(Check::Configuration, format!("{} can be started with", config.path.display()))
        }
        Err(error) => Finding::new(Severity::Error, Check::Configuration, error.to_string(), error.help()),
    }];
    found.push(store(config).await);
    let (config, catalog) = (config.clone(), catalog.clone());
    // Folders of other machines and repositories of other machines answer when they answer.
    let slow = tokio::task::spawn_blocking(move || {
        let mut found = vec![vault(&config), source(&config)];
        found.extend(packages(&config, &catalog));
        found
    });
    found.extend(slow.await.unwrap_or_default());
    found
}

async fn store(config: &Config) -> Finding {
    let file = match config.store_file() {
        Ok(file) => file,
        Err(error) => return Finding::new(Severity::Error, Check::Store, error.to_string(), error.help()),
    };
    if !file.exists() {
        return match file.parent().map(writable) {
            Some(Err(cause)) => Finding::new(
                Severity::Error,
                Check::Store,
                format!(
                    "there is no store {} yet, and its folder cannot be written: {cause}",
                    file.display()
                ),
                "make the folder, writable for the process",
            ),
            _ => Finding::good(Check::Store, format!("{} is made by the first `run`", file.display())),
        };
    }
    let shown = file.display().to_string();
    let Ok(path) = Utf8PathBuf::from_path_buf(file) else {
        return Finding::new(
            Severity::Error,
            Check::Store,
            format!("the path {shown} is not UTF-8"),
            "rename the folder",
        );
    };
    match Store::open_read_only(&path).await {
        Ok(store) => {
            store.close().await;
            Finding::good(Check::Store, format!("{shown} can be opened"))
        }
        Err(error) => Finding::new(
            Severity::Error,
            Check::Store,
            format!("{:#}", anyhow::Error::new(error)),
            "check the rights of this account, and that no newer release has written it",
        ),
    }
}

fn vault(config: &Config) -> Finding {
    let folder = match config.vault_folder() {
        Ok(folder) => folder,
        Err(error) => return Finding::new(Severity::Error, Check::Vault, error.to_string(), error.help()),
    };
    let shown = folder.display();
    // Where it is not there yet, the process makes it in its parent.
    let tried = if folder.exists() { writable(&folder) } else { folder.parent().map_or(Ok(()), writable) };
    match tried {
        Ok(()) => Finding::good(Check::Vault, format!("{shown} can be written")),
        Err(cause) => Finding::new(
            Severity::Error,
            Check::Vault,
            format!(
                "{shown} cannot be written: {cause}; without it no upgrade begins, as content is saved first"
            ),
            "mount it, or make it writable for the process",
        ),
    }
}

/// Whether a file can be made there; it is gone at once.
fn writable(folder: &Path) -> std::io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    tempfile::Builder::new().prefix(".doctor-").tempfile_in(folder).map(drop)
}

fn source(config: &Config) -> Finding {
    let settings = match config.source() {
        Ok(settings) => settings,
        Err(error) => return Finding::new(Severity::Error, Check::Source, error.to_string(), error.help()),
    };
    let location = settings.location.to_string();
    // In a folder of its own: the process may fetch into its clone right now.
    let newest = match tempfile::tempdir() {
        Ok(folder) => GitSource::new(settings, folder.path()).newest(),
        Err(cause) => {
            return Finding::new(
                Severity::Unknown,
                Check::Source,
                format!("no temporary folder could be made: {cause}"),
                "free the disk of this machine",
            );
        }
    };
    match newest {
        Ok(commit) => Finding::good(
            Check::Source,
            format!("{location} answers; newest commit {}", &commit.as_str()[..12]),
        ),
        Err(error) => {
            Finding::new(Severity::Error, Check::Source, format!("{location}: {error}"), error.help())
        }
    }
}

fn packages(config: &Config, catalog: &Catalog) -> Vec<Finding> {
    let folders = match config.package_folders() {
        Ok(folders) => folders,
        Err(error) => {
            return vec![Finding::new(
                Severity::Error,
                Check::PackagePlaces,
                error.to_string(),
                error.help(),
            )];
        }
    };
    let mut found = Vec::new();
    for folder in &folders {
        if let Err(cause) = std::fs::read_dir(folder) {
            found.push(Finding::new(
                Severity::Error,
                Check::PackagePlaces,
                format!("the package place {} cannot be read: {cause}", folder.display()),
                "mount it, or make it readable for the process",
            ));
        }
    }
    let places = PackagePlaces::new(folders);
    let entries: Vec<&Entry> = catalog.packages().collect();
    let wrong: Vec<Finding> = entries.iter().filter_map(|entry| package(&places, entry)).collect();
    let right = entries.len() - wrong.len();
    if right > 0 || entries.is_empty() {
        found.push(Finding::good(
            Check::PackagePlaces,
            format!("{right} of {} packages of the catalogue lie in their places", entries.len()),
        ));
    }
    found.extend(wrong);
    found
}

/// What is wrong with one package, if anything.
fn package(places: &PackagePlaces, entry: &Entry) -> Option<Finding> {
    let path = match places.find(&entry.file, entry.source.as_ref()) {
        Ok(path) => path,
        Err(error) => {
            return Some(Finding::new(
                Severity::Error,
                Check::PackagePlaces,
                error.to_string(),
                error.help(),
            ));
        }
    };
    let differs = |what: String| {
        Some(Finding::new(
            Severity::Error,
            Check::PackagePlaces,
            format!("`{}` {what}", entry.file),
            "fetch it anew and compare it with the digest of its source; never adapt the digest to the file",
        ))
    };
    let size = match path.metadata() {
        Ok(metadata) => metadata.len(),
        Err(cause) => return differs(format!("cannot be read: {cause}")),
    };
    if let Some(said) = entry.size.filter(|said| *said != size) {
        return differs(format!("has {size} bytes, the catalogue says {said}"));
    }
    if size > HASHED {
        return File::open(&path).err().and_then(|cause| differs(format!("cannot be read: {cause}")));
    }
    match hash(&path) {
        Ok(sha256) if sha256 == entry.sha256 => None,
        Ok(sha256) => differs(format!(
            "has the SHA-256 {}…, the catalogue says {}…",
            sha256.short(),
            entry.sha256.short()
        )),
        Err(cause) => differs(format!("cannot be read: {cause}")),
    }
}

fn hash(path: &Path) -> std::io::Result<Sha256> {
    let mut file = File::open(path)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
    }
    Ok(Sha256::from_digest(hasher.finalize().into()))
}
