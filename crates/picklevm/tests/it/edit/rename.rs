//! Renaming globals in a graph, and by a resolver.

use picklevm::ops::Renames;
use picklevm::{Extensions, Graph, Pickler, Protocol, Registry, Resolver, Standard, Unpickler, loads};

fn renames(rules: &str) -> Renames {
    Renames::parse(rules).unwrap()
}

fn renamed(rules: &str, pickle: &[u8]) -> Graph {
    let mut graph = loads(pickle).unwrap();
    graph.rename_globals(&renames(rules)).unwrap();
    graph
}

fn shown(rules: &str, pickle: &[u8]) -> String {
    format!("{:?}", renamed(rules, pickle).root())
}

#[test]
fn globals_are_renamed_and_text_is_not() {
    assert_eq!(shown("a=b", b"(ca\nX\nVa\nt."), "(b.X, 'a')");
    // Module and text are one value of the memo.
    assert_eq!(shown("a=b", b"\x80\x04(\x8c\x01a\x94h\0\x8c\x01X\x93t."), "('a', b.X)");
}

#[test]
fn classes_are_renamed_in_all_opcodes_that_use_them() {
    assert_eq!(shown("a.X=b.Y", b"(ia\nX\n."), "b.Y() by inst");
    assert_eq!(shown("a.X=b.Y", b"(ca\nX\no."), "b.Y() by obj");
    assert_eq!(shown("a.X=b.Y", b"ca\nX\n)\x81."), "b.Y() by newobj");
    assert_eq!(shown("a.X=b.Y", b"ccopy_reg\n_reconstructor\n(ca\nX\nc__builtin__\nobject\nNtR."), "b.Y() by newobj");
}

#[test]
fn a_nested_class_below_protocol_4_is_renamed_by_its_full_name() {
    let pickle = b"(c__builtin__\ngetattr\n(c__builtin__\ngetattr\n(ca\nX\nVY\ntRVZ\ntRca\nX\nt.";
    let graph = renamed("a.X.Y=b.Q", pickle);
    let written = Pickler::new().protocol(Protocol::V4).dumps(graph.root()).unwrap();
    assert_eq!(format!("{:?}", loads(written).unwrap().root()), "(b:Q.Z, a.X)");
}

#[test]
fn a_nested_class_follows_its_outer_class() {
    let mut graph = loads(b"c__builtin__\ngetattr\n(ca\nX\nVY\ntR.").unwrap();
    assert_eq!(graph.rename_globals(&renames("a.X=b.Z")).unwrap(), 1);
    let written = Pickler::new().protocol(Protocol::V0).dumps(graph.root()).unwrap();
    assert!(written.starts_with(b"c__builtin__\ngetattr\np0\n(cb\nZ\n"), "{}", String::from_utf8_lossy(&written));
}

#[test]
fn a_renamed_class_is_written_nested_where_its_name_has_a_dot() {
    let graph = renamed("a.X=b:Y.Z", b"ca\nX\n.");
    let written = Pickler::new().protocol(Protocol::V2).dumps(graph.root()).unwrap();
    assert!(written.windows(5).any(|window| window == b"cb\nY\n"), "{}", String::from_utf8_lossy(&written));
}

#[test]
fn names_of_python_2_are_found_by_those_of_python_3_too() {
    assert_eq!(shown("builtins.object=a.X", b"\x80\x02c__builtin__\nobject\n."), "a.X");
    assert_eq!(shown("__builtin__.object=a.X", b"\x80\x02c__builtin__\nobject\n."), "a.X");
    assert_eq!(shown("__builtin__.object=a.X", b"\x80\x03cbuiltins\nobject\n."), "builtins.object");
}

#[test]
fn a_renamed_key_is_found_by_its_new_name() {
    // More keys than a linear search takes.
    let mut pickle = b"}(".to_vec();
    for number in 0..100 {
        pickle.extend_from_slice(format!("ca\nX{number}\nI{number}\n").as_bytes());
    }
    let graph = renamed("a=b", &[&pickle[..], b"u."].concat());
    let root = graph.root();
    let key = root.as_dict().unwrap().keys().nth(77).unwrap();
    assert_eq!(key.as_global().unwrap().to_string(), "b.X77");
    assert_eq!(root.get(key).and_then(|value| value.as_i64()), Some(77));
}

#[test]
fn a_rule_that_makes_a_module_of_a_class_renames_nothing() {
    let mut graph = loads(b"(ca\nX\nca\nY\nt.").unwrap();
    assert!(graph.rename_globals(&renames("a.X=b\na.Y=c.Y")).is_err());
    assert_eq!(format!("{:?}", graph.root()), "(a.X, a.Y)");
}

#[test]
fn equal_new_module_names_are_one_text() {
    let graph = renamed("a=bcdefgh", b"\x80\x04\x8c\x01a\x94\x8c\x01X\x94\x93h\0\x8c\x01Y\x94\x93\x86.");
    let written = Pickler::new().protocol(Protocol::V4).dumps(graph.root()).unwrap();
    assert_eq!(written.windows(7).filter(|window| window == b"bcdefgh").count(), 1);
}

#[test]
fn a_resolver_may_answer_with_another_name() {
    let graph = Unpickler::new().resolver(renames("a=b")).loads(b"(ca\nX\n)\x81ca.c\nY\nt.").unwrap();
    assert_eq!(format!("{:?}", graph.root()), "(b.X() by newobj, b.c.Y)");
}

#[test]
fn the_next_resolver_is_asked_by_the_new_name() {
    let mut registry = Registry::new();
    registry.function("b.X", |call| Ok(call.add(7)));
    let unpickler = Unpickler::new().resolver(renames("a=b").or(registry).or(Standard));
    assert_eq!(format!("{:?}", unpickler.loads(b"(ca\nX\n)Rca\nX\nt.").unwrap().root()), "(7, b.X)");
    let unpickler = Unpickler::new().resolver(renames("my.Set=builtins.set").or(Standard));
    assert_eq!(format!("{:?}", unpickler.loads(b"\x80\x04cmy\nSet\n]K\x01a\x85R.").unwrap().root()), "{1}");
}

#[test]
fn names_of_extension_codes_are_renamed() {
    let extensions = Extensions::new().add("a.X", 7).unwrap();
    let graph = Unpickler::new().resolver(renames("a=b").or(extensions)).loads(b"\x80\x02\x82\x07.").unwrap();
    assert_eq!(format!("{:?}", graph.root()), "b.X");
}
