//! The tracer as the machine's builder: plain data cost next to nothing.

use picklevm::machine::Builder;
use picklevm::{Error, Result};
use picklevm_ops::{self as ops, IntValue, Number, Opcode, Text};

use super::Tracer;
use super::apply::Call;
use crate::events::Action;
use crate::nature::Nature;
use crate::policy::Use;
use crate::shadow::{LONG_INT, NOT_KEPT, Token};
use crate::spelling;
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
        let number = self.values.string(bytes);
        if number == NOT_KEPT {
            self.suspect(Rule::Limit, "so many texts are spelled with escapes that the scan does not keep them");
        }
        let token = token(number);
        if spelling::may_hide(bytes) {
            self.note_suspect(token);
        }
        token
    }

    /// How long the op is that runs, up to the end of its line.
    fn op_len(&self) -> usize {
        let rest = self.data.get(self.op as usize..).unwrap_or_default();
        memchr::memchr(b'\n', rest).unwrap_or(rest.len())
    }

    /// Looks for keys whose hash takes exponential time.
    #[inline]
    fn check_keys<'k>(&mut self, mut keys: impl Iterator<Item = &'k Token>) {
        if keys.any(|key| self.values.is_costly_key(*key)) {
            self.suspect(
                Rule::Limit,
                "a key is tuples in tuples that share so much that its hash takes exponential time",
            );
        }
    }

    /// The arguments of a call; `None` if they are not known.
    pub(super) fn args_of(&mut self, args: Token, who: &str) -> Option<Vec<Token>> {
        if !matches!(args, Token::Tuple(_)) {
            let what = self.name_of(args);
            self.diverge(format!("{who} is given {what} for arguments: pure Python unpacks it, C wants a tuple"));
        }
        let len = self.values.len_of(args).unwrap_or(0);
        self.args_left = match self.args_left.checked_sub(len) {
            Some(left) => left,
            None => {
                self.suspect(Rule::Limit, "calls have so many arguments in all that the scan stops looking at them");
                return None;
            }
        };
        self.contents(args)
    }

    /// Ends a call: the run stops if it needs the contents of containers that it did not keep.
    fn called(&mut self, result: Token) -> Result<Token> {
        if self.needs_all && !self.values.keeps_all { Err(self.interrupt()) } else { Ok(result) }
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

    fn int(&mut self, value: i64) -> Result<Token> {
        Ok(i32::try_from(value).map_or(Token::Number, Token::Int))
    }

    fn int_le(&mut self, bytes: &[u8]) -> Result<Token> {
        Ok(match bytes {
            [] => Token::Int(0),
            [byte] => Token::Int((*byte as i8).into()),
            [low, high] => Token::Int(i16::from_le_bytes([*low, *high]).into()),
            bytes if bytes.len() > LONG_INT => Token::LongInt,
            _ => Token::Number,
        })
    }

    fn number(&mut self, number: Number<'_>) -> Result<Token> {
        Ok(match number.value() {
            IntValue::Bool(value) => Token::Bool(value),
            IntValue::Small(value) => self.int(value)?,
            IntValue::Big { .. } if self.op_len() > LONG_INT => Token::LongInt,
            IntValue::Big { .. } => Token::Number,
        })
    }

    fn float(&mut self, _: f64) -> Result<Token> {
        Ok(Token::Number)
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

    fn tuple(&mut self, items: &mut [Token]) -> Result<Token> {
        Ok(self.values.tuple(items))
    }

    fn list(&mut self, items: &mut [Token]) -> Result<Token> {
        Ok(Token::List(self.values.container(items)))
    }

    fn dict(&mut self, pairs: &[Token]) -> Result<Token> {
        self.check_keys(pairs.iter().step_by(2));
        Ok(Token::Dict(self.values.container(pairs)))
    }

    fn set(&mut self) -> Result<Token> {
        Ok(Token::Set(self.values.container(&[])))
    }

    fn frozenset(&mut self, items: &[Token]) -> Result<Token> {
        self.check_keys(items.iter());
        Ok(Token::Set(self.values.container(items)))
    }

    fn append(&mut self, target: Token, items: &mut [Token]) -> Result<()> {
        match target {
            Token::List(_) => self.values.extend(target, items),
            _ => self.put_items(target, items),
        }
        self.called(Token::None).map(drop)
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
        let (Token::Text(first), Token::Text(second)) = (module, name) else {
            let part = if matches!(module, Token::Text(_)) { name } else { module };
            return Ok(self.hidden(part));
        };
        let key = (first, second, self.protocol < 3);
        if let Some(&number) = self.globals.by_texts.get(&key) {
            return Ok(self.imported(number));
        }
        let module = self.values.string_of(module).unwrap_or_default();
        let name = self.values.string_of(name).unwrap_or_default();
        let token = self.import(&module, &name);
        if let Token::Global(number) = token {
            self.globals.by_texts.insert(key, number);
        }
        Ok(token)
    }

    fn ext(&mut self, code: i32) -> Result<Token> {
        self.suspect(
            Rule::Extension,
            format!("asks the loading process for what the extension code {code} stands for"),
        );
        self.event(Action::Extension, Token::Int(code), None, |_| format!("copyreg._inverted_registry[{code}]"));
        Ok(Token::Unknown)
    }

    fn reduce(&mut self, callable: Token, args: Token, _: impl FnOnce() -> Option<Token>) -> Result<Token> {
        let args = self.args_of(args, "REDUCE");
        let made = self.apply(callable, Call { args: args.as_deref(), kwargs: None, how: Use::Call });
        self.called(made)
    }

    fn new_obj(&mut self, class: Token, args: Token) -> Result<Token> {
        let args = self.args_of(args, "NEWOBJ");
        let made = self.apply(class, Call { args: args.as_deref(), kwargs: None, how: Use::Construct });
        self.called(made)
    }

    fn new_obj_ex(&mut self, class: Token, args: Token, kwargs: Token) -> Result<Token> {
        let args = self.args_of(args, "NEWOBJ_EX");
        if !matches!(kwargs, Token::Dict(_)) {
            self.suspect(Rule::Use, "NEWOBJ_EX without a dict of keyword arguments");
        }
        let made = self.apply(class, Call { args: args.as_deref(), kwargs: Some(kwargs), how: Use::Construct });
        self.called(made)
    }

    fn inst(&mut self, class: Token, args: &[Token]) -> Result<Token> {
        self.obj(class, args)
    }

    /// A class is constructed if there are no arguments, otherwise called; a function is called.
    fn obj(&mut self, class: Token, args: &[Token]) -> Result<Token> {
        let how = if args.is_empty() { Use::Construct } else { Use::Call };
        let made = self.apply(class, Call { args: Some(args), kwargs: None, how });
        self.called(made)
    }

    fn build(&mut self, target: Token, state: Token) -> Result<()> {
        self.needs_all |= self.names_internals;
        if !self.needs_all || self.values.keeps_all {
            self.set_state(target, state);
        }
        // The run also stops for what lies behind the state.
        if self.needs_all && !self.values.keeps_all || self.raw_after.is_some() {
            Err(self.interrupt())
        } else {
            Ok(())
        }
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

    fn is_call(&self, value: &Token) -> bool {
        self.values.keeps_all && matches!(value, Token::Object(_))
    }

    fn dropped(&mut self, call: Token, _: Option<Token>) {
        self.event(Action::Drop, call, None, |tracer| format!("del {}", tracer.render(call)));
    }

    /// Nothing; more than any limit allows when the time is over.
    fn node_count(&self) -> u64 {
        if self.is_late() { u64::MAX } else { 0 }
    }

    fn held_bytes(&self) -> u64 {
        0
    }

    fn extrapolate(&mut self, _: u64, _: u64) {}

    fn finish(&mut self, &result: &Token, _: &[Token]) -> Result<()> {
        self.result = Some(self.name_of(result));
        if matches!(result, Token::Object(_)) && self.values.nature_of(result).may_be(Nature::REACHING) {
            self.suspect(Rule::Use, "returns something that makes what the pickle chooses");
        }
        Ok(())
    }
}
