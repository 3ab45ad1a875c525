//! `picklevm repickle`: pickles written again, at any protocol, as any of CPython's picklers writes them; or with other names
//! or decoded strings and everything else as it was.

use std::fs;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};

use bytes::Bytes;
use picklevm::{Error, ErrorHandler, ErrorKind, Graph, Pickler, PicklerVersion, Protocol, Symbolic, Unpickler};
use picklevm_ops::{Renames, Rewriter, Rewritten};

use crate::encoding::StringCodec;
use crate::failure::{Failure, count, io_error, note};
use crate::input;
use crate::output::Destination;
use crate::pickles::Pickle;
use crate::progress;
use crate::rewrite::{PlainFile, Source};

/// Write pickles again, at another protocol, with other names, or as another pickler of CPython would
///
/// Write every pickle of the file with its own memo, at its own protocol unless --protocol is given, in the same archive or
/// compression. Python loads equal objects from the new and the old file. Nothing is imported or called: globals stay names.
/// Names are mapped between Python 2 and 3 as Python does if the protocol changes between 2 and 3.
///
/// --rename gives classes, functions and modules other names. OLD is a module with all below it, or a class or function with all
/// nested in it; NEW may have a colon where its name begins (package.module:Outer.Inner). The longest OLD decides.
///
/// --encoding makes of the 8-bit strings of Python 2 what Python 3 would make of them with this encoding, so that
/// pickle.load needs no argument. The binary data of dates and arrays become bytes in any case.
///
/// --keep-ops changes names and strings alone: all else stays byte for byte. Pickles of any size are then read from a file
/// and written without being held in memory.
#[derive(clap::Args)]
#[command(after_long_help = "Ready-made sets of names:
  @numpy1          pickles by NumPy 2 for NumPy 1: numpy._core becomes numpy.core
  @sklearn-joblib  sklearn.externals.joblib becomes joblib
  @windows-paths   paths of Windows that can be read elsewhere; @posix-paths the other way

Examples:
  picklevm repickle --protocol 2 data.pkl -o for-python2.pkl
  picklevm repickle --writer 3.8-c data.pkl -o as-python3.8.pkl
  picklevm repickle --protocol 5 < old.pkl > new.pkl
  picklevm repickle --protocol 2 --bare data.pkl.gz -o data.pkl
  picklevm repickle --repair crlf words.pkl -o repaired.pkl
  picklevm repickle --rename oldpackage=newpackage model.pkl -o moved.pkl
  picklevm repickle --rename shop.Cart=shop.cart.Basket --keep-ops data.pkl -o moved.pkl
  picklevm repickle --rename @numpy1 --rename @names.txt data.pkl -o moved.pkl
  picklevm repickle --encoding utf-8 from-python2.pkl -o for-python3.pkl")]
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
    /// Give a module, class or function another name, or all of a ready-made set, or of a file with one OLD=NEW a line; may be
    /// given again
    #[arg(long, value_name = "OLD=NEW|@SET|@FILE", value_parser = rename)]
    rename: Vec<Renames>,
    /// Decode the 8-bit strings of Python 2: utf-8, latin1, cp1252 and others of Python's names, bytes to make them bytes, or auto to
    /// decode what is text and make the rest bytes
    #[arg(long, value_name = "ENCODING")]
    encoding: Option<StringCodec>,
    /// What becomes of bytes that are not in the encoding: strict (an error), ignore, replace, surrogateescape,
    /// backslashreplace or surrogatepass
    #[arg(long, value_name = "HANDLER", default_value = "strict", requires = "encoding")]
    errors: ErrorHandler,
    /// Keep all bytes but those of names and strings that change, and the lengths of frames
    #[arg(long, conflicts_with_all = ["protocol", "writer"])]
    keep_ops: bool,
}

/// Reads the value of `--rename`.
fn rename(value: &str) -> Result<Renames, String> {
    let Some(name) = value.strip_prefix('@') else { return Renames::parse(value).map_err(|error| error.to_string()) };
    if let Some(set) = Renames::set(name) {
        return Ok(set);
    }
    let sets = || Renames::set_names().map(|set| format!("@{set}")).collect::<Vec<_>>().join(", ");
    let lines = fs::read_to_string(name).map_err(|error| {
        format!("cannot read the file {name}: {}; the sets are {}", crate::failure::reason(&error), sets())
    })?;
    Renames::parse(&lines).map_err(|error| format!("{name}: {error}"))
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    args.destination.check()?;
    let renames = args.renames()?;
    let mut done = Rewritten::default();
    if args.keep_ops
        && let Some(file) = args.source.plain_file()?
    {
        done = stream(args, &renames, &file)?;
    } else {
        args.source.rewrite(&args.destination, |pickles| {
            let shares = match check_apart(pickles) {
                Err((_, error)) if error.kind() == ErrorKind::Memo => true,
                Err((pickle, error)) => return Err(pickle.failure(error)),
                Ok(()) => args.shared_memo,
            };
            let mut rewriter = args.rewriter(&renames, shares);
            let written = match (args.keep_ops, &args.encoding) {
                (true, _) => rewrite(&mut rewriter, pickles),
                (false, None) => args.write(&renames, pickles, shares, &mut done.globals),
                (false, Some(_)) => {
                    let decoded = rewrite(&mut rewriter, pickles)?;
                    let decoded: Vec<Pickle> =
                        pickles.iter().zip(decoded).map(|(pickle, data)| pickle.with_data(data)).collect();
                    args.write(&renames, &decoded, shares, &mut done.globals)
                }
            }?;
            done = sum(done, rewriter.rewritten());
            Ok(written)
        })?;
    }
    args.tell(&renames, done);
    Ok(())
}

/// Rewrites a file of pickles as it is read.
fn stream(args: &Args, renames: &Renames, file: &PlainFile) -> Result<Rewritten, Failure> {
    let fail = |error: picklevm_ops::Error| match io_error(&error) {
        Some(error) => Failure::output(&file.name, error),
        None => Failure::data(&file.name, &error),
    };
    let mut input = BufReader::with_capacity(1 << 18, &file.file);
    let mut write = |rewriter: &mut Rewriter<'_>, out: &mut dyn Write| {
        file.pickles.iter().try_for_each(|pickle| {
            input.seek(SeekFrom::Start(*pickle)).map_err(|error| picklevm_ops::Error::from_io(*pickle, error))?;
            rewriter.rewrite_pickle(&mut input, &mut *out)
        })
    };
    // Whether a later pickle fetches what an earlier one stored is known only when all are read.
    let is_of_memo = |error: &picklevm_ops::Error| error.kind() == picklevm_ops::ErrorKind::Memo;
    let may_share = file.pickles.len() > 1 && !args.shared_memo;
    let mut out = args.destination.create()?;
    let mut rewriter = args.rewriter(renames, args.shared_memo);
    if may_share && !out.is_undone_by_drop() {
        let shares =
            write(&mut args.rewriter(renames, false), &mut std::io::sink()).is_err_and(|error| is_of_memo(&error));
        rewriter = args.rewriter(renames, args.shared_memo || shares);
    }
    progress::expect_bytes(file.len());
    match write(&mut rewriter, &mut out) {
        Err(error) if may_share && out.is_undone_by_drop() && is_of_memo(&error) => {
            out = args.destination.create()?;
            rewriter = args.rewriter(renames, true);
            write(&mut rewriter, &mut out)
        }
        written => written,
    }
    .map_err(fail)?;
    let copied = std::io::copy(&mut input.take(file.rest), &mut out);
    copied.and_then(|_| out.flush()).map_err(|error| out.failure(error))?;
    out.finish()?;
    Ok(rewriter.rewritten())
}

fn rewrite(rewriter: &mut Rewriter<'_>, pickles: &[Pickle]) -> Result<Vec<Bytes>, Failure> {
    let rewrite = |pickle: &Pickle| {
        let rewritten = rewriter.rewrite(&pickle.data).map(Bytes::from);
        rewritten.map_err(|error| pickle.failure(error.offset_by(pickle.offset)))
    };
    pickles.iter().map(rewrite).collect()
}

fn sum(mut done: Rewritten, more: Rewritten) -> Rewritten {
    done.globals += more.globals;
    done.texts += more.texts;
    done.bytes += more.bytes;
    done.data += more.data;
    done.first_bytes = done.first_bytes.or(more.first_bytes);
    done
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

impl Args {
    /// The rules of all `--rename` together.
    fn renames(&self) -> Result<Renames, Failure> {
        let mut all = Renames::new();
        for renames in &self.rename {
            all.extend(renames).map_err(|error| Failure::Usage(error.to_string()))?;
        }
        Ok(all)
    }

    /// Changes pickles op by op: names only if the ops are to be kept.
    fn rewriter<'a>(&'a self, renames: &Renames, shares_memo: bool) -> Rewriter<'a> {
        let mut rewriter = Rewriter::new().shared_memo(shares_memo);
        if self.keep_ops {
            rewriter = rewriter.renames(renames.clone());
        }
        match &self.encoding {
            Some(codec) => rewriter.strings(|string| codec.decode(string, self.errors)),
            None => rewriter,
        }
    }

    fn write(
        &self,
        renames: &Renames,
        pickles: &[Pickle],
        shares_memo: bool,
        renamed: &mut u64,
    ) -> Result<Vec<Bytes>, Failure> {
        if shares_memo {
            self.write_together(renames, pickles, renamed)
        } else {
            self.write_apart(renames, pickles, renamed)
        }
    }

    fn write_apart(&self, renames: &Renames, pickles: &[Pickle], renamed: &mut u64) -> Result<Vec<Bytes>, Failure> {
        let mut write = |pickle: &Pickle| {
            let mut graph = load(pickle)?;
            *renamed += graph.rename_globals(renames)? as u64;
            self.pickler(pickle.protocol).to_bytes(graph.root())
        };
        pickles.iter().map(|pickle| write(pickle).map_err(|error| pickle.failure(error))).collect()
    }

    /// Writes the pickles that one pickler wrote, at the protocol of the newest.
    fn write_together(&self, renames: &Renames, pickles: &[Pickle], renamed: &mut u64) -> Result<Vec<Bytes>, Failure> {
        let unpickler = Unpickler::new().resolver(Symbolic).shared_memo(true);
        let all: Vec<u8> = pickles.iter().flat_map(|pickle| pickle.data.iter().copied()).collect();
        let start = pickles.first().map_or(0, |first| first.offset);
        let mut graph = Graph::new();
        for (loaded, pickle) in unpickler.stream(&all[..]).zip(pickles) {
            graph = loaded.map_err(|error| pickle.failure(error.offset_by(start)))?;
        }
        let newest = pickles.iter().map(|pickle| pickle.protocol).max().unwrap_or_default();
        let mut written = Vec::new();
        let mut dumper = self.pickler(newest).stream(Vec::new());
        if let Some(first) = pickles.first() {
            *renamed += graph.rename_globals(renames).map_err(|error| first.failure(error))? as u64;
        }
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

    fn pickler(&self, protocol: Protocol) -> Pickler {
        Pickler::new().protocol(self.protocol.unwrap_or(protocol)).writer(self.writer)
    }

    /// Says what was done where that depends on the file.
    fn tell(&self, renames: &Renames, done: Rewritten) {
        let name = || self.source.name().map_or_else(|| "<stdin>".to_owned(), input::name);
        if !renames.is_empty() && done.globals == 0 {
            note(&format!("{}: no name in it is one that --rename is about; nothing was renamed", name()));
        }
        if !matches!(self.encoding, Some(StringCodec::Auto)) {
            return;
        }
        let strings = |number: u64| count(usize::try_from(number).unwrap_or(usize::MAX), "string");
        let mut told = format!("{} decoded as UTF-8", strings(done.texts));
        if let Some(first) = done.first_bytes {
            told += &format!(", {} left as bytes (the first at offset {first})", strings(done.bytes));
        }
        if done.data > 0 {
            told += &format!(", {} of binary data left as bytes", strings(done.data));
        }
        note(&format!("{}: {told}", name()));
    }
}
