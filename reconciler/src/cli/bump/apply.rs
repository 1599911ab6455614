//! The decisions as edits of files, checked before the first byte is written.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use dataminer_core::bump::{Decision, Field, Raise};
use dataminer_schema::{
    load::{Fleet, Located, SourceFile, has_errors, load_fleet},
    v1::cluster::Cluster,
    version::{Version, WebWanted},
};
use serde::Deserialize as _;
use serde_yaml::Value;

use super::{
    file_of, nowhere,
    places::{Place, Written},
};
use crate::{
    cli::Helpful,
    edit::{self, Replacement},
};

/// What becomes of the files.
pub(super) struct Edits {
    /// The new text by place.
    places: BTreeMap<Place, String>,
    /// The new bytes by path.
    files: BTreeMap<String, Vec<u8>>,
}

impl Edits {
    /// The edits of everything that is raised in the clusters of `moved`.
    ///
    /// # Errors
    /// A value that cannot be changed in place.
    pub(super) fn plan(
        fleet: &Fleet,
        files: &[SourceFile],
        decisions: &[Decision],
        written: &[Written],
        moved: &BTreeSet<usize>,
    ) -> anyhow::Result<Self> {
        let mut places = BTreeMap::new();
        for (cluster, field, raise) in raises(decisions, moved) {
            let found = written.iter().find(|written| written.cluster == cluster && written.field == field);
            let Some(written) = found else {
                return Err(nowhere(&fleet.clusters[cluster].value.name, field));
            };
            let text = spelt(&written.text, raise);
            let place: &mut String = places.entry(written.place.clone()).or_default();
            // Of two that agree the one that also tells the build.
            if text.len() > place.len() {
                *place = text;
            }
        }
        let mut by_file: BTreeMap<&str, Vec<Replacement>> = BTreeMap::new();
        for (Place { path, start, end }, value) in &places {
            by_file.entry(path).or_default().push(Replacement { span: *start..*end, value: value.clone() });
        }
        let mut edited = BTreeMap::new();
        for (path, replacements) in by_file {
            let Some(file) = file_of(files, path) else { continue };
            let bytes = edit::replace(&file.bytes, &replacements).map_err(|error| {
                let lines: Vec<String> = written
                    .iter()
                    .filter(|written| written.place.path == path && places.contains_key(&written.place))
                    .map(|written| written.line.to_string())
                    .collect();
                Helpful::new(format!("{path} (line {}): {error}", lines.join(", ")), error.help())
            })?;
            edited.insert(path.to_owned(), bytes);
        }
        Ok(Self { places, files: edited })
    }

    /// How many files change.
    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    /// Reads the result as it would be read from the disk: exactly what was decided must have changed.
    ///
    /// # Errors
    /// Anything else that changed; then nothing may be written.
    pub(super) fn verify(
        &self,
        fleet: &Fleet,
        files: &[SourceFile],
        decisions: &[Decision],
        moved: &BTreeSet<usize>,
    ) -> anyhow::Result<()> {
        if self.files.is_empty() {
            return Ok(());
        }
        let after: Vec<SourceFile> = files
            .iter()
            .map(|file| match self.files.get(&file.path) {
                Some(bytes) => SourceFile { path: file.path.clone(), bytes: bytes.clone() },
                None => file.clone(),
            })
            .collect();
        let (reread, diagnostics) = load_fleet(&after);
        let mut expected: Vec<Cluster> = fleet.clusters.iter().map(|cluster| cluster.value.clone()).collect();
        for (cluster, field, raise) in raises(decisions, moved) {
            let software = &mut expected[cluster].software;
            match field {
                Field::Core => software.core = raise.to.clone(),
                Field::WebApps => software.web_apps = WebWanted::Version(raise.to.clone()),
            }
        }
        let same_cluster = |(now, expected): (&Located<Cluster>, &Cluster)| {
            let mut now = now.value.clone();
            let (read, wanted) = (&mut now.software, &expected.software);
            // A value that is written without its build is the same release.
            if read.core.agrees_with(&wanted.core) {
                read.core = wanted.core.clone();
            }
            if let (WebWanted::Version(web), WebWanted::Version(level)) = (&read.web_apps, &wanted.web_apps)
                && web.agrees_with(level)
            {
                read.web_apps = wanted.web_apps.clone();
            }
            now == *expected
        };
        let unchanged = reread.clusters.len() == expected.len()
            && reread.clusters.iter().zip(&expected).all(same_cluster)
            && values(&reread.profiles) == values(&fleet.profiles)
            && values(&reread.catalogs) == values(&fleet.catalogs)
            && values(&reread.rollouts) == values(&fleet.rollouts)
            && values(&reread.advisories) == values(&fleet.advisories);
        if has_errors(&diagnostics) || !unchanged {
            return Err(unintended("something else in the manifests would change as well"));
        }
        for (path, bytes) in &self.files {
            let Some(before) = file_of(files, path) else { continue };
            only_versions(path, &before.bytes, bytes)?;
        }
        Ok(())
    }

    /// Writes the files.
    ///
    /// # Errors
    /// As [`edit::write_all`].
    pub(super) fn write(&self, files: &[SourceFile]) -> anyhow::Result<()> {
        let changes: Vec<edit::Change<'_>> = self
            .files
            .iter()
            .filter_map(|(path, after)| {
                let before = &file_of(files, path)?.bytes;
                Some(edit::Change { path: Path::new(path), before, after: after.clone() })
            })
            .collect();
        debug_assert_eq!(changes.len(), self.files.len(), "{:?}", self.places);
        edit::write_all(&changes).map_err(|error| Helpful::new(error.to_string(), error.help()).into())
    }
}

fn values<T: Clone>(located: &[Located<T>]) -> Vec<T> {
    located.iter().map(|located| located.value.clone()).collect()
}

/// What is raised in the clusters of `moved`.
pub(super) fn raises<'a>(
    decisions: &'a [Decision],
    moved: &'a BTreeSet<usize>,
) -> impl Iterator<Item = (usize, Field, &'a Raise)> {
    let fields = [Field::Core, Field::WebApps];
    moved.iter().filter_map(|at| Some((*at, decisions.get(*at)?))).flat_map(move |(at, decision)| {
        fields.into_iter().filter_map(move |field| Some((at, field, decision.verdict(field).raise()?)))
    })
}

/// The new version in the manner of the old: its build is written where one was, and could be.
fn spelt(old: &str, raise: &Raise) -> String {
    let had_build = old.parse::<Version>().is_ok_and(|old| old.build().is_some());
    // Of a re-release nothing but the build differs.
    let only_build = raise.from.clone().without_build().release_name() == raise.to.release_name();
    if had_build || only_build { raise.to.to_string() } else { raise.to.release_name() }
}

fn unintended(what: &str) -> anyhow::Error {
    Helpful::new(
        format!("nothing was written: {what}"),
        "an anchor (`&name`) of the version is used elsewhere too: write the version out there",
    )
    .into()
}

/// Also what no type of the language holds must stay: annotations, for one. Compared with another YAML reader, where it
/// reads the file.
fn only_versions(path: &str, before: &[u8], after: &[u8]) -> anyhow::Result<()> {
    let (Some(before), Some(after)) = (documents(before), documents(after)) else { return Ok(()) };
    let fits = before.len() == after.len()
        && before.iter().zip(&after).all(|(before, after)| differs_in_versions_only(before, after, ""));
    if fits { Ok(()) } else { Err(unintended(&format!("in {path} more than versions would change"))) }
}

fn documents(bytes: &[u8]) -> Option<Vec<Value>> {
    let text = std::str::from_utf8(bytes).ok()?;
    serde_yaml::Deserializer::from_str(text.trim_start_matches('\u{feff}'))
        .map(|document| Value::deserialize(document).ok())
        .collect()
}

fn differs_in_versions_only(before: &Value, after: &Value, path: &str) -> bool {
    match (before, after) {
        (Value::Mapping(before), Value::Mapping(after)) => {
            before.len() == after.len()
                && before.iter().zip(after).all(|((key, before), (other, after))| {
                    let name = key.as_str().unwrap_or("?");
                    key == other && differs_in_versions_only(before, after, &format!("{path}.{name}"))
                })
        }
        (Value::Sequence(before), Value::Sequence(after)) => {
            before.len() == after.len()
                && before
                    .iter()
                    .zip(after)
                    .all(|(before, after)| differs_in_versions_only(before, after, &format!("{path}[]")))
        }
        _ => before == after || matches!(path, ".spec.software.core" | ".spec.software.webApps"),
    }
}
