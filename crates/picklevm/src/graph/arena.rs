//! The arenas that hold all nodes of a graph, one a kind, addressed by 32-bit ids.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use foldhash::fast::RandomState;

use super::cell::{Cell, Tag};
use super::hash::Hashes;
use super::live::NativeObject;
use super::memoized::Memoized;
use super::nodes::{Nodes, Nothing};
use super::number::{from_le_bytes, trimmed_len};
use super::object::{Construction, ObjectNode, OpKind, OpNode};
use super::payloads::{Payloads, Span};
use super::table::Table;
use crate::error::{Error, ErrorKind, Result};

/// All nodes of a graph.
///
/// A [`Graph`](super::Graph) is a counted handle of one `Arena` and dereferences to it: what reads, builds and changes
/// graphs is documented here, and called on a `Graph`.
#[derive(Clone, Default)]
pub struct Arena {
    /// The items of lists, tuples and sets and the rows of dicts, each a range.
    pub(crate) cells: Vec<Cell>,
    pub(crate) lists: Nodes<Row, { Tag::List as u8 }, { Tag::List as u8 }>,
    pub(crate) tuples: Nodes<Fixed, { Tag::Tuple as u8 }, { Tag::Tuple as u8 }>,
    pub(crate) dicts: Nodes<Keyed, { Tag::Dict as u8 }, { Tag::Dict as u8 }>,
    /// Sets and frozensets.
    pub(crate) sets: Nodes<Keyed, { Tag::Set as u8 }, { Tag::FrozenSet as u8 }>,
    /// Texts, bytes, 8-bit strings, bytearrays and big integers.
    pub(crate) spans: Nodes<Span, { Tag::BigInt as u8 }, { Tag::ByteArray as u8 }>,
    /// Floats that do not fit a cell.
    pub(crate) floats: Nodes<f64, { Tag::WideFloat as u8 }, { Tag::WideFloat as u8 }>,
    /// Real and imaginary parts.
    pub(crate) complexes: Nodes<[f64; 2], { Tag::Complex as u8 }, { Tag::Complex as u8 }>,
    pub(crate) globals: Nodes<GlobalNode, { Tag::Global as u8 }, { Tag::Global as u8 }>,
    pub(crate) buffers: Nodes<BufferNode, { Tag::Buffer as u8 }, { Tag::Buffer as u8 }>,
    /// The ids that persistent references stand for.
    pub(crate) persistents: Nodes<Cell, { Tag::Persistent as u8 }, { Tag::Persistent as u8 }>,
    pub(crate) objects: Nodes<ObjectNode, { Tag::Object as u8 }, { Tag::Object as u8 }>,
    /// What happened to objects after their first operation.
    pub(crate) ops: Vec<OpNode>,
    pub(crate) lives: Nodes<Arc<dyn NativeObject>, { Tag::NativeObject as u8 }, { Tag::NativeObject as u8 }>,
    pub(crate) payloads: Payloads,
    /// The hash tables of large dicts and sets.
    pub(crate) tables: Vec<Table>,
    /// The memory of a hash table, for the next one.
    pub(crate) spare: Option<Table>,
    /// How many rows were left to hash tables, which are made when all rows are there.
    pub(crate) table_rows: usize,
    pub(crate) growth: Growth,
    /// Dicts and sets with rows whose keys have not been looked at yet.
    pub(crate) unsettled: Vec<Cell>,
    /// Hashes of tuples and frozensets that served as keys.
    pub(crate) hashes: Hashes,
    pub(crate) roots: Vec<Cell>,
    /// Objects that were made for their effect alone, in the order in which they were dropped.
    pub(crate) effects: Vec<Cell>,
    /// Lists, dicts, tuples and persistent references in calls that were made twice, once to be dropped, and that both
    /// calls had: something holds them besides the call, or they would have been made afresh for the second.
    pub(crate) held_arguments: HashSet<Cell, RandomState>,
    /// The protocol that the newest pickle said; `None` where none was loaded. Below 3, globals have the names of
    /// Python 2; from 4 on, their names are values that other places may share.
    pub(crate) protocol: Option<u8>,
    /// Which nodes the pickles put into their memos, if that may not be all: of cPickle alone.
    pub(crate) memoized: Option<Box<Memoized>>,
    /// Whether no node is referred to twice, as where a pickle fetches nothing and calls nothing.
    pub(crate) is_tree: Known,
}

/// How many cells there may be, and whether more were wanted.
///
/// One opcode can double the room of a list that takes most of what a load may hold. Such a list is left as it is: the
/// load ends in an error at the next look at the limits, or when the pickle ends.
#[derive(Clone, Copy)]
pub(crate) struct Growth {
    pub(crate) most: usize,
    /// 0, or how many cells were wanted beyond that.
    pub(crate) refused: usize,
}

impl Default for Growth {
    fn default() -> Self {
        Growth { most: usize::MAX, refused: 0 }
    }
}

/// What is known of a graph until it is changed; a copy, which is made to be changed, knows nothing.
#[derive(Default)]
pub(crate) struct Known(pub(crate) bool);

impl Clone for Known {
    fn clone(&self) -> Self {
        Known(false)
    }
}

/// A range of cells that can grow: a list.
#[derive(Clone, Copy, Default)]
pub(crate) struct Row {
    pub(crate) start: u32,
    pub(crate) len: u32,
    pub(crate) cap: u32,
}

/// A range of cells that stays as it is: a tuple.
#[derive(Clone, Copy)]
pub(crate) struct Fixed {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Fixed {
    /// The range without so many cells at its beginning.
    #[inline(always)]
    pub(crate) fn after(self, count: u32) -> Fixed {
        let count = count.min(self.len);
        Fixed { start: self.start + count, len: self.len - count }
    }
}

/// A range of cells with unique keys: a dict (rows of two cells) or a set.
#[derive(Clone, Copy, Default)]
pub(crate) struct Keyed {
    pub(crate) row: Row,
    /// 0, or one more than the index of its hash table.
    pub(crate) table: u32,
}

impl Nothing for Row {
    const NOTHING: &'static Row = &Row { start: 0, len: 0, cap: 0 };
}

impl Nothing for Fixed {
    const NOTHING: &'static Fixed = &Fixed { start: 0, len: 0 };
}

impl Nothing for Keyed {
    const NOTHING: &'static Keyed = &Keyed { row: *Row::NOTHING, table: 0 };
}

impl Nothing for f64 {
    const NOTHING: &'static f64 = &0.0;
}

impl Nothing for [f64; 2] {
    const NOTHING: &'static [f64; 2] = &[0.0; 2];
}

/// A persistent id.
impl Nothing for Cell {
    const NOTHING: &'static Cell = &Cell::NONE;
}

impl Nothing for GlobalNode {
    const NOTHING: &'static GlobalNode = &GlobalNode { module: Cell::NONE, name: Cell::NONE, is_one_name: false };
}

impl Nothing for BufferNode {
    const NOTHING: &'static BufferNode = &BufferNode { index: 0, readonly: true, data: None };
}

/// Two names, each a text.
#[derive(Clone, Copy)]
pub(crate) struct GlobalNode {
    pub(crate) module: Cell,
    pub(crate) name: Cell,
    /// Whether the name is that of one attribute of the module though it may have dots, as GLOBAL takes it below protocol 4.
    /// Else a dot makes it a path: the qualified name of what is nested in a class.
    pub(crate) is_one_name: bool,
}

/// An out-of-band buffer.
#[derive(Clone)]
pub(crate) struct BufferNode {
    pub(crate) index: u32,
    pub(crate) readonly: bool,
    pub(crate) data: Option<Bytes>,
}

/// How far each arena reaches: every id below is one of a node.
#[derive(Clone, Copy)]
pub(crate) struct Extent([usize; 13]);

impl Extent {
    /// Whether all nodes of an extent are in this one.
    fn covers(&self, other: &Extent) -> bool {
        self.0.iter().zip(&other.0).all(|(mine, others)| mine >= others)
    }
}

/// The id of the next node of an arena.
#[inline(always)]
pub(crate) fn next_id(len: usize) -> u32 {
    if len >= u32::MAX as usize {
        too_many();
    }
    len as u32
}

#[cold]
#[inline(never)]
fn too_many() -> ! {
    panic!("a graph holds at most 2^32 - 1 nodes of a kind");
}

impl Arena {
    #[inline(always)]
    pub(crate) fn new_int(&mut self, value: i64) -> Cell {
        Cell::int(value).unwrap_or_else(|| self.new_big_int(&value.to_le_bytes()))
    }

    /// An integer from little-endian two's complement; superfluous sign bytes are dropped.
    #[inline(always)]
    pub(crate) fn new_int_le(&mut self, bytes: &[u8]) -> Cell {
        match from_le_bytes(bytes) {
            Some(value) => self.new_int(value),
            None => self.new_long(bytes),
        }
    }

    #[inline(never)]
    fn new_long(&mut self, bytes: &[u8]) -> Cell {
        let trimmed = &bytes[..trimmed_len(bytes)];
        match from_le_bytes(trimmed) {
            Some(value) => self.new_int(value),
            None => self.new_big_int(trimmed),
        }
    }

    #[inline(always)]
    fn new_big_int(&mut self, payload: &[u8]) -> Cell {
        let span = self.payloads.keep(payload);
        self.push_span(Tag::BigInt, span)
    }

    /// A `long` of Python 2 that 64 bits hold. It is kept apart from an `int`, which another opcode writes; in all else the
    /// two are one.
    #[inline(never)]
    pub(crate) fn new_short_long(&mut self, value: i64) -> Cell {
        let span = self.payloads.keep(&value.to_le_bytes());
        Cell::short_long(self.spans.push(span))
    }

    #[inline(always)]
    pub(crate) fn new_float(&mut self, value: f64) -> Cell {
        match Cell::float(value) {
            Some(cell) => cell,
            None => self.new_wide_float(value),
        }
    }

    #[inline(never)]
    fn new_wide_float(&mut self, value: f64) -> Cell {
        let id = self.floats.push(value);
        Cell::node(Tag::WideFloat, id)
    }

    pub(crate) fn new_complex(&mut self, re: f64, im: f64) -> Cell {
        let id = self.complexes.push([re, im]);
        Cell::node(Tag::Complex, id)
    }

    #[inline(always)]
    pub(crate) fn push_span(&mut self, tag: Tag, span: Span) -> Cell {
        let id = self.spans.push(span);
        Cell::node(tag, id)
    }

    /// A text (`surrogates` tells whether it holds any), bytes or an 8-bit string.
    #[inline(always)]
    pub(crate) fn new_text(&mut self, tag: Tag, payload: &[u8], surrogates: bool) -> Cell {
        let span = self.payloads.keep(payload);
        self.push_text(tag, payload, span.with_surrogates(surrogates))
    }

    /// The same for a payload that is kept in `span`.
    #[inline(always)]
    pub(crate) fn push_text(&mut self, tag: Tag, payload: &[u8], span: Span) -> Cell {
        let id = self.spans.push(span);
        Cell::payload(tag, id, payload)
    }

    /// Bytes, an 8-bit string or a bytearray that share a block.
    pub(crate) fn new_block(&mut self, tag: Tag, block: Bytes) -> Cell {
        let bytes = block.clone();
        let span = self.payloads.push_block(block);
        self.push_text(tag, &bytes, span)
    }

    #[inline(always)]
    pub(crate) fn new_tuple(&mut self, items: &[Cell]) -> Cell {
        if items.is_empty() {
            return Cell::EMPTY_TUPLE;
        }
        let start = next_id(self.cells.len());
        self.cells.extend_from_slice(items);
        let id = self.tuples.push(Fixed { start, len: items.len() as u32 });
        Cell::node(Tag::Tuple, id)
    }

    #[inline(always)]
    pub(crate) fn new_list(&mut self, items: &[Cell]) -> Cell {
        let row = if items.is_empty() { Row::default() } else { self.new_row(items) };
        let id = self.lists.push(row);
        Cell::node(Tag::List, id)
    }

    #[inline(always)]
    fn new_row(&mut self, items: &[Cell]) -> Row {
        let start = next_id(self.cells.len());
        self.cells.extend_from_slice(items);
        let len = next_id(items.len());
        Row { start, len, cap: len }
    }

    #[inline(always)]
    pub(crate) fn new_dict(&mut self) -> Cell {
        let id = self.dicts.push(Keyed::default());
        Cell::node(Tag::Dict, id)
    }

    /// An empty set, or an empty frozenset that its maker fills before anyone sees it.
    #[inline(always)]
    pub(crate) fn new_set(&mut self, tag: Tag) -> Cell {
        let id = self.sets.push(Keyed::default());
        Cell::node(tag, id)
    }

    pub(crate) fn new_global(&mut self, module: Cell, name: Cell) -> Cell {
        let id = self.globals.push(GlobalNode { module, name, is_one_name: false });
        Cell::node(Tag::Global, id)
    }

    /// A global that the pickle names which is being loaded.
    pub(crate) fn new_loaded_global(&mut self, module: Cell, name: Cell) -> Cell {
        let global = self.new_global(module, name);
        let is_one_name = self.protocol.is_some_and(|protocol| protocol < 4);
        self.globals.set(global, GlobalNode { module, name, is_one_name });
        global
    }

    pub(crate) fn new_buffer(&mut self, buffer: BufferNode) -> Cell {
        let id = self.buffers.push(buffer);
        Cell::node(Tag::Buffer, id)
    }

    pub(crate) fn new_persistent(&mut self, pid: Cell) -> Cell {
        let id = self.persistents.push(pid);
        Cell::node(Tag::Persistent, id)
    }

    #[inline(always)]
    pub(crate) fn new_object(&mut self, how: Construction, class: Cell, args: Cell) -> Cell {
        let id = self.objects.push(ObjectNode {
            class,
            args,
            first: Cell::HOLE,
            first_kind: OpKind::Nothing,
            how,
            memoized: false,
            next: 0,
        });
        Cell::node(Tag::Object, id)
    }

    /// The cells of a row; none for a range that is out of bounds.
    #[inline(always)]
    pub(crate) fn range(&self, start: u32, len: u32) -> &[Cell] {
        self.cells.get(start as usize..start as usize + len as usize).unwrap_or(&[])
    }

    /// The items of a list, tuple or set, or the rows of a dict, keys and values in turn; nothing for any other.
    #[inline]
    pub(crate) fn items(&self, cell: Cell) -> &[Cell] {
        let Fixed { start, len } = self.item_range(cell);
        self.range(start, len)
    }

    /// Where these lie among the cells.
    #[inline]
    pub(crate) fn item_range(&self, cell: Cell) -> Fixed {
        let Row { start, len, .. } = match cell.tag() {
            Tag::List => self.lists[cell],
            Tag::Tuple => return self.tuples[cell],
            Tag::Dict => self.dicts[cell].row,
            Tag::Set | Tag::FrozenSet => self.sets[cell].row,
            _ => Row::default(),
        };
        Fixed { start, len }
    }

    #[inline(always)]
    pub(crate) fn row(&self, row: Row) -> &[Cell] {
        self.range(row.start, row.len)
    }

    /// The bytes of a text, bytes, 8-bit string, bytearray or big integer.
    #[inline(always)]
    pub(crate) fn payload(&self, cell: Cell) -> &[u8] {
        self.payloads.get(self.spans[cell])
    }

    /// Adds items at the end of a list.
    #[inline(always)]
    pub(crate) fn extend_list(&mut self, list: Cell, items: &[Cell]) {
        if let Some(row) = self.lists.get_mut(list) {
            extend_row(&mut self.cells, &mut self.growth, row, items);
        }
    }

    /// Lets payloads that lie in `input` stay there.
    pub(crate) fn share_input(&mut self, input: Bytes) {
        self.payloads.input = input;
    }

    /// Copies a whole input into an arena without nodes: what lies at an offset of the input lies there in the text.
    pub(crate) fn copy_input(&mut self, input: &[u8]) {
        let text = &mut self.payloads.text;
        text.clear();
        text.extend_from_slice(input);
        // The last payload, too, has a head of fixed width.
        text.extend_from_slice(&[0; Span::HEAD]);
    }

    /// How far each arena reaches.
    pub(crate) fn extent(&self) -> Extent {
        Extent([
            self.cells.len(),
            self.lists.len(),
            self.tuples.len(),
            self.dicts.len(),
            self.sets.len(),
            self.spans.len(),
            self.floats.len(),
            self.complexes.len(),
            self.globals.len(),
            self.buffers.len(),
            self.persistents.len(),
            self.objects.len(),
            self.lives.len(),
        ])
    }

    /// Whether all nodes are there that were before the graph was handed to code of the caller's.
    pub(crate) fn check_covers(&self, before: &Extent) -> Result<()> {
        if self.extent().covers(before) {
            return Ok(());
        }
        let expected = "the graph that was handed out, with nothing taken out of it";
        Err(Error::new(ErrorKind::Resolver, expected, "another in its place"))
    }
}

/// Adds cells to a row: in place where there is room or the row ends the arena, else as a copy twice as long.
#[inline(always)]
pub(crate) fn extend_row(cells: &mut Vec<Cell>, growth: &mut Growth, row: &mut Row, items: &[Cell]) {
    let end = row.start as usize + row.len as usize;
    if row.cap == 0 {
        row.start = next_id(cells.len());
        cells.extend_from_slice(items);
        row.len = next_id(items.len());
        row.cap = row.len;
    } else if items.len() <= (row.cap - row.len) as usize {
        cells[end..end + items.len()].copy_from_slice(items);
        row.len += items.len() as u32;
    } else {
        grow_row(cells, growth, row, items);
    }
}

#[inline(never)]
fn grow_row(cells: &mut Vec<Cell>, growth: &mut Growth, row: &mut Row, items: &[Cell]) {
    let (start, len) = (row.start as usize, row.len as usize);
    if start + row.cap as usize == cells.len() {
        cells.truncate(start + len);
        cells.extend_from_slice(items);
        row.len = next_id(len + items.len());
        row.cap = row.len;
        return;
    }
    let cap = (2 * len).max(len + items.len());
    let wanted = cells.len() + cap;
    if wanted > growth.most {
        growth.refused = wanted;
        return;
    }
    next_id(cells.len() + cap);
    row.start = next_id(cells.len());
    cells.extend_from_within(start..start + len);
    cells.extend_from_slice(items);
    cells.resize(row.start as usize + cap, Cell::HOLE);
    row.len = next_id(len + items.len());
    row.cap = next_id(cap);
}
