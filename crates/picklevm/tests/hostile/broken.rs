//! The table of broken inputs in `docs/security.md` has the current error messages.

use std::fmt::Write as _;
use std::fs;

use picklevm::{Deny, Limits, Unpickler};

/// Descriptions of faults, and pickles with them.
const BROKEN: &[(&str, &[u8])] = &[
    ("empty input", b""),
    ("ends inside an operand", b"\x80\x04X\x0a\0\0\0abc"),
    ("ends before STOP", b"\x80\x02]q\x00"),
    ("a byte that is not an opcode", b"\x80\x02\xfe."),
    ("an unknown protocol", b"\x80\x06N."),
    ("a frame of 2^64 - 1 bytes", b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xffN."),
    ("a negative length", b"\x80\x02\x8b\xff\xff\xff\xff."),
    ("a length of 2^63", b"\x80\x04\x8e\0\0\0\0\0\0\0\x80x"),
    ("text that is not UTF-8", b"\x80\x02X\x02\0\0\0\xff\xfe."),
    ("an invalid integer", b"I12x\n."),
    ("a string without quotes", b"Sabc\n."),
    ("an empty stack", b"\x80\x02."),
    ("a missing mark", b"]K\x01e."),
    ("a key without a value", b"}(K\x01u."),
    ("a memo index never stored", b"h\x05."),
    ("an item for an integer", b"K\x01K\x02a."),
    ("a list as a key", b"}]Ns."),
    ("arguments that are not a tuple", b"cos\nsystem\n]R."),
    ("a name that is not text", b"\x80\x04K\x01K\x02\x93."),
    ("an extension code of 0", b"\x80\x02\x84\0\0\0\0."),
    ("a denied global", b"cos\nsystem\n(S'ls'\ntR."),
    ("more nodes than allowed", b"]]]]]."),
];

/// Returns the table in Markdown.
fn table() -> String {
    let mut table = String::from("| broken input | bytes | message |\n| --- | --- | --- |\n");
    for (what, pickle) in BROKEN {
        let unpickler = match *what {
            "a denied global" => Unpickler::new().resolver(Deny),
            "more nodes than allowed" => Unpickler::new().limits(Limits::default().nodes(4)),
            _ => Unpickler::new(),
        };
        let error = unpickler.loads(pickle).expect_err(what);
        let bytes = pickle.escape_ascii().to_string().replace('|', "\\|");
        let _ = writeln!(table, "| {what} | `{bytes}` | {error} |");
    }
    table
}

#[test]
fn the_table_of_broken_inputs_is_up_to_date() {
    const BEGIN: &str = "<!-- broken inputs -->\n";
    let path = picklevm_testing::root().join("docs/security.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("the table begins");
    let (there, after) = rest.split_once(BEGIN).expect("the table ends");
    let table = table();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, [before, BEGIN, &table, BEGIN, after].concat()).expect("the page can be written");
        return;
    }
    assert_eq!(there, table, "run with UPDATE_GOLDEN=1 to update it");
}

#[test]
fn an_error_after_pop_names_the_right_opcode() {
    let pickle = b"cm\nC\n)R0h\x07.";
    for error in [picklevm::loads(pickle), picklevm::load(&pickle[..])].map(|graph| graph.expect_err("no such index")) {
        let expected = "offset 8: BINGET: expected a memo index that was stored before, found 7";
        assert_eq!(error.to_string(), expected);
    }
}
