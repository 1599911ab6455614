//! The manifest of a story: a YAML `spec`, changed field by field, and read by the loader that reads a repository.

use dataminer_core::desired::{Desired, resolve};
use dataminer_schema::{
    diagnostic::Diagnostic,
    load::{SourceFile, has_errors, load_fleet},
};
use serde_yaml::{Mapping, Value};

/// What is committed: one Cluster and its Advisories.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Manifest {
    name: String,
    spec: Mapping,
    advisories: Vec<Advisory>,
}

#[derive(Clone, Debug, PartialEq)]
struct Advisory {
    name: String,
    issue: String,
    expires: String,
    reason: String,
}

impl Manifest {
    /// The Cluster `name` with the `spec` of these lines; its Agents come later.
    ///
    /// # Errors
    /// What is no YAML.
    pub(crate) fn new(name: &str, spec: &[String]) -> Result<Self, String> {
        let spec = if spec.is_empty() {
            Mapping::new()
        } else {
            serde_yaml::from_str(&spec.join("\n")).map_err(|error| format!("the block: {error}"))?
        };
        Ok(Self { name: name.to_owned(), spec, advisories: Vec::new() })
    }

    /// The name of the Cluster.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Declares the Agents, each with its Failover partner.
    pub(crate) fn declare(&mut self, names: &[(String, Option<String>)]) {
        let mut number = 10;
        let mut member = |name: &str| {
            number += 1;
            let fields = [("name", name.to_owned()), ("address", format!("10.0.0.{number}"))];
            fields.into_iter().map(|(field, value)| (field.into(), value.into())).collect::<Mapping>()
        };
        let agents: Vec<Value> = names
            .iter()
            .map(|(main, partner)| {
                let mut agent = member(main);
                if let Some(partner) = partner {
                    agent.insert("failover".into(), member(partner).into());
                }
                agent.into()
            })
            .collect();
        self.spec.insert("agents".into(), agents.into());
    }

    /// The same with another value of `path`, dotted and under `spec`; `core` and `webApps` are the versions wanted.
    ///
    /// # Errors
    /// What is no YAML, and a path through what is no map.
    pub(crate) fn with(&self, path: &str, value: &str) -> Result<Self, String> {
        let value: Value = serde_yaml::from_str(value).map_err(|error| format!("`{value}`: {error}"))?;
        let path = match path {
            "core" => "software.core",
            "webApps" => "software.webApps",
            other => other,
        };
        let mut manifest = self.clone();
        let mut place = &mut manifest.spec;
        let mut parts: Vec<&str> = path.split('.').collect();
        let Some(last) = parts.pop() else { return Err("no field".to_owned()) };
        for part in parts {
            let next = place.entry(part.into()).or_insert_with(|| Value::Mapping(Mapping::new()));
            place = next.as_mapping_mut().ok_or_else(|| format!("`{part}` of `{path}` is no map"))?;
        }
        place.insert(last.into(), value);
        Ok(manifest)
    }

    /// The same with this Advisory.
    #[must_use]
    pub(crate) fn accepting(&self, name: &str, issue: &str, expires: &str, reason: &str) -> Self {
        let [name, issue, expires, reason] = [name, issue, expires, reason].map(str::to_owned);
        let mut manifest = self.clone();
        manifest.advisories.push(Advisory { name, issue, expires, reason });
        manifest
    }

    /// What is wanted of the cluster; the errors of the manifest, where it has any.
    pub(crate) fn desired(&self) -> Result<Desired, Vec<Diagnostic>> {
        let file = SourceFile { path: format!("{}.yaml", self.name), bytes: self.text().into_bytes() };
        let (fleet, diagnostics) = load_fleet(&[file]);
        match fleet.clusters.into_iter().next() {
            Some(cluster) if !has_errors(&diagnostics) => Ok(resolve(cluster.value, None)),
            _ => Err(diagnostics),
        }
    }

    fn text(&self) -> String {
        let head = |kind: &str, name: &str| {
            format!("apiVersion: dataminer.gitops/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\n")
        };
        let yaml = |value: &Value| serde_yaml::to_string(value).unwrap_or_default();
        let mut spec = Mapping::new();
        spec.insert("spec".into(), self.spec.clone().into());
        let mut text = head("Cluster", &self.name) + &yaml(&spec.into());
        for Advisory { name, issue, expires, reason } in &self.advisories {
            text.push_str("---\n");
            text.push_str(&head("Advisory", name));
            let mut spec = Mapping::new();
            for (field, value) in [("issue", issue), ("expires", expires), ("reason", reason)] {
                spec.insert(field.into(), value.as_str().into());
            }
            spec.insert("accept".into(), true.into());
            let mut everywhere = Mapping::new();
            everywhere.insert("matchLabels".into(), Mapping::new().into());
            spec.insert("clusters".into(), everywhere.into());
            let mut document = Mapping::new();
            document.insert("spec".into(), spec.into());
            text.push_str(&yaml(&document.into()));
        }
        text
    }
}
