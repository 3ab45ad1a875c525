//! `picklevm repickle`: pickles written again, at any protocol, as any of CPython's picklers writes them.

use std::io::Write as _;

use bytes::Bytes;
use picklevm::{Error, ErrorKind, Graph, Pickler, Protocol, Symbolic, Unpickler, Writer};

use crate::failure::Failure;
use crate::input::Input;
use crate::output::{Destination, Output};
use crate::pickles::Pickle;
use crate::rewrite::Source;

/// Write pickles again, at another protocol or as another pickler of CPython would
///
/// Write every pickle of the file with a memo of its own, at its own protocol where --protocol names none. Python loads the
/// same objects from the new file as from the old one. Nothing is imported or called: globals stay names, which are mapped
/// where the protocol crosses between 2 and 3, as Python does it.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm repickle --protocol 2 data.pkl -o for-python2.pkl
  picklevm repickle --writer 3.8-c data.pkl -o as-python3.8.pkl
  picklevm repickle --protocol 5 < old.pkl > new.pkl")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
    /// Write this protocol, from 0 to 5 [default: that of each pickle]
    #[arg(short, long, value_name = "N")]
    protocol: Option<Protocol>,
    /// Emulate this pickler: VERSION-c or VERSION-py, of CPython 2.7 and 3.6 to 3.15
    #[arg(short, long, value_name = "WRITER", default_value_t = Writer::default())]
    writer: Writer,
    /// Share one memo among the pickles, as one Pickler writes them [default: if a later one fetches what an earlier one
    /// stored]
    #[arg(long)]
    shared_memo: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    args.destination.check()?;
    let input = args.source.read()?;
    let (pickles, rest) = split(args, &input)?;
    let mut out = args.destination.create()?;
    match check_apart(&pickles) {
        Err((_, error)) if error.kind() == ErrorKind::Memo => write_together(args, &input, &pickles, &mut out)?,
        Err((pickle, error)) => return Err(pickle.failure(&input.name, error)),
        Ok(()) if args.shared_memo => write_together(args, &input, &pickles, &mut out)?,
        Ok(()) => write_apart(args, &input, &pickles, &mut out)?,
    }
    out.write_all(&rest).map_err(|error| out.failure(error))?;
    out.finish()
}

/// The pickles of a file, and what follows them.
fn split(args: &Args, input: &Input) -> Result<(Vec<Pickle>, Bytes), Failure> {
    let mut pickles = Vec::new();
    let mut at = 0;
    loop {
        let pickle = Pickle::at(&input.data, at);
        if !pickle.is_whole
            && let Err(error) = load(&pickle)
        {
            return Ok((pickles, args.source.rest(input, &pickle, error)?));
        }
        at = pickle.end();
        pickles.push(pickle);
        if at == input.data.len() {
            return Ok((pickles, Bytes::new()));
        }
    }
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

fn write_apart(args: &Args, input: &Input, pickles: &[Pickle], out: &mut Output) -> Result<(), Failure> {
    for pickle in pickles {
        let graph = load(pickle).map_err(|error| pickle.failure(&input.name, error))?;
        let written = args.pickler(pickle.protocol).dump(graph.root(), &mut *out);
        written.map_err(|error| write_failure(input, pickle, error, out))?;
    }
    Ok(())
}

/// Writes the pickles that one pickler wrote, at the protocol of the newest.
fn write_together(args: &Args, input: &Input, pickles: &[Pickle], out: &mut Output) -> Result<(), Failure> {
    let unpickler = Unpickler::new().resolver(Symbolic).shared_memo(true);
    let mut all = Graph::new();
    let end = pickles.last().map_or(0, Pickle::end);
    for (graph, pickle) in unpickler.stream(&input.data[..end]).zip(pickles) {
        all = graph.map_err(|error| pickle.failure(&input.name, error))?;
    }
    let newest = pickles.iter().map(|pickle| pickle.protocol).max().unwrap_or_default();
    let mut dumper = args.pickler(newest).stream(&mut *out);
    let mut written = all
        .roots()
        .zip(pickles)
        .try_for_each(|(root, pickle)| dumper.dump(root).map(drop).map_err(|error| (pickle, error)));
    if let (Ok(()), Some(pickle)) = (&written, pickles.last()) {
        written = dumper.finish().map(drop).map_err(|error| (pickle, error));
    }
    written.map_err(|(pickle, error)| write_failure(input, pickle, error, out))
}

/// What a failed write of a pickle comes to: a failure of the output, or something that cannot be written so.
fn write_failure(input: &Input, pickle: &Pickle, error: Error, out: &Output) -> Failure {
    out.failure_in(&error).unwrap_or_else(|| pickle.failure(&input.name, error))
}

impl Args {
    fn pickler(&self, protocol: Protocol) -> Pickler {
        Pickler::new().protocol(self.protocol.unwrap_or(protocol)).writer(self.writer)
    }
}
