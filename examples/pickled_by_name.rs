//! What of a class is in a pickle: its name. The examples of "What can be pickled and unpickled?" and "Pickling Class
//! Instances" in the documentation of Python's pickle module.

use std::collections::BTreeMap;

use picklevm::{
    Call, CallResult, Graph, Id, NativeObject, ReduceContext, Registry, Resolver, Result, Standard, Unpickler, Value,
};

/// `obj.__dict__` of any class: what `save` writes and `restore` reads.
#[derive(Debug, PartialEq)]
struct Instance {
    class: String,
    attributes: BTreeMap<String, i64>,
}

impl NativeObject for Instance {
    /// `save` of the documentation: `return (obj.__class__, obj.__dict__)`.
    fn reduce(&self, value: &mut ReduceContext<'_>) -> Result<Id> {
        let attributes = value.dict(self.attributes.iter().map(|(name, number)| (&name[..], *number)))?;
        value.instance("__main__", &self.class).state(attributes).build()
    }

    /// `obj.__dict__.update(attributes)`, the end of `restore`.
    fn set_state(&mut self, state: Value<'_>) -> Result<()> {
        for (name, number) in state.entries() {
            self.attributes.insert(name.try_into()?, number.try_into()?);
        }
        Ok(())
    }
}

/// `cls.__new__(cls)`, the beginning of `restore`: no `__init__` is called.
fn new(class: &'static str) -> impl Fn(&mut Call<'_>) -> Result<CallResult> {
    move |call| {
        let [] = call.args_array()?;
        Ok(Instance { class: class.to_owned(), attributes: BTreeMap::new() }.into())
    }
}

fn main() -> Result<()> {
    // class Foo: attr = 'A class attribute'; picklestring = pickle.dumps(Foo)
    let mut graph = Graph::new();
    let class = graph.global("__main__", "Foo");
    graph.set_root(class);
    let pickle = picklevm::dumps(graph.root())?;
    println!("{}", pickle.escape_ascii());
    // The attribute is not in the pickle, only where the class is to be found.
    assert_eq!(pickle, b"\x80\x04\x95\x14\0\0\0\0\0\0\0\x8c\x08__main__\x94\x8c\x03Foo\x94\x93\x94.");

    // An instance is its class by name and its attributes.
    let instance = Instance { class: "Foo".to_owned(), attributes: BTreeMap::from([("size".to_owned(), 3)]) };
    let mut graph = Graph::new();
    let saved = graph.native_object(instance);
    graph.set_root(saved);
    let pickle = picklevm::dumps(graph.root())?;
    // Without a Rust type for the class, the instance is read all the same.
    let symbolic = picklevm::loads(&pickle)?;
    println!("{:?}", symbolic.root());
    assert_eq!(symbolic.root().attr("size").and_then(|size| size.as_i64()), Some(3));

    let mut registry = Registry::new();
    registry.function("__main__.Foo", new("Foo"));
    let restored = Unpickler::new().resolver(registry.or(Standard)).loads(&pickle)?;
    let restored: &Instance = restored.root().downcast_ref().expect("an instance");
    println!("{restored:?}");
    assert_eq!(Some(restored), graph.root().downcast_ref());
    Ok(())
}
