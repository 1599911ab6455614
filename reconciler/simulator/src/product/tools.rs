//! Packages that check or migrate and install nothing: they have free names (`domain/01`, package file names).

use std::{sync::Arc, time::Duration};

use super::{
    agent::Agent,
    cluster::Cluster,
    layout::{self, dataminer},
    log::ProgressLog,
};
use crate::{
    disk::DiskError,
    inspect::{RunState, ViolationKind},
    model::hop,
};

/// A package of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    VerifyClusterPorts,
    VerifyGrpcConnection,
    NatsMigrationCheck,
    NatsMigration,
    NatsMigrationRollback,
}

impl Tool {
    /// By file name; the check of the ports goes by a part of its name (RN 33529).
    pub(crate) fn named(file: &str) -> Option<Self> {
        let stem = file.strip_suffix(".dmupgrade")?;
        match stem {
            "VerifyGRPCConnection" => Some(Self::VerifyGrpcConnection),
            "NATSMigration - Prerequisite only" => Some(Self::NatsMigrationCheck),
            "NATSMigration" => Some(Self::NatsMigration),
            "NATSMigrationRollback" => Some(Self::NatsMigrationRollback),
            _ => stem.contains("VerifyClusterPorts").then_some(Self::VerifyClusterPorts),
        }
    }
}

/// How long all Agents must be online together before a migration (`domain/02 section 2`).
const TOGETHER: Duration = Duration::from_secs(15 * 60);

/// Runs a tool on its targets: the whole system at once, without a restart.
pub(super) async fn run(
    tool: Tool,
    cluster: &Cluster,
    targets: &[Arc<Agent>],
    logs: &[ProgressLog],
) -> Result<(), String> {
    let whole = targets.len() == cluster.agents().len();
    if !whole && tool == Tool::VerifyClusterPorts {
        return Err("The package cannot be run on a single Agent".to_owned());
    }
    if !whole {
        let detail = format!("{tool:?} on {} of {} Agents", targets.len(), cluster.agents().len());
        cluster.violate(ViolationKind::AmbiguousAgentList, detail);
    }
    for (agent, log) in targets.iter().zip(logs) {
        log.append("step", "Executing");
        agent.pause(10, 40).await;
        check(tool, agent)?;
    }
    for (agent, log) in targets.iter().zip(logs) {
        apply(tool, agent).map_err(|error| format!("{}: {error}", agent.spec.address))?;
        if tool == Tool::NatsMigration {
            log.append("information", "NATSMigration - Migration successful!");
        }
    }
    Ok(())
}

fn check(tool: Tool, agent: &Agent) -> Result<(), String> {
    let state = agent.state();
    let address = agent.spec.address;
    match tool {
        Tool::VerifyClusterPorts | Tool::VerifyGrpcConnection => Ok(()),
        Tool::NatsMigrationCheck | Tool::NatsMigration => {
            if state.run != RunState::Running {
                return Err(format!("{address}: not all Agents are online"));
            }
            let together = agent.machine.clock.real(TOGETHER);
            if state.up_since.is_some_and(|since| since.elapsed() < together) {
                return Err(format!("{address}: not all Agents have been online for 15 minutes"));
            }
            if !hop::knows_broker_gateway(&state.core) {
                return Err(format!("{address}: DataMiner {} knows no BrokerGateway", state.core.line()));
            }
            let dotnet = agent.spec.dotnet.iter().any(|version| version.starts_with("10."));
            if dotnet {
                Ok(())
            } else {
                Err(format!("{address}: ASP.NET Core 10.0 hosting bundle is missing."))
            }
        }
        Tool::NatsMigrationRollback if hop::needs_broker_gateway(&state.core) => {
            Err(format!("{address}: there is no way back on DataMiner {}", state.core.line()))
        }
        Tool::NatsMigrationRollback => Ok(()),
    }
}

fn apply(tool: Tool, agent: &Agent) -> Result<(), DiskError> {
    let disk = &agent.machine.disk;
    match tool {
        Tool::VerifyGrpcConnection | Tool::NatsMigrationCheck => Ok(()),
        Tool::VerifyClusterPorts => {
            agent.change(|state| state.ports_verified = Some(agent.machine.clock.now()));
            let text = format!(
                "<VerifyResult><Timestamp>{}</Timestamp><Success>true</Success></VerifyResult>",
                agent.machine.clock.now()
            );
            let path = r"Upgrades\Helper\VerifyClusterPorts\VerifyClusterPorts.LastRun.xml";
            disk.write(&dataminer(path), text.as_bytes())
        }
        Tool::NatsMigration | Tool::NatsMigrationRollback => {
            let broker_gateway = tool == Tool::NatsMigration;
            agent.change(|state| state.broker_gateway = broker_gateway);
            let text = layout::maintenance_xml(&agent.spec, broker_gateway);
            disk.write(&dataminer("MaintenanceSettings.xml"), text.as_bytes())
        }
    }
}
