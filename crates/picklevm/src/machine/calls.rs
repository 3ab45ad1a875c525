//! Calls of the callables that a resolver returned for classes and functions, in any form that a pickle makes them.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::builder::Builder;
use super::graph_builder::GraphBuilder;
use super::hooks::describe_class;
use crate::error::Result;
use crate::graph::{
    Arena, Call, Cell, Construction, ConstructorCall, Copies, Items, Kind, NativeObject, Tag, Value, partial_parts,
    qualified_name,
};
use crate::python::Class as Function;
use crate::resolve::{Callable, Class};

/// What the globals of a load, and the classes inside them, resolve to.
#[derive(Default)]
pub(crate) struct Callables {
    /// Indexed by the number of the global.
    globals: Vec<Resolved>,
    /// Classes that are attributes of a global, by the `getattr` calls that name them (below protocol 4). Boxed, so that
    /// a load that finds none makes no map.
    nested: Option<Box<NestedClasses>>,
    /// Whether a call may reach the caller's code.
    pub(super) are_any: bool,
}

type NestedClasses = HashMap<Cell, Option<Arc<dyn Callable>>, RandomState>;

/// What a global resolves to.
#[derive(Clone, Default)]
pub(super) enum Resolved {
    /// Symbolic: it stays symbolic.
    #[default]
    Symbolic,
    /// The callable that a resolver returned.
    Callable(Arc<dyn Callable>),
    /// A function that makes instances of the class in its arguments, or `getattr`, which leads to classes.
    Constructor(Function),
    /// The same, and the callable for its calls that make no instance of a registered class.
    Guarded(Function, Arc<dyn Callable>),
}

/// The target of a call.
enum Callee {
    Registered(Arc<dyn Callable>),
    NativeObject(Arc<dyn NativeObject>),
}

impl Callables {
    pub(super) fn clear(&mut self) {
        self.globals.clear();
        self.nested = None;
        self.are_any = false;
    }

    /// Returns the index of a global.
    fn index(global: Cell) -> Option<usize> {
        global.is(Tag::Global).then(|| global.high() as usize)
    }

    /// Records what a global resolves to.
    pub(super) fn insert(&mut self, global: Cell, known: Resolved) {
        self.are_any |= matches!(known, Resolved::Callable(_) | Resolved::Guarded(..));
        let Some(index) = Callables::index(global) else { return };
        self.globals.resize(index, Resolved::Symbolic);
        self.globals.push(known);
    }

    /// Records a global that no resolver accepts, if it makes instances of classes or leads to classes.
    pub(super) fn note(&mut self, global: Cell, module: &str, name: &str) {
        if !matches!(module, "copyreg" | "copy_reg" | "builtins" | "__builtin__") {
            return;
        }
        match Function::of_names(module, name) {
            function @ (Function::Reconstructor | Function::NewObj | Function::NewObjEx) => {
                self.insert(global, Resolved::Constructor(function));
            }
            function @ Function::GetAttr => {
                self.insert(global, Resolved::Constructor(function));
                self.are_any = true;
            }
            _ => {}
        }
    }

    /// Returns the bytes of memory that the table takes.
    pub(super) fn held_bytes(&self) -> usize {
        let nested = self.nested.as_ref().map_or(0, |nested| nested.len());
        size_of::<Resolved>() * self.globals.len() + 64 * nested
    }

    fn get(&self, global: Cell) -> &Resolved {
        Callables::index(global).and_then(|index| self.globals.get(index)).unwrap_or(&Resolved::Symbolic)
    }
}

impl GraphBuilder<'_> {
    /// Returns whether a call may reach the caller's code.
    #[inline(always)]
    pub(super) fn may_call(&self, callable: Cell) -> bool {
        self.session.callables.are_any || callable.is(Tag::NativeObject)
    }

    /// Returns whether a callable is `getattr`, and no resolver calls it.
    pub(super) fn is_getattr(&self, callable: Cell) -> bool {
        matches!(self.session.callables.get(callable), Resolved::Constructor(Function::GetAttr))
    }

    /// Calls the callable that a resolver returned for a global, or a native object. `None` leaves the call symbolic.
    #[inline(never)]
    pub(super) fn call(&mut self, how: Construction, callable: Cell, args: Cell, kwargs: Cell) -> Result<Option<Cell>> {
        let operands = [callable, args, kwargs];
        if callable.is(Tag::Global) {
            return match self.session.callables.get(callable) {
                Resolved::Symbolic => Ok(None),
                Resolved::Callable(registered) => {
                    let callee = Callee::Registered(registered.clone());
                    self.call_with(&callee, how, operands)
                }
                Resolved::Constructor(_) | Resolved::Guarded(..) => self.call_constructor(how, operands),
            };
        }
        match self.callee(callable) {
            Some(callee) => self.call_with(&callee, how, operands),
            None if how == Construction::Reduce => self.construct_by_call(callable, args),
            None => Ok(None),
        }
    }

    /// Calls a function that makes instances, or `getattr`.
    fn call_constructor(&mut self, how: Construction, operands: [Cell; 3]) -> Result<Option<Cell>> {
        let [callable, args, _] = operands;
        let made = match how {
            Construction::Reduce => self.construct_by_call(callable, args)?,
            _ => None,
        };
        match (made, self.session.callables.get(callable)) {
            (None, Resolved::Guarded(_, guard)) => {
                let guard = Callee::Registered(guard.clone());
                self.call_with(&guard, how, operands)
            }
            (made, _) => Ok(made),
        }
    }

    fn call_with(&mut self, callee: &Callee, how: Construction, operands: [Cell; 3]) -> Result<Option<Cell>> {
        let mut copies = self.copies();
        let made = self.call_user_code(|arena| {
            let mut call = Call::new(arena, how, operands, &mut copies);
            match callee {
                Callee::Registered(callable) => callable.call(&mut call),
                Callee::NativeObject(native) => native.call(&mut call),
            }
        });
        self.session.copied = copies.bytes;
        made.map_err(|e| e.about(|| describe_class(self.arena, operands[0])))
    }

    fn copies(&self) -> Copies {
        let limits = &self.options.limits;
        Copies { bytes: self.session.copied, most: limits.copies, most_held: limits.bytes }
    }

    fn callee(&mut self, callable: Cell) -> Option<Callee> {
        match callable.tag() {
            Tag::Global => match self.session.callables.get(callable) {
                Resolved::Callable(callable) => Some(Callee::Registered(callable.clone())),
                _ => None,
            },
            Tag::NativeObject => self.arena.natives.get(callable).cloned().map(Callee::NativeObject),
            Tag::Object => self.nested_class(callable).map(Callee::Registered),
            _ => None,
        }
    }

    /// Returns the callable that a resolver returns for a class that is an attribute of a global.
    fn nested_class(&mut self, class: Cell) -> Option<Arc<dyn Callable>> {
        if let Some(known) = self.session.callables.nested.as_ref().and_then(|nested| nested.get(&class)) {
            return known.clone();
        }
        let (module, name) = qualified_name(Value::new(self.arena, class))?;
        // A resolver had to allow the outer global and `getattr`.
        let found = self.options.resolver.find_class(module, &name).ok().and_then(Class::callable);
        self.session.callables.nested.get_or_insert_default().insert(class, found.clone());
        found
    }

    /// Makes an instance of a registered class by a function that is equivalent to an opcode of a later protocol.
    fn construct_by_call(&mut self, callable: Cell, args: Cell) -> Result<Option<Cell>> {
        let function = match callable.tag() {
            Tag::Global => match self.session.callables.get(callable) {
                Resolved::Constructor(function) | Resolved::Guarded(function, _) => *function,
                _ => return Ok(None),
            },
            // It may be a `functools.partial`.
            Tag::Object => Function::Other,
            _ => return Ok(None),
        };
        let Some(class) = self.construction(callable, function, args).map(|made| made.class.cell()) else {
            return if callable.is(Tag::Object) { self.call_partial(callable, args) } else { Ok(None) };
        };
        let Some(callee) = self.callee(class) else { return Ok(None) };
        let Some(made) = self.construction(callable, function, args) else { return Ok(None) };
        let how = made.construction;
        let is_set = matches!(made.base.map(Value::kind), Some(Kind::Set(_) | Kind::FrozenSet(_)));
        let kwargs = made.kwargs.map_or(Cell::HOLE, Value::cell);
        let [args, items] = [made.args, made.items.unwrap_or(made.args.from(usize::MAX))].map(|items| items.cells());
        let pairs = made.pairs.map_or(&[][..], |rows| rows.first.as_flattened());
        let mut copies = self.copies();
        copies.count(self.arena, size_of_val(args) + size_of_val(items) + size_of_val(pairs))?;
        let [args, mut items, pairs] = [args, items, pairs].map(<[Cell]>::to_vec);
        self.session.copied = copies.bytes;
        let args = self.arena.new_tuple(&args);
        let Some(made) = self.call_with(&callee, how, [class, args, kwargs])? else { return Ok(None) };
        match items.is_empty() {
            true => {}
            false if is_set => self.add_items(made, &items)?,
            false => self.append(made, &mut items)?,
        }
        if !pairs.is_empty() {
            self.set_items(made, &pairs)?;
        }
        Ok(Some(made))
    }

    /// Calls what a `functools.partial` holds, if it is registered.
    fn call_partial(&mut self, partial: Cell, args: Cell) -> Result<Option<Cell>> {
        fn parts(arena: &Arena, partial: Cell) -> Option<(Value<'_>, Items<'_>, Option<Value<'_>>)> {
            Value::new(arena, partial).as_object().and_then(partial_parts)
        }
        let Some(function) = parts(self.arena, partial).map(|(function, ..)| function.cell()) else { return Ok(None) };
        let Some(callee) = self.callee(function) else { return Ok(None) };
        let Some((_, bound, kwargs)) = parts(self.arena, partial) else { return Ok(None) };
        let kwargs = kwargs.filter(|kwargs| !kwargs.is_empty()).map_or(Cell::HOLE, Value::cell);
        let [bound, more] = [bound.cells(), self.arena.items(args)];
        let mut copies = self.copies();
        copies.count(self.arena, size_of_val(bound) + size_of_val(more))?;
        let args = [bound, more].concat();
        self.session.copied = copies.bytes;
        let args = self.arena.new_tuple(&args);
        self.call_with(&callee, Construction::Reduce, [function, args, kwargs])
    }

    fn construction(&self, callable: Cell, function: Function, args: Cell) -> Option<ConstructorCall<'_>> {
        let [callable, args] = [callable, args].map(|cell| Value::new(self.arena, cell));
        ConstructorCall::of(callable, function, args.items())
    }
}
