//! Packages that are staged without one of their checks (G2): the copy is made while it is sent, never on a disk of ours.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
    sync::Arc,
};

use dataminer_schema::plan::PackagePatch;
use tokio::{
    io::{AsyncRead, AsyncWriteExt},
    runtime::Handle,
};

use super::{
    error::{AgentError, Reason},
    stage::Payload,
};
use crate::package::{Caps, Cut, NoCut};

/// Bytes that lie between the making of the copy and its sending.
const BETWEEN: usize = 1024 * 1024;
const PIECE: usize = 128 * 1024;

impl Payload {
    /// The copy of this package that lacks what `patch` says. Its digest is computed here and compared with the one that
    /// was written down when the copy was staged.
    pub(super) async fn without(self, patch: &PackagePatch) -> Result<Self, AgentError> {
        let file = self.file().to_owned();
        let path = self.path().to_owned();
        let member = patch.removes.clone();
        let made =
            tokio::task::spawn_blocking(move || Cut::of(|| File::open(&path), &member, &Caps::DEFAULT));
        let unreadable = |why: &dyn std::fmt::Display| {
            AgentError::new(
                Reason::NoPackage,
                format!("package {file} cannot be read: {why}"),
                "check the package place",
            )
        };
        let cut = match made.await.map_err(|error| unreadable(&error))? {
            Ok(cut) => cut,
            Err(NoCut::Io(error)) => return Err(unreadable(&error)),
            Err(NoCut::Refused(refused)) => {
                return Err(AgentError::new(
                    Reason::PackageUnverified,
                    format!("package {file} is not fit to be used: {refused}"),
                    "run `dataminer-reconciler catalog scan` on it; get the package from the vendor again",
                ));
            }
            Err(NoCut::Unfit(why)) => {
                return Err(AgentError::new(
                    Reason::PackageUnverified,
                    format!("`{}` cannot be taken out of package {file}: {why}", patch.removes),
                    "take it out by hand, put the copy into the catalogue under its own SHA-256 instead of the package, \
                     and leave `patchPrerequisites` out",
                ));
            }
        };
        if let Some(pinned) = patch.sha256.as_ref().filter(|pinned| **pinned != cut.sha256) {
            return Err(AgentError::new(
                Reason::PackageUnverified,
                format!(
                    "package {file} without `{}` has SHA-256 {}, and had {pinned} when it was staged",
                    patch.removes, cut.sha256
                ),
                "abort the operation: it begins again with a copy of the package as it is now",
            ));
        }
        Ok(self.cut_by(cut))
    }
}

/// The bytes of the copy from `offset` on. What stands before is made as well and dropped: it is the same every time.
pub(super) fn stream(cut: Arc<Cut>, path: PathBuf, offset: u64) -> impl AsyncRead + Unpin {
    let (mut sender, receiver) = tokio::io::duplex(BETWEEN);
    let handle = Handle::current();
    tokio::task::spawn_blocking(move || -> io::Result<()> {
        let mut reader = cut.reader(|| File::open(&path))?;
        io::copy(&mut reader.by_ref().take(offset), &mut io::sink())?;
        let mut piece = vec![0; PIECE];
        loop {
            let count = reader.read(&mut piece)?;
            if count == 0 {
                // Whoever receives sees the end, too early if anything went wrong.
                return Ok(());
            }
            handle.block_on(sender.write_all(&piece[..count]))?;
        }
    });
    receiver
}
