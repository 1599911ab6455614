//! The reader and the published JSON Schema agree: editors accept what `validate` accepts, and refuse nothing that
//! it takes.
//!
//! Each valid document is changed in one place after the other, by every change of a list, and goes through both.
//! JSON is YAML, so one text serves both.

use dataminer_schema::{
    diagnostic::{Code, Diagnostic, Severity},
    load::{SourceFile, load_config, load_fleet, load_knowledge, load_observations},
};
use jsonschema::Validator;
use serde_json::{Value, json};

/// Codes of what JSON Schema cannot express, or can express only roughly by a pattern.
fn beyond_a_schema(code: Code) -> bool {
    match code {
        // By a pattern: `Mars/Olympus` looks like a time zone, and `2026-13-45` like a date.
        Code::BadVersion
        | Code::BadQuantity
        | Code::BadSchedule
        | Code::BadTimeZone
        | Code::BadTime
        | Code::BadAddress
        | Code::BadPackageFile
        | Code::BadUrl => true,
        other => other.as_str() >= "E0500",
    }
}

fn validator(name: &str) -> Validator {
    let schemas = dataminer_schema::json_schemas();
    let (_, schema) = schemas.iter().find(|(file, _)| *file == name).expect("the schema is generated");
    jsonschema::draft7::new(schema).expect("a generated schema is valid")
}

/// What the reader refuses in a document; a warning refuses nothing.
fn read(document: &Value) -> Vec<Diagnostic> {
    let file = SourceFile { path: "a.yaml".to_owned(), bytes: document.to_string().into_bytes() };
    let mut found = match document["kind"].as_str() {
        Some("ReconcilerConfig") => load_config(&file).1,
        Some("Observation") => load_observations(&[file]).1,
        Some("ReleaseKnowledge") => load_knowledge(&[file]).1,
        _ => load_fleet(&[file]).1,
    };
    found.retain(|found| found.severity == Severity::Error);
    found
}

fn cluster() -> Value {
    json!({
        "apiVersion": "dataminer.gitops/v1",
        "kind": "Cluster",
        "metadata": { "name": "brussels", "labels": { "region": "emea" }, "annotations": { "owner": "a" } },
        "spec": {
            "suspend": false,
            "software": { "core": "10.5.0 CU12 (build 16889)", "webApps": "bundled", "hotfixes": ["HF.dmupgrade"] },
            "agents": [
                {
                    "name": "bru-dma-01",
                    "address": "10.0.0.11:2222",
                    "hostKey": "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                    "kind": "DMA",
                    "ssh": { "user": "a", "identity": { "env": "KEY" } },
                    "failover": {
                        "name": "bru-dma-01b",
                        "address": "[fd00::12]:22",
                        "hostKey": ["SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"],
                        "ssh": { "user": "b", "identity": { "file": "/b" } }
                    }
                },
                { "name": "bru-dma-02", "address": "dma02.example", "kind": "DMP" },
                {
                    "name": "bru-dma-03", "address": "dma03.example",
                    "ssh": { "user": "a", "identity": { "env": "KEY" }, "passphrase": { "env": "P" } }
                }
            ],
            "connection": {
                "ssh": { "user": "svc", "password": { "file": "/run/secrets/password" } },
                "via": {
                    "address": "jump.example", "user": "svc", "identity": { "env": "KEY" },
                    "hostKey": "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                },
                "webServices": { "url": "https://{address}", "user": "dm", "password": { "env": "P" } }
            },
            "upgrade": {
                "mode": "StageOnly",
                "failoverPolicy": "BackupFirst",
                "options": {
                    "extractAllFiles": true, "delayedStart": true, "automaticStartServices": true,
                    "stopSnmp": false, "rebootAfterUpgrade": false
                },
                "runAs": { "account": "Named", "user": "DOM\\svc", "password": { "env": "P" } },
                "stageAhead": "72h",
                "webUpgrades": "AnyTime",
                "acceptOlderFixes": true,
                "acceptHotfixLoss": true,
                "minFreeDisk": "15GiB",
                "onFailure": "Downgrade"
            },
            "downgrade": {
                "policy": "Allow", "until": "2026-12-31", "restore": "MostRecent", "extras": "MoveAside",
                "patchPrerequisites": true
            },
            "windows": [
                {
                    "kind": "Allow", "schedule": "0 22 * * SAT", "duration": "4h",
                    "timeZone": "Europe/Brussels", "cutoff": "30m", "fit": "Require"
                },
                { "kind": "Deny", "from": "2026-12-20", "to": "2027-01-04", "timeZone": "UTC", "reason": "freeze" }
            ],
            "approval": "Always",
            "hooks": [{ "event": "BeforeDisruption", "run": "vm-snapshot", "timeout": "10m" }],
            "health": {
                "settle": "1m", "timeout": "30m",
                "checks": [{ "https": { "url": "https://dms.example", "expect": 200 } }, { "bpa": "Check System Health" }]
            },
            "dependsOn": []
        }
    })
}

fn profile() -> Value {
    // The fields themselves are those of a Cluster, where they are swept.
    let whole = cluster();
    let part = |field: &str| (field.to_owned(), whole["spec"][field].clone());
    let spec: serde_json::Map<_, _> =
        ["software", "connection", "approval", "health"].map(part).into_iter().collect();
    json!({
        "apiVersion": "dataminer.gitops/v1",
        "kind": "Profile",
        "metadata": { "name": "production", "labels": { "a": "b" }, "annotations": { "c": "d" } },
        "spec": spec
    })
}

fn rollout() -> Value {
    json!({
        "apiVersion": "dataminer.gitops/v1",
        "kind": "Rollout",
        "metadata": { "name": "monthly", "labels": { "a": "b" }, "annotations": { "c": "d" } },
        "spec": {
            "selector": { "matchLabels": { "stage": "production" } },
            "waves": [
                {
                    "name": "first", "selector": { "matchLabels": { "region": "emea" } }, "soak": "24h",
                    "maxConcurrent": 1, "maxFailures": 0
                },
                { "name": "rest", "selector": {} }
            ]
        }
    })
}

fn advisory() -> Value {
    json!({
        "apiVersion": "dataminer.gitops/v1",
        "kind": "Advisory",
        "metadata": { "name": "known", "labels": { "a": "b" }, "annotations": { "c": "d" } },
        "spec": {
            "issue": "KI_Upgrade_to_1051_stuck", "accept": true,
            "clusters": { "matchLabels": { "stage": "production" } }, "reason": "no expired users",
            "expires": "2027-01-31"
        }
    })
}

fn catalog() -> Value {
    let digest = "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789";
    json!({
        "apiVersion": "dataminer.gitops/v1",
        "kind": "PackageCatalog",
        "metadata": { "name": "main", "labels": { "a": "b" }, "annotations": { "c": "d" } },
        "spec": {
            "packages": [
                {
                    "file": "DataMiner 10.5.0.0(CU12)-16889 Full Upgrade.dmupgrade", "sha256": digest, "size": 200,
                    "prerequisites": ["VerifyClusterPorts.dll"], "executor": true, "restart": true,
                    "fingerprints": [{ "file": "Files\\SLNet.exe", "sha256": digest, "size": 7 }]
                },
                { "file": "web.dmupgrade", "sha256": digest, "web": "10.5.12", "source": "nas/web.dmupgrade" },
                { "file": "core.dmupgrade", "sha256": digest, "core": "10.5.0 CU9" },
                { "file": "VerifyClusterPorts.dmupgrade", "sha256": digest, "tool": "VerifyClusterPorts" },
                { "file": "DataMiner.dmupdate", "sha256": digest, "update": "10.5.0 CU10" }
            ],
            "builds": { "10.5.0.0-16889": "10.5.0 CU12" }
        }
    })
}

/// One document for each part: every change sends a whole document through both.
fn knowledge() -> [Value; 4] {
    let range = json!({ "track": "Main", "from": "10.5.0 CU1", "to": "10.5.0 CU9", "band": "10.5.0" });
    let document = |spec: Value| {
        json!({
            "apiVersion": "dataminer.gitops/v1",
            "kind": "ReleaseKnowledge",
            "metadata": { "name": "ours" },
            "spec": spec
        })
    };
    let issue = json!({
        "id": "OWN_1", "title": "Trouble", "component": "Core", "impact": "Downtime", "stage": "UpgradeTo",
        "readOn": "WebApps", "affects": [range], "conditions": ["FailoverPair"], "tags": ["a_b"],
        "workaround": true, "releaseNotes": [1], "source": "a"
    });
    [
        document(json!({
            "revision": "2026-08-21",
            "releases": [{
                "version": "10.5.0 CU9", "kind": "Core", "status": "InProgress", "finalized": "2026-08-21", "source": "a"
            }],
            "builds": [{ "build": 16889, "release": "10.5.0 CU9", "source": "a" }],
            "support": [{
                "release": "10.5.0", "regularUpdatesUntil": "2026-11-20", "supportedUntil": "2028-02-25",
                "limitedSupportUntil": "2029-02-23", "source": "a"
            }]
        })),
        document(json!({
            "rules": {
                "h4": {
                    "line": "10.5.0", "only": ["10.6.0 CU0", "10.6.1"], "possible": ["10.5.0 CU2"],
                    "automatic": ["10.5.5"], "recommended": ["10.5.0 CU11"], "onlineTogetherMinutes": 15,
                    "source": "a"
                },
                "s5": { "major": 10, "core": ["10.6.1"], "web": "10.6.5", "source": "a" }
            }
        })),
        document(json!({ "knownIssues": [issue] })),
        document(json!({
            "requirements": {
                "ports": [{ "port": 161, "protocol": "Udp", "for": "Snmp", "source": "a" }],
                "disk": { "freeGib": 15, "warningGib": 10, "criticalGib": 5, "source": "a" }
            },
            "breakingChanges": [{
                "id": "OWN_2", "title": "Other", "component": "Srm", "introduced": ["10.5.9"], "softLaunch": true,
                "source": "a"
            }]
        })),
    ]
}

/// One document for each part: every change sends a whole document through both.
fn configurations_of_all_kinds() -> [Value; 6] {
    let key = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let document = |spec: Value| {
        json!({
            "apiVersion": "dataminer.gitops/v1",
            "kind": "ReconcilerConfig",
            "metadata": { "name": "prod" },
            "spec": spec
        })
    };
    let source = json!({ "name": "fleet", "url": "/srv/fleet" });
    [
        document(json!({
            "installation": "prod",
            "sources": [
                {
                    "name": "fleet", "url": "ssh://git@git.example/fleet.git", "branch": "main", "path": "clusters",
                    "interval": "60s", "hostKeys": [key],
                    "auth": { "identity": { "file": "/run/secrets/git" }, "passphrase": { "env": "P" }, "user": "git" },
                    "acknowledgeRewrite": commit, "verify": { "mode": "None" },
                    "webhook": { "provider": "AzureDevOps", "secret": { "env": "W" }, "user": "a" }
                },
                {
                    "name": "lab", "url": "https://git.example/lab.git", "auth": { "token": { "env": "T" } },
                    "verify": { "mode": "All", "allowedSigners": "/etc/signers", "gpgKeys": ["/etc/a.asc"], "since": commit },
                    "webhook": { "provider": "GitHub", "secret": { "file": "/run/secrets/hook" } }
                }
            ]
        })),
        document(json!({
            "installation": "prod",
            "sources": [source],
            "store": { "url": "sqlite:///var/lib/state.db", "keep": { "days": 400 } },
            "vault": { "url": "file:///var/lib/vault", "keep": { "perContent": 3, "days": 400 } },
            "secrets": [
                { "env": "KEY", "hosts": ["10.0.0.0/16"], "clusters": ["*"] },
                { "file": "/run/secrets/key", "hosts": ["*.example"] }
            ],
            "knowledge": { "path": "knowledge" },
            "loop": { "observe": "5m", "concurrency": 64 },
            "http": { "listen": "127.0.0.1:8080", "metrics": "[::1]:9090" },
            "forge": {
                "provider": "GitLab", "url": "https://gitlab.example", "repository": "a/b/fleet", "source": "fleet",
                "token": { "env": "T" }, "comments": true, "statuses": false, "ca": "/etc/ca.pem"
            }
        })),
        document(json!({
            "installation": "prod",
            "sources": [source],
            "packages": [
                { "name": "nas", "url": "file:///packages" },
                { "name": "web", "url": "https://packages.example/a", "auth": { "token": { "env": "T" } } },
                { "name": "old", "url": "https://old.example", "auth": { "user": "a", "password": { "env": "T" } } },
                {
                    "name": "bucket", "url": "s3://packages/a", "region": "eu-west-1", "endpoint": "https://s3.example",
                    "auth": { "accessKeyId": { "env": "A" }, "secretAccessKey": { "env": "B" }, "sessionToken": { "env": "C" } }
                },
                { "name": "key", "url": "az://a/b", "auth": { "accountKey": { "env": "A" } } },
                { "name": "sas", "url": "az://a/b/c", "auth": { "sasToken": { "file": "/a" } } },
                {
                    "name": "app", "url": "az://a/b",
                    "auth": { "tenantId": "t", "clientId": "c", "clientSecret": { "env": "A" } }
                }
            ]
        })),
        document(json!({
            "installation": "prod",
            "sources": [source],
            "store": {
                "url": "postgres://reconciler@db.example/reconciler", "password": { "env": "P" },
                "tls": { "mode": "VerifyFull", "ca": "/etc/ca.pem" }
            },
            "vault": {
                "url": "s3://vault/a", "region": "eu-west-1", "endpoint": "https://s3.example",
                "auth": { "accessKeyId": { "env": "A" }, "secretAccessKey": { "env": "B" } }
            },
            "http": {
                "listen": "0.0.0.0:8443", "url": "https://reconciler.example",
                "tls": { "certificate": "/etc/tls.crt", "key": { "file": "/etc/tls.key" }, "clientCa": "/etc/ca.pem" },
                "auth": {
                    "tokens": { "file": "/run/secrets/tokens" },
                    "oidc": {
                        "issuer": "https://login.example", "clientId": "c", "clientSecret": { "env": "O" },
                        "scopes": ["groups"], "groupsClaim": "roles",
                        "roles": { "viewer": ["*"], "operator": ["noc"], "admin": ["dataminer"] }
                    }
                }
            }
        })),
        document(json!({
            "installation": "prod",
            "sources": [source],
            "hooks": {
                "snapshot": {
                    "https": {
                        "url": "https://vcenter.example/snapshot", "ca": "/etc/ca.pem",
                        "headers": { "Authorization": { "env": "H" }, "X-Key": { "file": "/h" }, "Accept": "text/plain" }
                    }
                },
                "script": { "argv": ["/usr/local/bin/x", "--now"] }
            }
        })),
        document(json!({
            "installation": "prod",
            "sources": [source],
            "notifications": [
                {
                    "name": "noc", "events": ["Failed", "Blocked"], "clusters": ["brussels", "emea-*"], "remindEvery": "24h",
                    "to": { "webhook": { "https": { "url": "https://noc.example" }, "secret": { "env": "S" } } }
                },
                { "name": "slack", "to": { "slack": { "url": { "env": "S" } } } },
                { "name": "teams", "to": { "teams": { "url": { "file": "/t" } } } },
                {
                    "name": "mail",
                    "to": {
                        "email": {
                            "server": "smtp.example:587", "tls": "StartTls", "from": "a@example.org",
                            "to": ["b@example.org"], "user": "a", "password": { "env": "P" }
                        }
                    }
                }
            ]
        })),
    ]
}

fn observation() -> Value {
    json!({
        "apiVersion": "dataminer.gitops/v1",
        "kind": "Observation",
        "metadata": { "name": "brussels" },
        "spec": {
            "takenAt": "2026-11-21T02:00:00Z",
            "topology": [{ "id": 101, "address": "10.0.0.11", "failover": "Main" }],
            "agents": [
                {
                    "name": "bru-dma-01", "reachable": true, "address": "10.0.0.11",
                    "core": "10.5.0.0-16500-20251120-release", "webApps": "10.5.12", "webEvidence": "OwnJob",
                    "state": "Running", "failover": { "role": "Main", "online": true },
                    "brokerGateway": false, "swarming": false, "expiredUsers": false, "defaultUpgradeOptions": false,
                    "pendingReboot": false, "freeDisk": "120GiB", "dotnet": ["8.0.11"], "vcredist": "14.40",
                    "os": "10.0.20348", "taskbarUtility": "10.5.2521.130",
                    "history": [{ "at": "2025-11-22T23:10:00Z", "version": "10.5.0.0-16500-20251120-release" }],
                    "webHistory": [{ "at": "2025-11-22T23:10:00Z", "version": "10.5.12" }],
                    "backups": [{
                        "file": "a.zip", "at": "2025-11-22T22:41:00Z", "size": 5, "vault": true, "content": "10.5.12",
                        "sha256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                    }],
                    "modules": [{ "name": "DataMiner GQI", "version": "3.0.3" }],
                    "owed": [{ "action": "RestoreContent", "module": "Web" }],
                    "operation": { "id": "x", "action": "UpgradeCore", "state": "Running", "owner": "prod" },
                    "unknown": { "os": "not readable" }
                },
                { "name": "bru-dma-02", "reachable": false, "reason": "refused", "since": "2025-11-22T22:41:00Z" }
            ]
        }
    })
}

/// Every place of a document, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let field = field.replace('~', "~0").replace('/', "~1");
                places(value, &format!("{at}/{field}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                places(value, &format!("{at}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The changes made at each place; `None` where one does not apply.
fn changes(value: &Value) -> Vec<Value> {
    let mut changed = vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(10.5),
        json!(99_999_999_999_u64),
        json!(""),
        json!("a b"),
        json!("zzz"),
        json!("line\nbreak"),
        json!("10.5"),
        json!("10.5.0 CU9"),
        json!("2026-13-45"),
        json!("file:///x"),
        json!([]),
        json!(["x"]),
        json!({}),
        json!({ "env": "KEY", "file": "/x" }),
    ];
    if let Value::Object(fields) = value {
        let mut more = fields.clone();
        more.insert("unheardOf".to_owned(), json!("x"));
        changed.push(Value::Object(more));
        for field in fields.keys() {
            let mut fewer = fields.clone();
            fewer.remove(field);
            changed.push(Value::Object(fewer));
        }
    }
    if let Value::String(text) = value {
        changed.push(json!([text]));
        changed.push(json!(text.to_uppercase()));
        changed.push(json!(format!(" {text}")));
    }
    changed
}

fn agree_on_all_changes(document: &Value, schema: &str) {
    let validator = validator(schema);
    assert_eq!(read(document), [], "the document is valid");
    assert!(validator.is_valid(document), "the document is valid");
    let mut all = Vec::new();
    places(document, "", &mut all);
    let mut refused = 0;
    for place in &all {
        let original = document.pointer(place).expect("the place was just found");
        for change in changes(original) {
            let mut changed = document.clone();
            *changed.pointer_mut(place).expect("the place was just found") = change.clone();
            // The kind decides which reader a document goes to; what it is not is judged elsewhere.
            if changed["kind"] != document["kind"] {
                continue;
            }
            let found = read(&changed);
            let valid = validator.is_valid(&changed);
            let words = || found.iter().map(|found| format!("\n  {found}")).collect::<String>();
            if found.is_empty() {
                assert!(valid, "the reader takes `{change}` at `{place}`, the schema refuses it");
            } else if valid {
                assert!(
                    found.iter().all(|found| beyond_a_schema(found.code)),
                    "the schema takes `{change}` at `{place}`, the reader says:{}",
                    words()
                );
            } else {
                refused += 1;
            }
            assert!(
                found.iter().all(|found| found.code != Code::Unreadable),
                "`{change}` at `{place}`:{}",
                words()
            );
        }
    }
    // The sweep must not pass because nothing was changed.
    assert!(refused > all.len(), "{refused} of the changes at {} places were refused by both", all.len());
}

#[test]
fn clusters() {
    agree_on_all_changes(&cluster(), "cluster.schema.json");
}

#[test]
fn profiles() {
    agree_on_all_changes(&profile(), "profile.schema.json");
}

#[test]
fn rollouts() {
    agree_on_all_changes(&rollout(), "rollout.schema.json");
}

#[test]
fn advisories() {
    agree_on_all_changes(&advisory(), "advisory.schema.json");
}

#[test]
fn catalogs() {
    agree_on_all_changes(&catalog(), "package-catalog.schema.json");
}

#[test]
fn release_knowledge() {
    for document in knowledge() {
        agree_on_all_changes(&document, "release-knowledge.schema.json");
    }
}

#[test]
fn configurations() {
    for document in configurations_of_all_kinds() {
        agree_on_all_changes(&document, "reconciler-config.schema.json");
    }
}

#[test]
fn observations() {
    agree_on_all_changes(&observation(), "observation.schema.json");
}
