//! `Instance`: class name, arguments and state of an object, for those who want them.

use ::serde::{Deserialize, Serialize};

/// The name by which reader and writer know an [`Instance`].
pub(super) const NAME: &str = "$picklevm::serde::Instance";

/// An object with the name of its class, the arguments it was made with, and its state.
///
/// A plain struct reads the state of an object alone. The arguments are those of the constructor where the class was
/// called (exceptions and whatever defines `__reduce__`), and of `__new__` where it was not (namedtuples, subclasses of
/// `int`, `str`, …). The state is what `__setstate__` is given: attributes as a rule, those of `__slots__` among them;
/// `None` for an object without any.
///
/// Written, it becomes an object of the class: a call of the class if there are arguments, an instance else.
///
/// ```
/// use picklevm::serde::{Instance, from_slice};
///
/// #[derive(serde::Deserialize)]
/// struct Point {
///     x: f64,
/// }
///
/// let point: Instance<Point> = from_slice(b"\x80\x02cgeometry\nPoint\n)\x81}X\x01\0\0\0xK\x05sb.")?;
/// assert_eq!((&*point.class, point.state.x), ("geometry.Point", 5.0));
///
/// let error: Instance<(), (String,)> = from_slice(b"\x80\x04c__builtin__\nKeyError\n\x8c\x01k\x85R.")?;
/// assert_eq!((&*error.class, &*error.args.0), ("__builtin__.KeyError", "k"));
/// # Ok::<(), picklevm::serde::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename = "$picklevm::serde::Instance")]
pub struct Instance<State = (), Args = ()> {
    /// Module and qualified name, with a dot between them.
    pub class: String,
    /// The positional arguments: a tuple, a sequence, or `()` for none.
    pub args: Args,
    /// The state.
    pub state: State,
}
