//! A registry of functions and classes.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::{Call, CallResult, Callable, Class, Resolver};
use crate::error::Result;
use crate::graph::NativeObject;
use crate::python::split_or_builtin;

/// A resolver that maps names of Python functions and classes to Rust ones.
///
/// Names are `module.name`, or `module:Outer.Inner` for names nested in a class. Cheap to clone.
///
/// ```
/// use picklevm::{Call, Construct, NativeObject, Registry, Resolver, Standard, Unpickler, Value};
///
/// #[derive(Debug, Default)]
/// struct Point {
///     x: i64,
///     y: i64,
/// }
///
/// impl NativeObject for Point {
///     fn set_state(&mut self, state: Value<'_>) -> picklevm::Result<()> {
///         self.x = state.at("x").as_i64().unwrap_or_default();
///         self.y = state.at("y").as_i64().unwrap_or_default();
///         Ok(())
///     }
/// }
///
/// impl Construct for Point {
///     fn construct(_: &Call<'_>) -> picklevm::Result<Self> {
///         Ok(Point::default())
///     }
/// }
///
/// let mut registry = Registry::new();
/// registry.class::<Point>("geometry.Point");
/// let unpickler = Unpickler::new().resolver(registry.or(Standard));
/// let graph = unpickler.loads(b"\x80\x02cgeometry\nPoint\n)\x81}(X\x01\0\0\0xK\x01X\x01\0\0\0yK\x02ub.")?;
/// let point: &Point = graph.root().downcast_ref().unwrap();
/// assert_eq!((point.x, point.y), (1, 2));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    modules: HashMap<String, HashMap<String, Arc<dyn Callable>>>,
}

/// A native object that can be constructed by a call, for [`Registry::class`].
pub trait Construct: NativeObject + Sized {
    /// Creates an instance: Python's `__new__` and, except for NEWOBJ and NEWOBJ_EX, `__init__`.
    ///
    /// # Errors
    ///
    /// An error ends the load, with offset, opcode and the name of the class added.
    fn construct(call: &Call<'_>) -> Result<Self>;
}

impl Registry {
    /// Creates an empty registry.
    pub fn new() -> Self {
        Registry::default()
    }

    /// Registers a closure for the calls of a global. It returns an [`Id`](crate::Id) of the graph or a native object.
    pub fn function<F, M>(&mut self, name: &str, function: F) -> &mut Self
    where
        F: Fn(&mut Call<'_>) -> Result<M> + Send + Sync + 'static,
        M: Into<CallResult>,
    {
        struct Closure<F>(F);
        impl<M: Into<CallResult>, F: Fn(&mut Call<'_>) -> Result<M> + Send + Sync> Callable for Closure<F> {
            fn call(&self, call: &mut Call<'_>) -> Result<CallResult> {
                self.0(call).map(Into::into)
            }
        }
        self.callable(name, Closure(function))
    }

    /// Registers a Rust type for a class. Its constructor is called however a pickle makes the instances: by an opcode,
    /// by calling the class, or by a function that stands for an opcode of a later protocol (`copyreg._reconstructor`,
    /// `__newobj__`, `__newobj_ex__` and `functools.partial`). The items that such a function passes as a list or dict
    /// are appended or set as in later protocols.
    pub fn class<T: Construct>(&mut self, name: &str) -> &mut Self {
        self.function(name, |call| T::construct(call))
    }

    /// Registers a [`Callable`] for the calls of a global.
    pub fn callable(&mut self, name: &str, callable: impl Callable + 'static) -> &mut Self {
        let (module, name) = split_or_builtin(name);
        self.modules.entry(module.to_owned()).or_default().insert(name.to_owned(), Arc::new(callable));
        self
    }
}

impl Resolver for Registry {
    fn find_class(&self, module: &str, name: &str) -> Result<Class> {
        let found = self.modules.get(module).and_then(|names| names.get(name));
        Ok(found.map_or(Class::Symbolic, |callable| Class::Callable(callable.clone())))
    }

    fn makes_instances(&self) -> bool {
        !self.modules.is_empty()
    }
}

/// Shows the names.
impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.modules.iter().flat_map(|(module, names)| names.keys().map(move |name| (module, name)));
        f.debug_set().entries(names.map(|(module, name)| format!("{module}:{name}"))).finish()
    }
}
