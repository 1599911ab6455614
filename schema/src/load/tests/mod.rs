//! What is said of files, kind by kind.

mod catalog;
mod cluster;
mod config;
mod diagnostics;
mod knowledge;
mod large;
mod observation;
mod profile;
mod yaml;

use super::*;

/// A file of one repository.
fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
}

/// What `load_fleet` says of one file, a line for each diagnostic.
fn fleet_faults(text: &str) -> String {
    lines(&load_fleet(&[file("a.yaml", text)]).1)
}

fn lines(found: &[Diagnostic]) -> String {
    found.iter().map(|found| format!("{found}\n")).collect()
}

/// The codes of what `load_fleet` says of one file.
fn codes(text: &str) -> Vec<Code> {
    load_fleet(&[file("a.yaml", text)]).1.iter().map(|found| found.code).collect()
}

/// A cluster without faults, with `extra` lines in its spec.
fn cluster_with(extra: &str) -> String {
    format!(
        "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: {{ name: brussels }}\nspec:\n  software: {{ core: 10.5.0 CU12 }}\n  agents: [{{ name: a, address: 10.0.0.11 }}]\n{extra}"
    )
}

const FULL: &str = r#"# A comment, and an anchor used twice.
apiVersion: dataminer.gitops/v1
kind: Cluster
metadata:
  name: brussels
  labels: { region: emea }
  annotations: { owner: "team a" }
spec:
  suspend: true
  software: { core: "10.5.0.0 – 16889 CU12", webApps: bundled, hotfixes: [] }
  agents:
    - name: bru-dma-01
      address: 10.0.0.11:2222
      hostKey: &key "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
      kind: DMA
      failover:
        name: bru-dma-01b
        address: "[fd00::12]:22"
        hostKey: [*key, "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"]
        ssh: { user: other, identity: { env: OTHER_KEY } }
    - { name: bru-dma-02, address: dma02.example }
  connection:
    ssh: { user: svc-gitops, identity: { file: /run/secrets/dms_key } }
  upgrade:
    mode: Apply
    failoverPolicy: BackupFirst
    options: { stopSnmp: true }
    runAs: { account: System }
    stageAhead: 1d12h
    webUpgrades: AnyTime
    acceptOlderFixes: true
    acceptHotfixLoss: false
    minFreeDisk: 20GB
    onFailure: Stop
  downgrade: { policy: Allow }
  windows:
    - { kind: Allow, schedule: "0 22 * * SAT", duration: 4h, timeZone: Europe/Brussels }
    - kind: Deny
      from: 2026-12-20
      to: 2027-01-04
      timeZone: Europe/Brussels
      reason: year-end freeze
  hooks: []
  health: { settle: 1m, timeout: 30m, checks: [] }
  dependsOn: []
"#;

/// A document that shows most faults at once; what is said of it is the golden text below.
const BROKEN: &str = r#"apiVersion: dataminer.gitops/v1
kind: Cluster
metadata: { name: brussels, labels: { region: emea, stage: 1 } }
spec:
  profile: production
  suspend: no
  software:
    core: 10.5
    webapps: unmanged
    hotfixes: [x]
  agents:
    - name: bru-dma-01
      address: 10.0.0.11
      hostKey: "SHA256:xxx"
      kind: DMP
    - name: bru-dma-01
      address: ssh://foo
      failover: { name: b, address: 10.0.0.11 }
  connection:
    ssh: { user: x, identity: { file: a, env: B }, password: hunter2 }
  upgrade:
    mode: StageOnly
    failoverPolicy: Simultaneous
    stageAhead: 3 days
    acceptHotfixLoss: true
    minFreeDisk: 15G
  windows:
    - { kind: Allow, schedule: "0 22 * * SA", duration: 1h, timeZone: Europe/Brusels, cutoff: 2h }
    - { kind: Deny, from: 2027-12-20, to: 2027-01-04 }
    - { kind: allow }
    - {}
  health:
---
a: [
---
apiVersion: dataminer.gitops/v1
kind: Cluster
metadata: { name: brussels }
spec:
  software: { core: 10.5.0 CU9 }
  agents: [{ name: a, address: a }]
---
apiVersion: dataminer.gitops/v1
kind: Cluster
metadata: { name: lisbon }
spec:
  software: { core: 10.5.0 CU9 }
  agents: [{ name: a, address: b }]
"#;

const CONFIG: &str = r#"apiVersion: dataminer.gitops/v1
kind: ReconcilerConfig
spec:
  installation: prod
  sources:
    - { name: fleet, url: "ssh://git@git.example/fleet.git" }
    - name: local
      url: /srv/fleet
      branch: release
      path: /clusters/
      interval: 1m30s
      hostKeys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
      auth: { identity: { env: GIT_KEY } }
      verify: { mode: None }
  packages: [{ name: nas, url: "file:///packages" }]
  secrets:
    - { env: DMS_KEY, hosts: ["10.0.0.0/16"] }
    - { file: /run/secrets/dms_key, hosts: ["*.example"], clusters: [brussels] }
  http: { listen: "[::1]:8080", metrics: "127.0.0.1:9090" }
"#;
