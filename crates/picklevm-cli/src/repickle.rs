//! `picklevm repickle`: pickles written again, at any protocol, as any of CPython's picklers writes them.

use std::io::Write;
use std::path::PathBuf;

use bytes::Bytes;
use picklevm::{Graph, Pickler, Protocol, Symbolic, Unpickler, Writer};

use crate::failure::Failure;
use crate::input::Input;
use crate::output::Output;
use crate::pickles::{self, Pickle};

/// Writes pickles again, at another protocol or as another pickler of CPython would
///
/// Each pickle in the file is written with a memo of its own, at its own protocol where none is named. What Python loads
/// from the new file is what it loads from the old one. Nothing is resolved: globals stay names, which are mapped where
/// the protocol crosses between 2 and 3, as Python does it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The pickles
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to write
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// The protocol, from 0 to 5 [default: that of each pickle]
    #[arg(short, long, value_name = "N")]
    protocol: Option<Protocol>,
    /// Whose habits to follow: VERSION-c or VERSION-py, of 2.7 and 3.6 to 3.13
    #[arg(short, long, value_name = "WRITER", default_value_t = Writer::default())]
    writer: Writer,
    /// The pickles share one memo: one Pickler wrote them
    #[arg(long)]
    shared_memo: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Input { name, data } = Input::read(&args.file)?;
    let mut out = Output::create(&args.output)?;
    let pickles = pickles::all(&data).map_err(|error| Failure::data(&name, error))?;
    if args.shared_memo {
        let graph = load_all(&data).map_err(|error| Failure::data(&name, error))?;
        let protocol = pickles.iter().map(|pickle| pickle.protocol).max();
        let mut dumper = args.pickler(protocol.unwrap_or_default()).stream(&mut out);
        for root in graph.roots() {
            dumper.dump(root).map_err(|error| Failure::data(&name, error))?;
        }
        dumper.finish().map_err(|error| Failure::data(&name, error))?;
        return out.finish();
    }
    let unpickler = Unpickler::new().resolver(Symbolic);
    for Pickle { data, protocol } in pickles {
        let graph = unpickler.load_bytes(data).map_err(|error| Failure::data(&name, error))?;
        let written = args.pickler(protocol).dumps(graph.root()).map_err(|error| Failure::data(&name, error))?;
        out.write_all(&written).map_err(|error| out.failure(error))?;
    }
    out.finish()
}

impl Args {
    fn pickler(&self, protocol: Protocol) -> Pickler {
        Pickler::new().protocol(self.protocol.unwrap_or(protocol)).writer(self.writer)
    }
}

/// All pickles of a stream that one pickler wrote, in one graph.
fn load_all(data: &Bytes) -> picklevm::Result<Graph> {
    let unpickler = Unpickler::new().resolver(Symbolic).shared_memo(true);
    let mut last = Graph::new();
    for graph in unpickler.stream(&data[..]) {
        last = graph?;
    }
    Ok(last)
}
