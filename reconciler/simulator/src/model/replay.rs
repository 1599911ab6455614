//! A Plan, walked step by step through a system in memory.

use std::fmt;

use dataminer_schema::{
    id::Sha256,
    plan::{Action, Plan, Step},
    version::{Version, WebWanted},
};

use super::{
    act::Install,
    rule::Violation,
    shelf::{Packed, Shelf},
    system::System,
    web::Level,
};
use crate::order::same;

/// What the plan shall lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The core, with its CU.
    pub core: &'a Version,
    /// The web apps.
    pub web: &'a WebWanted,
}

/// Why a plan is not right for a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A step breaks a rule of the product.
    Rule {
        /// The id of the step; absent for what is wrong at the end.
        step: Option<String>,
        /// What it breaks.
        violation: Violation,
    },
    /// A step does not say enough to be carried out.
    Step {
        /// The id of the step.
        step: String,
        /// What it lacks.
        what: String,
    },
    /// Everything was carried out, and something else came of it.
    Missed {
        /// What came of it, and what was wanted.
        what: String,
    },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule { step: Some(step), violation } => write!(f, "step {step}: {violation}"),
            Self::Rule { step: None, violation } => write!(f, "at the end: {violation}"),
            Self::Step { step, what } => write!(f, "step {step} {what}"),
            Self::Missed { what } => f.write_str(what),
        }
    }
}

impl std::error::Error for Broken {}

/// Carries out every step of a plan and looks at what came of it.
///
/// # Errors
///
/// The first thing that is wrong.
pub fn replay(plan: &Plan, system: System, shelf: &Shelf, wanted: &Wanted<'_>) -> Result<System, Broken> {
    let mut system = system;
    for step in &plan.steps {
        system = carry_out(step, system, shelf)?;
    }
    system.sound().map_err(|violation| Broken::Rule { step: None, violation })?;
    reached(&system, wanted)?;
    Ok(system)
}

fn reached(system: &System, wanted: &Wanted<'_>) -> Result<(), Broken> {
    for agent in system.agents() {
        let missed = |what: &str, found: &Version, wanted: &Version| {
            Err(Broken::Missed { what: format!("{}: {what} {found} in place of {wanted}", agent.name) })
        };
        if !same(&agent.core, wanted.core) {
            return missed("core", &agent.core, wanted.core);
        }
        let level = match wanted.web {
            WebWanted::Unmanaged => continue,
            WebWanted::Bundled => &agent.core,
            WebWanted::Version(version) => version,
        };
        if Level::of(level) != Level::of(&agent.web) {
            return missed("web apps", &agent.web, level);
        }
    }
    Ok(())
}

/// Carries out one step upon what came of those before it.
///
/// # Errors
///
/// What is wrong with the step, or the rule that it breaks.
pub fn carry_out(step: &Step, system: System, shelf: &Shelf) -> Result<System, Broken> {
    let agents = step.agents.as_slice();
    let lacks = |what: &str| Broken::Step { step: step.id.clone(), what: what.to_owned() };
    let digest = || step.sha256.as_ref().ok_or_else(|| lacks("names no package"));
    let next = match step.action {
        Action::StagePackage => system.stage(agents, digest()?),
        Action::UpgradeCore | Action::DowngradeCore => {
            let install = install(step, digest()?, shelf, Kind::Full)?;
            system.install_full(agents, install)
        }
        Action::UpgradeWeb | Action::DowngradeWeb => {
            let install = install(step, digest()?, shelf, Kind::Web)?;
            system.install_web(agents, install)
        }
        Action::RunTool => {
            let digest = digest()?;
            let Some(Packed::Tool(file)) = shelf.get(digest) else {
                return Err(lacks("runs something that is no tool"));
            };
            let tool = Shelf::tool(file).ok_or_else(|| lacks("runs a tool that nobody knows"))?;
            system.run_tool(agents, tool, digest)
        }
        Action::SaveBackup => Ok(system.save_backups()),
        Action::RestoreContent => {
            let backup = step.backup.as_ref().ok_or_else(|| lacks("names no backup"))?;
            system.restore(agents, &backup.sha256)
        }
        Action::ReinstallModule => {
            let module = step.module.as_deref().ok_or_else(|| lacks("names no module"))?;
            system.reinstall(agents, module)
        }
        Action::VerifyCluster => system.verify(agents).map(|()| system),
        Action::RunPrerequisites if matches!(shelf.get(digest()?), Some(Packed::Web(_))) => Ok(system),
        Action::RunPrerequisites => {
            let package = install(step, digest()?, shelf, Kind::Full)?;
            system.run_checks(agents, package, &step.without).map(|()| system)
        }
        // They touch nothing that this model has.
        Action::BackupAgent | Action::RunHook | Action::InstallHotfix | Action::CleanUp | Action::Manual => {
            Ok(system)
        }
    };
    next.map_err(|violation| Broken::Rule { step: Some(step.id.clone()), violation })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Full,
    Web,
}

/// The package of a step, which must hold what the step says.
fn install<'a>(step: &Step, sha256: &'a Sha256, shelf: &'a Shelf, kind: Kind) -> Result<Install<'a>, Broken> {
    let lacks = |what: String| Err(Broken::Step { step: step.id.clone(), what });
    let version = match (shelf.get(sha256), kind) {
        (Some(Packed::Full(version)), Kind::Full) | (Some(Packed::Web(version)), Kind::Web) => version,
        (Some(Packed::Partial(version)), Kind::Full | Kind::Web) => {
            let violation = Violation::new(super::Rule::PartialPackage, version.to_string());
            return Err(Broken::Rule { step: Some(step.id.clone()), violation });
        }
        (other, Kind::Full | Kind::Web) => return lacks(format!("installs from {other:?}")),
    };
    let told = step.to.as_deref().and_then(|text| text.parse::<Version>().ok());
    if told.as_ref().is_none_or(|told| !same(told, version)) {
        return lacks(format!("says {:?} and installs {version}", step.to));
    }
    Ok(Install { sha256, version, siblings: shelf.siblings(version), patched: step.patch.is_some() })
}
