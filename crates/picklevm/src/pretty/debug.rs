//! `Display` and `Debug` of graphs, values and their parts.

use std::fmt;

use super::{Pretty, Roots};
use crate::graph::{Arena, Buffer, Dict, Entries, Global, Graph, Items, Object, Value};

/// Writes [`pretty`](Value::pretty) output on one line, like Python's `repr`; with `{:#}`, on several lines.
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

/// Writes abbreviated output on one line; with `{:#?}`, on several lines.
fn debug(roots: Roots<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let pretty = Pretty::new(roots).brief();
    fmt::Display::fmt(&if f.alternate() { pretty } else { pretty.one_line() }, f)
}

/// Like [`Display`](Value#impl-Display-for-Value<'_>), but limited to 12 levels, 200 values, and 200 bytes of each
/// payload.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(Roots::Value(*self), f)
    }
}

/// Writes a list.
impl fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(Roots::Items(*self), f)
    }
}

/// Writes a dict.
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

/// Writes the value.
impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.value(), f)
    }
}

/// Writes `module.name`.
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

/// Writes the root and the calls made for their effect, or a list if there are several roots.
impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// Same as for [`Graph`].
impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roots = if self.roots().len() > 1 { Roots::Items(self.roots()) } else { Roots::Graph(self) };
        debug(roots, f)
    }
}
