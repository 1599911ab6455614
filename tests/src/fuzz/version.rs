//! Versions and the names of packages, from any text.

use dataminer_schema::version::{PackageFile, PackageKind, PackageName, Track, Version, WebWanted};

pub(super) const WORDS: &[&str] = &[
    "HF_",
    "DataMiner ",
    "10.5.",
    "CU",
    "[CU9]",
    "(CU9)",
    " CU12",
    "-16500",
    " - 16500",
    " – 16782",
    " (build 16889)",
    " build 16239",
    "-20240821-release",
    "_20200520-135714",
    " (hotfix)",
    " Full Upgrade",
    " Web Upgrade",
    " (rc)",
    " (internal)",
    " GER-99162",
    " PS-19",
    ".dmupgrade",
    ".dmupdate",
    "/10.5.12",
    "\u{a0}",
    "٣",
    "\0",
    "bundled",
];

/// A text that is read stays what it is when printed; one that is not is told in few printable words.
///
/// # Panics
/// Where that does not hold.
pub fn version(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match text.parse::<Version>() {
        Ok(version) => read(&text, &version),
        Err(error) => {
            let said = error.with_help();
            assert!(!error.help().is_empty() && said.chars().count() < 600, "{said:?}");
            assert!(!said.contains(char::is_control), "{said:?}");
        }
    }
    match (text.parse::<PackageFile>(), text.parse::<PackageName>()) {
        (Ok(file), Ok(name)) => {
            assert_eq!((file.kind, file.version.as_ref()), (name.kind, Some(&name.version)), "{text:?}");
            assert!(
                matches!(name.kind, PackageKind::Full | PackageKind::Web) && name.version.build().is_some()
            );
            let stem = text.strip_suffix(".dmupgrade").expect("its extension was tested");
            if stem.starts_with("DataMiner ") && !stem["DataMiner ".len()..].contains("DataMiner") {
                assert_eq!(stem.parse().as_ref(), Ok(&name.version), "{stem:?}");
            }
        }
        (Ok(file), Err(_)) => {
            assert!(matches!(file.kind, PackageKind::Tool | PackageKind::Update), "{text:?}");
        }
        (Err(_), name) => assert!(name.is_err(), "{text:?}"),
    }
    if let Ok(wanted) = text.parse::<WebWanted>() {
        assert_eq!(wanted.to_string().parse(), Ok(wanted), "{text:?}");
    }
}

fn read(text: &str, version: &Version) {
    let printed = version.to_string();
    assert_eq!(printed.parse().as_ref(), Ok(version), "{text:?} {printed}");
    assert_eq!(printed.parse::<Version>().map(|again| again.to_string()).as_deref(), Ok(printed.as_str()));
    let release: Version = version.release_name().parse().expect("the name of a release is a version");
    assert!(release.line() == version.line() && release.cu() == version.cu(), "{text:?}");
    assert_eq!(release.month_index(), version.month_index(), "{text:?}");
    assert_eq!(version.track() == Track::Main, version.feature() == 0, "{text:?}");
    assert!(version.agrees_with(version) && version.clone().completed_by(version) == *version, "{text:?}");
    let json = serde_json::to_string(version).expect("a version is a text");
    assert_eq!(serde_json::from_str::<Version>(&json).as_ref().ok(), Some(version), "{json}");
}
