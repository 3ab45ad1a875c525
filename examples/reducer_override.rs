//! Pickles a class by value, for programs that do not define it: the example "Custom Reduction for Types, Functions,
//! and Other Objects" of the documentation of Python's pickle module.
//!
//! A class is usually pickled by name. `reducer_override` takes precedence and writes a call of `type` that creates the
//! class.

use picklevm::{Call, CallResult, Graph, NativeObject, Pickler, Registry, Resolver, Result, Standard, Unpickler};

/// A class created by a pickle: `type(name, bases, attributes)`.
#[derive(Debug)]
struct Type {
    name: String,
    my_attribute: i64,
}

impl NativeObject for Type {
    fn class_name(&self) -> &str {
        "builtins.type"
    }

    /// Calling a class creates an instance.
    fn call(&self, call: &mut Call<'_>) -> Result<CallResult> {
        let [] = call.args_array()?;
        Ok(Instance { class: self.name.clone() }.into())
    }
}

#[derive(Debug)]
struct Instance {
    class: String,
}

impl NativeObject for Instance {}

fn main() -> Result<()> {
    let mut graph = Graph::new();
    let my_class = graph.global("__main__", "MyClass");
    let instance = graph.instance_of(my_class).build()?;
    graph.set_root((my_class, instance));

    // MyPickler of the documentation. `Ok(None)` is `NotImplemented`: use the default reduction.
    let pickler = Pickler::new().reducer_override(|value| {
        if !value.this().as_global().is_some_and(|global| global.name() == "MyClass") {
            return Ok(None);
        }
        let bases = [value.global("builtins", "object")];
        let bases = value.tuple(bases);
        let attributes = value.dict([("my_attribute", 1)])?;
        value.call("builtins", "type").arg("MyClass").arg(bases).arg(attributes).build().map(Some)
    });
    let by_name = picklevm::dumps(graph.root())?;
    let by_value = pickler.dumps(graph.root())?;
    println!("by name:  {:?}", picklevm::loads(by_name)?.root());
    println!("by value: {:?}", picklevm::loads(&by_value)?.root());

    // unpickled_class = pickle.loads(f.getvalue())
    let mut registry = Registry::new();
    registry.function("builtins.type", |call| {
        let [name, _bases, attributes] = call.args_array()?;
        Ok(Type { name: name.try_into()?, my_attribute: attributes.at("my_attribute").try_into()? })
    });
    let unpickled = Unpickler::new().resolver(registry.or(Standard)).loads(&by_value)?;
    let class: &Type = unpickled.root().at(0).downcast_ref().expect("a class");
    println!("{class:?}");
    assert_eq!((&class.name[..], class.my_attribute), ("MyClass", 1));
    let instance: &Instance = unpickled.root().at(1).downcast_ref().expect("an instance of it");
    assert_eq!(instance.class, "MyClass");
    Ok(())
}
