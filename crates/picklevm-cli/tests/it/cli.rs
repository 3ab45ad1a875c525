//! The program as its users meet it: exit statuses, messages, standard input, output files.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use crate::support::{COMMANDS, SESSIONS, command, picklevm, picklevm_reading, text};

#[test]
fn a_sound_pickle_ends_with_0_and_nothing_on_standard_error() {
    for command in COMMANDS {
        let output = picklevm(&[command, &[SESSIONS[1]]].concat());
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        assert!(output.stderr.is_empty() && !output.stdout.is_empty(), "{command:?}");
    }
}

#[test]
fn bad_data_end_with_1_and_a_line_that_says_where_and_why() {
    for command in COMMANDS {
        let output = picklevm_reading(&[command, &["-"]].concat(), b"\x80\x04X\x05\0\0\0abc");
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        let message = "picklevm: <stdin>: the pickle is truncated at 10 bytes: there is no STOP (offset 2: BINUNICODE: \
                       expected 5 bytes, found 3 before the end)";
        let hint = if command[0] == "show" { "; use --partial to print what can be read" } else { "" };
        assert_eq!(text(&output.stderr), format!("{message}{hint}\n"), "{command:?}");
    }
}

#[test]
fn show_refuses_to_print_a_long_text_at_each_of_the_places_that_share_it() {
    let long = [&b"X\x00\x00\x10\x00"[..], &b"x".repeat(1 << 20), b"q\x000"].concat();
    let pickle = [&b"\x80\x02"[..], &long, b"](", &b"}h\x00Ns".repeat(1000), b"e."].concat();
    for options in [["--full"], ["--json"]] {
        let output = picklevm_reading(&[&["show"][..], &options, &["-"]].concat(), &pickle);
        assert_eq!(output.status.code(), Some(1), "{options:?}");
        assert!(text(&output.stderr).contains("<stdin>: expected at most "), "{}", text(&output.stderr));
    }
}

#[test]
fn repickle_keeps_no_graphs_of_the_pickles_before() {
    let pickles = b"N.".repeat(300_000);
    let output = picklevm_reading(&["repickle", "-"], &pickles);
    assert!(output.status.success() && output.stdout == pickles);
}

#[test]
fn nothing_at_all_is_bad_data() {
    for command in COMMANDS {
        let output = picklevm_reading(&[command, &["-"]].concat(), b"");
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        assert_eq!(text(&output.stderr), "picklevm: <stdin>: the file is empty: there is no pickle in it\n");
    }
}

#[test]
fn bad_usage_ends_with_2() {
    for args in [
        &[][..],
        &["frobnicate"],
        &["show", "--depth", "x", "a"],
        &["dis", "--colour", "a"],
        &["time", "--repeat", "0", SESSIONS[0]],
    ] {
        assert_eq!(picklevm(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn the_version_is_that_of_picklevm() {
    let version = format!("picklevm {}\n", env!("CARGO_PKG_VERSION"));
    for args in [["-V"], ["--version"]] {
        assert_eq!(text(&picklevm(&args).stdout), version);
    }
}

#[test]
fn without_a_file_standard_input_is_read() {
    for command in COMMANDS.into_iter().filter(|command| command[0] != "time") {
        let named = picklevm_reading(&[command, &["-"]].concat(), b"K\x01.");
        assert_eq!(named.status.code(), Some(0), "{command:?}");
        assert_eq!(picklevm_reading(command, b"K\x01.").stdout, named.stdout, "{command:?}");
    }
    assert_eq!(picklevm_reading(&["scan", "--json"], b"K\x01.").status.code(), Some(0));
}

#[test]
fn a_file_that_is_not_there_is_bad_usage() {
    for command in COMMANDS {
        let output = picklevm(&[command, &["no/such/file.pkl"]].concat());
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        assert!(text(&output.stderr).contains("no/such/file.pkl: cannot read: "), "{command:?}");
    }
}

#[test]
fn standard_input_is_a_dash() {
    let pickle = fs::read(picklevm_testing::root().join(SESSIONS[1])).expect("it is there");
    for command in [&["show"][..], &["graph"], &["dis"], &["optimize"]] {
        let by_name = picklevm(&[command, &[SESSIONS[1]]].concat());
        let by_dash = picklevm_reading(&[command, &["-"]].concat(), &pickle);
        assert_eq!(by_name.stdout, by_dash.stdout, "{command:?}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut pickle = b"](".to_vec();
    pickle.extend(b"K\x01".repeat(200_000));
    pickle.extend(b"e.");
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("long.pkl");
    fs::write(&path, pickle).expect("it can be written");
    for args in [&["show", "--max-items", "1000000"][..], &["show", "--json"], &["graph"], &["dis"], &["repickle"]] {
        let mut child = command(&[args, &[path.to_str().expect("a path")]].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut stdout = child.stdout.take().expect("piped");
        stdout.read_exact(&mut [0; 10]).expect("there is output");
        drop(stdout);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(text(&output.stderr), "", "{args:?}");
    }
}

#[test]
fn show_prints_several_files_under_their_names() {
    let output = picklevm(&["show", SESSIONS[0], SESSIONS[1]]);
    let out = text(&output.stdout);
    assert!(out.starts_with(&format!("# {}\n{{\n", SESSIONS[0])), "{out}");
    assert!(out.contains(&format!("}}\n# {}\n{{\n", SESSIONS[1])), "{out}");
    assert!(out.contains("'name': u'Zoë'") && out.contains("'name': 'Zoë'"), "{out}");
}

#[test]
fn a_bad_file_among_good_ones_does_not_keep_them_back() {
    let output = picklevm(&["show", SESSIONS[0], "Cargo.toml", SESSIONS[1]]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("decimal.Decimal('9.99')"));
    assert!(text(&output.stderr).starts_with("picklevm: Cargo.toml: this is a text file, not a pickle"));
}

#[test]
fn the_first_pickle_of_a_file_is_printed_or_all() {
    let two = b"K\x01.K\x02.";
    for (command, first, second) in [
        (&["show"][..], "1\n", "2\n"),
        (&["show", "--json"], "1\n", "2\n"),
        (&["graph"], "{\"root\":{\"int\":\"1\"}}\n", "{\"root\":{\"int\":\"2\"}}\n"),
        (
            &["dis"],
            "    0: K    BININT1    1\n    2: .    STOP\nhighest protocol among opcodes = 1\n",
            "    3: K    BININT1    2\n    5: .    STOP\nhighest protocol among opcodes = 1\n",
        ),
    ] {
        let output = picklevm_reading(command, two);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), first), "{command:?}");
        let note = "picklevm: note: <stdin>: 3 bytes after the first pickle, from offset 3 on, not read; use --all to print \
                    every pickle\n";
        assert_eq!(text(&output.stderr), note, "{command:?}");

        let output = picklevm_reading(&[command, &["--all"]].concat(), two);
        assert_eq!(
            (output.status.code(), text(&output.stdout)),
            (Some(0), &*format!("{first}{second}")),
            "{command:?}"
        );
        assert_eq!(text(&output.stderr), "", "{command:?}");
    }
}

#[test]
fn time_measures_the_first_pickle_and_says_so() {
    let output = picklevm_reading(&["time", "--json"], b"K\x01.K\x02.");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&report["bytes"], &report["ops"]), (&3.into(), &2.into()));
    assert!(
        text(&output.stderr).ends_with("not read; only the first pickle is measured\n"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn offsets_count_from_the_start_of_the_file() {
    let two = b"\x80\x02N.K\x01K\x02a.";
    for command in [&["show", "--all"][..], &["graph", "--all"], &["repickle"]] {
        let output = picklevm_reading(command, two);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        let error = "picklevm: <stdin>: offset 8: APPEND: ";
        assert!(text(&output.stderr).starts_with(error), "{command:?}: {}", text(&output.stderr));
    }
    let two = b"\x80\x02N.h\x07.";
    for command in [&["dis", "--all"][..], &["optimize"]] {
        let output = picklevm_reading(command, two);
        let error = "picklevm: <stdin>: offset 4: BINGET: ";
        assert!(text(&output.stderr).starts_with(error), "{command:?}: {}", text(&output.stderr));
    }
}

#[test]
fn a_mark_is_named_by_its_offset_in_the_file() {
    let output = picklevm_reading(&["dis", "--all"], b"N.(K\x01t.");
    assert!(text(&output.stdout).contains("    5: t        TUPLE      (MARK at 2)\n"), "{}", text(&output.stdout));
}

#[test]
fn what_was_read_before_an_error_is_shown() {
    let output = picklevm_reading(&["show", "--all", "-"], b"K\x01.K\x02a.");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), "1\n"));
    assert!(text(&output.stderr).contains("offset 5: APPEND: "), "{}", text(&output.stderr));
}

#[test]
fn graph_prints_several_files_under_their_names() {
    let output = picklevm(&["graph", SESSIONS[0], SESSIONS[1]]);
    let [first, second] = SESSIONS.map(|file| format!("# {file}\n{}", text(&picklevm(&["graph", file]).stdout)));
    assert_eq!(text(&output.stdout), first + &second);
}

#[test]
fn show_counts_what_depth_and_items_leave_out() {
    let nested = b"](K\x01K\x02](K\x03ee.";
    assert_eq!(text(&picklevm_reading(&["show", "--depth", "1", "-"], nested).stdout), "[1, 2, [... 1 more]]\n");
    assert_eq!(text(&picklevm_reading(&["show", "--max-items", "1", "-"], nested).stdout), "[1, ... 2 more]\n");
    let json = picklevm_reading(&["show", "--json", "--max-items", "1", "-"], nested);
    assert_eq!(text(&json.stdout), "[1,{\"$more\":2}]\n");
}

#[test]
fn show_prints_the_beginning_of_what_is_long_and_all_of_it_on_request() {
    let len = 3_000_000u32.to_le_bytes();
    let long = |opcode: &[u8], byte: &[u8]| [opcode, &len, &byte.repeat(3_000_000), b"."].concat();
    for (pickle, shown, all) in [
        (long(b"X", b"x"), "xxx'... 2,995,904 more bytes\n", 3_000_003),
        (long(b"B", b"\0"), "\\x00'... 2,995,904 more bytes\n", 12_000_004),
        (long(b"\x8b", b"\x01"), "0101... 2,995,904 more bytes\n", 6_000_002),
        (long(b"T", b"s"), "sss'... 2,995,904 more bytes\n", 3_000_003),
    ] {
        let brief = picklevm_reading(&["show"], &pickle);
        assert!(brief.status.success() && brief.stdout.len() < 20_000, "{} bytes", brief.stdout.len());
        assert!(text(&brief.stdout).ends_with(shown), "{shown}");
        let full = picklevm_reading(&["show", "--full"], &pickle);
        assert_eq!((full.status.code(), full.stdout.len()), (Some(0), all), "{shown}");
        let json = picklevm_reading(&["show", "--json", "--max-bytes", "1K"], &pickle);
        assert!(text(&json.stdout).contains("\"$more\":2998976}"), "{shown}");
    }
    let many = [&b"]("[..], &b"N".repeat(20_000), b"e."].concat();
    assert!(text(&picklevm_reading(&["show"], &many).stdout).ends_with("None,\n    ... 10,000 more,\n]\n"));
    assert!(!text(&picklevm_reading(&["show", "--full"], &many).stdout).contains("more"));
}

#[test]
fn show_max_bytes_takes_a_size() {
    let shown = picklevm_reading(&["show", "--max-bytes", "2", "-"], b"\x80\x04\x8c\x03abc.");
    assert_eq!(text(&shown.stdout), "'ab'... 1 more byte\n");
    let json = picklevm_reading(&["show", "--json", "--max-bytes", "2"], b"\x80\x04}\x8c\x03abcNs.");
    assert_eq!(text(&json.stdout), "{\"$dict\":[[{\"$str\":\"ab\",\"$more\":1},null]]}\n");
}

#[test]
fn colour_is_for_terminals_and_those_who_ask() {
    let plain = picklevm(&["show", SESSIONS[1]]);
    assert!(!plain.stdout.contains(&0x1b));
    let coloured = picklevm(&["show", "--color", "always", SESSIONS[1]]);
    assert!(coloured.stdout.contains(&0x1b));
    let bad = picklevm(&["show", "Cargo.toml"]);
    assert!(!bad.stderr.contains(&0x1b));
}

#[test]
fn dis_in_color_says_the_same() {
    let plain = picklevm(&["dis", "-a", SESSIONS[1]]);
    assert!(!plain.stdout.contains(&0x1b));
    let colored = picklevm(&["dis", "-a", "--color", "always", SESSIONS[1]]);
    let mut parts = text(&colored.stdout).split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest: Vec<_> = parts.map(|part| part.split_once('m').expect("a color").1).collect();
    assert!(rest.len() > 100);
    assert_eq!(first + &rest.concat(), text(&plain.stdout));
}

#[test]
fn dis_takes_the_options_of_pickletools() {
    let two = picklevm(&["dis", "--preamble", "## {name}", SESSIONS[0], SESSIONS[1]]);
    assert!(text(&two.stdout).starts_with(&format!("## {}\n    0: \\x80 PROTO      2\n", SESSIONS[0])));
    assert!(text(&two.stdout).contains(&format!("\n## {}\n    0: \\x80 PROTO      5\n", SESSIONS[1])));
    let annotated = picklevm(&["dis", "-a", SESSIONS[0]]);
    assert!(
        text(&annotated.stdout).starts_with("    0: \\x80 PROTO      2              Protocol version indicator.\n")
    );
    let indented = picklevm_reading(&["dis", "-l", "1", "-"], b"(K\x01t.");
    assert!(text(&indented.stdout).contains("\n    1: K     BININT1    1\n"), "{}", text(&indented.stdout));
    let kept = picklevm_reading(&["dis", "--memo", "-", "-"], b"]q\x00.");
    assert_eq!(kept.status.code(), Some(1), "the second standard input is empty");
}

#[test]
fn dis_prints_what_it_can_read_before_an_error() {
    let output = picklevm_reading(&["dis", "-"], b"K\x01K\x02\xff");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout).lines().count(), 2);
}

#[test]
fn optimize_leaves_out_what_is_never_fetched_in_every_pickle() {
    assert_eq!(picklevm_reading(&["optimize", "-"], b"]q\x00.").stdout, b"].");
    assert_eq!(picklevm_reading(&["optimize", "-"], b"]q\x00.]q\x00.").stdout, b"].].");
}

#[test]
fn what_follows_the_pickles_and_is_none_is_refused_or_kept() {
    let file = b"\x80\x02N.K\x01.\xff rest";
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("out");
    let path = out.to_str().expect("a path");
    for command in ["optimize", "repickle"] {
        let output = picklevm_reading(&[command, "-o", path], file);
        let message = "picklevm: <stdin>: offset 7: expected an opcode, found the byte 0xff; use --keep-rest to copy \
                       what follows offset 7 (6 bytes) unchanged\n";
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), message), "{command}");
        assert!(!out.exists(), "{command}");

        let output = picklevm_reading(&[command, "--keep-rest"], file);
        assert_eq!((output.status.code(), &*output.stdout), (Some(0), &file[..]), "{command}");
    }
}

#[test]
fn what_is_kept_on_request_begins_where_the_last_pickle_ends() {
    // Two bytes of the rest are opcodes.
    let output = picklevm_reading(&["repickle"], b"\x80\x02N.K\x01.NN\xff rest");
    assert!(text(&output.stderr).ends_with("what follows offset 7 (8 bytes) unchanged\n"), "{}", text(&output.stderr));
}

#[test]
fn list_says_where_in_the_file_a_later_pickle_is_broken() {
    let output = picklevm_reading(&["list"], b"\x80\x02N.K\x01.K\x02s.");
    assert!(text(&output.stderr).starts_with("picklevm: <stdin>: offset 9: SETITEM: "), "{}", text(&output.stderr));
}

#[test]
fn a_pickle_that_is_broken_is_not_kept_as_the_rest() {
    for file in [&b"\xff"[..], b"N.a."] {
        let output = picklevm_reading(&["repickle", "--keep-rest"], file);
        assert_eq!((output.status.code(), &*output.stdout), (Some(1), &b""[..]));
    }
}

#[test]
fn repickle_keeps_the_protocol_of_each_pickle_or_takes_the_one_asked_for() {
    let two = b"(lp0\nI1\na.\x80\x02]q\x00K\x01a.";
    assert_eq!(picklevm_reading(&["repickle", "-"], two).stdout, two);
    let second = b"\x80\x02]q\x00K\x01a.";
    assert_eq!(picklevm_reading(&["repickle", "--protocol", "2", "-"], two).stdout, second.repeat(2));
}

#[test]
fn repickle_follows_the_habits_of_the_writer_asked_for() {
    assert_eq!(picklevm_reading(&["repickle", "--writer", "3.6-c", "-"], b"I1\n.").stdout, b"L1L\n.");
    let output = picklevm_reading(&["repickle", "--writer", "3.5-c", "-"], b"I1\n.");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn repickle_writes_pickles_of_one_pickler_with_one_memo() {
    let stream = b"\x80\x02]q\x00.\x80\x02h\x00.";
    assert_eq!(picklevm_reading(&["repickle", "--shared-memo", "-"], stream).stdout, stream);
    assert_eq!(picklevm_reading(&["repickle", "-"], stream).stdout, stream);
    let apart = b"]q\x00.]q\x00.";
    assert_eq!(picklevm_reading(&["repickle", "-"], apart).stdout, apart);
    assert_eq!(picklevm_reading(&["repickle", "--shared-memo", "-"], apart).stdout, b"]q\x00.]q\x01.");
    assert_eq!(picklevm_reading(&["repickle", "-"], b"h\x00.").status.code(), Some(1));
}

#[test]
fn repickle_leaves_no_file_behind_that_it_could_not_write() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("out.pkl");
    let path = path.to_str().expect("a path");
    let output = picklevm_reading(&["repickle", "--protocol", "4", "-", "-o", path], b"\x80\x05\x97.");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "picklevm: <stdin>: expected protocol 5 for a buffer, found protocol 4\n");
    assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 0);
}

#[test]
fn a_pickle_that_cannot_be_written_is_named_by_its_offset() {
    let output = picklevm_reading(&["repickle", "--protocol", "4"], b"\x80\x02N.\x80\x05\x97.");
    let message = "picklevm: <stdin>: pickle at offset 4: expected protocol 5 for a buffer, found protocol 4\n";
    assert_eq!(text(&output.stderr), message);
}

#[test]
fn time_prints_one_object_with_lists_of_samples() {
    let output = picklevm(&["time", "--repeat", "3", "--json", SESSIONS[1]]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let length = fs::metadata(picklevm_testing::root().join(SESSIONS[1])).expect("it is there").len();
    assert_eq!(report["bytes"], length);
    assert!(report["ops"].as_u64().is_some_and(|ops| ops > 10));
    assert_eq!(report["identical"], true);
    for list in ["decode", "load", "drop", "dump"] {
        let samples = report[list].as_array().expect("a list");
        assert_eq!(samples.len(), 3, "{list}");
        assert!(samples.iter().all(serde_json::Value::is_u64), "{list}");
    }
}

#[test]
fn time_dumps_as_the_newest_pickler_that_writes_the_same_bytes() {
    // Python 3.15 ends a dict of 1000 items otherwise than 3.14 does.
    let graph = picklevm::Graph::from((0..1000).map(|n| (n, n)).collect::<std::collections::BTreeMap<i32, i32>>());
    for writer in ["3.15-c", "3.14-c"] {
        let pickler = picklevm::Pickler::new().writer(writer.parse().expect("a pickler"));
        let pickle = pickler.dumps(graph.root()).expect("a pickle");
        let output = picklevm_reading(&["time", "--repeat", "1", "--json"], &pickle);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!((&report["writer"], &report["identical"]), (&writer.into(), &true.into()));
    }
}

#[test]
fn a_load_takes_time() {
    // So short that the load and the drop cannot be timed alone.
    for _ in 0..10 {
        let output = picklevm_reading(&["time", "--repeat", "3", "--json"], b"\x80\x04](K\x01K\x02e.");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let samples = report["load"].as_array().expect("a list");
        assert!(samples.iter().all(|sample| sample.as_u64() > Some(1)), "{samples:?}");
    }
}

#[test]
fn time_prints_a_line_for_each_thing_that_it_measures() {
    let output = picklevm(&["time", "--repeat", "1", SESSIONS[1]]);
    let words: Vec<_> = text(&output.stdout).lines().filter_map(|line| line.split_whitespace().next()).collect();
    let name = format!("{}:", SESSIONS[1]);
    assert_eq!(words, [&*name, "median", "decode", "load", "drop", "dump", "The"]);
}

#[test]
fn the_document_shows_what_is_printed() {
    crate::support::assert_document("docs/cli.md");
}
