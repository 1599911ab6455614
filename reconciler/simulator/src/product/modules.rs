//! The modules (DxMs and DcMs) that packages bring along, and how they fit the software (`domain/02 section 3`,
//! `domain/03 section 3`).
//!
//! Version numbers are documented for StorageModule and UserDefinableApiEndpoint only, at 10.3.8. Those of the others
//! follow the web level or core here, so that newer software has newer ones `[I]`.

use dataminer_schema::version::Version;
use sha2::{Digest, Sha256};

use super::agent::Agent;
use crate::{
    inspect::{ModuleReport, ModuleState},
    model::modules::{
        GQI, STORAGE, USER_DEFINABLE_API, WEB, brings_gqi, brings_web, storage_generation, web_runs_on,
    },
    order,
    spec::AgentSpec,
    windows::{Machine, Msi, Registry, Service, installed, lock, register},
};

const API_GATEWAY: &str = "DataMiner APIGateway";

/// A module with a product code of its own for each version.
fn msi(name: &str, version: String) -> Msi {
    let hash = hex::encode_upper(Sha256::digest(format!("{name} {version}")));
    let parts = [&hash[..8], &hash[8..12], &hash[12..16], &hash[16..20], &hash[20..32]];
    Msi { code: format!("{{{}}}", parts.join("-")), name: name.to_owned(), version }
}

/// The number of the Feature Release of a version's month: both tracks have the same web apps (`domain/03 section 1`).
fn number(version: &Version) -> String {
    let month = order::months(version).saturating_sub(1);
    let (year, month) = (month / 12, month % 12 + 1);
    format!("{}.{}.{month}", year / 100, year % 100)
}

/// What a web package brings, and a full one of the same version.
pub(crate) fn of_web(web: &Version) -> Vec<Msi> {
    let mut modules = Vec::new();
    if brings_gqi(web) {
        modules.push(msi(GQI, number(web)));
    }
    if brings_web(web) {
        modules.push(msi(WEB, number(web)));
    }
    modules
}

/// What a full package brings beside them.
pub(crate) fn of_core(core: &Version) -> Vec<Msi> {
    let mut modules = vec![msi(API_GATEWAY, number(core))];
    if let Some(generation) = storage_generation(core) {
        let (storage, api) = if generation == 2 { ("3.0.3", "2.0.0") } else { ("1.0.1", "1.1.1") };
        modules.push(msi(STORAGE, storage.to_owned()));
        modules.push(msi(USER_DEFINABLE_API, api.to_owned()));
    }
    modules
}

/// Web DcM runs on this core and newer ones only (`domain/03 section 2`).
fn runs_on(module: &Msi, core: &Version) -> bool {
    module.name != WEB || web_runs_on(core)
}

/// The uninstall keys of a new server.
pub(crate) fn write(registry: &mut Registry, spec: &AgentSpec) {
    let web = spec.web.as_ref().unwrap_or(&spec.core);
    let modules = match &spec.modules {
        Some(named) => named.iter().map(|module| msi(&module.name, module.version.clone())).collect(),
        None => {
            of_core(&spec.core).into_iter().chain(of_web(web)).filter(|m| runs_on(m, &spec.core)).collect()
        }
    };
    let modules: Vec<Msi> = modules;
    modules.iter().for_each(|module| register(registry, module));
    register(registry, &msi("Microsoft Edge", "141.0.3537.57".to_owned()));
}

/// What an upgrade does with the modules of its package: newer ones are installed, those that are newer already stay.
pub(super) fn upgrade(agent: &Agent, modules: &[Msi]) {
    let core = agent.state().core;
    for module in modules.iter().filter(|module| runs_on(module, &core)) {
        agent.machine.upgrade_msi(module);
    }
}

fn is_module(msi: &Msi) -> bool {
    msi.name.starts_with("DataMiner ")
}

/// A service for every module that is installed.
pub(super) fn services(machine: &Machine) -> Vec<Service> {
    let mut names: Vec<String> =
        installed(&lock(&machine.registry)).into_iter().filter(is_module).map(|module| module.name).collect();
    names.sort();
    names.dedup();
    let service = |name: String| Service { running: !machine.is_damaged(&name), name };
    names.into_iter().map(service).collect()
}

/// A module that keeps DataMiner from starting: 10.3.4 to 10.3.7 stay at "Starting up (xx%)" beside what a later release
/// left behind, and nothing but an exchange of it helps (`domain/02 section 3`). A corrupted one does so too `[I]`.
pub(super) fn in_the_way(agent: &Agent) -> Option<&'static str> {
    let core = agent.state().core;
    if storage_generation(&core) != Some(1) {
        return None;
    }
    let wanted = of_core(&core);
    let found = installed(&lock(&agent.machine.registry));
    [STORAGE, USER_DEFINABLE_API].into_iter().find(|name| {
        let wanted = wanted.iter().find(|module| module.name == *name);
        let too_new = |module: &Msi| judge(module, wanted) == ModuleState::TooNew;
        agent.machine.is_damaged(name) || found.iter().any(|module| module.name == *name && too_new(module))
    })
}

/// The numbers of a version, for comparing.
fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

fn judge(found: &Msi, wanted: Option<&Msi>) -> ModuleState {
    let Some(wanted) = wanted else { return ModuleState::LeftOver };
    // A newer APIGateway beside an older core is not known to hurt.
    match numbers(&found.version).cmp(&numbers(&wanted.version)) {
        std::cmp::Ordering::Less => ModuleState::TooOld,
        std::cmp::Ordering::Greater if found.name != API_GATEWAY => ModuleState::TooNew,
        std::cmp::Ordering::Greater | std::cmp::Ordering::Equal => ModuleState::Fits,
    }
}

/// Every module of an Agent, and how it fits.
pub(crate) fn report(machine: &Machine, core: &Version, web: &Version) -> Vec<ModuleReport> {
    let wanted: Vec<Msi> =
        of_core(core).into_iter().chain(of_web(web)).filter(|module| runs_on(module, core)).collect();
    let found: Vec<Msi> = installed(&lock(&machine.registry)).into_iter().filter(is_module).collect();
    let missing = wanted.iter().filter(|module| !found.iter().any(|other| other.name == module.name));
    let mut modules: Vec<ModuleReport> = missing
        .map(|module| ModuleReport { name: module.name.clone(), version: None, state: ModuleState::Missing })
        .collect();
    for module in &found {
        let state = if machine.is_damaged(&module.name) {
            ModuleState::Corrupt
        } else {
            judge(module, wanted.iter().find(|other| other.name == module.name))
        };
        modules.push(ModuleReport {
            name: module.name.clone(),
            version: Some(module.version.clone()),
            state,
        });
    }
    modules.sort_by(|left, right| (&left.name, &left.version).cmp(&(&right.name, &right.version)));
    modules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn names(modules: &[Msi]) -> Vec<&str> {
        modules.iter().map(|module| module.name.as_str()).collect()
    }

    #[test]
    fn web_packages_bring_modules_from_their_documented_versions_on_domain_03_section_3() {
        for (web, expected) in [
            ("10.4.12", &[][..]),
            ("10.4.0 CU19", &[]),
            ("10.5.1", &[]),
            ("10.5.0 CU0", &[GQI]),
            ("10.5.2", &[GQI]),
            ("10.5.10", &[GQI]),
            ("10.4.0 CU20", &[WEB]),
            ("10.5.0 CU8", &[GQI, WEB]),
            ("10.5.11", &[GQI, WEB]),
            ("10.6.0 CU1", &[GQI, WEB]),
        ] {
            assert_eq!(names(&of_web(&v(web))), expected, "{web}");
        }
    }

    #[test]
    fn storage_module_and_api_endpoint_change_generation_at_10_3_8_domain_02_section_3() {
        let version = |core: &str, name: &str| {
            of_core(&v(core)).into_iter().find(|module| module.name == name).map(|module| module.version)
        };
        assert_eq!(version("10.3.7", STORAGE).as_deref(), Some("1.0.1"));
        assert_eq!(version("10.3.7", USER_DEFINABLE_API).as_deref(), Some("1.1.1"));
        assert_eq!(version("10.3.8", STORAGE).as_deref(), Some("3.0.3"));
        assert_eq!(version("10.5.0 CU9", USER_DEFINABLE_API).as_deref(), Some("2.0.0"));
        assert_eq!(version("10.3.0 CU20", STORAGE), None);
    }

    #[test]
    fn numbers_grow_with_the_web_level_and_are_the_same_on_both_tracks() {
        assert_eq!(number(&v("10.5.0 CU9")), "10.5.12");
        assert_eq!(number(&v("10.5.12")), "10.5.12");
        assert_eq!(number(&v("10.5.0 CU12")), "10.6.3");
        assert_eq!(number(&v("10.6.1")), "10.6.1");
    }
}
