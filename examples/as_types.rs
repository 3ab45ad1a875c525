//! Reads a record with many Python types, changes one field, and writes it.
//!
//! With a protocol as its argument it reads a record from standard input and writes it to standard output: so
//! `tests/python/as_types.py` runs it under several Pythons, and checks that all types and values survive. Without one it takes
//! the record of `examples/data`, which Python 3.13 wrote, and prints what it wrote.

use std::collections::{BTreeSet, VecDeque};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use picklevm::serde::{Config, PythonClass, from_slice};
use picklevm::{Graph, Pickler, Protocol, loads};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Record {
    id: u32,
    #[serde(with = "picklevm::serde::as_datetime")]
    when: chrono::NaiveDateTime,
    #[serde(with = "picklevm::serde::as_date")]
    day: chrono::NaiveDate,
    #[serde(with = "picklevm::serde::as_time")]
    clock: chrono::NaiveTime,
    #[serde(with = "picklevm::serde::as_timedelta")]
    timeout: Duration,
    #[serde(with = "picklevm::serde::as_decimal")]
    price: String,
    #[serde(with = "picklevm::serde::as_uuid")]
    key: u128,
    /// Python 2 has no `pathlib`.
    #[serde(with = "picklevm::serde::as_path")]
    path: Option<PathBuf>,
    #[serde(with = "picklevm::serde::as_complex")]
    wave: (f64, f64),
    #[serde(with = "picklevm::serde::as_tuple")]
    shape: Vec<u32>,
    #[serde(with = "picklevm::serde::as_set")]
    tags: BTreeSet<String>,
    #[serde(with = "picklevm::serde::as_frozenset")]
    sizes: BTreeSet<u8>,
    #[serde(with = "picklevm::serde::as_deque")]
    queue: VecDeque<u8>,
    #[serde(with = "picklevm::serde::as_bytes")]
    raw: Vec<u8>,
    #[serde(with = "picklevm::serde::as_bytearray")]
    buffer: Vec<u8>,
    #[serde(with = "picklevm::serde::as_namedtuple")]
    point: Point,
    #[serde(with = "picklevm::serde::as_enum")]
    color: Color,
    anything: Graph,
    everything: Vec<Graph>,
}

#[derive(Serialize, Deserialize)]
struct Point {
    x: i64,
    y: i64,
}

impl PythonClass for Point {
    const CLASS: &'static str = "__main__.Point";
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Color(u8);

impl PythonClass for Color {
    const CLASS: &'static str = "__main__.Color";
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some(protocol) = std::env::args().nth(1) else {
        let mut record: Record = from_slice(include_bytes!("data/types-python3.13.pkl"))?;
        record.id += 1;
        print!("{}", loads(Config::new().to_vec(&record)?)?.pretty());
        return Ok(());
    };
    let protocol: u8 = protocol.parse()?;
    let mut pickle = Vec::new();
    std::io::stdin().read_to_end(&mut pickle)?;
    let mut record: Record = from_slice(&pickle)?;
    record.id += 1;
    let config = Config::new().pickler(Pickler::new().protocol(Protocol::try_from(protocol)?));
    std::io::stdout().write_all(&config.to_vec(&record)?)?;
    Ok(())
}
