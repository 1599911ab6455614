//! Reads manifests from folders and files on disk, for the verbs that work without a repository.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;
use dataminer_schema::load::SourceFile;

use super::intake::{Intake, Limits, Name, Refusal, judge_name};

/// Reads every path: a folder as [`read_tree`] does, a file whatever its name. Paths stay as the user wrote
/// them, so that positions in messages can be clicked.
///
/// # Errors
/// A path that does not exist or cannot be read.
pub fn read_paths(paths: &[PathBuf], limits: Limits) -> anyhow::Result<(Vec<SourceFile>, Vec<Refusal>)> {
    let mut intake = Intake::new(limits);
    for path in paths {
        // The user named this very path, so a link here is followed; links below it are not.
        let kind = fs::metadata(path).with_context(|| format!("reading {}", path.display()))?;
        if kind.is_dir() {
            walk(path, &mut intake)?;
        } else if intake.admit(&path.display().to_string(), kind.len()) {
            take(path, &mut intake)?;
        }
    }
    Ok(intake.finish())
}

/// Reads `*.yaml` and `*.yml` below `root`, under the same rules as a commit's tree.
///
/// # Errors
/// A folder that does not exist or cannot be read.
pub fn read_tree(root: &Path, limits: Limits) -> anyhow::Result<(Vec<SourceFile>, Vec<Refusal>)> {
    read_paths(&[root.to_owned()], limits)
}

fn walk(root: &Path, intake: &mut Intake) -> anyhow::Result<()> {
    let mut open = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = open.pop() {
        let listing =
            fs::read_dir(&folder).with_context(|| format!("reading the folder {}", folder.display()))?;
        for entry in listing {
            let entry = entry.with_context(|| format!("reading the folder {}", folder.display()))?;
            let path = entry.path();
            let shown = path.display().to_string();
            if !intake.enter(&shown) {
                return Ok(());
            }
            let name = judge_name(entry.file_name().as_encoded_bytes());
            if name == Name::Hidden {
                continue;
            }
            let kind = entry.file_type().with_context(|| format!("reading {shown}"))?;
            if kind.is_symlink() {
                intake.refuse(
                    &shown,
                    "it is a symbolic link",
                    "put the file itself there: links are never followed",
                );
            } else if kind.is_dir() {
                match name {
                    Name::Odd(why) => {
                        intake.refuse(&shown, format!("the folder is not read: {why}"), "rename it");
                    }
                    Name::Manifest | Name::Other | Name::Hidden => {
                        if intake.descend(&shown, depth + 1) {
                            open.push((path, depth + 1));
                        }
                    }
                }
            } else if name == Name::Manifest {
                if !kind.is_file() {
                    intake.refuse(&shown, "it is not a plain file", "remove the device, pipe or socket");
                    continue;
                }
                let size = entry.metadata().with_context(|| format!("reading {shown}"))?.len();
                if intake.admit(&shown, size) {
                    take(&path, intake)?;
                }
            }
        }
    }
    Ok(())
}

fn take(path: &Path, intake: &mut Intake) -> anyhow::Result<()> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        // An editor replaced the file between listing and reading.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    intake.take(path.display().to_string(), bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_like_a_commit() {
        let root = tempfile::tempdir().expect("a temporary folder can be made");
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("clusters/.git")).expect("a folder can be made");
        fs::write(at("clusters/b.yaml"), "b").expect("a file can be written");
        fs::write(at("a.yml"), "a").expect("a file can be written");
        fs::write(at("README.md"), "no").expect("a file can be written");
        fs::write(at("clusters/.git/x.yaml"), "no").expect("a file can be written");
        fs::write(at("big.yaml"), vec![b'#'; 2000]).expect("a file can be written");
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/passwd", at("link.yaml")).expect("a link can be made");

        let limits = Limits { file_bytes: 1000, ..Limits::default() };
        let (files, refused) = read_tree(root.path(), limits).expect("the folder can be read");
        let names: Vec<_> = files
            .iter()
            .map(|f| f.path.strip_prefix(&format!("{}/", root.path().display())).unwrap_or("?"))
            .collect();
        assert_eq!(names, ["a.yml", "clusters/b.yaml"]);
        assert_eq!(refused.len(), 2, "{refused:?}");
        assert!(refused.iter().any(|r| r.path.ends_with("link.yaml") && r.message.contains("symbolic link")));
        assert!(refused.iter().any(|r| r.path.ends_with("big.yaml") && r.message.contains("2000 bytes")));
    }

    #[test]
    fn a_missing_path_is_an_error_that_names_it() {
        let error = read_paths(&["/nowhere/at/all".into()], Limits::default()).expect_err("nothing is there");
        assert!(format!("{error:#}").contains("/nowhere/at/all"));
    }
}
