//! What a web package needs of the core that it will meet (W1, W2).

use dataminer_schema::{
    plan::BlockCode,
    version::{MonthIndex, Version},
};

use super::draft::Draft;
use crate::{
    knowledge,
    release::{Release, Threshold, web_index},
};

/// W1: the first core with separate web packages (`domain/03 section 2`).
const SEPARATE: Threshold = Threshold::new((10, 3, 0), (10, 3, 3, 0));

/// W2: what web 10.5.x needs (RN 41395).
const FOR_10_5: Threshold = Threshold::new((10, 4, 0), (10, 4, 1, 0));

/// W2: what web 10.6.x and above needs (RN 44103).
const FOR_10_6: Threshold = Threshold::new((10, 5, 0), (10, 5, 1, 0));

/// W1 and W2, judged on the core that the package will meet; the id of the rule that was decisive.
pub(super) fn gate(wanted: &Version, core: &Release, draft: &mut Draft) -> Option<&'static str> {
    if core.at_least(&SEPARATE) == Some(false) {
        draft.block(
            BlockCode::WebNotSupported,
            Vec::new(),
            format!("core {} knows no separate web packages", core.name()),
            "they exist from 10.3.0/10.3.3 on: want a newer core, or `webApps: unmanaged`",
        );
        return Some("W1");
    }
    let band = (wanted.major(), wanted.minor());
    let (needed, named) = match band {
        (10, 5) => (FOR_10_5, "10.4.0 or 10.4.1"),
        above if above >= (10, 6) => (FOR_10_6, "10.5.0 or 10.5.1"),
        _ => return None,
    };
    if core.at_least(&needed) == Some(false) {
        let equal = equal_level(wanted, core)
            .map(|equal| format!(", or web apps {equal}, which are the same level"))
            .unwrap_or_default();
        let help = format!("want core {named} or later first{equal}");
        draft.block(
            BlockCode::WebRequiresNewerCore,
            Vec::new(),
            format!("web apps {} need core {named} or later, not {}", wanted.release_name(), core.name()),
            help,
        );
    } else if core.band() == (10, 4) && web_index(wanted) >= MonthIndex(71) {
        // 10.5.11 on: the Web DcM works only with core 10.5.0 or later (RN 43439).
        draft.warn(
            "WebDcmNeedsCore",
            "W2",
            "the Web DcM of these web apps works only with core 10.5.0 or later",
        );
    }
    Some("W2")
}

/// The same level on a line that `core` may have (W4).
fn equal_level(wanted: &Version, core: &Release) -> Option<String> {
    let MonthIndex(level) = web_index(wanted);
    let lines = knowledge::MAIN_RELEASES.iter().rev().filter(|&&(major, minor, _)| {
        let line = (major, minor);
        line < (wanted.major(), wanted.minor())
            && match line {
                (10, 5) => core.at_least(&FOR_10_5) == Some(true),
                _ => line >= (10, 3),
            }
    });
    lines.into_iter().find_map(|&(major, minor, last)| {
        let cu = level.checked_sub(12 * minor + 3)?;
        (cu <= last).then(|| Version::new(major, minor, 0).with_cu(cu).release_name())
    })
}
