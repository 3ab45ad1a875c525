//! The tracer as the machine's builder: plain data cost next to nothing.

use picklevm::machine::Builder;
use picklevm::{Error, Result};
use picklevm_ops::{self as ops, IntValue, Number, Opcode, Text};

use super::Tracer;
use crate::events::Action;
use crate::hidden;
use crate::policy::Use;
use crate::shadow::Token;
use crate::verdict::Rule;

impl Tracer<'_> {
    /// Stops the run, for the scanner to do something else before it goes on.
    #[cold]
    fn interrupt(&self) -> Error {
        ops::Error::new(ops::ErrorKind::Limit, self.op, Some(self.opcode), "no interruption", "one").into()
    }

    #[inline(never)]
    pub(super) fn string(&mut self, bytes: &[u8], token: impl FnOnce(u32) -> Token) -> Token {
        self.names_internals |= is_dunder(bytes);
        let token = token(self.values.string(bytes));
        if hidden::may_hide(bytes) {
            self.note_suspect(token);
        }
        token
    }

    /// Looks for keys that take for ever to hash.
    #[inline]
    fn check_keys<'k>(&mut self, mut keys: impl Iterator<Item = &'k Token>) {
        if keys.any(|key| self.values.is_costly_key(*key)) {
            self.suspect(Rule::Limit, "a key is tuples in tuples that share so much that its hash takes for ever");
        }
    }

    fn args_of(&mut self, args: Token, who: &str) -> Option<Vec<Token>> {
        if !matches!(args, Token::Tuple(_)) {
            let what = self.name_of(args);
            self.diverge(format!("{who} is given {what} for arguments: pure Python unpacks it, C wants a tuple"));
        }
        self.values.items_of(args).map(<[Token]>::to_vec)
    }
}

/// Whether a text is the name of an attribute that Python itself acts upon, such as `__class__`.
pub(super) fn is_dunder(name: &[u8]) -> bool {
    /// Attributes that instances have in passing, and that nothing acts upon.
    const HARMLESS: &[&[u8]] = &[
        b"__annotations__",
        b"__cause__",
        b"__context__",
        b"__doc__",
        b"__module__",
        b"__name__",
        b"__networkx_cache__",
        b"__notes__",
        b"__orig_class__",
        b"__qualname__",
        b"__suppress_context__",
        b"__version__",
        b"__wrapped__",
    ];
    let is_long_enough = (5..64).contains(&name.len());
    is_long_enough && name.starts_with(b"__") && name.ends_with(b"__") && !HARMLESS.contains(&name)
}

impl Builder for Tracer<'_> {
    type Value = Token;

    const REACHES_BELOW_MARKS: bool = true;

    fn at(&mut self, offset: u64, opcode: Opcode) {
        self.op = self.base as u64 + offset;
        self.opcode = opcode;
        if matches!(
            opcode,
            Opcode::Int | Opcode::Long | Opcode::Float | Opcode::Get | Opcode::Put | Opcode::Proto | Opcode::Frame
        ) {
            self.look();
        }
        if opcode == Opcode::LongBinPut {
            let index = self.data.get(self.op as usize + 1..).and_then(|operand| operand.first_chunk());
            self.check_memo_index(index.map_or(0, |index| u32::from_le_bytes(*index).into()));
        }
    }

    fn protocol(&mut self, version: u8) {
        self.protocol = version;
    }

    fn below_mark(&mut self) {
        self.diverge("takes a value from below a mark: Python 2's cPickle does, others refuse");
    }

    fn none(&mut self) -> Token {
        Token::None
    }

    fn bool(&mut self, value: bool) -> Token {
        Token::Bool(value)
    }

    fn int(&mut self, value: i64) -> Token {
        i32::try_from(value).map_or(Token::Number, Token::Int)
    }

    fn int_le(&mut self, bytes: &[u8]) -> Result<Token> {
        Ok(match bytes {
            [] => Token::Int(0),
            [byte] => Token::Int((*byte as i8).into()),
            [low, high] => Token::Int(i16::from_le_bytes([*low, *high]).into()),
            _ => Token::Number,
        })
    }

    fn number(&mut self, number: Number<'_>) -> Result<Token> {
        Ok(match number.value() {
            IntValue::Bool(value) => Token::Bool(value),
            IntValue::Small(value) => self.int(value),
            IntValue::Big { .. } => Token::Number,
        })
    }

    fn float(&mut self, _: f64) -> Token {
        Token::Number
    }

    fn text(&mut self, text: Text<'_>) -> Result<Token> {
        Ok(self.string(text.as_bytes(), Token::Text))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<Token> {
        Ok(self.string(bytes, Token::Bytes))
    }

    // Python 3 makes text of it.
    fn byte_str(&mut self, bytes: &[u8]) -> Result<Token> {
        Ok(self.string(bytes, Token::Text))
    }

    fn byte_array(&mut self, bytes: &[u8]) -> Result<Token> {
        Ok(self.string(bytes, Token::Bytes))
    }

    fn tuple(&mut self, items: &[Token]) -> Token {
        self.values.tuple(items)
    }

    fn list(&mut self, items: &[Token]) -> Token {
        Token::List(self.values.container(items))
    }

    fn dict(&mut self, pairs: &[Token]) -> Result<Token> {
        self.check_keys(pairs.iter().step_by(2));
        Ok(Token::Dict(self.values.container(pairs)))
    }

    fn set(&mut self) -> Token {
        Token::Set(self.values.container(&[]))
    }

    fn frozenset(&mut self, items: &[Token]) -> Result<Token> {
        self.check_keys(items.iter());
        Ok(Token::Set(self.values.container(items)))
    }

    fn append(&mut self, target: Token, items: &[Token]) -> Result<()> {
        match target {
            Token::List(_) => self.values.extend(target, items),
            _ => self.put_items(target, items),
        }
        Ok(())
    }

    fn set_items(&mut self, target: Token, pairs: &[Token]) -> Result<()> {
        self.check_keys(pairs.iter().step_by(2));
        match target {
            Token::Dict(_) => self.values.extend(target, pairs),
            _ => self.put_items(target, pairs),
        }
        Ok(())
    }

    fn add_items(&mut self, target: Token, items: &[Token]) -> Result<()> {
        self.check_keys(items.iter());
        match target {
            Token::Set(_) => self.values.extend(target, items),
            _ => self.put_items(target, items),
        }
        Ok(())
    }

    fn global(&mut self, module: Text<'_>, name: Text<'_>) -> Result<Token> {
        Ok(self.import(module.as_bytes(), name.as_bytes()))
    }

    fn stack_global(&mut self, module: Token, name: Token) -> Result<Token> {
        for part in [module, name] {
            if !matches!(part, Token::Text(_)) {
                return Ok(self.hidden(part));
            }
        }
        let module = self.values.bytes_of(module).unwrap_or_default().to_vec();
        let name = self.values.bytes_of(name).unwrap_or_default().to_vec();
        Ok(self.import(&module, &name))
    }

    fn ext(&mut self, code: i32) -> Result<Token> {
        self.suspect(
            Rule::Extension,
            format!("asks the loading process for what the extension code {code} stands for"),
        );
        self.event(Action::Extension, Token::Int(code), None, |_| format!("copyreg._inverted_registry[{code}]"));
        Ok(Token::Unknown)
    }

    fn reduce(&mut self, callable: Token, args: Token) -> Result<Token> {
        let args = self.args_of(args, "REDUCE");
        Ok(self.apply(callable, args.as_deref(), Use::Call))
    }

    fn new_obj(&mut self, class: Token, args: Token) -> Result<Token> {
        let args = self.args_of(args, "NEWOBJ");
        Ok(self.apply(class, args.as_deref(), Use::Construct))
    }

    fn new_obj_ex(&mut self, class: Token, args: Token, kwargs: Token) -> Result<Token> {
        let mut args = self.args_of(args, "NEWOBJ_EX");
        if !matches!(kwargs, Token::Dict(_)) {
            self.suspect(Rule::Use, "NEWOBJ_EX without a dict of keyword arguments");
        }
        if let Some(args) = &mut args {
            args.push(kwargs);
        }
        Ok(self.apply(class, args.as_deref(), Use::Construct))
    }

    fn inst(&mut self, class: Token, args: &[Token]) -> Result<Token> {
        self.obj(class, args)
    }

    /// A class is constructed if there are no arguments, otherwise called; a function is called.
    fn obj(&mut self, class: Token, args: &[Token]) -> Result<Token> {
        Ok(self.apply(class, Some(args), if args.is_empty() { Use::Construct } else { Use::Call }))
    }

    fn build(&mut self, target: Token, state: Token) -> Result<()> {
        if self.names_internals && !self.values.keeps_all {
            self.needs_all = true;
            return Err(self.interrupt());
        }
        self.set_state(target, state);
        if let Token::Object(number) = target
            && let Some(object) = self.values.objects.get(number as usize)
            && self.is_joblib_wrapper(object.class)
        {
            if !self.values.keeps_all {
                self.needs_all = true;
            } else {
                self.raw_after = Some(state);
            }
            return Err(self.interrupt());
        }
        Ok(())
    }

    fn persistent(&mut self, pid: Token) -> Result<Token> {
        Ok(self.persistent_id(pid))
    }

    fn next_buffer(&mut self) -> Result<Token> {
        self.event(Action::Buffer, Token::Buffer, None, |_| "next(buffers)".to_owned());
        Ok(Token::Buffer)
    }

    fn readonly_buffer(&mut self, buffer: Token) -> Result<Token> {
        if buffer != Token::Buffer {
            let what = self.name_of(buffer);
            self.suspect(Rule::Use, format!("READONLY_BUFFER is applied to {what}"));
        }
        Ok(buffer)
    }

    fn memoized(&mut self, _: Token) {}

    fn is_call(&self, value: Token) -> bool {
        self.values.keeps_all && matches!(value, Token::Object(_))
    }

    fn dropped(&mut self, call: Token, _: Option<Token>) {
        self.event(Action::Drop, call, None, |tracer| format!("del {}", tracer.render(call)));
    }

    fn usage(&self) -> (u64, u64) {
        (0, 0)
    }

    fn extrapolate(&mut self, _: u64, _: u64) {}

    fn finish(&mut self, result: Token, _: &[Token]) -> Result<()> {
        self.result = Some(self.name_of(result));
        Ok(())
    }
}
