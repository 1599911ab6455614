use super::*;

#[test]
fn a_configuration_is_read_with_its_defaults() {
    let (config, found) = load_config(&file("config.yaml", CONFIG));
    assert_eq!(lines(&found), "");
    insta::assert_debug_snapshot!(config.expect("the configuration has no fault"));
}

#[test]
fn faults_of_a_configuration_are_named() {
    for (from, to, code) in [
        ("name: local", "name: fleet", Code::DuplicateName),
        ("interval: 1m30s", "interval: 0s", Code::ZeroDuration),
        ("10.0.0.0/16", "10.0.0.0/40", Code::UngrantableHost),
        ("clusters: [brussels]", "clusters: [Brussels]", Code::UngrantableHost),
        ("env: DMS_KEY, hosts", "env: DMS_KEY, file: /x, hosts", Code::Exclusive),
        ("env: DMS_KEY, hosts", "hosts", Code::MissingField),
        ("file:///packages", "ftp://packages", Code::BadUrl),
        ("file:///packages", "az://account", Code::BadUrl),
        ("file:///packages", "packages", Code::BadUrl),
        ("/srv/fleet", "srv/fleet", Code::BadUrl),
        ("/srv/fleet", "ssh://a:hunter2@git.example/fleet", Code::SecretInFile),
        ("[::1]:8080", "localhost:8080", Code::BadAddress),
        ("[::1]:8080", "0.0.0.0:8080", Code::OpenListener),
        ("path: /clusters/", "path: ../clusters", Code::BadUrl),
        ("auth: { identity: { env: GIT_KEY } }", "auth: {}", Code::MissingSecret),
        ("identity: { env: GIT_KEY }", "password: { env: P }, passphrase: { env: Q }", Code::MissingSecret),
        ("path: /clusters/", "path: \"a\\\\b\"", Code::BadUrl),
        ("mode: None", "mode: Head", Code::FieldsDisagree),
        ("mode: None", "mode: Signed", Code::UnknownValue),
        ("spec:\n", "spec:\n  store: { url: \"postgres://x\" }\n", Code::BadUrl),
        ("spec:\n", "spec:\n  hooks: { Snapshot: { argv: [/x] } }\n", Code::BadName),
        ("spec:\n", "spec:\n  hooks: { snapshot: { argv: [x] } }\n", Code::RelativeProgram),
        (
            "spec:\n",
            "spec:\n  hooks: { a: { argv: [/x], https: { url: \"https://x\" } } }\n",
            Code::Exclusive,
        ),
        ("spec:\n", "spec:\n  loop: { concurrency: 0 }\n", Code::OutOfRange),
        ("installation: prod", "installation: Prod", Code::BadName),
        ("GIT_KEY", "\"secret value\"", Code::BadName),
    ] {
        let text = CONFIG.replace(from, to);
        assert_ne!(text, CONFIG);
        let (config, found) = load_config(&file("config.yaml", &text));
        let codes: Vec<Code> = found.iter().map(|found| found.code).collect();
        assert_eq!(codes, [code], "{to}: {}", lines(&found));
        assert!(
            config.is_none() && !lines(&found).contains("hunter2") && !lines(&found).contains("secret value")
        );
    }
    for text in ["", "# nothing\n", &format!("{CONFIG}---\n{CONFIG}")] {
        let (config, found) = load_config(&file("config.yaml", text));
        assert!(
            config.is_none()
                && found.iter().all(|found| found.code == Code::NotADocument)
                && found.len() == 1
        );
    }
}

/// A configuration with one part more: what is said of it.
fn said_of(part: &str) -> (Vec<Code>, String) {
    let text = CONFIG.replace("spec:\n", &format!("spec:\n{part}\n"));
    let (_, found) = load_config(&file("config.yaml", &text));
    let errors = found.iter().filter(|found| found.severity == Severity::Error);
    (errors.map(|found| found.code).collect(), lines(&found))
}

#[test]
fn fields_that_do_not_fit_each_other_are_named() {
    let store = |rest: &str| format!("  store: {{ url: \"sqlite:///x\", {rest} }}");
    let vault = |url: &str, rest: &str| format!("  vault: {{ url: \"{url}\", {rest} }}");
    let forge = |rest: &str| format!("  forge: {{ token: {{ env: T }}, {rest} }}");
    let mail = |rest: &str| {
        format!(
            "  notifications: [{{ name: a, to: {{ email: {{ server: smtp.example, from: a@b, to: [a@b], {rest} }} }} }}]"
        )
    };
    for (part, named) in [
        (store("password: { env: P }"), "`password` is for PostgreSQL"),
        (store("tls: {}"), "`tls` is for PostgreSQL"),
        (vault("s3://a", "auth: { accountKey: { env: A } }"), "`accountKey` opens a place at `az:`"),
        (vault("az://a/b", "region: x"), "`region` has no meaning"),
        (vault("file:///a", "auth: { sasToken: { env: A } }"), "rights of the account"),
        (forge("provider: Gitea, repository: a/b, source: fleet"), "no public address"),
        (forge("provider: GitHub, repository: a/b/c, source: fleet"), "`repository` does not fit"),
        (forge("provider: AzureDevOps, repository: a/b, source: fleet"), "`organization/project/repository`"),
        (forge("provider: GitHub, repository: a/b, source: other"), "no source `other`"),
        (forge("provider: GitHub, repository: a/b"), "several sources"),
        (mail("user: a"), "`user` needs `password`"),
        (mail("password: { env: P }"), "`password` needs `user`"),
        (mail("user: a, password: { env: P }, tls: None"), "plain text"),
    ] {
        let (codes, said) = said_of(&part);
        assert_eq!(codes, [Code::FieldsDisagree], "{part}: {said}");
        assert!(said.contains(named), "{part}: {said}");
    }
    for (from, to, named) in [
        (
            "{ identity: { env: GIT_KEY } }",
            "{ identity: { env: K }, token: { env: T } }",
            "two ways to sign in",
        ),
        ("/srv/fleet", "https://git.example/fleet", "`identity` does not fit the URL"),
        ("mode: None", "mode: None, allowedSigners: /a", "`allowedSigners` has no effect"),
        (
            "mode: None",
            "mode: Head, allowedSigners: /a, since: 0123456789abcdef0123456789abcdef01234567",
            "`since`",
        ),
        (
            "branch: release",
            "webhook: { provider: GitLab, secret: { env: S }, user: a }",
            "`user` is for `AzureDevOps`",
        ),
    ] {
        let (_, found) = load_config(&file("config.yaml", &CONFIG.replace(from, to)));
        let errors: Vec<_> = found.iter().filter(|found| found.severity == Severity::Error).collect();
        assert!(
            matches!(errors.as_slice(), [one] if one.code == Code::FieldsDisagree && one.message.contains(named)),
            "{to}: {}",
            lines(&found)
        );
    }
}

#[test]
fn secrets_are_never_written_into_a_configuration() {
    let token = format!("ghp_{}", "a".repeat(36));
    for part in [
        "  hooks: { a: { https: { url: \"https://x\", headers: { X-Auth-Token: hunter2 } } } }".to_owned(),
        "  hooks: { a: { https: { url: \"https://x\", headers: { Authorization: hunter2 } } } }".to_owned(),
        format!("  hooks: {{ a: {{ argv: [/x, \"{token}\"] }} }}"),
        "  forge: { provider: GitHub, repository: a/b, source: fleet, token: hunter2 }".to_owned(),
        "  notifications: [{ name: a, to: { slack: { url: \"https://hooks.slack.com/services/hunter2\" } } }]".to_owned(),
        "  store: { url: \"postgres://reconciler:hunter2@db.example/reconciler\" }".to_owned(),
        "  vault: { url: \"s3://a\", auth: { accessKeyId: { env: A }, secretAccessKey: hunter2 } }"
            .to_owned(),
    ] {
        let (codes, said) = said_of(&part);
        let secret = codes.contains(&Code::SecretInFile) || codes.contains(&Code::WrongType);
        assert!(secret && !said.contains("hunter2") && !said.contains(&token), "{part}: {said}");
    }
}

#[test]
fn who_may_sign_in_is_said_before_others_can_reach_the_listener() {
    for (http, expected) in [
        ("listen: \"0.0.0.0:8080\"", vec![Code::OpenListener]),
        ("listen: \"[::ffff:127.0.0.1]:8080\"", vec![]),
        ("listen: \"0.0.0.0:8080\", auth: {}", vec![Code::MissingSecret]),
        ("listen: \"0.0.0.0:8080\", auth: { tokens: { file: /t } }", vec![]),
        (
            "auth: { oidc: { issuer: \"https://a\", clientId: b, roles: { viewer: [] } } }",
            vec![Code::FieldsDisagree],
        ),
        ("auth: { oidc: { issuer: \"https://a\", clientId: b, roles: { viewer: [\"*\"] } } }", vec![]),
    ] {
        let text = CONFIG
            .replace("{ listen: \"[::1]:8080\", metrics: \"127.0.0.1:9090\" }", &format!("{{ {http} }}"));
        assert_ne!(text, CONFIG);
        let (_, found) = load_config(&file("config.yaml", &text));
        let errors: Vec<Code> =
            found.iter().filter(|found| found.severity == Severity::Error).map(|found| found.code).collect();
        assert_eq!(errors, expected, "{http}: {}", lines(&found));
    }
}

/// Whoever writes one of these counts on it: each has a warning of its own, at its own place.
#[test]
fn what_no_process_carries_out_yet_is_warned_of_by_name() {
    let sources = |rest: &str| {
        format!(
            "  sources: [{{ name: a, url: /srv/a }}, {{ name: b, url: \"https://git.example/b\", {rest} }}]"
        )
    };
    let packages = |rest: &str| format!("  packages: [{{ name: a, {rest} }}]");
    for (part, fields) in [
        (sources("verify: { mode: Head, gpgKeys: [/a] }"), &["spec.sources[1].verify"][..]),
        (sources("webhook: { provider: Generic, secret: { env: S } }"), &["spec.sources[1].webhook"]),
        (sources("auth: { token: { env: T } }"), &[]),
        (packages("url: \"https://a.example\""), &["spec.packages[0].url"]),
        (
            packages("url: \"az://a/b\", auth: { sasToken: { env: S } }"),
            &["spec.packages[0].url", "spec.packages[0].auth"],
        ),
        ("  store: { url: \"postgres://db.example/a\" }".to_owned(), &["spec.store.url"]),
        (
            "  store: { url: \"postgres://db.example/a\", password: { env: P }, tls: {} }".to_owned(),
            &["spec.store.url", "spec.store.password", "spec.store.tls"],
        ),
        ("  store: { keep: { days: 30 } }".to_owned(), &["spec.store.keep"]),
        ("  vault: { url: \"s3://a\" }".to_owned(), &["spec.vault.url"]),
        (
            "  vault: { url: \"az://a/b\", auth: { accountKey: { env: K } } }".to_owned(),
            &["spec.vault.url", "spec.vault.auth"],
        ),
        ("  hooks: { a: { argv: [/x] } }".to_owned(), &["spec.hooks"]),
        ("  http: { url: \"https://a.example\" }".to_owned(), &["spec.http.url"]),
        ("  http: { tls: { certificate: /c, key: { file: /k } } }".to_owned(), &["spec.http.tls"]),
        ("  http: { auth: { tokens: { file: /t } } }".to_owned(), &["spec.http.auth"]),
        ("  forge: { provider: GitHub, repository: a/b, token: { env: T } }".to_owned(), &["spec.forge"]),
        (
            "  notifications: [{ name: a, to: { slack: { url: { env: U } } } }]".to_owned(),
            &["spec.notifications"],
        ),
    ] {
        let sourced = part.starts_with("  sources");
        let sources = if sourced { "" } else { "  sources: [{ name: a, url: /srv/a }]\n" };
        let text = format!(
            "apiVersion: dataminer.gitops/v1\nkind: ReconcilerConfig\nspec:\n  installation: prod\n{sources}{part}\n"
        );
        let (config, found) = load_config(&file("config.yaml", &text));
        let said: Vec<String> =
            fields.iter().map(|field| format!("`{field}` is not carried out by this release")).collect();
        let warned: Vec<String> = found.iter().map(|found| found.message.clone()).collect();
        assert_eq!(
            warned.iter().collect::<std::collections::BTreeSet<_>>(),
            said.iter().collect(),
            "{part}: {}",
            lines(&found)
        );
        for found in &found {
            assert_eq!((found.code, found.severity), (Code::NotSupportedYet, Severity::Warning), "{part}");
            let line = part.lines().next().unwrap_or_default();
            assert!(
                found.line == 5 + usize::from(!sourced) && found.column > 5 && line.len() > found.column,
                "{found}"
            );
        }
        let config = config.expect("a warning keeps nothing from being read");
        assert_eq!(config.not_carried_out(), fields, "{part}");
    }
}
