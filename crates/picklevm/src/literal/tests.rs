//! What is printed is read back.

use super::{Strings, from_json, parse};
use crate::graph::Graph;
use crate::{Protocol, loads, same_graph};

/// Reads a text and writes it again.
fn again(text: &str) -> String {
    parse(text).map_or_else(|error| error.to_string(), |graph| graph.pretty().one_line().full().to_string())
}

#[track_caller]
fn is_fixed(text: &str) {
    assert_eq!(again(text), text);
}

#[test]
fn plain_data_are_read_as_python_reads_them() {
    is_fixed(
        "[None, True, False, 1, -5, 1.5, -0.0, 1e309, -1e309, nan, 1e+16, 'a', b'b', (), (1,), (1, 2), {}, {'a': 1}]",
    );
    is_fixed("{1, 2}");
    is_fixed("[set(), frozenset(), frozenset({1}), bytearray(b'x'), (1-2.5j), 2j, (-0-0j), (nan+1e309j)]");
    assert_eq!(
        again(r#"["a\n\x41\u20ac\U0001F600\101", r'\n', '''x'y''', 0x10, 1_000, 0b11, 0o17, .5, 1., 1e3]"#),
        r#"['a\nA€😀A', '\\n', "x'y", 16, 1000, 3, 15, 0.5, 1.0, 1000.0]"#
    );
    assert_eq!(again("  [ 1 , 2 , ] "), "[1, 2]");
    assert_eq!(again("((1))"), "1");
}

#[test]
fn names_instances_and_their_parts_are_read() {
    is_fixed(
        "[app.User, PIL.Image:Image, app:Outer.Inner, app.Color.RED, global('a b', 'c'), extension(7), persistent(('x', 1))]",
    );
    is_fixed("app.User() with items [1] with items {'a': 1} with state {'id': 1}");
    is_fixed("app.User(1, 2) by reduce with members {1, 2} with state (app.B() with state 5)");
    is_fixed("[app.Empty() by newobj, app.Point(1, 2), app.Color(1), app.make() with items [1]]");
    is_fixed("app.User(1, **{'k': 2})");
    is_fixed("app.C() by inst with state {'x': &1 [1], 'y': *1}");
    is_fixed("[m.f(* &1 (1, 2)), *1]");
    is_fixed("(persistent('class'))(1)");
    is_fixed("&1 app.A() with effect app.set(*1, 5)");
    is_fixed("[1] with effect app.f()");
    is_fixed("(builtins.list).append");
}

#[test]
fn below_protocol_2_an_instance_is_a_call_of_reconstructor() {
    for (pickle, text) in [
        (&b"ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nobject\nNtR."[..], "m.C() by newobj"),
        (b"ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nobject\nNtR(dVx\nI1\nsb.", "m.C() with state {'x': 1}"),
        (b"ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\ntuple\n(I1\nttR(db.", "m.C(1) with state {}"),
    ] {
        let expected = loads(pickle).unwrap();
        assert_eq!(expected.pretty().one_line().to_string(), text);
        let mut graph = loads(b"N.").unwrap();
        let id = graph.add_literal(text, Strings::Text).unwrap();
        graph.set_root(id);
        assert!(same_graph(graph.root(), expected.root()), "{text}");
    }
}

#[test]
fn shared_and_recursive_values_are_read() {
    for text in [
        "&1 [1, *1]",
        "&1 ([*1],)",
        "[&1 [], *1, &2 {'a': *1, 'b': *2}]",
        "&1 {'me': *1}",
        "&1 app.A() with state {'me': *1}",
    ] {
        is_fixed(text);
    }
    let graph = parse("&1 ([*1], {2: *1})").unwrap();
    assert!(graph.root().at(0).at(0).is(graph.root()) && graph.root().at(1).at(2).is(graph.root()));
}

#[test]
fn objects_of_the_standard_library_become_what_python_pickles() {
    for text in [
        "datetime.date(2030, 1, 2)",
        "datetime.time(1, 2, 3, 4, fold=1)",
        "[&1 datetime.timezone.utc, datetime.datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=*1)]",
        "datetime.datetime(2030, 1, 2, 3, 4, tzinfo=datetime.timezone(datetime.timedelta(seconds=3600), 'CET'))",
        "datetime.timedelta(days=-1, seconds=5)",
        "decimal.Decimal('1.50')",
        "uuid.UUID('00000000-0000-0000-0000-000000000005')",
        "uuid.UUID('00000000-0000-0000-0000-000000000005', is_safe=uuid.SafeUUID.safe)",
        "ipaddress.IPv4Address('10.0.0.1')",
        "pathlib.PurePosixPath('a/b')",
        "array.array('i', [1, 2])",
        "range(0, 5)",
        "slice(None, 1, None)",
        "re.compile('a+', 34)",
        "zoneinfo.ZoneInfo('Europe/Berlin')",
        "zoneinfo.ZoneInfo.no_cache('Europe/Berlin')",
        "collections.OrderedDict({'b': 1, 'a': 2})",
        "collections.OrderedDict()",
        "collections.defaultdict(builtins.list, {'a': [1]})",
        "collections.deque([1, 2], maxlen=3)",
        "collections.Counter({'a': 2})",
        "functools.partial(builtins.print, *(1,), **{'sep': ''})",
        "types.SimpleNamespace(**{'a': 1})",
        "ValueError('no') with state {'x': 1}",
        "fractions.Fraction('1/3')",
    ] {
        is_fixed(text);
        let graph = parse(text).unwrap();
        let pickle = crate::Pickler::new().protocol(Protocol::V4).dumps(graph.root()).unwrap();
        assert_eq!(loads(pickle).unwrap().pretty().one_line().to_string(), text);
    }
    assert_eq!(again("datetime.timedelta(hours=1)"), "datetime.timedelta(seconds=3600)");
    assert_eq!(again("functools.partial(print, 1, sep='')"), "functools.partial(builtins.print, *(1,), **{'sep': ''})");
    let date = parse("datetime.date(2030, 1, 2)").unwrap();
    assert_eq!(date.root().pretty().raw().to_string(), r"datetime.date(b'\x07\xee\x01\x02')");
}

#[test]
fn a_frozendict_is_made_as_python_pickles_it() {
    let graph = parse("frozendict({'a': 1})").unwrap();
    let object = graph.root().as_object().expect("an object");
    assert_eq!(object.construction(), crate::Construction::NewObj);
    assert_eq!(graph.pretty().to_string(), "frozendict({'a': 1})");
}

#[test]
fn the_raw_form_is_read_back_as_the_same_graph() {
    let text = r"[datetime.date(b'\x07\xee\x01\x02'), collections.OrderedDict() with items {'a': 1}]";
    let graph = parse(text).unwrap();
    assert_eq!(graph.pretty().raw().one_line().to_string(), text);
}

#[test]
fn what_is_called_on_lines_of_its_own_is_no_tuple() {
    let text = format!(
        "(functools.partial(m.f) with state (m.f, ('{}', '{}'), {{}}, None))()",
        "a".repeat(60),
        "b".repeat(60)
    );
    let graph = parse(&text).unwrap();
    let shown = graph.pretty().raw().to_string();
    assert!(shown.lines().count() > 3, "{shown}");
    assert!(same_graph(parse(&shown).unwrap().root(), graph.root()), "{shown}");
}

#[test]
fn strings_of_python_2_are_told_by_those_with_a_prefix() {
    is_fixed(r"['\xe9', u'é']");
    assert_eq!(again("['a']"), "['a']");
    let mut graph = Graph::new();
    let id = graph.add_literal("'a'", Strings::Bytes).unwrap();
    assert!(matches!(graph.value(id).kind(), crate::Kind::ByteStr(b"a")));
}

#[test]
fn errors_tell_where_and_what() {
    for (text, error) in [
        ("", "offset 0: expected a value, found the end"),
        ("[1, 2", "offset 5: expected `,` or `]`, found the end"),
        (
            "[1, ... 3 more]",
            "offset 4: expected a value, found `...`: this text was cut off (`picklevm show --full` is not)",
        ),
        ("{1: 2, 3}", "offset 8: expected `:`, found `}`"),
        ("nope", "offset 0: expected a value, or the full name of a class or function (`module.Name`), found `nope`"),
        ("'abc", "offset 0: expected a string that ends with ', found `'abc`"),
        ("*1", "expected a value labelled &1, found no value with this label"),
        ("{[]: 1}", "expected a key that Python can hash, found a value of type list"),
        ("1 2", "offset 2: expected the end, found `2`"),
        ("5 with state 1", "offset 1: expected the end of a value that takes no items and no state, found `with`"),
    ] {
        assert_eq!(again(text), error, "{text}");
    }
}

#[test]
fn deep_text_is_read_without_recursion() {
    let text = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(again(&text).len(), text.len());
    let json = format!("{}{}", "{\"a\":[".repeat(50_000), "]}".repeat(50_000));
    assert_eq!(from_json(&json).unwrap().pretty().json().to_string(), json);
}

#[test]
fn tagged_json_is_read_back_as_the_same_graph() {
    for text in [
        "[None, True, 1, 9007199254740993, 1.5, nan, -1e309, (1-2j), 'a', b'\\xff', bytearray(b'x'), (1,), {1}, frozenset({1}), {1: 2}, {'$a': 1}]",
        "app.User(1, **{'k': 2}) with items [1] with items {'a': 1} with members {3} with state {'id': 1}",
        "&1 [*1, persistent(5), extension(7), m.C, '\\ud800']",
        "[1] with effect app.f()",
        "['a', u'b', app.C() by inst with state {}]",
    ] {
        let graph = parse(text).unwrap();
        let json = graph.pretty().json().to_string();
        let read = from_json(&json).unwrap();
        assert!(same_graph(read.root(), graph.root()), "{json}");
        assert_eq!(read.pretty().json().to_string(), json);
    }
}

#[test]
fn tagged_json_keeps_which_strings_are_the_same() {
    // 'ab' three times: one, the same again, another, then the first again.
    let pickle = b"\x80\x04](\x8c\x02ab\x94h\x00\x8c\x02ab\x94h\x00h\x01e.".to_vec();
    let graph = loads(&pickle).unwrap();
    let json = graph.pretty().json().to_string();
    assert_eq!(json, "[\"ab\", \"ab\",\"ab\",\t\"ab\", \"ab\"]");
    let read = from_json(&json).unwrap();
    let items: Vec<_> = read.root().items().collect();
    assert!(items[0].is(items[1]) && !items[0].is(items[2]) && items[0].is(items[3]) && items[2].is(items[4]));
}

#[test]
fn tagged_json_keeps_the_longs_of_python_2() {
    // [1, 1L, 1 << 60, long(1 << 60)] by cPickle.
    let pickle = b"\x80\x02](K\x01\x8a\x01\x01I1152921504606846976\n\x8a\x08\0\0\0\0\0\0\0\x10e.";
    let graph = loads(pickle).unwrap();
    let json = graph.pretty().json().to_string();
    assert_eq!(json, "[1,\t1,{\"$int\":\"1152921504606846976\"},{\"$int\":\t\"1152921504606846976\"}]\t\t");
    let writer = crate::Pickler::new().protocol(crate::Protocol::V2).writer("2.7-py".parse().unwrap());
    let again = |graph: &crate::Graph| writer.dumps(graph.root()).unwrap();
    assert_eq!(again(&from_json(&json).unwrap()), again(&graph));
}

#[test]
fn tagged_json_keeps_what_cpickle_left_out_of_its_memo() {
    let writer = crate::Pickler::new().protocol(crate::Protocol::V2).writer("2.7-c".parse().unwrap());
    let again = |json: &str| writer.dumps(from_json(json).unwrap().root()).unwrap();
    // [[1.5, 'pq'], (2, 'rs'), 'abcd', {'k1': 'abcd', 'name': 'vw'}, 'abcd'], of which 'name' and 'abcd' have other references.
    let pickle =
        b"\x80\x02]q\x01(]q\x02(G?\xf8\x00\x00\x00\x00\x00\x00U\x02pqq\x03eK\x02U\x02rs\x86q\x04U\x04abcdq\x05}q\x06\
        (U\x02k1h\x05U\x04nameq\x07U\x02vwuh\x05e.";
    let json = loads(pickle).unwrap().pretty().json().to_string();
    let start = "[[1.5,{\"$bytestr\":\"pq\"}],{\"$tuple\":[2,{\"$bytestr\":\"rs\"} ]},";
    assert!(json.starts_with(start) && json.ends_with("]\t"), "{json}");
    assert_eq!(again(&json), pickle);
    // Nothing has a PUT.
    let pickle = b"\x80\x02](U\x02ab}X\x01\0\0\0cU\x02des]e.";
    let json = loads(pickle).unwrap().pretty().json().to_string();
    assert_eq!(json, "[{\"$bytestr\":\"ab\"},{\"c\":{\"$bytestr\":\"de\"}},[]]\t\t");
    assert_eq!(again(&json), pickle);
    // What a formatter makes of it is read too; the memo is then that of values made by a program.
    assert_eq!(from_json("[ 1 , { \"a\" : \"b\" } ]  ").unwrap().root().to_string(), "[1, {'a': 'b'}]");
}

#[test]
fn members_of_a_flag_are_joined_in_parentheses() {
    let graph = parse("[&1 (re.RegexFlag.I | re.RegexFlag.M), (*1 | re.RegexFlag.S), (1)]").unwrap();
    assert_eq!(graph.root().to_string(), "[&1 (re.RegexFlag.I | re.RegexFlag.M), (*1 | re.RegexFlag.S), 1]");
    let view = graph.root().at(1).view::<crate::typed::EnumMember<'_>>().unwrap();
    assert!(matches!(view.member(), crate::typed::Member::Names(names) if names.to_string() == "I|M|S"));
    // Members of two classes, and other values, are calls.
    let other = parse("(re.RegexFlag.I | app.Perm.R)").unwrap();
    assert_eq!(other.root().to_string(), "_operator.or_(re.RegexFlag.I, app.Perm.R)");
    assert!(parse("(1 | 2").is_err() && parse("1 | 2").is_err());
}

#[test]
fn json_that_is_broken_is_an_error_with_its_place() {
    for (json, error) in [
        ("[1,]", "offset 3: expected a value of JSON, found `]`"),
        ("{\"a\" 1}", "offset 5: expected `:`, found `1}`"),
        ("{\"$nope\":1}", "offset 0: expected a tag that docs/cli.md names, with its members, found $nope"),
        ("[{\"$bytes\":\"0g\"}]", "offset 1: expected bytes in hexadecimal, found 0g"),
        ("\"\\ud800\"", "offset 7: expected a pair of surrogates before (`$codepoints` can hold others), found `\"`"),
        ("[1] 2", "offset 4: expected the end, found more"),
    ] {
        assert_eq!(from_json(json).unwrap_err().to_string(), error, "{json}");
    }
}
