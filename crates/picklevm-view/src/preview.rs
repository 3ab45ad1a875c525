//! Arrays, tables and tensors in short: facts, statistics, a histogram, images, the first rows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use picklevm::Value;
use picklevm_data::numpy::NdArray;
use picklevm_data::pandas::{Column, DataFrame, Index};
use picklevm_data::{Cell, Item, Reader};
use serde_json::{Map, Value as Json, json};

/// Bytes of the data of one array that are read for a preview.
const BYTES: usize = 64 << 20;
/// Rows and columns of a table, characters of a cell, bars of a histogram.
const ROWS: usize = 200;
const COLUMNS: usize = 40;
const CELL: usize = 120;
const BARS: usize = 32;
/// The lengths of the sides of an image, images of an array, and the length of the sides to which they are reduced.
const SIDES: std::ops::RangeInclusive<usize> = 8..=1024;
const IMAGES: usize = 8;
const PIXELS: usize = 128;

/// What may still be read for the previews of a page.
pub(crate) struct Previews {
    elements: usize,
    images: usize,
    cells: usize,
}

impl Default for Previews {
    fn default() -> Self {
        Previews { elements: 20_000_000, images: 64, cells: 60_000 }
    }
}

impl Previews {
    /// The preview of a value, if it is an array, a table or a tensor that can be read.
    pub(crate) fn of<'g>(&mut self, value: Value<'g>, reader: &Reader<'g, '_>) -> Option<Json> {
        let (kind, item) = reader.item(value)?;
        let mut preview = Map::new();
        match item {
            Err(error) => preview = facts(kind, vec![("problem", error.to_string())]),
            Ok(Item::Scalar(_)) => return None,
            Ok(Item::Array(array)) => self.array("array", &array, &mut preview),
            Ok(Item::Masked(masked)) => self.array("masked array", masked.data(), &mut preview),
            Ok(Item::Sparse(sparse)) => {
                let all = vec![
                    ("shape", shape(sparse.shape())),
                    ("dtype", sparse.dtype().name()),
                    ("format", sparse.format().to_owned()),
                ];
                preview = facts("sparse matrix", all);
            }
            Ok(Item::Tensor(tensor)) => {
                let len: usize = tensor.shape().iter().product();
                let bytes = len.saturating_mul(tensor.dtype().size());
                let array = Some(())
                    .filter(|()| bytes <= BYTES && self.elements > 0)
                    .map(|()| tensor.to_array(reader.source()));
                match array {
                    Some(Ok(array)) => self.array("tensor", &array, &mut preview),
                    other => {
                        let why = other.map_or_else(
                            || "not read for this page: it is large".to_owned(),
                            |read| read.map_or_else(|error| error.to_string(), |_| String::new()),
                        );
                        preview = facts(
                            "tensor",
                            vec![("shape", shape(tensor.shape())), ("dtype", tensor.dtype_name()), ("data", why)],
                        );
                    }
                }
                if let Some(storage) = tensor.storage() {
                    add_fact(&mut preview, "storage", storage.to_owned());
                }
                preview.insert(
                    "what".to_owned(),
                    format!("tensor {} {}", tensor.dtype_name(), shape(tensor.shape())).into(),
                );
            }
            Ok(Item::Table(frame)) => self.table("table", &frame, &mut preview),
            Ok(Item::Series(series)) => self.table("series", &series.to_frame(), &mut preview),
            Ok(Item::Index(index)) => {
                let levels: Vec<Column<'_>> = index.levels().to_vec();
                let frame = DataFrame::new(levels, Index::range(index.len())).ok()?;
                self.table("index", &frame, &mut preview);
            }
            Ok(_) => return None,
        }
        Some(preview.into())
    }

    fn array(&mut self, what: &str, array: &NdArray<'_>, preview: &mut Map<String, Json>) {
        let name = array.dtype().name();
        let bytes = array.byte_len().map_or_else(String::new, |bytes| bytes.to_string());
        let all = vec![
            ("shape", shape(array.shape())),
            ("dtype", name.clone()),
            ("elements", array.len().to_string()),
            ("bytes", bytes),
        ];
        *preview = facts(&format!("{what} {name} {}", shape(array.shape())), all);
        let read = array.len().min(self.elements).min(BYTES / 8);
        self.elements -= read;
        let mut numbers = Vec::new();
        let mut is_numeric = !array.is_empty();
        for cell in array.cells().take(read) {
            match cell.ok().as_ref().filter(|cell| !matches!(cell, Cell::Object(_))).and_then(Cell::as_f64) {
                Some(number) => numbers.push(number),
                None => {
                    is_numeric = false;
                    break;
                }
            }
        }
        if is_numeric && !numbers.is_empty() {
            statistics(&numbers, numbers.len() < array.len(), preview);
            self.images(array, &name, &numbers, preview);
        }
        self.rows(array, preview);
    }

    /// The first rows along the last axis.
    fn rows(&mut self, array: &NdArray<'_>, preview: &mut Map<String, Json>) {
        let (before, width) = match array.shape().split_last() {
            Some((width, before)) if !before.is_empty() => (before, *width),
            Some((_, before)) => (before, 1),
            None => return,
        };
        let columns = width.min(COLUMNS);
        let in_all = array.len().checked_div(width).unwrap_or(0);
        let rows = in_all.min(ROWS).min(self.cells / columns.max(1)).min(2_000_000 / width.max(1));
        self.cells -= rows * columns;
        let mut cells = array.cells();
        let mut lines = Vec::new();
        for row in 0..rows {
            let mut line = vec![Json::from(index_text(row, if before.is_empty() { array.shape() } else { before }))];
            for column in 0..width {
                let cell = cells.next();
                if column < columns {
                    line.push(cell.map_or_else(String::new, |cell| cell_text(cell.ok())).into());
                }
            }
            lines.push(Json::from(line));
        }
        let names = (0..columns).map(|column| if before.is_empty() { "value".to_owned() } else { column.to_string() });
        preview.insert("columns".to_owned(), std::iter::once(String::new()).chain(names).collect::<Vec<_>>().into());
        let is_number = preview.contains_key("histogram");
        preview.insert("numeric".to_owned(), vec![is_number; columns + 1].into());
        preview.insert("rows".to_owned(), lines.into());
        preview.insert("rowsInAll".to_owned(), in_all.into());
        if columns < width {
            add_fact(preview, "columns", format!("the first {columns} of {width} are below"));
        }
    }

    /// Images, if the array looks like some: bytes, or floats from 0 to 1, in two axes, or three with channels, or several.
    fn images(&mut self, array: &NdArray<'_>, dtype: &str, numbers: &[f64], preview: &mut Map<String, Json>) {
        let is_unit = || {
            dtype.starts_with("float")
                && array.shape().len() > 2
                && numbers.iter().all(|number| (0.0..=1.0).contains(number))
        };
        let scale = if dtype == "uint8" {
            1.0
        } else if is_unit() {
            255.0
        } else {
            return;
        };
        let is_side = |len: &usize| SIDES.contains(len);
        let is_channels = |len: usize| matches!(len, 1 | 3 | 4);
        let (count, [height, width], channels, is_first) = match *array.shape() {
            [h, w] if is_side(&h) && is_side(&w) => (1, [h, w], 1, false),
            [h, w, c] if is_side(&h) && is_side(&w) && is_channels(c) => (1, [h, w], c, false),
            [c, h, w] if is_side(&h) && is_side(&w) && is_channels(c) => (1, [h, w], c, true),
            [n, h, w] if is_side(&h) && is_side(&w) => (n, [h, w], 1, false),
            [n, h, w, c] if is_side(&h) && is_side(&w) && is_channels(c) => (n, [h, w], c, false),
            [n, c, h, w] if is_side(&h) && is_side(&w) && is_channels(c) => (n, [h, w], c, true),
            _ => return,
        };
        let size = height * width * channels;
        let every = height.max(width).div_ceil(PIXELS);
        let shown = count.min(IMAGES).min(self.images).min(numbers.len() / size);
        self.images -= shown;
        let images = (0..shown).map(|at| {
            let image = &numbers[at * size..(at + 1) * size];
            let mut pixels = Vec::new();
            for row in (0..height).step_by(every) {
                for column in (0..width).step_by(every) {
                    let pixel = row * width + column;
                    let value = |channel: usize| image[if is_first { channel * height * width + pixel } else { pixel * channels + channel }];
                    pixels.extend((0..channels).map(|channel| (value(channel) * scale) as u8));
                }
            }
            json!({"width": width.div_ceil(every), "height": height.div_ceil(every), "channels": channels, "data": STANDARD.encode(pixels)})
        });
        preview.insert("images".to_owned(), images.collect());
    }

    fn table(&mut self, what: &str, frame: &DataFrame<'_>, preview: &mut Map<String, Json>) {
        let columns: Vec<&Column<'_>> = frame.index().levels().iter().chain(frame.columns()).take(COLUMNS).collect();
        let levels = frame.index().levels().len();
        let all = vec![("rows", frame.rows().to_string()), ("columns", frame.columns().len().to_string())];
        *preview = facts(&format!("{what}, {} × {}", frame.rows(), frame.columns().len()), all);
        let name = |(at, column): (usize, &&Column<'_>)| {
            let unnamed = if at < levels { "index" } else { "" };
            format!("{} ({})", column.name().unwrap_or_else(|| unnamed.to_owned()), column.values().dtype())
        };
        let names: Vec<String> = columns.iter().enumerate().map(name).collect();
        let mut numeric = Vec::new();
        for (column, name) in columns.iter().zip(&names) {
            let read = column.len().min(self.elements).min(1_000_000);
            self.elements -= read;
            let cells = (0..read).map(|row| column.cell(row).ok());
            let numbers: Option<Vec<f64>> =
                cells.filter(|cell| !cell.as_ref().is_some_and(Cell::is_missing)).map(|cell| cell?.as_f64()).collect();
            numeric.push(numbers.is_some());
            if let Some([low, high, mean, _]) =
                numbers.filter(|numbers| !numbers.is_empty()).map(|numbers| moments(&numbers))
            {
                add_fact(preview, name, format!("{} to {}, mean {}", short(low), short(high), short(mean)));
            }
        }
        let rows = frame.rows().min(ROWS).min(self.cells / columns.len().max(1));
        self.cells -= rows * columns.len();
        let line = |row: usize| columns.iter().map(|column| cell_text(column.cell(row).ok())).collect::<Vec<String>>();
        preview.insert("columns".to_owned(), names.into());
        preview.insert("numeric".to_owned(), numeric.into());
        preview
            .insert("rows".to_owned(), (0..rows).map(line).collect::<Vec<_>>().into_iter().map(Json::from).collect());
        preview.insert("rowsInAll".to_owned(), frame.rows().into());
        if frame.columns().len() + levels > columns.len() {
            add_fact(preview, "more columns", (frame.columns().len() + levels - columns.len()).to_string());
        }
    }
}

fn facts(what: &str, all: Vec<(&str, String)>) -> Map<String, Json> {
    let mut preview = Map::new();
    preview.insert("what".to_owned(), what.into());
    preview.insert("facts".to_owned(), json!(all));
    preview
}

fn add_fact(preview: &mut Map<String, Json>, name: &str, text: String) {
    if let Some(Json::Array(all)) = preview.get_mut("facts") {
        all.push(json!([name, text]));
    }
}

/// The smallest and the largest number, the mean and the standard deviation.
fn moments(numbers: &[f64]) -> [f64; 4] {
    let finite = || numbers.iter().copied().filter(|number| number.is_finite());
    let count = finite().count().max(1) as f64;
    let mean = finite().sum::<f64>() / count;
    let deviation = (finite().map(|number| (number - mean).powi(2)).sum::<f64>() / count).sqrt();
    [finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max), mean, deviation]
}

fn statistics(numbers: &[f64], is_cut: bool, preview: &mut Map<String, Json>) {
    let [low, high, mean, deviation] = moments(numbers);
    let odd = numbers.iter().filter(|number| !number.is_finite()).count();
    let zeros = numbers.iter().filter(|number| **number == 0.0).count();
    add_fact(preview, "range", format!("{} to {}", short(low), short(high)));
    add_fact(preview, "mean", format!("{}, standard deviation {}", short(mean), short(deviation)));
    add_fact(preview, "zeros", zeros.to_string());
    if odd > 0 {
        add_fact(preview, "NaN, infinite", odd.to_string());
    }
    if is_cut {
        add_fact(preview, "statistics", format!("of the first {}", numbers.len()));
    }
    let mut counts = [0u64; BARS];
    for number in numbers.iter().filter(|number| number.is_finite()) {
        let part = if high > low { (number / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) } else { 0.0 };
        counts[((part * BARS as f64) as usize).min(BARS - 1)] += 1;
    }
    if low.is_finite() {
        preview.insert("histogram".to_owned(), json!({"counts": counts, "low": low, "high": high}));
    }
}

/// A number with six digits.
fn short(number: f64) -> String {
    if number == 0.0 || (1e-4..1e15).contains(&number.abs()) {
        let digits = (5 - number.abs().log10().floor().clamp(-5.0, 5.0) as i32).clamp(0, 9) as usize;
        let text = format!("{number:.digits$}");
        return if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    }
    format!("{number:.5e}")
}

fn cell_text(cell: Option<Cell<'_>>) -> String {
    match cell {
        Some(cell) => cell.to_string().chars().take(CELL).collect(),
        None => "?".to_owned(),
    }
}

fn shape(shape: &[usize]) -> String {
    let lengths: Vec<String> = shape.iter().map(usize::to_string).collect();
    match &lengths[..] {
        [one] => format!("({one},)"),
        all => format!("({})", all.join(", ")),
    }
}

/// The index of a row of all but the last axis.
fn index_text(mut row: usize, axes: &[usize]) -> String {
    let mut index = Vec::new();
    for len in axes.iter().rev() {
        index.push((row % len.max(&1)).to_string());
        row /= len.max(&1);
    }
    index.reverse();
    index.join(", ")
}
