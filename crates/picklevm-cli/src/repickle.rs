//! `picklevm repickle`: pickles written again, at any protocol, as any of CPython's picklers writes them.

use bytes::Bytes;
use picklevm::{Error, ErrorKind, Graph, Pickler, PicklerVersion, Protocol, Symbolic, Unpickler};

use crate::failure::Failure;
use crate::output::Destination;
use crate::pickles::Pickle;
use crate::rewrite::Source;

/// Write pickles again, at another protocol or as another pickler of CPython would
///
/// Write every pickle of the file with its own memo, at its own protocol unless --protocol is given, in the same archive or
/// compression. Python loads equal objects from the new and the old file. Nothing is imported or called: globals stay names.
/// Names are mapped between Python 2 and 3 as Python does if the protocol changes between 2 and 3.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm repickle --protocol 2 data.pkl -o for-python2.pkl
  picklevm repickle --writer 3.8-c data.pkl -o as-python3.8.pkl
  picklevm repickle --protocol 5 < old.pkl > new.pkl
  picklevm repickle --protocol 2 --bare data.pkl.gz -o data.pkl
  picklevm repickle --repair crlf words.pkl -o repaired.pkl")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
    /// Write this protocol, from 0 to 5 [default: that of each pickle]
    #[arg(short, long, value_name = "N")]
    protocol: Option<Protocol>,
    /// Emulate this pickler: VERSION-c or VERSION-py, of CPython 2.7 and 3.6 to 3.15
    #[arg(short, long, value_name = "WRITER", default_value_t = PicklerVersion::default())]
    writer: PicklerVersion,
    /// Share one memo among the pickles, as one Pickler writes them [default: if a later one fetches what an earlier one
    /// stored]
    #[arg(long)]
    shared_memo: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    args.destination.check()?;
    args.source.rewrite(&args.destination, |pickles| match check_apart(pickles) {
        Err((_, error)) if error.kind() == ErrorKind::Memo => write_together(args, pickles),
        Err((pickle, error)) => Err(pickle.failure(error)),
        Ok(()) if args.shared_memo => write_together(args, pickles),
        Ok(()) => write_apart(args, pickles),
    })
}

/// Whether each of several pickles loads by itself. Their graphs are not kept: there may be very many.
fn check_apart(pickles: &[Pickle]) -> Result<(), (&Pickle, Error)> {
    match pickles {
        [_] => Ok(()),
        several => several.iter().try_for_each(|pickle| load(pickle).map(drop).map_err(|error| (pickle, error))),
    }
}

fn load(pickle: &Pickle) -> picklevm::Result<Graph> {
    pickle.load(&Unpickler::new().resolver(Symbolic))
}

fn write_apart(args: &Args, pickles: &[Pickle]) -> Result<Vec<Bytes>, Failure> {
    let write = |pickle: &Pickle| {
        let graph = load(pickle).map_err(|error| pickle.failure(error))?;
        args.pickler(pickle.protocol).to_bytes(graph.root()).map_err(|error| pickle.failure(error))
    };
    pickles.iter().map(write).collect()
}

/// Writes the pickles that one pickler wrote, at the protocol of the newest.
fn write_together(args: &Args, pickles: &[Pickle]) -> Result<Vec<Bytes>, Failure> {
    let unpickler = Unpickler::new().resolver(Symbolic).shared_memo(true);
    let all: Vec<u8> = pickles.iter().flat_map(|pickle| pickle.data.iter().copied()).collect();
    let start = pickles.first().map_or(0, |first| first.offset);
    let mut graph = Graph::new();
    for (loaded, pickle) in unpickler.stream(&all[..]).zip(pickles) {
        graph = loaded.map_err(|error| pickle.failure(error.offset_by(start)))?;
    }
    let newest = pickles.iter().map(|pickle| pickle.protocol).max().unwrap_or_default();
    let mut written = Vec::new();
    let mut dumper = args.pickler(newest).stream(Vec::new());
    for (root, pickle) in graph.roots().zip(pickles) {
        dumper.dump(root).map_err(|error| pickle.failure(error))?;
    }
    if let Some(last) = pickles.last() {
        written.push(dumper.finish().map_err(|error| last.failure(error))?.into());
    }
    // All of them lie in the first, which the others follow.
    written.resize(pickles.len(), Bytes::new());
    Ok(written)
}

impl Args {
    fn pickler(&self, protocol: Protocol) -> Pickler {
        Pickler::new().protocol(self.protocol.unwrap_or(protocol)).writer(self.writer)
    }
}
