//! `Display` and `Debug` of values and of what lends them.

use std::fmt;

use super::{Pretty, Roots};
use crate::graph::{Arena, Buffer, Dict, Entries, Global, Graph, Items, Object, Value};

/// One line, as Python's `repr`: what [`pretty`](Value::pretty) writes on one line, within the same limits. With `{:#}`
/// on several lines, as `pretty` has it.
///
/// ```
/// let graph = picklevm::value!({"name": "Alice", "scores": [1, 2.5, null]});
/// assert_eq!(graph.root().to_string(), "{'name': 'Alice', 'scores': [1, 2.5, None]}");
/// ```
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pretty = self.pretty();
        fmt::Display::fmt(&if f.alternate() { pretty } else { pretty.one_line() }, f)
    }
}

/// What a `Debug` writes: on one line, with `{:#?}` on several; little of what is large.
fn debug(roots: Roots<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let pretty = Pretty::new(roots).brief();
    fmt::Display::fmt(&if f.alternate() { pretty } else { pretty.one_line() }, f)
}

/// As [`Display`](Value#impl-Display-for-Value<'_>), but little of what is large: 12 levels, 200 values, and 200 bytes of
/// a payload.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(Roots::Value(*self), f)
    }
}

/// As a list.
impl fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(Roots::Items(*self), f)
    }
}

/// As a dict.
impl fmt::Debug for Entries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(Roots::Entries(*self), f)
    }
}

impl fmt::Debug for Dict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.value(), f)
    }
}

/// As the value that it is.
impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.value(), f)
    }
}

/// `module.name`.
impl fmt::Debug for Global<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.value(), f)
    }
}

impl fmt::Debug for Buffer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.data().map(|data| data.len());
        f.debug_struct("Buffer")
            .field("index", &self.index())
            .field("is_readonly", &self.is_readonly())
            .field("len", &len)
            .finish()
    }
}

/// The root, and the calls that were made for their effect; a list of roots where there are several.
impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// As a [`Graph`].
impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roots = if self.roots().len() > 1 { Roots::Items(self.roots()) } else { Roots::Graph(self) };
        debug(roots, f)
    }
}
