//! The items of a container: values of the graph, or new ones of a call such as `Counter('abba')`.

use std::borrow::Cow;

use crate::graph::{Arena, Cell, Entries, Graph, Id, Items, Key, Value};

/// The items of a sequence, or the keys and values of a mapping in turn: values of the graph.
#[derive(Clone)]
pub(crate) struct Listed<'g> {
    arena: &'g Arena,
    cells: Cow<'g, [Cell]>,
}

impl<'g> Listed<'g> {
    pub(crate) fn new(arena: &'g Arena, cells: impl Into<Cow<'g, [Cell]>>) -> Listed<'g> {
        Listed { arena, cells: cells.into() }
    }

    pub(crate) fn of_entries(arena: &'g Arena, entries: Entries<'g>) -> Listed<'g> {
        Listed::new(arena, entries.rows().as_flattened())
    }

    pub(crate) fn of_rows(arena: &'g Arena, rows: Cow<'g, [[Cell; 2]]>) -> Listed<'g> {
        match rows {
            Cow::Borrowed(rows) => Listed::new(arena, rows.as_flattened()),
            Cow::Owned(rows) => Listed::new(arena, rows.into_flattened()),
        }
    }

    /// Returns the entries of a mapping.
    pub(crate) fn into_rows(self) -> Cow<'g, [[Cell; 2]]> {
        match self.cells {
            Cow::Borrowed(cells) => Cow::Borrowed(cells.as_chunks().0),
            Cow::Owned(cells) => Cow::Owned(cells.as_chunks().0.to_vec()),
        }
    }

    pub(crate) fn arena(&self) -> &'g Arena {
        self.arena
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Returns the entries of a mapping.
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = (Value<'g>, Value<'g>)> + ExactSizeIterator + '_ {
        let arena = self.arena;
        self.cells.as_chunks().0.iter().map(move |[key, value]| (Value::new(arena, *key), Value::new(arena, *value)))
    }

    /// Returns the items of a sequence.
    pub(crate) fn values(&self) -> impl Iterator<Item = Value<'g>> + '_ {
        self.cells.iter().map(|cell| Value::new(self.arena, *cell))
    }

    /// Returns the value of a key. Takes linear time.
    pub(crate) fn get(&self, key: Key<'_>) -> Option<Value<'g>> {
        let key = key.of(self.arena);
        self.entries().rev().find(|(other, _)| key.equals(*other)).map(|(_, value)| value)
    }

    /// Copies the items into another graph.
    pub(crate) fn copy_into(&self, arena: &mut Arena) -> Vec<Cell> {
        arena.copy_each(self.arena, self.cells.iter().copied())
    }
}

/// Prints the items.
impl std::fmt::Debug for Listed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(Items::new(self.arena, &self.cells)).finish()
    }
}

/// The same, or values that are not in the graph.
#[derive(Clone, Debug)]
pub(crate) enum Contents<'g> {
    Listed(Listed<'g>),
    /// A list of them.
    Owned(Graph),
}

impl<'g> Contents<'g> {
    pub(crate) fn owned(mut graph: Graph, cells: &[Cell]) -> Contents<'static> {
        let list = graph.new_list(cells);
        graph.set_root(Id(list));
        Contents::Owned(graph)
    }

    pub(crate) fn arena(&self) -> &Arena {
        match self {
            Contents::Listed(listed) => listed.arena,
            Contents::Owned(graph) => graph,
        }
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        match self {
            Contents::Listed(listed) => &listed.cells,
            Contents::Owned(graph) => graph.root().items().cells(),
        }
    }

    pub(crate) fn items(&self) -> Items<'_> {
        Items::new(self.arena(), self.cells())
    }

    pub(crate) fn entries(&self) -> Entries<'_> {
        Entries::new(self.arena(), self.cells())
    }

    /// Returns the items, if they are values of the graph.
    pub(crate) fn listed(&self) -> Option<&Listed<'g>> {
        match self {
            Contents::Listed(listed) => Some(listed),
            Contents::Owned(_) => None,
        }
    }

    /// Returns the items, if they are listed in the graph.
    pub(crate) fn borrowed_items(&self) -> Option<Items<'g>> {
        match self {
            Contents::Listed(Listed { arena, cells: Cow::Borrowed(cells) }) => Some(Items::new(arena, cells)),
            _ => None,
        }
    }

    /// Copies the items into another graph.
    pub(crate) fn copy_into(&self, arena: &mut Arena) -> Vec<Cell> {
        arena.copy_each(self.arena(), self.cells().iter().copied())
    }

    /// Returns the contents without the first `count` items.
    pub(crate) fn skip(self, count: usize) -> Contents<'g> {
        match self {
            Contents::Listed(Listed { arena, cells }) => Contents::Listed(Listed::new(
                arena,
                match cells {
                    Cow::Borrowed(cells) => Cow::Borrowed(&cells[count.min(cells.len())..]),
                    Cow::Owned(mut cells) => {
                        cells.drain(..count.min(cells.len()));
                        Cow::Owned(cells)
                    }
                },
            )),
            Contents::Owned(graph) => {
                let cells = graph.root().items().from(count).cells().to_vec();
                Contents::owned(graph, &cells)
            }
        }
    }
}
