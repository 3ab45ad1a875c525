//! Every item of every file is what the library that reads the file says.

use picklevm_data::numpy::{NdArray, Scalar};
use picklevm_data::pandas::Column;
use picklevm_data::{Cell, Found, Item, Source};
use serde_json::{Value as Json, json};

use crate::load;

/// A line of `expected.tsv`.
struct Line<'a> {
    file: &'a str,
    path: &'a str,
    kind: &'a str,
    dtype: &'a str,
    shape: Json,
    values: Json,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    text.lines()
        .map(|line| {
            let [file, path, kind, dtype, shape, values] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            let parse = |text: &str| serde_json::from_str(text).unwrap();
            Line { file, path, kind, dtype, shape: parse(shape), values: parse(values) }
        })
        .collect()
}

/// A float as Python's `repr`.
fn float(value: f64) -> Json {
    picklevm_ops_repr(value).into()
}

fn picklevm_ops_repr(value: f64) -> String {
    picklevm::ops::repr::Float(value).to_string()
}

/// A cell in the form of `expected.tsv`.
fn neutral(cell: &Cell<'_>) -> Json {
    match cell {
        Cell::Null => Json::Null,
        Cell::Bool(value) => json!(value),
        Cell::Int(value) => json!(value),
        Cell::UInt(value) => json!(value),
        Cell::Float32(value) => float(f64::from(*value)),
        Cell::Float(value) => float(*value),
        Cell::Complex(re, im) => json!([float(*re), float(*im)]),
        Cell::Bytes(bytes) => picklevm_testing::hex(bytes).into(),
        Cell::Str(text) => json!(text),
        Cell::Instant(time) => {
            let nanos = time.nanos().unwrap();
            let days =
                picklevm_data::Instant::new(nanos.div_euclid(1_000_000_000) as i64, picklevm_data::TimeUnit::Second);
            format!("{days}.{:09}", nanos.rem_euclid(1_000_000_000)).into()
        }
        Cell::Delta(delta) => json!(delta.nanos().unwrap() as i64),
        Cell::Period { ordinal, .. } => json!(ordinal),
        Cell::List(items) => items.iter().map(neutral).collect(),
        Cell::Record(fields) => fields.iter().map(|(_, cell)| neutral(cell)).collect(),
        other => panic!("no neutral form of {other:?}"),
    }
}

/// Nested lists without their nesting: the elements of arrays, and of subarrays.
fn flat(value: &Json, axes: usize, out: &mut Vec<Json>) {
    match value {
        Json::Array(items) if axes > 0 => items.iter().for_each(|item| flat(item, axes - 1, out)),
        Json::Object(object) if object.contains_key("ordinal") => out.push(object["ordinal"].clone()),
        other => out.push(other.clone()),
    }
}

fn check_array(line: &Line<'_>, array: &NdArray<'_>) {
    assert_eq!(json!(array.shape()), line.shape, "{} {}", line.file, line.path);
    if line.dtype == "O" {
        return;
    }
    let mut wanted = Vec::new();
    flat(&line.values, array.shape().len(), &mut wanted);
    let found: Vec<Json> = array.cells().map(|cell| neutral(&cell.unwrap())).collect();
    assert_eq!(found, wanted, "{} {}", line.file, line.path);
}

fn check(line: &Line<'_>, found: &Found<'_>, source: &dyn Source) {
    assert_eq!(found.kind, line.kind, "{} {}", line.file, line.path);
    let dtype = |dtype: String| assert_eq!(dtype, line.dtype, "{} {}", line.file, line.path);
    match found.item.as_ref().unwrap() {
        Item::Array(array) | Item::Scalar(Scalar(array)) => {
            dtype(array.dtype().to_string());
            check_array(line, array);
        }
        Item::Masked(masked) => {
            dtype(masked.data().dtype().to_string());
            check_array(line, masked.data());
        }
        Item::Sparse(sparse) => {
            dtype(sparse.dtype().to_string());
            check_array(line, &sparse.to_dense().unwrap());
        }
        Item::Tensor(tensor) => {
            dtype(tensor.dtype_name());
            check_array(line, &tensor.to_array(source).unwrap());
        }
        Item::Table(frame) => {
            assert_eq!(json!([frame.rows(), frame.columns().len()]), line.shape, "{}", line.file);
            for (column, wanted) in frame.columns().iter().zip(line.values.as_array().unwrap()) {
                assert_eq!(json!(column.name()), wanted[0], "{}", line.file);
                let mut values = Vec::new();
                flat(&wanted[2], 1, &mut values);
                let found = (0..column.len()).map(|row| neutral(&column.cell(row).unwrap())).collect::<Vec<_>>();
                assert_eq!(found, values, "{}: column {}", line.file, wanted[0]);
                let dtype = column.values().dtype();
                assert_eq!(dtype, wanted[1].as_str().unwrap(), "{}: column {}", line.file, wanted[0]);
            }
        }
        Item::Series(series) => check_column(line, series.column()),
        Item::Index(index) => {
            let [level] = index.levels() else { panic!("{}: {index:?}", line.file) };
            check_column(line, level);
        }
        other => panic!("{}: {other:?}", line.file),
    }
}

fn check_column(line: &Line<'_>, column: &Column<'_>) {
    assert_eq!(json!([column.len()]), line.shape, "{} {}", line.file, line.path);
    assert_eq!(column.values().dtype(), line.dtype, "{} {}", line.file, line.path);
    let found = (0..column.len()).map(|row| neutral(&column.cell(row).unwrap())).collect::<Vec<_>>();
    assert_eq!(json!(found), line.values, "{} {}", line.file, line.path);
}

#[test]
fn every_item_is_what_its_own_library_finds() {
    let text = crate::data("expected.tsv");
    let text = std::str::from_utf8(&text).unwrap();
    let lines = lines(text);
    assert!(lines.len() > 50);
    for line in &lines {
        let loaded = load(line.file);
        let found = loaded.reader().find();
        let item = found.iter().find(|found| found.path.to_string() == line.path);
        check(line, item.unwrap_or_else(|| panic!("{}: nothing at {:?}", line.file, line.path)), &*loaded.source);
        let count = lines.iter().filter(|other| other.file == line.file).count();
        assert_eq!(found.iter().filter(|found| found.alias_of.is_none()).count(), count, "{}", line.file);
    }
}

/// Their libraries find lists of types in these, and no data.
#[test]
fn types_of_pyarrow_and_polars_alone_are_no_items() {
    for name in ["m2-pa_types.pkl", "m2-pl_dtype.pkl"] {
        let found = load(name).reader().find().len();
        assert_eq!(found, 0, "{name}");
    }
}

#[test]
fn a_path_that_is_listed_leads_to_its_value() {
    let loaded = load("np2.5-py3.12-x_collide-p5.pkl");
    let reader = loaded.reader();
    for found in reader.find() {
        assert_eq!(reader.at(&found.path.to_string()).unwrap().id(), found.id);
    }
    assert!(reader.at("['a']['c']").is_none());
}

#[test]
fn bytes_are_shared_with_the_input_where_they_lie_without_gaps() {
    let input = crate::data("cifar10.pkl");
    let graph = picklevm::Unpickler::new().load_bytes(input.clone()).unwrap();
    let array = NdArray::from_value(graph.root().at("data")).unwrap();
    let bytes = array.bytes().unwrap();
    assert!(input.as_ptr_range().contains(&bytes.as_ptr()));
    assert_eq!(array.as_slice::<u8>().unwrap().as_ptr(), bytes.as_ptr());
}
