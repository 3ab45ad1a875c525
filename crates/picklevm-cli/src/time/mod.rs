//! `picklevm time`: how long decoding, loading, dropping and writing a pickle take.

mod decode;
mod sample;
mod table;

use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;

use picklevm::{Graph, Pickler, PicklerVersion, Protocol, Symbolic, Unpickler};
use serde_json::json;

use crate::failure::Failure;
use crate::input::{self, Choice};
use crate::output::Output;
use crate::pickles::{self, Pickle};

/// Measure how long a pickle takes to decode, load, drop and dump
///
/// decode reads the opcodes alone. load makes the graph; nothing is imported or called. drop frees the graph. dump writes it
/// at the protocol of the pickle, as the newest pickler of CPython that writes the same bytes does, or as the newest of all
/// where none does. A sample of a short call is the mean over as many calls as last a millisecond.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm time data.pkl
  picklevm time --repeat 20 --json data.pkl")]
pub(crate) struct Args {
    /// Measure the first pickle in this file [default: standard input, which is also `-`]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Take this many samples of each
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = at_least_one)]
    repeat: usize,
    /// Print one JSON object with all samples, in nanoseconds
    #[arg(long)]
    json: bool,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}

/// Samples in nanoseconds, with the name of the row.
struct Timings {
    bytes: usize,
    ops: u64,
    protocol: Protocol,
    decode: Vec<u64>,
    load: Vec<u64>,
    drop: Vec<u64>,
    dump: Vec<u64>,
    /// The pickler that the dump emulates.
    writer: PicklerVersion,
    /// Whether the dump equals the pickle.
    identical: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let pickle = pickles::main(
        &input::or_standard(args.file.as_slice())?[0],
        Choice::default(),
        "only the first pickle is measured",
    )?;
    let timings = measure(args.repeat, &pickle).map_err(|error| pickle.failure(error))?;
    let mut out = Output::stdout();
    if args.json {
        let Timings { bytes, ops, protocol, decode, load, drop, dump, writer, identical } = &timings;
        let report = json!({
            "bytes": bytes, "ops": ops, "protocol": u8::from(*protocol), "decode": decode, "load": load, "drop": drop,
            "dump": dump, "writer": writer.name(), "identical": identical,
        });
        writeln!(out, "{report}").map_err(|error| out.failure(error))?;
    } else {
        table::print(&pickle.name, &timings, &mut out).map_err(|error| out.failure(error))?;
    }
    out.finish()
}

fn measure(repeat: usize, pickle: &Pickle) -> picklevm::Result<Timings> {
    let data = &pickle.data;
    let unpickler = Unpickler::new().resolver(Symbolic);
    // A pickle that cannot be loaded has nothing to measure.
    drop(pickle.load(&unpickler)?);
    let decode = sample::call(repeat, || decode::count_ops(black_box(data)));
    // A graph shares what is long, and copies what is short: that needs no handle of its own. No other graph exists
    // meanwhile: it would hold memory that loads reuse.
    let (load, drop) = sample::call_and_drop(repeat, || match black_box(data) {
        short if short.len() < Unpickler::ZERO_COPY_THRESHOLD => unpickler.loads(short),
        long => unpickler.load_bytes(long.clone()),
    });
    let graph = pickle.load(&unpickler)?;
    // Unlike the allocator of the system, mimalloc keeps what long pickles were freed from.
    let pickler = Pickler::new().protocol(pickle.protocol).huge_pages(cfg!(not(feature = "mimalloc")));
    let same = writer_of(&graph, &pickler, data);
    let writer = same.unwrap_or_default();
    let pickler = pickler.writer(writer);
    // A graph that cannot be written has nothing to measure.
    pickler.to_bytes(graph.root())?;
    let dump = sample::call_alone(repeat, || pickler.to_bytes(black_box(graph.root())));
    Ok(Timings {
        bytes: data.len(),
        ops: decode::count_ops(data)?,
        protocol: pickle.protocol,
        decode,
        load,
        drop,
        dump,
        writer,
        identical: same.is_some(),
    })
}

/// Returns the newest pickler version that writes the graph as it was read.
fn writer_of(graph: &Graph, pickler: &Pickler, data: &[u8]) -> Option<PicklerVersion> {
    PicklerVersion::all()
        .find(|version| pickler.clone().writer(*version).to_bytes(graph.root()).is_ok_and(|written| written == *data))
}
