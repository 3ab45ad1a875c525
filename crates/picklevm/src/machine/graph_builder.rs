//! The builder that makes a value graph.

use num_bigint::{BigInt, Sign};
use picklevm_ops::internal::{ShortInt, int_from_le_bytes};
use picklevm_ops::{IntValue, Number, Opcode, Text};

use super::builder::Builder;
use super::dropped_calls::SEARCH_WORK_LIMIT;
use super::hooks::Session;
use super::memo::Slot;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{
    Arena, BufferNode, Cell, Construction, Entries, Growth, Items, Known, OpKind, Tag, Unhashable, Value, describe,
    from_digits,
};
use crate::limits;
use crate::options::Options;

impl Slot for Cell {
    const HOLE: Cell = Cell::HOLE;

    #[inline(always)]
    fn is_hole(&self) -> bool {
        *self == Cell::HOLE
    }
}

/// Makes the nodes of one load in an arena.
pub(crate) struct GraphBuilder<'a> {
    pub(super) arena: &'a mut Arena,
    pub(super) options: &'a Options,
    pub(super) session: &'a mut Session,
    /// Address and length of an input that was copied as a whole.
    pub(super) copied: (usize, usize),
    /// Payload bytes that may still be held.
    pub(super) payload_left: u64,
    /// Number of roots that earlier loads have left.
    pub(super) roots: usize,
    /// Comparisons that may still be made for dropped calls; each dropped call adds some.
    pub(super) search_work_left: usize,
    /// Whether no value was fetched, and none was made by other code: see [`Arena::is_tree`].
    pub(super) is_tree: bool,
    /// Whether LONG distinguishes a `long` of Python 2 from an `int`: up to protocol 2.
    pub(super) has_longs: bool,
}

impl<'a> GraphBuilder<'a> {
    #[inline(always)]
    pub(crate) fn new(arena: &'a mut Arena, options: &'a Options, session: &'a mut Session) -> Self {
        arena.protocol = Some(0);
        let roots = arena.roots.len();
        let held = if roots == 0 { 0 } else { arena.held_bytes() as u64 };
        let payload_left = options.limits.bytes.saturating_sub(held);
        arena.is_tree = Known::default();
        let is_tree = roots == 0;
        let most = usize::try_from(options.limits.bytes).unwrap_or(usize::MAX) / size_of::<Cell>();
        arena.growth = Growth { most, refused: 0 };
        GraphBuilder {
            arena,
            options,
            session,
            copied: (0, 0),
            payload_left,
            roots,
            search_work_left: SEARCH_WORK_LIMIT,
            is_tree,
            has_longs: true,
        }
    }

    #[cold]
    #[inline(never)]
    fn wrong_type(&self, expected: &'static str, found: Cell) -> Error {
        Error::new(ErrorKind::Type, expected, describe(self.arena, found))
    }

    #[cold]
    #[inline(never)]
    fn unhashable(&self, unhashable: Unhashable) -> Error {
        unhashable.error(self.arena)
    }

    /// Checks that a value may be callable.
    #[inline(always)]
    fn check_callable(&self, class: Cell) -> Result<()> {
        match class.tag() {
            Tag::Global | Tag::Ext | Tag::Object | Tag::Persistent | Tag::NativeObject => Ok(()),
            _ => {
                Err(self
                    .wrong_type("a callable: a global, an extension code, an object or a persistent reference", class))
            }
        }
    }

    #[inline(always)]
    fn check_args(&self, args: Cell) -> Result<()> {
        match args.tag() {
            Tag::Tuple | Tag::EmptyTuple => Ok(()),
            _ => Err(self.wrong_type("a tuple of arguments", args)),
        }
    }

    /// Makes an instance as Python 2 does.
    fn construct(&mut self, how: Construction, class: Cell, args: &[Cell]) -> Result<Cell> {
        let args = self.arena.new_tuple(args);
        if self.may_call(class)
            && let Some(value) = self.call(how, class, args, Cell::HOLE)?
        {
            return Ok(value);
        }
        Ok(self.arena.new_object(how, class, args))
    }

    fn add_keys(&mut self, set: Cell, items: &[Cell]) -> Result<()> {
        self.arena.add_rows(set, items).map_err(|e| self.unhashable(e))
    }
}

impl Builder for GraphBuilder<'_> {
    type Value = Cell;

    const OBSERVES_FETCHES: bool = true;

    const OBSERVES_MEMO: bool = true;

    #[inline(always)]
    fn fetched(&mut self) {
        self.is_tree = false;
    }

    #[inline(always)]
    fn none(&mut self) -> Cell {
        Cell::NONE
    }

    #[inline(always)]
    fn bool(&mut self, value: bool) -> Cell {
        Cell::bool(value)
    }

    #[inline(always)]
    fn int(&mut self, value: i64) -> Result<Cell> {
        Ok(self.arena.new_int(value))
    }

    #[inline(always)]
    fn short_int(&mut self, int: ShortInt<'_>) -> Result<Cell> {
        if self.has_longs && int.opcode() == Opcode::Long1 {
            return Ok(self.arena.new_short_long(int.value()));
        }
        Ok(self.arena.new_int(int.value()))
    }

    #[inline(always)]
    fn int_le(&mut self, bytes: &[u8]) -> Result<Cell> {
        self.pay(bytes.len())?;
        if self.has_longs
            && let Some(value) = int_from_le_bytes(bytes)
        {
            return self.short_long(value);
        }
        Ok(self.arena.new_int_le(bytes))
    }

    #[inline(never)]
    fn number(&mut self, number: Number<'_>) -> Result<Cell> {
        match number.value() {
            IntValue::Bool(value) => Ok(Cell::bool(value)),
            // INT does not end with `L`.
            IntValue::Small(value) if self.has_longs && number.text().ends_with(b"L") => self.short_long(value),
            IntValue::Small(value) => Ok(self.arena.new_int(value)),
            IntValue::Big { negative, radix, digits } => {
                // Bases other than ten take linear time.
                if radix == 10 {
                    limits::check("digits", "digits", self.options.limits.digits, digits.len() as u64)?;
                }
                self.pay(digits.len())?;
                let size = from_digits(&digits, radix)
                    .ok_or_else(|| Error::new(ErrorKind::Malformed, "digits of an integer", "other characters"))?;
                let value = BigInt::from_biguint(if negative { Sign::Minus } else { Sign::Plus }, size);
                Ok(self.arena.new_int_le(&value.to_signed_bytes_le()))
            }
        }
    }

    #[inline(always)]
    fn float(&mut self, value: f64) -> Result<Cell> {
        Ok(self.arena.new_float(value))
    }

    #[inline(always)]
    fn text(&mut self, text: Text<'_>) -> Result<Cell> {
        self.payload(Tag::Str, text.as_bytes(), !text.is_utf8())
    }

    #[inline(always)]
    fn bytes(&mut self, bytes: &[u8]) -> Result<Cell> {
        self.payload(Tag::Bytes, bytes, false)
    }

    fn byte_str(&mut self, bytes: &[u8]) -> Result<Cell> {
        if self.options.decodes() {
            return self.decode(bytes);
        }
        self.payload(Tag::ByteStr, bytes, false)
    }

    fn byte_array(&mut self, bytes: &[u8]) -> Result<Cell> {
        self.payload(Tag::ByteArray, bytes, false)
    }

    #[inline(always)]
    fn tuple(&mut self, items: &mut [Cell]) -> Result<Cell> {
        Ok(self.arena.new_tuple(items))
    }

    #[inline(always)]
    fn list(&mut self, items: &mut [Cell]) -> Result<Cell> {
        Ok(self.arena.new_list(items))
    }

    #[inline(always)]
    fn dict(&mut self, pairs: &[Cell]) -> Result<Cell> {
        let dict = self.arena.new_dict();
        if !pairs.is_empty() {
            self.add_keys(dict, pairs)?;
        }
        Ok(dict)
    }

    fn set(&mut self) -> Result<Cell> {
        Ok(self.arena.new_set(Tag::Set))
    }

    fn frozenset(&mut self, items: &[Cell]) -> Result<Cell> {
        self.check_tables(items.len())?;
        let set = self.arena.new_set(Tag::FrozenSet);
        self.add_keys(set, items)?;
        self.arena.settle(set);
        Ok(set)
    }

    #[inline(always)]
    fn append(&mut self, target: Cell, items: &mut [Cell]) -> Result<()> {
        match target.tag() {
            Tag::List => self.arena.extend_list(target, items),
            Tag::Object => self.arena.object_op(target, OpKind::Append, items),
            Tag::NativeObject => return self.change(target, |native, arena| native.append(Items::new(arena, items))),
            _ => return Err(self.wrong_type("a list or an object below the items", target)),
        }
        Ok(())
    }

    #[inline(always)]
    fn set_items(&mut self, target: Cell, pairs: &[Cell]) -> Result<()> {
        match target.tag() {
            Tag::Dict => self.add_keys(target, pairs)?,
            Tag::Object => self.arena.object_op(target, OpKind::SetItem, pairs),
            Tag::NativeObject => {
                return self.change(target, |native, arena| native.set_items(Entries::new(arena, pairs)));
            }
            _ => return Err(self.wrong_type("a dict or an object below the keys and values", target)),
        }
        Ok(())
    }

    fn add_items(&mut self, target: Cell, items: &[Cell]) -> Result<()> {
        match target.tag() {
            Tag::Set => self.add_keys(target, items)?,
            Tag::Object => self.arena.object_op(target, OpKind::Add, items),
            Tag::NativeObject => return self.change(target, |native, arena| native.add(Items::new(arena, items))),
            _ => return Err(self.wrong_type("a set or an object below the items", target)),
        }
        Ok(())
    }

    fn global(&mut self, module: Text<'_>, name: Text<'_>) -> Result<Cell> {
        self.is_tree = false;
        let module = self.text(module)?;
        let name = self.text(name)?;
        self.resolve(module, name)
    }

    fn stack_global(&mut self, module: Cell, name: Cell) -> Result<Cell> {
        self.is_tree = false;
        for part in [name, module] {
            if !part.is(Tag::Str) {
                return Err(self.wrong_type("a str as the name of a global", part));
            }
        }
        self.resolve_shared(module, name)
    }

    fn ext(&mut self, code: i32) -> Result<Cell> {
        self.is_tree = false;
        self.extension(code)
    }

    #[inline(always)]
    fn reduce(&mut self, callable: Cell, args: Cell, last_memoized: impl FnOnce() -> Option<Cell>) -> Result<Cell> {
        self.check_callable(callable)?;
        self.check_args(args)?;
        if self.may_call(callable) {
            if let Some(value) = self.call(Construction::Reduce, callable, args, Cell::HOLE)? {
                return Ok(value);
            }
            if self.is_getattr(callable) && last_memoized() == Some(args) {
                return Ok(self.attribute(callable, args));
            }
        }
        Ok(self.arena.new_object(Construction::Reduce, callable, args))
    }

    #[inline(always)]
    fn new_obj(&mut self, class: Cell, args: Cell) -> Result<Cell> {
        self.check_callable(class)?;
        self.check_args(args)?;
        if self.may_call(class)
            && let Some(value) = self.call(Construction::NewObj, class, args, Cell::HOLE)?
        {
            return Ok(value);
        }
        Ok(self.arena.new_object(Construction::NewObj, class, args))
    }

    fn new_obj_ex(&mut self, class: Cell, args: Cell, kwargs: Cell) -> Result<Cell> {
        self.check_callable(class)?;
        self.check_args(args)?;
        if !kwargs.is(Tag::Dict) {
            return Err(self.wrong_type("a dict of keyword arguments", kwargs));
        }
        if self.may_call(class)
            && let Some(value) = self.call(Construction::NewObjEx, class, args, kwargs)?
        {
            return Ok(value);
        }
        let both = self.arena.new_tuple(&[args, kwargs]);
        Ok(self.arena.new_object(Construction::NewObjEx, class, both))
    }

    fn inst(&mut self, class: Cell, args: &[Cell]) -> Result<Cell> {
        self.construct(Construction::Inst, class, args)
    }

    fn obj(&mut self, class: Cell, args: &[Cell]) -> Result<Cell> {
        self.check_callable(class)?;
        self.construct(Construction::Obj, class, args)
    }

    #[inline(always)]
    fn build(&mut self, target: Cell, state: Cell) -> Result<()> {
        if target.is(Tag::NativeObject) {
            return self.change(target, |native, arena| native.set_state(Value::new(arena, state)));
        }
        if !target.is(Tag::Object) {
            return Err(self.wrong_type("an object that can have a state", target));
        }
        self.arena.object_op(target, OpKind::Build, &[state]);
        Ok(())
    }

    fn persistent(&mut self, pid: Cell) -> Result<Cell> {
        self.is_tree = false;
        self.persistent_load(pid)
    }

    fn next_buffer(&mut self) -> Result<Cell> {
        self.is_tree = false;
        self.buffer()
    }

    fn readonly_buffer(&mut self, buffer: Cell) -> Result<Cell> {
        if !buffer.is(Tag::Buffer) {
            return Ok(buffer);
        }
        let node = self.arena.buffers[buffer].clone();
        Ok(self.arena.new_buffer(BufferNode { readonly: true, ..node }))
    }

    #[inline(always)]
    fn memoized(&mut self, value: &Cell) {
        if let Some(object) = self.arena.objects.get_mut(*value) {
            object.memoized = true;
        }
    }

    fn is_call(&self, value: &Cell) -> bool {
        value.is(Tag::Object)
    }

    fn dropped(&mut self, call: Cell, fetched: Option<Cell>) {
        self.place_dropped(call, fetched);
    }

    fn protocol(&mut self, version: u8) {
        self.arena.protocol = Some(version);
        self.has_longs = version < 3;
    }

    fn is_empty(&self) -> bool {
        self.arena.roots.is_empty()
    }

    #[inline(always)]
    fn node_count(&self) -> u64 {
        (self.arena.node_count() + self.arena.ops.len()) as u64
    }

    fn held_bytes(&self) -> u64 {
        let held = self.arena.held_bytes() + self.session.held_bytes();
        let refused = self.arena.growth.refused * size_of::<Cell>();
        held.max(refused) as u64
    }

    fn cells(&self) -> u64 {
        self.arena.cells.len() as u64
    }

    fn extrapolate(&mut self, done: u64, total: u64) {
        self.arena.extrapolate(done, total);
    }

    #[inline]
    fn finish(&mut self, root: &Cell, memo: &[Cell]) -> Result<()> {
        if self.arena.growth.refused > 0 {
            self.check_growth()?;
        }
        self.arena.growth = Growth::default();
        self.arena.settle_all();
        if self.has_longs && memo.first().is_none_or(|first| first.is_hole()) {
            self.note_memo(memo);
        }
        // A resolver that edits the graph cannot change its root.
        self.arena.roots.truncate(self.roots);
        self.arena.roots.push(*root);
        if !self.arena.effects.is_empty() {
            self.arena.drop_reached_effects();
        }
        self.arena.is_tree = Known(self.is_tree);
        let most = self.options.limits.nesting;
        if most < u64::MAX {
            limits::check("nesting", "levels of nesting", most, self.arena.nesting(*root))?;
        }
        Ok(())
    }
}

impl GraphBuilder<'_> {
    /// Makes a call of `getattr` whose arguments were put into the memo.
    #[cold]
    fn attribute(&mut self, getattr: Cell, args: Cell) -> Cell {
        let call = self.arena.new_object(Construction::Reduce, getattr, args);
        if let Some(object) = self.arena.objects.get_mut(call) {
            object.args_memoized = true;
        }
        call
    }

    /// Makes an integer from LONG in a pickle of Python 2, where a `long` may be small.
    fn short_long(&mut self, value: i64) -> Result<Cell> {
        self.pay(size_of::<i64>())?;
        Ok(self.arena.new_short_long(value))
    }

    /// Records the memoized values of a pickle that may have been written by cPickle.
    #[cold]
    #[inline(never)]
    fn note_memo(&mut self, memo: &[Cell]) {
        // If an earlier pickle memoized everything, nothing is recorded.
        let before = self.arena.memoized.take();
        if before.is_some() || self.roots == 0 {
            let mut memoized = before.unwrap_or_default();
            memoized.note(self.arena, memo);
            self.arena.memoized = Some(memoized);
        }
    }
}
