use super::*;

#[test]
fn all_faults_of_a_file_are_listed_and_the_rest_of_it_is_used() {
    let (fleet, found) = load_fleet(&[file("fleet.yaml", BROKEN)]);
    let names: Vec<&str> = fleet.clusters.iter().map(|cluster| cluster.value.name.as_str()).collect();
    assert_eq!(names, ["lisbon"]);
    insta::assert_snapshot!(lines(&found));
}

#[test]
fn diagnostics_show_the_line_with_a_caret_and_hide_secrets() {
    let (_, found) = load_fleet(&[file("fleet.yaml", BROKEN)]);
    let shown: String = [Code::UnknownField, Code::SecretInFile, Code::UnknownProfile]
        .iter()
        .filter_map(|code| found.iter().find(|found| found.code == *code))
        .map(|found| found.render_text(BROKEN))
        .collect();
    assert!(!shown.contains("hunter2") && !lines(&found).contains("hunter2"));
    insta::assert_snapshot!(shown, @r#"
    error[E0301]: there is no field `webapps` in `software`
     --> fleet.yaml:9:5
      |
    9 |     webapps: unmanged
      |     ^^^^^^^
      |
      = help: did you mean `webApps`?
    error[E0701]: `password` holds a secret
      --> fleet.yaml:20:62
       |
    20 |     ssh: { user: x, identity: { file: a, env: B }, password: ******* }
       |                                                              ^^^^^^^
       |
       = help: name it by `{ env: NAME }` or `{ file: PATH }`; what was once committed must be replaced
    error[E0611]: there is no Profile `production`
     --> fleet.yaml:5:12
      |
    5 |   profile: production
      |            ^^^^^^^^^^
      |
      = help: this repository has no Profile at all: add it, or take the name out
    "#);
}

#[test]
fn a_diagnostic_is_rendered_without_its_source_too() {
    let (_, found) = load_fleet(&[file("fleet.yaml", BROKEN)]);
    insta::assert_snapshot!(found[0].render_text("something else"), @r#"
    error[E0303]: `stage` must be a text, this is a number
    --> fleet.yaml:3:60
     = help: put it in quotes: "1"
    "#);
    let whole = Diagnostic::of_file("a\u{1b}[31m.yaml", Code::FileTooLarge, "too large", "split it");
    insta::assert_snapshot!(whole.render_text(""), @"
    error[E0001]: too large
    --> a�[31m.yaml
     = help: split it
    ");
}

#[test]
fn diagnostics_are_json_and_read_back() {
    let (_, found) = load_fleet(&[file("fleet.yaml", BROKEN)]);
    let text = serde_json::to_string(&found).expect("diagnostics are JSON");
    assert!(
        text.contains(r#""code":"E0611","severity":"error","path":"fleet.yaml","line":5,"column":12"#),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<Vec<Diagnostic>>(&text).expect("it was just written"), found);
}

#[test]
fn secrets_in_a_repository_are_errors_and_are_not_repeated() {
    for (extra, line) in [
        ("  connection: { ssh: { user: a, password: hunter2 } }", ":7:43"),
        ("  connection: { ssh: { user: a, identity: \"-----BEGIN OPENSSH PRIVATE KEY-----\" } }", ":7:43"),
        (
            "  connection:\n    ssh:\n      user: a\n      identity: |\n        -----BEGIN RSA PRIVATE KEY-----\n        hunter2\n",
            ":11:9",
        ),
    ] {
        let found = load_fleet(&[file("a.yaml", &cluster_with(extra))]).1;
        let secret =
            found.iter().find(|found| found.code == Code::SecretInFile).expect("the secret is found");
        assert!(secret.to_string().starts_with(&format!("a.yaml{line}")), "{secret}");
        for found in &found {
            assert!(!found.render_text(&cluster_with(extra)).contains("hunter2"), "{found}");
        }
    }
}
