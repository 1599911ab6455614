//! When a cluster counts as healthy, and what else is called around a change.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a cluster counts as healthy after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// How long every Agent must have been right without a break.
    pub settle: SignedDuration,
    /// How long to wait for that.
    pub timeout: SignedDuration,
    /// What must hold besides.
    pub checks: Vec<HealthCheck>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            settle: SignedDuration::from_mins(5),
            timeout: SignedDuration::from_mins(45),
            checks: Vec::new(),
        }
    }
}

/// A check besides those of versions and states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthCheck {
    /// A page that must answer.
    Https {
        /// `https://…`.
        url: String,
        /// The HTTP status that it must answer with.
        expect: u16,
    },
    /// A BPA test that must pass, by its name.
    Bpa(String),
}

/// A call of something outside around a change; only its name stands in the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// When it is called.
    pub event: HookEvent,
    /// Its name in the process's configuration.
    pub run: String,
    /// How long it may take.
    pub timeout: SignedDuration,
}

/// When a hook is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum HookEvent {
    /// Right before the first disruptive step (S3). A failing hook stops the operation.
    BeforeDisruption,
    /// After the cluster was verified.
    AfterSuccess,
    /// After a step failed.
    AfterFailure,
}
