//! The comment on an upgrade pull request: the examples as they are committed, what lies between two commits, and the
//! recipes that post it.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use dataminer_reconciler_tests::{
    environment::workspace,
    program::{self, Ended, call},
    repository::Repository,
};
use serde_json::Value;
use tempfile::TempDir;

const NOW: &str = "2026-11-20T20:00:00Z";
const MARK: &str = "<!-- dataminer-reconciler:review -->";

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Compares with the committed file, or writes it where snapshots are to be renewed.
#[track_caller]
fn assert_golden(path: &Path, text: &str) {
    if std::env::var_os("INSTA_UPDATE").is_some_and(|how| how == "always") {
        fs::write(path, text).expect("the golden file can be written");
    }
    assert_eq!(text, read(path), "renew {} with INSTA_UPDATE=always", path.display());
}

#[test]
fn the_comments_of_the_examples_are_the_committed_ones() {
    for (example, code) in [("monthly", 2), ("feature-to-main-downgrade", 2), ("blocked-jump", 3)] {
        let folder = format!("examples/review/{example}");
        let (fleet, observed) = (format!("{folder}/fleet"), format!("{folder}/observed"));
        let ended = program::run(&["validate", &fleet, &observed], workspace());
        assert!(ended.stderr.contains("0 errors, 0 warnings"), "{example}: {}", ended.stderr);
        let arguments = ["plan", "-f", &fleet, "--observed", &observed, "--now", NOW, "-o", "markdown"];
        let ended = program::run(&arguments, workspace()).expect_status(0);
        assert_golden(&workspace().join(&folder).join("plan.md"), &ended.stdout);
        let detailed = program::run(&[&arguments[..], &["--detailed-exitcode"]].concat(), workspace());
        assert_eq!(detailed.expect_status(code).stdout, ended.stdout, "{example}: the same text every time");
    }
}

#[test]
fn differences_have_a_markdown_form() {
    let arguments =
        ["diff", "-f", "examples/fleet", "--observed", "examples/observed", "-o", "markdown", "lisbon"];
    let ended = program::run(&arguments, workspace()).expect_status(1);
    insta::assert_snapshot!(ended.stdout);
}

/// A fleet repository that begins with the example fleet, and what was observed of it.
struct Fleet {
    repository: Repository,
    base: String,
}

fn example(path: &str) -> String {
    read(&workspace().join("examples").join(path))
}

impl Fleet {
    fn new() -> Self {
        let repository = Repository::new();
        for file in ["clusters/brussels.yaml", "clusters/lisbon.yaml", "catalog/approved.yaml"] {
            repository.write(&format!("fleet/{file}"), &example(&format!("fleet/{file}")));
        }
        let base = repository.commit("The fleet");
        Self { repository, base }
    }

    fn change(&self, file: &str, from: &str, to: &str) -> &Self {
        let path = self.repository.path().join("fleet").join(file);
        let text = read(&path);
        assert!(text.contains(from), "{file} has no {from}");
        self.repository.write(&format!("fleet/{file}"), &text.replace(from, to));
        self
    }

    fn remove(&self, file: &str) -> &Self {
        fs::remove_file(self.repository.path().join("fleet").join(file)).expect("it is there");
        self
    }

    fn commit(&self) -> String {
        self.repository.commit("A change")
    }

    /// `plan` between the first commit and the last, from outside the repository.
    fn plan(&self, more: &[&str]) -> Ended {
        let folder = self.repository.path().join("fleet");
        let folder = folder.to_str().expect("temporary folders have plain names");
        let observed = ["--observed", "examples/observed", "--now", "2026-11-21T10:00:00Z"];
        let sides = ["--base", self.base.as_str()];
        let arguments = [&["plan", "-f", folder][..], &observed, &sides, more];
        // The repository belongs to whoever runs the test.
        Ended::of(&mut call(&arguments.concat(), workspace()))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.plan(&["-o", "json"]).expect_status(0).stdout).expect("it is JSON")
    }
}

fn names(list: &Value, field: &str) -> Vec<String> {
    let entries = list.as_array().expect("it is a list");
    entries.iter().map(|entry| entry[field].as_str().expect("it is a text").to_owned()).collect()
}

#[test]
fn a_commit_that_changes_no_plan_is_one_line() {
    let fleet = Fleet::new();
    // A file under another name, a comment, a label: none of it changes a plan.
    let text = read(&fleet.repository.path().join("fleet/clusters/lisbon.yaml"));
    fleet.remove("clusters/lisbon.yaml");
    fleet.repository.write("fleet/elsewhere/lisbon-dms.yaml", &format!("# moved\n{text}"));
    fleet.change("clusters/brussels.yaml", "region: emea", "region: benelux").commit();
    let ended = fleet.plan(&["-o", "markdown", "--detailed-exitcode"]).expect_status(0);
    assert_eq!(
        ended.stdout,
        format!(
            "{MARK}\n### DataMiner upgrades: no cluster is upgraded\n\n2 other clusters do not change.\n"
        )
    );
    assert_eq!(ended.stderr, "");
    let table = fleet.plan(&[]).expect_status(0).stdout;
    assert_eq!(table, "2 clusters unchanged\n");
}

#[test]
fn what_changes_comes_and_goes_is_told_apart() {
    let fleet = Fleet::new();
    fleet.change("clusters/brussels.yaml", "webApps: 10.6.4", "webApps: bundled");
    let porto =
        example("fleet/clusters/lisbon.yaml").replace("lisbon", "porto").replace("10.1.0.", "10.9.0.");
    fleet.remove("clusters/lisbon.yaml").repository.write("fleet/clusters/porto.yaml", &porto);
    let head = fleet.commit();
    let review = fleet.json();
    assert_eq!(
        (&review["base"], &review["head"]),
        (&Value::from(fleet.base.as_str()), &Value::from(head.as_str()))
    );
    let mut told: Vec<_> = names(&review["clusters"], "cluster")
        .into_iter()
        .zip(names(&review["clusters"], "standing"))
        .collect();
    told.sort();
    let expected = [("brussels", "Changed"), ("lisbon", "Removed"), ("porto", "Added")];
    assert_eq!(told, expected.map(|(name, standing)| (name.to_owned(), standing.to_owned())));
    assert_eq!(review["unchanged"], 0);
    let entries = review["clusters"].as_array().expect("it is a list");
    let brussels = entries.iter().find(|entry| entry["cluster"] == "brussels").expect("it changes");
    assert_eq!(brussels["base"]["commit"], fleet.base.as_str());
    assert_eq!(brussels["head"]["commit"], head.as_str());
    let gone: Vec<&str> = brussels["differences"]
        .as_array()
        .expect("they differ")
        .iter()
        .filter(|part| part["what"] == "Step")
        .filter_map(|part| part["before"].as_str())
        .collect();
    assert!(gone.iter().any(|step| step.starts_with("UpgradeWeb 10.6.4")), "{gone:?}");

    let table = fleet.plan(&[]).expect_status(0).stdout;
    assert!(
        table.contains("brussels: changed\n  to: 10.5.0 CU12 (build 16889), web 10.5.0 CU12 instead of "),
        "{table}"
    );
    assert!(table.contains("lisbon: no longer managed: nothing is done to it any more\n"), "{table}");
    assert!(table.contains("porto: new\n"), "{table}");
    assert!(table.ends_with("0 other clusters unchanged\n"), "{table}");
    let comment = fleet.plan(&["-o", "markdown", "--detailed-exitcode"]).expect_status(3).stdout;
    assert!(comment.contains("**What this changes in the plan**"), "{comment}");
    // Only one was asked for; it was seen, so nothing is blocked.
    let one = fleet.plan(&["-o", "markdown", "--detailed-exitcode", "brussels"]).expect_status(2).stdout;
    assert!(one.contains("| `brussels` |") && !one.contains("lisbon"), "{one}");
    let stranger = fleet.plan(&["rome"]).expect_status(1);
    assert!(stranger.stderr.contains("there are: brussels, lisbon, porto"), "{}", stranger.stderr);
}

#[test]
fn a_head_that_is_not_valid_is_a_comment_with_what_is_wrong() {
    let fleet = Fleet::new();
    fleet.change("clusters/lisbon.yaml", "webApps: 10.6.4", "webApps: ten # @everyone ``` <b>").commit();
    let ended = fleet.plan(&["-o", "markdown"]).expect_status(1);
    assert!(
        ended.stdout.starts_with(&format!("{MARK}\n### DataMiner upgrades: the manifests are not valid\n"))
    );
    assert!(ended.stdout.contains("fleet/clusters/lisbon.yaml:"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("````text\n") && ended.stdout.trim_end().ends_with("````"),
        "{}",
        ended.stdout
    );
    let review: Value =
        serde_json::from_str(&fleet.plan(&["-o", "json"]).expect_status(1).stdout).expect("it is JSON");
    assert_eq!(review["manifests"]["broken"], true);
    let table = fleet.plan(&[]).expect_status(1);
    assert_eq!(table.stdout, "");
    assert!(table.stderr.contains("lisbon.yaml"), "{}", table.stderr);
}

#[test]
fn a_base_that_is_not_valid_is_said_and_all_clusters_are_shown() {
    let fleet = Fleet::new();
    let good = read(&fleet.repository.path().join("fleet/clusters/lisbon.yaml"));
    fleet.repository.write("fleet/clusters/lisbon.yaml", "kind: Cluster\n");
    let base = fleet.commit();
    fleet.repository.write("fleet/clusters/lisbon.yaml", &good);
    fleet.commit();
    let fleet = Fleet { base, ..fleet };
    let comment = fleet.plan(&["-o", "markdown"]).expect_status(0).stdout;
    assert!(
        comment.contains("There is nothing to compare with: the manifests of the base have"),
        "{comment}"
    );
    assert!(comment.contains("| `brussels` |") && comment.contains("| `lisbon` |"), "{comment}");
}

#[test]
fn revisions_that_are_not_there_are_explained() {
    let fleet = Fleet::new();
    let ended = fleet.plan(&["--head", "no-such-branch"]).expect_status(1);
    assert!(ended.stderr.contains("`no-such-branch`") && ended.stderr.contains("help: "), "{}", ended.stderr);
    let outside = tempfile::tempdir().expect("a temporary folder can be made");
    let path = outside.path().to_str().expect("temporary folders have plain names");
    program::run(&["plan", "-f", path, "--base", "HEAD"], workspace()).expect_status(1);
    // One without the other, or with live Agents, is no question.
    program::run(&["plan", "--head", "HEAD"], workspace()).expect_status(64);
    program::run(&["plan", "--base", "HEAD", "--live"], workspace()).expect_status(64);
}

/// design/07: what a pull request says can do nothing in its comment.
#[test]
fn a_hostile_manifest_is_only_shown() {
    let fleet = Fleet::new();
    fleet
        .change("clusters/lisbon.yaml", "  upgrade:\n", "  suspend: true\n  upgrade:\n")
        .change(
            "clusters/lisbon.yaml",
            "{ region: emea, stage: acceptance }",
            "{ region: \"</details><script>\", stage: \"@all\" }",
        )
        .change(
            "clusters/brussels.yaml",
            "reason: year-end freeze",
            "reason: \"@admin [x](http://evil.example) | <img src=x> ```\"",
        )
        .change("clusters/brussels.yaml", "from: 2026-12-20", "from: 2026-11-20")
        .commit();
    let comment = fleet.plan(&["-o", "markdown"]).expect_status(0).stdout;
    assert!(comment.contains("| `lisbon` |") && comment.contains("| `brussels` |"), "{comment}");
    for foreign in ["<script", " <img", " [x](", " @admin", "(@admin", " @all"] {
        assert!(!comment.contains(foreign), "{foreign} in {comment}");
    }
}

/// The shell of a recipe, with the names of its steps' variables.
fn shell(recipe: &str) -> String {
    let text = example(&format!("ci/{recipe}"));
    let yaml: serde_yaml::Value = serde_yaml::from_str(&text).expect("a recipe is YAML");
    let mut scripts = Vec::new();
    collect(&yaml, &mut scripts);
    scripts.join("\n")
}

fn collect(value: &serde_yaml::Value, scripts: &mut Vec<String>) {
    match value {
        serde_yaml::Value::Mapping(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value.as_str()) {
                    (Some("run" | "bash"), Some(script)) => scripts.push(script.to_owned()),
                    (Some("script"), _) => {
                        let lines = value.as_sequence().into_iter().flatten();
                        scripts.extend(lines.filter_map(|line| line.as_str()).map(str::to_owned));
                    }
                    _ => collect(value, scripts),
                }
            }
        }
        serde_yaml::Value::Sequence(values) => values.iter().for_each(|value| collect(value, scripts)),
        _ => {}
    }
}

const RECIPES: [&str; 4] =
    ["github-review.yaml", "gitlab-review.yaml", "azure-review.yaml", "gitea-review.yaml"];

/// Runs a recipe where the forge has the comment `there`, or none, and the program ends with `code`; what was asked of
/// the forge comes back.
fn post(recipe: &str, there: &str, code: i32) -> (Ended, String) {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let put = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).expect("a file can be written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it can be made a program");
    };
    put("git", "exit 0");
    put("dataminer-reconciler", &format!("echo \"plan: $*\" >> \"$LOG\"\necho '{MARK}'\nexit {code}"));
    // A question is answered with the comment that is there, anything else is written down.
    let answer = format!(
        "case \"$*\" in *POST*|*PUT*|*PATCH*) echo \"forge: $*\" >> \"$LOG\" ;; *) echo '{there}' ;; esac"
    );
    put("gh", &answer);
    put("curl", &format!("case \"$*\" in *@-*) cat > /dev/null ;; esac\n{answer}"));
    put("jq", "case \"$*\" in *--raw-input*) echo '{}' ;; *) cat ;; esac");
    let log = folder.path().join("log");
    let review = folder.path().join("review.md");
    let mut run = Command::new("bash");
    run.args(["-e", "-c", &format!("{}\n", shell(recipe))])
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()))
        .env("LOG", &log)
        .env("REVIEW", &review)
        .env("GITHUB_ENV", folder.path().join("env"))
        // What the forge says, and hands from step to step.
        .env("CI_COMMIT_SHA", "feature")
        .env("SYSTEM_PULLREQUEST_SOURCECOMMITID", "feature")
        .env("CODE", code.to_string());
    let ended = Ended::of(&mut run);
    let asked = fs::read_to_string(&log).unwrap_or_default();
    (ended, asked)
}

#[test]
fn the_recipes_renew_one_comment_and_hand_the_exit_code_on() {
    let verbs = |asked: &str| -> Vec<String> {
        let words = asked.split_whitespace().filter(|word| ["POST", "PUT", "PATCH"].contains(word));
        words.map(str::to_owned).collect()
    };
    for recipe in RECIPES {
        for code in [0, 1] {
            let (ended, asked) = post(recipe, "", code);
            let ended = ended.expect_status(code);
            assert_eq!(ended.stderr, "", "{recipe}");
            assert_eq!(verbs(&asked), ["POST"], "{recipe}: {asked}");
            let (_, asked) = post(recipe, "4711", code);
            assert!(asked.contains("4711"), "{recipe}: {asked}");
            assert!(matches!(verbs(&asked)[..], [ref verb] if verb != "POST"), "{recipe}: {asked}");
        }
    }
}

#[test]
fn the_recipes_call_the_program_in_ways_that_it_understands() {
    for recipe in RECIPES {
        let (_, asked) = post(recipe, "", 0);
        let line = asked.lines().find_map(|line| line.strip_prefix("plan: ")).expect("the recipe plans");
        let mut arguments: Vec<&str> = line.split_whitespace().collect();
        assert!(arguments.contains(&"--base") && arguments.contains(&"markdown"), "{recipe}: {line}");
        arguments.push("--help");
        let ended = program::run(&arguments, workspace());
        assert_eq!(ended.status, Some(0), "{recipe}: {line}: {}", ended.stderr);
    }
}

/// What a stranger writes, the name of a branch say, must not become shell: it comes in through the environment.
#[test]
fn no_recipe_puts_words_of_others_into_its_shell() {
    for recipe in RECIPES.into_iter().chain(["github-update.yaml"]) {
        let shell = shell(recipe);
        assert!(!shell.contains("${{"), "{recipe}: {shell}");
        // Azure DevOps writes `$(System.AccessToken)` into the text of a script.
        let macros = shell.split("$(").skip(1).filter(|rest| rest.starts_with(char::is_uppercase));
        assert_eq!(macros.count(), 0, "{recipe}: {shell}");
    }
}

#[test]
fn the_readme_shows_lines_of_the_real_comment() {
    let readme = read(&workspace().join("README.md"));
    let (_, section) =
        readme.split_once("## Reviewing upgrade pull requests").expect("it tells how to review");
    let shown = section.split("```markdown\n").nth(1).and_then(|rest| rest.split("```").next());
    let comment = example("review/feature-to-main-downgrade/plan.md");
    let mut lines = comment.lines();
    for line in shown.expect("it shows a comment").lines().filter(|line| !line.is_empty() && *line != "…") {
        assert!(lines.any(|real| real == line), "the comment has no line {line:?} there");
    }
}
