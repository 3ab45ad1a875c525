//! Calls of Python's types are read as what Python makes of them, and those of others are errors that name the class.

use std::collections::BTreeMap;

use picklevm::serde::{Instance, from_slice};
use serde::Deserialize;

use super::json;

/// Pickles by CPython 3.13 at protocol 2, in short.
#[test]
fn what_has_a_view_is_read_as_that() {
    let slice = b"cbuiltins\nslice\n(K\x01NK\x02tR.";
    assert_eq!(from_slice::<(u8, Option<u8>, u8)>(slice).expect("its parts"), (1, None, 2));
    assert_eq!(json(slice), Ok(serde_json::json!({"start": 1, "stop": null, "step": 2})));
    #[derive(Deserialize)]
    struct Slice {
        start: Option<u8>,
        stop: Option<u8>,
    }
    let parts: Slice = from_slice(b"cbuiltins\nslice\n(K\x03tR.").expect("a struct");
    assert_eq!((parts.start, parts.stop), (None, Some(3)));

    let zone = b"cbuiltins\ngetattr\n(czoneinfo\nZoneInfo\nX\x09\0\0\0_unpickletR(X\x0d\0\0\0Europe/BerlinK\x01tR.";
    assert_eq!(from_slice::<String>(zone).expect("read"), "Europe/Berlin");
    assert_eq!(json(zone), Ok(serde_json::json!("Europe/Berlin")));

    let fraction = b"cfractions\nFraction\n(X\x04\0\0\0-3/4tR.";
    assert_eq!(json(fraction), Ok(serde_json::json!("-3/4")));
    assert_eq!(from_slice::<String>(fraction).expect("read"), "-3/4");
    assert_eq!(from_slice::<f64>(fraction).expect("read"), -0.75);
    assert_eq!(from_slice::<(i8, u8)>(fraction).expect("read"), (-3, 4));
    assert_eq!(from_slice::<f64>(b"cfractions\nFraction\n(K\x01K\x04tR.").expect("read"), 0.25);

    assert_eq!(json(b"cdecimal\nDecimal\n(cdecimal\nDecimal\n(X\x03\0\0\x001.5tRtR."), Ok(serde_json::json!("1.5")));
    assert_eq!(json(b"cipaddress\nIPv4Network\n(X\x0a\0\0\x0010.0.0.0/8tR."), Ok(serde_json::json!("10.0.0.0/8")));
    let pattern = b"cre\n_compile\n(X\x01\0\0\0aK\x22tR.";
    assert_eq!(json(pattern), Ok(serde_json::json!({"pattern": "a", "flags": 34})));
    let partial = b"cfunctools\npartial\n(cbuiltins\nint\ntR(cbuiltins\nint\n(X\x02\0\0\0fft}X\x04\0\0\0baseK\x10sNtb.";
    let expected = serde_json::json!({"function": "builtins.int", "args": ["ff"], "keywords": {"base": 16}});
    assert_eq!(json(partial), Ok(expected));
}

/// Each was read as one of its parts.
#[test]
fn an_instance_that_is_neither_attributes_nor_known_data_is_an_error_that_names_the_class() {
    #[derive(Deserialize, Debug)]
    #[allow(dead_code)]
    struct One {
        x: serde_json::Value,
    }
    let any = |pickle: &[u8]| json(pickle).expect_err("no data");
    for (pickle, class) in [
        // C(5), C([1]) and C({'a': 1}), by REDUCE.
        (&b"\x80\x02cshop\nC\nK\x05\x85R."[..], "shop.C"),
        (b"\x80\x02cshop\nC\n]K\x01a\x85R.", "shop.C"),
        (b"\x80\x02cshop\nC\n}X\x01\0\0\0aK\x01s\x85R.", "shop.C"),
        // The method `run` of an instance.
        (b"\x80\x02cbuiltins\ngetattr\ncshop\nC\n)\x81X\x03\0\0\0run\x86R.", "builtins.getattr"),
        // The class method `C.run`.
        (b"\x80\x02cbuiltins\ngetattr\ncshop\nC\nX\x03\0\0\0run\x86R.", "builtins.getattr"),
        // A text, a list and a dict with an attribute, and a text with two arguments.
        (b"\x80\x02cshop\nText\nX\x03\0\0\0abc\x85\x81}X\x01\0\0\0aK\x01sb.", "shop.Text"),
        (b"\x80\x02cshop\nList\n)\x81K\x01a}X\x01\0\0\0aK\x01sb.", "shop.List"),
        (b"\x80\x02cshop\nDict\n)\x81K\x01K\x02s}X\x01\0\0\0aK\x01sb.", "shop.Dict"),
        (b"\x80\x02ccollections\nOrderedDict\n)RK\x01K\x02s}X\x01\0\0\0aK\x01sb.", "collections.OrderedDict"),
    ] {
        let error = any(pickle);
        assert!(error.contains(&format!("an instance of {class}")), "{}: {error}", pickle.escape_ascii());
    }
    // Nor is the argument a sequence, a field or a name.
    let call = b"\x80\x02cshop\nC\nK\x05\x85R.";
    let method = b"\x80\x02cbuiltins\ngetattr\ncshop\nC\n)\x81X\x03\0\0\0run\x86R.";
    for error in [
        from_slice::<Vec<u8>>(call).expect_err("no items").to_string(),
        from_slice::<One>(call).expect_err("no fields").to_string(),
    ] {
        assert!(error.contains("an instance of shop.C"), "{error}");
    }
    for error in [
        from_slice::<Vec<serde_json::Value>>(method).map(drop).expect_err("no items"),
        from_slice::<String>(method).map(drop).expect_err("no text"),
        from_slice::<One>(method).map(drop).expect_err("no fields"),
        from_slice::<BTreeMap<String, serde_json::Value>>(method).map(drop).expect_err("no attributes"),
    ] {
        assert!(error.to_string().contains("an instance of builtins.getattr"), "{error}");
    }
    // What the type asks for is read.
    let text = b"\x80\x02cshop\nText\nX\x03\0\0\0abc\x85\x81}X\x01\0\0\0xK\x01sb.";
    assert_eq!(from_slice::<String>(text).expect("read"), "abc");
    assert_eq!(from_slice::<One>(text).expect("the attribute").x, 1);
    let whole: Instance<One, (String,)> = from_slice(text).expect("all of it");
    assert_eq!((&*whole.args.0, whole.state.x), ("abc", serde_json::json!(1)));
}

#[test]
fn a_container_filled_by_a_call_is_read_as_what_python_makes_of_it() {
    for (pickle, expected) in [
        (&b"ccollections\ndeque\n(Vabc\ntR."[..], r#"["a", "b", "c"]"#),
        (b"ccollections\ndeque\n((lI1\naI2\naI3\naI2\ntR.", "[2, 3]"),
        (b"ccollections\ndeque\n((dI1\nNstR.", "[1]"),
        (b"ccollections\nCounter\n(Vabba\ntR.", r#"{"a": 2, "b": 2}"#),
        (b"ccollections\nCounter\n((lVx\naVx\natR.", r#"{"x": 2}"#),
        (b"\x80\x04ccollections\nOrderedDict\n(](K\x01K\x02\x86K\x01K\x03\x86et}\x8c\x01aK\x05s\x92.", "{}"),
        (b"ccollections\nOrderedDict\n(((Va\nI2\nt(Va\nI3\ntttR.", r#"{"a": 3}"#),
        (b"ccollections\ndefaultdict\n(N(dVa\nI1\nstR.", r#"{"a": 1}"#),
        (b"\x80\x04cfunctools\npartial\nctypes\nSimpleNamespace\n\x85R(ctypes\nSimpleNamespace\n)}\x8c\x01aK\x01sNtb)R.", r#"{"a": 1}"#),
        (b"\x80\x04cfunctools\npartial\nccollections\nOrderedDict\n\x85R(ccollections\nOrderedDict\n)}\x8c\x01aK\x01sNtb)R.", r#"{"a": 1}"#),
        (b"\x80\x04cfunctools\npartial\nccollections\ndeque\n(lI1\naI2\na\x86RK\x01\x85R.", "[2]"),
        (b"\x80\x04cfunctools\npartial\ncdatetime\ndate\nM\xee\x07\x86RK\x01K\x02\x86R.", r#""2030-01-02""#),
    ] {
        let expected: serde_json::Value = serde_json::from_str(expected).expect("JSON");
        assert_eq!(json(pickle), Ok(expected), "{}", pickle.escape_ascii());
    }
}

/// `bytes(100000000000)` is not the integer, and `deque(5)` is nothing.
#[test]
fn a_call_that_python_refuses_or_that_is_too_large_is_an_error_and_not_its_argument() {
    for pickle in [
        &b"c__builtin__\nbytes\n(I100000000000\ntR."[..],
        b"ccollections\ndeque\n(I5\ntR.",
        b"ccollections\nCounter\n((l(laatR.",
        b"ccollections\nOrderedDict\n(Vabc\ntR.",
    ] {
        assert!(json(pickle).is_err(), "{}: {:?}", pickle.escape_ascii(), json(pickle));
    }
}
