//! The checks that a package runs on every Agent before anything changes (`domain/prerequisites.yaml`).

use dataminer_schema::version::Version;

use super::{
    agent::Agent,
    order::reached,
    package::{Content, Package},
};

/// What a look-alike package holds as the file of a check: its name and the software that it is to let in.
pub(crate) fn check_file(check: &str, content: &Content) -> String {
    match content {
        Content::Full(version) => format!("MZ {check} of Full {version}"),
        Content::Web(version) => format!("MZ {check} of Web {version}"),
        Content::Tool(_) => format!("MZ {check}"),
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
        "VerifyOSVersion" if agent.spec.os_build < 14393 => {
            Err("This Windows version is not supported any more.".to_owned())
        }
        "VerifyClusterPorts" if !reached(current, (10, 1, 0), (10, 1, 1)) => {
            let age = state.ports_verified.map(|at| agent.machine.clock.now().duration_since(at));
            match age {
                Some(age) if age.as_hours() <= 24 * 10 => Ok(()),
                _ => Err("No recent result of VerifyClusterPorts.dmupgrade was found.".to_owned()),
            }
        }
        "VerifyNatsIsRunning" if newer_nats(current) && !newer_nats(target) => {
            Err("The NATS service is not running.".to_owned())
        }
        "VerifyNATSMigrationPrerequisites" if (current.major(), current.minor()) == (10, 4) => {
            let cu = current.cu().map(|cu| format!("-CU{cu}")).unwrap_or_default();
            Err(format!("This BPA cannot run on {}{cu}", current.line()))
        }
        _ => Ok(()),
    }
}

/// Downgrades below 10.4.0/10.4.3 meet a check that looks for what is no longer there.
fn newer_nats(version: &Version) -> bool {
    reached(version, (10, 4, 0), (10, 4, 3))
}

fn dotnet(agent: &Agent, target: &Version) -> Result<(), String> {
    let has = |major: &str| agent.spec.dotnet.iter().any(|found| found.split('.').next() == Some(major));
    if reached(target, (10, 5, 10), (10, 6, 1)) && !has("10") {
        return Err("ASP.NET Core 10.0 hosting bundle is missing.".to_owned());
    }
    if reached(target, (10, 3, 12), (10, 4, 3)) && !has("8") {
        return Err("ASP.NET Core 8.0 hosting bundle is missing.".to_owned());
    }
    Ok(())
}

/// The gate of a web package on one Agent (`domain/03 section 2`).
pub(crate) fn web_gate(agent: &Agent, package: &Package) -> Result<(), String> {
    let Content::Web(version) = &package.content else { return Ok(()) };
    let core = agent.state().core;
    let line = (core.major(), core.minor(), core.feature());
    let web = (version.major(), version.minor());
    let minimum = match web {
        (10, ..=4) | (..=9, _) => (10, 3, 0),
        (10, 5) => (10, 4, 0),
        _ => (10, 5, 0),
    };
    let separate_packages = reached(&core, (10, 3, 0), (10, 3, 3));
    if line < minimum || !separate_packages {
        let (a, b, c) = minimum;
        return Err(format!(
            "Web upgrade {} requires DataMiner {a}.{b}.{c} or higher, this Agent runs {}",
            version.line(),
            core.line()
        ));
    }
    let needs_dotnet = reached(version, (10, 7, 0), (10, 6, 5));
    if needs_dotnet && !agent.spec.dotnet.iter().any(|found| found.starts_with("10.")) {
        return Err("ASP.NET Core 10.0 hosting bundle is missing.".to_owned());
    }
    Ok(())
}
