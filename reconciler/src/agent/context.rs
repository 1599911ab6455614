//! What a driver needs from the rest of the process.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Duration};

use dataminer_core::exec::effect::Package;
use dataminer_schema::{id::Sha256, v1::catalog};
use tokio::sync::Semaphore;

use super::{layout::Layout, secrets::SecretResolver, transport::Timeouts};
use crate::{
    engine::{Progress, ProgressSender},
    packages::{PackageError, PackagePlaces},
    vault::Vault,
};

/// Everything that drivers of all clusters share. Cheap to clone.
#[derive(Clone)]
pub struct DriverContext {
    /// Marks what this installation owns on Agents.
    pub installation: String,
    /// The fleet repository, for people who find our mark on an Agent.
    pub repository: String,
    pub secrets: SecretResolver,
    pub packages: Arc<dyn PackageSource>,
    pub vault: Vault,
    /// How many Agents are looked at at a time, over all clusters.
    pub permits: Arc<Semaphore>,
    /// How long one look at one Agent may take.
    pub patience: Duration,
    pub timeouts: Timeouts,
    pub pace: Pace,
    pub layout: Layout,
}

impl DriverContext {
    /// A context with the usual times; `concurrency` Agents are looked at at a time.
    pub fn new(
        installation: impl Into<String>,
        repository: impl Into<String>,
        secrets: SecretResolver,
        packages: Arc<dyn PackageSource>,
        vault: Vault,
        concurrency: usize,
    ) -> Self {
        Self {
            installation: installation.into(),
            repository: repository.into(),
            secrets,
            packages,
            vault,
            permits: Arc::new(Semaphore::new(concurrency.max(1))),
            patience: Duration::from_secs(120),
            timeouts: Timeouts::default(),
            pace: Pace::default(),
            layout: Layout::default(),
        }
    }
}

impl fmt::Debug for DriverContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverContext").field("installation", &self.installation).finish_non_exhaustive()
    }
}

/// How patiently things are waited for.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The first pause between two looks at a job; each next one is half as long again.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// How long Windows may take to begin a job that it accepted. A job waits up to a minute for the lock.
    pub start: Duration,
    /// How often a broken upload is taken up again without a single byte of progress.
    pub resumes: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(15),
            start: Duration::from_secs(180),
            resumes: 6,
        }
    }
}

/// Where package files are.
pub trait PackageSource: Send + Sync {
    /// The file of `package`; its bytes are checked by the driver.
    fn locate(&self, package: &Package) -> Result<PathBuf, PackageError>;
}

impl PackageSource for PackagePlaces {
    fn locate(&self, package: &Package) -> Result<PathBuf, PackageError> {
        self.find(&package.file, None)
    }
}

/// Package places, and what catalogues say about where in them a package lies.
#[derive(Clone, Debug, Default)]
pub struct CataloguedPackages {
    pub places: PackagePlaces,
    /// The `source` of catalogue entries that have one.
    pub sources: BTreeMap<Sha256, catalog::PackageSource>,
}

impl PackageSource for CataloguedPackages {
    fn locate(&self, package: &Package) -> Result<PathBuf, PackageError> {
        self.places.find(&package.file, self.sources.get(&package.sha256))
    }
}

/// Sends progress if somebody has room for it.
pub(super) fn tell(progress: &ProgressSender, event: Progress) {
    // Nobody listens, or not fast enough: progress may be lost.
    drop(progress.try_send(event));
}
