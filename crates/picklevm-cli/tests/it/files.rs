//! The program on files as people have them: archives, compressed files, checkpoints. What is found in each format is tested in
//! `crates/picklevm-files/tests`.

use std::fs;
use std::path::PathBuf;

use crate::support::{picklevm, picklevm_reading, text};

/// A file that was made by `crates/picklevm-files/tests/data/make.py`.
fn made(name: &str) -> String {
    format!("crates/picklevm-files/tests/data/made/{name}")
}

fn library(name: &str) -> String {
    format!("crates/picklevm-files/tests/data/libraries/{name}")
}

/// Standard output of a command that ends well.
#[track_caller]
fn out(args: &[&str]) -> String {
    let output = picklevm(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

/// Exit status and standard error.
fn err(args: &[&str]) -> (Option<i32>, String) {
    let output = picklevm(args);
    (output.status.code(), text(&output.stderr).to_owned())
}

const VALUE: &str = "{'id': 42, 'name': 'Zoë', 'pos': (1.5, -2.0), 'tags': ['a', 'b']}\n";

#[test]
fn a_container_of_one_pickle_is_shown_as_that_pickle() {
    for name in [
        "gzip.pkl.gz",
        "zlib.pkl",
        "bz2.pkl.bz2",
        "xz.pkl.xz",
        "lzma.pkl.lzma",
        "zstd.pkl.zst",
        "zip-comment.zip",
        "tar.tar.gz",
        "npy-objects.npy",
        "npz.npz",
        "base64.txt",
        "zf.joblib",
        "game.save",
        "django.djcache",
    ] {
        assert_eq!(out(&["show", &made(name)]), VALUE, "{name}");
    }
}

#[test]
fn every_command_opens_what_show_opens() {
    let (zip, bare) = (made("zip-comment.zip"), "a.pkl");
    assert!(out(&["graph", &zip]).starts_with("{\"root\""));
    assert!(out(&["show", "--json", &zip]).starts_with("{\"id\":42,"));
    assert!(out(&["dis", "--member", bare, &zip]).starts_with("    0: \\x80 PROTO      4\n"));
    assert!(out(&["time", "--repeat", "1", &zip]).contains(": 82 bytes, 30 ops, protocol 4\n"));
}

#[test]
fn several_members_have_a_heading_each_and_one_can_be_chosen() {
    let zip = made("zip.zip");
    assert_eq!(out(&["show", &zip]), format!("# {zip}: a.pkl\n{VALUE}# {zip}: sub/b.pkl\n[1, 2, 3]\n"));
    for pattern in ["sub/b.pkl", "sub/*", "*b.pk?"] {
        assert_eq!(out(&["show", "--member", pattern, &zip]), "[1, 2, 3]\n", "{pattern}");
    }
    assert_eq!(out(&["show", "--member", "a.pkl", "--member", "*b.pkl", &zip]), out(&["show", &zip]));
}

#[test]
fn a_pattern_that_no_member_matches_is_bad_usage_and_one_without_a_pickle_says_what_it_is() {
    let zip = made("zip.zip");
    let (status, message) = err(&["show", "--member", "x*", &zip]);
    assert_eq!(
        (status, &*message),
        (Some(2), &*format!("picklevm: {zip}: no member matches x*; `picklevm list` prints all\n"))
    );
    let (status, message) = err(&["show", "--member", "readme.txt", &zip]);
    assert_eq!(
        (status, message),
        (Some(1), format!("picklevm: {zip}: readme.txt: this is a text file, not a pickle\n"))
    );
}

#[test]
fn of_a_legacy_checkpoint_the_object_is_shown_or_all_five_pickles() {
    let file = library("torch-1.13-legacy.pt");
    assert!(out(&["show", &file]).starts_with("{\n    'float64': tensor(shape=(3,), dtype=float64"));
    let all = out(&["show", "--all", &file]);
    assert!(all.starts_with("119547037146038801333356\n1001\n"), "{all:.100}");
}

#[test]
fn a_joblib_file_is_shown_without_the_memory_of_its_arrays() {
    for version in ["0.10.3", "0.14.1", "1.4.2", "1.6.0"] {
        let shown = out(&["show", &library(&format!("joblib-{version}.joblib"))]);
        assert!(
            shown.contains("joblib.numpy_pickle.NumpyArrayWrapper()") && shown.contains("'n': 3"),
            "{version}: {shown}"
        );
    }
}

#[test]
fn list_prints_a_line_for_each_member() {
    let zip = made("zip.zip");
    let expected = format!(
        "{zip}: zip, 389 bytes\n  readme.txt: data, 5 bytes\n  a.pkl: pickle, 82 bytes, 1 pickle\n  sub/b.pkl: pickle, 14 bytes, at 191, 1 pickle\n"
    );
    assert_eq!(out(&["list", &zip]), expected);
}

#[test]
fn list_json_prints_an_object_for_the_file_each_member_and_each_pickle() {
    let lines = out(&["list", "--json", &made("npy-objects.npy")]);
    let objects: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(objects.iter().map(|object| &object["kind"]).collect::<Vec<_>>(), ["file", "pickle"]);
    assert_eq!(
        (&objects[0]["format"], &objects[0]["size"], &objects[0]["pickles"]),
        (&"npy".into(), &210.into(), &1.into())
    );
    assert_eq!(
        (&objects[1]["offset"], &objects[1]["size"], &objects[1]["protocol"]),
        (&128.into(), &82.into(), &4.into())
    );
}

#[test]
fn what_holds_no_pickle_says_what_it_is() {
    for (name, what) in [
        ("page.pkl", "an HTML page"),
        ("pointer.pt", "a Git LFS pointer"),
        ("config.json", "a JSON file"),
        ("zip-no-pickle.zip", "holds no pickle"),
        ("zip-encrypted.zip", "encrypted"),
        ("zip-cut.zip", "no central directory"),
        ("zip-bad-crc.zip", "its checksum is wrong"),
        ("npy-numbers.npy", "holds no pickled objects"),
    ] {
        let (status, message) = err(&["show", &made(name)]);
        assert!(status == Some(1) && message.contains(what), "{name}: {message}");
    }
}

#[test]
fn deep_prints_pickles_inside_of_bytes_in_their_place() {
    let file = made("sconsign.dblite");
    assert!(out(&["show", &file]).contains("b'\\x80\\x04"));
    let expected = "{'src': pickle.loads({'main.o': (1, 2)}), 'lib': pickle.loads({})}\n";
    assert_eq!(out(&["show", "--deep", &file]), expected);
}

#[test]
fn partial_prints_what_can_be_read_and_ends_with_1() {
    let output = picklevm(&["show", "--partial", &made("cut.pkl")]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), "{'id': 42, 'name': builtins.Ellipsis}\n"));
    assert!(text(&output.stderr).contains("truncated at 30 of an expected 82 bytes"));
    let output = picklevm(&["show", "--partial", &made("zip-cut.zip")]);
    assert!(output.status.code() == Some(1) && text(&output.stdout).contains("[1, 2, 3]"));
}

#[test]
fn repair_crlf_reads_a_pickle_whose_line_ends_were_converted() {
    let file = made("crlf.pkl");
    let (status, message) = err(&["show", &file]);
    assert!(status == Some(1) && message.contains("--repair crlf"), "{message}");
    assert_eq!(
        out(&["show", "--repair", "crlf", &file]),
        "{'mail': ['one', 'x'], 'n': 12, 'big': 100000000000000000000}\n"
    );
}

/// A path to write to.
fn target(dir: &tempfile::TempDir, name: &str) -> (PathBuf, String) {
    let path = dir.path().join(name);
    let shown = path.to_str().expect("a path").to_owned();
    (path, shown)
}

#[test]
fn repickle_and_optimize_write_the_container_that_they_read() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["gzip.pkl.gz", "zip.zip", "npz.npz", "tar-pax.tar", "django.djcache", "length-be8.bin", "script.rpyc"]
    {
        for command in ["repickle", "optimize"] {
            let (_, path) = target(&dir, name);
            out(&[command, &made(name), "-o", &path]);
            let list = |file: &str| out(&["list", file]).lines().count();
            assert_eq!(list(&path), list(&made(name)), "{command} {name}");
            let shown = out(&["show", "--all", &path]).replace(&path, &made(name));
            assert_eq!(shown, out(&["show", "--all", &made(name)]), "{command} {name}");
        }
    }
}

#[test]
fn bare_writes_the_pickle_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let (path, shown) = target(&dir, "bare.pkl");
    out(&["repickle", "--bare", "--protocol", "2", &made("gzip.pkl.gz"), "-o", &shown]);
    assert!(fs::read(&path).expect("it is there").starts_with(b"\x80\x02"));
    let (status, message) = err(&["repickle", "--bare", &made("zip.zip"), "-o", &shown]);
    assert!(status == Some(1) && message.contains("use --member to choose one"), "{message}");
    out(&["repickle", "--bare", "--member", "sub/b.pkl", &made("zip.zip"), "-o", &shown]);
    assert_eq!(out(&["show", &shown]), "[1, 2, 3]\n");
}

#[test]
fn what_cannot_be_written_back_is_an_error_before_anything_is_written() {
    let dir = tempfile::tempdir().expect("a directory");
    let (path, shown) = target(&dir, "out");
    for file in [library("joblib-1.4.2.joblib"), made("zip-encrypted.zip"), made("page.pkl"), made("rpa-3.rpa")] {
        let (status, message) = err(&["repickle", &file, "-o", &shown]);
        assert!(status == Some(1) && !message.is_empty(), "{file}");
        assert!(!path.exists(), "{file}");
    }
}

#[test]
fn one_member_that_cannot_be_read_does_not_keep_back_the_others() {
    let dir = tempfile::tempdir().expect("a directory");
    let (path, shown) = target(&dir, "half.zip");
    let mut zip = fs::read(picklevm_testing::root().join(made("zip.zip"))).expect("it is there");
    // The name of the last member, in its local header.
    let at = zip.windows(9).position(|name| name == b"sub/b.pkl").expect("it is there");
    zip[at] = b'x';
    fs::write(&path, zip).expect("it can be written");
    let output = picklevm(&["show", &shown]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), VALUE));
    assert!(text(&output.stderr).contains("sub/b.pkl: the directory and the local header differ in its name"));
}

#[test]
fn an_error_names_the_option_that_raises_the_limit_that_was_reached() {
    let zip = made("zip-in-zip.zip");
    for (option, value) in [("--max-nesting", "1"), ("--max-members", "0")] {
        let (status, message) = err(&["show", option, value, &zip]);
        assert_eq!(status, Some(1), "{message}");
        assert!(message.contains(&format!("raise the limit with {option}")), "{message}");
    }
    let (status, message) = err(&["show", "--max-expanded", "10", &made("gzip.pkl.gz")]);
    assert_eq!(status, Some(1));
    assert!(message.ends_with("raise the limit with --max-expanded if you trust the file\n"), "{message}");
    for command in ["list", "graph", "dis"] {
        assert_eq!(err(&[command, "--max-nesting", "0", &made("gzip.pkl.gz")]).0, Some(1), "{command}");
    }
}

#[test]
fn deep_looks_into_compressed_bytes() {
    // Bytes of a pickle that is compressed by zlib, in a list of a pickle.
    let packed = fs::read(picklevm_testing::root().join(made("zlib.pkl"))).unwrap();
    let outer = [&b"\x80\x03]C"[..], &[u8::try_from(packed.len()).unwrap()], &packed, b"a."].concat();
    let output = picklevm_reading(&["show", "--deep"], &outer);
    assert_eq!(text(&output.stdout), format!("[pickle.loads(zlib.decompress({}))]\n", VALUE.trim_end()));
    let output = picklevm_reading(&["show", "--deep", "--max-expanded", "10"], &outer);
    assert!(text(&output.stdout).contains("    b'x"), "{}", text(&output.stdout));
}

#[test]
fn partial_shows_what_only_the_memo_holds() {
    // A list that was stored and dropped; a tuple of it that was stored and dropped too, and a text that was cut off.
    let output = picklevm_reading(&["show", "--partial"], b"\x80\x02]q\x00K\x01a\x85q\x010]q\x02U\x09cut");
    assert_eq!(text(&output.stdout), "[]\n# in the memo alone:\n([1],)\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn partial_shows_what_stands_before_an_op_of_the_wrong_type() {
    // SETITEM of a list as the key.
    let output = picklevm_reading(&["show", "--partial"], b"\x80\x02]q\x00(K\x01}q\x01]q\x02K\x05s.");
    assert_eq!(text(&output.stdout), "[1, {}, [], 5]\n");
    assert!(text(&output.stderr).contains("SETITEM: expected a key"), "{}", text(&output.stderr));
}
