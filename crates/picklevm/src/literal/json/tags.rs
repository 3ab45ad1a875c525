//! What the tags of JSON make: `{"$tuple": […]}`.

use super::{Json, JsonReader, Member, Tagged, wrong};
use crate::error::Result;
use crate::graph::{BufferNode, Cell, Tag, Value};
use crate::literal::names;
use crate::literal::scanner::{self, Number, Scanner};
use crate::literal::tree::{Child, Node, ObjectNode};

impl<'t> JsonReader<'t, '_> {
    /// Makes what a tag says.
    pub(super) fn tagged(&mut self, tagged: Tagged<'t>) -> Result<Json<'t>> {
        let Tagged { blanks, members, .. } = tagged;
        let mut names = Vec::with_capacity(members.len());
        let mut values = Vec::with_capacity(members.len());
        for Member { name, value, is_unmemoized } in members {
            let value = match is_unmemoized && !matches!(value, Json::Text(..)) && !has_parts(&name) {
                true => {
                    let child = self.child(value)?;
                    self.unmemoized.push(child);
                    Json::Child(child)
                }
                false => value,
            };
            names.push(name);
            values.push(value);
        }
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let mut values = values.into_iter();
        let mut next = || values.next().unwrap_or(Json::Child(Child::Cell(Cell::NONE)));
        let first = next();
        let child = match (&names[..], first) {
            (["$tuple"], Json::Array(items)) => self.tree.add(Node::Tuple(items)),
            (["$set"], Json::Array(items)) => self.tree.add(Node::Set(items)),
            (["$frozenset"], Json::Array(items)) => self.tree.add(Node::FrozenSet(items)),
            (["$dict"], Json::Array(pairs)) => {
                let rows = self.pairs(pairs)?;
                self.tree.add(Node::Dict(rows))
            }
            (["$int"], Json::Text(text, blanks)) => match Scanner::new(&text, false).number()? {
                Some(Number::Int(int, _)) => Child::Cell(self.int(int, blanks)),
                _ => return Err(wrong("an integer", &text)),
            },
            (["$float"], Json::Text(text, _)) => Child::Cell(self.arena.new_float(float(&text)?)),
            (["$complex"], Json::Array(parts)) => match &parts[..] {
                [Child::Cell(re), Child::Cell(im)] => {
                    let [re, im] = [re, im].map(|part| Value::new(self.arena, *part).as_f64().unwrap_or_default());
                    Child::Cell(self.arena.new_complex(re, im))
                }
                _ => return Err(wrong("two numbers", "others")),
            },
            (["$codepoints"], Json::Array(codes)) => self.code_points(&codes, blanks)?,
            (["$bytes"], Json::Text(text, blanks)) => self.text(Tag::Bytes, &from_hex(&text)?, blanks),
            (["$bytearray"], Json::Text(text, blanks)) => self.text(Tag::ByteArray, &from_hex(&text)?, blanks),
            (["$bytestr"], Json::Text(text, blanks)) => {
                let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
                let bytes = bytes.ok_or_else(|| wrong("characters up to U+00FF", &text))?;
                self.text(Tag::ByteStr, &bytes, blanks)
            }
            (["$global"], Json::Array(parts)) => self.global(&parts, blanks)?,
            (["$ext"], Json::Child(Child::Cell(code))) => {
                let code = self.arena.small_int(code).and_then(|code| i32::try_from(code).ok()).unwrap_or(0);
                Child::Cell(self.arena.ext(code)?.0)
            }
            (["$buffer", "readonly"], Json::Child(Child::Cell(index))) => {
                let index = self.arena.small_int(index).and_then(|index| u32::try_from(index).ok());
                let index = index.ok_or_else(|| wrong("the number of a buffer", "another value"))?;
                let readonly = matches!(next(), Json::Child(Child::Cell(cell)) if cell == Cell::bool(true));
                Child::Cell(self.arena.new_buffer(BufferNode { index, readonly, data: None }))
            }
            (["$persid"], id) => {
                let id = self.child(id)?;
                self.tree.add(Node::Persistent(id))
            }
            (["$id", "$value"], Json::Child(Child::Cell(label))) => {
                let (label, value) = (self.number(label)?, next());
                let value = self.child(value)?;
                if !self.tree.label(label, value) {
                    return Err(wrong("one value with each `$id`", "two"));
                }
                value
            }
            (["$ref"], Json::Child(Child::Cell(label))) => Child::Label(self.number(label)?),
            (["$value", "$effects"], root) if self.open.is_empty() => {
                let root = self.child(root)?;
                match next() {
                    Json::Array(effects) => self.effects = effects,
                    _ => return Err(wrong("an array of effects", "another value")),
                }
                root
            }
            (["$object", "class", "args", rest @ ..], Json::Text(how, _))
                if matches!(rest, ["changes"] | ["kwargs", "changes"]) =>
            {
                let how =
                    names::construction_named(&how).ok_or_else(|| wrong("an opcode that makes instances", &how))?;
                let (class, args) = (self.child(next())?, self.child(next())?);
                let kwargs = if rest.len() == 2 { Some(self.child(next())?) } else { None };
                let Json::Changes(changes) = next() else { return Err(wrong("an array of changes", "another value")) };
                self.tree.add(Node::Object(ObjectNode { class, args, kwargs, how: Some(how), changes }))
            }
            _ if names.contains(&"$more") => {
                return Err(wrong("all of the value", "a part of it (`$more`): `picklevm show --json` prints all"));
            }
            _ => return Err(wrong("a tag that docs/cli.md names, with its members", &names.join(", "))),
        };
        Ok(Json::Child(child))
    }

    fn number(&self, cell: Cell) -> Result<u64> {
        let number = self.arena.small_int(cell).and_then(|number| u64::try_from(number).ok());
        number.ok_or_else(|| wrong("a number", "another value"))
    }

    /// Returns the keys and values of pairs in turn.
    pub(super) fn pairs(&mut self, pairs: Vec<Child>) -> Result<Vec<Child>> {
        let mut rows = Vec::with_capacity(2 * pairs.len());
        for pair in pairs {
            match self.tree.take_items(pair) {
                Some(pair) if pair.len() == 2 => rows.extend(pair),
                _ => return Err(wrong("pairs of a key and a value", "another value")),
            }
        }
        Ok(rows)
    }

    fn code_points(&mut self, codes: &[Child], blanks: &str) -> Result<Child> {
        let mut payload = Vec::new();
        let mut surrogates = false;
        for code in codes {
            let code = match code {
                Child::Cell(cell) => self.arena.small_int(*cell).and_then(|code| u32::try_from(code).ok()),
                _ => None,
            };
            match code {
                Some(code) if code < 0x11_0000 => surrogates |= scanner::push_code_point(&mut payload, code),
                _ => return Err(wrong("code points", "another value")),
            }
        }
        let key = (Tag::Str, payload.clone());
        Ok(self.twin(key, blanks, |arena| arena.new_text(Tag::Str, &payload, surrogates)))
    }

    fn global(&mut self, parts: &[Child], blanks: &str) -> Result<Child> {
        let &[Child::Cell(module), Child::Cell(name)] = parts else {
            return Err(wrong("a module and a name", "others"));
        };
        if !module.is(Tag::Str) || !name.is(Tag::Str) {
            return Err(wrong("a module and a name", "other values"));
        }
        // Pickles of protocols 0 to 2 have the names of Python 2.
        if matches!(self.arena.payload(module), b"__builtin__" | b"copy_reg") {
            self.arena.protocol = Some(2);
        }
        let names = [module, name].map(|text| self.arena.payload(text));
        let key = (Tag::Global, names.join(&b'\n'));
        Ok(self.twin(key, blanks, |arena| arena.new_global(module, name)))
    }
}

/// Whether the array of a tag or a member is no list, but the parts of something else.
fn has_parts(name: &str) -> bool {
    matches!(
        name,
        "$tuple" | "$set" | "$frozenset" | "$dict" | "$complex" | "$codepoints" | "$global" | "$effects" | "changes"
    )
}

/// Reads a float that JSON has no number for: `inf`, `-inf`, `nan`, or a NaN by its bits.
fn float(text: &str) -> Result<f64> {
    Ok(match text {
        "nan" => f64::NAN,
        "inf" => f64::INFINITY,
        "-inf" => f64::NEG_INFINITY,
        _ => match text.strip_prefix("nan:").and_then(|bits| u64::from_str_radix(bits, 16).ok()) {
            Some(bits) => f64::from_bits(bits),
            None => return Err(wrong("nan, inf or -inf", text)),
        },
    })
}

fn from_hex(text: &str) -> Result<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8; 2]| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> = pairs.iter().map(pair).collect();
    bytes.filter(|_| rest.is_empty()).ok_or_else(|| wrong("bytes in hexadecimal", text))
}
