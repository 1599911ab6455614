//! What the files of one folder are, told at a glance: every file is parsed once, and as what it is.

use dataminer_schema::load::SourceFile;

/// What files given together are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Manifests; also what cannot be told, since their reader explains best what is wrong.
    Fleet,
    /// What was seen of clusters.
    Observations,
    /// The process's own file.
    Configuration,
    /// What is known of DataMiner's releases.
    Knowledge,
}

/// Kinds that lie in a fleet's folder. A stranger among them is an error there, not another kind of folder.
const FLEET: [&str; 5] = ["Cluster", "Profile", "PackageCatalog", "Rollout", "Advisory"];

impl Holding {
    /// By the first words of the documents. A document that does not say what it is changes nothing.
    pub fn of(files: &[SourceFile]) -> Self {
        let mut found = Self::Fleet;
        for file in files {
            for kind in kinds(&file.bytes) {
                match kind {
                    "Observation" => found = Self::Observations,
                    "ReconcilerConfig" if found == Self::Fleet => found = Self::Configuration,
                    "ReleaseKnowledge" if found == Self::Fleet => found = Self::Knowledge,
                    kind if FLEET.contains(&kind) => return Self::Fleet,
                    _ => {}
                }
            }
        }
        found
    }
}

/// The words behind `kind:`, of documents and of whatever else has that field, in YAML or JSON.
fn kinds(bytes: &[u8]) -> impl Iterator<Item = &str> {
    const QUOTES: [char; 2] = ['"', '\''];
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.match_indices("kind").filter_map(|(at, field)| {
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            return None;
        }
        let rest = text[at + field.len()..].trim_start_matches(QUOTES).trim_start_matches(' ');
        let value = rest.strip_prefix(':')?.trim_start_matches([' ', '\t', '"', '\'']);
        let end = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
        Some(&value[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(texts: &[&str]) -> Holding {
        let file = |text: &&str| SourceFile { path: "a.yaml".to_owned(), bytes: text.as_bytes().to_vec() };
        Holding::of(&texts.iter().map(file).collect::<Vec<_>>())
    }

    #[test]
    fn folders_are_told_apart_by_the_kinds_in_them() {
        let cluster = "kind: Cluster\nspec:\n  agents: [{ kind: DMA }]\n";
        for (texts, expected) in [
            (&[cluster][..], Holding::Fleet),
            (&[], Holding::Fleet),
            (&["", "\u{feff}nothing"], Holding::Fleet),
            (&["kind: Observation", "broken: ["], Holding::Observations),
            (&["{\"kind\": \"Observation\"}"], Holding::Observations),
            (&["{ apiVersion: x, kind : 'ReconcilerConfig' }"], Holding::Configuration),
            (&["kind: ReconcilerConfig", "kind: Observation"], Holding::Observations),
            (&["kind: ReconcilerConfig", "kind: Observation", cluster], Holding::Fleet),
            (&["mankind: Observation"], Holding::Fleet),
            (&["kind: Observation\r\n"], Holding::Observations),
            (&["kind: Clutser"], Holding::Fleet),
            (&["kind: ReleaseKnowledge"], Holding::Knowledge),
            (&["kind: ReleaseKnowledge", cluster], Holding::Fleet),
        ] {
            assert_eq!(holding(texts), expected, "{texts:?}");
        }
        let file = SourceFile { path: "a.yaml".to_owned(), bytes: b"kind: Observation \xff".to_vec() };
        assert_eq!(Holding::of(&[file]), Holding::Fleet, "the reader of manifests says that it is not UTF-8");
    }
}
