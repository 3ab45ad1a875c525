//! Attacks that are made up: each way of a pickle to have a function called, on what it chooses, is not safe.
//!
//! `tests/scan/generated_attacks.py` does the same at random, and runs each in Python.

use crate::support::{list, name, text, tuple};
use picklevm_scan::{Scanner, Verdict};

fn keywords(pairs: &[(&str, &[u8])]) -> Vec<u8> {
    let pairs: Vec<u8> = pairs.iter().flat_map(|(key, value)| [&text(key)[..], value].concat()).collect();
    [b"}(", &pairs[..], b"u"].concat()
}

/// Every way to call something on arguments.
fn calls(function: &[u8], args: &[&[u8]]) -> Vec<(&'static str, Vec<u8>)> {
    let given = tuple(args);
    let by = |through: &str, args: &[&[u8]]| [&name(through)[..], &tuple(args), b"R"].concat();
    let partial = by("functools.partial", &[&[function][..], args].concat());
    let of_partial = by("functools.partial", &[&partial]);
    let set = [&by("functools.partial", &[&name("builtins.int")])[..], &tuple(&[function, &given, b"}", b"N"]), b"b"]
        .concat();
    vec![
        ("REDUCE", [function, &given, b"R"].concat()),
        ("REDUCE of the memo", [function, b"\x94", &given, b"\x9400h\x00h\x01R"].concat()),
        ("NEWOBJ", [function, &given, b"\x81"].concat()),
        ("NEWOBJ_EX", [function, &given, b"}\x92"].concat()),
        ("OBJ", [b"(", function, &args.concat(), b"o"].concat()),
        ("__newobj__", by("copyreg.__newobj__", &[&[function][..], args].concat())),
        ("__newobj_ex__", by("copyreg.__newobj_ex__", &[function, &given, b"}"])),
        ("_reconstructor", by("copyreg._reconstructor", &[function, function, args.first().unwrap_or(&&b"N"[..])])),
        (
            "_rebuild_from_type_v2",
            by("torch._tensor._rebuild_from_type_v2", &[function, &name("torch.Tensor"), &given, b"}"]),
        ),
        ("partial", [&partial[..], b")R"].concat()),
        ("partial of partial", [&of_partial[..], b")R"].concat()),
        ("a partial by its state", [&set[..], b")R"].concat()),
        ("reduce", by("functools.reduce", &[function, &list(args)])),
    ]
}

/// Iterators that call a function as soon as something goes through them.
fn iterators(function: &[u8], arg: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let of = |what: &str, args: &[&[u8]]| [&name(what)[..], &tuple(args), b"R"].concat();
    let new = |what: &str, args: &[&[u8]]| [&name(what)[..], &tuple(args), b"\x81"].concat();
    let with = |what: &str, args: &[&[u8]], pairs: &[(&str, &[u8])]| {
        [&name(what)[..], &tuple(args), &keywords(pairs), b"\x92"].concat()
    };
    let (items, pairs) = (list(&[arg, arg]), list(&[&tuple(&[arg])]));
    vec![
        ("map", of("builtins.map", &[function, &items])),
        ("map made", new("builtins.map", &[function, &items])),
        ("filter", of("builtins.filter", &[function, &items])),
        ("iter", of("builtins.iter", &[function, b"N"])),
        ("starmap", of("itertools.starmap", &[function, &pairs])),
        ("accumulate", of("itertools.accumulate", &[&items, function])),
        ("accumulate by keyword", with("itertools.accumulate", &[&items], &[("func", function)])),
        ("groupby", of("itertools.groupby", &[&items, function])),
        ("groupby by keyword", with("itertools.groupby", &[&items], &[("key", function)])),
        ("takewhile", of("itertools.takewhile", &[function, &items])),
        ("dropwhile", of("itertools.dropwhile", &[function, &items])),
        ("filterfalse", of("itertools.filterfalse", &[function, &items])),
    ]
}

/// An iterator in others, in containers, and in the memo.
fn wrapped(iterator: &[u8]) -> Vec<Vec<u8>> {
    let of = |what: &str, args: &[&[u8]]| [&name(what)[..], &tuple(args), b"R"].concat();
    vec![
        iterator.to_vec(),
        [iterator, b"\x940]0h\x00"].concat(),
        of("itertools.chain", &[b"]", iterator]),
        of("builtins.zip", &[iterator, iterator]),
        of("builtins.enumerate", &[iterator]),
        of("builtins.iter", &[iterator]),
        of("itertools.islice", &[iterator, b"K\x05"]),
        of("itertools.chain", &[&of("itertools.cycle", &[iterator])]),
        of("itertools.zip_longest", &[b"]", iterator]),
    ]
}

/// Functions that a pickle must not call on what it chooses, and an argument.
fn functions() -> Vec<(&'static str, Vec<u8>)> {
    let print = "builtins.print";
    vec![
        ("os.system", text("true")),
        ("builtins.eval", text("1")),
        ("builtins.__import__", text("os")),
        ("builtins.getattr", text("x")),
        (print, b"K\x01".to_vec()),
        ("math.factorial", b"J\0\0\0\x7f".to_vec()),
        ("builtins.sorted", list(&[b"K\x01"])),
        ("operator.methodcaller", text("__class__")),
        ("shop.Order", b"K\x01".to_vec()),
    ]
}

#[test]
fn no_way_to_call_a_function_makes_it_safe() {
    let scanner = Scanner::new();
    let (mut count, mut safe) = (0, Vec::new());
    let mut check = |what: String, body: &[u8]| {
        count += 1;
        if scanner.scan([b"\x80\x04", body, b"."].concat()).verdict == Verdict::Safe {
            safe.push(what);
        }
    };
    for (function, arg) in functions() {
        let known = name(function);
        for (how, call) in calls(&known, &[&arg]) {
            check(format!("{function} by {how}"), &call);
            check(format!("{function} by {how} in a list"), &list(&[&call]));
            check(format!("{function} by {how}, thrown away"), &[&call[..], b"0N"].concat());
            // What makes the function is a call itself.
            let twice = [&name("functools.partial")[..], &tuple(&[&known, &arg]), b"R"].concat();
            for (outer, call) in calls(&twice, &[]) {
                check(format!("a partial of {function} by {outer} in {how}"), &call);
            }
        }
        for (how, iterator) in iterators(&known, &arg) {
            for (n, iterator) in wrapped(&iterator).iter().enumerate() {
                for consumer in [
                    "builtins.list",
                    "builtins.tuple",
                    "builtins.set",
                    "builtins.frozenset",
                    "builtins.dict",
                    "builtins.bytes",
                    "collections.OrderedDict",
                    "collections.Counter",
                    "collections.deque",
                    "collections.UserList",
                    "collections.ChainMap",
                    "itertools.product",
                    "itertools.permutations",
                    "time.struct_time",
                    "array.array",
                    "numpy.float64",
                    "os.stat_result",
                    "builtins.SyntaxError",
                    "xml.etree.ElementTree.Element",
                ] {
                    for (by, call) in calls(&name(consumer), &[iterator]).into_iter().take(8) {
                        check(format!("{consumer} by {by} of {how} ({n}) of {function}"), &call);
                    }
                }
            }
        }
    }
    assert!(count > 10_000, "{count}");
    assert!(safe.is_empty(), "{} of {count}: {}", safe.len(), safe[..safe.len().min(40)].join("\n"));
}
