//! `import`: writes the Cluster manifest of a DMS that is there already.

mod discover;
mod manifest;
mod reach;
mod software;
mod yaml;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use dataminer_schema::{
    id::ClusterName,
    load::{SourceFile, has_errors, load_fleet},
    v1::cluster::SecretRef,
};

use self::{
    discover::{Dms, discover},
    manifest::{Identity, Manifest},
    reach::{Reach, Target},
};
use super::{Exit, Helpful, Terminal, fleet};
use crate::agent::transport::Fingerprint;

/// Write the Cluster manifest of an existing DMS: its Agents, pinned keys and the versions that they run
///
/// Reads DMS.xml on the first host and looks at every Agent that it names. Writes nothing on an Agent but the
/// reconciler's own scripts, in its own folder. The manifest says `suspend: true`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An Agent as SSH reaches it, HOST or HOST:PORT; more of the same DMS where DMS.xml's own addresses do not serve
    #[arg(value_name = "HOST", required = true)]
    hosts: Vec<Target>,

    /// Windows account of the SSH connections
    #[arg(long, value_name = "USER")]
    user: String,

    /// Private key of that account: a file, or `env:NAME`
    #[arg(long, value_name = "FILE|env:NAME", value_parser = identity)]
    identity: SecretRef,

    /// Name of the cluster in the manifest; made from that of the DMS if absent
    #[arg(long, value_name = "NAME")]
    name: Option<ClusterName>,

    /// Fingerprint of a host key that you compared on its server; may be given several times
    #[arg(long = "host-key", value_name = "SHA256:…", value_parser = clap::value_parser!(Fingerprint))]
    host_keys: Vec<Fingerprint>,

    /// Pin whatever host keys the servers show: for networks that nobody else is in
    #[arg(long, conflicts_with = "host_keys")]
    accept_host_keys: bool,

    /// Folder of the fleet's manifests, whose catalogue may tell which release a build is
    #[arg(short = 'f', long = "fleet", value_name = "DIR")]
    fleet: Option<PathBuf>,

    /// File for the manifest, which must not be there yet; stdout if absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Where editors find the schema, for the manifest's first line
    #[arg(long, value_name = "PATH|URL", default_value = "../schema/cluster.schema.json")]
    schema: String,
}

fn identity(text: &str) -> Result<SecretRef, String> {
    match text.strip_prefix("env:") {
        Some("") => Err("write the variable's name after `env:`".to_owned()),
        Some(name) => Ok(SecretRef::Env(name.to_owned())),
        None if text.is_empty() => Err("write a file, or `env:NAME`".to_owned()),
        None => Ok(SecretRef::File(text.to_owned())),
    }
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    if let Some(path) = args.output.as_deref().filter(|path| path.symlink_metadata().is_ok()) {
        return Err(taken(path));
    }
    let identity = absolute(&args.identity)?;
    let fleet = args.fleet.as_deref().map(|folder| fleet::load(folder, &[], terminal)).transpose()?;
    let catalog = fleet.as_ref().map(|fleet| fleet.catalog.clone()).unwrap_or_default();
    let reach = Reach {
        user: args.user.clone(),
        identity: identity.clone(),
        accepted: args.host_keys.clone(),
        accept_all: args.accept_host_keys,
    };
    let dms = super::block_on(discover(&args.hosts, &reach))?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => manifest::name_of(&dms)?,
    };
    if fleet.is_some_and(|fleet| fleet.clusters.iter().any(|cluster| cluster.name == name)) {
        return Err(Helpful::new(
            format!("there is a cluster `{name}` in the fleet already"),
            "give another name with --name, or correct that manifest by hand",
        )
        .into());
    }
    let software = software::of(&dms, &catalog)?;
    let text = manifest::write(&Manifest {
        name: &name,
        dms: &dms,
        software: &software,
        identity: Identity { user: &args.user, secret: &identity },
        schema: &args.schema,
    });
    check(&text, terminal)?;
    match &args.output {
        None => terminal.data(&text)?,
        Some(path) => put(path, &text)?,
    }
    report(&dms, args, terminal);
    Ok(if dms.is_complete() { Exit::Ok } else { Exit::Failed })
}

/// A key's path as every process finds it, whatever its working folder.
fn absolute(identity: &SecretRef) -> anyhow::Result<SecretRef> {
    Ok(match identity {
        SecretRef::Env(name) => SecretRef::Env(name.clone()),
        SecretRef::File(path) => {
            let path = std::path::absolute(path).with_context(|| format!("finding the key {path}"))?;
            let path = path.to_str().with_context(|| format!("the path {} is not UTF-8", path.display()))?;
            SecretRef::File(path.to_owned())
        }
    })
}

/// What is written must be what `validate` takes, whatever the Agents called themselves.
fn check(text: &str, terminal: &mut Terminal) -> anyhow::Result<()> {
    let file = SourceFile { path: "the manifest".to_owned(), bytes: text.as_bytes().to_vec() };
    let (fleet, diagnostics) = load_fleet(std::slice::from_ref(&file));
    if has_errors(&diagnostics) || fleet.clusters.len() != 1 {
        fleet::explain(std::slice::from_ref(&file), &diagnostics, terminal);
        return Err(Helpful::new(
            "the manifest of this DMS would not be valid, and was not written",
            "please report it with the lines above; `--name` helps where the name is what is wrong",
        )
        .into());
    }
    Ok(())
}

fn taken(path: &Path) -> anyhow::Error {
    Helpful::new(
        format!("{} is there already", path.display()),
        "give another file, or leave --output out and compare: nothing is overwritten",
    )
    .into()
}

fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
            match error.kind() {
                std::io::ErrorKind::AlreadyExists => taken(path),
                _ => anyhow::Error::from(error).context(format!("making {}", path.display())),
            }
        })?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("writing {}", path.display()))
}

fn report(dms: &Dms, args: &Args, terminal: &mut Terminal) {
    for member in dms.members() {
        if let Some(trouble) = &member.trouble {
            terminal.say(format!("{} ({}): {trouble}", member.name, member.target));
        }
    }
    for note in &dms.notes {
        terminal.say(note);
    }
    let count = dms.members().count();
    let seen = dms.members().filter(|member| member.seen.is_some()).count();
    terminal.say(format!("{seen} of {count} Agents of the DMS were looked at"));
    if let Some(path) = &args.output {
        terminal.say(format!("wrote {}", path.display()));
    }
    terminal.say(
        "next: let the configuration's `secrets` grant the key to these hosts, commit, and read what `plan --live` says",
    );
}

#[cfg(test)]
mod tests;
