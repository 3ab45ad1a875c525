//! Reads pickles with `Graph` fields in what serde buffers, changes a field, and writes them.
//!
//! `tests/python/flattened_types.py` runs it under several Pythons, and checks that all types and values survive. A line of
//! standard input is a shape, the protocol to write and a pickle in hexadecimal; a line of the output is the written pickle.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use picklevm::serde::{Config, from_slice};
use picklevm::{Graph, Pickler, Protocol};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A type with a number that is changed.
trait Change {
    fn change(&mut self);
}

#[derive(Serialize, Deserialize)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    rest: BTreeMap<String, Graph>,
}

impl Change for Flat {
    fn change(&mut self) {
        self.id += 1;
    }
}

#[derive(Serialize, Deserialize)]
struct Named {
    x: Graph,
    y: Option<Graph>,
}

#[derive(Serialize, Deserialize)]
struct Two {
    id: u32,
    #[serde(flatten)]
    named: Named,
    #[serde(flatten)]
    rest: BTreeMap<String, Graph>,
}

impl Change for Two {
    fn change(&mut self) {
        self.id += 1;
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Internal {
    Empty,
    Row { id: u32, x: Graph, y: Option<Graph>, z: Vec<Graph> },
}

impl Change for Internal {
    fn change(&mut self) {
        if let Internal::Row { id, .. } = self {
            *id += 1;
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "content")]
enum Adjacent {
    Empty,
    Row { id: u32, x: Graph, y: Option<Graph>, z: Vec<Graph> },
}

impl Change for Adjacent {
    fn change(&mut self) {
        if let Adjacent::Row { id, .. } = self {
            *id += 1;
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Wrong { id: u32, missing: Graph },
    Row { id: u32, x: Graph },
    List { list: Vec<Untagged> },
    Any(Graph),
}

impl Change for Untagged {
    fn change(&mut self) {
        match self {
            Untagged::Row { id, .. } => *id += 1,
            Untagged::List { list } => list.iter_mut().for_each(Change::change),
            _ => {}
        }
    }
}

fn rewrite<T: Serialize + DeserializeOwned + Change>(
    pickle: &[u8],
    config: &Config,
) -> picklevm::serde::Result<Vec<u8>> {
    let mut value: T = from_slice(pickle)?;
    value.change();
    config.to_vec(&value)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let parts: Vec<&str> = line.split(' ').collect();
        let [shape, protocol, digits] = parts[..] else { return Err("expected three words".into()) };
        let config = Config::new().pickler(Pickler::new().protocol(Protocol::try_from(protocol.parse::<u8>()?)?));
        let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16));
        let pickle = bytes.collect::<Result<Vec<_>, _>>()?;
        let rewrite = match shape {
            "flat" => rewrite::<Flat>,
            "two" => rewrite::<Two>,
            "internal" => rewrite::<Internal>,
            "adjacent" => rewrite::<Adjacent>,
            _ => rewrite::<Untagged>,
        };
        let written = rewrite(&pickle, &config)?;
        let digits: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(out, "{digits}")?;
    }
    Ok(())
}
