//! Which hotfix an Agent shows (D4): VersionHistory.txt names a hotfix as its package is called (`domain/01`, notation 2).

use dataminer_schema::version::Version;

/// A package's name without its extension.
pub(crate) fn stem(package: &str) -> &str {
    package.trim().strip_suffix(".dmupgrade").unwrap_or(package.trim())
}

/// Whether an entry of VersionHistory.txt is that of `package`. Two hotfixes on one base differ in nothing but their
/// names; a custom build may also be told by its number.
pub(crate) fn shows(package: &str, entry: &str) -> bool {
    let named = stem(package);
    named.eq_ignore_ascii_case(entry.trim())
        || matches!((named.parse::<Version>(), entry.parse::<Version>()), (Ok(named), Ok(shown))
            if named == shown && shown.is_hotfix() && shown.build().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d4_a_hotfix_is_told_by_its_name_and_a_custom_build_by_its_number() {
        let name = "HF_10.5.0.0(CU9)_20251120-135714";
        assert!(shows(name, name) && shows(&format!("{name}.dmupgrade"), name));
        assert!(shows(&name.to_lowercase(), name));
        // On the same base, and yet another.
        assert!(!shows(name, "HF_10.5.0.0(CU9)_20251221-101010"));
        // An older product wrote no more than this (RN 26067): which hotfix it is, is not told.
        assert!(!shows(name, "Hotfix"));
        assert!(shows("10.5.9.0-15588-20250319-custom", "10.5.9.0-15588-20250401-custom"));
        assert!(!shows("10.5.9.0-15588-20250319-release", "10.5.9.0-15588-20250401-release"));
    }
}
