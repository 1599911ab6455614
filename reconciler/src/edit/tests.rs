use std::{fs, path::Path};

use proptest::prelude::*;

use super::*;

fn one(text: &str, old: &str, new: &str) -> Result<String, EditError> {
    let at = text.find(old).expect("the old value stands there");
    let replacement = Replacement { span: at..at + old.len(), value: new.to_owned() };
    replace(text.as_bytes(), &[replacement]).map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
}

#[test]
fn values_keep_their_quotes() {
    let new = "10.5.0 CU18 (build 17000)";
    assert_eq!(
        one("core: 10.5.0 CU12 # x\n", "10.5.0 CU12", new).expect("plain"),
        format!("core: {new} # x\n")
    );
    assert_eq!(one("core: '10.5.0'\r\n", "'10.5.0'", new).expect("single"), format!("core: '{new}'\r\n"));
    assert_eq!(one("{core: \"10.5.0\"}", "\"10.5.0\"", new).expect("double"), format!("{{core: \"{new}\"}}"));
    assert_eq!(one("core: &v 10.5.0 x", "&v 10.5.0", new).expect("anchor"), format!("core: &v {new} x"));
    assert_eq!(
        one("core: &v  '10.5.0' x", "&v  '10.5.0' ", new).expect("anchor"),
        format!("core: &v  '{new}' x")
    );
}

#[test]
fn what_is_no_text_on_one_line_is_refused_by_name() {
    for (old, error) in [
        ("|\n  10.5.0\n", EditError::Block),
        (">-\n  10.5.0\n", EditError::Block),
        ("*alias", EditError::NotAText),
        ("!!str 10.5.0", EditError::NotAText),
        ("[10.5.0]", EditError::NotAText),
        ("", EditError::NotAText),
        ("&anchor", EditError::NotAText),
        ("\"", EditError::NotAText),
    ] {
        assert_eq!(scalar::like(old, "10.5.12"), Err(error), "{old}");
        assert!(written(old).is_err(), "{old}");
    }
    assert_eq!(written("'10.5.0'"), Ok("10.5.0"));
    assert_eq!(written("&v 10.5.0 "), Ok("10.5.0"));
}

#[test]
fn nothing_is_written_that_would_read_as_something_else() {
    for value in ["10.5", "10", "1e3", "a: b", "a #b", "\"", "'", "x\ny", " x", "x ", "", "{", "*x", "-"] {
        assert_eq!(scalar::like("10.5.0", value), Err(EditError::Unwritable(value.to_owned())), "{value}");
    }
    assert_eq!(scalar::like("'10.5.0'", "10.5").expect("quoted"), "'10.5'");
}

#[test]
fn places_must_fit_the_file() {
    let at = |span| Replacement { span, value: "10.5.12".to_owned() };
    let text = "core: 10.5.0";
    assert_eq!(replace(text.as_bytes(), &[at(6..20)]), Err(EditError::Places));
    assert_eq!(replace(text.as_bytes(), &[at(6..12), at(8..12)]), Err(EditError::Places));
}

fn change<'a>(path: &'a Path, before: &'a str, after: &str) -> Change<'a> {
    Change { path, before: before.as_bytes(), after: after.as_bytes().to_vec() }
}

#[test]
fn files_are_replaced_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (a, b) = (folder.path().join("a.yaml"), folder.path().join("b.yaml"));
    fs::write(&a, "a").expect("written");
    fs::write(&b, "changed meanwhile").expect("written");
    let error = write_all(&[change(&a, "a", "A"), change(&b, "b", "B")]).expect_err("b is not what was read");
    assert!(matches!(&error, WriteError::Changed(path) if *path == b), "{error}");
    assert_eq!(fs::read_to_string(&a).expect("it is there"), "a");
    assert_eq!(fs::read_dir(folder.path()).expect("a listing").count(), 2, "nothing is left behind");

    write_all(&[change(&a, "a", "A")]).expect("it is written");
    assert_eq!(fs::read_to_string(&a).expect("it is there"), "A");
}

#[cfg(unix)]
#[test]
fn permissions_stay_and_links_are_refused() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let folder = tempfile::tempdir().expect("a temporary folder");
    let (real, link) = (folder.path().join("real.yaml"), folder.path().join("link.yaml"));
    fs::write(&real, "a").expect("written");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("they can be set");
    symlink(&real, &link).expect("a link");
    assert!(matches!(write_all(&[change(&link, "a", "b")]), Err(WriteError::Link(_))));
    write_all(&[change(&real, "a", "b")]).expect("it is written");
    assert_eq!(fs::metadata(&real).expect("it is there").permissions().mode() & 0o777, 0o640);
}

proptest! {
    /// Whatever stands around it: only the value's own bytes differ.
    #[test]
    fn only_the_bytes_of_the_value_differ(
        before in "(.|\n|\r\n){0,40}",
        after in "(.|\n|\r\n){0,40}",
        style in 0..3_usize,
        old in "10\\.[0-9]\\.[0-9]{1,2}( CU[0-9]{1,2})?",
        new in "10\\.[0-9]\\.[0-9]{1,2}( CU[0-9]{1,2})?( \\(build [0-9]{5}\\))?",
    ) {
        let quote = ["", "'", "\""][style];
        let text = format!("{before}{quote}{old}{quote}{after}");
        let span = before.len()..text.len() - after.len();
        let made = replace(text.as_bytes(), &[Replacement { span, value: new.clone() }]).expect("it can be replaced");
        prop_assert_eq!(String::from_utf8(made).expect("UTF-8"), format!("{before}{quote}{new}{quote}{after}"));
    }
}
