//! The Helm chart, rendered by the real Helm: one careful pod, a configuration that the program takes, no secret.

use std::{collections::BTreeSet, fs, path::PathBuf};

use dataminer_reconciler_tests::{
    chart::{self, Rendered, helm},
    environment::workspace,
    program,
};
use serde_yaml::Value;
use tempfile::TempDir;

/// Helm, and a folder that it may take for its home.
struct Stand {
    helm: PathBuf,
    home: TempDir,
}

/// The default values, and each example with its name.
fn examples() -> Vec<(String, Option<PathBuf>)> {
    let mut all = vec![("the defaults".to_owned(), None)];
    for entry in fs::read_dir(chart::folder().join("ci")).expect("the chart has examples") {
        let path = entry.expect("the folder can be read").path();
        all.push((path.display().to_string(), Some(path)));
    }
    assert!(all.len() >= 4, "{all:?}");
    all.sort();
    all
}

impl Stand {
    fn new() -> Option<Self> {
        let helm = helm()?;
        Some(Self { helm, home: TempDir::new().expect("a temporary folder can be made") })
    }

    fn call(&self, arguments: &[&str], values: Option<&PathBuf>) -> program::Ended {
        let mut arguments = arguments.to_vec();
        if let Some(path) = values {
            arguments.extend(["-f", path.to_str().expect("a readable name")]);
        }
        chart::call(&self.helm, self.home.path(), &arguments)
    }

    fn template(&self, values: Option<&PathBuf>, more: &[&str]) -> program::Ended {
        let chart = chart::folder();
        let chart = chart.to_str().expect("a readable name");
        let mut arguments = vec!["template", "prod", chart, "-n", "dm"];
        arguments.extend(more);
        self.call(&arguments, values)
    }

    fn render(&self, values: Option<&PathBuf>) -> Rendered {
        Rendered::parse(&self.template(values, &[]).expect_status(0).stdout)
    }

    /// Renders with these values over the defaults.
    fn with(&self, values: &str) -> program::Ended {
        let path = self.home.path().join("values.yaml");
        fs::write(&path, values).expect("the temporary folder can be written");
        self.template(Some(&path), &[])
    }
}

#[test]
fn helm_finds_nothing_to_blame() {
    let Some(stand) = Stand::new() else { return };
    let chart = chart::folder();
    for (name, values) in examples() {
        let ended = stand.call(&["lint", "--strict", chart.to_str().expect("readable")], values.as_ref());
        assert_eq!(ended.status, Some(0), "{name}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains("1 chart(s) linted, 0 chart(s) failed"), "{name}: {}", ended.stdout);
    }
}

#[test]
fn there_is_one_pod_with_no_more_rights_than_it_needs() {
    let Some(stand) = Stand::new() else { return };
    for (name, values) in examples() {
        let rendered = stand.render(values.as_ref());
        let set = rendered.the("StatefulSet");
        assert_eq!(set["spec"]["replicas"], 1, "{name}");
        assert_eq!(rendered.all("Deployment").count(), 0, "{name}");
        let pods = [rendered.pod()].into_iter().chain(rendered.all("Pod").map(|pod| &pod["spec"]));
        for pod in pods {
            let of_pod = &pod["securityContext"];
            assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
            assert_eq!(of_pod["runAsNonRoot"], true, "{name}");
            assert!(of_pod["runAsUser"].as_u64().is_some_and(|user| user > 0), "{name}");
            assert_eq!(of_pod["seccompProfile"]["type"], "RuntimeDefault", "{name}");
            for setting in ["hostNetwork", "hostPID", "hostIPC"] {
                assert!(pod[setting].is_null(), "{name}: {setting}");
            }
            let containers = pod["containers"].as_sequence().expect("a pod has containers");
            assert_eq!(containers.len(), 1, "{name}");
            let container = &containers[0]["securityContext"];
            assert_eq!(container["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(container["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(container["capabilities"]["drop"], Value::from(vec!["ALL"]), "{name}");
            assert!(container["capabilities"]["add"].is_null(), "{name}");
        }
    }
}

#[test]
fn the_configuration_is_one_that_the_program_takes() {
    let Some(stand) = Stand::new() else { return };
    for (name, values) in examples() {
        let rendered = stand.render(values.as_ref());
        let path = stand.home.path().join("reconciler.yaml");
        fs::write(&path, rendered.config()).expect("the temporary folder can be written");
        let path = path.to_str().expect("a readable name");
        let ended = program::run(&["validate", path], stand.home.path());
        assert_eq!(ended.status, Some(0), "{name}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains("0 errors, 0 warnings"), "{name}: {}", ended.stderr);

        let config: Value = serde_yaml::from_str(rendered.config()).expect("it is YAML");
        let spec = &config["spec"];
        assert_eq!(spec["http"]["listen"], "127.0.0.1:8080", "{name}: the API is for the pod alone");
        let monitoring = spec["http"]["metrics"].as_str().expect("there is a listener for probes");
        let port = rendered.pod()["containers"][0]["ports"][0]["containerPort"].as_u64().expect("a port");
        assert!(monitoring.ends_with(&format!(":{port}")), "{name}: {monitoring}");
    }
    let rendered = stand.render(None);
    assert!(rendered.config().contains("installation: \"dm-prod\""), "namespace and release");
}

#[test]
fn the_program_understands_how_it_is_called() {
    let Some(stand) = Stand::new() else { return };
    for (name, values) in examples() {
        let rendered = stand.render(values.as_ref());
        for pod in [rendered.pod()].into_iter().chain(rendered.all("Pod").map(|pod| &pod["spec"])) {
            let container = &pod["containers"][0];
            assert!(container["command"].is_null(), "{name}: the image's entry point is the program");
            let arguments = container["args"].as_sequence().expect("it has arguments");
            let arguments: Vec<_> =
                arguments.iter().map(|argument| argument.as_str().expect("a text")).collect();
            assert!(arguments.contains(&"/etc/dataminer-reconciler/reconciler.yaml"), "{name}");
            // That file is not here, and the program gets as far as saying so; a wrong call would be 64.
            let ended = program::run(&arguments, stand.home.path()).expect_status(1);
            assert!(
                ended.stderr.contains("/etc/dataminer-reconciler/reconciler.yaml"),
                "{name}: {}",
                ended.stderr
            );
        }
    }
}

/// Every path that the configuration names lies in a volume, and only data and `/tmp` can be written.
#[test]
fn volumes_fit_the_configuration() {
    let Some(stand) = Stand::new() else { return };
    for (name, values) in examples() {
        let rendered = stand.render(values.as_ref());
        let pod = rendered.pod();
        let volumes = pod["volumes"].as_sequence().expect("the pod has volumes");
        let volume = |name: &Value| {
            volumes.iter().find(|volume| volume["name"] == *name).expect("a mounted volume exists")
        };
        let mounts = pod["containers"][0]["volumeMounts"].as_sequence().expect("it has mounts");
        let mount = |path: &str| mounts.iter().find(|mount| mount["mountPath"] == path);
        for mount in mounts {
            let path = mount["mountPath"].as_str().expect("a path");
            let writable = ["/var/lib/dataminer-reconciler", "/tmp"].contains(&path);
            assert_eq!(mount["readOnly"] != true, writable, "{name}: {path}");
        }
        let tmp = volume(&mount("/tmp").expect("the driver spools there")["name"]);
        assert!(tmp["emptyDir"]["sizeLimit"].is_string(), "{name}");
        let data = volume(&mount("/var/lib/dataminer-reconciler").expect("store and vault")["name"]);
        let claim = data["persistentVolumeClaim"]["claimName"].as_str().expect("a claim");
        let own = rendered.all("PersistentVolumeClaim").any(|object| object["metadata"]["name"] == claim);
        assert_ne!(own, claim == "reconciler-data", "{name}: {claim}");

        let config: Value = serde_yaml::from_str(rendered.config()).expect("it is YAML");
        for place in config["spec"]["packages"].as_sequence().expect("a list") {
            let path = place["url"].as_str().and_then(|url| url.strip_prefix("file://")).expect("a folder");
            let source = volume(&mount(path).unwrap_or_else(|| panic!("{name}: {path}"))["name"]);
            let read_only = [&source["nfs"], &source["persistentVolumeClaim"]]
                .iter()
                .any(|kind| kind["readOnly"] == true);
            assert!(read_only, "{name}: {path}");
        }
    }
}

#[test]
fn secrets_are_names_only() {
    let Some(stand) = Stand::new() else { return };
    for (name, values) in examples() {
        let rendered = stand.render(values.as_ref());
        assert_eq!(rendered.all("Secret").count(), 0, "{name}");
        let pod = rendered.pod();
        for variable in pod["containers"][0]["env"].as_sequence().into_iter().flatten() {
            assert!(variable["value"].is_null(), "{name}: {variable:?}");
            assert!(variable["valueFrom"]["secretKeyRef"]["name"].is_string(), "{name}: {variable:?}");
        }
        let secrets = pod["volumes"].as_sequence().expect("a list").iter().find(|v| v["name"] == "secrets");
        let projected = &secrets.expect("the examples mount Secrets")["projected"];
        // The group reads, nobody else.
        assert_eq!(projected["defaultMode"], 0o440, "{name}");
        for source in projected["sources"].as_sequence().expect("a list") {
            assert!(source["secret"]["name"].is_string(), "{name}: {source:?}");
        }
    }
}

#[test]
fn probes_ask_the_listener_that_serves_them() {
    let Some(stand) = Stand::new() else { return };
    let rendered = stand.render(None);
    let container = &rendered.pod()["containers"][0];
    for (probe, path) in
        [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")]
    {
        assert_eq!(container[probe]["httpGet"]["path"], path, "{probe}");
        assert_eq!(container[probe]["httpGet"]["port"], "monitoring", "{probe}");
    }
    assert_eq!(container["ports"].as_sequence().map(Vec::len), Some(1), "the API has no port");
    assert_eq!(rendered.the("Service")["spec"]["ports"][0]["targetPort"], "monitoring");
    let grace = rendered.pod()["terminationGracePeriodSeconds"].as_u64().expect("a number");
    assert!(grace >= 60, "a command on an Agent may take a minute to answer");
}

#[test]
fn what_is_optional_comes_only_when_asked_for() {
    let Some(stand) = Stand::new() else { return };
    let few = ["ConfigMap", "PersistentVolumeClaim", "Pod", "Service", "StatefulSet"];
    assert_eq!(stand.render(None).kinds(), few);
    let full = stand.render(Some(&chart::folder().join("ci/full-values.yaml")));
    let many =
        ["ConfigMap", "NetworkPolicy", "PersistentVolumeClaim", "Service", "ServiceMonitor", "StatefulSet"];
    assert_eq!(full.kinds(), many);
    let policy = &full.the("NetworkPolicy")["spec"];
    assert_eq!(policy["policyTypes"], Value::from(vec!["Ingress", "Egress"]));
    assert_eq!(policy["ingress"][0]["ports"][0]["port"], "monitoring");
    let closed = Rendered::parse(&stand.with("networkPolicy: { enabled: true }").expect_status(0).stdout);
    let policy = &closed.the("NetworkPolicy")["spec"];
    assert_eq!(policy["policyTypes"], Value::from(vec!["Ingress"]));
    assert_eq!(policy["ingress"].as_sequence().map(Vec::len), Some(0), "nobody is let in unnamed");
}

#[test]
fn the_pod_restarts_when_its_configuration_changes() {
    let Some(stand) = Stand::new() else { return };
    let sum = |ended: program::Ended| {
        let rendered = Rendered::parse(&ended.expect_status(0).stdout);
        rendered.the("StatefulSet")["spec"]["template"]["metadata"]["annotations"]["checksum/config"].clone()
    };
    let one = sum(stand.with("config: { loop: { observe: 5m } }"));
    assert_eq!(one, sum(stand.with("tmp: { sizeLimit: 1Gi }")));
    assert_ne!(one, sum(stand.with("config: { loop: { observe: 6m } }")));
}

#[test]
fn bad_values_are_refused_by_name() {
    let Some(stand) = Stand::new() else { return };
    let source = |more: &str| format!("config: {{ sources: [ {{ name: fleet, {more} }} ] }}");
    for (case, values, told) in [
        ("a second replica", "replicas: 2".to_owned(), "'replicas' not allowed"),
        ("root", "runAs: { user: 0 }".to_owned(), "/runAs/user"),
        ("a switch that does not exist", "networkPolicy: { enable: true }".to_owned(), "'enable' not allowed"),
        ("no source", "config: { sources: [] }".to_owned(), "/config/sources"),
        (
            "two sources",
            "config: { sources: [ { name: a, url: \"https://g/a\" }, { name: b, url: \"https://g/b\" } ] }".to_owned(),
            "/config/sources",
        ),
        ("a password in a URL", source("url: \"https://robot:hunter2@git.example/f.git\""), "/config/sources/0/url"),
        ("a password in an ssh URL", source("url: \"ssh://git:hunter2@git.example/f.git\""), "/config/sources/0/url"),
        ("plain http", source("url: \"http://git.example/f.git\""), "/config/sources/0/url"),
        ("a repository on a disk", source("url: /srv/fleet.git"), "/config/sources/0/url"),
        (
            "a secret's value",
            source("url: \"https://git.example/f.git\", auth: { password: hunter2 }"),
            "/config/sources/0/auth/password",
        ),
        (
            "a secret's value beside its name",
            source("url: \"https://git.example/f.git\", auth: { password: { env: T, value: hunter2 } }"),
            "/config/sources/0/auth/password",
        ),
        ("a host key of another form", source("url: \"ssh://g/f.git\", hostKeys: [\"MD5:aa:bb\"]"), "/hostKeys/0"),
        ("the API on another address", "config: { http: { listen: \"0.0.0.0:8080\" } }".to_owned(), "'http' not allowed"),
        ("metrics on the port of the API", "monitoring: { port: 8080 }".to_owned(), "/monitoring/port"),
        ("a volume of many nodes", "persistence: { accessMode: ReadWriteMany }".to_owned(), "/persistence/accessMode"),
        ("a size without a unit's name", "persistence: { size: 50 GB }".to_owned(), "/persistence/size"),
        ("a place of both kinds", "packages: [ { name: nas, existingClaim: a, nfs: { server: b, path: /c } } ]".to_owned(), "/packages/0"),
        ("a place of no kind", "packages: [ { name: nas } ]".to_owned(), "/packages/0"),
        ("an end without time", "terminationGracePeriodSeconds: 1".to_owned(), "/terminationGracePeriodSeconds"),
        ("an installation with capitals", "config: { installation: Prod }".to_owned(), "/config/installation"),
        (
            "a secret with a path",
            "secretFiles: [ { secretName: a, items: [ { key: k, path: ../k } ] } ]".to_owned(),
            "/secretFiles/0/items/0/path",
        ),
        // These the schema cannot say; the templates do.
        (
            "a grant of a file that nobody mounts",
            "config: { secrets: [ { file: /run/secrets/other, hosts: [\"*\"] } ] }".to_owned(),
            "config.secrets[0]: no entry of secretFiles brings the file /run/secrets/other",
        ),
        (
            "a variable that nobody sets",
            source("url: \"https://git.example/f.git\", auth: { password: { env: TOKEN } }"),
            "config.sources[0].auth.password: no entry of secretEnv sets the variable TOKEN",
        ),
        (
            "two files of one name",
            "secretFiles: [ { secretName: a, items: [ { key: one, path: git_key }, { key: two, path: git_key } ] } ]".to_owned(),
            "two items have the same path",
        ),
        (
            "two places of one name",
            "packages: [ { name: a, existingClaim: b }, { name: a, existingClaim: c } ]".to_owned(),
            "two places have the same name",
        ),
    ] {
        let ended = stand.with(&values);
        assert_ne!(ended.status, Some(0), "{case} was taken:\n{}", ended.stdout);
        assert!(ended.stderr.contains(told), "{case}: {}", ended.stderr);
    }
}

#[test]
fn a_name_too_long_to_mark_agents_with_is_refused() {
    let Some(stand) = Stand::new() else { return };
    let long = "n".repeat(60);
    let ended = stand.template(None, &["-n", &long]);
    assert_ne!(ended.status, Some(0), "{}", ended.stdout);
    assert!(ended.stderr.contains("longer than 63 characters"), "{}", ended.stderr);
    stand.template(None, &["-n", &long, "--set", "config.installation=prod"]).expect_status(0);
}

#[test]
fn the_chart_is_of_this_version() {
    let read = |path: PathBuf| fs::read_to_string(path).expect("the file is there");
    let chart: Value = serde_yaml::from_str(&read(chart::folder().join("Chart.yaml"))).expect("it is YAML");
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
    assert!(
        read(workspace().join("charts/README.md")).contains(concat!(":", env!("CARGO_PKG_VERSION"), " .")),
        "charts/README.md builds an image of this version"
    );
}

/// The chart repeats fields of the configuration so that a mistake shows before anything is installed; a new field must
/// not be forgotten there.
#[test]
fn the_values_know_every_field_of_the_configuration() {
    let read = |path: PathBuf| -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(path).expect("the file is there")).expect("it is JSON")
    };
    let ours = read(chart::folder().join("values.schema.json"));
    let real = read(workspace().join("schema/json/reconciler-config.schema.json"));
    let fields = |schema: &serde_json::Value| -> BTreeSet<String> {
        schema["properties"].as_object().expect("it has fields").keys().cloned().collect()
    };
    let (config, real) = (&ours["properties"]["config"], &real["definitions"]);
    let mut spec = fields(&real["ConfigSpec"]);
    // Set by the chart itself: places and listeners. The others belong to the language, and no process starts with them yet.
    for set in ["packages", "store", "http", "hooks", "forge", "notifications"] {
        assert!(spec.remove(set), "{set}");
    }
    assert_eq!(fields(config), spec);
    let mut source = fields(&real["Source"]);
    assert!(source.remove("webhook"));
    assert_eq!(fields(&ours["definitions"]["Source"]), source);
    assert_eq!(fields(&ours["definitions"]["Source"]["properties"]["auth"]), fields(&real["Auth"]));
    assert_eq!(fields(&config["properties"]["loop"]), fields(&real["Loop"]));
    assert_eq!(fields(&config["properties"]["vault"]["properties"]["keep"]), fields(&real["Keep"]));
    assert_eq!(fields(&ours["definitions"]["Grant"]["oneOf"][0]), fields(&real["FileGrant"]));
    assert_eq!(fields(&ours["definitions"]["Grant"]["oneOf"][1]), fields(&real["EnvGrant"]));
    // Shared word for word.
    for name in ["Label", "Text", "Duration", "HostKey", "Commit", "EnvName", "RepositoryPath", "SecretRef"] {
        assert_eq!(ours["definitions"][name], real[name], "{name}");
    }
}

/// Everything is described and nothing unknown is taken, however deep.
#[test]
fn the_schema_of_the_values_is_strict_and_explains() {
    fn walk(at: &str, schema: &serde_json::Value) {
        if let Some(properties) = schema["properties"].as_object() {
            assert_eq!(schema["additionalProperties"], false, "{at} takes anything");
            for (name, property) in properties {
                let explained = property["description"].is_string() || property["$ref"].is_string();
                assert!(explained, "{at}.{name} says nothing");
                walk(&format!("{at}.{name}"), property);
            }
        }
        for (name, definition) in schema["definitions"].as_object().into_iter().flatten() {
            walk(name, definition);
        }
        if schema["items"].is_object() {
            walk(at, &schema["items"]);
        }
        for one in schema["oneOf"].as_array().into_iter().flatten().filter(|one| one["type"] == "object") {
            walk(at, one);
        }
    }
    let text = fs::read_to_string(chart::folder().join("values.schema.json")).expect("the file is there");
    let schema = serde_json::from_str(&text).expect("it is JSON");
    walk("values", &schema);
    let values: Value =
        serde_yaml::from_str(&fs::read_to_string(chart::folder().join("values.yaml")).expect("it is there"))
            .expect("it is YAML");
    let named: BTreeSet<_> =
        values.as_mapping().expect("a mapping").keys().filter_map(Value::as_str).collect();
    let known: BTreeSet<_> =
        schema["properties"].as_object().expect("an object").keys().map(String::as_str).collect();
    let unset: Vec<_> = known.difference(&named).copied().collect();
    assert_eq!(unset, ["global"], "values.yaml shows every value");
}
