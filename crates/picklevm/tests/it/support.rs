//! Helpers for tests of writing: random graphs, and a comparison of graphs.

use std::collections::HashMap;

use picklevm::{Change, Construction, Graph, Id, Kind, Value};
use picklevm_testing::Random;

/// Returns a graph of about `size` values with sharing and cycles that a protocol can represent.
pub(crate) fn random_graph(seed: u64, size: usize, protocol: u8) -> Graph {
    let mut random = Random::new(seed);
    let mut graph = Graph::new();
    let mut ids = vec![graph.add(0), graph.add("text")];
    let (mut lists, mut dicts, mut objects) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..size {
        let few =
            |random: &mut Random, ids: &[Id]| -> Vec<Id> { (0..random.below(5)).map(|_| *random.pick(ids)).collect() };
        let items = few(&mut random, &ids);
        let keys: Vec<Id> = (0..random.below(12)).map(|key| graph.add(format!("{n}-{key}"))).collect();
        let id = match random.below(16) {
            0 => graph.add([i64::MIN, -1, 255, 256, 65536, 1 << 40][random.below(6)] + n as i64),
            1 => graph.add([0.5, -0.0, f64::INFINITY, 1e300, 1e-7][random.below(5)]),
            2 => graph.add(format!("é\n\\{n}\0€")),
            3 => graph.bytes([n as u8, 0xff]),
            4 => graph.bytearray([n as u8, 0]),
            5 => graph.byte_str([n as u8, b'\'']),
            6 => graph.tuple(items),
            7 => graph.frozenset(keys).expect("hashable"),
            8 => graph.set(keys).expect("hashable"),
            9 => graph.global("geometry", &format!("Shape{}", n % 5)),
            10 => graph.persistent(format!("id {n}")),
            11 | 12 => {
                let hows = match protocol {
                    0 => &[Construction::Reduce, Construction::Inst][..],
                    1 => &[Construction::Reduce, Construction::Inst, Construction::Obj],
                    2 | 3 => &[Construction::Reduce, Construction::NewObj, Construction::Inst, Construction::Obj],
                    _ => &[
                        Construction::Reduce,
                        Construction::NewObj,
                        Construction::NewObjEx,
                        Construction::Inst,
                        Construction::Obj,
                    ],
                };
                let how = hows[random.below(hows.len())];
                let (state, more) = (*random.pick(&ids), few(&mut random, &ids));
                let mut object = graph.instance("geometry", "Point").construction(how).args(items);
                if how == Construction::NewObjEx {
                    object = object.kwarg("unit", more.first().copied().unwrap_or(state));
                }
                if random.below(2) == 0 {
                    object = object.items(more.clone());
                }
                if random.below(2) == 0 {
                    object = object.pairs(keys.into_iter().zip(more));
                }
                if random.below(2) == 0 {
                    object = object.state(state);
                }
                let id = object.build().expect("an object");
                objects.push(id);
                id
            }
            13 => {
                let dict = graph.dict(keys.into_iter().zip(items)).expect("hashable");
                dicts.push(dict);
                dict
            }
            _ => {
                let list = graph.list(items);
                lists.push(list);
                list
            }
        };
        ids.push(id);
    }
    // Add later values to lists and dicts to create cycles.
    for list in lists {
        for _ in 0..random.below(4) {
            let item = *random.pick(&ids);
            graph.value_mut(list).push(item).expect("a list");
        }
    }
    for dict in dicts {
        let value = *random.pick(&ids);
        graph.value_mut(dict).set("late", value).expect("a dict");
    }
    for object in objects {
        if random.below(3) == 0 {
            let value = *random.pick(&ids);
            graph.value_mut(object).set_state(value).expect("an object");
        }
    }
    graph.set_root(ids);
    graph
}

/// Panics unless two values have the same graph: kinds, contents, order, sharing and cycles.
pub(crate) fn assert_isomorphic(a: Value<'_>, b: Value<'_>, context: &str) {
    let (mut there, mut back) = (HashMap::<Id, Id>::new(), HashMap::<Id, Id>::new());
    let mut work = vec![(a, b)];
    while let Some((a, b)) = work.pop() {
        assert_eq!(a.type_name(), b.type_name(), "{context}");
        let is_one = match (a.kind(), b.kind()) {
            (Kind::None, _) => true,
            (Kind::Bool(a), Kind::Bool(b)) => a == b,
            (Kind::Int(a), Kind::Int(b)) => a == b,
            (Kind::Float(a), Kind::Float(b)) => a.to_bits() == b.to_bits(),
            (Kind::Complex(..), _) => format!("{a:?}") == format!("{b:?}"),
            (Kind::Str(a), Kind::Str(b)) => a == b,
            (Kind::Bytes(a), Kind::Bytes(b)) | (Kind::ByteStr(a), Kind::ByteStr(b)) => a == b,
            (Kind::Global(a), Kind::Global(b)) => a.to_string() == b.to_string(),
            (Kind::Ext(a), Kind::Ext(b)) => a == b,
            (Kind::Buffer(a), Kind::Buffer(b)) => (a.index(), a.is_readonly()) == (b.index(), b.is_readonly()),
            (Kind::Tuple(items), _) if items.is_empty() => b.is_empty(),
            _ => {
                let (to, from) = (there.insert(a.id(), b.id()), back.insert(b.id(), a.id()));
                assert_eq!((to.unwrap_or(b.id()), from.unwrap_or(a.id())), (b.id(), a.id()), "{context}: sharing");
                if to.is_none() {
                    pair_children(a, b, &mut work, context);
                }
                true
            }
        };
        assert!(is_one, "{context}: {a:?} became {b:?}");
    }
}

fn pair_children<'a, 'b>(a: Value<'a>, b: Value<'b>, work: &mut Vec<(Value<'a>, Value<'b>)>, context: &str) {
    let (mine, others) = (children(a, context), children(b, context));
    assert_eq!(mine.0, others.0, "{context}");
    assert_eq!(mine.1.len(), others.1.len(), "{context}: items of a {}", a.type_name());
    work.extend(mine.1.into_iter().zip(others.1));
}

/// Returns a description of a value without its children, and its children.
fn children<'g>(value: Value<'g>, context: &str) -> (String, Vec<Value<'g>>) {
    let mut shape = String::new();
    let mut children = Vec::new();
    match value.kind() {
        Kind::ByteArray(bytes) => shape = format!("{bytes:?}"),
        Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => children.extend(items),
        Kind::Dict(dict) => children.extend(dict.entries().flat_map(|(key, value)| [key, value])),
        Kind::Persistent(id) => children.push(id),
        Kind::Object(object) => {
            shape = format!("{:?}", object.construction());
            children.push(object.class());
            match object.construction() {
                Construction::Inst | Construction::Obj => children.extend(object.args()),
                _ => children.push(object.args_tuple()),
            }
            children.extend(object.kwargs());
            for change in object.changes() {
                let from = children.len();
                let name = match change {
                    Change::Append(items) => {
                        children.extend(items);
                        "append"
                    }
                    Change::SetItem(pairs) => {
                        children.extend(pairs.flat_map(|(key, value)| [key, value]));
                        "setitem"
                    }
                    Change::Add(items) => {
                        children.extend(items);
                        "add"
                    }
                    Change::Build(state) => {
                        children.push(state);
                        "build"
                    }
                    Change::Effect(effect) => {
                        children.push(effect);
                        "effect"
                    }
                    _ => panic!("{context}: an unknown change"),
                };
                shape += &format!(" {name} {}", children.len() - from);
            }
        }
        _ => panic!("{context}: {value:?} has no children"),
    }
    (shape, children)
}
