//! The tracer as the machine's builder: plain data cost next to nothing.

use picklevm::machine::Builder;
use picklevm::{Error, Result};
use picklevm_ops::{self as ops, IntValue, Number, Opcode, Text};

use super::Tracer;
use super::apply::Call;
use crate::events::Action;
use crate::nature::Nature;
use crate::policy::Use;
use crate::spelling;
use crate::token::{LONG_INT, NOT_KEPT, Packed, Token, is_small};
use crate::verdict::Rule;

impl Tracer<'_> {
    /// Stops the run, for the scanner to do something else before it goes on.
    #[cold]
    fn interrupt(&self) -> Error {
        ops::Error::new(ops::ErrorKind::Limit, self.op, Some(self.opcode), "no interruption", "one").into()
    }

    #[inline(never)]
    fn string(&mut self, bytes: &[u8], token: impl FnOnce(u32) -> Token) -> Packed {
        self.names_internals |= is_dunder(bytes);
        let number = self.values.strings.push(bytes, self.op);
        if number == NOT_KEPT {
            self.suspect(
                Rule::Limit,
                "so many texts are spelled with escapes, or lie so far behind, that the scan does not keep them",
            );
        }
        let token = token(number);
        if spelling::may_hide(bytes) {
            self.note_suspect(token);
        }
        Packed::from(token)
    }

    /// How long the op is that runs, up to the end of its line.
    fn op_len(&self) -> usize {
        let rest = self.data.get(self.op as usize..).unwrap_or_default();
        memchr::memchr(b'\n', rest).unwrap_or(rest.len())
    }

    /// A number that is read again where its value matters.
    #[inline]
    fn long_number(&self) -> Packed {
        Token::Number(u32::try_from(self.op).unwrap_or(NOT_KEPT).min(NOT_KEPT)).into()
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
    fn called(&mut self, result: Token) -> Result<Packed> {
        if self.needs_all && !self.values.keeps_all { Err(self.interrupt()) } else { Ok(Packed::from(result)) }
    }

    /// Looks at items of the machine.
    #[inline]
    fn with<T>(&mut self, packed: &[Packed], look: impl FnOnce(&mut Self, &[Token]) -> T) -> T {
        let mut items = std::mem::take(&mut self.items);
        items.clear();
        items.extend(packed.iter().map(|item| self.values.unpack(*item)));
        let seen = look(self, &items);
        self.items = items;
        seen
    }
}

/// Whether a text is the name of an attribute that Python itself acts upon, such as `__class__`.
pub(super) fn is_dunder(name: &[u8]) -> bool {
    /// Attributes that instances have in passing, and that nothing acts upon.
    const HARMLESS: &str = "annotations cause context doc module name networkx_cache notes orig_class qualname \
                            suppress_context version wrapped";
    let inner = name.strip_prefix(b"__").and_then(|name| name.strip_suffix(b"__"));
    name.len() < 64
        && inner.is_some_and(|inner| !inner.is_empty() && HARMLESS.split(' ').all(|it| it.as_bytes() != inner))
}

impl Builder for Tracer<'_> {
    type Value = Packed;

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

    fn none(&mut self) -> Packed {
        Packed::from(Token::None)
    }

    fn bool(&mut self, value: bool) -> Packed {
        Packed::from(Token::Bool(value))
    }

    fn int(&mut self, value: i64) -> Result<Packed> {
        Ok(match i32::try_from(value) {
            Ok(value) if is_small(value) => Token::Int(value).into(),
            _ => self.long_number(),
        })
    }

    fn int_le(&mut self, bytes: &[u8]) -> Result<Packed> {
        Ok(match bytes {
            [] => Token::Int(0).into(),
            [byte] => Token::Int((*byte as i8).into()).into(),
            [low, high] => Token::Int(i16::from_le_bytes([*low, *high]).into()).into(),
            bytes if bytes.len() > LONG_INT => Token::LongInt.into(),
            _ => self.long_number(),
        })
    }

    fn number(&mut self, number: Number<'_>) -> Result<Packed> {
        Ok(match number.value() {
            IntValue::Bool(value) => self.bool(value),
            IntValue::Small(value) => self.int(value)?,
            IntValue::Big { .. } if self.op_len() > LONG_INT => Packed::from(Token::LongInt),
            IntValue::Big { .. } => self.long_number(),
        })
    }

    fn float(&mut self, _: f64) -> Result<Packed> {
        Ok(self.long_number())
    }

    fn text(&mut self, text: Text<'_>) -> Result<Packed> {
        Ok(self.string(text.as_bytes(), Token::Text))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<Packed> {
        Ok(self.string(bytes, Token::Bytes))
    }

    // Python 3 makes text of it.
    fn byte_str(&mut self, bytes: &[u8]) -> Result<Packed> {
        Ok(self.string(bytes, Token::Text))
    }

    fn byte_array(&mut self, bytes: &[u8]) -> Result<Packed> {
        Ok(self.string(bytes, Token::Bytes))
    }

    fn tuple(&mut self, items: &mut [Packed]) -> Result<Packed> {
        let tuple = self.with(items, |tracer, items| tracer.values.tuple(items));
        Ok(Packed::from(tuple))
    }

    fn list(&mut self, items: &mut [Packed]) -> Result<Packed> {
        let list = self.with(items, |tracer, items| tracer.values.container(items));
        Ok(Packed::from(Token::List(list)))
    }

    fn dict(&mut self, pairs: &[Packed]) -> Result<Packed> {
        let dict = self.with(pairs, |tracer, pairs| {
            let dict = Token::Dict(tracer.values.container(pairs));
            tracer.count_keys(dict, pairs.iter().step_by(2));
            dict
        });
        Ok(dict.into())
    }

    fn set(&mut self) -> Result<Packed> {
        self.frozenset(&[])
    }

    fn frozenset(&mut self, items: &[Packed]) -> Result<Packed> {
        let set = self.with(items, |tracer, items| {
            let set = Token::Set(tracer.values.container(items));
            tracer.count_keys(set, items);
            set
        });
        Ok(set.into())
    }

    fn append(&mut self, target: Packed, items: &mut [Packed]) -> Result<()> {
        let target = self.values.unpack(target);
        self.with(items, |tracer, items| match target {
            Token::List(_) => tracer.values.extend(target, items),
            _ => tracer.put_items(target, items),
        });
        self.called(Token::None).map(drop)
    }

    fn set_items(&mut self, target: Packed, pairs: &[Packed]) -> Result<()> {
        let target = self.values.unpack(target);
        self.with(pairs, |tracer, pairs| {
            tracer.count_keys(target, pairs.iter().step_by(2));
            match target {
                Token::Dict(_) => tracer.values.extend(target, pairs),
                _ => tracer.put_items(target, pairs),
            }
        });
        Ok(())
    }

    fn add_items(&mut self, target: Packed, items: &[Packed]) -> Result<()> {
        let target = self.values.unpack(target);
        self.with(items, |tracer, items| {
            tracer.count_keys(target, items);
            match target {
                Token::Set(_) => tracer.values.extend(target, items),
                _ => tracer.put_items(target, items),
            }
        });
        Ok(())
    }

    fn global(&mut self, module: Text<'_>, name: Text<'_>) -> Result<Packed> {
        let global = self.import(module.as_bytes(), name.as_bytes());
        Ok(Packed::from(global))
    }

    fn stack_global(&mut self, module: Packed, name: Packed) -> Result<Packed> {
        let global = self.import_texts(self.values.unpack(module), self.values.unpack(name));
        Ok(Packed::from(global))
    }

    fn ext(&mut self, code: i32) -> Result<Packed> {
        self.suspect(
            Rule::Extension,
            format!("asks the loading process for what the extension code {code} stands for"),
        );
        self.event(Action::Extension, Token::Int(code), None, |_| format!("copyreg._inverted_registry[{code}]"));
        Ok(Packed::from(Token::Unknown))
    }

    fn reduce(&mut self, callable: Packed, args: Packed, _: impl FnOnce() -> Option<Packed>) -> Result<Packed> {
        let (callable, args) = (self.values.unpack(callable), self.values.unpack(args));
        let args = self.args_of(args, "REDUCE");
        let made = self.apply(callable, Call { args: args.as_deref(), kwargs: None, how: Use::Call });
        self.called(made)
    }

    fn new_obj(&mut self, class: Packed, args: Packed) -> Result<Packed> {
        let (class, args) = (self.values.unpack(class), self.values.unpack(args));
        let args = self.args_of(args, "NEWOBJ");
        let made = self.apply(class, Call { args: args.as_deref(), kwargs: None, how: Use::Construct });
        self.called(made)
    }

    fn new_obj_ex(&mut self, class: Packed, args: Packed, kwargs: Packed) -> Result<Packed> {
        let [class, args, kwargs] = [class, args, kwargs].map(|part| self.values.unpack(part));
        let args = self.args_of(args, "NEWOBJ_EX");
        if !matches!(kwargs, Token::Dict(_)) {
            self.suspect(Rule::Use, "NEWOBJ_EX without a dict of keyword arguments");
        }
        let made = self.apply(class, Call { args: args.as_deref(), kwargs: Some(kwargs), how: Use::Construct });
        self.called(made)
    }

    fn inst(&mut self, class: Packed, args: &[Packed]) -> Result<Packed> {
        self.obj(class, args)
    }

    /// A class is constructed if there are no arguments, otherwise called; a function is called.
    fn obj(&mut self, class: Packed, args: &[Packed]) -> Result<Packed> {
        let how = if args.is_empty() { Use::Construct } else { Use::Call };
        let class = self.values.unpack(class);
        let made = self.with(args, |tracer, args| tracer.apply(class, Call { args: Some(args), kwargs: None, how }));
        self.called(made)
    }

    fn build(&mut self, target: Packed, state: Packed) -> Result<()> {
        let (target, state) = (self.values.unpack(target), self.values.unpack(state));
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

    fn persistent(&mut self, pid: Packed) -> Result<Packed> {
        let loaded = self.persistent_id(self.values.unpack(pid));
        Ok(Packed::from(loaded))
    }

    fn next_buffer(&mut self) -> Result<Packed> {
        self.event(Action::Buffer, Token::Buffer, None, |_| "next(buffers)".to_owned());
        Ok(Packed::from(Token::Buffer))
    }

    fn readonly_buffer(&mut self, buffer: Packed) -> Result<Packed> {
        let token = self.values.unpack(buffer);
        if token != Token::Buffer {
            let what = self.name_of(token);
            self.suspect(Rule::Use, format!("READONLY_BUFFER is applied to {what}"));
        }
        Ok(buffer)
    }

    fn is_call(&self, value: &Packed) -> bool {
        self.values.keeps_all && matches!(self.values.unpack(*value), Token::Object(_))
    }

    fn dropped(&mut self, call: Packed, _: Option<Packed>) {
        let call = self.values.unpack(call);
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

    fn finish(&mut self, result: &Packed, _: &[Packed]) -> Result<()> {
        let result = self.values.unpack(*result);
        self.result = Some(self.name_of(result));
        if matches!(result, Token::Object(_)) && self.values.nature_of(result).may_be(Nature::REACHING) {
            self.suspect(Rule::Use, "returns something that makes what the pickle chooses");
        }
        Ok(())
    }
}
