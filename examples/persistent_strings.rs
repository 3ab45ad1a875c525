//! Persistent ids that are strings: the example "Pickling and unpickling external objects" of the documentation of Python
//! 2.7's pickle module, and the sniffing for ids that follows it.

use picklevm::{Error, Graph, NativeObject, Pickler, Protocol, Result, Unpickler, persistent_resolver};

/// `Integer` of the documentation.
#[derive(Debug)]
struct Integer {
    x: i64,
}

impl NativeObject for Integer {}

/// `FancyInteger`, which another program makes of the same id.
#[derive(Debug)]
struct FancyInteger {
    x: i64,
}

impl NativeObject for FancyInteger {}

fn main() -> Result<()> {
    let mut graph = Graph::new();
    let i = graph.native_object(Integer { x: 7 });
    graph.set_root(i);

    // persistent_id of the documentation: what has an `x` is written as 'the value 7'.
    let pickler = Pickler::new().protocol(Protocol::V0).persistent_id(|value| {
        let x = value.this().downcast_ref().map(|integer: &Integer| integer.x);
        Ok(x.map(|x| value.add(format!("the value {x}"))))
    });
    let datastream = pickler.dumps(graph.root())?;
    println!("{}", datastream.escape_ascii());
    assert_eq!(datastream, b"Pthe value 7\n.");

    // persistent_load of the documentation.
    let unpickler = Unpickler::new().resolver(persistent_resolver(|arena, id| {
        let id: &str = arena.value(id).try_into()?;
        let x = id.strip_prefix("the value ").and_then(|x| x.parse().ok());
        x.map(|x| FancyInteger { x }).ok_or_else(|| Error::other("Invalid persistent id"))
    }));
    let loaded = unpickler.loads(&datastream)?;
    let j: &FancyInteger = loaded.root().downcast_ref().expect("a FancyInteger");
    println!("I am the integer {}", j.x);
    assert_eq!(j.x, 7);
    let error = unpickler.loads(b"Panother\n.").expect_err("an id of another program");
    assert!(error.to_string().contains("Invalid persistent id"), "{error}");

    // `up.persistent_load = []; up.noload()`: the ids, without any object.
    let ids = Unpickler::new().noload(&datastream)?;
    let ids: Vec<&str> = ids.roots().filter_map(|id| id.as_str()).collect();
    println!("{ids:?}");
    assert_eq!(ids, ["the value 7"]);
    Ok(())
}
