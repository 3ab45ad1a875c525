//! A frame of pandas as Parquet, and what Parquet readers find in it.
//!
//! `cargo run --example frame_to_parquet [FRAME.pkl OUT.parquet]`

use std::error::Error;
use std::fs::{self, File};

use picklevm::Unpickler;
use picklevm_data::pandas::DataFrame;
use picklevm_data::table::{Options, read_parquet, write_parquet};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let frame = args.next().unwrap_or_else(|| "tests/data/arrays/pd2.3-mixed-p5.pkl".to_owned());
    let out = args.next().map_or_else(|| std::env::temp_dir().join("picklevm-frame.parquet"), Into::into);

    let graph = Unpickler::new().load_bytes(fs::read(&frame)?)?;
    let frame = DataFrame::from_value(graph.root())?;
    println!("{frame}");
    write_parquet(&frame, Options::default(), File::create(&out)?)?;

    let written = read_parquet(fs::read(&out)?.into())?;
    assert_eq!(written.rows(), frame.rows());
    let names = |frame: &DataFrame<'_>| frame.columns().iter().map(|column| column.name()).collect::<Vec<_>>();
    assert!(names(&written).starts_with(&names(&frame)));
    println!("{}: {} rows, {} columns", out.display(), written.rows(), written.columns().len());
    Ok(())
}
