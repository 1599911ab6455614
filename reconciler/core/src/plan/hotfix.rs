//! D4: hotfixes. The manifest lists their packages, in the order in which they follow the core.

use dataminer_schema::{plan::BlockCode, version::Version};

use super::{PlanInput, draft::Draft};
use crate::{
    catalog::Entry,
    hotfix::{shows, stem},
    release::Release,
};

/// One hotfix behind the last hop.
#[derive(Clone, Debug)]
pub(super) struct Hotfix<'a> {
    pub(super) entry: &'a Entry,
    /// What it is installed on.
    pub(super) base: Release,
}

/// Where in the manifest's list the hotfix or custom build stands that an Agent shows as `text`.
pub(super) fn listed(hotfixes: &[String], text: &str) -> Option<usize> {
    hotfixes.iter().position(|name| shows(name, text))
}

/// The release that a hotfix or custom build was made for; `None` where its CU is not known.
pub(super) fn base(release: &Release) -> Option<Release> {
    let version = release.version();
    let base = Version::new(version.major(), version.minor(), version.feature());
    Release::exact(base.with_cu(release.cu()?))
}

/// The hotfixes from `first` on in the manifest's list, on `base`.
pub(super) fn plan_hotfixes<'a>(
    input: &PlanInput<'a>,
    first: usize,
    base: &Release,
    draft: &mut Draft,
) -> Vec<Hotfix<'a>> {
    let mut hotfixes = Vec::new();
    for name in input.desired.cluster.software.hotfixes.iter().skip(first) {
        match input.catalog.named(stem(name)) {
            Some(entry) => hotfixes.push(Hotfix { entry, base: base.clone() }),
            None => draft.block(
                BlockCode::NoPackage,
                Vec::new(),
                format!("the catalogue has no package of the hotfix `{name}`"),
                "add it to a PackageCatalog under that name, with its SHA-256, or take it out of `software.hotfixes`",
            ),
        }
    }
    hotfixes
}
