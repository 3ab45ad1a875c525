//! `picklevm scan` as its users meet it: exit statuses, the table, JSON, SARIF, policies, limits.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use picklevm_testing::root;
use serde_json::Value;

use crate::support::{command, picklevm, picklevm_reading, text};

const SAFE: &str = "tests/scan/ordinary/stdlib-p3-none.pkl";
const DANGEROUS: &str = "tests/scan/attacks/manual_system.pkl";
const SUSPICIOUS: &str = "tests/scan/attacks/lookup_unknown_module.pkl";
const MISSING: &str = "no/such/file.pkl";
const ORDER: &[u8] = b"\x80\x02cshop\nOrder\n)\x81}b.";

fn status(args: &[&str]) -> Option<i32> {
    picklevm(&[&["scan"], args].concat()).status.code()
}

fn json_lines(output: &[u8]) -> Vec<Value> {
    text(output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn write(dir: &Path, name: &str, data: &[u8]) -> String {
    let path = dir.join(name);
    fs::write(&path, data).expect("a file");
    path.to_str().expect("text").to_owned()
}

#[test]
fn the_exit_status_is_the_verdict() {
    for (path, expected) in [(SAFE, 0), (DANGEROUS, 1), (SUSPICIOUS, 3), (MISSING, 4)] {
        for format in [&[][..], &["--json"], &["--sarif"], &["--explain"], &["--quiet"]] {
            assert_eq!(status(&[format, &[path]].concat()), Some(expected), "{format:?} {path}");
        }
    }
}

#[test]
fn of_several_files_the_worst_decides() {
    assert_eq!(status(&[SAFE, SUSPICIOUS]), Some(3));
    assert_eq!(status(&[SAFE, MISSING, SUSPICIOUS]), Some(4));
    assert_eq!(status(&[MISSING, DANGEROUS, SUSPICIOUS, SAFE]), Some(1));
}

#[test]
fn bad_usage_ends_with_2() {
    for args in [
        &["--frobnicate", SAFE][..],
        &["--json", "--sarif", SAFE],
        &["--policy", MISSING, SAFE],
        &["--policy", "README.md", SAFE],
        &["--print-policy", SAFE],
        &["--depth", "deep", SAFE],
    ] {
        assert_eq!(status(args), Some(2), "{args:?}");
    }
}

#[test]
fn the_table_has_a_line_a_file_and_a_line_a_reason() {
    let output = picklevm(&["scan", SAFE, DANGEROUS, MISSING]);
    let expected = "\
verdict     status     format   file
safe        complete   pickle   tests/scan/ordinary/stdlib-p3-none.pkl
dangerous   complete   pickle   tests/scan/attacks/manual_system.pkl
    dangerous at 33: calls os.system, which runs programs
unreadable                      no/such/file.pkl
    cannot read: no such file or directory
3 files: 1 dangerous, 1 unreadable, 1 safe
";
    assert_eq!(text(&output.stdout), expected);
    assert!(output.stderr.is_empty());
}

#[test]
fn quiet_leaves_out_what_is_safe() {
    assert_eq!(text(&picklevm(&["scan", "--quiet", SAFE]).stdout), "");
    let output = picklevm(&["scan", "-q", SAFE, DANGEROUS]);
    assert!(!text(&output.stdout).contains(SAFE) && text(&output.stdout).contains(DANGEROUS));
}

#[test]
fn reasons_beyond_the_most_are_counted() {
    let pickle = b"cos\nsystem\n0cos\npopen\n0cos\nfork\n0N.";
    let output = picklevm_reading(&["scan", "--max-reasons", "1", "-"], pickle);
    let expected = "    dangerous at 0: imports os.system, which runs programs\n    … 2 more reasons";
    assert!(text(&output.stdout).contains(expected), "{}", text(&output.stdout));
}

#[test]
fn a_reason_tells_what_it_lies_in() {
    let output = picklevm_reading(&["scan", "-"], b"\x80\x03C\x10\x80\x02cos\nsystem\n)R.C\x01x\x86.");
    let expected = "    dangerous in string at 2 at 14: calls os.system, which runs programs\n";
    assert!(text(&output.stdout).ends_with(expected), "{}", text(&output.stdout));
}

#[test]
fn an_explanation_says_what_loading_returns() {
    let explained = |pickle: &[u8]| text(&picklevm_reading(&["scan", "--explain", "-"], pickle).stdout).to_owned();
    for (pickle, sentence) in [
        (&b"(lcshop\nOrder\n)\x81a."[..], "Python does this, in order, and returns a list:\n"),
        (b"cos\nsystem\n(S'true'\ntR.", "Python does this, in order, and returns an object that os.system made:\n"),
        (b"cos\nsystem\n", "Python does this, in order, before the pickle breaks:\n"),
        (b"}.", "Python imports nothing and calls nothing. It returns a dict.\n"),
    ] {
        let explained = explained(pickle);
        assert!(explained.contains(sentence) && !explained.contains("plain data"), "{explained}");
    }
}

#[test]
fn what_a_stranger_wrote_cannot_drive_the_terminal() {
    let output = picklevm_reading(&["scan", "--explain", "-"], b"cev\x1b[2Jil\nna\xe2\x80\xaeme\n.");
    let shown = text(&output.stdout);
    assert!(!shown.contains(['\x1b', '\u{202e}']) && shown.contains("ev\\u{1b}[2Jil.na\\u{202e}me"), "{shown}");
}

#[test]
fn colour_is_for_terminals_and_those_who_ask() {
    let colored = |args: &[&str]| picklevm(&[args, &["scan", "--explain", DANGEROUS]].concat()).stdout.contains(&0x1b);
    assert!(!colored(&[]));
    assert!(colored(&["--color", "always"]));
}

#[test]
fn standard_input_is_a_dash_among_files() {
    let output = picklevm_reading(&["scan", "--json", SAFE, "-", DANGEROUS], b"N.");
    let names: Vec<_> = json_lines(&output.stdout).iter().map(|line| line["name"].clone()).collect();
    assert_eq!(names, [SAFE, "<stdin>", DANGEROUS]);
}

#[test]
fn a_closed_pipe_does_not_hide_the_verdict() {
    let mut child = command(&["scan", "--json", "--evidence", DANGEROUS])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), ""));
}

#[test]
fn in_a_directory_files_that_are_not_pickles_are_skipped_and_counted() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::create_dir(dir.path().join("below")).expect("a directory");
    write(dir.path(), "README.md", b"# Models\n");
    write(dir.path(), "__init__.py", b"");
    write(dir.path(), "below/model.pkl", b"N.");
    write(dir.path(), "weights.bin", &fs::read(root().join(DANGEROUS)).expect("the attack"));
    let output = picklevm(&["scan", "--json", dir.path().to_str().expect("text")]);
    let lines = json_lines(&output.stdout);
    let verdicts: Vec<_> = lines.iter().map(|line| line["verdict"].as_str().unwrap_or_default()).collect();
    assert_eq!((output.status.code(), verdicts), (Some(1), vec!["dangerous", "safe"]));

    let output = picklevm(&["scan", dir.path().to_str().expect("text")]);
    let total = "2 files: 1 dangerous, 1 safe; 2 skipped (not pickles)\n";
    assert!(text(&output.stdout).ends_with(total), "{}", text(&output.stdout));
}

#[test]
fn an_empty_directory_is_no_files_and_safe() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = picklevm(&["scan", dir.path().to_str().expect("text")]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "0 files\n"));
}

#[test]
fn a_name_outside_the_policy_comes_with_what_to_do_next() {
    let output = picklevm_reading(&["scan", "-"], ORDER);
    for option in ["--explain", "--allow NAME", "--allow-module MODULE", "--allow-own", "--policy FILE"] {
        assert!(text(&output.stdout).contains(option), "{}", text(&output.stdout));
    }
}

#[test]
fn a_file_named_like_a_pickle_is_not_skipped() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "model.pkl", b"This is no pickle.");
    assert_eq!(status(&[dir.path().to_str().expect("text")]), Some(3));
}

#[test]
fn json_is_a_line_a_file_with_all_reasons_and_all_that_is_done() {
    let output = picklevm(&["scan", "--json", DANGEROUS, SAFE, MISSING]);
    let lines = json_lines(&output.stdout);
    let pickle = &lines[0]["pickles"][0];
    assert_eq!(pickle["imports"][0]["module"], "os");
    assert_eq!(pickle["findings"][0]["rule"], "dangerous-name");
    assert_eq!(pickle["events"][1]["python"], "v0 = os.system('echo hello world')");
    assert_eq!(pickle["events"][1]["known"]["why"], "runs programs");
    assert_eq!((&lines[1]["verdict"], &lines[1]["status"]), (&"safe".into(), &"complete".into()));
    assert_eq!((&lines[2]["verdict"], &lines[2]["name"]), (&"unreadable".into(), &MISSING.into()));
}

#[test]
fn evidence_lists_what_safe_pickles_do() {
    let pickle = b"ccollections\nOrderedDict\n)R.";
    let events = |args: &[&str]| json_lines(&picklevm_reading(args, pickle).stdout)[0]["pickles"][0]["events"].clone();
    assert_eq!(events(&["scan", "--json", "-"]), Value::Null);
    assert_eq!(events(&["scan", "--json", "--evidence", "-"])[1]["action"], "call");
}

#[test]
fn sarif_names_rules_files_offsets_and_what_could_not_be_read() {
    let output = picklevm(&["scan", "--sarif", DANGEROUS, SUSPICIOUS, SAFE, MISSING]);
    let log: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let run = &log["runs"][0];
    assert_eq!((&log["version"], &run["tool"]["driver"]["name"]), (&"2.1.0".into(), &"picklevm".into()));
    let results = run["results"].as_array().expect("results");
    let levels: Vec<_> = results.iter().map(|result| result["level"].as_str().unwrap_or_default()).collect();
    assert_eq!(levels, ["error", "warning"]);
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!((&place["artifactLocation"]["uri"], &place["region"]["byteOffset"]), (&DANGEROUS.into(), &33.into()));
    for result in results {
        let index = result["ruleIndex"].as_u64().expect("a number") as usize;
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["toolExecutionNotifications"].as_array().map(Vec::len), Some(1));
}

#[cfg(unix)]
#[test]
fn a_file_name_that_is_not_utf_8_is_not_lost() {
    use std::os::unix::ffi::OsStrExt;

    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.pkl"));
    if fs::write(&path, b"cos\nsystem\n.").is_err() {
        eprintln!("SKIPPED: this file system takes no such name");
        return;
    }
    let scan = |format: &str| {
        let output = command(&["scan", format]).arg(&path).output().expect("it runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let line: Value = serde_json::from_str(&scan("--json")).expect("JSON");
    assert!(line["name"].as_str().is_some_and(|name| name.ends_with("/caf\\xe9.pkl")), "{line}");
    let hex = picklevm_testing::hex(path.as_os_str().as_bytes());
    assert_eq!((&line["name_bytes"], &line["verdict"]), (&hex.into(), &"dangerous".into()));
    assert!(scan("--sarif").contains("/caf%E9.pkl\""));
    assert!(scan("--explain").contains("/caf\\xe9.pkl\n"));

    let output = command(&["list", "--json"]).arg(&path).output().expect("it runs");
    let first = text(&output.stdout).lines().next().unwrap_or_default().to_owned();
    let listed: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!(listed["name_bytes"], line["name_bytes"]);

    fs::remove_file(&path).expect("it can be removed");
    let line: Value = serde_json::from_str(&scan("--json")).expect("JSON");
    assert_eq!(line["verdict"], "unreadable");
    assert!(line["name_bytes"].as_str().is_some_and(|name| name.ends_with("636166e92e706b6c")), "{line}");
}

#[test]
fn a_policy_of_ones_own_allows_and_forbids() {
    let dir = tempfile::tempdir().expect("a directory");
    let allow = r#"allow = [{ module = "shop", names = ["Order"], may = ["construct", "state"] }]"#;
    let toml = write(dir.path(), "shop.toml", allow.as_bytes());
    let json =
        write(dir.path(), "stop.json", br#"{"danger": [{"module": "shop", "names": ["Order"], "why": "ships"}]}"#);
    let status = |args: &[&str]| picklevm_reading(&[&["scan", "-"], args].concat(), ORDER).status.code();
    assert_eq!(status(&[]), Some(3));
    assert_eq!(status(&["--policy", &toml]), Some(0));
    assert_eq!(status(&["--policy", &json]), Some(1));
    assert_eq!(status(&["--policy", &toml, "--policy", &json]), Some(1));
}

#[test]
fn a_broken_policy_says_where() {
    let dir = tempfile::tempdir().expect("a directory");
    let broken = write(dir.path(), "broken.toml", b"[[allow]]\nmodul = 'shop'\n");
    let output = picklevm(&["scan", "--policy", &broken, SAFE]);
    let message = text(&output.stderr);
    assert!(message.contains("broken.toml") && message.contains("line 2") && message.contains("modul"), "{message}");
}

#[test]
fn the_policy_that_is_printed_can_be_read_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let printed = picklevm(&["scan", "--print-policy"]);
    assert_eq!(printed.status.code(), Some(0));
    let policy = write(dir.path(), "all.toml", &printed.stdout);
    assert_eq!(picklevm(&["scan", "--print-policy", "--policy", &policy]).stdout, printed.stdout);
}

#[test]
fn limits_make_findings_and_are_never_safe() {
    let dir = tempfile::tempdir().expect("a directory");
    let pickle = write(dir.path(), "list.pkl", b"\x80\x02]q\0(K\x01K\x02e.");
    assert_eq!(status(&[&pickle]), Some(0));
    assert_eq!(status(&["--max-file", "5", &pickle]), Some(3));
    assert_eq!(status(&["--max-file", "1G", "--max-expanded", "10 MB", &pickle]), Some(0));
    assert_eq!(status(&["--max-file", "1 parsec", &pickle]), Some(2));
    let packed = "tests/scan/ordinary/numpy-compressed.npz";
    assert_eq!(status(&[packed]), Some(0));
    for limit in [["--max-expanded", "100"], ["--max-members", "0"], ["--depth", "0"]] {
        assert_eq!(status(&[limit[0], limit[1], packed]), Some(3), "{limit:?}");
    }
}

#[test]
fn the_document_shows_what_is_printed() {
    crate::support::assert_document("docs/scan.md");
}

/// Read as a pickle, the archive begins with a line, behind which BINBYTES claims more than the file has.
#[cfg(target_os = "linux")]
#[test]
fn an_archive_that_breaks_off_as_a_pickle_is_not_held_whole() {
    use std::io::{Seek, SeekFrom, Write};

    const LEN: u32 = 600 << 20;
    const CRC_OF_ZEROS: u32 = 0x676c_5ed4;
    let name = b"a\nB\xff\xff\xff\x7f";
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
    let halves = |numbers: &[u16]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
    // What a local header and an entry of the directory share: version, flags, method, time, CRC, sizes, lengths of names.
    let fields = [&halves(&[20, 0, 0, 0, 33])[..], &numbers(&[CRC_OF_ZEROS, LEN, LEN]), &halves(&[7, 0])].concat();
    let head = [&b"PK\x03\x04"[..], &fields, name].concat();
    let entry = [&b"PK\x01\x02\x14\0"[..], &fields, &halves(&[0, 0, 0]), &numbers(&[0, 0]), name].concat();
    let places = numbers(&[entry.len() as u32, head.len() as u32 + LEN]);
    let end = [&b"PK\x05\x06"[..], &halves(&[0, 0, 1, 1]), &places, &[0, 0]].concat();

    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("zeros.zip");
    // The zeros take no room on the disk.
    let mut file = fs::File::create(&path).expect("a file");
    file.write_all(&head).expect("written");
    file.seek(SeekFrom::Current(i64::from(LEN))).expect("sought");
    file.write_all(&[entry, end].concat()).expect("written");
    drop(file);

    let within = |kib: u32| {
        let script = format!("ulimit -v {kib}; exec \"$0\" scan --json \"$1\"");
        let output =
            std::process::Command::new("sh").args(["-c", &script, env!("CARGO_BIN_EXE_picklevm")]).arg(&path).output();
        let output = output.expect("sh");
        assert_eq!(output.status.code(), Some(0), "{} {}", text(&output.stdout), text(&output.stderr));
    };
    within(512 << 10);
}
