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
        ("file:///packages", "s3://packages", Code::NotSupportedYet),
        ("file:///packages", "packages", Code::BadUrl),
        ("/srv/fleet", "srv/fleet", Code::BadUrl),
        ("/srv/fleet", "https://a:hunter2@git.example/fleet", Code::SecretInFile),
        ("[::1]:8080", "localhost:8080", Code::BadAddress),
        ("[::1]:8080", "0.0.0.0:8080", Code::NotSupportedYet),
        ("path: /clusters/", "path: ../clusters", Code::BadUrl),
        ("auth: { identity: { env: GIT_KEY } }", "auth: {}", Code::MissingSecret),
        ("identity: { env: GIT_KEY }", "password: { env: P }, passphrase: { env: Q }", Code::MissingSecret),
        ("path: /clusters/", "path: \"a\\\\b\"", Code::BadUrl),
        ("mode: None", "mode: Head", Code::NotSupportedYet),
        ("spec:\n", "spec:\n  forge: {}\n", Code::NotSupportedYet),
        ("spec:\n", "spec:\n  store: { url: \"postgres://x\" }\n", Code::NotSupportedYet),
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
