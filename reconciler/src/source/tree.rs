//! Reads the manifests below a path of a commit from the object store.

use dataminer_schema::load::SourceFile;
use git2::{ObjectType, Oid, Repository, Tree};

use super::intake::{Intake, Limits, Name, Refusal, judge_name};

const SYMLINK: i32 = 0o120_000;

/// Files and refusals below `root`; paths are relative to the repository.
///
/// # Errors
/// Objects that the repository lacks or that are damaged.
pub(super) fn read(
    repository: &Repository,
    root: &Tree<'_>,
    prefix: &str,
    limits: Limits,
) -> Result<(Vec<SourceFile>, Vec<Refusal>), git2::Error> {
    let odb = repository.odb()?;
    let mut intake = Intake::new(limits);
    let mut open: Vec<(Oid, String, usize)> = vec![(root.id(), prefix.to_owned(), 0)];
    while let Some((id, folder, depth)) = open.pop() {
        // A damaged or hostile tree of huge size is refused before it is parsed.
        let (size, _) = odb.read_header(id)?;
        if size as u64 > limits.total_bytes {
            intake.refuse(&folder, format!("the folder's listing has {size} bytes"), "split the folder");
            continue;
        }
        let tree = repository.find_tree(id)?;
        for entry in &tree {
            let raw = entry.name_bytes();
            let path = join(&folder, &String::from_utf8_lossy(raw));
            if !intake.enter(&path) {
                return Ok(intake.finish());
            }
            let name = judge_name(raw);
            if name == Name::Hidden {
                continue;
            }
            if entry.filemode() == SYMLINK {
                intake.refuse(
                    &path,
                    "it is a symbolic link",
                    "put the file itself there: links are never followed",
                );
                continue;
            }
            match entry.kind() {
                Some(ObjectType::Tree) => match name {
                    Name::Odd(why) => {
                        intake.refuse(&path, format!("the folder is not read: {why}"), "rename it");
                    }
                    Name::Manifest | Name::Other | Name::Hidden => {
                        if intake.descend(&path, depth + 1) {
                            open.push((entry.id(), path, depth + 1));
                        }
                    }
                },
                Some(ObjectType::Blob) => match name {
                    Name::Odd(why) if looks_like_manifest(raw) => {
                        intake.refuse(&path, format!("the file is not read: {why}"), "rename it");
                    }
                    Name::Manifest => {
                        let (size, _) = odb.read_header(entry.id())?;
                        if intake.admit(&path, size as u64) {
                            let blob = repository.find_blob(entry.id())?;
                            intake.take(path, blob.content().to_vec());
                        }
                    }
                    Name::Odd(_) | Name::Other | Name::Hidden => {}
                },
                Some(ObjectType::Commit) => {
                    intake.refuse(
                        &path,
                        "it is a submodule",
                        "copy the manifests in: submodules are never fetched",
                    );
                }
                Some(ObjectType::Any | ObjectType::Tag) | None => {
                    intake.refuse(&path, "it is neither file nor folder", "remove it");
                }
            }
        }
    }
    Ok(intake.finish())
}

/// Whether a file under an odd name would have been read under a plain one.
fn looks_like_manifest(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    [&b".yaml"[..], b".yml"].iter().any(|end| lower.windows(end.len()).any(|part| part == *end))
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
