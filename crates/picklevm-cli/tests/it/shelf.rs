//! `shelf`: the values of Python's shelves.

use crate::support::{picklevm, text};

const SQLITE: &str = "tests/data/shelf/py3.13.0-dbm_sqlite3";
const DUMB: &str = "tests/data/shelf/py2.7.18-dumbdbm";

/// What a command prints that succeeds.
#[track_caller]
fn printed(args: &[&str]) -> String {
    let output = picklevm(args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

#[test]
fn keys_are_listed_and_a_value_is_printed() {
    assert_eq!(printed(&["shelf", SQLITE]), "alpha\nit's\nkéy\n");
    assert_eq!(printed(&["shelf", SQLITE, "get", "kéy"]), "[1, 2, 3]\n");
    assert_eq!(
        printed(&["shelf", DUMB, "get", "it's", "--json"]),
        printed(&["show", "--json", "--member", "it's", DUMB])
    );
}

#[test]
fn a_shelf_is_called_by_its_name_or_by_a_file_of_it() {
    for ending in ["", ".dir", ".dat"] {
        assert_eq!(printed(&["shelf", &format!("{DUMB}{ending}")]), "kéy\nalpha\nit's\n", "{ending}");
    }
}

#[test]
fn values_are_set_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    for backend in ["sqlite3", "dumb"] {
        let path = folder.path().join(backend);
        let path = path.to_str().unwrap();
        printed(&["shelf", path, "set", "a", "{'x': {1, 2}}", "--create", backend]);
        printed(&["shelf", path, "set", "b", "datetime.date(2024, 5, 6)"]);
        assert_eq!(printed(&["shelf", path, "get", "a"]), "{'x': {1, 2}}\n");
        printed(&["shelf", path, "delete", "a"]);
        assert_eq!(printed(&["shelf", path]), "b\n");
    }
}

#[test]
fn a_shelf_is_converted_with_its_pickles_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let new = path.to_str().unwrap();
    printed(&["shelf", "tests/data/shelf/deb3.11-dbm_gnu", "convert", new, "--to", "sqlite3"]);
    assert_eq!(
        printed(&["shelf", new, "list", "--json"]),
        printed(&["shelf", "tests/data/shelf/deb3.11-dbm_gnu", "list", "--json"])
    );
    let output = picklevm(&["shelf", SQLITE, "convert", new, "--to", "dumb"]);
    assert!(text(&output.stderr).contains("expected a new name, found a file"));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_is_not_there_is_an_error() {
    let output = picklevm(&["shelf", SQLITE, "get", "nope"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("there is no key \"nope\""));
    let output = picklevm(&["shelf", "no such shelf"]);
    assert!(text(&output.stderr).contains("there is no such database"));
    let output = picklevm(&["shelf", "tests/data/shelf/deb3.11-dbm_ndbm.db"]);
    assert!(text(&output.stderr).contains("Berkeley DB"));
}

#[test]
fn other_commands_take_shelves_as_containers() {
    for shelf in [SQLITE, DUMB, "tests/data/shelf/deb3.11-dbm_gnu"] {
        assert_eq!(printed(&["show", "--member", "kéy", shelf]), "[1, 2, 3]\n");
        assert!(printed(&["list", shelf]).contains("alpha: pickle"));
    }
}

#[test]
fn a_shelf_becomes_json_lines_and_a_json_object() {
    let lines = printed(&["convert", "tests/data/shelf/py3.13.0-dbm_dumb", "--to", "jsonl", "-o", "-"]);
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let keys: Vec<_> = lines.iter().map(|line| line["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["alpha", "kéy", "it's"]);
    assert_eq!(lines[1]["value"], serde_json::json!([1, 2, 3]));

    let object = printed(&["convert", SQLITE, "--to", "json", "-o", "-"]);
    let object: serde_json::Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["kéy"], serde_json::json!([1, 2, 3]));
    assert_eq!(object["alpha"], lines[0]["value"]);
}
