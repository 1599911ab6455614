//! A file that no `mod` names is never compiled and never fails.

use std::collections::BTreeSet;

use dataminer_reconciler_tests::environment::workspace;

#[test]
fn every_file_of_this_folder_is_a_module_of_the_suite() {
    let main =
        std::fs::read_to_string(workspace().join("tests/it/main.rs")).expect("the suite has a main file");
    let named: BTreeSet<String> = main
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .map(|name| format!("{name}.rs"))
        .collect();
    let entries = std::fs::read_dir(workspace().join("tests/it")).expect("the suite has a folder");
    let present: BTreeSet<String> = entries
        .map(|entry| entry.expect("the folder can be read").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".rs") && name != "main.rs")
        .collect();
    assert_eq!(named, present, "tests/it/main.rs names its modules; the folder holds its files");
}
