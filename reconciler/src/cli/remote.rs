//! Where `status` and `history` get their answers: from a process, or from the store it left behind.

use std::path::PathBuf;

use camino::Utf8PathBuf;
use dataminer_schema::{
    id::ClusterName,
    status::{BrokenCommit, FleetStatus, SourceStatus},
};

use super::Helpful;
use crate::{
    config::{Config, Overrides},
    http::{History, client},
    store::{Store, StoreError},
};

/// Whom to ask. The store can be read beside the process that owns it.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Origin {
    /// The process to ask: http://HOST:PORT
    #[arg(
        long,
        value_name = "URL",
        env = "DATAMINER_RECONCILER_SERVER",
        default_value = "http://127.0.0.1:8080"
    )]
    server: String,

    /// Read the store that this configuration names, in place of asking a process
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Origin {
    pub(super) async fn status(&self) -> anyhow::Result<FleetStatus> {
        let Some(path) = &self.config else {
            return self.ask("/api/v1/clusters").await;
        };
        let config = read(path)?;
        let store = open(&config).await?;
        let mut status = FleetStatus::new(config.spec.installation.clone());
        status.clusters = store.statuses().await?;
        if let Some(source) = config.spec.sources.first() {
            let newest = store.commits(&source.name, 1).await?.pop();
            status.source = SourceStatus {
                name: Some(source.name.clone()),
                url: Some(source.url.clone()),
                commit: newest.as_ref().map(|seen| seen.commit.clone()),
                last_good: store.last_good_commit(&source.name).await?,
                broken: newest
                    .filter(|seen| !seen.good)
                    .map(|seen| BrokenCommit { commit: seen.commit, diagnostics: seen.diagnostics }),
                ..SourceStatus::default()
            };
        }
        Ok(status)
    }

    pub(super) async fn history(&self, cluster: Option<&ClusterName>, limit: u32) -> anyhow::Result<History> {
        let Some(path) = &self.config else {
            let only = cluster.map(|name| format!("&cluster={name}")).unwrap_or_default();
            return self.ask(&format!("/api/v1/events?limit={limit}{only}")).await;
        };
        let config = read(path)?;
        Ok(History::new(open(&config).await?.events(cluster, limit).await?))
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        client::get(&self.server, path).await.map_err(|error| {
            let help = match &error {
                client::ClientError::Unreachable { .. } => {
                    format!("{}; or read its store: --config FILE", error.help())
                }
                _ => error.help().to_owned(),
            };
            Helpful::new(error.to_string(), help).into()
        })
    }
}

fn read(path: &std::path::Path) -> anyhow::Result<Config> {
    Config::read(path, &Overrides::default())
        .map_err(|error| Helpful::new(error.to_string(), error.help()).into())
}

async fn open(config: &Config) -> anyhow::Result<Store> {
    let file = config.store_file().map_err(|error| Helpful::new(error.to_string(), error.help()))?;
    if !file.exists() {
        return Err(Helpful::new(
            format!("there is no store {}", file.display()),
            "start `run` once; it makes the store",
        )
        .into());
    }
    let file = Utf8PathBuf::from_path_buf(file).map_err(|file| {
        Helpful::new(format!("the path {} is not UTF-8", file.display()), "rename the folder")
    })?;
    Store::open_read_only(&file).await.map_err(|error: StoreError| {
        Helpful::new(
            format!("{:#}", anyhow::Error::new(error)),
            "check that this account may read the store's folder",
        )
        .into()
    })
}
