//! Rewriting pickles op by op.

use std::io::{BufReader, Cursor};

use picklevm_ops::{Decoded, ErrorKind, Renames, Rewriter, dis};

fn renamed(rules: &str, pickle: &[u8]) -> Vec<u8> {
    Rewriter::new().renames(Renames::parse(rules).unwrap()).rewrite(pickle).unwrap()
}

fn refused(rules: &str, pickle: &[u8]) -> picklevm_ops::Error {
    Rewriter::new().renames(Renames::parse(rules).unwrap()).rewrite(pickle).unwrap_err()
}

fn utf8(string: &[u8]) -> Result<Decoded<'_>, String> {
    match std::str::from_utf8(string) {
        Ok(text) => Ok(Decoded::Text(text.as_bytes().into())),
        Err(error) => Err(error.to_string()),
    }
}

/// Decodes UTF-8; other strings are errors.
fn decoded(pickle: &[u8]) -> Vec<u8> {
    Rewriter::new().strings(utf8).rewrite(pickle).unwrap()
}

/// A frame around ops.
fn framed(ops: &[u8]) -> Vec<u8> {
    [b"\x80\x04\x95", &(ops.len() as u64).to_le_bytes()[..], ops].concat()
}

#[test]
fn global_and_inst_are_renamed() {
    assert_eq!(renamed("a=b", b"ca.c\nX\n."), b"cb.c\nX\n.");
    assert_eq!(renamed("a.X=b.Y", b"(ia\nX\n."), b"(ib\nY\n.");
}

#[test]
fn other_ops_stay_byte_for_byte() {
    let pickle = b"(I01\nL5L\nF1e3\nS\"a\"\np9\nVa\np3\nca\nX\np77\ntg3\n0.";
    let expected = b"(I01\nL5L\nF1e3\nS\"a\"\np9\nVa\np3\ncb\nX\np77\ntg3\n0.";
    assert_eq!(renamed("a=b", pickle), expected);
    assert_eq!(renamed("z=y", pickle), pickle);
}

#[test]
fn names_on_the_stack_are_renamed_and_the_frame_is_corrected() {
    let pickle = framed(b"\x8c\x05fruit\x94\x8c\x05Apple\x94\x93\x94.");
    assert_eq!(renamed("fruit=veg", &pickle), framed(b"\x8c\x03veg\x94\x8c\x05Apple\x94\x93\x94."));
    assert_eq!(renamed("fruit.Apple=veg.Tomato", &pickle), framed(b"\x8c\x03veg\x94\x8c\x06Tomato\x94\x93\x94."));
}

#[test]
fn a_fetched_name_follows_the_stored_one() {
    let pickle = b"\x80\x04(\x8c\x01a\x94\x8c\x01X\x94\x93h\0\x8c\x01Y\x93t.";
    assert_eq!(renamed("a=bcd", pickle), b"\x80\x04(\x8c\x03bcd\x94\x8c\x01X\x94\x93h\0\x8c\x01Y\x93t.");
}

#[test]
fn text_of_the_same_spelling_stays_text() {
    // First text, then a name.
    let pickle = b"\x80\x04(\x8c\x01a\x94h\0\x8c\x01X\x93h\0t.";
    assert_eq!(renamed("a=b", pickle), b"\x80\x04(\x8c\x01a\x94\x8c\x01b\x8c\x01X\x93h\0t.");
    // First a name, then text.
    let pickle = b"\x80\x04(\x8c\x01a\x94\x8c\x01X\x93h\0t.";
    assert_eq!(renamed("a=b", pickle), b"\x80\x04(\x8c\x01b\x94\x8c\x01X\x93\x8c\x01at.");
}

#[test]
fn one_module_text_of_two_classes_may_get_two_names() {
    let pickle = b"\x80\x04(\x8c\x01a\x94\x8c\x01X\x93h\0\x8c\x01Y\x93t.";
    assert_eq!(renamed("a.X=b.X", pickle), b"\x80\x04(\x8c\x01b\x94\x8c\x01X\x93\x8c\x01a\x8c\x01Y\x93t.");
}

#[test]
fn a_long_name_gets_a_longer_op() {
    let long = "n".repeat(300);
    let pickle = framed(b"\x8c\x01a\x8c\x01X\x93.");
    let ops = [b"X\x2c\x01\0\0", long.as_bytes(), b"\x8c\x01X\x93."].concat();
    assert_eq!(renamed(&format!("a={long}"), &pickle), framed(&ops));
}

#[test]
fn frames_may_end_between_and_inside_ops() {
    // The first frame ends between the names, the second within an op that stays.
    let pickle = b"\x80\x04\x95\x05\0\0\0\0\0\0\0(\x8c\x01a\x94\x95\x06\0\0\0\0\0\0\0\x8c\x01X\x930J\x01\0\0\0t.";
    let expected = b"\x80\x04\x95\x07\0\0\0\0\0\0\0(\x8c\x03bcd\x94\x95\x06\0\0\0\0\0\0\0\x8c\x01X\x930J\x01\0\0\0t.";
    assert_eq!(renamed("a=bcd", pickle), expected);
}

#[test]
fn each_pickle_of_several_has_its_own_memo() {
    let one = framed(b"\x8c\x01a\x94\x8c\x01X\x93.");
    let new = framed(b"\x8c\x01b\x94\x8c\x01X\x93.");
    assert_eq!(renamed("a=b", &one.repeat(3)), new.repeat(3));
    assert_eq!(refused("a=b", b"\x8c\x01a\x94.h\0.").kind(), ErrorKind::Memo);
}

#[test]
fn pickles_may_share_a_memo() {
    let mut rewriter = Rewriter::new().shared_memo(true).renames(Renames::parse("a=b").unwrap());
    let pickle = b"\x80\x04\x8c\x01a\x94\x8c\x01X\x93.\x80\x04h\0\x8c\x01Y\x94\x93h\0h\x01\x87.";
    let expected = b"\x80\x04\x8c\x01b\x94\x8c\x01X\x93.\x80\x04h\0\x8c\x01Y\x94\x93\x8c\x01ah\x01\x87.";
    assert_eq!(rewriter.rewrite(pickle).unwrap(), expected);
}

#[test]
fn what_no_global_op_can_name_is_refused() {
    assert_eq!(refused("a.X=b:Y.Z", b"\x80\x02ca\nX\n.").kind(), ErrorKind::BadOperand);
    assert_eq!(renamed("a.X=b:Y.Z", b"\x80\x04ca\nX\n."), b"\x80\x04cb\nY.Z\n.");
    assert_eq!(refused("a.X=b.\u{e9}", b"(ia\nX\n.").kind(), ErrorKind::BadOperand);
}

#[test]
fn a_name_that_is_stored_later_is_refused() {
    let error = refused("a=b", b"\x80\x04\x8c\x01aN0\x94\x8c\x01X\x93.");
    assert_eq!((error.kind(), error.offset()), (ErrorKind::BadOperand, 7));
}

#[test]
fn offsets_of_errors_count_from_the_beginning() {
    assert_eq!(refused("a=b", b"N.N.\xff").offset(), 4);
}

#[test]
fn strings_become_text_of_their_protocol() {
    assert_eq!(decoded(b"U\x02\xc3\xa9q\x01."), b"X\x02\0\0\0\xc3\xa9q\x01.");
    assert_eq!(decoded(b"T\x01\0\0\0a."), b"X\x01\0\0\0a.");
    assert_eq!(decoded(b"S'\\xc3\\xa9\\n'\np0\n."), b"V\xe9\\u000a\np0\n.");
}

#[test]
fn the_data_of_a_date_are_bytes() {
    let pickle =
        b"\x80\x02(U\x01acdatetime\ndate\nq\x01U\x04\x07\xe1\x05\x16\x85q\x02Rh\x01U\x04\x07\xe1\x05\x17\x85Rt.";
    let expected =
        b"\x80\x02(X\x01\0\0\0acdatetime\ndate\nq\x01C\x04\x07\xe1\x05\x16\x85q\x02Rh\x01C\x04\x07\xe1\x05\x17\x85Rt.";
    assert_eq!(decoded(pickle), expected);
}

#[test]
fn text_beside_a_class_of_dates_is_text() {
    let pickle = b"\x80\x02(cdatetime\ndate\nU\x01at.";
    assert_eq!(decoded(pickle), b"\x80\x02(cdatetime\ndate\nX\x01\0\0\0at.");
}

#[test]
fn the_data_of_an_array_are_bytes_and_its_type_is_text() {
    let array = |typecode: &str, data: &str| {
        let state = format!("cnumpy\ndtype\n{typecode}I0\nI1\ntRI00\n{data}t");
        format!("cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntC\x01btRp1\n(I1\n(I1\nt{state}b.")
    };
    let pickle = array("(S'u1'\n", "S'\\xff'\n");
    assert_eq!(decoded(pickle.as_bytes()), with_byte(&array("(Vu1\n", "C\x01?"), b'\xff'));
}

/// Puts a byte in the place of `?`.
fn with_byte(text: &str, byte: u8) -> Vec<u8> {
    text.bytes().map(|here| if here == b'?' { byte } else { here }).collect()
}

#[test]
fn a_string_that_is_not_in_the_encoding_is_an_error_with_its_offset() {
    let error = Rewriter::new().strings(utf8).rewrite(b"(U\x01a U\x01\xff.").unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::UnknownOpcode, 4));
    let error = Rewriter::new().strings(utf8).rewrite(b"(U\x01aU\x01\xff.").unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::BadOperand, 4));
}

#[test]
fn a_reader_that_yields_little_at_a_time_makes_no_difference() {
    let pickle = framed(b"\x8c\x05fruit\x94\x8c\x05Apple\x94\x93\x94h\0\x86.");
    let mut rewriter = Rewriter::new().renames(Renames::parse("fruit=veg").unwrap());
    let mut out = Vec::new();
    rewriter.rewrite_pickle(BufReader::with_capacity(1, Cursor::new(&pickle)), &mut out).unwrap();
    assert_eq!(out, renamed("fruit=veg", &pickle));
    assert_eq!(rewriter.rewritten().globals, 1);
}

#[test]
fn the_result_can_be_disassembled() {
    let pickle = framed(b"\x8c\x05fruit\x94\x8c\x05Apple\x94\x93\x94h\0\x86.");
    let mut out = Vec::new();
    dis(&renamed("fruit=veg", &pickle), &mut out).unwrap();
}
