//! The Dockerfile, as far as it can be judged without a builder of images.

use std::fs;

use dataminer_reconciler_tests::{environment::workspace, program};

/// The instructions: lines that end in a backslash go on, comments go.
fn instructions() -> Vec<(String, String)> {
    let text = fs::read_to_string(workspace().join("charts/Dockerfile")).expect("there is a Dockerfile");
    let lines: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    let split = joined.lines().filter_map(|line| line.trim().split_once(' '));
    split.map(|(name, rest)| (name.to_owned(), rest.trim().to_owned())).collect()
}

fn all<'a>(instructions: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    instructions.iter().filter(|(found, _)| found == name).map(|(_, rest)| rest.as_str()).collect()
}

/// The words of the JSON form, which needs no shell.
fn words(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text} is not in JSON form: {error}"))
}

#[test]
fn base_images_are_slim_and_pinned_and_fit_each_other() {
    let instructions = instructions();
    let bases = all(&instructions, "FROM");
    let [build, last] = bases.as_slice() else { panic!("two stages: {bases:?}") };
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).expect("there is a manifest");
    let rust = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'));
    let rust = rust.expect("the workspace says what it needs");
    // Debian 12 is bookworm: the C library of the second must not be older than that of the first.
    assert_eq!(*build, format!("rust:{rust}-slim-bookworm AS build"));
    let version = last.strip_prefix("debian:12.").and_then(|rest| rest.strip_suffix("-slim"));
    assert!(version.is_some_and(|minor| minor.parse::<u8>().is_ok()), "{last}");
}

#[test]
fn what_is_copied_exists_and_reaches_the_builder() {
    let ignored = fs::read_to_string(workspace().join(".dockerignore")).expect("there is one");
    let let_in: Vec<_> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignored.lines().any(|line| line == "*"), "everything else stays out");
    let mut copied = Vec::new();
    let instructions = instructions();
    for copy in all(&instructions, "COPY").into_iter().filter(|copy| !copy.starts_with("--from")) {
        let words: Vec<_> = copy.split_whitespace().collect();
        copied.extend(words[..words.len() - 1].iter().copied());
    }
    copied.sort_unstable();
    let mut let_in_sorted = let_in.clone();
    let_in_sorted.sort_unstable();
    assert_eq!(copied, let_in_sorted, "the builder gets what it copies, and nothing else");
    for path in &copied {
        assert!(workspace().join(path).exists(), "{path}");
    }
    // Cargo wants every member of the workspace.
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).expect("there is a manifest");
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = ")).expect("it has members");
    for member in words(members) {
        assert!(copied.iter().any(|path| member.split('/').next() == Some(path)), "{member}");
    }
}

#[test]
fn the_last_stage_holds_the_program_and_certificates_and_no_root() {
    let instructions = instructions();
    let start = instructions.iter().rposition(|(name, _)| name == "FROM").expect("it has stages");
    let last = &instructions[start..];
    assert!(all(last, "RUN").is_empty() && all(last, "ADD").is_empty(), "{last:?}");
    let copies = all(last, "COPY");
    assert_eq!(copies.len(), 3, "{copies:?}");
    assert!(copies.iter().all(|copy| copy.starts_with("--from=build ")), "{copies:?}");
    assert!(copies.iter().any(|copy| copy.ends_with("/usr/local/bin/dataminer-reconciler")));
    let [user] = all(last, "USER")[..] else { panic!("one USER") };
    let (user, group) = user.split_once(':').expect("user and group");
    for id in [user, group] {
        assert!(id.parse::<u32>().is_ok_and(|id| id > 0), "{id} is no number that is not root");
    }
    let owner = format!("--chown={user}:{group} ");
    assert!(copies.iter().any(|copy| copy.contains(&owner) && copy.ends_with("/var/lib/")), "{copies:?}");
    let chart = fs::read_to_string(workspace().join("charts/dataminer-reconciler/values.yaml"));
    assert!(chart.expect("there is a chart").contains(&format!("user: {user}, group: {group}")));
}

#[test]
fn it_is_built_from_the_lock_file() {
    let instructions = instructions();
    let cargo: Vec<_> =
        all(&instructions, "RUN").into_iter().filter(|run| run.starts_with("cargo ")).collect();
    assert_eq!(
        cargo,
        ["cargo build --release --locked --package dataminer-reconciler --bin dataminer-reconciler"]
    );
}

#[test]
fn the_program_understands_how_the_image_calls_it() {
    let instructions = instructions();
    let [entry] = all(&instructions, "ENTRYPOINT")[..] else { panic!("one ENTRYPOINT") };
    assert_eq!(words(entry), ["/usr/local/bin/dataminer-reconciler"]);
    let [check] = all(&instructions, "HEALTHCHECK")[..] else { panic!("one HEALTHCHECK") };
    let (_, check) = check.split_once("CMD ").expect("it is a command");
    let mut check = words(check);
    assert_eq!(check.remove(0), "/usr/local/bin/dataminer-reconciler");
    let [run] = all(&instructions, "CMD")[..] else { panic!("one CMD") };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (arguments, told) in [(words(run), "/etc/dataminer-reconciler/reconciler.yaml"), (check, "127.0.0.1")]
    {
        // Neither the file nor a process is here: 1 and its name. A wrong call would be 64.
        let arguments: Vec<_> = arguments
            .iter()
            // A port where nobody listens, whatever else runs on this machine.
            .map(|word| word.replace(":8080", ":1"))
            .collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let ended = program::run(&arguments, folder.path()).expect_status(1);
        assert!(ended.stderr.contains(told), "{arguments:?}: {}", ended.stderr);
    }
}
