//! Opcodes and their rows of the table.

mod properties;

use std::fmt;

use self::properties::Property;
use crate::table::for_each_opcode;

macro_rules! define_opcode {
    ($(
        $variant:ident $( ( $($field:ident : $ty:ty),+ ) as $format:ident )? =
            $byte:literal $name:literal $proto:literal [$($before:ident)*] => [$($after:ident)*]
            {$($property:ident)*} $doc:literal;
    )*) => {
        /// One of the 68 opcodes, without its operand: an `OpcodeInfo` of `pickletools`. [`Op`](crate::Op) has both.
        ///
        /// ```
        /// use picklevm_ops::Opcode;
        ///
        /// let opcode = Opcode::from_byte(b'K').unwrap();
        /// assert_eq!(opcode, Opcode::BinInt1);
        /// assert_eq!(opcode.name(), "BININT1");
        /// assert_eq!(opcode.protocol(), 1);
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Opcode {
            $( #[doc = $doc] $variant = $byte, )*
        }

        impl Opcode {
            /// All opcodes in the order of the table, which groups them by what they make (nearly the order of
            /// `pickletools.opcodes`).
            pub const ALL: &'static [Opcode] = &[$(Opcode::$variant),*];

            /// Returns the opcode with this byte.
            pub const fn from_byte(byte: u8) -> Option<Opcode> {
                match byte {
                    $( $byte => Some(Opcode::$variant), )*
                    _ => None,
                }
            }

            /// Returns the table row of the opcode.
            const fn row(self) -> &'static Row {
                match self {
                    $( Opcode::$variant => const { &Row {
                        name: $name,
                        proto: $proto,
                        before: &[$(StackObject::$before),*],
                        after: &[$(StackObject::$after),*],
                        properties: 0 $( | Property::$property as u8 )*,
                        doc: $doc,
                    } }, )*
                }
            }
        }
    };
}

/// A row of the table, without the byte.
struct Row {
    name: &'static str,
    proto: u8,
    before: &'static [StackObject],
    after: &'static [StackObject],
    /// The [`Property`]s, as bits.
    properties: u8,
    doc: &'static str,
}

for_each_opcode!(define_opcode);

impl Opcode {
    /// Returns the byte of the opcode.
    #[inline]
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// Returns the name in CPython, such as `BININT1`.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Returns the protocol that introduced the opcode, 0 to 5.
    pub const fn protocol(self) -> u8 {
        self.row().proto
    }

    /// Returns what the opcode pops, topmost last.
    pub const fn stack_before(self) -> &'static [StackObject] {
        self.row().before
    }

    /// Returns what the opcode pushes, topmost last.
    pub const fn stack_after(self) -> &'static [StackObject] {
        self.row().after
    }

    /// Returns a sentence on what the opcode does, which `pickletools.dis` prints as annotation.
    pub const fn doc(self) -> &'static str {
        self.row().doc
    }
}

/// Writes the name in CPython's spelling.
impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! stack_objects {
    ($( $variant:ident $name:literal $doc:literal; )*) => {
        /// What an opcode pops or pushes: a `StackObject` of `pickletools`.
        ///
        /// ```
        /// use picklevm_ops::{Opcode, StackObject};
        ///
        /// assert_eq!(Opcode::Append.stack_before(), [StackObject::List, StackObject::Any]);
        /// assert_eq!(StackObject::List.name(), "list");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum StackObject {
            $( #[doc = $doc] $variant, )*
        }

        impl StackObject {
            /// Returns the name in `pickletools`, such as `int_or_bool`.
            pub const fn name(self) -> &'static str {
                match self {
                    $( StackObject::$variant => $name, )*
                }
            }
        }
    };
}

stack_objects! {
    Any "any" "Any object.";
    None "None" "`None`.";
    Bool "bool" "A boolean.";
    Int "int" "An integer.";
    IntOrBool "int_or_bool" "An integer or a boolean.";
    Float "float" "A float.";
    Str "str" "Text.";
    Bytes "bytes" "Bytes.";
    BytesOrStr "bytes_or_str" "An 8-bit string of Python 2.";
    ByteArray "bytearray" "A bytearray.";
    Buffer "buffer" "An out-of-band buffer.";
    Tuple "tuple" "A tuple.";
    List "list" "A list.";
    Dict "dict" "A dict.";
    Set "set" "A set.";
    FrozenSet "frozenset" "A frozenset.";
    Mark "mark" "The mark, pushed only by MARK.";
    StackSlice "stackslice" "Everything above the topmost mark.";
}

/// Writes the name in `pickletools`.
impl fmt::Display for StackObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
