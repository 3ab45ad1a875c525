//! A frame made in Rust, which every pandas from 0.25 on reads.
//!
//! `cargo run --example write_frame [OUT.pkl]`

use std::error::Error;
use std::fs;

use picklevm::{Graph, Pickler, Protocol};
use picklevm_data::numpy::{DType, NdArray};
use picklevm_data::pandas::{Column, DataFrame, Index, Values, frame_to_python};
use picklevm_data::{Cell, from_table};

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Row {
    name: String,
    price: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("picklevm-frame.pkl"), Into::into);

    let prices = [0.5f64, 9.99].map(f64::to_le_bytes).concat();
    let prices = NdArray::new(DType::parse("<f8").ok_or("no such type")?, vec![2], prices)?;
    let names = vec![Cell::Str("apple".into()), Cell::Str("book".into())];
    let columns = vec![
        Column::new(Cell::Str("name".into()), Values::Cells(names)),
        Column::new(Cell::Str("price".into()), Values::Array(prices)),
    ];
    let frame = DataFrame::new(columns, Index::range(2))?;

    let mut graph = Graph::new();
    let root = frame_to_python(&frame, &mut graph)?;
    graph.set_root(root);
    fs::write(&out, Pickler::new().protocol(Protocol::V4).dumps(graph.root())?)?;

    let graph = picklevm::loads(fs::read(&out)?)?;
    let rows: Vec<Row> = from_table(&DataFrame::from_value(graph.root())?)?;
    assert_eq!(rows[1], Row { name: "book".to_owned(), price: 9.99 });
    println!("{}: {rows:?}", out.display());
    Ok(())
}
