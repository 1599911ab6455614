//! What a web package needs of the core that it will meet (W1, W2).

use dataminer_schema::{
    plan::BlockCode,
    v1::knowledge::WebGate,
    version::{MonthIndex, Version},
};

use super::{draft::Draft, route::band_of};
use crate::{
    knowledge::{Knowledge, Rules},
    release::{Release, web_index},
};

/// W1 and W2, judged on the core that the package will meet; the id of the rule that was decisive.
pub(super) fn gate(
    knowledge: &Knowledge,
    wanted: &Version,
    core: &Release,
    draft: &mut Draft,
) -> Option<&'static str> {
    let rules = knowledge.rules();
    if core.at_least(&rules.w1.core) == Some(false) {
        draft.block(
            BlockCode::WebNotSupported,
            Vec::new(),
            format!("core {} knows no separate web packages", core.name()),
            format!("they exist from {} on: want a newer core, or `webApps: unmanaged`", rules.w1.core),
        );
        return Some("W1");
    }
    let WebGate { core: needed, web: _, source: _ } = gate_of(rules, band_of(wanted))?;
    let named = needed.either();
    let dcm = &rules.w2.web_dcm;
    if core.at_least(needed) == Some(false) {
        let equal = equal_level(knowledge, wanted, core)
            .map(|equal| format!(", or web apps {equal}, which are the same level"))
            .unwrap_or_default();
        let help = format!("want core {named} or later first{equal}");
        draft.block(
            BlockCode::WebRequiresNewerCore,
            Vec::new(),
            format!("web apps {} need core {named} or later, not {}", wanted.release_name(), core.name()),
            help,
        );
    } else if core.at_least(&dcm.core) == Some(false) && web_index(wanted) >= web_index(&dcm.level) {
        let first = dcm.core.main().next().unwrap_or(&dcm.level).line();
        draft.warn(
            "WebDcmNeedsCore",
            "W2",
            format!("the Web DcM of these web apps works only with core {first} or later"),
        );
    }
    Some("W2")
}

/// W2: what web apps of a band ask of the core.
fn gate_of(rules: &Rules, band: (u16, u16)) -> Option<&WebGate> {
    let gates = rules.w2.gates.iter().filter(|gate| band_of(&gate.web) <= band);
    gates.max_by_key(|gate| band_of(&gate.web))
}

/// The same level on a line that `core` may have (W4).
fn equal_level(knowledge: &Knowledge, wanted: &Version, core: &Release) -> Option<String> {
    let MonthIndex(level) = web_index(wanted);
    let rules = knowledge.rules();
    let separate = rules.w1.core.main().map(band_of).min();
    let lines = knowledge.main_releases().iter().rev().filter(|&&(major, minor, _)| {
        let line = (major, minor);
        line < (wanted.major(), wanted.minor())
            && match gate_of(rules, line) {
                Some(gate) => core.at_least(&gate.core) == Some(true),
                None => Some(line) >= separate,
            }
    });
    lines.into_iter().find_map(|&(major, minor, last)| {
        let cu = level.checked_sub(12 * minor + 3)?;
        (cu <= last).then(|| Version::new(major, minor, 0).with_cu(cu).release_name())
    })
}
