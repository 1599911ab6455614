//! Puts one package on one SSH server exactly as an operation does, and says how long that took.
//!
//! The server is any sshd whose exec line knows a `cmd.exe`; `tests/bench/upload.py` brings one and compares with `scp`.

use std::{io::Write as _, path::PathBuf, sync::Arc, time::Instant};

use anyhow::{Context as _, bail};
use camino::Utf8PathBuf;
use clap::Parser;
use dataminer_core::exec::effect::{Effect, EffectKind, Outcome, Package};
use dataminer_reconciler::{
    agent::{ClusterDriver, DriverContext, layout::Layout, secrets::SecretResolver},
    engine::Progress,
    packages::PackagePlaces,
    vault::Vault,
};
use dataminer_schema::{
    id::Sha256,
    load::{SourceFile, load_fleet},
    v1::{cluster::SecretRef, config::SecretGrant},
};
use tokio::sync::mpsc;

/// Put one package on one SSH server and print how long it took
#[derive(Debug, Parser)]
struct Args {
    /// Where the server listens
    #[arg(long, value_name = "HOST:PORT")]
    address: String,
    /// Fingerprint of its key
    #[arg(long, value_name = "SHA256:…")]
    host_key: String,
    #[arg(long)]
    user: String,
    /// Private key
    #[arg(long, value_name = "FILE")]
    identity: Utf8PathBuf,
    /// Folder of the server that stands for the root of its drives
    #[arg(long, value_name = "DIR")]
    root: Utf8PathBuf,
    /// An empty folder for the vault, which an upload does not use
    #[arg(long, value_name = "DIR")]
    vault: Utf8PathBuf,
    /// The package
    file: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let manifest = format!(
        "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: {{ name: bench }}\nspec:\n  software: {{ core: 10.5.0 CU12 }}\n  \
         agents: [{{ name: agent, address: \"{}\", hostKey: \"{}\" }}]\n  \
         connection: {{ ssh: {{ user: {}, identity: {{ file: \"{}\" }} }} }}\n",
        args.address, args.host_key, args.user, args.identity
    );
    let (fleet, faults) =
        load_fleet(&[SourceFile { path: "bench.yaml".to_owned(), bytes: manifest.into_bytes() }]);
    if let Some(fault) = faults.first() {
        bail!("the manifest made of the arguments: {}", fault.message);
    }
    let cluster = &fleet.clusters.first().context("the manifest holds a cluster")?.value;

    let folder = args.file.parent().context("the package lies in a folder")?.to_owned();
    let name = args.file.file_name().and_then(|name| name.to_str()).context("the package has a name")?;
    let bytes = std::fs::read(&args.file).with_context(|| format!("reading {}", args.file.display()))?;
    let package = Package { file: name.to_owned(), sha256: Sha256::of(&bytes), patch: None };
    let size = bytes.len();
    drop(bytes);

    let grant = SecretGrant {
        secret: SecretRef::File(args.identity.to_string()),
        hosts: vec!["127.0.0.0/8".to_owned()],
        clusters: vec!["*".to_owned()],
    };
    let mut context = DriverContext::new(
        "bench",
        "https://git.example/fleet",
        SecretResolver::new(vec![grant]),
        Arc::new(PackagePlaces::new(vec![folder])),
        Vault::open(&args.vault)?,
        1,
    );
    context.layout = Layout::below(args.root.as_str());
    let driver = ClusterDriver::new(cluster, context);
    let agents = cluster.agents.iter().map(|agent| agent.member.name.clone()).collect();
    let effect = Effect { id: 1, step: "1".to_owned(), kind: EffectKind::StagePackage { package, agents } };

    let (sender, mut receiver) = mpsc::channel(1024);
    let watch = tokio::spawn(async move {
        let mut seen: Option<(Instant, Instant)> = None;
        while let Some(event) = receiver.recv().await {
            if let Progress::Bytes { .. } = event {
                let now = Instant::now();
                seen = Some((seen.map_or(now, |(first, _)| first), now));
            }
        }
        seen
    });
    let begun = Instant::now();
    let outcome = driver.perform(1, &effect, &sender).await;
    let whole = begun.elapsed();
    drop(sender);
    if let Outcome::Failed(failure) = outcome {
        bail!("the upload failed: {failure:?}");
    }
    let (first, last) = watch.await?.context("nothing was sent: the package is there already")?;
    writeln!(
        std::io::stdout().lock(),
        "{{\"bytes\":{size},\"transfer_seconds\":{:.3},\"whole_seconds\":{:.3}}}",
        (last - first).as_secs_f64(),
        whole.as_secs_f64()
    )?;
    Ok(())
}
