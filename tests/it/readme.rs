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
