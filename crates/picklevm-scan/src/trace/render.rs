//! What a pickle does, as text that reads like Python.

use std::fmt::Write as _;

use picklevm_ops::{Opcode, Text, repr};

use super::Tracer;
use crate::policy::Use;
use crate::token::Token;

/// Characters of a string, items of a container and levels of nesting that are shown.
const STRING: usize = 120;
const ITEMS: usize = 12;
const LEVELS: u8 = 4;
/// Characters of a line after which nothing more is begun.
const LINE: usize = 1000;

impl Tracer<'_> {
    /// A value as an expression.
    pub(super) fn render(&self, token: Token) -> String {
        let mut out = String::new();
        self.write(&mut out, token, LEVELS);
        out
    }

    pub(super) fn render_call(&self, callable: Token, args: Option<&[Token]>, how: Use, result: Option<u32>) -> String {
        let mut out = String::new();
        if let Some(number) = result {
            let _ = write!(out, "v{number} = ");
        }
        self.write(&mut out, callable, 1);
        if how != Use::Call {
            out.push_str(".__new__");
        }
        out.push('(');
        match args {
            Some(args) => self.write_items(&mut out, args, LEVELS),
            None => out.push('…'),
        }
        out.push(')');
        out
    }

    pub(super) fn render_state(&self, target: Token, state: Token) -> String {
        format!("{}.__setstate__({})", self.render(target), self.render(state))
    }

    /// What puts items into an object, as Python does it for the opcode.
    pub(super) fn render_items(&self, target: Token, items: &[Token]) -> String {
        let (target, mut out) = (self.render(target), String::new());
        match self.opcode {
            Opcode::Appends => {
                let _ = write!(out, "{target}.extend([");
                self.write_items(&mut out, items, LEVELS);
                out.push_str("])");
            }
            Opcode::SetItem | Opcode::SetItems => self.write_each(&mut out, items.chunks(2), "; ", |out, pair| {
                let _ = write!(out, "{target}[");
                self.write_items(out, &pair[..1], LEVELS);
                out.push_str("] = ");
                self.write_items(out, &pair[1..], LEVELS);
            }),
            opcode => {
                let method = if opcode == Opcode::AddItems { "add" } else { "append" };
                self.write_each(&mut out, items.chunks(1), "; ", |out, item| {
                    let _ = write!(out, "{target}.{method}(");
                    self.write_items(out, item, LEVELS);
                    out.push(')');
                });
            }
        }
        out
    }

    /// One piece of text for each item or pair.
    fn write_each<'i>(
        &self,
        out: &mut String,
        items: impl ExactSizeIterator<Item = &'i [Token]>,
        separator: &str,
        write_one: impl Fn(&mut String, &[Token]),
    ) {
        let len = items.len();
        for (i, item) in items.enumerate() {
            if i > 0 {
                out.push_str(separator);
            }
            if i == ITEMS || out.len() > LINE {
                let _ = write!(out, "… {} more", len - i);
                return;
            }
            write_one(out, item);
        }
    }

    fn write_items(&self, out: &mut String, items: &[Token], levels: u8) {
        self.write_each(out, items.chunks(1), ", ", |out, item| self.write(out, item[0], levels));
    }

    // No deeper than `LEVELS`.
    fn write(&self, out: &mut String, token: Token, levels: u8) {
        match token {
            Token::None => out.push_str("None"),
            Token::Bool(true) => out.push_str("True"),
            Token::Bool(false) => out.push_str("False"),
            Token::Int(value) => {
                let _ = write!(out, "{value}");
            }
            Token::Number(_) | Token::LongInt => out.push_str("<number>"),
            Token::Text(_) | Token::Bytes(_) => self.write_string(out, token),
            Token::Tuple(_) => self.write_container(out, token, ("(", ")"), levels),
            Token::List(_) => self.write_container(out, token, ("[", "]"), levels),
            Token::Dict(_) => self.write_container(out, token, ("{", "}"), levels),
            Token::Set(_) => self.write_container(out, token, ("{", "}"), levels),
            Token::Global(_) => out.push_str(&self.name_of(token)),
            Token::Object(number) => {
                let _ = write!(out, "v{number}");
            }
            Token::Persistent(number) => match self.persistent.get(number as usize) {
                Some((pid, _)) if levels > 0 => {
                    out.push_str("persistent_load(");
                    self.write(out, *pid, levels - 1);
                    out.push(')');
                }
                _ => out.push_str("persistent_load(…)"),
            },
            Token::Buffer => out.push_str("<buffer>"),
            Token::Unknown | Token::Hole => out.push_str("<unknown>"),
        }
    }

    fn write_container(&self, out: &mut String, token: Token, (open, close): (&str, &str), levels: u8) {
        out.push_str(open);
        match self.values.items_of(token) {
            Some(pairs) if levels > 0 && matches!(token, Token::Dict(_)) => self.write_pairs(out, pairs, levels - 1),
            Some(items) if levels > 0 => {
                self.write_items(out, items, levels - 1);
                if matches!(token, Token::Tuple(_)) && items.len() == 1 {
                    out.push(',');
                }
            }
            Some([]) => {}
            _ => out.push('…'),
        }
        out.push_str(close);
    }

    fn write_pairs(&self, out: &mut String, pairs: &[Token], levels: u8) {
        self.write_each(out, pairs.chunks(2), ", ", |out, pair| {
            self.write_items(out, &pair[..1], levels);
            out.push_str(": ");
            self.write_items(out, &pair[1..], levels);
        });
    }

    fn write_string(&self, out: &mut String, token: Token) {
        let Some(bytes) = self.values.bytes_of(token) else { return out.push('…') };
        let mut end = bytes.len().min(STRING);
        let is_text = matches!(token, Token::Text(_));
        while is_text && end < bytes.len() && end > 0 && bytes[end] & 0xc0 == 0x80 {
            end -= 1;
        }
        let shown = &bytes[..end];
        let _ = match Text::new(shown) {
            Some(text) if is_text => write!(out, "{}", repr::Str(text)),
            _ => write!(out, "{}", repr::Bytes(shown)),
        };
        if end < bytes.len() {
            let _ = write!(out, "… ({} bytes)", bytes.len());
        }
    }
}
