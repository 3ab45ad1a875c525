//! Names that do harm, or that nobody knows, in every way a pickle can use a name.

use picklevm_scan::{Scanner, Verdict};

fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

fn global(module: &str, name: &str) -> Vec<u8> {
    [text(module), text(name), b"\x93".to_vec()].concat()
}

/// Every use, with what it is called.
fn uses(module: &str, name: &str) -> Vec<(&'static str, Vec<u8>)> {
    let this = global(module, name);
    let arg = text("echo picklevm-test");
    let called_with = |function: &[u8], args: &[&[u8]]| [function, b"(", &args.concat(), b"tR"].concat();
    let list = [b"]", &arg[..], b"a"].concat();
    let mut uses = vec![
        ("a lookup", this.clone()),
        ("a lookup, popped", [&this[..], b"0N"].concat()),
        ("REDUCE", called_with(&this, &[&arg])),
        ("NEWOBJ", [&this[..], &arg, b"\x85\x81"].concat()),
        ("NEWOBJ_EX", [&this[..], &arg, b"\x85}\x92"].concat()),
        ("OBJ", [b"(", &this[..], &arg, b"o"].concat()),
        ("the factory of a defaultdict", called_with(&global("collections", "defaultdict"), &[&this])),
        ("partial", called_with(&global("functools", "partial"), &[&this, &arg])),
        ("map", called_with(&global("builtins", "map"), &[&this, &list])),
        ("a state", [&global("types", "SimpleNamespace")[..], b")R}", &text("x"), &this, b"sb"].concat()),
        ("a key", [b"}", &this[..], b"Ns"].concat()),
        ("the class of _reconstructor", {
            called_with(&global("copyreg", "_reconstructor"), &[&this, &global("builtins", "object"), b"N"])
        }),
    ];
    if !name.contains('.') {
        uses.push(("GLOBAL", format!("c{module}\n{name}\n").into_bytes()));
        uses.push(("INST", [b"(", &arg[..], format!("i{module}\n{name}\n").as_bytes()].concat()));
    }
    uses
}

#[test]
fn no_name_of_the_list_is_safe_in_any_use() {
    let list = picklevm_testing::root().join("tests/scan/names.txt");
    let list = std::fs::read_to_string(list).unwrap();
    let names: Vec<_> =
        list.lines().filter_map(|line| line.split_once(':')).filter(|(m, _)| !m.contains(' ')).collect();
    assert!(names.len() > 500);
    let scanner = Scanner::new();
    let mut safe = Vec::new();
    for (module, name) in names {
        for (what, body) in uses(module, name) {
            for header in [b"\x80\x04", b"\x80\x02"] {
                let pickle = [&header[..], &body, b"."].concat();
                if scanner.scan(&pickle).verdict == Verdict::Safe {
                    safe.push(format!("{module}.{name}: {what}, protocol {}", header[1]));
                }
            }
        }
    }
    assert!(safe.is_empty(), "{} are safe:\n{}", safe.len(), safe.join("\n"));
}
