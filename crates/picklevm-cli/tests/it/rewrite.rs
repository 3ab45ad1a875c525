//! `repickle` with other names and decoded strings, and `convert` from and to plain data.

use std::fs;
use std::path::Path;

use crate::support::{picklevm, picklevm_reading, text};

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What a command makes of a pickle on standard input.
fn repickled(args: &[&str], pickle: &[u8]) -> Vec<u8> {
    let output = picklevm_reading(&[&["repickle"], args].concat(), pickle);
    assert!(output.status.success(), "{}", text(&output.stderr));
    output.stdout
}

/// The value of a file of text as a pickle, as `show` prints it.
fn converted(name: &str, content: &str, args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let input = write(folder.path(), name, content.as_bytes());
    let out = folder.path().join("out.pkl");
    let output = picklevm(&[&["convert", &input, "-o", out.to_str().unwrap()], args].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&picklevm(&["show", out.to_str().unwrap()]).stdout).trim_end().to_owned()
}

const GLOBAL: &[u8] = b"\x80\x02cfruit\nApple\nq\x05.";

#[test]
fn names_are_renamed_by_rules_sets_and_files() {
    assert_eq!(repickled(&["--keep-ops", "--rename", "fruit=veg"], GLOBAL), b"\x80\x02cveg\nApple\nq\x05.");
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "names.txt", b"# moved\nfruit.Apple = veg.Tomato\n");
    assert_eq!(repickled(&["--keep-ops", "--rename", &format!("@{file}")], GLOBAL), b"\x80\x02cveg\nTomato\nq\x05.");
    let numpy =
        repickled(&["--rename", "@numpy1", "--rename", "x=y"], b"\x80\x02cnumpy._core.multiarray\nscalar\nq\0.");
    assert_eq!(numpy, b"\x80\x02cnumpy.core.multiarray\nscalar\nq\0.");
}

#[test]
fn a_file_is_rewritten_with_the_same_bytes_as_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let pickles = [GLOBAL, b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05fruit\x94\x8c\x01P\x94\x93\x94h\0."].concat();
    let file = write(folder.path(), "two.pkl", &pickles);
    let args = ["--keep-ops", "--rename", "fruit=vegetable"];
    let output = picklevm(&[&["repickle", &file, "-o", "-"], &args[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(output.stdout, repickled(&args, &pickles));
}

#[test]
fn pickles_that_share_a_memo_are_rewritten_together() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "shared.pkl", b"\x80\x02cfruit\nApple\nq\0.\x80\x02h\0.");
    let output = picklevm(&["repickle", "--keep-ops", "--rename", "fruit=veg", &file, "-o", "-"]);
    assert_eq!(output.stdout, b"\x80\x02cveg\nApple\nq\0.\x80\x02h\0.");
}

#[test]
fn a_rename_that_finds_nothing_is_told() {
    let output = picklevm_reading(&["repickle", "--rename", "veg=fruit"], GLOBAL);
    assert!(output.status.success() && text(&output.stderr).contains("nothing was renamed"));
}

#[test]
fn a_rule_that_is_none_is_bad_usage() {
    let output = picklevm_reading(&["repickle", "--rename", "@no-such-set"], GLOBAL);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("@numpy1"), "{}", text(&output.stderr));
}

#[test]
fn strings_are_decoded_by_any_of_the_codecs() {
    let decoded = |args: &[&str]| repickled(&[args, &["--keep-ops"]].concat(), b"U\x02\xe9\x80.");
    assert_eq!(decoded(&["--encoding", "latin-1"]), "X\x04\0\0\0é\u{80}.".as_bytes());
    assert_eq!(decoded(&["--encoding", "CP1252"]), "X\x05\0\0\0é€.".as_bytes());
    assert_eq!(decoded(&["--encoding", "bytes"]), b"C\x02\xe9\x80.");
    assert_eq!(decoded(&["--encoding", "ascii", "--errors", "replace"]), "X\x06\0\0\0\u{fffd}\u{fffd}.".as_bytes());
    assert_eq!(
        decoded(&["--encoding", "utf-8", "--errors", "surrogateescape"]),
        b"X\x06\0\0\0\xed\xb3\xa9\xed\xb2\x80."
    );
}

#[test]
fn what_windows_leaves_undefined_is_not_decoded() {
    let output = picklevm_reading(&["repickle", "--encoding", "cp1252"], b"U\x01\x81.");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("offset 0") && text(&output.stderr).contains("cp1252"));
}

#[test]
fn nothing_is_written_if_a_string_is_not_in_the_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "a.pkl", b"(U\x01aU\x01\xfft.");
    let out = folder.path().join("out.pkl");
    for more in [&[][..], &["--keep-ops"]] {
        let args = ["repickle", "--encoding", "utf-8", &file, "-o", out.to_str().unwrap()];
        let output = picklevm(&[&args[..], more].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("offset 4"), "{}", text(&output.stderr));
        assert!(!out.exists());
    }
}

#[test]
fn json_toml_and_yaml_become_dicts_and_lists() {
    assert_eq!(converted("a.json", r#"{"b": [1, 2.5, null], "a": "é"}"#, &[]), "{'b': [1, 2.5, None], 'a': 'é'}");
    assert_eq!(
        converted("a.toml", "b = [1, true]\n[t]\nday = 2024-01-02\n", &[]),
        "{'b': [1, True], 't': {'day': '2024-01-02'}}"
    );
    assert_eq!(
        converted("a.toml", "z = 1\na = 2\n[m]\nq = 1\nb = 2\n", &[]),
        "{'z': 1, 'a': 2, 'm': {'q': 1, 'b': 2}}"
    );
    assert_eq!(converted("a.yaml", "b:\n  - 1\n  - x y\n", &[]), "{'b': [1, 'x y']}");
    assert_eq!(converted("a.txt", "[1]", &["--from", "json"]), "[1]");
}

#[test]
fn rows_become_lists_of_dicts_if_they_are_wanted_plain() {
    let rows = "[{'n': 1, 's': 'x'}, {'n': 2, 's': 'y'}]";
    assert_eq!(converted("a.jsonl", "{\"n\":1,\"s\":\"x\"}\n{\"n\":2,\"s\":\"y\"}\n", &["--plain"]), rows);
    #[cfg(feature = "tables")]
    assert_eq!(converted("a.csv", "n,s\n1,x\n2,y\n", &["--plain"]), rows);
}

#[cfg(feature = "tables")]
#[test]
fn a_column_of_codes_stays_text_and_the_type_of_a_column_can_be_given() {
    let rows = "zip,n\n00123,1\n04567,2\n";
    assert_eq!(converted("a.csv", rows, &["--plain"]), "[{'zip': '00123', 'n': 1}, {'zip': '04567', 'n': 2}]");
    assert_eq!(
        converted("a.csv", rows, &["--plain", "--dtype", "zip=int", "--dtype", "n=text"]),
        "[{'zip': 123, 'n': '1'}, {'zip': 4567, 'n': '2'}]"
    );
}

#[test]
fn a_text_that_is_no_json_toml_or_yaml_is_an_error_with_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content, message) in [
        ("a.json", "{\n \"a\": x}", "a.json: line 2, column 7: this is not JSON: expected value"),
        ("a.jsonl", "1\n[}\n", "a.jsonl: line 2, column 2: this is not JSON: expected value"),
        ("a.toml", "a = 1\nb = \n", "a.toml: line 2, column 5: this is not TOML: "),
        ("a.yaml", "a: 1\nb: !point [1, 2]\n", "a.yaml: line 2, column 4: the tag !point has no meaning here"),
        ("b.yaml", "a: 1\na: 2\n", "b.yaml: line 2, column 1: the key 'a' is there twice"),
    ] {
        let file = write(folder.path(), name, content.as_bytes());
        let output = picklevm(&["convert", "--plain", &file, "-o", "-", "--to", "pkl"]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(text(&output.stderr).contains(message), "{name}: {}", text(&output.stderr));
    }
}

#[test]
fn an_integer_of_json_keeps_its_digits_and_a_key_its_dollar() {
    assert_eq!(converted("a.json", "[123456789012345678901234567890]", &[]), "[123456789012345678901234567890]");
    assert_eq!(converted("a.json", r#"{"$set": "x"}"#, &[]), "{'$set': 'x'}");
}

#[test]
fn plain_json_is_printed_of_every_pickle() {
    let output = picklevm_reading(&["show", "--json=plain", "--all"], b"\x80\x02capp\nUser\n)\x81}U\x01aK\x01sb.N.");
    assert_eq!(text(&output.stdout), "{\"a\":1}\nnull\n");
    let output = picklevm_reading(&["show", "--json=plain"], b"]q\0h\0a.");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("[0]: ") && text(&output.stderr).contains("--lenient"));
}

#[test]
fn the_command_may_be_left_out_before_a_file_and_behind_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "a.pkl", b"K\x07.");
    assert_eq!(text(&picklevm(&[&file]).stdout), "7\n");
    assert_eq!(text(&picklevm(&["--color", "never", &file, "--json"]).stdout), "7\n");
    assert_eq!(text(&picklevm_reading(&[], b"K\x07.").stdout), "7\n");
    assert_eq!(picklevm(&["no-such-command"]).status.code(), Some(2));
    let missing = picklevm(&["no-such-file.pkl"]);
    assert_eq!(text(&missing.stderr), "picklevm: no-such-file.pkl: cannot read: no such file or directory\n");
}

#[test]
fn completions_and_pages_of_the_manual_are_written() {
    assert!(text(&picklevm(&["completions", "bash"]).stdout).contains("repickle"));
    let folder = tempfile::tempdir().unwrap();
    assert!(picklevm(&["man", folder.path().to_str().unwrap()]).status.success());
    let page = fs::read_to_string(folder.path().join("picklevm-repickle.1")).unwrap();
    assert!(page.contains("rename"));
}

#[test]
fn what_cannot_be_written_back_of_joblib_can_be_converted() {
    let file = "crates/picklevm-files/tests/data/libraries/joblib-0.17.0.joblib";
    for args in [&["repickle", file][..], &["repickle", "--bare", file]] {
        let output = picklevm(args);
        assert_eq!(output.status.code(), Some(1));
        let message = text(&output.stderr);
        assert!(
            message.ends_with("; `picklevm convert FILE -o OUT.pkl` makes a pickle that holds them\n"),
            "{message}"
        );
    }
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("plain.pkl").to_str().expect("text").to_owned();
    assert!(picklevm(&["convert", file, "-o", &out]).status.success());
    assert!(picklevm(&["repickle", &out, "-o", &out]).status.success());
}
