//! The lines of `list` for the arrays, tables and tensors in a file.

use picklevm_data::files::graphs;
use picklevm_data::{Found, Item};
use picklevm_files::File;
use serde_json::{Map, Value as Json};

use crate::printable::Printable;

/// The items of a file: an object each, and why pickles in it could not be read.
pub(crate) fn rows(file: &File) -> (Vec<Map<String, Json>>, Vec<String>) {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let graphs = graphs(file);
    let several = graphs.len() > 1;
    for (place, loaded) in graphs {
        match loaded {
            Ok(loaded) => rows.extend(loaded.reader().find().iter().map(|found| {
                let mut row = row(found);
                if several {
                    row.insert("member".to_owned(), place.member.clone().into());
                    row.insert("start".to_owned(), place.start.into());
                }
                row
            })),
            Err(_) if place.is_broken => {}
            Err(problem) if place.member.is_empty() => problems.push(problem.to_string()),
            Err(problem) => problems.push(format!("{}: {problem}", Printable(&place.member))),
        }
    }
    (rows, problems)
}

/// The description of an item.
fn row(found: &Found<'_>) -> Map<String, Json> {
    let mut row = Map::new();
    let mut put = |key: &str, value: Json| {
        row.insert(key.to_owned(), value);
    };
    put("path", found.path.to_string().into());
    put("kind", found.kind.into());
    match &found.item {
        Ok(Item::Array(array)) => {
            put("dtype", array.dtype().to_string().into());
            put("shape", array.shape().into());
        }
        Ok(Item::Scalar(scalar)) => {
            put("dtype", scalar.0.dtype().to_string().into());
            put("shape", scalar.0.shape().into());
        }
        Ok(Item::Masked(masked)) => {
            put("dtype", masked.data().dtype().to_string().into());
            put("shape", masked.data().shape().into());
        }
        Ok(Item::Sparse(sparse)) => {
            let dtype = sparse.dtype();
            put("dtype", if sparse.is_tensor() { dtype.name() } else { dtype.to_string() }.into());
            put("shape", sparse.shape().into());
            put("format", sparse.format().into());
        }
        Ok(Item::Tensor(tensor)) => {
            put("dtype", tensor.dtype_name().into());
            put("shape", tensor.shape().into());
            if let Some(storage) = tensor.storage() {
                put("storage", storage.into());
            }
            if let Some(why) = tensor.missing() {
                put("problem", why.into());
            }
        }
        Ok(Item::Table(frame)) => {
            let column = |column: &picklevm_data::pandas::Column<'_>| {
                let mut about = Map::new();
                about.insert("name".into(), column.name().into());
                about.insert("dtype".into(), column.values().dtype().into());
                Json::Object(about)
            };
            put("rows", frame.rows().into());
            put("columns", frame.columns().iter().map(column).collect());
            put("index", frame.index().levels().iter().map(column).collect());
        }
        Ok(Item::Series(series)) => {
            put("name", series.column().name().into());
            put("dtype", series.column().values().dtype().into());
            put("shape", [series.column().len()].as_slice().into());
        }
        Ok(Item::Index(index)) => {
            let levels = index.levels();
            let dtype = if let [level] = levels { level.values().dtype() } else { "object".to_owned() };
            put("dtype", dtype.into());
            put("shape", [index.len()].as_slice().into());
        }
        Ok(_) => {}
        Err(error) => put("problem", error.to_string().into()),
    }
    if let Some(path) = &found.alias_of {
        put("alias_of", path.to_string().into());
    }
    row
}

/// A row for people.
pub(crate) fn line(row: &Map<String, Json>) -> String {
    let text = |key: &str| row.get(key).and_then(Json::as_str).unwrap_or_default();
    let path = match text("path") {
        "" => ".",
        path => path,
    };
    let mut line = format!("{path}  {}", text("kind"));
    if let Some(columns) = row.get("columns").and_then(Json::as_array) {
        line.push_str(&format!("  {} rows", row.get("rows").map(Json::to_string).unwrap_or_default()));
        for column in columns {
            let part = |key: &str| column.get(key).and_then(Json::as_str).unwrap_or("None");
            line.push_str(&format!("  {}: {}", part("name"), part("dtype")));
        }
    } else {
        let shape = row.get("shape").map(Json::to_string).unwrap_or_default().replace(',', ", ");
        line.push_str(&format!("  {}  {shape}", text("dtype")));
    }
    if !text("member").is_empty() {
        line.insert_str(0, &format!("{}: ", text("member")));
    }
    for (key, before) in [("storage", "storage "), ("alias_of", "same as "), ("problem", "problem: ")] {
        if !text(key).is_empty() {
            line.push_str(&format!("  ({before}{})", text(key)));
        }
    }
    Printable(&line).to_string()
}
