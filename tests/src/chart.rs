//! The real Helm, and what it makes of the chart.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use serde_yaml::Value;

use crate::{
    environment::{self, workspace},
    program::Ended,
};

/// The program: what `HELM` names, or `helm` on the `PATH`. Without one says so (see
/// [`environment::skip_or_fail`]) and returns none.
pub fn helm() -> Option<PathBuf> {
    let named = std::env::var_os("HELM").filter(|name| !name.is_empty());
    let program = PathBuf::from(named.as_deref().unwrap_or(OsStr::new("helm")));
    let version = Command::new(&program).args(["version", "--short"]).output();
    if version.as_ref().is_ok_and(|output| output.status.success()) {
        return Some(program);
    }
    // A path that somebody set must work; only its absence is a reason to skip.
    assert!(named.is_none(), "HELM names {}, which does not run: {version:?}", program.display());
    environment::skip_or_fail("helm is not installed; put it on the PATH or name it in HELM");
    None
}

/// The chart's folder.
pub fn folder() -> PathBuf {
    workspace().join("charts/dataminer-reconciler")
}

/// Runs Helm away from everything that a user may have configured for it.
pub fn call(helm: &Path, home: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(helm);
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    for name in ["HOME", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(name, home);
    }
    // No cluster is asked, even where this machine knows one.
    Ended::of(command.env("KUBECONFIG", home.join("none")))
}

/// What `helm template` rendered.
pub struct Rendered {
    pub text: String,
    objects: Vec<Value>,
}

impl Rendered {
    /// Reads the documents.
    ///
    /// # Panics
    /// When one is no YAML.
    pub fn parse(text: &str) -> Self {
        let objects = text
            .split("---\n")
            .map(|document| {
                serde_yaml::from_str(document).unwrap_or_else(|error| panic!("{error} in\n{document}"))
            })
            .filter(|object: &Value| !object.is_null())
            .collect();
        Self { text: text.to_owned(), objects }
    }

    /// The kinds, in order.
    pub fn kinds(&self) -> Vec<&str> {
        let mut kinds: Vec<_> = self.objects.iter().filter_map(|object| object["kind"].as_str()).collect();
        kinds.sort_unstable();
        kinds
    }

    /// All objects of a kind.
    pub fn all(&self, kind: &'static str) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    /// The one object of a kind.
    ///
    /// # Panics
    /// When there is none, or several.
    pub fn the(&self, kind: &'static str) -> &Value {
        let mut all = self.all(kind);
        let one = all.next().unwrap_or_else(|| panic!("there is no {kind} in\n{}", self.text));
        assert!(all.next().is_none(), "there are several of {kind}");
        one
    }

    /// The specification of the process's pod.
    pub fn pod(&self) -> &Value {
        &self.the("StatefulSet")["spec"]["template"]["spec"]
    }

    /// The process's own configuration.
    ///
    /// # Panics
    /// When the ConfigMap has none.
    pub fn config(&self) -> &str {
        self.the("ConfigMap")["data"]["reconciler.yaml"].as_str().expect("the ConfigMap holds it")
    }
}
