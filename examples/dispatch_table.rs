//! Defines how instances of a class are pickled from outside of the class, like Python's `copyreg.pickle` and
//! `Pickler.dispatch_table`: the examples of the `copyreg` documentation and of "Dispatch Tables" in that of pickle.
//!
//! A table is a value. Picklers can share one in an `Arc`; there is no global table.

use std::sync::Arc;

use picklevm::{DispatchTable, Error, Graph, Id, NativeObject, Pickler, Protocol, ReduceContext, Result};

/// The class `C` of the copyreg documentation. It does not implement `reduce`.
#[derive(Debug)]
struct C {
    a: i64,
}

impl NativeObject for C {
    fn class_name(&self) -> &str {
        "__main__.C"
    }
}

/// `pickle_c` of the documentation: `return C, (c.a,)`.
fn pickle_c(value: &mut ReduceContext<'_>) -> Result<Id> {
    let a = value.this().downcast_ref().map(|c: &C| c.a).ok_or_else(|| Error::other("not a C"))?;
    println!("pickling a C instance...");
    value.call("__main__", "C").arg(a).build()
}

fn shown(pickle: &[u8]) -> Result<String> {
    Ok(format!("{:?}", picklevm::loads(pickle)?.root()))
}

fn main() -> Result<()> {
    let mut graph = Graph::new();
    let c = graph.native_object(C { a: 1 });
    // An instance of a Python class that has no Rust type.
    let mut point = graph.instance("geometry", "Point").attr("x", 3).attr("y", 4).build()?;
    graph.set_root([c, point]);

    // Without a table, C cannot be pickled.
    let error = Pickler::new().dumps(graph.root()).expect_err("a C cannot be pickled");
    assert_eq!((error.kind(), error.class()), (picklevm::ErrorKind::Unrepresentable, Some("__main__.C")));

    // copyreg.pickle(C, pickle_c)
    let table = DispatchTable::new().reduce("__main__.C", pickle_c);
    let shared = Arc::new(table.clone());
    let pickler = Pickler::new().dispatch_table(shared.clone());
    let pickle = pickler.dumps(graph.root())?;
    println!("{}", shown(&pickle)?);
    assert_eq!(shown(&pickle)?, "[__main__.C(1), geometry.Point() with state {'x': 3, 'y': 4}]");
    let old = Pickler::new().protocol(Protocol::V0).dispatch_table(shared).dumps(graph.root())?;
    assert_eq!(shown(&old)?, "[__main__.C(1), copy_reg.__newobj__(geometry.Point) with state {'x': 3, 'y': 4}]");

    // p.dispatch_table = copyreg.dispatch_table.copy(); p.dispatch_table[Point] = ...
    let private = table.reduce("geometry.Point", |value| {
        let point = value.this();
        let [x, y] = ["x", "y"].map(|name| point.attr(name).and_then(|n| n.as_i64()));
        value.call("geometry", "point_at").arg(x).arg(y).build()
    });
    let pickle = Pickler::new().dispatch_table(private).dumps(graph.root())?;
    println!("{}", shown(&pickle)?);
    assert_eq!(shown(&pickle)?, "[__main__.C(1), geometry.point_at(3, 4)]");

    // The first pickler is not affected.
    point = graph.add(point);
    assert_eq!(shown(&pickler.dumps(graph.value(point))?)?, "geometry.Point() with state {'x': 3, 'y': 4}");
    Ok(())
}
