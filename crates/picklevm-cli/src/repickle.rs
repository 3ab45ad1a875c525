//! `picklevm repickle`: pickles written again, at any protocol, as any of CPython's picklers writes them.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use picklevm::{ErrorKind, Graph, Pickler, Protocol, Symbolic, Unpickler, Writer};

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
    /// The pickles share one memo: one Pickler wrote them [default: if a later one fetches what an earlier one stored]
    #[arg(long)]
    shared_memo: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Input { name, data } = Input::read(&args.file)?;
    let pickles = pickles::all(&data).map_err(|error| Failure::data(&name, error))?;
    let mut out = Output::create(&args.output)?;
    let written = match check_apart(&pickles) {
        Err(error) if error.kind() == ErrorKind::Memo => write_together(args, &pickles, &data, &mut out),
        _ if args.shared_memo => write_together(args, &pickles, &data, &mut out),
        checked => checked.and_then(|()| write_apart(args, &pickles, &mut out)),
    };
    written.map_err(|error| if is_closed_pipe(&error) { Failure::ClosedPipe } else { Failure::data(&name, error) })?;
    out.finish()
}

/// Whether nobody reads any more what is written.
fn is_closed_pipe(error: &picklevm::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether each of several pickles loads by itself. Their graphs are not kept: there may be very many.
fn check_apart(pickles: &[Pickle]) -> picklevm::Result<()> {
    match pickles {
        [_] => Ok(()),
        several => several.iter().try_for_each(|pickle| load(pickle).map(drop)),
    }
}

fn load(pickle: &Pickle) -> picklevm::Result<Graph> {
    Unpickler::new().resolver(Symbolic).load_bytes(pickle.data.clone())
}

fn write_apart(args: &Args, pickles: &[Pickle], out: &mut Output) -> picklevm::Result<()> {
    for pickle in pickles {
        args.pickler(pickle.protocol).dump(load(pickle)?.root(), &mut *out)?;
    }
    Ok(())
}

/// Writes the pickles that one pickler wrote, at the protocol of the newest.
fn write_together(args: &Args, pickles: &[Pickle], data: &[u8], out: &mut Output) -> picklevm::Result<()> {
    let unpickler = Unpickler::new().resolver(Symbolic).shared_memo(true);
    let mut all = Graph::new();
    for graph in unpickler.stream(data) {
        all = graph?;
    }
    let newest = pickles.iter().map(|pickle| pickle.protocol).max().unwrap_or_default();
    let mut dumper = args.pickler(newest).stream(out);
    for root in all.roots() {
        dumper.dump(root)?;
    }
    dumper.finish().map(drop)
}

impl Args {
    fn pickler(&self, protocol: Protocol) -> Pickler {
        Pickler::new().protocol(self.protocol.unwrap_or(protocol)).writer(self.writer)
    }
}
