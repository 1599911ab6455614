//! Modules (DxMs and DcMs) that packages bring, and that no downgrade takes back (`domain/02 section 3`,
//! `domain/03 sections 3 and 5`).

use dataminer_schema::version::Version;

use super::web::Level;
use crate::order::{major, reached};

/// The GQI DxM, as Windows lists it.
pub(crate) const GQI: &str = "DataMiner GQI";
/// The Web DcM.
pub(crate) const WEB: &str = "DataMiner Web";
/// The module that changed its generation with 10.3.8.
pub(crate) const STORAGE: &str = "DataMiner StorageModule";
/// The other one.
pub(crate) const USER_DEFINABLE_API: &str = "DataMiner UserDefinableApiEndpoint";

/// The GQI DxM comes with web apps from 10.5.2 on (`domain/03 section 3`).
pub(crate) fn brings_gqi(web: &Version) -> bool {
    reached(web, (10, 5, 0), (10, 5, 2))
}

/// The Web DcM comes from 10.5.0 CU8/10.5.11 on; the release note lists 10.4.0 CU20 too (`domain/03 section 3`).
pub(crate) fn brings_web(web: &Version) -> bool {
    let late_10_4 = major(web) == (10, 4) && web.cu().is_some_and(|cu| cu >= 20);
    reached(web, (10, 5, 8), (10, 5, 11)) || late_10_4
}

/// The Web DcM runs on core 10.5.0 and later only (`domain/03 section 2`, RN 43439).
pub(crate) fn web_runs_on(core: &Version) -> bool {
    reached(core, (10, 5, 0), (10, 5, 1))
}

/// StorageModule and UserDefinableApiEndpoint: none below 10.3.4, a second generation from 10.3.8 on
/// (`domain/02 section 3`). That the 10.3.0 line has none is inferred.
pub(crate) fn storage_generation(core: &Version) -> Option<u8> {
    if !reached(core, (10, 4, 0), (10, 3, 4)) {
        return None;
    }
    Some(if reached(core, (10, 4, 0), (10, 3, 8)) { 2 } else { 1 })
}

/// What is installed on one Agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Modules {
    gqi: Option<Level>,
    gqi_damaged: bool,
    web: Option<Level>,
    storage: Option<u8>,
    user_definable_api: Option<u8>,
}

impl Modules {
    /// What a clean installation has.
    pub(crate) fn of(core: &Version, web: &Version) -> Self {
        Self {
            gqi: fitting_gqi(web),
            gqi_damaged: false,
            web: fitting_web(core, web),
            storage: storage_generation(core),
            user_definable_api: storage_generation(core),
        }
    }

    /// A package installs what is newer than what is there and leaves the rest alone.
    pub(crate) fn raise(&mut self, core: &Version, web: &Version) {
        self.gqi = self.gqi.max(fitting_gqi(web));
        self.web = self.web.max(fitting_web(core, web));
        self.gqi_damaged = false;
    }

    /// The same of a full package.
    pub(crate) fn raise_all(&mut self, core: &Version) {
        self.raise(core, core);
        self.storage = self.storage.max(storage_generation(core));
        self.user_definable_api = self.user_definable_api.max(storage_generation(core));
    }

    pub(crate) fn damage_gqi(&mut self) {
        self.gqi_damaged = self.gqi.is_some();
    }

    /// Uninstalls a module and installs the one that belongs to the software here; `false` if none does.
    pub(crate) fn reinstall(&mut self, module: &str, core: &Version, web: &Version) -> bool {
        match module {
            GQI => {
                self.gqi = fitting_gqi(web);
                self.gqi_damaged = false;
                self.gqi.is_some()
            }
            WEB => {
                self.web = fitting_web(core, web);
                self.web.is_some()
            }
            STORAGE => {
                self.storage = storage_generation(core);
                self.storage.is_some()
            }
            USER_DEFINABLE_API => {
                self.user_definable_api = storage_generation(core);
                self.user_definable_api.is_some()
            }
            _ => false,
        }
    }

    /// The first module that does not work with the software beside it. One that nothing here uses does no harm.
    pub(crate) fn broken(&self, core: &Version, web: &Version) -> Option<(&'static str, bool)> {
        let Self { gqi, gqi_damaged, web: web_dcm, storage, user_definable_api } = self;
        if *gqi_damaged && fitting_gqi(web).is_some() {
            return Some((GQI, true));
        }
        let too_new = |found: Option<u8>| storage_generation(core).is_some_and(|fits| found > Some(fits));
        let candidates = [
            (GQI, fitting_gqi(web).is_some_and(|fits| *gqi > Some(fits))),
            (WEB, fitting_web(core, web).is_some_and(|fits| *web_dcm > Some(fits))),
            (STORAGE, too_new(*storage)),
            (USER_DEFINABLE_API, too_new(*user_definable_api)),
        ];
        candidates.into_iter().find_map(|(name, broken)| broken.then_some((name, false)))
    }
}

fn fitting_gqi(web: &Version) -> Option<Level> {
    brings_gqi(web).then(|| Level::of(web))
}

fn fitting_web(core: &Version, web: &Version) -> Option<Level> {
    (brings_web(web) && web_runs_on(core)).then(|| Level::of(web))
}
