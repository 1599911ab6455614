//! `apiVersion` and `kind`: what a document is, before anything else of it is read.

use super::{
    check::quoted,
    source::Source,
    tree::{Node, Value},
};
use crate::{diagnostic::Code, document::Kind, v1::API_VERSION};

/// The kind of a document, or what is wrong with its first lines.
pub(super) fn read_kind(source: &mut Source<'_>, node: &Node, kinds: &[Kind]) -> Option<Kind> {
    let first = node.span.start..node.span.end.min(node.span.start + 1);
    let Value::Mapping(_) = node.value else {
        let message = "a document is a mapping with `apiVersion`, `kind`, `metadata` and `spec`";
        let help = format!("start with `apiVersion: {API_VERSION}`");
        source.error(&first, Code::NotADocument, message, help);
        return None;
    };
    let version = node.get("apiVersion");
    let right_version = version.and_then(Node::text) == Some(API_VERSION);
    if !right_version {
        let (place, message) = match version {
            Some(version) => {
                let written = source.text.get(version.span.clone()).unwrap_or_default();
                (
                    version.span.clone(),
                    format!("`apiVersion` {} is not one that this release reads", quoted(written)),
                )
            }
            None => (first.clone(), "`apiVersion` is missing".to_owned()),
        };
        let help = format!(
            "write `apiVersion: {API_VERSION}`; a file that is no manifest belongs outside the path of the manifests"
        );
        source.error(&place, Code::UnknownApiVersion, message, help);
    }
    let Some(kind) = node.get("kind") else {
        // A file that is something else altogether needs one word, not two.
        if right_version {
            let help = format!("add `kind`, one of {}", names(kinds));
            source.error(&first, Code::UnknownKind, "`kind` is missing", help);
        }
        return None;
    };
    let written = kind.text().unwrap_or_default();
    let Some(found) = Kind::ALL.into_iter().find(|known| known.name() == written) else {
        if !right_version {
            return None;
        }
        let near = kinds.iter().find(|known| {
            strsim::damerau_levenshtein(&known.name().to_lowercase(), &written.to_lowercase()) <= 3
        });
        let help = match near {
            Some(near) => format!("did you mean `{}`?", near.name()),
            None => format!("write one of {}", names(kinds)),
        };
        source.error(&kind.span, Code::UnknownKind, format!("there is no kind {}", quoted(written)), help);
        return None;
    };
    if !kinds.contains(&found) {
        let help = match found {
            Kind::ReconcilerConfig => {
                "the process's own file is given by `--config`, never by the fleet repository"
            }
            Kind::ReleaseKnowledge => {
                "release knowledge is given by `--knowledge` or by the process's own file, never by the fleet repository"
            }
            Kind::Observation => "observations are given by `--observed`, never by the fleet repository",
            Kind::Cluster | Kind::Profile | Kind::PackageCatalog | Kind::Rollout | Kind::Advisory => {
                "manifests are given by `-f` or lie in the fleet repository"
            }
        };
        source.error(
            &kind.span,
            Code::KindNotHere,
            format!("a {written} has no place here"),
            help.to_owned(),
        );
        return None;
    }
    right_version.then_some(found)
}

fn names(kinds: &[Kind]) -> String {
    let names: Vec<String> = kinds.iter().map(|kind| format!("`{}`", kind.name())).collect();
    names.join(", ")
}
