//! The documents of the demo's repository: those of `examples/fleet`, with the simulated Agents in them.

use anyhow::{Context, anyhow};
use serde_yaml::{Mapping, Value};

use super::{Chapter, stage::DemoAgent};

const CLUSTER: &str = include_str!("../../../examples/fleet/clusters/brussels.yaml");
const CATALOG: &str = include_str!("../../../examples/fleet/catalog/approved.yaml");

/// The names of the packages in the example's catalogue.
pub(super) fn package_names() -> anyhow::Result<Vec<String>> {
    let catalog: Value = serde_yaml::from_str(CATALOG).context("reading the example's catalogue")?;
    catalog["spec"]["packages"]
        .as_sequence()
        .context("the example's catalogue has no packages")?
        .iter()
        .map(|package| {
            Ok(package["file"].as_str().context("a package of the example has no file")?.to_owned())
        })
        .collect()
}

/// The example's catalogue, with the digests and sizes of these files: (name, sha256, size).
pub(super) fn catalog(packages: &[(String, String, u64)]) -> anyhow::Result<String> {
    let mut catalog: Value = serde_yaml::from_str(CATALOG).context("reading the example's catalogue")?;
    for entry in sequence(&mut catalog, &["spec", "packages"])? {
        let name = entry["file"].as_str().unwrap_or_default();
        let (_, sha256, size) = packages
            .iter()
            .find(|(file, _, _)| file == name)
            .with_context(|| format!("no package {name}"))?;
        entry["sha256"] = sha256.as_str().into();
        entry["size"] = (*size).into();
    }
    Ok(serde_yaml::to_string(&catalog)?)
}

/// The example's cluster `brussels`, reached at the simulated Agents, with a window that is open now.
pub(super) fn cluster(
    agents: &[DemoAgent],
    user: &str,
    key: &str,
    chapter: &Chapter,
) -> anyhow::Result<String> {
    let mut cluster: Value = serde_yaml::from_str(CLUSTER).context("reading the example's cluster")?;
    for entry in sequence(&mut cluster, &["spec", "agents"])? {
        place(entry, agents)?;
        if let Some(partner) = entry.get_mut("failover") {
            place(partner, agents)?;
        }
    }
    let spec = &mut cluster["spec"];
    spec["software"]["core"] = chapter.core.into();
    spec["software"]["webApps"] = chapter.web_apps.into();
    if chapter.downgrade {
        spec["downgrade"] = serde_yaml::from_str("{ policy: Allow }")?;
    }
    spec["connection"]["ssh"]["user"] = user.into();
    spec["connection"]["ssh"]["identity"]["file"] = key.into();
    spec["windows"] = serde_yaml::from_str(
        "[{ kind: Allow, schedule: '0 0 * * *', duration: 24h, timeZone: UTC, cutoff: 0s }]",
    )?;
    // The simulated Agents hurry; so does the patience with them.
    spec["health"] =
        Value::Mapping(Mapping::from_iter([("settle".into(), "1s".into()), ("timeout".into(), "2m".into())]));
    Ok(serde_yaml::to_string(&cluster)?)
}

fn place(entry: &mut Value, agents: &[DemoAgent]) -> anyhow::Result<()> {
    let name = entry["name"].as_str().context("an Agent of the example has no name")?;
    let agent = agents
        .iter()
        .find(|agent| agent.name == name)
        .with_context(|| format!("no simulated Agent {name}"))?;
    entry["address"] = agent.endpoint.addr.to_string().into();
    entry["hostKey"] = agent.endpoint.host_key_fingerprint.as_str().into();
    Ok(())
}

fn sequence<'a>(value: &'a mut Value, path: &[&str]) -> anyhow::Result<&'a mut Vec<Value>> {
    let mut place = value;
    for part in path {
        place = place.get_mut(*part).ok_or_else(|| anyhow!("the example has no {part}"))?;
    }
    place.as_sequence_mut().with_context(|| format!("{} of the example is no list", path.join(".")))
}
