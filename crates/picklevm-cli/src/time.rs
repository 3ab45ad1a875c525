//! `picklevm time`: how long decoding, loading, freeing and writing a pickle take.

use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use picklevm::{Pickler, Symbolic, Unpickler};
use picklevm_ops::{Decoder, LongDecoder, Op, RunVisitor, ShortInt, SmallInts, Source, Visitor};
use serde_json::json;

use crate::failure::Failure;
use crate::input::Input;
use crate::output::Output;
use crate::pickles;

/// Measures how long a pickle takes to decode, to load, to free and to write
///
/// Prints one JSON object: `bytes` and `ops` of the pickle, and lists of nanoseconds a sample: `decode` (ops alone),
/// `load` (bytes to graph, nothing resolved), `drop` (freeing it) and `dump` (graph to bytes at the protocol of the
/// pickle, as CPython 3.13's pickler in C writes it). `identical` says whether that gives the same bytes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The pickle
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How many samples to take of each
    #[arg(long, value_name = "N", default_value_t = 5)]
    repeat: usize,
}

/// A sample is the mean over as many calls as last this long.
const SAMPLE: Duration = Duration::from_millis(1);
/// Graphs that are freed in one go, where freeing one is too short to measure.
const FREED_AT_ONCE: u32 = 64;

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Input { name, data } = Input::read(&args.file)?;
    let (bytes, ops) = count(&data).map_err(|error| Failure::data(&name, error))?;
    let unpickler = Unpickler::new().resolver(Symbolic);
    unpickler.load_bytes(data.clone()).map_err(|error| Failure::data(&name, error))?;
    let decode = samples(args.repeat, || drop(black_box(count(black_box(&data)))));
    let (load, freed) = load_and_drop(args.repeat, &unpickler, &data);
    let pickle = pickles::first(&data).map_err(|error| Failure::data(&name, error))?;
    let graph = unpickler.load_bytes(pickle.data.clone()).map_err(|error| Failure::data(&name, error))?;
    // Unlike the allocator of the system, mimalloc keeps what long pickles were freed from.
    let pickler = Pickler::new().protocol(pickle.protocol).huge_pages(cfg!(not(feature = "mimalloc")));
    let written = pickler.to_bytes(graph.root()).map_err(|error| Failure::data(&name, error))?;
    let dump = dump(args.repeat, || pickler.to_bytes(black_box(graph.root())));
    let report = json!({
        "bytes": bytes, "ops": ops, "decode": decode, "load": load, "drop": freed, "dump": dump,
        "identical": written == pickle.data,
    });
    let mut out = Output::stdout();
    writeln!(out, "{report}").map_err(|error| out.failure(error))?;
    out.finish()
}

/// Bytes and ops of the first pickle, decoded as a load decodes them.
fn count(data: &[u8]) -> Result<(u64, u64), picklevm_ops::Error> {
    if data.len() < LongDecoder::LONG { count_from(Decoder::new(data)) } else { count_from(LongDecoder::new(data)) }
}

fn count_from(source: impl Source) -> Result<(u64, u64), picklevm_ops::Error> {
    let mut passed = Passed { ops: 0 };
    let (source, done) = source.visit_until(u64::MAX, &mut passed);
    done.map(|()| (source.offset(), passed.ops))
}

/// Counts ops up to STOP, and does nothing else with them.
struct Passed {
    ops: u64,
}

impl<'a> Visitor<'a> for Passed {
    type Output = bool;

    #[inline(always)]
    fn visit<const BYTE: u8>(&mut self, _: u64, op: Op<'a>) -> bool {
        self.ops += 1;
        let is_stop = op == Op::Stop;
        black_box(op);
        !is_stop
    }

    #[inline(always)]
    fn visit_int(&mut self, _: u64, int: ShortInt<'a>) -> bool {
        self.ops += 1;
        black_box(int.value());
        true
    }

    #[inline(always)]
    fn visit_tuple(&mut self, _: u64, len: u8) -> bool {
        self.ops += 1;
        black_box(len);
        true
    }
}

impl RunVisitor<'_> for Passed {
    #[inline(always)]
    fn visit_run<const N: usize>(&mut self, _: u64, operands: [u8; N]) -> bool {
        self.ops += N as u64;
        black_box(operands);
        true
    }

    #[inline(always)]
    fn visit_ints(&mut self, _: u64, ints: SmallInts) -> bool {
        self.ops += ints.count() as u64;
        black_box(ints.values().map(i64::from));
        true
    }
}

/// Nanoseconds a call, `repeat` times.
pub(crate) fn samples(repeat: usize, mut call: impl FnMut()) -> Vec<u64> {
    let calls = calls_a_sample(&mut call);
    (0..repeat).map(|_| nanoseconds(time(calls, &mut call), calls)).collect()
}

/// Nanoseconds of loading and of freeing.
///
/// A load that lasts a sample is timed apart from its drop. Shorter ones take turns with their drops, as in a program
/// that reads many; what freeing has of that is measured on graphs that are kept for it.
fn load_and_drop(repeat: usize, unpickler: &Unpickler, data: &Bytes) -> (Vec<u64>, Vec<u64>) {
    // A graph shares what is long, and copies what is short: that needs no handle of its own.
    let load = || match black_box(data) {
        short if short.len() < Unpickler::SHARED => unpickler.loads(short),
        long => unpickler.load_bytes(long.clone()),
    };
    let calls = calls_a_sample(&mut || drop(black_box(load())));
    let sample = || {
        if calls == 1 {
            let start = Instant::now();
            let graph = black_box(load());
            let loaded = start.elapsed();
            let start = Instant::now();
            drop(graph);
            return (nanoseconds(loaded, 1), nanoseconds(start.elapsed(), 1));
        }
        let both = nanoseconds(time(calls, &mut || drop(black_box(load()))), calls);
        let graphs: Vec<_> = (0..FREED_AT_ONCE).map(|_| load()).collect();
        let start = Instant::now();
        drop(black_box(graphs));
        let freed = nanoseconds(start.elapsed(), FREED_AT_ONCE).min(both);
        (both - freed, freed)
    };
    (0..repeat).map(|_| sample()).unzip()
}

/// Nanoseconds of writing. One that lasts a sample is timed without freeing what was written.
fn dump<T>(repeat: usize, mut dump: impl FnMut() -> T) -> Vec<u64> {
    let calls = calls_a_sample(&mut || drop(black_box(dump())));
    let sample = || {
        if calls > 1 {
            return nanoseconds(time(calls, &mut || drop(black_box(dump()))), calls);
        }
        let start = Instant::now();
        let written = black_box(dump());
        let taken = start.elapsed();
        drop(written);
        nanoseconds(taken, 1)
    };
    std::iter::repeat_with(sample).take(repeat).collect()
}

/// How many calls last as long as a sample.
fn calls_a_sample(call: &mut impl FnMut()) -> u32 {
    let mut calls = 1;
    while time(calls, call) < SAMPLE && calls < 1 << 24 {
        calls *= 2;
    }
    calls
}

fn time(calls: u32, call: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        call();
    }
    start.elapsed()
}

fn nanoseconds(total: Duration, calls: u32) -> u64 {
    (total.as_nanos() / u128::from(calls)) as u64
}
