//! Where the file of a package is.

use std::fmt;

/// The `source` of a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackageSource {
    /// A path below a package place of the configuration, with `/`.
    Relative(String),
    /// An absolute path of the machine that the process runs on.
    File(String),
    /// A web server or an object store: the URL as written.
    Remote(String),
}

/// What a remote source may begin with.
const REMOTE: [&str; 3] = ["https://", "s3://", "az://"];

impl PackageSource {
    /// Takes a text that the language has judged.
    pub(crate) fn of(text: String) -> Self {
        if let Some(path) = text.strip_prefix("file://") {
            Self::File(path.to_owned())
        } else if REMOTE.iter().any(|scheme| text.starts_with(scheme)) {
            Self::Remote(text)
        } else {
            Self::Relative(text)
        }
    }

    /// Whether this release fetches from there.
    pub fn is_carried_out(&self) -> bool {
        match self {
            Self::Relative(_) | Self::File(_) => true,
            Self::Remote(_) => false,
        }
    }
}

impl fmt::Display for PackageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relative(text) | Self::Remote(text) => f.write_str(text),
            Self::File(path) => write!(f, "file://{path}"),
        }
    }
}
