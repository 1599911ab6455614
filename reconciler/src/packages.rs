//! Where package files are: a catalogue names them, the configuration says in which folders they may lie.
//!
//! A manifest cannot point outside these folders, whatever it writes as `source`.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use dataminer_schema::v1::catalog::PackageSource;

/// Finds package files by name in the configured folders.
#[derive(Clone, Debug, Default)]
pub struct PackagePlaces {
    folders: Vec<PathBuf>,
}

/// Why a package file is not at hand.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error("the package `{file}` is in none of the configured places ({})", listed(.places))]
    Missing { file: String, places: Vec<PathBuf> },
    #[error("the source `{source_text}` of package `{file}` is not a place that may be read")]
    Outside { file: String, source_text: String },
    #[error("the source `{source_text}` of package `{file}` is not supported by this release")]
    Unsupported { file: String, source_text: String },
    #[error("looking at {path}: {cause}")]
    Unreadable { path: PathBuf, cause: io::Error },
}

impl PackageError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Missing { .. } => {
                "put the file there under its original name, or add its folder to `packages`"
            }
            Self::Outside { .. } => {
                "write a name or relative path below a folder of the configuration's `packages`"
            }
            Self::Unsupported { .. } => {
                "put the file into a package place and write its relative path as `source`, or leave `source` out"
            }
            Self::Unreadable { .. } => "make the folder readable for this process",
        }
    }
}

impl PackagePlaces {
    /// Looks into these folders, in this order.
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders }
    }

    /// The file of a package, by the `source` of its catalogue entry or else by its name.
    ///
    /// # Errors
    /// A file that is nowhere, or lies outside the folders of the configuration.
    pub fn find(&self, file: &str, source: Option<&PackageSource>) -> Result<PathBuf, PackageError> {
        let source_text = || source.map_or_else(|| file.to_owned(), ToString::to_string);
        let outside = || PackageError::Outside { file: file.to_owned(), source_text: source_text() };
        let wanted = match source {
            None => Path::new(file),
            Some(PackageSource::Relative(path) | PackageSource::File(path)) => Path::new(path),
            Some(PackageSource::Remote(_)) => {
                return Err(PackageError::Unsupported { file: file.to_owned(), source_text: source_text() });
            }
        };
        if wanted.components().any(|part| matches!(part, Component::ParentDir)) {
            return Err(outside());
        }
        for folder in &self.folders {
            // An absolute source replaces the folder, and must then still lie below it.
            let candidate = folder.join(wanted);
            let (Some(found), Some(folder)) = (real(&candidate)?, real(folder)?) else { continue };
            if found.starts_with(&folder) && found.is_file() {
                return Ok(found);
            }
            if found.is_file() && !wanted.is_absolute() {
                // A link that leads out of the place.
                return Err(outside());
            }
        }
        if wanted.is_absolute() && real(wanted)?.is_some() {
            return Err(outside());
        }
        Err(PackageError::Missing { file: file.to_owned(), places: self.folders.clone() })
    }
}

fn real(path: &Path) -> Result<Option<PathBuf>, PackageError> {
    match path.canonicalize() {
        Ok(path) => Ok(Some(path)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(cause) => Err(PackageError::Unreadable { path: path.to_owned(), cause }),
    }
}

fn listed(places: &[PathBuf]) -> String {
    if places.is_empty() {
        return "there are none".to_owned();
    }
    places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_package_is_found_by_name_source_or_absolute_path_inside_a_place_only() {
        let root = tempfile::tempdir().expect("a temporary folder can be made");
        let at = |name: &str| root.path().join(name);
        for folder in ["one", "two/2026", "other"] {
            fs::create_dir_all(at(folder)).expect("a folder can be made");
        }
        for file in ["two/a.dmupgrade", "two/2026/b.dmupgrade", "other/secret"] {
            fs::write(at(file), "x").expect("a file can be written");
        }
        let places = PackagePlaces::new(vec![at("one"), at("missing"), at("two")]);
        let find = |file: &str, source: Option<PackageSource>| places.find(file, source.as_ref());
        let relative = |path: &str| Some(PackageSource::Relative(path.to_owned()));
        let absolute = |name: &str| Some(PackageSource::File(at(name).display().to_string()));
        let real = |name: &str| at(name).canonicalize().expect("the file is there");

        assert_eq!(find("a.dmupgrade", None).expect("it is there"), real("two/a.dmupgrade"));
        assert_eq!(
            find("b.dmupgrade", relative("2026/b.dmupgrade")).expect("it is there"),
            real("two/2026/b.dmupgrade")
        );
        assert_eq!(
            find("a.dmupgrade", absolute("two/a.dmupgrade")).expect("it is there"),
            real("two/a.dmupgrade")
        );

        assert!(matches!(find("c.dmupgrade", None), Err(PackageError::Missing { .. })));
        assert!(matches!(find("a.dmupgrade", absolute("other/secret")), Err(PackageError::Outside { .. })));
        assert!(matches!(
            find("a.dmupgrade", relative("../other/secret")),
            Err(PackageError::Outside { .. })
        ));
        assert!(matches!(find("../other/secret", None), Err(PackageError::Outside { .. })));
        let metadata = PackageSource::Remote("https://169.254.169.254/a".to_owned());
        assert!(matches!(find("a", Some(metadata)), Err(PackageError::Unsupported { .. })));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("other/secret"), at("one/link.dmupgrade"))
                .expect("a link can be made");
            assert!(matches!(find("link.dmupgrade", None), Err(PackageError::Outside { .. })));
        }
    }
}
