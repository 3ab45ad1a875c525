//! Files of several pickles, and what follows them; how much is printed in all.

use crate::support::{picklevm, picklevm_reading, text};

/// Written by one `pickle.Pickler` of CPython 3.13: `{'a': l}`, `[l]` and `(l,)` with the same list `l = [1]`.
const SHARED: [&[u8]; 3] = [
    b"(dp0\nVa\np1\n(lp2\nI1\nas.(lp3\ng2\na.(g2\ntp4\n.",
    b"\x80\x02}q\x00X\x01\0\0\0aq\x01]q\x02K\x01as.\x80\x02]q\x03h\x02a.\x80\x02h\x02\x85q\x04.",
    b"\x80\x04\x95\x0f\0\0\0\0\0\0\0}\x94\x8c\x01a\x94]\x94K\x01as.\x80\x04]\x94h\x02a.\x80\x04h\x02\x85\x94.",
];

#[test]
fn pickles_that_share_a_memo_are_shown_as_one_unpickler_loads_them() {
    for pickles in SHARED {
        let shown = picklevm_reading(&["show", "--all"], pickles);
        assert_eq!((shown.status.code(), text(&shown.stdout)), (Some(0), "{'a': [1]}\n[[1]]\n([1],)\n"));
        let plain = picklevm_reading(&["show", "--all", "--json=plain"], pickles);
        assert_eq!(text(&plain.stdout), "{\"a\":[1]}\n[[1]]\n[[1]]\n");
        let graph = picklevm_reading(&["graph", "--all"], pickles);
        assert!(graph.status.success(), "{}", text(&graph.stderr));
        let last =
            "{\"root\":{\"ref\":0}}\n{\"id\":0,\"tuple\":[{\"ref\":1}]}\n{\"id\":1,\"list\":[{\"int\":\"1\"}]}\n";
        assert!(text(&graph.stdout).ends_with(last), "{}", text(&graph.stdout));
    }
}

#[test]
fn commands_that_read_each_pickle_alone_say_what_to_do_with_a_shared_memo() {
    for (command, remedy) in [("dis", "use --memo"), ("optimize", "repickle writes them again")] {
        let args: &[&str] = if command == "dis" { &["dis", "--all"] } else { &["optimize"] };
        let refused = picklevm_reading(args, SHARED[1]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).contains(remedy), "{}", text(&refused.stderr));
    }
    assert!(picklevm_reading(&["dis", "--all", "--memo"], SHARED[1]).status.success());
    assert_eq!(picklevm_reading(&["repickle"], SHARED[1]).stdout, SHARED[1]);
}

#[test]
fn a_fetch_of_what_no_pickle_stored_is_an_error_in_its_place() {
    let output = picklevm_reading(&["show", "--all"], b"\x80\x02]q\x00.\x80\x02h\x05.");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), "[]\n"));
    assert!(text(&output.stderr).contains("offset 8: BINGET"), "{}", text(&output.stderr));
}

#[test]
fn nuls_after_a_pickle_are_reported_like_other_bytes() {
    let padded = [b"N.", &[0; 20][..]].concat();
    let first = picklevm_reading(&["show"], &padded);
    assert_eq!((first.status.code(), text(&first.stdout)), (Some(0), "None\n"));
    assert!(
        text(&first.stderr).contains("20 bytes after the first pickle, from offset 2 on"),
        "{}",
        text(&first.stderr)
    );
    for command in ["show", "graph", "dis"] {
        let all = picklevm_reading(&[command, "--all"], &padded);
        assert_eq!(all.status.code(), Some(1), "{command}");
        assert!(text(&all.stderr).contains("found 20 bytes of NULs"), "{}", text(&all.stderr));
    }
    let line = picklevm_reading(&["show", "--all"], b"N.\n");
    assert_eq!((line.status.code(), text(&line.stderr)), (Some(0), ""));
}

#[test]
fn show_prints_at_most_so_much_in_all() {
    let list = [&b"]("[..], &b"\x8c\x02\xc3\xa9".repeat(100), b"e."].concat();
    let cut = picklevm_reading(&["show", "--max-output", "28"], &list);
    let ended = "[\n    'é',\n    'é',\n    '\n... more, use --full to print all of it\n";
    assert_eq!((cut.status.code(), text(&cut.stdout)), (Some(0), ended));
    assert!(text(&cut.stderr).contains("the output ends after 28 bytes"), "{}", text(&cut.stderr));
    for args in [&["show", "--full", "--max-output", "30"][..], &["show", "--json", "--max-output", "30"], &["show"]] {
        let whole = picklevm_reading(args, &list);
        assert_eq!((text(&whole.stdout).matches('é').count(), text(&whole.stderr)), (100, ""), "{args:?}");
    }
    // The limit is one for all pickles, and 16 MiB by default.
    let two = picklevm_reading(&["show", "--all", "--max-output", "7"], b"N.N.N.");
    assert_eq!(text(&two.stdout), "None\nNo\n... more, use --full to print all of it\n");
    let nested = [b"](", &[&b"]("[..], &b"J\0\0\0\x7f".repeat(9_000), b"e"].concat().repeat(200)[..], b"e."].concat();
    let shown = picklevm_reading(&["show"], &nested);
    assert!(text(&shown.stdout).ends_with("\n... more, use --full to print all of it\n"));
    assert!((16 << 20..(16 << 20) + 100).contains(&shown.stdout.len()), "{}", shown.stdout.len());
}

#[test]
fn several_pickles_become_json_lines_and_no_other_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("several.pkl");
    std::fs::write(&path, b"K\x01.(K\x02K\x03l.}.").unwrap();
    let file = path.to_str().unwrap();

    let output = picklevm(&["convert", file, "--to", "jsonl", "-o", "-"]);
    assert_eq!(text(&output.stdout), "1\n[2,3]\n{}\n");

    let new = folder.path().join("out.json");
    let output = picklevm(&["convert", file, "-o", new.to_str().unwrap()]);
    assert!(text(&output.stderr).contains("it holds 3 pickles, and a .json takes one"), "{}", text(&output.stderr));
    assert_eq!((output.status.code(), new.exists()), (Some(1), false));

    let output = picklevm(&["convert", file, "--skip", "--to", "json", "-o", "-"]);
    assert_eq!(text(&output.stdout), "1");
    assert!(text(&output.stderr).contains("2 more pickles are not converted"));
}
