//! `Instance`: an object with its class name, arguments and state.

use ::serde::{Deserialize, Serialize};

/// Serde name of [`Instance`], recognized by the reader and the writer.
pub(super) const NAME: &str = "$picklevm::serde::Instance";

/// An object with its class name, constructor arguments and state.
///
/// A plain struct only reads the state of an object. The arguments are those of the constructor if the class is called
/// (exceptions, and classes that define `__reduce__`), otherwise those of `__new__` (namedtuples, subclasses of `int`,
/// `str`, …). The state is the argument of `__setstate__`: usually the attributes, including `__slots__`; `None` if there
/// are none.
///
/// It is written as a call of the class if there are arguments, otherwise as an instance.
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
    /// Module and qualified name, joined by a dot.
    pub class: String,
    /// Positional arguments: a tuple, a sequence, or `()` for none.
    pub args: Args,
    /// State of the object.
    pub state: State,
}
