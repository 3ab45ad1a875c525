//! Exceptions.

use super::Reduce;
use super::class::Class;
use super::instance::InstanceView;
use super::reduce_helpers::typed;
use crate::graph::{Arena, Dict, Id, Items, OpKind, Value};
use crate::protocol::Protocol;

/// An exception: its class, its arguments, and the attributes that it was given.
///
/// ```
/// use picklevm::typed::Exception;
///
/// let graph = picklevm::loads(b"\x80\x02cexceptions\nValueError\nX\x03\0\0\0bad\x85R.")?;
/// let error: Exception = graph.root().view()?;
/// assert_eq!(error.name(), Some(("builtins", "ValueError")));
/// assert_eq!(error.args().next().and_then(|arg| arg.as_str()), Some("bad"));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Exception<'g> {
    class: Value<'g>,
    args: Items<'g>,
    attributes: Option<Value<'g>>,
}

impl<'g> Exception<'g> {
    /// The class: a global as a rule.
    pub fn class(&self) -> Value<'g> {
        self.class
    }

    /// Module and name of the class, as Python 3 calls it.
    pub fn name(&self) -> Option<(&'g str, &'g str)> {
        let class = self.class.as_global()?;
        Some(crate::python3_name(class.module().as_str()?, class.name().as_str()?))
    }

    /// The arguments, `args`.
    pub fn args(&self) -> Items<'g> {
        self.args
    }

    /// The attributes, `__dict__`, if there are any: `__notes__` among them.
    pub fn attributes(&self) -> Option<Dict<'g>> {
        self.attributes?.as_dict()
    }

    /// Any call of a class that is an exception by its name.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Exception<'g>> {
        let InstanceView { class, args, state, .. } = *instance;
        let is_whole = instance.is(Class::Exception) && instance.items.is_none() && instance.pairs.is_none();
        let attributes = state.filter(|state| !state.is_none());
        let is_plain = attributes.is_none_or(|state| state.as_dict().is_some());
        (is_whole && is_plain).then_some(Exception { class, args, attributes })
    }
}

impl Reduce for Exception<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let cells = [self.class.cell()].into_iter().chain(self.args.cells().iter().copied());
        let cells = arena.copy_each(self.class.arena(), cells.chain(self.attributes.map(Value::cell)));
        let (args, attributes) = cells[1..].split_at(self.args.len());
        let object = arena.called(cells[0], args);
        if !attributes.is_empty() {
            arena.object_op(object, OpKind::Build, attributes);
        }
        Id(object)
    }
}

typed! {
    Exception<'g>, "an exception";
}
