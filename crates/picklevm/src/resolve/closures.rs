//! Closures as resolvers.

use super::{CallResult, Class, Resolver};
use crate::error::Result;
use crate::graph::{Arena, Id};

/// A closure that takes module and name is a resolver of globals.
impl<F> Resolver for F
where
    F: Fn(&str, &str) -> Result<Class> + Send + Sync,
{
    fn find_class(&self, module: &str, name: &str) -> Result<Class> {
        self(module, name)
    }
}

/// A closure that resolves persistent ids; created by [`persistent_resolver`].
#[derive(Clone, Copy)]
pub struct Persistent<F>(F);

impl<F> std::fmt::Debug for Persistent<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Persistent").finish_non_exhaustive()
    }
}

/// Creates a resolver of persistent ids from a closure that takes the graph and the id in it.
///
/// ```
/// use picklevm::{Error, NativeObject, Unpickler, persistent_resolver};
///
/// #[derive(Debug)]
/// struct User(&'static str);
/// impl NativeObject for User {}
///
/// let users = ["Ann", "Bob"];
/// let resolver = persistent_resolver(move |arena, pid| {
///     let name = arena.value(pid).as_u64().and_then(|n| users.get(n as usize));
///     name.map(|name| User(name)).ok_or_else(|| Error::other("no such user"))
/// });
/// let graph = Unpickler::new().resolver(resolver).loads(b"\x80\x02K\x01Q.")?;
/// assert_eq!(graph.root().downcast_ref::<User>().unwrap().0, "Bob");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn persistent_resolver<F, M>(load: F) -> Persistent<F>
where
    F: Fn(&mut Arena, Id) -> Result<M> + Send + Sync,
    M: Into<CallResult>,
{
    Persistent(load)
}

impl<F, M> Resolver for Persistent<F>
where
    F: Fn(&mut Arena, Id) -> Result<M> + Send + Sync,
    M: Into<CallResult>,
{
    fn persistent_load(&self, arena: &mut Arena, pid: Id) -> Result<CallResult> {
        self.0(arena, pid).map(Into::into)
    }
}
