//! Members of an enum by value and by name: the examples of "Pickling" in Python's Enum HOWTO.

use picklevm::typed::{EnumMember, Member};
use picklevm::{Graph, Pickler, Protocol, Result, Unpickler};

/// `dumps(Fruit.TOMATO)` of Python 3.13: the class is called with the value.
const BY_VALUE: &[u8] =
    b"\x80\x04\x95\"\0\0\0\0\0\0\0\x8c\x0etest.test_enum\x94\x8c\x05Fruit\x94\x93\x94K\x01\x85\x94R\x94.";
/// The same of an enum with `__reduce_ex__ = enum.pickle_by_enum_name`: `getattr(MyEnum, 'TOMATO')`.
const BY_NAME: &[u8] =
    b"\x80\x04\x8c\x08builtins\x8c\x07getattr\x93\x8c\x08__main__\x8c\x06MyEnum\x93\x8c\x06TOMATO\x86R.";

/// A Rust type for the enum. Members are compared by value, where Python has `is`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fruit {
    Tomato,
    Banana,
}

/// Reads a member, however it was written.
fn fruit(graph: &Graph) -> Result<Fruit> {
    let member: EnumMember<'_> = graph.root().view()?;
    let number = match member.member() {
        Member::Value(value) => value.as_i64(),
        Member::Name(name) => ["TOMATO", "BANANA"].iter().zip(1..).find(|(known, _)| **known == name).map(|(_, n)| n),
        _ => None,
    };
    match number {
        Some(1) => Ok(Fruit::Tomato),
        Some(2) => Ok(Fruit::Banana),
        _ => Err(picklevm::Error::other("no member of Fruit")),
    }
}

fn main() -> Result<()> {
    // Fruit.TOMATO is loads(dumps(Fruit.TOMATO))
    for pickle in [BY_VALUE, BY_NAME] {
        let graph = picklevm::loads(pickle)?;
        println!("{:?}: {:?}", graph.root(), fruit(&graph)?);
        assert_eq!(fruit(&graph)?, Fruit::Tomato);
    }

    // A member that is written is what Python writes, byte for byte.
    let mut graph = Graph::new();
    let class = graph.global("test.test_enum", "Fruit");
    let tomato = graph.enum_member(class, 1);
    graph.set_root(tomato);
    assert_eq!(Pickler::new().protocol(Protocol::V4).dumps(graph.root())?, BY_VALUE);

    // A value that no member has is read, as the class is not there to refuse it; the Rust type refuses it.
    let unknown = Unpickler::new().loads(b"\x80\x04\x8c\x0etest.test_enum\x8c\x05Fruit\x93K\x09\x85R.")?;
    let error = fruit(&unknown).expect_err("there is no such fruit");
    println!("{error}");
    Ok(())
}
