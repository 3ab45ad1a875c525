//! Writes objects: class, arguments, the opcode that makes the object, and its changes. `save_reduce` of CPython's picklers.

use picklevm_ops::{Op, Sink};
use smallvec::SmallVec;

use super::containers::unbroken_cycle;
use super::memo::Entry;
use super::outer_calls::is_call_of_partial;
use super::{BareOp, Emitter, Place, Step, unrepresentable};
use crate::error::Result;
use crate::graph::{Cell, Construction, OpKind, Tag};
use crate::python::is_builtins;

/// An object found inside its own arguments.
pub(super) struct Reentry {
    /// Number of starts before it was made the first time.
    pub(super) entries: u32,
    /// Number of times it was made.
    pub(super) made: u32,
    /// Place of its arguments at the next start: more guarded each time that they lead back to it only through new values.
    pub(super) place: Place,
}

/// Maximum number of steps searched for a container between two starts of an object.
const SEARCH_WORK_LIMIT: usize = 10_000;

impl<S: Sink> Emitter<'_, '_, S> {
    pub(super) fn object(&mut self, cell: Cell, slot: usize, entry: Entry) -> Result<()> {
        if self.options.writer.quirks().bare_paths && self.protocol < 4 && self.is_path(cell) {
            return self.path(cell, slot);
        }
        if entry == Entry::NONE
            && let Some(begun) = self.begin_outer_call(cell)
        {
            return begun;
        }
        let place = self.enter(cell, slot, entry)?;
        self.begin_object(cell, cell, place, Step::Finish)
    }

    /// Writes class and arguments of a call, and pushes the step that ends the object that it makes: mostly its own.
    pub(super) fn begin_object(
        &mut self,
        cell: Cell,
        object: Cell,
        place: Place,
        end: fn(Cell, BareOp) -> Step,
    ) -> Result<()> {
        let node = self.arena.objects[cell];
        let (class, protocol) = (node.class, self.protocol);
        match node.how {
            Construction::Reduce | Construction::NewObj if node.how == Construction::Reduce || protocol >= 2 => {
                let op = if node.how == Construction::Reduce { BareOp::Reduce } else { BareOp::NewObj };
                self.steps.push(end(object, op));
                self.steps.push(Step::Save(node.args, place));
                self.callable(class)
            }
            Construction::NewObjEx if protocol >= 4 => {
                let (args, kwargs) = self.arguments_and_keywords(node.args);
                self.steps.push(end(object, BareOp::NewObjEx));
                self.steps.push(Step::Save(kwargs, place));
                self.steps.push(Step::Save(args, place));
                self.callable(class)
            }
            Construction::NewObjEx if protocol >= 2 => self.new_obj_ex_by_partial(cell, object, place, end),
            Construction::NewObjEx => {
                let (args, kwargs) = self.arguments_and_keywords(node.args);
                self.synthetic_global("copyreg", "__newobj_ex__")?;
                self.tuple_start(3)?;
                self.steps.extend([
                    end(object, BareOp::Reduce),
                    Step::Op(BareOp::Tuple(3)),
                    Step::Save(kwargs, place),
                    Step::Save(args, place),
                ]);
                self.callable(class)
            }
            Construction::Reduce | Construction::NewObj => {
                self.synthetic_global("copyreg", "__newobj__")?;
                let args = self.arena.item_range(node.args);
                let len = 1 + args.len as usize;
                self.tuple_start(len)?;
                self.steps.extend([end(object, BareOp::Reduce), tuple_of(len), Step::Each(args)]);
                self.callable(class)
            }
            Construction::Inst | Construction::Obj => {
                if self.arena.item_range(node.args).len > 0 {
                    self.keep_alive();
                }
                self.op(Op::Mark)?;
                let args = Step::Each(self.arena.item_range(node.args));
                let by_name = class.is(Tag::Global) && (protocol >= 4 || !self.is_nested(class));
                if by_name && (node.how == Construction::Inst || protocol == 0) {
                    self.steps.extend([end(object, BareOp::Inst), args]);
                    return Ok(());
                }
                if protocol == 0 {
                    return Err(unrepresentable("a class by name for OBJ at protocol 0", "another callable"));
                }
                self.steps.extend([end(object, BareOp::Obj), args]);
                self.callable(class)
            }
        }
    }

    /// Takes a memo index for the values kept alive, if the pickler does.
    fn keep_alive(&mut self) {
        if self.options.writer.quirks().keeps_alive {
            self.memo.keep_alive();
        }
    }

    /// Writes the callable. It is a separate step if compound, since calls may be nested to any depth.
    fn callable(&mut self, class: Cell) -> Result<()> {
        self.boundary()?;
        if !self.atom(class)? {
            self.steps.push(Step::Save(class, Place::DATA));
        }
        Ok(())
    }

    /// Returns arguments and keyword arguments of a NEWOBJ_EX object.
    fn arguments_and_keywords(&self, both: Cell) -> (Cell, Cell) {
        match self.arena.items(both) {
            [args, kwargs] => (*args, *kwargs),
            _ => (Cell::EMPTY_TUPLE, Cell::NONE),
        }
    }

    /// Writes `functools.partial(cls.__new__, cls, *args, **kwargs)()`: protocols 2 and 3 have no NEWOBJ_EX.
    fn new_obj_ex_by_partial(
        &mut self,
        cell: Cell,
        object: Cell,
        place: Place,
        end: fn(Cell, BareOp) -> Step,
    ) -> Result<()> {
        let node = self.arena.objects[cell];
        let (args, kwargs) = self.arguments_and_keywords(node.args);
        let args = self.arena.item_range(args);
        let len = 1 + args.len as usize;
        self.synthetic_global("functools", "partial")?;
        self.steps.extend([
            end(object, BareOp::Reduce),
            Step::Op(BareOp::EmptyTuple),
            Step::Op(BareOp::Build),
            Step::Op(BareOp::Tuple(4)),
            Step::Op(BareOp::None),
            Step::Save(kwargs, place),
            tuple_of(len),
            Step::Each(args),
            Step::Save(node.class, Place::DATA),
        ]);
        if len > 3 {
            self.steps.push(Step::Op(BareOp::Mark));
        }
        self.steps.extend([
            Step::NewMethod(node.class),
            Step::Op(BareOp::Mark),
            Step::Op(BareOp::ReducePut),
            Step::Op(BareOp::Tuple(1)),
            Step::NewMethod(node.class),
        ]);
        Ok(())
    }

    /// Writes `getattr(cls, '__new__')`, which is fetched from the second time on.
    pub(super) fn new_method(&mut self, class: Cell) -> Result<()> {
        if let Some(number) = self.new_methods.as_ref().and_then(|known| known.get(&class)) {
            let number = *number;
            self.boundary()?;
            return self.get(number);
        }
        self.steps.extend([
            Step::FinishNewMethod(class),
            Step::Op(BareOp::Tuple(2)),
            Step::Name("__new__"),
            Step::Save(class, Place::DATA),
            Step::Getattr,
        ]);
        Ok(())
    }

    pub(super) fn finish_new_method(&mut self, class: Cell) -> Result<()> {
        if !self.options.fast {
            self.new_methods.get_or_insert_default().insert(class, self.memo.next());
        }
        self.bare(BareOp::ReducePut)
    }

    /// Marks an object as open. If it occurs inside its own arguments, it is written again until a container ends the cycle.
    pub(super) fn enter(&mut self, cell: Cell, slot: usize, entry: Entry) -> Result<Place> {
        let mut place = Place::ARGUMENTS;
        if let Some(before) = entry.barriers()
            && !self.options.fast
        {
            let open = self.open_arguments(cell);
            let ends = self.barriers > before || open.iter().any(|argument| self.refcounts().is_shared(*argument));
            let first = Reentry { entries: 1, made: 0, place: Place::ARGUMENTS };
            let reentry = self.reentries.get_or_insert_default().entry(cell).or_insert(first);
            reentry.entries += 1;
            if !ends {
                reentry.place = match reentry.place {
                    Place::GUARDED_ARGUMENTS => return Err(unbroken_cycle()),
                    Place::ARGUMENTS if open.len() > 1 => Place::SHALLOW_ARGUMENTS,
                    _ => Place::GUARDED_ARGUMENTS,
                };
            }
            place = reentry.place;
        }
        self.memo.set(slot, Entry::open(self.barriers));
        Ok(place)
    }

    /// Returns the open lists and dicts in arguments since the last start of the object, innermost first.
    fn open_arguments(&self, object: Cell) -> SmallVec<[Cell; 8]> {
        let since = self.steps.iter().rev().take(SEARCH_WORK_LIMIT);
        since
            .take_while(|step| !matches!(step, Step::Finish(cell, _) if *cell == object))
            .filter_map(|step| match step {
                Step::Open(container) => container.argument(),
                _ => None,
            })
            .collect()
    }

    /// Whether a memoized value is written again: a tuple, list or dict to which only its arguments refer.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn is_fresh(&mut self, cell: Cell, place: Place) -> bool {
        place != Place::DATA && self.reentries.is_some() && self.is_newly_made(cell, place)
    }

    #[inline(never)]
    fn is_newly_made(&mut self, cell: Cell, place: Place) -> bool {
        let can_be = match cell.tag() {
            Tag::Tuple => true,
            Tag::List | Tag::Dict => place != Place::GUARDED_ARGUMENTS,
            _ => false,
        };
        can_be && !self.refcounts().is_shared(cell)
    }

    /// Writes the opcode that makes the object, its PUT and its changes.
    pub(super) fn finish(&mut self, cell: Cell, op: BareOp) -> Result<()> {
        self.make(cell, op)?;
        let slot = self.memo.slot(cell);
        let repeats = self.options.writer.quirks().repeats_changes;
        if let Some(number) = self.memo.entry(slot).number() {
            // It occurred inside its own arguments, and was written completely there.
            self.op(Op::Pop)?;
            self.get(number)?;
            return if repeats { self.begin_changes(cell) } else { Ok(()) };
        }
        self.put(slot)?;
        if self.has_changes(cell) {
            let node = self.arena.objects[cell];
            if matches!(node.how, Construction::Inst | Construction::Obj)
                && node.first_kind == OpKind::Build
                && !node.first.is(Tag::Dict)
            {
                // Only `__getstate__` returns a state that is not a dict.
                self.keep_alive();
            }
        }
        self.begin_changes(cell)
    }

    fn make(&mut self, cell: Cell, op: BareOp) -> Result<()> {
        if op != BareOp::Inst {
            return self.bare(op);
        }
        let class = self.arena.objects[cell].class;
        self.check_findable(class)?;
        let name = self.final_name(class);
        self.check_ascii(name)?;
        self.op(Op::Inst(name.module, name.name))
    }

    /// Writes an object that is made for its effect on its first argument, and popped. It is not memoized.
    pub(super) fn effect(&mut self, cell: Cell) -> Result<()> {
        let node = self.arena.objects[cell];
        self.steps.push(Step::Op(BareOp::Pop));
        if let [target, value] = self.arena.items(node.args)
            && node.how == Construction::Reduce
            && !self.has_changes(cell)
            && !self.refcounts().is_shared(node.args)
        {
            // Like `save_reduce` calls a state setter: the tuple is not memoized, TUPLE2 is used at every protocol.
            self.steps.extend([
                Step::Op(BareOp::Reduce),
                Step::Op(BareOp::Pair),
                Step::Save(*value, Place::DATA),
                Step::Save(*target, Place::DATA),
            ]);
            return self.callable(node.class);
        }
        self.begin_object(cell, cell, Place::ARGUMENTS, Step::FinishEffect)
    }

    /// The same for an effect without an object. Without a PUT, all but a call of a `partial` might be read as an outer call of
    /// what is fetched next.
    pub(super) fn save_effect(&mut self, cell: Cell) -> Result<()> {
        let is_put = !cell.is(Tag::Object)
            || self.arena.objects[cell].memoized
            || self.refcounts().is_shared(cell)
            || !is_call_of_partial(self.arena, cell);
        if is_put {
            return self.save(cell, Place::DATA);
        }
        self.boundary()?;
        self.begin_object(cell, cell, Place::ARGUMENTS, Step::FinishEffect)
    }

    pub(super) fn finish_effect(&mut self, cell: Cell, op: BareOp) -> Result<()> {
        self.make(cell, op)?;
        self.begin_changes(cell)
    }

    /// Whether an object is what CPython writes for a nested class below protocol 4: `getattr(getattr(A, 'B'), 'C')`.
    ///
    /// Without unused PUTs, a pickle does not distinguish it from other calls of `getattr`; it is assumed unless there is
    /// evidence against it.
    fn is_path(&mut self, cell: Cell) -> bool {
        let Some((_, name)) = self.path_step(cell) else { return false };
        // What a method is reduced to. From protocol 4 on, nested classes are globals.
        if self.arena.objects[cell].args_memoized || self.has_shared_names() {
            return false;
        }
        if self.is_called_method(cell, self.arena.payload(name)) {
            return false;
        }
        let mut inner = cell;
        while let Some((parent, _)) = self.path_step(inner) {
            let args = self.arena.objects[inner].args;
            if self.refcounts().is_shared(args) || self.refcounts().is_shared(parent) {
                return false;
            }
            inner = parent;
        }
        if !inner.is(Tag::Global) {
            return false;
        }
        // A memoized class was not written as part of a path.
        let module = self.arena.payload(self.arena.globals[inner].module);
        !is_builtins(module) && self.memo.entry(self.memo.slot(inner)).number().is_none()
    }

    /// Whether an attribute is a class method that makes objects, such as `ZoneInfo._unpickle`. It is reduced.
    pub(super) fn is_called_method(&mut self, attribute: Cell, name: &[u8]) -> bool {
        matches!(name, [b'_', b'a'..=b'z', ..]) && self.refcounts().is_called(attribute)
    }

    /// Returns parent and name, if an object is just a call of `getattr`.
    fn path_step(&self, cell: Cell) -> Option<(Cell, Cell)> {
        if !cell.is(Tag::Object) {
            return None;
        }
        let node = self.arena.objects[cell];
        match self.arena.items(node.args) {
            [parent, name]
                if node.how == Construction::Reduce
                    && name.is(Tag::Str)
                    && self.is_getattr(node.class)
                    && !self.has_changes(cell) =>
            {
                Some((*parent, *name))
            }
            _ => None,
        }
    }

    /// Writes a path ([`is_path`](Self::is_path)): only its target, `getattr` and the names are memoized.
    fn path(&mut self, cell: Cell, slot: usize) -> Result<()> {
        let mut names = Vec::new();
        let mut inner = cell;
        while let Some((parent, name)) = self.path_step(inner) {
            self.save(self.arena.objects[inner].class, Place::DATA)?;
            if self.protocol < 2 {
                self.op(Op::Mark)?;
            }
            names.push(name);
            inner = parent;
        }
        self.global_line(self.final_name(inner))?;
        for name in names.into_iter().rev() {
            self.save(name, Place::DATA)?;
            self.tuple_end(2)?;
            self.op(Op::Reduce)?;
        }
        self.put(slot)
    }
}

/// Returns the step that ends a tuple of `len` items that is not a node.
fn tuple_of(len: usize) -> Step {
    Step::Op(BareOp::Tuple(len.min(4) as u8))
}
