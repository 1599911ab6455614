//! What follows the last install where the web level falls: content (G5, G6) and modules (G5).

use dataminer_schema::{
    plan::{BackupRef, BlockCode, ContentLoss},
    v1::cluster::Restore,
    version::{MonthIndex, Version},
};
use jiff::SignedDuration;

use super::{
    PlanInput,
    backups::{Backups, Candidate, Content, histories},
    course::Course,
    draft::Draft,
    survey::Survey,
};
use crate::{
    knowledge::Rules,
    release::{Release, web_index},
};

/// The GQI DxM, as Windows lists it.
pub(super) const GQI: &str = "DataMiner GQI";

/// The Web DcM, as Windows lists it.
pub(super) const WEB_DCM: &str = "DataMiner Web";

/// What DataMiner itself works with and no package lowers (`domain/02 section 3`): exchanged while it is stopped.
pub(super) const STOPPED_FOR: [&str; 2] = ["DataMiner StorageModule", "DataMiner UserDefinableApiEndpoint"];

/// By how much our own copy may be older than the newest backup of the same content, and still be chosen.
const COPY_LAG: SignedDuration = SignedDuration::from_hours(24);

/// The steps behind the last install.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) cause: Cause,
    /// Absent where nothing shall or can be restored.
    pub(super) restore: Option<Chosen>,
    pub(super) modules: Vec<String>,
}

/// Why there is a tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The web level falls (G5).
    Fall,
    /// The web package makes GQI lose a library (W8).
    Library,
    /// Notes on the Agents ask for it, not this plan's own steps (D6).
    Owed,
}

impl Tail {
    /// Without a step yet.
    pub(super) fn of(cause: Cause) -> Self {
        Self { cause, restore: None, modules: Vec::new() }
    }

    /// W8: GQI is installed again, once.
    pub(super) fn repair_gqi(&mut self) {
        if !self.modules.iter().any(|module| module == GQI) {
            self.modules.insert(0, GQI.to_owned());
        }
    }
}

/// The backup that is restored.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) backup: BackupRef,
    pub(super) loss: Option<ContentLoss>,
}

/// The tail of a plan whose web level falls to `level`.
pub(super) fn plan_restore(
    input: &PlanInput<'_>,
    survey: &Survey<'_>,
    course: &Course<'_>,
    level: &Version,
    draft: &mut Draft,
) -> Tail {
    let restore = match input.desired.cluster.downgrade.restore {
        Restore::None => {
            draft.warn(
                "ContentNotRestored",
                "G5",
                format!(
                    "`downgrade.restore: None`: dashboards and apps that newer web apps have migrated stay, and may not \
                     work with {}",
                    level.release_name()
                ),
            );
            None
        }
        wanted @ (Restore::Matching | Restore::MostRecent) => choose(input, survey, wanted, level, draft),
    };
    let core = course.target.as_ref().map(|target| &target.release);
    Tail {
        cause: Cause::Fall,
        restore,
        modules: core.map(|core| modules(survey.rules, level, core)).unwrap_or_default(),
    }
}

/// The modules that come with these web apps and are not downgraded by any package (`domain/03 section 5`).
fn modules(rules: &Rules, level: &Version, core: &Release) -> Vec<String> {
    let Some(web) = Release::exact(level.clone()) else { return Vec::new() };
    let gqi = (web.at_least(&rules.g5.gqi) == Some(true)).then_some(GQI);
    let runs = core.at_least(&rules.w2.web_dcm.core) == Some(true);
    let dcm = runs && web.at_least(&rules.g5.web_dcm) == Some(true);
    gqi.into_iter().chain(dcm.then_some(WEB_DCM)).map(str::to_owned).collect()
}

/// G6: the backup, pinned by its hash.
fn choose(
    input: &PlanInput<'_>,
    survey: &Survey<'_>,
    wanted: Restore,
    level: &Version,
    draft: &mut Draft,
) -> Option<Chosen> {
    let backups = Backups::of(input, survey);
    let index = web_index(level);
    let Some(candidate) = pick(&backups.usable, wanted, index) else {
        no_backup(&backups, level, draft);
        return None;
    };
    let named = candidate.describe();
    if wanted == Restore::Matching && candidate.level() != Some(index) {
        draft.warn(
            "OlderContentChosen",
            "G6",
            format!("no backup holds content of {}; the newest older one is {named}", level.release_name()),
        );
    }
    if let Content::Inferred(_, agents) = &candidate.content {
        draft.warn(
            "ContentVersionInferred",
            "G6",
            format!(
                "no record tells which web apps wrote {named}: that is inferred from {}",
                histories(agents)
            ),
        );
    }
    if candidate.backup.torn {
        draft.warn(
            "TornBackup",
            "G6",
            format!("content changed while {named} was copied, and no other serves"),
        );
    }
    Some(Chosen { backup: candidate.pinned(), loss: candidate.loss(survey.names()) })
}

/// `candidates`: the newest first. Torn ones only where nothing else serves.
fn pick<'c, 'a>(
    candidates: &'c [Candidate<'a>],
    wanted: Restore,
    level: MonthIndex,
) -> Option<&'c Candidate<'a>> {
    [false, true].into_iter().find_map(|torn| {
        let of = |serves: &dyn Fn(MonthIndex) -> bool| {
            let fits = |candidate: &&Candidate<'a>| {
                candidate.backup.torn == torn && candidate.level().is_some_and(serves)
            };
            copy_first(candidates.iter().filter(fits).collect())
        };
        match wanted {
            Restore::Matching => of(&|found| found == level).or_else(|| of(&|found| found < level)),
            Restore::MostRecent => of(&|found| found <= level),
            Restore::None => None,
        }
    })
}

/// The newest, or our own copy at equal content: the product's zips leave out old app versions.
///
/// By the letter of G6 a copy wins whatever its age. One from a first trial months ago would then throw away months
/// of dashboards that a zip of last night holds, for the sake of old app versions: the copy wins only while it is at
/// most [`COPY_LAG`] older.
fn copy_first<'c, 'a>(newest_first: Vec<&'c Candidate<'a>>) -> Option<&'c Candidate<'a>> {
    let newest = *newest_first.first()?;
    let mut copies =
        newest_first.iter().filter(|candidate| candidate.is_copy() && candidate.level() == newest.level());
    let copy = copies.next().filter(|copy| match (copy.backup.at, newest.backup.at) {
        (Some(copied), Some(at)) => copied.duration_until(at) <= COPY_LAG,
        (None, Some(_)) => false,
        (_, None) => true,
    });
    Some(copy.copied().unwrap_or(newest))
}

fn no_backup(backups: &Backups<'_>, level: &Version, draft: &mut Draft) {
    let unhashed = backups.unhashed().map(|unhashed| format!("; {unhashed}")).unwrap_or_default();
    draft.block(
        BlockCode::NoMatchingBackup,
        Vec::new(),
        format!(
            "no content backup is known to hold content that web apps {} can read (there are: {})",
            level.release_name(),
            backups.describe()
        ),
        format!(
            "want a level for which there is a backup, or write `downgrade.restore: None` to keep dashboards and apps \
             as they are{unhashed}"
        ),
    );
}
