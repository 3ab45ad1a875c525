//! Resolvers: what globals, persistent ids and extension codes of a pickle stand for. By default they stay names; a
//! resolver turns them into plain data or into calls of the caller's functions and classes. Loading never calls code
//! that the caller did not register.

mod allow;
mod chain;
mod closures;
mod extensions;
mod instances;
mod registry;
mod standard;

use std::sync::Arc;

pub use allow::AllowList;
pub use chain::Chain;
pub use closures::{Persistent, persistent_resolver};
pub use extensions::Extensions;
pub use registry::{Construct, Registry};
pub use standard::Standard;

use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Call, CallResult, Id};

/// Resolves the references of a pickle: Python's `find_class`, `persistent_load` and the registry of extension codes.
///
/// By default every method leaves its input symbolic: a global stays two names, a persistent reference its id, an
/// extension code a number. Combine resolvers with [`or`](Resolver::or) and [`allow_only`](Resolver::allow_only). A
/// closure that takes module and name is a resolver too.
///
/// ```
/// use picklevm::{Deny, CallResult, Registry, Resolver, Standard, Unpickler};
///
/// let mut registry = Registry::new();
/// registry.function("operator.getitem", |call| {
///     let [of, key] = call.args_array()?;
///     Ok(of.get(key).map(|item| item.id()))
/// });
/// let unpickler = Unpickler::new().resolver(registry.or(Standard).or(Deny));
///
/// let graph = unpickler.loads(b"\x80\x02coperator\ngetitem\nK\x01K\x02\x86K\x01\x86R.")?;   // getitem((1, 2), 1)
/// assert_eq!(graph.root().as_i64(), Some(2));
/// let error = unpickler.loads(b"cos\nsystem\n(S'true'\ntR.").unwrap_err();
/// assert_eq!(error.to_string(), "offset 0: GLOBAL: expected a global that a resolver accepts, found os.system");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub trait Resolver: Send + Sync {
    /// Resolves the global `name` of `module`: `Unpickler.find_class`.
    ///
    /// Python 2 names in pickles below protocol 3 are mapped to Python 3 names before, unless
    /// [`fix_imports`](crate::Unpickler::fix_imports) is off. The name is dotted for classes and functions nested in a
    /// class. [`Class::Symbolic`], the default, leaves the global to the next resolver; if none resolves it, it stays
    /// two names.
    ///
    /// # Errors
    ///
    /// An error ends the load, with offset and opcode added.
    ///
    /// ```
    /// use picklevm::{Class, Error, Resolver, Result, Unpickler};
    ///
    /// struct NoOs;
    ///
    /// impl Resolver for NoOs {
    ///     fn find_class(&self, module: &str, name: &str) -> Result<Class> {
    ///         match module {
    ///             "os" | "posix" | "nt" => Err(Error::other(format!("{name} must not be used in pickles"))),
    ///             _ => Ok(Class::Symbolic),
    ///         }
    ///     }
    /// }
    ///
    /// let error = Unpickler::new().resolver(NoOs).loads(b"cos\nsystem\n.").unwrap_err();
    /// assert_eq!(error.to_string(), "offset 0: GLOBAL: os.system: system must not be used in pickles");
    /// ```
    fn find_class(&self, module: &str, name: &str) -> Result<Class> {
        let _ = (module, name);
        Ok(Class::Symbolic)
    }

    /// Resolves a persistent id: `Unpickler.persistent_load`.
    ///
    /// The id is a value of `arena`, where the result is built too. [`CallResult::Symbolic`], the default, leaves the
    /// reference to the next resolver; if none resolves it, it stays a [`Kind::Persistent`](crate::Kind::Persistent).
    ///
    /// # Errors
    ///
    /// An error ends the load, with offset and opcode added.
    fn persistent_load(&self, arena: &mut Arena, pid: Id) -> Result<CallResult> {
        let _ = (arena, pid);
        Ok(CallResult::Symbolic)
    }

    /// Whether this resolver turns calls of a global into plain data, as [`Standard`](crate::Standard) does for
    /// `builtins.set`. An [allowlist](Resolver::allow_only) allows such calls, unless they stay symbolic. `false` by
    /// default.
    fn makes_plain_data(&self, module: &str, name: &str) -> bool {
        let _ = (module, name);
        false
    }

    /// Whether this resolver has classes whose instances it makes, as a [`Registry`](crate::Registry) does. `false` by
    /// default.
    ///
    /// Protocols 0 and 1 have no opcode that makes an instance. They call `copyreg._reconstructor`, `__newobj__` or
    /// `__newobj_ex__`, and name the built-in base class. A chain whose later resolver refuses these names accepts them
    /// if this is `true`, but only for calls that make an instance of such a class.
    fn makes_instances(&self) -> bool {
        false
    }

    /// Returns module and name of the global that is registered under an extension code: `copyreg.add_extension` (PEP
    /// 307).
    ///
    /// `None`, the default, leaves the code to the next resolver; if none resolves it, it stays a number.
    fn extension(&self, code: i32) -> Option<(&str, &str)> {
        let _ = code;
        None
    }

    /// Chains resolvers: `next` is called for everything that this one leaves symbolic.
    fn or<R: Resolver>(self, next: R) -> Chain<Self, R>
    where
        Self: Sized,
    {
        Chain::new(self, next)
    }

    /// Restricts this resolver to an allowlist of globals; any other global is an error.
    ///
    /// Globals that this resolver [turns into plain data](Resolver::makes_plain_data) need no entry: a date below
    /// protocol 3 names `_codecs.encode`, a set below protocol 4 `builtins.set`. A call of such a global that does not
    /// make plain data is an error. The functions of `copyreg` with which protocols 0 and 1 make instances, and the
    /// built-in base classes that they name, need no entry either. A call of them that does not make an instance of an
    /// allowed class is an error. Below protocol 4, a class nested in another one needs entries for `builtins.getattr`
    /// and the outer class.
    ///
    /// Entries are `module.name`, `module:Outer.Inner` for names nested in a class, and `module.*` for all names of a
    /// module that are not nested. Extension codes are checked by the global they stand for. Use Python 3 names.
    ///
    /// ```
    /// use picklevm::{Resolver, Standard, Unpickler};
    ///
    /// let unpickler = Unpickler::new().resolver(Standard.allow_only(["collections.OrderedDict", "datetime.*"]));
    /// assert!(unpickler.loads(b"cdatetime\ndate\n.").is_ok());
    /// let error = unpickler.loads(b"cbuiltins\neval\n.").unwrap_err();
    /// assert_eq!(error.to_string(), "offset 0: GLOBAL: expected a global on the allowlist, found builtins.eval");
    /// ```
    fn allow_only<'n>(self, names: impl IntoIterator<Item = &'n str>) -> AllowList<Self>
    where
        Self: Sized,
    {
        AllowList::new(names, self)
    }
}

/// The result of [`Resolver::find_class`].
#[derive(Clone)]
#[non_exhaustive]
pub enum Class {
    /// The global stays two names; calling it makes a symbolic object.
    Symbolic,
    /// Calls are passed to this function or class. The global itself stays two names in the graph.
    Callable(Arc<dyn Callable>),
    /// The global is a function of `copyreg` that makes instances of a class. Calls for a class that resolves make one;
    /// other calls are passed to this function.
    Constructor(Arc<dyn Callable>),
    /// The global has another name, by which the next resolver is asked and under which it stands in the graph.
    Renamed {
        /// The name of its module.
        module: String,
        /// Its name in the module; dotted if it is nested in a class.
        name: String,
        /// What calls are passed to, if anything.
        callable: Option<Arc<dyn Callable>>,
    },
}

impl Class {
    /// Returns what calls are passed to, if anything.
    pub(crate) fn callable(self) -> Option<Arc<dyn Callable>> {
        match self {
            Class::Symbolic => None,
            Class::Callable(callable) | Class::Constructor(callable) => Some(callable),
            Class::Renamed { callable, .. } => callable,
        }
    }
}

impl std::fmt::Debug for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Class::Symbolic => "Symbolic",
            Class::Callable(_) => "Callable",
            Class::Constructor(_) => "Constructor",
            Class::Renamed { module, name, .. } => return write!(f, "Renamed({module}.{name})"),
        })
    }
}

/// A Rust implementation of a Python function or class.
pub trait Callable: Send + Sync {
    /// Returns the result of a call: by REDUCE, or an instance by NEWOBJ, NEWOBJ_EX, INST or OBJ.
    ///
    /// [`CallResult::Symbolic`] leaves the call a symbolic object.
    ///
    /// # Errors
    ///
    /// An error ends the load, with offset, opcode and the name of the global added.
    fn call(&self, call: &mut Call<'_>) -> Result<CallResult>;
}

/// A resolver that resolves nothing: every global stays a name and every call a symbolic object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Symbolic;

impl Resolver for Symbolic {}

/// A resolver that denies every global, as `find_global = None` did for Python 2's `cPickle`. At the end of a chain it
/// denies every global that the resolvers before it leave symbolic, except those that [make
/// instances](Resolver::makes_instances) of their classes.
///
/// ```
/// use picklevm::{Deny, Unpickler};
///
/// let error = Unpickler::new().resolver(Deny).loads(b"cos\nsystem\n.").unwrap_err();
/// assert_eq!(error.kind(), picklevm::ErrorKind::Resolver);
/// assert_eq!(error.to_string(), "offset 0: GLOBAL: expected a global that a resolver accepts, found os.system");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Deny;

impl Resolver for Deny {
    fn find_class(&self, module: &str, name: &str) -> Result<Class> {
        Err(Error::new(ErrorKind::Resolver, "a global that a resolver accepts", format!("{module}.{name}")))
    }
}

/// Gives globals other names, by which the next resolver is asked. Extension codes that the next resolver knows are
/// renamed too.
///
/// ```
/// use picklevm::{Resolver, Standard, Unpickler, ops::Renames};
///
/// let renames = Renames::parse("fruit=veg").unwrap();
/// let graph = Unpickler::new().resolver(renames.or(Standard)).loads(b"cfruit\nApple\n.")?;
/// assert_eq!(graph.root().as_global().unwrap().to_string(), "veg.Apple");
/// # Ok::<(), picklevm::Error>(())
/// ```
impl Resolver for picklevm_ops::Renames {
    fn find_class(&self, module: &str, name: &str) -> Result<Class> {
        Ok(match self.rename(module, name).map_err(Error::other)? {
            Some((module, name)) => Class::Renamed { module, name, callable: None },
            None => Class::Symbolic,
        })
    }
}

impl<R: Resolver + ?Sized> Resolver for Arc<R> {
    fn find_class(&self, module: &str, name: &str) -> Result<Class> {
        (**self).find_class(module, name)
    }

    fn persistent_load(&self, arena: &mut Arena, pid: Id) -> Result<CallResult> {
        (**self).persistent_load(arena, pid)
    }

    fn makes_plain_data(&self, module: &str, name: &str) -> bool {
        (**self).makes_plain_data(module, name)
    }

    fn makes_instances(&self) -> bool {
        (**self).makes_instances()
    }

    fn extension(&self, code: i32) -> Option<(&str, &str)> {
        (**self).extension(code)
    }
}
