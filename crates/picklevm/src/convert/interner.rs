//! Values that exist once in a graph, as they do in Python.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use foldhash::fast::RandomState;
use hashbrown::Equivalent;

use crate::graph::{Arena, Cell, Tag};

/// The names, classes and short texts that were made in a graph.
#[derive(Default)]
pub(crate) struct Interner {
    /// Names, and the texts and bytes of which CPython has only one.
    texts: hashbrown::HashMap<Key<Box<[u8]>>, Cell, RandomState>,
    /// Classes and functions by module and name.
    globals: HashMap<(Cell, Cell), Cell, RandomState>,
}

/// A text by its tag and bytes.
struct Key<B>(Tag, B);

impl<B: AsRef<[u8]>> Hash for Key<B> {
    // Few texts differ in the tag alone, and hashing it or the length too would take longer.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.1.as_ref());
    }
}

impl PartialEq for Key<Box<[u8]>> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 && self.1 == other.1
    }
}

impl Eq for Key<Box<[u8]>> {}

impl Equivalent<Key<Box<[u8]>>> for Key<&[u8]> {
    #[inline]
    fn equivalent(&self, other: &Key<Box<[u8]>>) -> bool {
        self.0 == other.0 && *self.1 == *other.1
    }
}

impl Interner {
    /// Returns the value of a name: text, bytes or an 8-bit string. All uses share one value, like Python's interned
    /// strings.
    #[inline]
    pub(crate) fn name(&mut self, arena: &mut Arena, tag: Tag, name: &[u8]) -> Cell {
        if let Some(known) = self.texts.get(&Key(tag, name)) {
            return *known;
        }
        let cell = arena.new_text(tag, name, false);
        self.texts.insert(Key(tag, name.into()), cell);
        cell
    }

    /// Makes text. CPython has only one value of the empty string and of each Latin-1 character.
    #[inline]
    pub(crate) fn text(&mut self, arena: &mut Arena, text: &str) -> Cell {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (None, _) | (Some('\0'..='\u{ff}'), None) => self.name(arena, Tag::Str, text.as_bytes()),
            _ => arena.new_text(Tag::Str, text.as_bytes(), false),
        }
    }

    /// Makes bytes or an 8-bit string. CPython has only one value of the empty ones and of each single byte.
    pub(crate) fn bytes(&mut self, arena: &mut Arena, tag: Tag, bytes: &[u8]) -> Cell {
        if bytes.len() < 2 { self.name(arena, tag, bytes) } else { arena.new_text(tag, bytes, false) }
    }

    /// Returns the value of a class or function. All uses share one value, which before the first `find` may know.
    pub(crate) fn global(
        &mut self,
        arena: &mut Arena,
        [module, name]: [&str; 2],
        find: impl FnOnce(&Arena) -> Option<Cell>,
    ) -> Cell {
        let names @ [module, name] = [module, name].map(|name| self.name(arena, Tag::Str, name.as_bytes()));
        let make = || find(arena).unwrap_or_else(|| arena.new_global(module, name));
        *self.globals.entry(names.into()).or_insert_with(make)
    }
}
