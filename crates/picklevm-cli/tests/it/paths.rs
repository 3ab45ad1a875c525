//! `get`, `edit`, `diff` and `from-json`: values by their paths.

use std::fs;

use picklevm_testing::root;

use crate::support::{picklevm, picklevm_reading, text};

const SESSION: &str = "examples/data/session-python3.13.pkl";
const ZIP: &str = "crates/picklevm-files/tests/data/made/zip.zip";

/// What `show` prints of a pickle.
fn shown(pickle: &[u8]) -> String {
    text(&picklevm_reading(&["show"], pickle).stdout).to_owned()
}

#[test]
fn get_prints_values_and_ends_with_1_if_one_is_missing() {
    let output = picklevm(&["get", SESSION, "user.id", "cart[0]['sku']", "/cart/0/qty"]);
    assert_eq!(text(&output.stdout), "42\n'A-1'\n2\n");
    assert_eq!(text(&picklevm(&["get", "-r", SESSION, "user.name"]).stdout), "Zoë\n");
    assert_eq!(picklevm(&["get", "-r", SESSION, "token"]).stdout, b"\0\xff".repeat(16));
    assert_eq!(text(&picklevm(&["get", "--json", SESSION, "user.roles"]).stdout), "[\"admin\",\"editor\"]\n");
    let output = picklevm(&["get", SESSION, "user.nope", "user.id"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), "42\n"));
    assert!(text(&output.stderr).contains("user.nope: expected an attribute or a key with this name"));
}

#[test]
fn edit_makes_all_changes_in_order_or_none() {
    let changes =
        ["--set", "user.id=7", "--append", "user.roles='x'", "--delete", "token", "--insert", "user.roles[0]='y'"];
    let output = picklevm(&[&["edit", SESSION][..], &changes, &["-o", "-"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = shown(&output.stdout);
    assert!(shown.contains("'id': 7") && shown.contains("'roles': ['y', 'admin', 'editor', 'x']"), "{shown}");
    assert!(!shown.contains("token"));
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("out.pkl");
    let output =
        picklevm(&["edit", SESSION, "--set", "user.id=7", "--set", "nope.x=1", "-o", out.to_str().expect("text")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("nope: expected") && !out.exists());
}

#[test]
fn edit_replaces_a_file_in_its_archive_and_keeps_the_old_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("two.zip");
    fs::copy(root().join(ZIP), &path).expect("copied");
    let name = path.to_str().expect("text");
    let several = picklevm(&["edit", name, "--set", "id=1", "--in-place"]);
    assert!(text(&several.stderr).contains("use --member to choose one"));
    let output = picklevm(&["edit", name, "--member", "a.pkl", "--set", "id=1", "--in-place", "--backup"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(
        fs::read(dir.path().join("two.zip.bak")).expect("a backup"),
        fs::read(root().join(ZIP)).expect("a file")
    );
    assert_eq!(text(&picklevm(&["get", name, "--member", "a.pkl", "id"]).stdout), "1\n");
    assert_eq!(text(&picklevm(&["get", name, "--member", "sub/b.pkl", "[0]"]).stdout), "1\n");
    assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 2);
}

#[test]
fn what_show_prints_of_the_sessions_is_read_back_by_edit() {
    for file in [SESSION, "examples/data/session-python2.7.pkl"] {
        let printed = text(&picklevm(&["show", "--full", file]).stdout).to_owned();
        let output = picklevm_reading(&["edit", "--set", &format!("={printed}")], b"\x80\x04N.");
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(shown(&output.stdout), printed);
    }
}

#[test]
fn a_string_that_is_set_in_a_pickle_of_python_2_is_an_8_bit_string() {
    let output = picklevm_reading(&["edit", "--set", "a='x'"], b"(dS'a'\nS'b'\ns.");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json = picklevm_reading(&["show", "--json"], &output.stdout);
    assert!(text(&json.stdout).contains(r#"{"$bytestr":"x"}"#), "{}", text(&json.stdout));
}

#[test]
fn errors_of_edit_tell_what_is_wrong_with_the_value() {
    let output = picklevm(&["edit", SESSION, "--set", "user.id=[1, 2", "-o", "-"]);
    assert_eq!(output.status.code(), Some(2));
    let message = "picklevm: the new value of user.id: offset 5: expected `,` or `]`, found the end, in [1, 2\n";
    assert_eq!(text(&output.stderr), message);
    let output = picklevm(&["edit", SESSION, "--set", "user[=1", "-o", "-"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn diff_tells_by_its_status_whether_something_differs() {
    let dir = tempfile::tempdir().expect("a folder");
    let [old, new, same] = ["old", "new", "same"].map(|name| dir.path().join(name).to_str().expect("text").to_owned());
    fs::write(&old, b"\x80\x04}(\x8c\x01aK\x01\x8c\x01b]K\x01au.").expect("written");
    fs::write(&new, b"\x80\x04}(\x8c\x01a\x88\x8c\x01b](K\x01K\x02e\x8c\x01cNu.").expect("written");
    fs::write(&same, b"(dVb\n(lI1\nasVa\nI1\ns.").expect("written");
    let output = picklevm(&["diff", &old, &new]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "+ ['c']: None\n~ ['a']: 1 -> True\n+ ['b'][1]: 2\n");
    let output = picklevm(&["diff", &old, &same]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""));
    let output = picklevm(&["diff", "--json", &old, &new]);
    assert!(text(&output.stdout).contains(r#"{"path":"['a']","pointer":"/a","change":"changed","old":1,"new":true}"#));
    assert_eq!(picklevm(&["diff", &old, "nothing-there"]).status.code(), Some(2));
    let output = picklevm(&["diff", "--git", "x.pkl", &old, "1", "2", &new, "3", "4"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("diff --pickle x.pkl\n"));
}

#[test]
fn diff_compares_every_pickle_and_what_is_none() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str, data: &[u8]| {
        fs::write(dir.path().join(name), data).expect("written");
        dir.path().join(name).to_str().expect("text").to_owned()
    };
    let [old, changed, shorter, rest] = [
        ("old", &b"K\x01.K\x02."[..]),
        ("changed", b"K\x01.K\x03."),
        ("shorter", b"K\x01."),
        ("rest", b"K\x01.K\x02.junk"),
    ]
    .map(|(name, data)| file(name, data));
    let differences = |new: &str| {
        let output = picklevm(&["diff", &old, new]);
        assert_eq!(output.status.code(), Some(1), "{new}");
        text(&output.stdout).to_owned()
    };
    assert_eq!(differences(&changed), "# pickle 2\n~ .: 2 -> 3\n");
    assert_eq!(differences(&shorter), "# pickle 2\n- .: 2\n");
    assert_eq!(differences(&rest), "~ bytes that are no pickle differ\n");
    let output = picklevm(&["diff", "--json", &old, &changed]);
    assert!(text(&output.stdout).contains(r#""old":2,"new":3,"pickle":2}"#), "{}", text(&output.stdout));
    // The memory of an array lies in the pickle of joblib, and is none of its ops.
    let joblib =
        fs::read(root().join("crates/picklevm-files/tests/data/libraries/joblib-0.17.0.joblib")).expect("a file");
    let mut other = joblib.clone();
    let array = picklevm_files::Opener::new().bytes(joblib.clone()).pickles().next().expect("one").expect("read");
    other[array.arrays()[0].range.start as usize] ^= 1;
    let [joblib, other] = [("joblib", joblib), ("other", other)].map(|(name, data)| file(name, &data));
    let output = picklevm(&["diff", &joblib, &other]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), "~ bytes that are no pickle differ\n"));
    assert_eq!(picklevm(&["diff", &joblib, &joblib]).status.code(), Some(0));
}

#[test]
fn diff_pairs_members_without_the_directory_that_all_share() {
    let dir = tempfile::tempdir().expect("a folder");
    let archive = |top: &str, value: u8| {
        let mut builder = Vec::new();
        for (name, data) in
            [("data.pkl", vec![b'K', value, b'.']), ("data/0", vec![7; 3 << 20]), ("version", b"3\n".to_vec())]
        {
            let mut header = [0; 512];
            let name = format!("{top}/{name}");
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
            header[148..156].copy_from_slice(b"        ");
            header[156] = b'0';
            header[257..265].copy_from_slice(b"ustar\x0000");
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            builder.extend_from_slice(&header);
            builder.extend_from_slice(&data);
            builder.resize(builder.len().next_multiple_of(512), 0);
        }
        builder.extend_from_slice(&[0; 1024]);
        let path = dir.path().join(format!("{top}.tar"));
        fs::write(&path, builder).expect("written");
        path.to_str().expect("text").to_owned()
    };
    let [old, same, other] = [archive("a", 1), archive("b", 1), archive("c", 2)];
    let output = picklevm(&["diff", &old, &same]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""));
    let output = picklevm(&["diff", &old, &other]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), "# data.pkl\n~ .: 1 -> 2\n"));
    // A member that is compressed is decompressed once, not once for each piece of it.
    let gzip = dir.path().join("a.tar.gz").to_str().expect("text").to_owned();
    let compressed = std::process::Command::new("gzip").args(["-kc", &old]).output();
    if let Ok(compressed) = compressed {
        fs::write(&gzip, compressed.stdout).expect("written");
        let output = picklevm(&["diff", &old, &gzip]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""));
    }
}

#[test]
fn the_diff_driver_of_git_tells_of_a_file_that_is_no_pickle_and_ends_well() {
    let dir = tempfile::tempdir().expect("a folder");
    let [old, new] = ["old.pkl", "new.pkl"].map(|name| dir.path().join(name).to_str().expect("text").to_owned());
    fs::write(&old, b"").expect("written");
    fs::write(&new, b"K\x01.").expect("written");
    let output = picklevm(&["diff", "--git", "x.pkl", &old, "1", "2", &new, "3", "4"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("diff --pickle x.pkl\n"), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("is empty"), "{}", text(&output.stdout));
}

#[test]
fn edit_reads_a_literal_from_a_file_or_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let literal = folder.path().join("new.txt");
    fs::write(&literal, "{'big': 'x'}\n").unwrap();
    let file = folder.path().join("a.pkl");
    fs::write(&file, b"}.").unwrap();
    let file = file.to_str().unwrap();
    let set = format!("user=@{}", literal.to_str().unwrap());
    let edited = picklevm(&["edit", file, "--set", &set, "-o", "-"]);
    assert_eq!(text(&picklevm_reading(&["show"], &edited.stdout).stdout), "{'user': {'big': 'x'}}\n");
    let edited = picklevm_reading(&["edit", file, "--set", "=@-", "-o", "-"], b"[1,\n 2]\n");
    assert_eq!(text(&picklevm_reading(&["show"], &edited.stdout).stdout), "[1, 2]\n");
    let output = picklevm(&["edit", file, "--set", "user=@no-such-file", "-o", "-"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no-such-file: no such file or directory"), "{}", text(&output.stderr));
    let output = picklevm_reading(&["edit", "-", "--set", "user=@-", "-o", "-"], b"}.");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
}

#[test]
fn edit_refuses_names_that_no_python_imports_and_tells_of_calls() {
    let edit = |change: &str| {
        let output = picklevm_reading(&["edit", "-", "--set", change, "-o", "-"], b"}.");
        (output.status.code(), text(&output.stderr).to_owned())
    };
    let (status, message) = edit("now=datetime.datetime.now()");
    assert_eq!(status, Some(2));
    assert!(message.contains("datetime.datetime is a class and no module"), "{message}");
    let (status, message) = edit("id=uuid.uuid4()");
    assert_eq!(status, Some(0));
    assert!(message.contains("uuid.uuid4(…) is written as a call"), "{message}");
    let (status, message) = edit("day=datetime.date(2030, 1, 2)");
    assert_eq!((status, message.as_str()), (Some(0), ""));
    let (status, message) = edit("user[name]=1");
    assert_eq!(status, Some(2));
    assert!(
        message.contains("offset 5: expected a key as Python writes it, such as `['name']`, found name"),
        "{message}"
    );
}

#[test]
fn from_json_reads_what_show_prints_byte_for_byte() {
    for (file, protocol) in [(SESSION, "5"), ("tests/data/two.pkl", "2")] {
        let json = picklevm(&["show", "--json", "--all", file]).stdout;
        let output = picklevm_reading(&["from-json", "--protocol", protocol], &json);
        let again = picklevm_reading(&["repickle"], &fs::read(root().join(file)).expect("a file"));
        assert_eq!(output.stdout, again.stdout, "{file}: {}", text(&output.stderr));
    }
    let output = picklevm_reading(&["from-json"], b"{\"a\": [1, 2.5, null]}\n[]");
    assert_eq!(text(&picklevm_reading(&["show", "--all"], &output.stdout).stdout), "{'a': [1, 2.5, None]}\n[]\n");
    let output = picklevm_reading(&["from-json"], b"[1,");
    assert_eq!(text(&output.stderr), "picklevm: <stdin>: offset 3: expected a value of JSON, found the end\n");
}

#[test]
fn what_is_signed_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, "secret").unwrap();
    let key = key.to_str().unwrap();
    for layout in ["digest", "django", "itsdangerous", "itsdangerous-timed"] {
        let signed = picklevm_reading(&["sign", "--key-file", key, "--layout", layout], b"\x80\x04K\x07.");
        assert!(signed.status.success(), "{layout}: {}", text(&signed.stderr));
        let verified = picklevm_reading(&["verify", "--key-file", key, "--layout", layout, "-"], &signed.stdout);
        assert_eq!(verified.stdout, b"\x80\x04K\x07.", "{layout}: {}", text(&verified.stderr));
    }
}
