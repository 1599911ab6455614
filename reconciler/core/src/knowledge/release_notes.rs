//! Where the product tells what a release changes.

use dataminer_schema::{v1::knowledge::ReleaseKind, version::Version};

use super::Knowledge;

/// Where the documentation is published. Its pages keep the paths of their sources there (inferred from the public
/// repository of the documentation, whose paths every `source` names; `domain/README`).
const PUBLISHED: &str = "https://docs.dataminer.services/";

/// The folder of the release notes among the sources.
const RELEASE_NOTES: &str = "release-notes/";

impl Knowledge {
    /// The page of the release notes of a release of the core or the web apps; `None` where no release is listed, or
    /// its source is no such page.
    pub fn release_notes(&self, kind: ReleaseKind, version: &Version) -> Option<String> {
        let fact = match kind {
            ReleaseKind::Core => self.release(version),
            ReleaseKind::Web | ReleaseKind::Cube => self.client_release(kind, version),
        };
        page_of(&fact?.source)
    }
}

/// The published page of a source.
fn page_of(source: &str) -> Option<String> {
    let page = source.strip_suffix(".md").filter(|page| page.starts_with(RELEASE_NOTES))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'.');
    // A source of the user's own may be anything.
    (page.bytes().all(plain) && !page.contains("..")).then(|| format!("{PUBLISHED}{page}.html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_published_under_the_path_of_its_source() {
        assert_eq!(
            page_of("release-notes/General/General_Feature_Release_10.3/General_Feature_Release_10.3.12.md")
                .as_deref(),
            Some(
                "https://docs.dataminer.services/release-notes/General/General_Feature_Release_10.3/General_Feature_Release_10.3.12.html"
            )
        );
        for other in
            ["mail", "release-notes/../../x.md", "release-notes/a b.md", "release-notes/a", "dataminer/a.md"]
        {
            assert_eq!(page_of(other), None, "{other}");
        }
    }

    #[test]
    fn every_listed_release_of_the_core_has_its_page() {
        let knowledge = Knowledge::built_in();
        for version in knowledge.final_releases() {
            assert!(knowledge.release_notes(ReleaseKind::Core, version).is_some(), "{version}");
        }
        let page = |kind, text: &str| knowledge.release_notes(kind, &text.parse().expect("a version"));
        assert!(page(ReleaseKind::Web, "10.6.4").is_some_and(|page| page.contains("Web_apps")));
        assert_eq!(page(ReleaseKind::Core, "10.5.13"), None);
        assert_eq!(page(ReleaseKind::Core, "10.5.0"), None, "a Main Release without its CU is many");
    }
}
