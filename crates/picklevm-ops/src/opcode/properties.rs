//! What opcodes have in common, beyond their rows of the table.

use super::Opcode;

impl Opcode {
    /// Returns whether the opcode stores the top of the stack in the memo: PUT, BINPUT, LONG_BINPUT or MEMOIZE.
    ///
    /// ```
    /// use picklevm_ops::Opcode;
    ///
    /// assert!(Opcode::Memoize.is_put() && !Opcode::Memoize.is_get());
    /// assert!(Opcode::BinGet.is_get());
    /// ```
    pub const fn is_put(self) -> bool {
        matches!(self, Opcode::Put | Opcode::BinPut | Opcode::LongBinPut | Opcode::Memoize)
    }

    /// Returns whether the opcode pushes a value of the memo: GET, BINGET or LONG_BINGET.
    pub const fn is_get(self) -> bool {
        matches!(self, Opcode::Get | Opcode::BinGet | Opcode::LongBinGet)
    }

    /// Returns whether picklers write MEMOIZE after the opcode, mostly, from protocol 4 on.
    pub(crate) const fn is_memoized(self) -> bool {
        matches!(
            self,
            Opcode::ShortBinUnicode
                | Opcode::BinUnicode
                | Opcode::ShortBinBytes
                | Opcode::EmptyList
                | Opcode::EmptyDict
                | Opcode::Tuple1
                | Opcode::Tuple2
                | Opcode::Tuple3
                | Opcode::Tuple
        )
    }

    /// Returns whether the opcode is frequent in the pickles of protocol 2 and later: worth running inline.
    #[doc(hidden)]
    pub const fn is_frequent(self) -> bool {
        matches!(
            self,
            Opcode::BinInt1
                | Opcode::BinInt
                | Opcode::BinInt2
                | Opcode::BinFloat
                | Opcode::Long1
                | Opcode::None
                | Opcode::NewTrue
                | Opcode::NewFalse
                | Opcode::ShortBinUnicode
                | Opcode::BinUnicode
                | Opcode::ShortBinBytes
                | Opcode::EmptyList
                | Opcode::Append
                | Opcode::Appends
                | Opcode::EmptyTuple
                | Opcode::Tuple1
                | Opcode::Tuple2
                | Opcode::Tuple3
                | Opcode::Tuple
                | Opcode::EmptyDict
                | Opcode::SetItem
                | Opcode::SetItems
                | Opcode::Mark
                | Opcode::BinGet
                | Opcode::LongBinGet
                | Opcode::Memoize
                | Opcode::BinPut
                | Opcode::Reduce
                | Opcode::NewObj
                | Opcode::Build
                | Opcode::Proto
                | Opcode::Frame
        )
    }
}
