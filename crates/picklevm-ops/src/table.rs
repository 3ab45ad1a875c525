//! The table of opcodes: one row each, from which all other code about opcodes is generated.

/// Calls `$use` with every row of the table.
///
/// A row reads `Variant(operand: Type) as Format = byte "NAME" proto [before] => [after] {properties} "doc";`. Names,
/// formats, protocols, stack effects and docs are those of CPython 3.13's `pickletools.opcodes`; the first line of a doc
/// is what `pickletools.dis` prints as annotation. `Format` (in [`operand`](crate::operand)) decodes and encodes the
/// operand. The properties are those of `opcode::Property`.
macro_rules! for_each_opcode {
    ($use:ident) => {
        $use! {
            // Integers and booleans.
            Int(number: Number<'a>) as IntLine = b'I' "INT" 0 [] => [IntOrBool] {}
                "Push an integer or bool.";
            BinInt(value: i32) as Int4 = b'J' "BININT" 1 [] => [Int] {Frequent}
                "Push a four-byte signed integer.";
            BinInt1(value: u8) as Uint1 = b'K' "BININT1" 1 [] => [Int] {Frequent}
                "Push a one-byte unsigned integer.";
            BinInt2(value: u16) as Uint2 = b'M' "BININT2" 1 [] => [Int] {Frequent}
                "Push a two-byte unsigned integer.";
            Long(number: Number<'a>) as LongLine = b'L' "LONG" 0 [] => [Int] {}
                "Push a long integer.";
            Long1(digits: &'a [u8]) as Long1 = b'\x8a' "LONG1" 2 [] => [Int] {Frequent}
                "Long integer using one-byte length.";
            Long4(digits: &'a [u8]) as Long4 = b'\x8b' "LONG4" 2 [] => [Int] {}
                "Long integer using four-byte length.";
            None = b'N' "NONE" 0 [] => [None] {Frequent}
                "Push None on the stack.";
            NewTrue = b'\x88' "NEWTRUE" 2 [] => [Bool] {Frequent}
                "Push True onto the stack.";
            NewFalse = b'\x89' "NEWFALSE" 2 [] => [Bool] {Frequent}
                "Push False onto the stack.";

            // 8-bit strings of Python 2, bytes, buffers.
            String(string: Escaped<'a>) as StringLine = b'S' "STRING" 0 [] => [BytesOrStr] {}
                "Push a Python string object.";
            BinString(string: &'a [u8]) as String4 = b'T' "BINSTRING" 1 [] => [BytesOrStr] {}
                "Push a Python string object.";
            ShortBinString(string: &'a [u8]) as String1 = b'U' "SHORT_BINSTRING" 1 [] => [BytesOrStr] {}
                "Push a Python string object.";
            BinBytes(bytes: &'a [u8]) as Bytes4 = b'B' "BINBYTES" 3 [] => [Bytes] {}
                "Push a Python bytes object.";
            ShortBinBytes(bytes: &'a [u8]) as Bytes1 = b'C' "SHORT_BINBYTES" 3 [] => [Bytes] {Frequent Memoized}
                "Push a Python bytes object.";
            BinBytes8(bytes: &'a [u8]) as Bytes8 = b'\x8e' "BINBYTES8" 4 [] => [Bytes] {}
                "Push a Python bytes object.";
            ByteArray8(bytes: &'a [u8]) as Bytearray8 = b'\x96' "BYTEARRAY8" 5 [] => [ByteArray] {}
                "Push a Python bytearray object.";
            NextBuffer = b'\x97' "NEXT_BUFFER" 5 [] => [Buffer] {}
                "Push an out-of-band buffer object.";
            ReadonlyBuffer = b'\x98' "READONLY_BUFFER" 5 [Buffer] => [Buffer] {}
                "Make an out-of-band buffer object read-only.";

            // Text.
            Unicode(text: RawUnicode<'a>) as UnicodeLine = b'V' "UNICODE" 0 [] => [Str] {}
                "Push a Python Unicode string object.";
            ShortBinUnicode(text: Text<'a>) as Unicodestring1 = b'\x8c' "SHORT_BINUNICODE" 4 [] => [Str] {Frequent Memoized}
                "Push a Python Unicode string object.";
            BinUnicode(text: Text<'a>) as Unicodestring4 = b'X' "BINUNICODE" 1 [] => [Str] {Frequent Memoized}
                "Push a Python Unicode string object.";
            BinUnicode8(text: Text<'a>) as Unicodestring8 = b'\x8d' "BINUNICODE8" 4 [] => [Str] {}
                "Push a Python Unicode string object.";

            // Floats.
            Float(value: f64) as FloatLine = b'F' "FLOAT" 0 [] => [Float] {}
                "Newline-terminated decimal float literal.";
            BinFloat(value: f64) as Float8 = b'G' "BINFLOAT" 1 [] => [Float] {Frequent}
                "Float stored in binary form, with 8 bytes of data.";

            // Lists.
            EmptyList = b']' "EMPTY_LIST" 1 [] => [List] {Frequent Memoized}
                "Push an empty list.";
            Append = b'a' "APPEND" 0 [List Any] => [List] {Frequent Mutating}
                "Append an object to a list.";
            Appends = b'e' "APPENDS" 1 [List Mark StackSlice] => [List] {Frequent Mutating}
                "Extend a list by a slice of stack objects.";
            List = b'l' "LIST" 0 [Mark StackSlice] => [List] {}
                "Build a list out of the topmost stack slice, after markobject.";

            // Tuples.
            EmptyTuple = b')' "EMPTY_TUPLE" 1 [] => [Tuple] {Frequent}
                "Push an empty tuple.";
            Tuple = b't' "TUPLE" 0 [Mark StackSlice] => [Tuple] {Frequent Memoized}
                "Build a tuple out of the topmost stack slice, after markobject.";
            Tuple1 = b'\x85' "TUPLE1" 2 [Any] => [Tuple] {Frequent Memoized}
                "Build a one-tuple out of the topmost item on the stack.";
            Tuple2 = b'\x86' "TUPLE2" 2 [Any Any] => [Tuple] {Frequent Memoized}
                "Build a two-tuple out of the top two items on the stack.";
            Tuple3 = b'\x87' "TUPLE3" 2 [Any Any Any] => [Tuple] {Frequent Memoized}
                "Build a three-tuple out of the top three items on the stack.";

            // Dicts.
            EmptyDict = b'}' "EMPTY_DICT" 1 [] => [Dict] {Frequent Memoized}
                "Push an empty dict.";
            Dict = b'd' "DICT" 0 [Mark StackSlice] => [Dict] {}
                "Build a dict out of the topmost stack slice, after markobject.";
            SetItem = b's' "SETITEM" 0 [Dict Any Any] => [Dict] {Frequent Mutating}
                "Add a key+value pair to an existing dict.";
            SetItems = b'u' "SETITEMS" 1 [Dict Mark StackSlice] => [Dict] {Frequent Mutating}
                "Add an arbitrary number of key+value pairs to an existing dict.";

            // Sets.
            EmptySet = b'\x8f' "EMPTY_SET" 4 [] => [Set] {}
                "Push an empty set.";
            AddItems = b'\x90' "ADDITEMS" 4 [Set Mark StackSlice] => [Set] {Mutating}
                "Add an arbitrary number of items to an existing set.";
            FrozenSet = b'\x91' "FROZENSET" 4 [Mark StackSlice] => [FrozenSet] {}
                "Build a frozenset out of the topmost slice, after markobject.";

            // The stack itself.
            Pop = b'0' "POP" 0 [Any] => [] {}
                "Discard the top stack item, shrinking the stack by one item.";
            Dup = b'2' "DUP" 0 [Any] => [Any Any] {}
                "Push the top stack item onto the stack again, duplicating it.";
            Mark = b'(' "MARK" 0 [] => [Mark] {Frequent}
                "Push markobject onto the stack.";
            PopMark = b'1' "POP_MARK" 1 [Mark StackSlice] => [] {}
                "Pop all the stack objects at and above the topmost markobject.";

            // The memo.
            Get(index: u64) as IndexLine = b'g' "GET" 0 [] => [Any] {Get}
                "Read an object from the memo and push it on the stack.";
            BinGet(index: u8) as Uint1 = b'h' "BINGET" 1 [] => [Any] {Frequent Get}
                "Read an object from the memo and push it on the stack.";
            LongBinGet(index: u32) as Uint4 = b'j' "LONG_BINGET" 1 [] => [Any] {Frequent Get}
                "Read an object from the memo and push it on the stack.";
            Put(index: u64) as IndexLine = b'p' "PUT" 0 [] => [] {Put}
                "Store the stack top into the memo.  The stack is not popped.";
            BinPut(index: u8) as Uint1 = b'q' "BINPUT" 1 [] => [] {Frequent Put}
                "Store the stack top into the memo.  The stack is not popped.";
            LongBinPut(index: u32) as Uint4 = b'r' "LONG_BINPUT" 1 [] => [] {Put}
                "Store the stack top into the memo.  The stack is not popped.";
            Memoize = b'\x94' "MEMOIZE" 4 [Any] => [Any] {Frequent Put}
                "Store the stack top into the memo.  The stack is not popped.";

            // Objects by extension code and by name.
            Ext1(code: u8) as Uint1 = b'\x82' "EXT1" 2 [] => [Any] {}
                "Extension code.";
            Ext2(code: u16) as Uint2 = b'\x83' "EXT2" 2 [] => [Any] {}
                "Extension code.";
            Ext4(code: i32) as Int4 = b'\x84' "EXT4" 2 [] => [Any] {}
                "Extension code.";
            Global(module: Text<'a>, name: Text<'a>) as Utf8LinePair = b'c' "GLOBAL" 0 [] => [Any] {}
                "Push a global object (module.attr) on the stack.";
            StackGlobal = b'\x93' "STACK_GLOBAL" 4 [Str Str] => [Any] {}
                "Push a global object (module.attr) on the stack.";

            // Creating and building objects.
            Reduce = b'R' "REDUCE" 0 [Any Any] => [Any] {Frequent}
                "Push an object built from a callable and an argument tuple.";
            Build = b'b' "BUILD" 0 [Any Any] => [Any] {Frequent Mutating}
                "Finish building an object, via __setstate__ or dict update.";
            Inst(module: Text<'a>, name: Text<'a>) as AsciiLinePair = b'i' "INST" 0 [Mark StackSlice] => [Any] {}
                "Build a class instance.";
            Obj = b'o' "OBJ" 1 [Mark Any StackSlice] => [Any] {}
                "Build a class instance.";
            NewObj = b'\x81' "NEWOBJ" 2 [Any Any] => [Any] {Frequent}
                "Build an object instance.";
            NewObjEx = b'\x92' "NEWOBJ_EX" 4 [Any Any Any] => [Any] {}
                "Build an object instance.";

            // Protocol, end and frames.
            Proto(version: u8) as ProtoVersion = b'\x80' "PROTO" 2 [] => [] {Frequent}
                "Protocol version indicator.";
            Stop = b'.' "STOP" 0 [Any] => [] {}
                "Stop the unpickling machine.";
            Frame(len: u64) as FrameLen = b'\x95' "FRAME" 4 [] => [] {Frequent}
                "Indicate the beginning of a new frame.";

            // Persistent ids.
            PersId(id: &'a str) as AsciiLine = b'P' "PERSID" 0 [] => [Any] {}
                "Push an object identified by a persistent ID.";
            BinPersId = b'Q' "BINPERSID" 1 [Any] => [Any] {}
                "Push an object identified by a persistent ID.";
        }
    };
}

pub(crate) use for_each_opcode;
