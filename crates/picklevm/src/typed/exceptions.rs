//! Exceptions.

use super::Reduce;
use super::reduce_helpers::typed;
use crate::graph::InstanceView;
use crate::graph::{Arena, Dict, Id, Items, OpKind, Value};
use crate::protocol::Protocol;
use crate::python::{Class, python3_name};

/// View of an exception: its class, arguments and attributes.
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
    /// Returns the class, usually a global.
    pub fn class(&self) -> Value<'g> {
        self.class
    }

    /// Returns the Python 3 module and name of the class.
    pub fn name(&self) -> Option<(&'g str, &'g str)> {
        let class = self.class.as_global()?;
        Some(python3_name(class.module().as_str()?, class.name().as_str()?))
    }

    /// Returns the arguments, `args`.
    pub fn args(&self) -> Items<'g> {
        self.args
    }

    /// Returns the attributes (`__dict__`), including `__notes__`, if there are any.
    pub fn attributes(&self) -> Option<Dict<'g>> {
        self.attributes?.as_dict()
    }

    /// Accepts any call of a class that is named like an exception.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Exception<'g>> {
        let InstanceView { class, args, state, .. } = *instance;
        let is_complete = instance.is(Class::Exception) && instance.items.is_none() && instance.pairs.is_none();
        let attributes = state.filter(|state| !state.is_none());
        let is_plain = attributes.is_none_or(|state| state.as_dict().is_some());
        (is_complete && is_plain).then_some(Exception { class, args, attributes })
    }
}

impl Reduce for Exception<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let cells = [self.class.cell()].into_iter().chain(self.args.cells().iter().copied());
        let cells = arena.copy_each(self.class.arena(), cells.chain(self.attributes.map(Value::cell)));
        let (args, attributes) = cells[1..].split_at(self.args.len());
        let object = arena.new_call(cells[0], args);
        if !attributes.is_empty() {
            arena.object_op(object, OpKind::Build, attributes);
        }
        Id(object)
    }
}

typed! {
    Exception<'g>, "an exception";
}
