//! Simulated DataMiner Agents behind real SSH and SFTP.
//!
//! Each Agent is a directory tree that mirrors `C:\`, an SSH server on loopback, a small `cmd.exe` and the product's
//! own rules. It enforces what the product documents, from the domain facts, and never what our planner believes:
//! this crate depends neither on `dataminer-core` nor on the reconciler. From `dataminer-schema` it takes the
//! parsing of version texts and, for replays, the Plan document.
//!
//! Start with [`SimulationSpec`] and [`Simulation::start`]; [`package::write`] makes look-alike packages. [`model`] holds
//! the rules alone, in memory. How the
//! parts hang together is in `ARCHITECTURE.md`.

mod chaos;
mod clock;
mod cmd;
mod disk;
mod error;
mod fault;
mod inspect;
mod limits;
pub mod model;
mod order;
pub mod package;
mod product;
mod random;
mod simulation;
mod spec;
mod ssh;
mod windows;

pub use self::{
    chaos::{FaultKind, RandomFaults},
    clock::Clock,
    error::SimulatorError,
    fault::{Fault, Injected, Reach},
    inspect::{
        AgentReport, ClusterReport, ContentState, ModuleReport, ModuleState, RunState, SimulationReport,
        TaskReport, Violation, ViolationKind,
    },
    product::ContentItem,
    simulation::{AgentEndpoint, Simulation},
    spec::{
        AgentSpec, BackupSpec, ClusterSpec, FailoverPolicy, FailoverRole, FailoverSpec, HistorySpec,
        Language, ModuleSpec, SimulationSpec, TraceSpec,
    },
};
