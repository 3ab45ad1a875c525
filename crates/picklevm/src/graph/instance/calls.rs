//! Objects that calls of functions stand for, as protocols without an opcode for them write them.

use super::super::arena::Arena;
use super::super::cell::Cell;
use super::super::object::{Construction, OpKind};

impl Arena {
    /// Adds a call of a function.
    pub(crate) fn new_call(&mut self, function: Cell, args: &[Cell]) -> Cell {
        let args = self.new_tuple(args);
        self.new_object(Construction::Reduce, function, args)
    }

    /// Adds `getattr(owner, name)`.
    pub(crate) fn new_attribute(&mut self, getattr: Cell, owner: Cell, name: Cell) -> Cell {
        self.new_call(getattr, &[owner, name])
    }

    /// Adds an instance as protocols 0 and 1 write it: `copyreg._reconstructor(class, base, value)` (PEP 307).
    pub(crate) fn new_reconstructed(&mut self, function: Cell, class: Cell, base: Cell, value: Cell) -> Cell {
        self.new_call(function, &[class, base, value])
    }

    /// Adds a `functools.partial` with this state: function, arguments, keyword arguments and attributes. `class` is the
    /// global `functools.partial`.
    pub(crate) fn new_partial(&mut self, class: Cell, state: [Cell; 4]) -> Cell {
        let partial = self.new_call(class, &state[..1]);
        let state = self.new_tuple(&state);
        self.object_op(partial, OpKind::Build, &[state]);
        partial
    }
}
