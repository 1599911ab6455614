//! One Agent: its software, its server, its settings.

use dataminer_core::release::Release;
use dataminer_schema::{
    id::AgentName,
    v1::observation::{AgentObservation, AgentState, FailoverRole},
    version::Version,
};
use dms_simulator::{AgentSpec, FailoverRole as SimulatedRole, Language, ModuleSpec};
use jiff::SignedDuration;

use super::{Assumptions, Original, Place, past};

/// What an Agent that nobody saw is taken to run where nobody saw any.
const ANY_CORE: Version = Version::new(10, 5, 0).with_cu(0).with_build(15_000);
/// The build of a core whose history does not tell one.
const ANY_BUILD: u32 = 10_000;
/// The longest text of an Agent that is copied.
const LONGEST: usize = 200;

/// What a copy of an Agent is made from.
pub(super) struct Looks<'a> {
    pub(super) original: &'a Original<'a>,
    /// How far times are moved back.
    pub(super) shift: SignedDuration,
    /// What was seen of the other member of its pair.
    pub(super) partner: Option<&'a AgentObservation>,
}

impl Looks<'_> {
    /// The Agent at this place.
    pub(super) fn agent(&self, place: &Place<'_>, assumptions: &mut Assumptions) -> AgentSpec {
        let name = &place.member.name;
        let nothing = AgentObservation::new(name.clone(), false);
        let seen = place.seen.unwrap_or(&nothing);
        let core = self.core(seen, assumptions);
        let mut spec = AgentSpec::new(place.server.clone(), place.id, place.address, core);
        // Times in observations are UTC, and which zone the server is in does not stand there.
        spec.time_zone = "UTC".to_owned();
        spec.core_entry = seen.core.clone().filter(|text| is_plain(text));
        past::add(&mut spec, seen, self, assumptions);
        if let Some(role) = place.role {
            let online = self.online(role, seen, assumptions);
            let role = match role {
                FailoverRole::Main => SimulatedRole::Main,
                FailoverRole::Backup => SimulatedRole::Backup,
            };
            spec = spec.with_failover(role, online);
        }
        server(&mut spec, seen, assumptions);
        settings(&mut spec, seen, assumptions);
        spec
    }

    /// What runs, with the CU that the rules need.
    fn core(&self, seen: &AgentObservation, assumptions: &mut Assumptions) -> Version {
        let name = &seen.name;
        let read = |text: &str| text.parse::<Version>().ok().filter(|_| is_plain(text));
        if let Some(version) = seen.core.as_deref().and_then(read) {
            return self.named(&version, name, assumptions);
        }
        let others = self.original.observation.agents.iter();
        let other = others.filter_map(|other| read(other.core.as_deref()?)).next();
        let taken =
            other.map_or(ANY_CORE, |version| self.original.catalog.release_of(&version).version().clone());
        assumptions.note(format!("its core was not seen: {taken}"), Some(name));
        taken
    }

    fn named(&self, version: &Version, name: &AgentName, assumptions: &mut Assumptions) -> Version {
        let release: Release = self.original.catalog.release_of(version);
        let with_build = |version: Version| match version.build() {
            Some(_) => version,
            None => version.with_build(ANY_BUILD),
        };
        if release.cu().is_some() {
            return with_build(release.version().clone());
        }
        let taken = version.clone().with_cu(release.cu_low());
        assumptions.note(
            format!(
                "{} is no build that the catalogue or this program knows: rehearsed as {}",
                release.describe(),
                taken.release_name()
            ),
            Some(name),
        );
        with_build(taken)
    }

    fn online(&self, role: FailoverRole, seen: &AgentObservation, assumptions: &mut Assumptions) -> bool {
        let told = |seen: &AgentObservation| seen.failover.and_then(|failover| failover.online);
        let own = told(seen);
        let partner = self.partner.and_then(told).map(|online| !online);
        own.or(partner).unwrap_or_else(|| {
            assumptions
                .note("which member of the pair is online was not seen: the main one", Some(&seen.name));
            role == FailoverRole::Main
        })
    }
}

/// Windows and its disk.
fn server(spec: &mut AgentSpec, seen: &AgentObservation, assumptions: &mut Assumptions) {
    let name = Some(&seen.name);
    match seen.free_disk {
        Some(bytes) => spec.free_disk = bytes.0,
        None => assumptions.note(format!("its free disk was not seen: {} GiB", spec.free_disk >> 30), name),
    }
    match seen.dotnet.as_ref().filter(|all| all.iter().all(|version| is_plain(version))) {
        Some(found) => spec.dotnet.clone_from(found),
        None => assumptions
            .note(format!("its ASP.NET Core bundles were not seen: {}", spec.dotnet.join(", ")), name),
    }
    match seen.vcredist.as_ref().filter(|version| is_plain(version)) {
        Some(found) => spec.vcredist = Some(found.clone()),
        None => {
            let taken = spec.vcredist.as_deref().unwrap_or("none");
            assumptions.note(format!("its Visual C++ redistributable was not seen: {taken}"), name);
        }
    }
    match seen.os.as_deref().and_then(windows_build) {
        Some(build) => spec.os_build = build,
        None => assumptions.note(format!("its Windows was not seen: build {}", spec.os_build), name),
    }
    if seen.locale.as_deref().is_some_and(|locale| locale.starts_with("de")) {
        spec.language = Language::German;
    }
    match seen.pending_reboot {
        Some(pending) => spec.pending_reboot = pending,
        None => assumptions.note("whether Windows waits for a restart was not seen: it does not", name),
    }
}

/// DataMiner's settings, modules and state.
fn settings(spec: &mut AgentSpec, seen: &AgentObservation, assumptions: &mut Assumptions) {
    let name = Some(&seen.name);
    match seen.broker_gateway {
        Some(on) => spec.broker_gateway = on,
        None => {
            // 10.6 does not run without it.
            spec.broker_gateway = (spec.core.major(), spec.core.minor()) >= (10, 6);
            let word = if spec.broker_gateway { "it does" } else { "it does not" };
            assumptions.note(format!("whether it runs BrokerGateway was not seen: {word}"), name);
        }
    }
    match seen.expired_users {
        Some(any) => spec.expired_users = any,
        None => assumptions.note("whether Security.xml has expired users was not seen: it has none", name),
    }
    match seen.default_upgrade_options {
        Some(any) => spec.default_upgrade_options = any,
        None => assumptions.note(
            "whether MaintenanceSettings.xml has DefaultUpgradeOptions was not seen: it has none",
            name,
        ),
    }
    match &seen.modules {
        Some(modules) => {
            let plain = modules.iter().filter(|module| is_plain(&module.name) && is_plain(&module.version));
            let copied = plain
                .map(|module| ModuleSpec { name: module.name.clone(), version: module.version.clone() })
                .collect();
            spec.modules = Some(copied);
        }
        None => assumptions.note("its modules were not seen: those of its core and web apps", name),
    }
    match seen.state {
        Some(AgentState::Running | AgentState::Disconnected) => {}
        Some(AgentState::Stopped) => spec.running = false,
        Some(state @ (AgentState::Starting | AgentState::Switching | AgentState::Unknown)) => {
            assumptions.note(format!("it was {state:?} when it was seen: it runs"), name);
        }
        None => assumptions.note("whether it runs was not seen: it does", name),
    }
}

/// `Windows build 17763`.
fn windows_build(os: &str) -> Option<u32> {
    let digits: String = os.split("build ").nth(1)?.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// One line of what an Agent may say: it goes into files of the copy.
pub(super) fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && text.chars().all(|c| !c.is_control() && c != ';')
}
