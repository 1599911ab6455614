//! The checks that a package runs on every Agent before anything changes (`domain/prerequisites.yaml`).

use dataminer_schema::version::Version;

use super::{
    agent::Agent,
    package::{Content, Package},
};
use crate::{
    model::{hop, server, web},
    order::reached,
};

/// What a look-alike package holds as the file of a check: its name and the software that it is to let in.
pub(crate) fn check_file(check: &str, content: &Content) -> String {
    match content {
        Content::Full(version) => format!("MZ {check} of Full {version}"),
        Content::Web(version) => format!("MZ {check} of Web {version}"),
        Content::Tool(_) | Content::Hotfix(_) => format!("MZ {check}"),
    }
}

/// Runs one check of a package that brings `content` on one Agent; the error is its text in the log.
pub(crate) fn run(agent: &Agent, content: &Content, check: &str) -> Result<(), String> {
    let stem = check.trim_end_matches(".dll").trim_end_matches(".DLL");
    if agent.faults(|faults| faults.failing.contains(stem)) {
        return Err("Issues detected (injected)".to_owned());
    }
    let state = agent.state();
    let (Content::Full(target) | Content::Web(target)) = content else { return Ok(()) };
    let current = &state.core;
    match stem {
        "VerifyBrokerGatewayMigration" if !state.broker_gateway => {
            Err("BrokerGateway is not used on this Agent. Run the NATS migration first.".to_owned())
        }
        "VerifyDotNetVersion" => dotnet(agent, target),
        "VerifyOSVersion" if agent.spec.os_build < server::OLDEST_WINDOWS => {
            Err("This Windows version is not supported any more.".to_owned())
        }
        "VerifyClusterPorts" if !reached(current, (10, 1, 0), (10, 1, 1)) => {
            let age = state.ports_verified.map(|at| agent.machine.clock.now().duration_since(at));
            match age {
                Some(age) if age.as_hours() <= 24 * 10 => Ok(()),
                _ => Err("No recent result of VerifyClusterPorts.dmupgrade was found.".to_owned()),
            }
        }
        "VerifyNatsIsRunning" if hop::nats_check_fails(current, target) => {
            Err("The NATS service is not running.".to_owned())
        }
        "VerifyNATSMigrationPrerequisites" if (current.major(), current.minor()) == (10, 4) => {
            let cu = current.cu().map(|cu| format!("-CU{cu}")).unwrap_or_default();
            Err(format!("This BPA cannot run on {}{cu}", current.line()))
        }
        _ => Ok(()),
    }
}

fn dotnet(agent: &Agent, target: &Version) -> Result<(), String> {
    let has = |major: u16| {
        agent.spec.dotnet.iter().any(|found| found.split('.').next() == Some(major.to_string().as_str()))
    };
    match server::bundles(target).find(|bundle| !has(*bundle)) {
        Some(bundle) => Err(format!("ASP.NET Core {bundle}.0 hosting bundle is missing.")),
        None => Ok(()),
    }
}

/// The gate of a web package on one Agent (`domain/03 section 2`).
pub(crate) fn web_gate(agent: &Agent, package: &Package) -> Result<(), String> {
    let Content::Web(version) = &package.content else { return Ok(()) };
    let core = agent.state().core;
    if web::gate(&core, version).is_some() {
        let (a, b, c) = web::minimum_core(version);
        return Err(format!(
            "Web upgrade {} requires DataMiner {a}.{b}.{c} or higher, this Agent runs {}",
            version.line(),
            core.line()
        ));
    }
    if web::checks_dotnet_10(version) && !agent.spec.dotnet.iter().any(|found| found.starts_with("10.")) {
        return Err("ASP.NET Core 10.0 hosting bundle is missing.".to_owned());
    }
    Ok(())
}
