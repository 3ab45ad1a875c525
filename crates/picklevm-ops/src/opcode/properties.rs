//! What opcodes have in common: the columns of the table that `pickletools` does not have.

use super::Opcode;

/// A property of an opcode in the table.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Property {
    /// Frequent in the pickles of protocol 2 and later.
    Frequent = 1,
    /// Mostly followed by MEMOIZE from protocol 4 on.
    Memoized = 1 << 1,
    /// Stores the top of the stack in the memo.
    Put = 1 << 2,
    /// Pushes a value of the memo.
    Get = 1 << 3,
    /// Changes the value below its operands, which stays on the stack.
    Mutating = 1 << 4,
}

impl Opcode {
    const fn has(self, property: Property) -> bool {
        self.row().properties & property as u8 != 0
    }

    /// Returns whether the opcode stores the top of the stack in the memo: PUT, BINPUT, LONG_BINPUT or MEMOIZE.
    ///
    /// ```
    /// use picklevm_ops::Opcode;
    ///
    /// assert!(Opcode::Memoize.is_put() && !Opcode::Memoize.is_get());
    /// assert!(Opcode::BinGet.is_get());
    /// ```
    pub const fn is_put(self) -> bool {
        self.has(Property::Put)
    }

    /// Returns whether the opcode pushes a value of the memo: GET, BINGET or LONG_BINGET.
    pub const fn is_get(self) -> bool {
        self.has(Property::Get)
    }

    /// Returns whether the opcode changes the value below its operands, which stays on the stack: APPEND, APPENDS,
    /// SETITEM, SETITEMS, ADDITEMS or BUILD.
    ///
    /// ```
    /// use picklevm_ops::Opcode;
    ///
    /// assert!(Opcode::Append.is_mutating() && !Opcode::List.is_mutating());
    /// ```
    pub const fn is_mutating(self) -> bool {
        self.has(Property::Mutating)
    }

    /// Returns whether picklers write MEMOIZE after the opcode, mostly, from protocol 4 on.
    pub(crate) const fn is_memoized(self) -> bool {
        self.has(Property::Memoized)
    }

    /// Returns whether the opcode is frequent in the pickles of protocol 2 and later: worth running inline.
    #[doc(hidden)]
    pub const fn is_frequent(self) -> bool {
        self.has(Property::Frequent)
    }
}
