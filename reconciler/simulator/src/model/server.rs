//! What a server must have before a package's own checks let it in (`domain/prerequisites.yaml`).

use dataminer_schema::version::Version;

use super::rule::Rule;
use crate::order::reached;

/// The oldest Windows that DataMiner accepts: Server 2016 and Windows 10 of 2016 (`domain/prerequisites.yaml`).
pub(crate) const OLDEST_WINDOWS: u32 = 14393;

/// What is installed beside DataMiner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Majors of the installed ASP.NET Core hosting bundles.
    pub hosting_bundles: Vec<u16>,
    /// .NET Framework 4.8.
    pub framework_4_8: bool,
    /// The build of Windows.
    pub windows: u32,
}

impl Default for Server {
    /// A server that lacks nothing.
    fn default() -> Self {
        Self { hosting_bundles: vec![5, 6, 8, 10], framework_4_8: true, windows: 26100 }
    }
}

/// The hosting bundles that a full package looks for.
pub(crate) fn bundles(target: &Version) -> impl Iterator<Item = u16> {
    let ten = reached(target, (10, 5, 10), (10, 6, 1)).then_some(10);
    let eight = reached(target, (10, 3, 12), (10, 4, 3)).then_some(8);
    ten.into_iter().chain(eight)
}

/// What a full package's checks find missing.
pub(crate) fn lacks(server: &Server, target: &Version) -> Option<Rule> {
    let framework = reached(target, (10, 7, 0), (10, 6, 6)) && !server.framework_4_8;
    if framework || bundles(target).any(|bundle| !server.hosting_bundles.contains(&bundle)) {
        return Some(Rule::DotNetMissing);
    }
    (reached(target, (10, 6, 0), (10, 5, 12)) && server.windows < OLDEST_WINDOWS)
        .then_some(Rule::WindowsTooOld)
}
