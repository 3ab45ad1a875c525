//! What the globals, persistent ids and extension codes of a pickle stand for: names, as a rule; plain data and the
//! caller's own functions and classes, where a resolver says so. Loading never calls anything that the caller did not
//! register.

mod allow;
mod call;
mod chain;
mod closures;
mod extensions;
pub(crate) mod python2_names;
mod qualname;
mod registry;
mod standard;

use std::sync::Arc;

pub use allow::AllowList;
pub(crate) use call::Copies;
pub use call::{Call, CallResult};
pub use chain::Chain;
pub use closures::{Persistent, persistent_resolver};
pub use extensions::Extensions;
pub use registry::{Construct, Registry};
pub use standard::Standard;

use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Id};

/// Decides what a pickle refers to: Python's `find_class`, `persistent_load` and the registry of extension codes.
///
/// Every method has a default that decides nothing, by which a global stays two names, a persistent reference its id
/// and an extension code a number. Resolvers are put together with [`or`](Resolver::or) and
/// [`allow_only`](Resolver::allow_only). A closure over module and name is one too.
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
/// assert_eq!(error.to_string(), "offset 0: GLOBAL: expected a global that a resolver knows, found os.system");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub trait Resolver: Send + Sync {
    /// Says what the global `name` of `module` is: `Unpickler.find_class`.
    ///
    /// Names of Python 2 in pickles below protocol 3 have been mapped to those of Python 3, unless
    /// [`fix_imports`](crate::Unpickler::fix_imports) is off. A name may be dotted, for what is nested in a class.
    /// [`Class::Symbolic`], the default, leaves the global to the next resolver, and in the end two names.
    ///
    /// # Errors
    ///
    /// An error ends the load; offset and opcode are added to it.
    ///
    /// ```
    /// use picklevm::{Class, Error, Resolver, Result, Unpickler};
    ///
    /// struct NoOs;
    ///
    /// impl Resolver for NoOs {
    ///     fn find_class(&self, module: &str, name: &str) -> Result<Class> {
    ///         match module {
    ///             "os" | "posix" | "nt" => Err(Error::other(format!("{name} is not for pickles"))),
    ///             _ => Ok(Class::Symbolic),
    ///         }
    ///     }
    /// }
    ///
    /// let error = Unpickler::new().resolver(NoOs).loads(b"cos\nsystem\n.").unwrap_err();
    /// assert_eq!(error.to_string(), "offset 0: GLOBAL: os.system: system is not for pickles");
    /// ```
    fn find_class(&self, module: &str, name: &str) -> Result<Class> {
        let _ = (module, name);
        Ok(Class::Symbolic)
    }

    /// Makes the value that a persistent id stands for: `Unpickler.persistent_load`.
    ///
    /// The id is any value of `arena`, in which the result is made too. [`CallResult::Symbolic`], the default, leaves the
    /// reference to the next resolver, and in the end a [`Kind::Persistent`](crate::Kind::Persistent).
    ///
    /// # Errors
    ///
    /// An error ends the load; offset and opcode are added to it.
    fn persistent_load(&self, arena: &mut Arena, pid: Id) -> Result<CallResult> {
        let _ = (arena, pid);
        Ok(CallResult::Symbolic)
    }

    /// Whether calls of a global make plain data here, as `builtins.set` does with [`Standard`](crate::Standard). An
    /// [allow-list](Resolver::allow_only) lets such calls pass, unless they stay symbolic. `false` by default.
    fn makes_plain_data(&self, module: &str, name: &str) -> bool {
        let _ = (module, name);
        false
    }

    /// Module and name of the global that is registered under an extension code: `copyreg.add_extension` (PEP 307).
    ///
    /// `None`, the default, leaves the code to the next resolver, and in the end a number.
    fn extension(&self, code: i32) -> Option<(&str, &str)> {
        let _ = code;
        None
    }

    /// This resolver, and `next` for all that it leaves symbolic.
    fn or<R: Resolver>(self, next: R) -> Chain<Self, R>
    where
        Self: Sized,
    {
        Chain::new(self, next)
    }

    /// This resolver behind a list of the globals that a pickle may name; any other is an error.
    ///
    /// What this resolver [makes plain data of](Resolver::makes_plain_data) needs no entry: a date below protocol 3 names
    /// `_codecs.encode`, a set below protocol 4 `builtins.set`. A call of such a name that makes no plain data is an error.
    ///
    /// Entries are `module.name`, `module:Outer.Inner` for what is nested in a class, and `module.*` for all names of a
    /// module that are not nested. Extension codes are judged by the names they stand for. Names are those of Python 3.
    ///
    /// ```
    /// use picklevm::{Resolver, Standard, Unpickler};
    ///
    /// let unpickler = Unpickler::new().resolver(Standard.allow_only(["collections.OrderedDict", "datetime.*"]));
    /// assert!(unpickler.loads(b"cdatetime\ndate\n.").is_ok());
    /// let error = unpickler.loads(b"cbuiltins\neval\n.").unwrap_err();
    /// assert_eq!(error.to_string(), "offset 0: GLOBAL: expected a global of the allow-list, found builtins.eval");
    /// ```
    fn allow_only<'n>(self, names: impl IntoIterator<Item = &'n str>) -> AllowList<Self>
    where
        Self: Sized,
    {
        AllowList::new(names, self)
    }
}

/// What a resolver says a global is.
#[derive(Clone)]
#[non_exhaustive]
pub enum Class {
    /// Two names; calling it makes a symbolic object.
    Symbolic,
    /// A function or class that calls are handed to. The global itself stays two names in the graph.
    Callable(Arc<dyn Callable>),
}

impl std::fmt::Debug for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Class::Symbolic => "Symbolic",
            Class::Callable(_) => "Callable",
        })
    }
}

/// A function or class that stands for a Python callable.
pub trait Callable: Send + Sync {
    /// Makes the value of a call: by REDUCE, or as an instance by NEWOBJ, NEWOBJ_EX, INST or OBJ.
    ///
    /// [`CallResult::Symbolic`] leaves the call a symbolic object.
    ///
    /// # Errors
    ///
    /// An error ends the load; offset, opcode and the name of the global are added to it.
    fn call(&self, call: &mut Call<'_>) -> Result<CallResult>;
}

/// Keeps every global a name and every call an object: nothing of a pickle is interpreted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Symbolic;

impl Resolver for Symbolic {}

/// Refuses every global, as `find_global = None` did for Python 2's `cPickle`. After other resolvers, all that these do
/// not know.
///
/// ```
/// use picklevm::{Deny, Unpickler};
///
/// let error = Unpickler::new().resolver(Deny).loads(b"cos\nsystem\n.").unwrap_err();
/// assert_eq!(error.kind(), picklevm::ErrorKind::Resolver);
/// assert_eq!(error.to_string(), "offset 0: GLOBAL: expected a global that a resolver knows, found os.system");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Deny;

impl Resolver for Deny {
    fn find_class(&self, module: &str, name: &str) -> Result<Class> {
        Err(Error::new(ErrorKind::Resolver, "a global that a resolver knows", format!("{module}.{name}")))
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

    fn extension(&self, code: i32) -> Option<(&str, &str)> {
        (**self).extension(code)
    }
}
