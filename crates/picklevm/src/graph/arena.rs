//! The arenas that hold all nodes of a graph, one per kind of node, addressed by 32-bit ids.

use std::sync::Arc;

use bytes::Bytes;
use picklevm_ops::internal::int_from_le_bytes;

use super::cell::{Cell, Tag};
use super::hash::Hashes;
use super::memoized::Memoized;
use super::native::NativeObject;
use super::nodes::{DefaultNode, Nodes};
use super::number::trimmed_len;
use super::object::{Construction, ObjectNode, OpKind, OpNode};
use super::outer_calls::OuterCalls;
use super::payloads::{Payloads, Span};
use super::table::Table;
use crate::error::{Error, ErrorKind, Result};

/// All nodes of a graph.
///
/// A [`Graph`](super::Graph) is a reference-counted handle of an `Arena` and dereferences to it. The methods to read,
/// build and edit graphs are documented here and called on a `Graph`.
#[derive(Clone, Default)]
pub struct Arena {
    /// The items of lists, tuples and sets and the rows of dicts. Each container is a range.
    pub(crate) cells: Vec<Cell>,
    pub(crate) lists: Nodes<Row, { Tag::List as u8 }, { Tag::List as u8 }>,
    pub(crate) tuples: Nodes<Fixed, { Tag::Tuple as u8 }, { Tag::Tuple as u8 }>,
    pub(crate) dicts: Nodes<Keyed, { Tag::Dict as u8 }, { Tag::Dict as u8 }>,
    /// Sets and frozensets.
    pub(crate) sets: Nodes<Keyed, { Tag::Set as u8 }, { Tag::FrozenSet as u8 }>,
    /// Texts, bytes, 8-bit strings, bytearrays and big integers.
    pub(crate) spans: Nodes<Span, { Tag::BigInt as u8 }, { Tag::ByteArray as u8 }>,
    /// Floats that do not fit in a cell.
    pub(crate) floats: Nodes<f64, { Tag::WideFloat as u8 }, { Tag::WideFloat as u8 }>,
    /// Complex numbers: real and imaginary parts.
    pub(crate) complexes: Nodes<[f64; 2], { Tag::Complex as u8 }, { Tag::Complex as u8 }>,
    pub(crate) globals: Nodes<GlobalNode, { Tag::Global as u8 }, { Tag::Global as u8 }>,
    pub(crate) buffers: Nodes<BufferNode, { Tag::Buffer as u8 }, { Tag::Buffer as u8 }>,
    /// The ids of persistent references.
    pub(crate) persistents: Nodes<Cell, { Tag::Persistent as u8 }, { Tag::Persistent as u8 }>,
    pub(crate) objects: Nodes<ObjectNode, { Tag::Object as u8 }, { Tag::Object as u8 }>,
    /// Operations on objects after their first one.
    pub(crate) ops: Vec<OpNode>,
    pub(crate) natives: Nodes<Arc<dyn NativeObject>, { Tag::NativeObject as u8 }, { Tag::NativeObject as u8 }>,
    pub(crate) payloads: Payloads,
    /// The hash tables of large dicts and sets.
    pub(crate) tables: Vec<Table>,
    /// An unused hash table whose memory the next one reuses.
    pub(crate) spare: Option<Table>,
    /// The number of rows for which hash tables are still to be built, once all rows are added.
    pub(crate) table_rows: usize,
    pub(crate) growth: Growth,
    /// Dicts and sets with rows that are not in their hash table yet.
    pub(crate) unsettled: Vec<Cell>,
    /// Hashes of keys that are slow to hash: tuples, frozensets and long payloads.
    pub(crate) hashes: Hashes,
    pub(crate) roots: Vec<Cell>,
    /// Objects that were made only for their effect, in the order in which they were dropped.
    pub(crate) effects: Vec<Cell>,
    pub(crate) outer_calls: OuterCalls,
    /// The protocol of the newest pickle; `None` if none was loaded. Below 3, globals have Python 2 names; from 4 on,
    /// their names are values that may be shared.
    pub(crate) protocol: Option<u8>,
    /// The nodes that the pickles put into their memos, if that may not be all: only for pickles of cPickle.
    pub(crate) memoized: Option<Box<Memoized>>,
    /// Whether no node has two references, as in a pickle without GET and without calls.
    pub(crate) is_tree: Known,
}

/// The maximum number of cells, and whether more were requested.
///
/// One opcode can double the capacity of a list that takes most of the memory that a load may hold. Such a list is not
/// grown: the load ends in an error at the next check of the limits, or at the end of the pickle.
#[derive(Clone, Copy)]
pub(crate) struct Growth {
    pub(crate) most: usize,
    /// 0, or the number of cells that were requested beyond `most`.
    pub(crate) refused: usize,
}

impl Default for Growth {
    fn default() -> Self {
        Growth { most: usize::MAX, refused: 0 }
    }
}

/// A property that is known until the graph is changed. It is unknown in a copy, which is made to be changed.
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

/// A range of cells of fixed length: a tuple.
#[derive(Clone, Copy)]
pub(crate) struct Fixed {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Fixed {
    /// Returns the range without its first `count` cells.
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

impl DefaultNode for Row {
    const DEFAULT: &'static Row = &Row { start: 0, len: 0, cap: 0 };
}

impl DefaultNode for Fixed {
    const DEFAULT: &'static Fixed = &Fixed { start: 0, len: 0 };
}

impl DefaultNode for Keyed {
    const DEFAULT: &'static Keyed = &Keyed { row: *Row::DEFAULT, table: 0 };
}

impl DefaultNode for f64 {
    const DEFAULT: &'static f64 = &0.0;
}

impl DefaultNode for [f64; 2] {
    const DEFAULT: &'static [f64; 2] = &[0.0; 2];
}

/// A persistent id.
impl DefaultNode for Cell {
    const DEFAULT: &'static Cell = &Cell::NONE;
}

impl DefaultNode for GlobalNode {
    const DEFAULT: &'static GlobalNode = &GlobalNode { module: Cell::NONE, name: Cell::NONE, is_one_name: false };
}

impl DefaultNode for BufferNode {
    const DEFAULT: &'static BufferNode = &BufferNode { index: 0, readonly: true, data: None };
}

/// A global: module and name, each a text.
#[derive(Clone, Copy)]
pub(crate) struct GlobalNode {
    pub(crate) module: Cell,
    pub(crate) name: Cell,
    /// Whether the name is one attribute of the module even if it has dots, as GLOBAL reads it below protocol 4.
    /// Otherwise a dotted name is the qualified name of something nested in a class.
    pub(crate) is_one_name: bool,
}

/// An out-of-band buffer.
#[derive(Clone)]
pub(crate) struct BufferNode {
    pub(crate) index: u32,
    pub(crate) readonly: bool,
    pub(crate) data: Option<Bytes>,
}

/// The length of each arena: every id below it has a node.
#[derive(Clone, Copy)]
pub(crate) struct Extent([usize; 13]);

impl Extent {
    /// Whether this extent includes all nodes of another.
    fn covers(&self, other: &Extent) -> bool {
        self.0.iter().zip(&other.0).all(|(mine, others)| mine >= others)
    }
}

/// Returns the id of the next node of an arena.
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

    /// Adds an integer in little-endian two's complement; redundant sign bytes are dropped.
    #[inline(always)]
    pub(crate) fn new_int_le(&mut self, bytes: &[u8]) -> Cell {
        match int_from_le_bytes(bytes) {
            Some(value) => self.new_int(value),
            None => self.new_long(bytes),
        }
    }

    #[inline(never)]
    fn new_long(&mut self, bytes: &[u8]) -> Cell {
        let trimmed = &bytes[..trimmed_len(bytes)];
        match int_from_le_bytes(trimmed) {
            Some(value) => self.new_int(value),
            None => self.new_big_int(trimmed),
        }
    }

    #[inline(always)]
    fn new_big_int(&mut self, payload: &[u8]) -> Cell {
        let span = self.payloads.keep(payload);
        self.push_span(Tag::BigInt, span)
    }

    /// Adds a `long` of Python 2 that fits 64 bits. It is distinguished from an `int` only because it is written with a
    /// different opcode.
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

    /// Adds a text (`surrogates`: whether it holds any), bytes or an 8-bit string.
    #[inline(always)]
    pub(crate) fn new_text(&mut self, tag: Tag, payload: &[u8], surrogates: bool) -> Cell {
        let span = self.payloads.keep(payload);
        self.push_text(tag, payload, span.with_surrogates(surrogates))
    }

    /// Adds a text, bytes or an 8-bit string whose payload is stored in `span`.
    #[inline(always)]
    pub(crate) fn push_text(&mut self, tag: Tag, payload: &[u8], span: Span) -> Cell {
        let id = self.spans.push(span);
        Cell::payload(tag, id, payload)
    }

    /// Adds bytes, an 8-bit string or a bytearray that share a block.
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

    /// Adds an empty set, or an empty frozenset that the caller fills before it is used.
    #[inline(always)]
    pub(crate) fn new_set(&mut self, tag: Tag) -> Cell {
        let id = self.sets.push(Keyed::default());
        Cell::node(tag, id)
    }

    pub(crate) fn new_global(&mut self, module: Cell, name: Cell) -> Cell {
        let id = self.globals.push(GlobalNode { module, name, is_one_name: false });
        Cell::node(Tag::Global, id)
    }

    /// Adds a global of the pickle that is being loaded.
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
            args_memoized: false,
            next: 0,
        });
        Cell::node(Tag::Object, id)
    }

    /// Returns a range of cells; none if it is out of bounds.
    #[inline(always)]
    pub(crate) fn range(&self, start: u32, len: u32) -> &[Cell] {
        self.cells.get(start as usize..start as usize + len as usize).unwrap_or(&[])
    }

    /// Returns the items of a list, tuple or set, or the keys and values of a dict in turn; none for any other value.
    #[inline]
    pub(crate) fn items(&self, cell: Cell) -> &[Cell] {
        let Fixed { start, len } = self.item_range(cell);
        self.range(start, len)
    }

    /// Returns the range of [`items`](Arena::items) in the cells.
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

    /// Returns the bytes of a text, bytes, 8-bit string, bytearray or big integer.
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

    /// Shares `input`: payloads in it are not copied.
    pub(crate) fn share_input(&mut self, input: Bytes) {
        self.payloads.input = input;
    }

    /// Copies a whole input into an empty arena: offsets in the input are offsets in the text.
    pub(crate) fn copy_input(&mut self, input: &[u8]) {
        let text = &mut self.payloads.text;
        text.clear();
        text.extend_from_slice(input);
        // The last payload, too, can be read with a head of fixed length.
        text.extend_from_slice(&[0; Span::HEAD]);
    }

    /// Returns the length of each arena.
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
            self.natives.len(),
        ])
    }

    /// Checks that no nodes were removed while caller code had the graph.
    pub(crate) fn check_covers(&self, before: &Extent) -> Result<()> {
        if self.extent().covers(before) {
            return Ok(());
        }
        let expected = "the same graph after a call of caller code";
        Err(Error::new(ErrorKind::Resolver, expected, "a graph with nodes removed"))
    }
}

/// Adds cells to a row: in place if its capacity suffices or the row is the last of the arena, else in a copy of twice
/// the length.
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
