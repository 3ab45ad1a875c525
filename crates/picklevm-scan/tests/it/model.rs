//! The abstract interpreter: what a value may be follows it whichever way a pickle hands it on.

use crate::support::{list, name, text, tuple};
use picklevm_scan::{Scanner, Verdict};

fn call(function: &str, args: &[&[u8]]) -> Vec<u8> {
    [&name(function)[..], &tuple(args), b"R"].concat()
}

fn verdict(body: &[u8]) -> Verdict {
    Scanner::new().scan([b"\x80\x04", body, b"."].concat()).verdict
}

/// Every way to call something on one argument.
fn calls(function: &str, arg: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let this = name(function);
    vec![
        ("REDUCE", call(function, &[arg])),
        ("NEWOBJ", [&this[..], &tuple(&[arg]), b"\x81"].concat()),
        ("NEWOBJ_EX", [&this[..], &tuple(&[arg]), b"}\x92"].concat()),
        ("OBJ", [b"(", &this[..], arg, b"o"].concat()),
        ("__newobj__", call("copyreg.__newobj__", &[&this, arg])),
        ("__newobj_ex__", call("copyreg.__newobj_ex__", &[&this, &tuple(&[arg]), b"}"])),
        ("_reconstructor", call("copyreg._reconstructor", &[&this, &this, arg])),
        ("partial", [&call("functools.partial", &[&this, arg])[..], b")R"].concat()),
    ]
}

/// Iterators that call something or never end, and containers of them.
fn iterators() -> Vec<(&'static str, Vec<u8>)> {
    let print = name("builtins.print");
    let (repeat, count) = (call("itertools.repeat", &[b"K\0"]), call("itertools.count", &[]));
    let mapped = call("copyreg.__newobj__", &[&name("builtins.map"), &name("builtins.getattr"), b"]"]);
    let huge = b"\x8a\x06\0\0\0\0\0\x01";
    let keyed = [&name("itertools.accumulate")[..], b"]\x85}X\x04\0\0\0func", &print, b"s\x92"].concat();
    vec![
        ("map", mapped.clone()),
        ("a list of map", list(&[&mapped])),
        ("repeat", repeat.clone()),
        ("a list of repeat", list(&[&repeat])),
        ("a tuple of lists of count", tuple(&[&list(&[&count])])),
        ("cycle", call("itertools.cycle", &[b"]K\0a"])),
        ("enumerate of count", call("builtins.enumerate", &[&count])),
        ("chain", call("itertools.chain", &[b"]", &repeat])),
        ("islice", call("itertools.islice", &[&count, huge])),
        ("a huge range", call("builtins.range", &[huge])),
        ("an iterator that calls", call("builtins.iter", &[&print, b"K\0"])),
        ("accumulate by keyword", keyed),
        ("product of repeat", call("itertools.product", &[&repeat])),
    ]
}

#[test]
fn nothing_goes_through_an_iterator_that_calls_or_never_ends() {
    let mut safe = Vec::new();
    for consumer in [
        "builtins.list",
        "builtins.tuple",
        "builtins.set",
        "builtins.frozenset",
        "builtins.dict",
        "builtins.frozendict",
        "builtins.bytes",
        "builtins.bytearray",
        "collections.OrderedDict",
        "collections.Counter",
        "collections.deque",
        "collections.UserList",
        "collections.ChainMap",
        "time.struct_time",
        "os.stat_result",
        "itertools.permutations",
    ] {
        for (what, iterator) in iterators() {
            for (how, pickle) in calls(consumer, &iterator) {
                if verdict(&pickle) == Verdict::Safe {
                    safe.push(format!("{consumer} of {what} by {how}"));
                }
            }
        }
    }
    assert!(safe.is_empty(), "{}", safe.join("\n"));
}

#[test]
fn what_holds_no_function_is_gone_through() {
    for pickle in [
        call("builtins.list", &[b"]K\0a"]),
        call("builtins.set", &[&list(&[&call("datetime.date", &[b"C\x04\x07\xe4\x01\x01"])])]),
        call("collections.OrderedDict", &[&list(&[&list(&[&text("a"), b"]"])])]),
        call("builtins.list", &[&call("builtins.range", &[b"K\x05"])]),
        [&call("functools.partial", &[&name("builtins.dict"), b"}"])[..], b")R"].concat(),
    ] {
        assert_eq!(verdict(&pickle), Verdict::Safe, "{}", pickle.escape_ascii());
    }
}

#[test]
fn work_that_is_much_more_than_the_pickle_is_suspicious() {
    let long = text(&"9".repeat(100_000));
    let power = call("builtins.pow", &[b"K\x0a", b"J\0\0\0\x7f"]);
    let wide = text(&"[\u{0}-\u{10ffff}]".repeat(100));
    let range = [&call("builtins.range", &[b"J\0\0\x0f\0"])[..], b"\x940"].concat();
    let again = [&range[..], b"](", &[&name("builtins.list")[..], b"h\0\x85R"].concat().repeat(2000), b"e"].concat();
    for (what, pickle) in [
        ("round", call("builtins.round", &[b"K\x05", b"J\0\0\0\xff"])),
        ("pow", power),
        ("int of text", call("builtins.int", &[&long])),
        ("Fraction", call("fractions.Fraction", &[&text("1e999999999")])),
        ("int of Decimal", call("builtins.int", &[&call("decimal.Decimal", &[&text("1e999999999")])])),
        ("re", call("re.compile", &[&wide])),
        ("a range again and again", again),
        (
            "an empty array",
            call("numpy._core.multiarray._reconstruct", &[&name("numpy.ndarray"), b"J\0\0\0\x7f\x85", b"C\x01d"]),
        ),
    ] {
        assert_ne!(verdict(&pickle), Verdict::Safe, "{what}");
    }
}

/// An array with a type whose state is this, and these data.
fn array(code: &str, state: &[&[u8]], data: &[u8]) -> Vec<u8> {
    let dtype = [&call("numpy.dtype", &[&text(code), b"\x89", b"\x88"])[..], &tuple(state), b"b"].concat();
    let empty = call("numpy._core.multiarray._reconstruct", &[&name("numpy.ndarray"), b"K\0\x85", b"C\x01b"]);
    [&empty[..], &tuple(&[b"K\x01", b"K\x02\x85", &dtype, b"\x89", data]), b"b"].concat()
}

/// What is shared so often that going through it never ends in practice, in lists, in tuples, and in lists that are filled from the outside in.
fn shared_without_end() -> Vec<(&'static str, Vec<u8>)> {
    let inside_out = |around: &dyn Fn(&[u8]) -> Vec<u8>| {
        (0..40).fold(b"K\0\x940".to_vec(), |all, n| [&all[..], &around(&[b'h', n]), b"\x940"].concat())
    };
    let outside_in: Vec<u8> = (0..40).flat_map(|_| *b"]\x940").collect();
    let outside_in = (0..39u8).fold(outside_in, |all, n| {
        let inner = [b'h', n + 1];
        [&all[..], b"h", &[n], b"(", &inner, &inner, b"e0"].concat()
    });
    vec![
        ("lists", [&inside_out(&|inner| list(&[inner, inner]))[..], b"h\x28"].concat()),
        ("tuples", [&inside_out(&|inner| tuple(&[inner, inner]))[..], b"h\x28"].concat()),
        ("dicts", [&inside_out(&|inner| [b"}(K\0", inner, b"K\x01", inner, b"u"].concat())[..], b"h\x28"].concat()),
        ("lists filled later", [&outside_in[..], b"h\0"].concat()),
    ]
}

#[test]
fn what_is_shared_without_end_goes_into_no_call_and_no_state() {
    for (what, shared) in shared_without_end() {
        // An enum shows what it does not have; scikit-learn shows the version of a state that is not its own.
        let call = [&shared[..], b"\x9a0", &name("http.HTTPStatus"), b"h\xff\x85R"].concat();
        let call = replace_memo(&call);
        assert_ne!(verdict(&call), Verdict::Safe, "{what} in a call");
        let state = [&shared[..], b"\x9a0", &name("sklearn.linear_model._base.LinearRegression"), b")\x81}"].concat();
        let state = replace_memo(&[&state[..], &text("_sklearn_version"), b"h\xffsb"].concat());
        assert_ne!(verdict(&state), Verdict::Safe, "{what} in a state");
        assert_eq!(verdict(&shared), Verdict::Safe, "{what} alone is data");
    }
}

/// Puts the value on top into the memo as number 255, where `0x9a` stands.
fn replace_memo(pickle: &[u8]) -> Vec<u8> {
    let at = pickle.iter().position(|&byte| byte == 0x9a).unwrap();
    [&pickle[..at], b"q\xff", &pickle[at + 1..]].concat()
}

#[test]
fn a_number_that_a_call_takes_memory_for_is_not_great() {
    let great = &b"J\0\xca\x9a\x3b"[..];
    let pair = list(&[b"K\0", b"K\x01"]);
    let repeat = [&text("repeat")[..], great].concat();
    for (what, pickle) in [
        ("product", [&name("itertools.product")[..], &tuple(&[&pair]), b"}", &repeat, b"s\x92"].concat()),
        ("permutations", call("itertools.permutations", &[b")", great])),
        ("combinations", call("itertools.combinations", &[b")", great])),
        ("combinations_with_replacement", call("itertools.combinations_with_replacement", &[&pair, great])),
        ("batched", call("builtins.list", &[&call("itertools.batched", &[&pair, great])])),
    ] {
        assert_ne!(verdict(&pickle), Verdict::Safe, "{what}");
    }
    assert_eq!(verdict(&call("itertools.permutations", &[&pair, b"K\x02"])), Verdict::Safe);
}

#[test]
fn a_range_of_addresses_or_rows_is_gone_through_by_nothing() {
    let network = call("ipaddress.IPv4Network", &[&text("0.0.0.0/0")]);
    let start = [&text("start")[..], b"K\0", &text("stop"), b"J\0\xca\x9a\x3b", &text("step"), b"K\x01"].concat();
    let class = name("pandas.core.indexes.range.RangeIndex");
    let rows = call("pandas.core.indexes.base._new_Index", &[&class, &[b"}(", &start[..], b"u"].concat()]);
    let constructed = [&class[..], b"K\0J\0\xca\x9a\x3b\x86\x81"].concat();
    for range in [network, rows, constructed] {
        for consumer in
            ["builtins.list", "time.struct_time", "builtins.set", "collections.Counter", "collections.deque"]
        {
            assert_ne!(verdict(&call(consumer, &[&range])), Verdict::Safe, "{consumer} {}", range.escape_ascii());
        }
        assert_ne!(verdict(&call("builtins.dict", &[&list(&[&range])])), Verdict::Safe);
        assert_ne!(verdict(&call("builtins.SyntaxError", &[b"N", &range])), Verdict::Safe);
    }
    let networks = [text("10.0.0.0/8"), text("::/0")].map(|text| call("ipaddress.IPv6Network", &[&text]));
    assert_eq!(verdict(&[b"}(", &networks[0][..], b"K\x01", &networks[1], b"K\x02u"].concat()), Verdict::Safe);
}

#[test]
fn what_is_only_constructed_is_given_nothing_that_no_rule_describes() {
    let estimator = name("sklearn.linear_model._base.LinearRegression");
    assert_eq!(verdict(&[&estimator[..], b")\x81"].concat()), Verdict::Safe);
    assert_ne!(verdict(&[&estimator[..], b"K\x01\x85\x81"].concat()), Verdict::Safe);
    assert_ne!(verdict(&[&estimator[..], b")}K\0K\0s\x92"].concat()), Verdict::Safe);
}

#[test]
fn nothing_that_sympy_evaluates_is_safe() {
    let code = text("__import__('os').system('true')");
    for (what, pickle) in [
        ("Wild that excludes", call("sympy.core.symbol.Wild", &[&text("a"), &list(&[&code])])),
        ("Rational", call("sympy.core.numbers.Rational", &[&text("1e999999999")])),
        ("Float", call("sympy.core.numbers.Float", &[&text("1e999999999")])),
        ("Add", call("sympy.core.add.Add", &[&code])),
    ] {
        assert_ne!(verdict(&pickle), Verdict::Safe, "{what}");
    }
}

#[test]
fn a_default_is_made_by_a_call_that_is_allowed() {
    let with = |factory: &[u8]| verdict(&call("collections.defaultdict", &[factory]));
    let partial = |function: &str, args: &[&[u8]]| {
        let function = name(function);
        call("functools.partial", &[&[&function[..]], args].concat())
    };
    assert_eq!(with(&name("builtins.list")), Verdict::Safe);
    assert_eq!(with(b"N"), Verdict::Safe);
    assert_eq!(with(&partial("collections.defaultdict", &[&name("builtins.int")])), Verdict::Safe);
    assert_eq!(with(&partial("builtins.int", &[b"K\x05"])), Verdict::Safe);
    assert_ne!(with(&partial("math.factorial", &[b"J\0\0\0\x7f"])), Verdict::Safe);
    assert_ne!(with(&partial("builtins.bytes", &[b"J\0\0\0\x7f"])), Verdict::Safe);
    assert_ne!(
        with(&call("builtins.getattr", &[&call("pathlib.Path", &[&text("x")]), &text("unlink")])),
        Verdict::Safe
    );
}

#[test]
fn a_state_that_looks_things_up_by_a_call_is_not_safe() {
    let defaults = call("collections.defaultdict", &[&name("builtins.list")]);
    let state = [&name("sklearn.linear_model._base.LinearRegression")[..], b")\x81", &defaults, b"b"].concat();
    assert_ne!(verdict(&state), Verdict::Safe);
}

#[test]
fn calls_of_the_standard_library_that_open_or_take_for_ever_are_not_safe() {
    let long = [&b"\x8b\0\x10\0\0"[..], &[1; 4096]].concat();
    for (what, pickle) in [
        ("ElementTree of a file", call("xml.etree.ElementTree.ElementTree", &[b"N", &text("/dev/zero")])),
        ("a logger with many parts", call("logging.getLogger", &[&text(&".".repeat(100_000))])),
        ("Decimal of a long number", call("decimal.Decimal", &[&long])),
        ("Decimal with a great exponent", call("decimal.Decimal", &[&text("1e999999999")])),
        ("str of a long number", call("builtins.str", &[&long])),
        ("flags of a long number", call("re.RegexFlag", &[&long])),
        ("items of a name that is no type", call("_operator.getitem", &[&name("numpy.mgrid"), b"K\x01"])),
    ] {
        assert_ne!(verdict(&pickle), Verdict::Safe, "{what}");
    }
    for (what, pickle) in [
        ("a list type", call("_operator.getitem", &[&name("typing.List"), &name("builtins.int")])),
        ("a logger", call("logging.getLogger", &[&text("app.views")])),
        ("Decimal", call("decimal.Decimal", &[&text("-1.5E+10")])),
        (
            "a decimal context",
            call("decimal.Context", &[b"K\x1c", &text("ROUND_UP"), &list(&[&name("decimal.Inexact")])]),
        ),
    ] {
        assert_eq!(verdict(&pickle), Verdict::Safe, "{what}");
    }
}

#[test]
fn an_array_is_what_its_type_says() {
    let minus = &b"J\xff\xff\xff\xff"[..];
    let plain = |flags: &'static [u8]| [b"K\x03", &b"X\x01\0\0\0|"[..], b"N", b"N", b"N", minus, minus, flags];
    assert_eq!(verdict(&array("f4", &plain(b"K\0"), b"C\x0812345678")), Verdict::Safe);
    assert_eq!(verdict(&array("O8", &plain(b"K\x3f"), b"](K\x01Ne")), Verdict::Safe);
    for (what, pickle) in [
        ("flags that deny objects", array("O8", &plain(b"K\0"), b"C\x1012345678abcdefgh")),
        ("a list that is too short", array("O8", &plain(b"K\x3f"), b"](K\x01e")),
        ("bytes for objects", array("O8", &plain(b"K\x3f"), b"C\x1012345678abcdefgh")),
        ("flags of objects for numbers", array("f4", &plain(b"K\x3f"), b"C\x0812345678")),
        ("too few bytes", array("f8", &plain(b"K\0"), b"C\x0812345678")),
        ("a list for numbers", array("f8", &plain(b"K\0"), b"](K\x01Ne")),
    ] {
        assert_ne!(verdict(&pickle), Verdict::Safe, "{what}");
    }
}

#[test]
fn a_type_that_something_relies_on_is_not_changed() {
    let field = [&call("numpy.dtype", &[&text("V8"), b"\x89", b"\x88"])[..], b"\x940"].concat();
    let array = [
        &call("numpy._core.multiarray._reconstruct", &[&name("numpy.ndarray"), b"K\0\x85", b"C\x01b"])[..],
        &tuple(&[b"K\x01", b"K\x01\x85", b"h\0", b"\x89", b"C\x0812345678"]),
        b"b",
    ]
    .concat();
    assert_eq!(verdict(&[&field[..], &array].concat()), Verdict::Safe);
    let state = tuple(&[b"K\x03", b"X\x01\0\0\0|", b"N", b"N", b"N", b"K\x08", b"K\x01", b"K\0"]);
    let changed = [&field[..], &array, b"h\0", &state, b"b0"].concat();
    assert_ne!(verdict(&changed), Verdict::Safe);
}

#[test]
fn what_is_put_into_a_container_later_counts() {
    // A tuple of an empty list goes into `dict` after an endless iterator went into the list.
    let pickle = [b"]\x940h\0\x85\x940h\0", &call("itertools.repeat", &[b"K\0"])[..], b"a0"].concat();
    let pickle = [&pickle[..], &name("builtins.dict"), b"h\x01\x85R"].concat();
    assert_ne!(verdict(&pickle), Verdict::Safe);
}

#[test]
fn a_dangerous_name_is_found_behind_a_thousand_suspicious_ones() {
    let mut pickle = b"\x80\x02".to_vec();
    for n in 0..1500 {
        pickle.extend_from_slice(format!("cshop\nOrder{n}\n0").as_bytes());
    }
    pickle.extend_from_slice(b"cos\nsystem\n(S'true'\ntR.");
    let report = Scanner::new().scan(&pickle);
    assert_eq!(report.verdict, Verdict::Dangerous);
    assert_eq!(report.all_findings()[0].1.name.as_deref(), Some("os.system"));
}

#[test]
fn a_module_of_ones_own_is_told_and_can_be_trusted() {
    let mut policy = picklevm_scan::Policy::builtin().clone();
    assert!(policy.is_own("shop.models") && policy.is_own("__main__"));
    assert!(!policy.is_own("numpy.core") && !policy.is_own("os") && !policy.is_own("collections.abc"));
    policy.allow_own();
    let scanner = Scanner::new().policy(policy);
    assert_eq!(scanner.scan(b"\x80\x02c__main__\nOrder\n)\x81}b.").verdict, Verdict::Safe);
    assert_ne!(scanner.scan(b"\x80\x02cshop\nopen\ncbuiltins\ngetattr\n\x85R.").verdict, Verdict::Safe);
    assert_ne!(scanner.scan(b"\x80\x04\x8c\x04shop\x8c\x09os.system\x93.").verdict, Verdict::Safe);
}

#[test]
fn a_policy_may_stand_in_a_pyproject_file() {
    let mut policy = picklevm_scan::Policy::builtin().clone();
    policy.extend_toml("[project]\nname = 'x'\n[tool.picklevm.scan]\nallow_modules = ['shop']\n").unwrap();
    let scanner = Scanner::new().policy(policy);
    assert_eq!(scanner.scan(b"\x80\x02cshop\nOrder\n)\x81}b.").verdict, Verdict::Safe);
}

#[test]
fn a_tensor_lies_within_its_storage() {
    let tensor = |size: &[u8]| {
        let storage = tuple(&[&text("storage"), &name("torch.FloatStorage"), &text("0"), &text("cpu"), b"K\x06"]);
        let args: [&[u8]; 6] = [&[&storage[..], b"Q"].concat(), b"K\0", size, b"K\x03K\x01\x86", b"\x89", b"}"];
        verdict(&call("torch._utils._rebuild_tensor_v2", &args))
    };
    assert_eq!(tensor(b"K\x02K\x03\x86"), Verdict::Safe);
    assert_ne!(tensor(b"K\x03K\x03\x86"), Verdict::Safe);
}

#[test]
fn a_tensor_of_a_storage_whose_length_is_not_known_is_not_safe() {
    // 2^32 elements.
    let storage =
        tuple(&[&text("storage"), &name("torch.FloatStorage"), &text("0"), &text("cpu"), b"\x8a\x05\0\0\0\0\x01"]);
    let args: [&[u8]; 6] =
        [&[&storage[..], b"Q"].concat(), b"K\0", b"K\x02K\x03\x86", b"K\x03K\x01\x86", b"\x89", b"}"];
    assert_ne!(verdict(&call("torch._utils._rebuild_tensor_v2", &args)), Verdict::Safe);
}

#[test]
fn arrays_of_pyarrow_that_share_one_long_buffer_are_not_checked_without_limit() {
    let findings = |children: usize| {
        let buffer = call("pyarrow.lib.py_buffer", &[&[b"B\0\0\x10\0", &vec![0; 1 << 20][..]].concat()]);
        let child = tuple(&[b"N", b"K\x01", b"K\0", b"K\0", &list(&[b"N", b"h\0"]), b"]", b"N"]);
        let children = [b"](", &[&child[..], b"\x94"].concat()[..], &b"h\x01".repeat(children), b"e"].concat();
        let array = tuple(&[b"N", b"K\0", b"K\0", b"K\0", b"]", &children, b"N"]);
        let pickle = [&buffer[..], b"\x940", &call("pyarrow.lib._restore_array", &[&array])].concat();
        let report = Scanner::new().scan([b"\x80\x04", &pickle[..], b"."].concat());
        report.all_findings().iter().map(|(_, finding)| finding.message.clone()).collect::<Vec<_>>().join("; ")
    };
    let limit = "calls go through so much in all";
    assert!(!findings(3).contains(limit), "{}", findings(3));
    assert!(findings(400).contains(limit), "{}", findings(400));
}

#[test]
fn what_a_call_may_use_methods_of_holds_no_function() {
    let namespace =
        [&name("types.SimpleNamespace")[..], b")R}X\x05\0\0\0count", &name("builtins.print"), b"sb"].concat();
    for (what, pickle) in [
        ("an exception that counts lines", call("json.decoder.JSONDecodeError", &[&text("x"), &namespace, b"K\0"])),
        (
            "an index of pandas",
            call(
                "pandas.core.indexes.base._new_Index",
                &[&name("pandas.Index"), &[b"}X\x04\0\0\0data", &namespace[..], b"s"].concat()],
            ),
        ),
        ("a list of an object", call("builtins.list", &[&namespace])),
        ("a dict of an object", call("builtins.dict", &[&list(&[&namespace])])),
        ("a number of NumPy", call("numpy.float64", &[&namespace])),
    ] {
        assert_ne!(verdict(&pickle), Verdict::Safe, "{what}");
    }
    assert_eq!(verdict(&namespace), Verdict::Safe);
}

#[test]
fn many_calls_on_one_long_tuple_take_no_memory_each() {
    // 200,000 calls on the same 10,000 arguments.
    let many = [b"(", &b"N".repeat(10_000)[..], b"t\x940", &name("shop.Order"), b"\x940("].concat();
    let pickle = [&many[..], &b"h\x01h\0R".repeat(200_000), b"l"].concat();
    assert_eq!(verdict(&pickle), Verdict::Suspicious);
}

#[test]
fn a_key_or_an_argument_in_which_a_thread_would_recurse_too_deep_is_suspicious() {
    let deep = [b")".to_vec(), b"\x85".repeat(200_000)].concat();
    let frozen = [b"(".repeat(100_000), b"\x91".repeat(100_000)].concat();
    for (what, value) in [("tuples", &deep), ("frozen sets", &frozen)] {
        assert_ne!(verdict(&[b"}", &value[..], b"Ns"].concat()), Verdict::Safe, "{what} as a key");
        assert_ne!(verdict(&call("builtins.set", &[&list(&[value])])), Verdict::Safe, "{what} in an argument");
    }
    assert_eq!(verdict(&deep), Verdict::Safe, "as data");
    let shallow = [b"}".to_vec(), b")".to_vec(), b"\x85".repeat(100), b"Ns".to_vec()].concat();
    assert_eq!(verdict(&shallow), Verdict::Safe);
}

#[test]
fn a_long_text_that_is_shared_often_goes_into_no_call_that_may_show_it() {
    let shared =
        [b"](".to_vec(), text(&"x".repeat(1_000_000)), b"q\0".to_vec(), b"h\0".repeat(20_000), b"e".to_vec()].concat();
    for function in ["collections.UserString", "http.HTTPStatus", "ipaddress.IPv4Network"] {
        assert_ne!(verdict(&call(function, &[&shared])), Verdict::Safe, "{function}");
    }
    assert_eq!(verdict(&shared), Verdict::Safe, "as data");
    let few = [&call("collections.OrderedDict", &[b"}"])[..], &text("k"), &text(&"x".repeat(1_000_000)), b"s"].concat();
    assert_eq!(verdict(&call("builtins.list", &[&list(&[&few])])), Verdict::Safe);
}

#[test]
fn an_empty_masked_array_is_no_longer_than_one_without_a_mask() {
    let make = |shape: &[u8]| {
        let classes = [name("numpy.ma.core.MaskedArray"), name("numpy.ndarray")];
        verdict(&call("numpy.ma.core._mareconstruct", &[&classes[0], &classes[1], shape, b"C\x01b"]))
    };
    assert_eq!(make(b"K\0\x85"), Verdict::Safe);
    assert_ne!(make(b"J\0\xca\x9a\x3b\x85"), Verdict::Safe);
}

#[test]
fn methods_that_lazy_layers_of_pytorch_hold_are_their_own() {
    let lazy = |attribute: &str| {
        let layer = [&name("torch.nn.modules.linear.LazyLinear")[..], b")\x81"].concat();
        verdict(&call("builtins.getattr", &[&layer, &text(attribute)]))
    };
    assert_eq!(lazy("_infer_parameters"), Verdict::Safe);
    assert_ne!(lazy("__class__"), Verdict::Safe);
}

/// A dict of these keys.
fn keyed(keys: &[Vec<u8>]) -> Vec<u8> {
    [b"}(".to_vec(), keys.iter().flat_map(|key| [&key[..], b"N"].concat()).collect(), b"u".to_vec()].concat()
}

/// A set of them, as protocols below 4 write it.
fn set_of(keys: &[Vec<u8>]) -> Vec<u8> {
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    call("builtins.set", &[&list(&keys)])
}

#[test]
fn many_keys_of_one_hash_are_suspicious() {
    const MANY: u32 = 5000;
    let long = |n: u32| ((1u128 << 61) - 1) * u128::from(n + 4);
    let integer = |n| [b"\x8a\x10", &long(n).to_le_bytes()[..]].concat();
    let float = |n: u32| [b"G", &f64::from(n).mul_add(0.5, 1e9).to_be_bytes()[..]].concat();
    let all = |key: &dyn Fn(u32) -> Vec<u8>| (0..MANY).map(key).collect::<Vec<_>>();
    // The hash of -1 is that of -2.
    let ones = |n: u32| {
        [b"(".to_vec(), (0..13).flat_map(|bit| minus_one_or_two(n >> bit & 1)).collect(), b"t".to_vec()].concat()
    };
    let decimal = |n| call("decimal.Decimal", &[&text(&long(n).to_string())]);
    for keys in [all(&integer), all(&ones), all(&|n| tuple(&[&text("a"), &integer(n)])), all(&decimal)] {
        assert_eq!([verdict(&keyed(&keys)), verdict(&set_of(&keys))], [Verdict::Suspicious; 2]);
    }
    let date = |n: u32| call("datetime.date", &[&[&b"C\x04\x07\xe4"[..], &(n as u16).to_be_bytes()].concat()]);
    let pair = |n: u32| tuple(&[&text(&n.to_string()), &float(n)]);
    let frozen = |n: u32| call("builtins.frozenset", &[&list(&[b"K\x01", &float(n)])]);
    for keys in [all(&float), all(&date), all(&pair), all(&frozen), all(&|n| [b"J", &n.to_le_bytes()[..]].concat())] {
        assert_eq!([verdict(&keyed(&keys)), verdict(&set_of(&keys))], [Verdict::Safe; 2]);
    }
    // The hash of a UUID is that of its number.
    let number = |n: u32| [&b"\x8a\x10"[..], &(u128::from(n) << 77 | 12345).to_le_bytes()].concat();
    let uuid = |n: Vec<u8>| [&name("uuid.UUID")[..], b")\x81}", &text("int"), &n, b"sb"].concat();
    let same: Vec<Vec<u8>> = all(&integer).into_iter().map(uuid).collect();
    let different: Vec<Vec<u8>> = all(&number).into_iter().map(uuid).collect();
    assert_eq!([verdict(&keyed(&same)), verdict(&keyed(&different))], [Verdict::Suspicious, Verdict::Safe]);
    // As many in all, but few in each.
    let dicts: Vec<Vec<u8>> = all(&ones).chunks(100).map(keyed).collect();
    assert_eq!(verdict(&list(&dicts.iter().map(Vec::as_slice).collect::<Vec<_>>())), Verdict::Safe);
}

#[test]
fn many_instances_of_an_allowed_class_are_keys() {
    let mut policy = picklevm_scan::Policy::builtin().clone();
    policy.extend_toml("[tool.picklevm.scan]\nallow_modules = ['shop']\n").unwrap();
    let scanner = Scanner::new().policy(policy);
    let order = |n: u32| [&name("shop.Order")[..], b")\x81}", &text("id"), b"J", &n.to_le_bytes(), b"sb"].concat();
    let point =
        |n: u32| [&name("shop.Point")[..], &tuple(&[&[b"J", &n.to_le_bytes()[..]].concat(), b"K\0"]), b"\x81"].concat();
    for keys in [(0..5000).map(order).collect::<Vec<_>>(), (0..5000).map(point).collect()] {
        let report = scanner.scan([b"\x80\x04", &keyed(&keys)[..], b"."].concat());
        assert_eq!(report.verdict, Verdict::Safe, "{report:?}");
    }
}

fn minus_one_or_two(bit: u32) -> Vec<u8> {
    [b"J", &(-1 - bit as i32).to_le_bytes()[..]].concat()
}

#[test]
fn an_array_without_memory_is_no_longer_than_what_may_be_gone_through() {
    let array = |shape: &[&[u8]]| {
        let dtype = call("numpy.dtype", &[&text("f8"), b"\x89", b"\x88"]);
        let state =
            tuple(&[b"K\x03", &text("<"), b"N", b"N", b"N", b"J\xff\xff\xff\xff", b"J\xff\xff\xff\xff", b"K\0"]);
        let empty = call("numpy._core.multiarray._reconstruct", &[&name("numpy.ndarray"), b"K\0\x85", b"C\x01b"]);
        let dtype = [&dtype[..], &state, b"b"].concat();
        [&empty[..], &tuple(&[b"K\x01", &tuple(shape), &dtype, b"\x89", b"C\0"]), b"b"].concat()
    };
    let (huge, flat) = (array(&[b"J\0\0\0\x40", b"J\0\0\x10\0", b"K\0"]), array(&[b"K\0", b"K\x03"]));
    assert_eq!([verdict(&huge), verdict(&flat)], [Verdict::Safe; 2]);
    let lists = [huge, flat].map(|array| verdict(&call("builtins.list", &[&array])));
    assert_eq!(lists, [Verdict::Suspicious, Verdict::Safe]);
}

#[test]
fn a_sparse_matrix_of_a_shape_is_not_made() {
    let shape = tuple(&[b"J\xff\xff\xff\x7f", b"K\x05"]);
    assert_eq!(verdict(&call("sklearn.metrics._dist_metrics.csr_matrix", &[&shape])), Verdict::Suspicious);
}

#[test]
fn a_long_number_within_a_container_is_no_argument_that_may_be_shown() {
    let long = [&b"\x8b\x00\x04\x00\x00"[..], &[1; 1024]].concat();
    assert_eq!(verdict(&call("http.HTTPStatus", &[&list(&[&long])])), Verdict::Suspicious);
    assert_eq!(verdict(&call("collections.OrderedDict", &[b"}"])), Verdict::Safe);
    assert_eq!(verdict(&list(&[&long])), Verdict::Safe);
    assert_eq!(verdict(&call("builtins.set", &[&list(&[&long])])), Verdict::Safe);
}

#[test]
fn unions_of_many_parts_or_of_values_are_suspicious() {
    let union = |parts: &[&[u8]]| call("functools.reduce", &[&name("_operator.or_"), &tuple(parts)]);
    let class = name("builtins.int");
    assert_eq!(verdict(&union(&[&class, b"N"])), Verdict::Safe);
    assert_eq!(verdict(&union(&[&*class; 5000])), Verdict::Suspicious);
    let long = [&b"\x8b\x00\x04\x00\x00"[..], &[1; 1024]].concat();
    assert_eq!(verdict(&union(&[&long, &long])), Verdict::Suspicious);
    let annotated = |n: u32| {
        let parts = tuple(&[&class, &list(&[&text(&n.to_string())])]);
        call("_operator.getitem", &[&name("typing.Annotated"), &parts])
    };
    let parts: Vec<Vec<u8>> = (0..3000).map(annotated).collect();
    let parts = tuple(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
    assert_eq!(verdict(&call("_operator.getitem", &[&name("typing.Union"), &parts])), Verdict::Suspicious);
}

#[test]
fn texts_in_lines_are_read_as_what_they_spell() {
    let long = "x".repeat(600);
    let spellings = [
        (r"S'os'", r"S'system'"),
        ("S\"os\"", "S\"system\""),
        (r"S'\x6fs'", r"S's\171stem'"),
        ("S'os'  ", "S'system'\r"),
        ("Vos", "Vsystem"),
        (r"V\u006fs", r"V\U00000073ystem"),
    ];
    for (module, name) in spellings {
        // Stored, fetched, and behind texts that are long and not ASCII.
        let pickle = format!("\x28S'{long}'\np0\nV\\u00e9\np1\n0{module}\np2\n{name}\np3\ng2\ng3\n\u{93}(S'true'\ntR.");
        let pickle: Vec<u8> = pickle.chars().map(|c| c as u8).collect();
        let report = Scanner::new().scan(&pickle);
        let imports: Vec<_> = report.pickles[0].imports.iter().map(ToString::to_string).collect();
        assert_eq!((report.verdict, imports), (Verdict::Dangerous, vec!["os.system".to_owned()]), "{module} {name}");
    }
}
