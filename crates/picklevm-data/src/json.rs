//! Any value as JSON: arrays as nested lists, tables as rows, Python's objects as what they mean.

use std::collections::HashSet;

use picklevm::typed::{DefaultDict, InstanceView, OrderedDict};
use picklevm::{Id, Kind, Value};

use crate::cell::Cell;
use crate::error::{Error, ErrorKind, Result};
use crate::item::{Item, Reader};
use crate::names::{Form, form};
use crate::numpy::NdArray;
use crate::pandas::{Column, IndexKind};

/// Values that may be written again because several places share them.
const MAX_SHARED: usize = 1 << 22;

/// Writes what a reader reads as JSON.
///
/// Arrays and tensors become nested lists, tables lists of rows, dates ISO 8601, complex numbers pairs, NaN `null`. Bytes
/// become text where they are UTF-8, and `{"$bytes": hex}` elsewhere; a dict with keys that JSON has no text for becomes
/// a list of pairs; an object of another class an object with `$class`.
///
/// # Errors
///
/// If a value refers to itself, or an array cannot be read.
///
/// ```
/// use picklevm_data::{Reader, SelfContained, json};
///
/// let graph = picklevm::value!({"a": [1, 2.5, null]});
/// let mut text = Vec::new();
/// json::write(&Reader::new(graph.root(), &SelfContained), &mut text)?;
/// assert_eq!(text, br#"{"a":[1,2.5,null]}"#);
/// # Ok::<(), picklevm_data::Error>(())
/// ```
pub fn write(reader: &Reader<'_, '_>, mut out: impl std::io::Write) -> Result<()> {
    let mut writer = Writer { reader, todo: Vec::new(), open: HashSet::new(), seen: HashSet::new(), shared: 0 };
    let mut text = String::new();
    writer.todo.push(Todo::Value(reader.root()));
    while let Some(todo) = writer.todo.pop() {
        match todo {
            Todo::Text(part) => text.push_str(&part),
            Todo::Value(value) => writer.value(value, &mut text)?,
            Todo::Close(id) => {
                writer.open.remove(&id);
            }
        }
        if text.len() >= 1 << 16 {
            out.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    Ok(out.write_all(text.as_bytes())?)
}

enum Todo<'g> {
    Text(std::borrow::Cow<'static, str>),
    Value(Value<'g>),
    Close(Id),
}

struct Writer<'g, 's, 'r> {
    reader: &'r Reader<'g, 's>,
    todo: Vec<Todo<'g>>,
    open: HashSet<Id>,
    seen: HashSet<Id>,
    shared: usize,
}

impl<'g> Writer<'g, '_, '_> {
    fn value(&mut self, value: Value<'g>, out: &mut String) -> Result<()> {
        let payload = value.as_bytes().or(value.as_text().map(|text| text.as_bytes()));
        self.repeat(value.id(), payload.map_or(0, <[u8]>::len))?;
        match value.kind() {
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => {
                self.enter(value.id(), items.len())?;
                self.list(items.collect());
            }
            Kind::Dict(dict) => {
                self.enter(value.id(), dict.len())?;
                self.dict(dict.entries().collect());
            }
            Kind::Object(_) => return self.object(value, out),
            Kind::Global(global) => match crate::text::resolve(value) {
                Cell::Null => out.push_str("null"),
                _ => self.tagged("$global", &global.to_string()),
            },
            Kind::Int(int) => out.push_str(&int.to_string()),
            Kind::Buffer(_) => {
                let bytes = crate::numpy::bytes_of(value)?;
                cell(&Cell::Bytes(bytes[..].into()), out)?;
            }
            Kind::Str(text) => string(&text.to_string(), out),
            Kind::None
            | Kind::Bool(_)
            | Kind::Float(_)
            | Kind::Complex(..)
            | Kind::Bytes(_)
            | Kind::ByteStr(_)
            | Kind::ByteArray(_) => {
                cell(&crate::text::resolve(value), out)?;
            }
            _ => return Err(Error::unsupported(format!("JSON has no form for a {}", value.type_name()))),
        }
        Ok(())
    }

    /// Notes that a container is being written.
    fn enter(&mut self, id: Id, parts: usize) -> Result<()> {
        if !self.open.insert(id) {
            return Err(Error::unsupported("a value that holds itself has no form in JSON"));
        }
        if !self.seen.insert(id) {
            self.shared += 1 + parts;
            if self.shared > MAX_SHARED {
                return Err(Error::new(ErrorKind::Limit, "shared values would be written too often"));
            }
        }
        self.todo.push(Todo::Close(id));
        Ok(())
    }

    /// Counts what is written again of a large payload.
    fn repeat(&mut self, id: Id, len: usize) -> Result<()> {
        if len > 256 && !self.seen.insert(id) {
            self.shared += len / 16;
            if self.shared > MAX_SHARED {
                return Err(Error::new(ErrorKind::Limit, "shared values would be written too often"));
            }
        }
        Ok(())
    }

    fn text(&mut self, text: impl Into<std::borrow::Cow<'static, str>>) {
        self.todo.push(Todo::Text(text.into()));
    }

    fn tagged(&mut self, tag: &str, text: &str) {
        let mut out = format!("{{\"{tag}\":");
        string(text, &mut out);
        out.push('}');
        self.text(out);
    }

    fn list(&mut self, items: Vec<Value<'g>>) {
        self.text("]");
        for (at, item) in items.into_iter().enumerate().rev() {
            self.todo.push(Todo::Value(item));
            if at > 0 {
                self.text(",");
            }
        }
        self.text("[");
    }

    fn dict(&mut self, entries: Vec<(Value<'g>, Value<'g>)>) {
        let mut names = HashSet::new();
        let keys: Option<Vec<String>> =
            entries.iter().map(|(key, _)| key_text(*key).filter(|key| names.insert(key.clone()))).collect();
        let Some(keys) = keys else {
            self.text("]");
            for (at, (key, value)) in entries.into_iter().enumerate().rev() {
                self.text("]");
                self.todo.push(Todo::Value(value));
                self.text(",");
                self.todo.push(Todo::Value(key));
                self.text(if at > 0 { ",[" } else { "[" });
            }
            return self.text("[");
        };
        self.text("}");
        for (at, (key, (_, value))) in keys.into_iter().zip(entries).enumerate().rev() {
            self.todo.push(Todo::Value(value));
            let mut text = String::from(if at > 0 { "," } else { "" });
            string(&key, &mut text);
            text.push(':');
            self.text(text);
        }
        self.text("{");
    }

    fn object(&mut self, value: Value<'g>, out: &mut String) -> Result<()> {
        if let Some((_, item)) = self.reader.item(value) {
            let before = out.len();
            self.item(value, item?, out)?;
            return self.repeat(value.id(), out.len() - before);
        }
        match crate::text::resolve(value) {
            Cell::Object(_) => {}
            plain => return cell(&plain, out),
        }
        self.enter(value.id(), value.as_object().map_or(0, |object| object.args().len()))?;
        if let Ok(dict) = value.view::<OrderedDict<'_>>() {
            self.dict(dict.entries().collect());
            return Ok(());
        }
        if let Ok(dict) = value.view::<DefaultDict<'_>>() {
            self.dict(dict.entries().collect());
            return Ok(());
        }
        if matches!(form(value), Some(Form::DType | Form::StringDType)) {
            string(&crate::numpy::dtype_of(value)?.to_string(), out);
            return Ok(());
        }
        let Ok(instance) = value.view::<InstanceView<'_>>() else {
            return Err(Error::unsupported(format!("JSON has no form for {}", crate::error::describe(value))));
        };
        let class = instance.class();
        let plain = class.as_global().map(|class| class.to_string());
        // A tuple with names, a subclass of a list or a dict: what it is made of.
        let (args, items) = (instance.args(), instance.items());
        if !instance.is_called()
            && instance.state().is_none()
            && instance.entries().len() == 0
            && args.len() + items.len() > 0
        {
            self.list(args.chain(items).collect());
            return Ok(());
        }
        let mut entries: Vec<(String, Part<'g>)> = Vec::new();
        for (name, value) in instance.attributes() {
            entries.push((crate::numpy_text(name), Part::One(value)));
        }
        if let (true, Some(state)) = (entries.is_empty(), instance.state()) {
            entries.push(("$state".into(), Part::One(state)));
        }
        if !args.is_empty() {
            entries.push(("$args".into(), Part::List(args.collect())));
        }
        if !items.is_empty() {
            entries.push(("$items".into(), Part::List(items.collect())));
        }
        if instance.entries().len() > 0 {
            entries.push(("$entries".into(), Part::Dict(instance.entries().collect())));
        }
        self.text("}");
        for (name, part) in entries.into_iter().rev() {
            match part {
                Part::One(value) => self.todo.push(Todo::Value(value)),
                Part::List(items) => self.list(items),
                Part::Dict(entries) => self.dict(entries),
            }
            let mut text = String::from(",");
            string(&name, &mut text);
            text.push(':');
            self.text(text);
        }
        let mut start = String::from("{\"$class\":");
        string(&plain.unwrap_or_else(|| "?".to_owned()), &mut start);
        self.text(start);
        Ok(())
    }

    fn item(&mut self, value: Value<'g>, item: Item<'g>, out: &mut String) -> Result<()> {
        match item {
            Item::Array(array) => match array.objects() {
                Some(objects) if !matches!(array.dtype().kind(), crate::numpy::DTypeKind::String(_)) => {
                    self.enter(value.id(), array.len())?;
                    let objects: Vec<Value<'g>> = objects.collect();
                    self.nested_objects(array.shape(), &objects);
                    Ok(())
                }
                _ => nested(&array, out),
            },
            Item::Scalar(scalar) => nested(&scalar.0, out),
            Item::Masked(array) => {
                let mut cells = array.cells();
                shaped(array.data().shape(), &mut || cells.next().unwrap_or(Ok(Cell::Null)), out)
            }
            Item::Sparse(sparse) => nested(&sparse.to_dense()?, out),
            Item::Tensor(tensor) => nested(&tensor.to_array(self.reader.source())?, out),
            Item::Series(series) => values(series.column(), out),
            Item::Index(index) => {
                out.push('[');
                for at in 0..index.len() {
                    out.push_str(if at > 0 { "," } else { "" });
                    match (index.kind(), index.levels()) {
                        (IndexKind::Range | IndexKind::Plain, [level]) => cell(&level.cell(at)?, out)?,
                        (_, levels) => {
                            for (number, level) in levels.iter().enumerate() {
                                out.push_str(if number > 0 { "," } else { "[" });
                                cell(&level.cell(at)?, out)?;
                            }
                            out.push(']');
                        }
                    }
                }
                out.push(']');
                Ok(())
            }
            Item::Table(frame) => {
                let mut lines = Vec::new();
                crate::table::write_jsonl(&frame, crate::table::Options::default(), &mut lines)?;
                out.push('[');
                out.push_str(&String::from_utf8_lossy(&lines).trim_end().replace('\n', ","));
                out.push(']');
                Ok(())
            }
        }
    }

    /// The objects of an array, a list for each axis.
    fn nested_objects(&mut self, shape: &[usize], objects: &[Value<'g>]) {
        let Some((len, rest)) = shape.split_first() else {
            return self.todo.extend(objects.first().map(|value| Todo::Value(*value)));
        };
        self.text("]");
        let step = objects.len().checked_div(*len).unwrap_or(0);
        for at in (0..if step == 0 { 0 } else { *len }).rev() {
            self.nested_objects(rest, &objects[at * step..(at + 1) * step]);
            if at > 0 {
                self.text(",");
            }
        }
        self.text("[");
    }
}

enum Part<'g> {
    One(Value<'g>),
    List(Vec<Value<'g>>),
    Dict(Vec<(Value<'g>, Value<'g>)>),
}

/// The values of a column, as a list.
fn values(column: &Column<'_>, out: &mut String) -> Result<()> {
    out.push('[');
    for at in 0..column.len() {
        out.push_str(if at > 0 { "," } else { "" });
        cell(&column.cell(at)?, out)?;
    }
    out.push(']');
    Ok(())
}

/// The elements of an array, a list for each axis.
fn nested(array: &NdArray<'_>, out: &mut String) -> Result<()> {
    array.check_expansion()?;
    let mut cells = array.cells();
    shaped(array.shape(), &mut || cells.next().unwrap_or(Ok(Cell::Null)), out)
}

/// One axis; at most 64 as in NumPy.
fn shaped<'a>(shape: &[usize], next: &mut dyn FnMut() -> Result<Cell<'a>>, out: &mut String) -> Result<()> {
    let Some((len, rest)) = shape.split_first() else { return cell(&next()?, out) };
    if shape.len() > 64 {
        return Err(Error::malformed("an array of more than 64 axes"));
    }
    out.push('[');
    for at in 0..*len {
        out.push_str(if at > 0 { "," } else { "" });
        shaped(rest, next, out)?;
        // Nothing below an axis of length 0, however often.
        if rest.contains(&0) && out.len() > 1 << 24 {
            return Err(Error::new(ErrorKind::Limit, "an array without elements that is very large"));
        }
    }
    out.push(']');
    Ok(())
}

/// A key as JSON has it; `None` of what has no text.
fn key_text(key: Value<'_>) -> Option<String> {
    Some(match key.kind() {
        Kind::Str(text) => text.as_str()?.to_owned(),
        Kind::None => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Int(_) | Kind::Float(_) => crate::key::repr(key),
        Kind::Bytes(bytes) | Kind::ByteStr(bytes) => crate::key::text_of_bytes(bytes),
        _ => return None,
    })
}

/// Writes a string with JSON's escapes.
pub(crate) fn string(text: &str, out: &mut String) {
    match serde_json::to_string(text) {
        Ok(text) => out.push_str(&text),
        Err(_) => out.push_str("\"\""),
    }
}

fn float(value: f64, shortest: String, out: &mut String) {
    if value.is_nan() {
        out.push_str("null");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    } else {
        out.push_str(&shortest);
    }
}

/// Writes one cell as JSON.
pub(crate) fn cell(value: &Cell<'_>, out: &mut String) -> Result<()> {
    match value {
        Cell::Null => out.push_str("null"),
        Cell::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Cell::Int(value) => out.push_str(&value.to_string()),
        Cell::UInt(value) => out.push_str(&value.to_string()),
        Cell::Float32(value) => float(f64::from(*value), crate::text::float32(*value), out),
        Cell::Float(value) => float(*value, crate::text::float(*value), out),
        Cell::Complex(re, im) => {
            out.push('[');
            float(*re, crate::text::float(*re), out);
            out.push(',');
            float(*im, crate::text::float(*im), out);
            out.push(']');
        }
        Cell::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => string(text, out),
            Err(_) => {
                out.push_str("{\"$bytes\":\"");
                bytes.iter().for_each(|byte| out.push_str(&format!("{byte:02x}")));
                out.push_str("\"}");
            }
        },
        Cell::Interval { left, right, closed } => {
            out.push_str("{\"left\":");
            cell(left, out)?;
            out.push_str(",\"right\":");
            cell(right, out)?;
            out.push_str(",\"closed\":");
            string(closed, out);
            out.push('}');
        }
        Cell::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                cell(item, out)?;
            }
            out.push(']');
        }
        Cell::Record(fields) => {
            out.push('{');
            for (at, (name, item)) in fields.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                string(name, out);
                out.push(':');
                cell(item, out)?;
            }
            out.push('}');
        }
        Cell::Object(value) => {
            let mut bytes = Vec::new();
            write(&Reader::new(*value, &crate::SelfContained), &mut bytes)?;
            out.push_str(&String::from_utf8_lossy(&bytes));
        }
        cell => string(&crate::text::plain(cell), out),
    }
    Ok(())
}
