//! Any value as plain JSON: arrays as nested lists, tables as rows, Python's objects as what they mean.

mod cells;
mod instances;
mod plain;
mod standard;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use picklevm::{Id, Kind, Value};

use crate::cell::Cell;
use crate::error::{Error, ErrorKind, Result};
use crate::item::{Item, Reader};
use crate::names::{Form, form};
use crate::numpy::NdArray;
use crate::pandas::IndexKind;

pub(crate) use cells::{cell, string};
use cells::{nested, not_finite, shaped, values};
pub use plain::PlainJson;
use standard::Meaning;

/// Values that may be written again because several places share them.
const MAX_SHARED: usize = 1 << 22;

/// Options for plain JSON.
#[derive(Default)]
#[non_exhaustive]
pub struct Options<'w> {
    /// Adds the class of an instance to its attributes: `"$class": "module.Name"`.
    pub classes: bool,
    /// Receives a warning with the path of each value that JSON has no form for (a value inside itself, NaN), which is
    /// then written as `null`. Without it, such a value is an error.
    pub lenient: Option<&'w mut dyn FnMut(&str)>,
}

impl<'w> Options<'w> {
    /// Creates the default options.
    pub fn new() -> Self {
        Options::default()
    }

    /// Adds the class of an instance to its attributes.
    #[must_use]
    pub fn classes(mut self, on: bool) -> Self {
        self.classes = on;
        self
    }

    /// Sets a function that receives warnings, so that values without a form in JSON do not fail.
    #[must_use]
    pub fn lenient(mut self, warn: &'w mut dyn FnMut(&str)) -> Self {
        self.lenient = Some(warn);
        self
    }
}

/// Writes what a reader reads as plain JSON, for programs that know no Python. docs/data.md has the table.
///
/// Instances become their attributes, arrays and tensors nested lists, tables lists of rows, dates ISO 8601, complex numbers
/// pairs. Bytes become text where they are UTF-8, and base64 elsewhere; keys that are no text become text, and a dict in which two
/// keys have one text becomes a list of pairs.
///
/// # Errors
///
/// If a value is inside of itself, a number is not finite, or an array cannot be read. The error names the path.
///
/// ```
/// use picklevm_data::{Reader, SelfContained, json};
///
/// let graph = picklevm::value!({"a": [1, 2.5, null]});
/// let mut text = Vec::new();
/// json::write(&Reader::new(graph.root(), &SelfContained), json::Options::new(), &mut text)?;
/// assert_eq!(text, br#"{"a":[1,2.5,null]}"#);
/// # Ok::<(), picklevm_data::Error>(())
/// ```
pub fn write(reader: &Reader<'_, '_>, options: Options<'_>, mut out: impl std::io::Write) -> Result<()> {
    let mut writer = Writer {
        reader,
        options,
        todo: Vec::new(),
        steps: Vec::new(),
        open: HashMap::new(),
        seen: HashSet::new(),
        shared: 0,
    };
    let mut text = String::new();
    writer.todo.push(Todo::Value(reader.root()));
    while let Some(todo) = writer.todo.pop() {
        match todo {
            Todo::Text(part) => text.push_str(&part),
            Todo::Value(value) => {
                let written = writer.value(value, &mut text);
                written.map_err(|error| match writer.path() {
                    path if path.is_empty() => error,
                    path => error.inside(path),
                })?;
            }
            Todo::At(step) => {
                writer.steps.pop();
                writer.steps.push(step);
            }
            Todo::Close(id) => {
                writer.steps.pop();
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

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("classes", &self.classes).field("lenient", &self.lenient.is_some()).finish()
    }
}

enum Todo<'g> {
    Text(Cow<'static, str>),
    Value(Value<'g>),
    /// The next value is this part of the container that is open.
    At(At<'g>),
    Close(Id),
}

/// A step to a part of a container, put into words only for an error.
#[derive(Clone, Copy)]
enum At<'g> {
    /// Nowhere yet.
    Start,
    Index(usize),
    Key(Value<'g>),
    Attribute(Value<'g>),
    Part(&'static str),
}

struct Writer<'g, 's, 'r, 'w> {
    reader: &'r Reader<'g, 's>,
    options: Options<'w>,
    todo: Vec<Todo<'g>>,
    /// Where the writer is in each open container.
    steps: Vec<At<'g>>,
    /// Open containers, and how many steps lead to them.
    open: HashMap<Id, usize>,
    seen: HashSet<Id>,
    shared: usize,
}

impl<'g> Writer<'g, '_, '_, '_> {
    fn value(&mut self, value: Value<'g>, out: &mut String) -> Result<()> {
        let payload = value.as_bytes().or(value.as_text().map(|text| text.as_bytes()));
        self.repeat(value.id(), payload.map_or(0, <[u8]>::len))?;
        match value.kind() {
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => {
                if self.enter(value.id(), items.len(), out)? {
                    self.list(items.collect());
                }
            }
            Kind::Dict(dict) => {
                if self.enter(value.id(), dict.len(), out)? {
                    self.dict(dict.entries().collect());
                }
            }
            Kind::Object(_) => return self.object(value, out),
            Kind::Global(global) => match crate::text::resolve(value) {
                Cell::Null => out.push_str("null"),
                _ => string(&global.to_string(), out),
            },
            Kind::Int(int) => out.push_str(&int.to_string()),
            Kind::Float(float) if !float.is_finite() => {
                return self.refuse(&format!("{float} has no form in JSON"), out);
            }
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
            Kind::Persistent(id) => {
                if self.enter(value.id(), 1, out)? {
                    self.text("}");
                    self.todo.push(Todo::Value(id));
                    self.todo.push(Todo::At(At::Part("[persistent id]")));
                    self.text("{\"$persid\":");
                }
            }
            _ => return self.refuse(&format!("JSON has no form for a {}", value.type_name()), out),
        }
        Ok(())
    }

    /// Fails, or with [`Options::lenient`] warns and writes `null`.
    fn refuse(&mut self, why: &str, out: &mut String) -> Result<()> {
        let path = self.path();
        let Some(warn) = &mut self.options.lenient else { return Err(Error::unsupported(why)) };
        warn(&if path.is_empty() { why.to_owned() } else { format!("{path}: {why}; it is null in JSON") });
        out.push_str("null");
        Ok(())
    }

    /// Where the writer is.
    fn path(&self) -> String {
        path(&self.steps)
    }

    /// Notes that a container is being written. Returns whether it can be: it is not inside of itself.
    fn enter(&mut self, id: Id, parts: usize, out: &mut String) -> Result<bool> {
        if let Some(steps) = self.open.get(&id) {
            let outer = path(&self.steps[..*steps]);
            let outer = if outer.is_empty() { "the whole value".to_owned() } else { outer };
            self.refuse(&format!("a value that holds itself has no form in JSON: this is {outer} again"), out)?;
            return Ok(false);
        }
        self.open.insert(id, self.steps.len());
        if !self.seen.insert(id) {
            self.shared += 1 + parts;
            if self.shared > MAX_SHARED {
                return Err(Error::new(ErrorKind::Limit, "shared values would be written too often"));
            }
        }
        self.todo.push(Todo::Close(id));
        self.steps.push(At::Start);
        Ok(true)
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

    fn text(&mut self, text: impl Into<Cow<'static, str>>) {
        self.todo.push(Todo::Text(text.into()));
    }

    fn list(&mut self, items: Vec<Value<'g>>) {
        self.text("]");
        for (at, item) in items.into_iter().enumerate().rev() {
            self.todo.push(Todo::Value(item));
            self.todo.push(Todo::At(At::Index(at)));
            if at > 0 {
                self.text(",");
            }
        }
        self.text("[");
    }

    fn dict(&mut self, entries: Vec<(Value<'g>, Value<'g>)>) {
        let mut names = HashSet::new();
        let keys: Option<Vec<String>> =
            entries.iter().map(|(key, _)| Some(key_text(*key)).filter(|key| names.insert(key.clone()))).collect();
        let Some(keys) = keys else {
            self.text("]");
            for (at, (key, value)) in entries.into_iter().enumerate().rev() {
                self.text("]");
                self.todo.push(Todo::Value(value));
                self.todo.push(Todo::At(At::Key(key)));
                self.text(",");
                self.todo.push(Todo::Value(key));
                self.todo.push(Todo::At(At::Part("[a key]")));
                self.text(if at > 0 { ",[" } else { "[" });
            }
            return self.text("[");
        };
        self.text("}");
        for (at, (key, (name, value))) in keys.into_iter().zip(entries).enumerate().rev() {
            self.todo.push(Todo::Value(value));
            self.todo.push(Todo::At(At::Key(name)));
            self.key(&key, at > 0);
        }
        self.text("{");
    }

    /// The key of a member.
    fn key(&mut self, key: &str, follows: bool) {
        let mut text = String::from(if follows { "," } else { "" });
        string(key, &mut text);
        text.push(':');
        self.text(text);
    }

    fn object(&mut self, value: Value<'g>, out: &mut String) -> Result<()> {
        if let Some((_, item)) = self.reader.item(value) {
            let before = out.len();
            self.item(value, item?, out)?;
            return self.repeat(value.id(), out.len() - before);
        }
        let meaning = match standard::meaning(value) {
            // A member of an enum is a call of its class, which is wanted here.
            Some(Meaning::Value(_)) if self.options.classes => None,
            Some(Meaning::Text(text)) => {
                string(&text, out);
                return Ok(());
            }
            Some(Meaning::Json(text)) => {
                out.push_str(&text);
                return Ok(());
            }
            meaning => meaning,
        };
        if meaning.is_none() {
            match crate::text::resolve(value) {
                Cell::Object(_) => {}
                plain => return cell(&plain, out),
            }
        }
        if matches!(form(value), Some(Form::DType | Form::StringDType)) {
            string(&crate::numpy::dtype_of(value)?.to_string(), out);
            return Ok(());
        }
        if !self.enter(value.id(), value.as_object().map_or(0, |object| object.args().len()), out)? {
            return Ok(());
        }
        match meaning {
            Some(Meaning::List(items)) => self.list(items),
            Some(Meaning::Dict(entries)) => self.dict(entries),
            Some(Meaning::Value(inner)) => self.todo.push(Todo::Value(inner)),
            _ => return self.instance(value),
        }
        Ok(())
    }

    fn item(&mut self, value: Value<'g>, item: Item<'g>, out: &mut String) -> Result<()> {
        match item {
            Item::Array(array) => match array.objects() {
                Some(objects) if !matches!(array.dtype().kind(), crate::numpy::DTypeKind::String(_)) => {
                    if self.enter(value.id(), array.len(), out)? {
                        let objects: Vec<Value<'g>> = objects.collect();
                        self.nested_objects(array.shape(), &objects);
                    }
                    Ok(())
                }
                _ => self.nested(&array, out),
            },
            Item::Scalar(scalar) => match not_finite(&scalar.0) {
                Some(_) => self.refuse("a number that is not finite has no form in JSON", out),
                None => nested(&scalar.0, out),
            },
            Item::Masked(array) => {
                let mut cells = array.cells();
                shaped(array.data().shape(), &mut || cells.next().unwrap_or(Ok(Cell::Null)), out)
            }
            Item::Sparse(sparse) => self.nested(&sparse.to_dense()?, out),
            Item::Tensor(tensor) => self.nested(&tensor.to_array(self.reader.source())?, out),
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

    /// An array, a list for each axis. With [`Options::lenient`], numbers that are not finite are `null`.
    fn nested(&mut self, array: &NdArray<'_>, out: &mut String) -> Result<()> {
        array.check_expansion()?;
        if let Some(index) = not_finite(array) {
            let at = index.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            let why = "a number that is not finite has no form in JSON";
            let path = self.path();
            match &mut self.options.lenient {
                None => return Err(Error::unsupported(why).inside(format!("[{at}]"))),
                Some(warn) => warn(&format!("{path}[{at}]: {why}; it is null, as all such numbers of this array")),
            }
        }
        nested(array, out)
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
            self.todo.push(Todo::At(At::Index(at)));
            if at > 0 {
                self.text(",");
            }
        }
        self.text("[");
    }
}

/// Steps as Python writes them: `['cart'][0].price`.
fn path(steps: &[At<'_>]) -> String {
    let mut out = String::new();
    for step in steps {
        match step {
            At::Start => {}
            At::Index(at) => out.push_str(&format!("[{at}]")),
            At::Key(key) => out.push_str(&format!("[{}]", crate::key::repr(*key))),
            At::Attribute(name) => out.push_str(&format!(".{}", crate::numpy_text(*name))),
            At::Part(part) => out.push_str(part),
        }
    }
    out
}

/// A key as text: what Python's `json` makes of constants and numbers, ISO 8601 of dates, and else what Python writes.
fn key_text(key: Value<'_>) -> String {
    match key.kind() {
        Kind::Str(text) => text.to_string(),
        Kind::None => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Bytes(bytes) | Kind::ByteStr(bytes) => crate::key::text_of_bytes(bytes),
        Kind::Object(_) => match (standard::meaning(key), crate::text::resolve(key)) {
            (Some(Meaning::Text(text)), _) => text,
            (_, Cell::Object(_)) => crate::key::repr(key),
            (_, plain) => crate::text::plain(&plain),
        },
        _ => crate::key::repr(key),
    }
}
