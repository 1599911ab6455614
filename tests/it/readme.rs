//! What the README shows is what the program prints, and the commands that it names exist.

use std::fs;

use dataminer_reconciler_tests::{environment::workspace, program};

fn readme() -> String {
    fs::read_to_string(workspace().join("README.md")).expect("there is a README")
}

/// The command lines of the README's console blocks that call the program, as arguments.
fn commands(readme: &str) -> Vec<Vec<&str>> {
    readme
        .lines()
        .filter_map(|line| line.strip_prefix("$ dataminer-reconciler "))
        .map(|line| line.split_whitespace().collect())
        .collect()
}

#[test]
fn the_readme_shows_the_plan_that_the_program_prints() {
    let readme = readme();
    let commands = commands(&readme);
    let plan = commands.iter().find(|command| command[0] == "plan").expect("the README plans");
    let printed = program::run(plan, workspace()).expect_status(0).stdout;
    let shown = readme
        .split("```text\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("it shows the plan");
    assert_eq!(shown.trim_end(), printed.trim_end(), "renew the block after `{}`", plan.join(" "));
}

#[test]
fn the_readme_shows_what_the_program_says_of_lost_content() {
    let readme = readme();
    let (_, back) = readme.split_once("## Going back").expect("it tells how to go back");
    let commands = commands(back);
    let plan = commands.iter().find(|command| command[0] == "plan").expect("it plans the way back");
    let printed = program::run(plan, workspace()).expect_status(0).stdout;
    let shown = back.split("```text\n").nth(1).and_then(|rest| rest.split("\n```").next());
    assert!(
        shown.is_some_and(|shown| printed.lines().any(|line| line == shown)),
        "renew the block after `{}`",
        plan.join(" ")
    );
}

/// The snippet stands in for these parts of the example's manifest.
#[test]
fn the_way_back_of_the_readme_is_that_of_the_example() {
    let readme = readme();
    let (_, back) = readme.split_once("## Going back").expect("it tells how to go back");
    let snippet = back.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    let example = fs::read_to_string(workspace().join("examples/downgrade/fleet/clusters/ghent.yaml"));
    let parse = |text: &str| serde_yaml::from_str::<serde_yaml::Value>(text).expect("it is YAML");
    let (shown, whole) = (parse(snippet.expect("it shows one")), parse(&example.expect("it is there")));
    for part in ["software", "downgrade"] {
        assert!(!shown["spec"][part].is_null(), "{part}");
        assert_eq!(shown["spec"][part], whole["spec"][part], "{part}");
    }
}

#[test]
fn the_readme_names_only_commands_that_work() {
    let readme = readme();
    let commands = commands(&readme);
    assert!(commands.len() >= 2, "{commands:?}");
    for command in commands {
        program::run(&command, workspace()).expect_status(0);
    }
}

#[test]
fn the_readme_lists_every_verb() {
    let help = program::run(&["--help"], workspace()).expect_status(0).stdout;
    let verbs = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help");
    let readme = readme();
    let mut seen = 0;
    for verb in verbs {
        assert!(readme.contains(&format!("`{verb}")), "the README does not name `{verb}`");
        seen += 1;
    }
    assert!(seen > 10, "{help}");
}

/// Real Agents are not here; that the program understands the call is what can be checked.
#[test]
fn the_readme_calls_the_program_in_ways_that_it_understands() {
    let readme = readme();
    let lines = readme.lines().filter(|line| line.starts_with("dataminer-reconciler "));
    let spans =
        readme.split('`').filter(|span| span.starts_with("dataminer-reconciler ") && !span.contains('\n'));
    let calls: Vec<_> = lines.chain(spans).collect();
    assert!(calls.len() >= 5, "{calls:?}");
    for call in calls {
        let mut arguments: Vec<_> = call.split_whitespace().skip(1).collect();
        // Help comes only when everything before it was understood.
        arguments.push("--help");
        let ended = program::run(&arguments, workspace());
        assert_eq!(ended.status, Some(0), "{call}: {}", ended.stderr);
    }
}

#[test]
fn the_manifest_of_the_readme_is_one_that_the_program_takes() {
    let readme = readme();
    let manifest = readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(folder.path().join("brussels.yaml"), manifest.expect("it shows one"))
        .expect("it can be written");
    let ended = program::run(&["validate", "."], folder.path()).expect_status(0);
    assert!(ended.stderr.contains("0 errors"), "{}", ended.stderr);
}

#[test]
fn the_readme_links_to_files_that_exist() {
    for (folder, file) in [("", "README.md"), ("charts", "charts/README.md")] {
        let text = fs::read_to_string(workspace().join(file)).expect("it is there");
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let links: Vec<_> =
            links.filter(|link| !link.starts_with("https://") && !link.starts_with('#')).collect();
        assert!(links.len() > 2, "{file}: {links:?}");
        for link in links {
            let path = link.split('#').next().unwrap_or(link);
            assert!(workspace().join(folder).join(path).exists(), "{file}: {link}");
        }
    }
}
