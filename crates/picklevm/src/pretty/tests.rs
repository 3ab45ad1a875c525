//! Tests of the output for single pickles.

use super::Pretty;
use crate::Unpickler;

fn pretty(pickle: &[u8], change: impl FnOnce(Pretty<'_>) -> Pretty<'_>) -> String {
    let graph = Unpickler::new().loads(pickle).expect("a pickle");
    change(graph.pretty()).to_string() + "\n"
}

fn python(pickle: &[u8]) -> String {
    pretty(pickle, |pretty| pretty)
}

fn json_unread(pickle: &[u8]) -> String {
    pretty(pickle, |pretty| pretty.json())
}

fn json(pickle: &[u8]) -> String {
    let text = json_unread(pickle);
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "not JSON: {text}");
    text
}

/// Pickles with their Python and JSON output.
#[test]
fn values_are_written_in_both_notations() {
    let table: &[(&[u8], &str, &str)] = &[
        (b"N.", "None", "null"),
        (b"\x88.", "True", "true"),
        (b"K\x07.", "7", "7"),
        (b"\x8a\x07\xff\xff\xff\xff\xff\xff\x1f.", "9007199254740991", "\t9007199254740991"),
        (b"\x8a\x07\0\0\0\0\0\0\x20.", "9007199254740992", "{\"$int\":\t\"9007199254740992\"}"),
        (b"F1\n.", "1.0", "1.0"),
        (b"F-0\n.", "-0.0", "-0.0"),
        (b"F1e16\n.", "1e+16", "1e+16"),
        (b"Finf\n.", "1e309", r#"{"$float":"inf"}"#),
        (b"Fnan\n.", "nan", r#"{"$float":"nan"}"#),
        (b"cbuiltins\ncomplex\n(F1\nF-2.5\ntR.", "(1-2.5j)", r#"{"$complex":[1.0,-2.5]}"#),
        (b"cbuiltins\ncomplex\n(F0\nF2\ntR.", "2j", r#"{"$complex":[0.0,2.0]}"#),
        (b"\x8c\x04it's.", r#""it's""#, r#""it's""#),
        (b"\x8c\x03\xed\xa0\x80.", r"'\ud800'", r#"{"$codepoints":[55296]}"#),
        (b"C\x02a\xff.", r"b'a\xff'", r#"{"$bytes":"61ff"}"#),
        (b"U\x02a\xff.", r"'a\xff'", "{\"$bytestr\":\"aÿ\"}"),
        (b"\x96\x01\0\0\0\0\0\0\0a.", "bytearray(b'a')", r#"{"$bytearray":"61"}"#),
        (b").", "()", r#"{"$tuple":[]}"#),
        (b"K\x01\x85.", "(1,)", r#"{"$tuple":[1]}"#),
        (b"K\x01K\x02\x86.", "(1, 2)", r#"{"$tuple":[1,2]}"#),
        (b"](K\x01]e.", "[1, []]", "[1,[]]"),
        (b"\x8f.", "set()", r#"{"$set":[]}"#),
        (b"\x8f(K\x01\x90.", "{1}", r#"{"$set":[1]}"#),
        (b"(\x91.", "frozenset()", r#"{"$frozenset":[]}"#),
        (b"(K\x01\x91.", "frozenset({1})", r#"{"$frozenset":[1]}"#),
        (b"}\x8c\x01kNs.", "{'k': None}", r#"{"k":null}"#),
        (b"}\x8c\x01$Ns.", "{'$': None}", r#"{"$dict":[["$",null]]}"#),
        (b"}K\x01Ns.", "{1: None}", r#"{"$dict":[[1,null]]}"#),
        (b"cm\nC.D\n.", "m:C.D", r#"{"$global":["m","C.D"]}"#),
        (b"cm m\n1\n.", "global('m m', '1')", r#"{"$global":["m m","1"]}"#),
        (b"\x82\x07.", "extension(7)", r#"{"$ext":7}"#),
        (b"Pid\n.", "persistent('id')", r#"{"$persid":"id"}"#),
    ];
    for (pickle, in_python, in_json) in table {
        assert_eq!(python(pickle).trim_end(), *in_python, "{}", pickle.escape_ascii());
        assert_eq!(json(pickle).trim_end(), *in_json, "{}", pickle.escape_ascii());
    }
}

#[test]
fn instances_are_calls_with_their_items_and_state() {
    let pickle = b"\x80\x04cm\nC\n(K\x01t}\x8c\x01kNs\x92(K\x02K\x03e\x8c\x01kK\x04s}\x8c\x01aK\x05sb.";
    assert_eq!(python(pickle), "m.C(1, **{'k': None}) with items [2, 3] with items {'k': 4} with state {'a': 5}\n");
    assert_eq!(
        json(pickle),
        concat!(
            r#"{"$object":"newobj_ex","class":{"$global":["m","C"]},"args":{"$tuple":[1]},"kwargs":{"k":null},"#,
            r#""changes":[{"append":[2,3]},{"setitem":[["k",4]]},{"build":{"a":5}}]}"#,
            "\n"
        )
    );
}

#[test]
fn a_class_that_is_not_a_name_is_in_parentheses() {
    assert_eq!(python(b"cm\nf\n)R)R."), "(m.f())()\n");
}

#[test]
fn calls_made_for_their_effect_follow_the_affected_object_or_the_root() {
    assert_eq!(python(b"cm\nC\n)Rq\x00cm\nset\nh\x00\x85R0."), "&1 m.C() by reduce with effect m.set(*1)\n");
    let dropped = b"cm\nf\n)R0N.";
    assert_eq!(python(dropped), "None with effect m.f()\n");
    assert!(json(dropped).starts_with(r#"{"$value":null,"$effects":[{"$object":"reduce""#));
}

#[test]
fn a_shared_value_has_a_label_and_is_written_once() {
    let pickle = b"](]q\x00h\x00e.";
    assert_eq!(python(pickle), "[&1 [], *1]\n");
    assert_eq!(json(pickle), "[{\"$id\":1,\"$value\":[]},{\"$ref\":1}]\n");
}

#[test]
fn a_recursive_value_refers_to_its_label() {
    assert_eq!(python(b"]q\x00(K\x01h\x00e."), "&1 [1, *1]\n");
}

#[test]
fn arguments_shared_by_two_calls_are_spread() {
    assert_eq!(python(b"](cm\nC\nK\x01\x85q\x00Rcm\nC\nh\x00Re."), "[m.C(* &1 (1,)), m.C(* *1)]\n");
}

#[test]
fn text_has_the_prefix_u_if_there_are_8_bit_strings() {
    assert_eq!(python(b"(U\x01aX\x01\0\0\0bt."), "('a', u'b')\n");
}

#[test]
fn long_values_are_split_into_indented_lines() {
    let long = format!("](X\x32\0\0\0{}}}K\x01X\x32\0\0\0{}se.", "a".repeat(50), "b".repeat(50));
    let (a, b) = ("a".repeat(50), "b".repeat(50));
    assert_eq!(python(long.as_bytes()), format!("[\n    '{a}',\n    {{1: '{b}'}},\n]\n"));
}

#[test]
fn omitted_parts_are_counted() {
    let pickle = b"](K\x01K\x02K\x03]K\x04ae.";
    assert_eq!(pretty(pickle, |pretty| pretty.max_depth(1).max_items(9)), "[1, 2, 3, [... 1 more]]\n");
    assert_eq!(pretty(pickle, |pretty| pretty.max_depth(9).max_items(2)), "[1, 2, ... 2 more]\n");
    assert_eq!(
        pretty(b"cm\nC\nK\x01\x85RNb.", |pretty| pretty.max_depth(0).max_items(9)),
        "m.C(... 1 more) by reduce with ... 1 more\n"
    );
}

#[test]
fn integers_too_long_for_python_in_decimal_are_hexadecimal() {
    let of_bytes = |count: u32| {
        let zeros = vec![0; count as usize - 1];
        python(&[&b"\x8b"[..], &count.to_le_bytes(), &zeros, b"\x90."].concat())
    };
    assert_eq!(of_bytes(1786), format!("-0x70{}\n", "00".repeat(1785)));
    assert!(of_bytes(1785).trim_start_matches('-').trim_end().bytes().all(|byte| byte.is_ascii_digit()));
}

/// Standard library objects, and expressions that create equal ones.
#[test]
fn standard_library_objects_are_written_as_python_expressions() {
    let table: &[(&[u8], &str)] = &[
        (b"cdatetime\ndate\n(C\x04\x07\xee\x01\x02tR.", "datetime.date(2030, 1, 2)"),
        (b"cdatetime\ntimedelta\n(K\x00K\x00K\x00tR.", "datetime.timedelta(0)"),
        (b"cuuid\nUUID\n)\x81}\x8c\x03intK\x05sb.", "uuid.UUID('00000000-0000-0000-0000-000000000005')"),
        (b"cpathlib._local\nPosixPath\n(\x8c\x04it'stR.", r#"pathlib.PosixPath("it's")"#),
        (b"cipaddress\nIPv4Address\n(K\x01tR.", "ipaddress.IPv4Address('0.0.0.1')"),
        (b"c__builtin__\nxrange\n(K\x00K\x03K\x01tR.", "range(0, 3)"),
        (b"\x80\x02c__builtin__\nfrozendict\n}K\x01K\x02s\x85\x81.", "frozendict({1: 2})"),
        (b"ccollections\ndeque\n)RK\x01a.", "collections.deque([1])"),
        (b"cexceptions\nKeyError\n(K\x01tR.", "KeyError(1)"),
        (b"cbuiltins\ngetattr\n(cm\nColor\n\x8c\x03REDtR.", "m.Color.RED"),
        (b"ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nobject\nNtR}b.", "m.C() with state {}"),
    ];
    for (pickle, shown) in table {
        assert_eq!(python(pickle), format!("{shown}\n"), "{}", pickle.escape_ascii());
    }
}

/// Month 13, arguments with a state, an attribute that is not a name, a long path.
#[test]
fn invalid_and_long_objects_are_written_in_raw_form() {
    let long = [b"cpathlib\nPurePosixPath\n(\x8c\xc9", &b"a".repeat(201)[..], b"tR."].concat();
    let table: &[(&[u8], &str)] = &[
        (b"cdatetime\ndate\n(C\x04\x07\xee\x0d\x02tR.", r"datetime.date(b'\x07\xee\r\x02')"),
        (b"cdatetime\ndate\n(C\x04\x07\xee\x01\x02tR}b.", r"datetime.date(b'\x07\xee\x01\x02') with state {}"),
        (b"cbuiltins\ngetattr\n(cm\nC\n\x8c\x03a()tR.", "builtins.getattr(m.C, 'a()')"),
        (&long, &format!("pathlib.PurePosixPath(\n    '{}',\n)", "a".repeat(201))),
    ];
    for (pickle, shown) in table {
        assert_eq!(python(pickle), format!("{shown}\n"), "{}", pickle.escape_ascii());
    }
}

/// Two times share a time zone object.
#[test]
fn values_shared_by_standard_library_objects_are_written_once() {
    let pickle = b"\x80\x04\x8c\x08datetime\x94h\0\x93\x94(C\x0a\x07\xee\x01\x02\0\0\0\0\0\0\x94cm\nZone\n)R\x94tRh\x01(h\x02h\x03tR\x86.";
    let first = "datetime.datetime(2030, 1, 2, 0, 0, tzinfo=&1 m.Zone())";
    let second = "datetime.datetime(2030, 1, 2, 0, 0, tzinfo=*1)";
    assert_eq!(python(pickle).split_whitespace().collect::<Vec<_>>().join(" "), format!("( {first}, {second}, )"));
}

#[test]
fn raw_form_writes_the_calls_of_the_pickle() {
    let date = b"cdatetime\ndate\n(C\x04\x07\xee\x01\x02tR.";
    assert_eq!(pretty(date, |pretty| pretty.raw()), "datetime.date(b'\\x07\\xee\\x01\\x02')\n");
}

/// Thirty nested pairs, each of the previous one twice: a billion paths.
#[test]
fn shared_values_are_written_once_by_display_and_debug() {
    let pickle = [&b"\x80\x02)"[..], &b"2\x86".repeat(30), b"."].concat();
    let graph = Unpickler::new().loads(&pickle).expect("a pickle");
    for text in [graph.root().to_string(), format!("{:?}", graph.root()), format!("{graph:#?}")] {
        assert!(text.len() < 4000, "{} characters", text.len());
        assert!(text.contains("*1"), "{text}");
    }
}

#[test]
fn debug_abbreviates_large_values() {
    let numbers = crate::Graph::from((0..10_000).collect::<Vec<_>>());
    let text = format!("{numbers:?}");
    assert!(text.starts_with("[0, 1, 2, ") && text.ends_with(" more]"), "{text}");
    assert!(text.len() < 2000, "{} characters", text.len());
    assert_eq!(crate::Graph::from("x".repeat(1000)).root().to_string().len(), 1002);
    let text = format!("{:?}", crate::Graph::from("x".repeat(1000)));
    assert_eq!(text, format!("'{}'... 800 more bytes", "x".repeat(200)));
}

#[test]
fn alternate_debug_is_on_several_lines() {
    let graph = crate::value!({"a": ["x".repeat(60), "y".repeat(60)]});
    let (x, y) = ("x".repeat(60), "y".repeat(60));
    assert_eq!(format!("{graph:?}"), format!("{{'a': ['{x}', '{y}']}}"));
    assert_eq!(format!("{graph:#?}"), format!("{{\n    'a': [\n        '{x}',\n        '{y}',\n    ],\n}}"));
    assert_eq!(format!("{:#}", graph.root()), format!("{graph:#?}"));
}

#[test]
fn long_payloads_are_cut_in_both_notations() {
    let cut = |pickle: &[u8]| {
        [pretty(pickle, |pretty| pretty.max_bytes(3)), pretty(pickle, |pretty| pretty.json().max_bytes(3))]
            .map(|text| text.trim_end().to_owned())
    };
    let table: &[(&[u8], &str, &str)] = &[
        (b"C\x05abcde.", "b'abc'... 2 more bytes", r#"{"$bytes":"616263","$more":2}"#),
        (b"U\x05abcde.", "'abc'... 2 more bytes", r#"{"$bytestr":"abc","$more":2}"#),
        (b"\x8c\x05abcde.", "'abc'... 2 more bytes", r#"{"$str":"abc","$more":2}"#),
        // Two bytes per character.
        (b"\x8c\x06\xc3\xa9\xc3\xa9\xc3\xa9.", "'é'... 4 more bytes", r#"{"$str":"é","$more":4}"#),
        (b"cm\nabcde\n.", "global('m', 'abc'... 2 more bytes)", r#"{"$global":["m",{"$str":"abc","$more":2}]}"#),
    ];
    for (pickle, in_python, in_json) in table {
        assert_eq!(cut(pickle), [*in_python, *in_json], "{}", pickle.escape_ascii());
    }
}

/// A million levels of each kind of nesting.
#[test]
fn a_million_levels_are_printed_on_a_small_stack() {
    const LEVELS: usize = 1_000_000;
    let shapes = [
        [b"]".repeat(LEVELS), b"a".repeat(LEVELS - 1)].concat(),
        [b")".to_vec(), b"\x85".repeat(LEVELS)].concat(),
        [b"}K\x00".repeat(LEVELS), b"N".to_vec(), b"s".repeat(LEVELS)].concat(),
        [b"cm\nC\n)\x81".repeat(LEVELS), b"N".to_vec(), b"b".repeat(LEVELS)].concat(),
        [b"cm\nC\n".repeat(LEVELS), b")".to_vec(), b"R\x85".repeat(LEVELS)].concat(),
        [b"cm\nC\n".to_vec(), b")R".repeat(LEVELS)].concat(),
    ];
    let run = move || {
        for mut pickle in shapes {
            pickle.push(b'.');
            assert!(python(&pickle).contains(" more"));
            assert!(json_unread(&pickle).len() > LEVELS);
        }
    };
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(run).expect("a thread");
    thread.join().expect("no overflow");
}

#[test]
fn brackets_without_parts_stay_on_one_line() {
    let graph = crate::literal::parse("[app.P() with items [1, 2, 3] with state {}, {}]").unwrap();
    for width in 1..60 {
        let text = graph.root().pretty().width(width).to_string();
        assert!(text.contains("{}"), "{text}");
        assert_eq!(crate::literal::parse(&text).unwrap().root().to_string(), graph.root().to_string(), "{text}");
    }
}
