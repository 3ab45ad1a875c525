//! What commands have in common that write the pickles of a file again: `optimize`, `repickle`.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use picklevm_files::{Contents, Entry, ErrorKind, File, Kind, Member};

use crate::failure::{Failure, count};
use crate::input::{self, Choice};
use crate::output::{Destination, Output};
use crate::pickles::{self, Pickle};

/// What to do with a joblib file instead: its arrays can only be written as those of plain pickles.
const OF_JOBLIB: &str = "`picklevm convert FILE -o OUT.pkl` makes a pickle that holds them";

/// Whether joblib wrote arrays into a pickle of a member.
fn has_arrays(contents: &Contents) -> bool {
    contents.pickles().iter().any(|pickle| !pickle.arrays().is_empty())
}

/// The file whose pickles are written again: all pickles, the container, and on request the data after the pickles.
#[derive(clap::Args)]
pub(crate) struct Source {
    /// Read this file [default: standard input, which is also `-`]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Write only the pickles, without their archive or compression
    #[arg(long)]
    bare: bool,
    /// Copy other data after the pickles, instead of refusing the file
    #[arg(long)]
    keep_rest: bool,
    #[command(flatten)]
    choice: Choice,
}

/// A file of nothing but pickles, one after the other, that lie in it as they are.
pub(crate) struct PlainFile {
    pub(crate) name: String,
    pub(crate) file: fs::File,
    /// Where each pickle begins.
    pub(crate) pickles: Vec<u64>,
    /// How many bytes follow the last, which are to be copied.
    pub(crate) rest: u64,
}

/// Why a file is not written.
enum Refused {
    Failure(Failure),
    File(picklevm_files::Error),
}

impl From<picklevm_files::Error> for Refused {
    fn from(error: picklevm_files::Error) -> Self {
        Refused::File(error)
    }
}

impl PlainFile {
    /// The length of the file.
    pub(crate) fn len(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }
}

impl Source {
    /// The file, if it was named.
    pub(crate) fn name(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The file, if it is one of nothing but whole pickles, which can be read from it one after the other.
    ///
    /// # Errors
    ///
    /// [`Failure`] if it cannot be read.
    pub(crate) fn plain_file(&self) -> Result<Option<PlainFile>, Failure> {
        let Some(path) = self.file.as_deref().filter(|path| !input::is_standard(path) && self.choice.is_default())
        else {
            return Ok(None);
        };
        let name = input::name(path);
        let file = input::open(&self.choice.opener(), path)?;
        let Ok(contents) = file.root().open() else { return Ok(None) };
        let pickles = contents.pickles();
        let is_plain = contents.kind() == Kind::Pickle
            && contents.problem().is_none_or(|_| self.keep_rest)
            && pickles.iter().all(|pickle| pickle.arrays().is_empty() && pickle.problem().is_none());
        let Some(last) = pickles.last().filter(|_| is_plain) else { return Ok(None) };
        let mut end = 0;
        for pickle in pickles {
            if pickle.offset() != end || pickle.place().is_none_or(|place| place.offset != end) {
                return Ok(None);
            }
            end += pickle.len();
        }
        let rest = file.root().len().unwrap_or(end).saturating_sub(last.offset() + last.len());
        let opened = fs::File::open(path).map_err(|error| Failure::Usage(format!("{name}: cannot read: {error}")))?;
        let pickles = pickles.iter().map(|pickle| pickle.offset()).collect();
        Ok(Some(PlainFile { name, file: opened, pickles, rest }))
    }

    /// Writes the file with what `change` makes of the pickles of each member, in the same container.
    ///
    /// # Errors
    ///
    /// Those of `change`; [`Failure`] if the file cannot be read, holds no pickle, or cannot be written so.
    pub(crate) fn rewrite(
        &self,
        destination: &Destination,
        mut change: impl FnMut(&[Pickle]) -> Result<Vec<Bytes>, Failure>,
    ) -> Result<(), Failure> {
        let path = input::or_standard(self.file.as_slice())?.swap_remove(0);
        let name = input::name(&path);
        let file = input::open(&self.choice.opener(), &path)?;
        if !self.has_pickles(&file) {
            return Err(match self.choice.patterns() {
                patterns if patterns.is_empty() => pickles::no_pickle(&name, &file),
                patterns => Failure::Usage(format!("{name}: no pickle in a member that matches {patterns}")),
            });
        }
        let mut out = destination.create()?;
        if self.bare {
            self.write_bare(&name, &file, &mut out, &mut change)?;
            return out.finish();
        }
        let written = file.rewrite(&mut out, |member, contents| {
            if !self.choice.has(member.path()) {
                return Ok(None);
            }
            self.changed(&name, member, contents, &mut change).map(Some).map_err(Refused::Failure)
        });
        match written {
            Ok(()) => out.finish(),
            Err(Refused::Failure(failure)) => Err(failure),
            Err(Refused::File(error)) => Err(match out.failure_in(&error) {
                Some(failure) if error.kind() == ErrorKind::Write => failure,
                _ if error.kind() == ErrorKind::ReadOnly => {
                    let is_of_joblib =
                        file.walk().any(|entry| entry.contents.is_ok_and(|contents| has_arrays(&contents)));
                    let is_signed = file
                        .walk()
                        .any(|entry| entry.contents.is_ok_and(|contents| contents.kind() == Kind::DjangoSession));
                    let remedy = match (is_of_joblib, is_signed) {
                        (true, _) => OF_JOBLIB,
                        (_, true) => "--bare writes the pickle alone, and `picklevm sign` signs it",
                        _ => "--bare writes the pickle alone",
                    };
                    Failure::data(&name, &error).hint(remedy)
                }
                _ => input::failure(&name, &error),
            }),
        }
    }

    /// The file.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] if there is nothing to read.
    pub(crate) fn path(&self) -> Result<PathBuf, Failure> {
        Ok(input::or_standard(self.file.as_slice())?.swap_remove(0))
    }

    fn has_pickles(&self, file: &File) -> bool {
        file.walk().any(|Entry { member, contents, .. }| {
            self.choice.has(member.path()) && contents.is_ok_and(|contents| !contents.pickles().is_empty())
        })
    }

    /// Writes the pickles of the one member that holds some.
    fn write_bare(
        &self,
        name: &str,
        file: &File,
        out: &mut Output,
        change: &mut impl FnMut(&[Pickle]) -> Result<Vec<Bytes>, Failure>,
    ) -> Result<(), Failure> {
        use std::io::Write;

        let mut written: Option<String> = None;
        for Entry { member, contents, .. } in file.walk().filter(|entry| self.choice.has(entry.member.path())) {
            let Ok(contents) = contents else { continue };
            if contents.pickles().is_empty() {
                continue;
            }
            if has_arrays(&contents) {
                let message = "the arrays of a joblib file are no part of its opcodes and would be lost";
                return Err(Failure::data(name, message).hint(OF_JOBLIB));
            }
            if written.as_deref().is_some_and(|written| written != member.path()) {
                let message = "several members hold pickles; use --member to choose one (`picklevm list` prints all)";
                return Err(Failure::data(name, message));
            }
            for pickle in self.changed(name, &member, &contents, change)? {
                out.write_all(&pickle).map_err(|error| out.failure(error))?;
            }
            written = Some(member.path().to_owned());
        }
        Ok(())
    }

    /// The new pickles of a member.
    fn changed(
        &self,
        name: &str,
        member: &Member,
        contents: &Contents,
        change: &mut impl FnMut(&[Pickle]) -> Result<Vec<Bytes>, Failure>,
    ) -> Result<Vec<Bytes>, Failure> {
        let called = pickles::called(name, member.path());
        let mut pickles = Vec::new();
        for pickle in contents.pickles() {
            pickles.push(Pickle::new(&called, member, pickle)?);
        }
        // What is broken behind the first pickle is no pickle, and is kept on request.
        let broken = pickles.pop_if(|last| !last.is_whole() && last.offset > 0);
        let keep = |failure: Failure, at: u64, len: u64| {
            let bytes = count(usize::try_from(len).unwrap_or(usize::MAX), "byte");
            failure.hint(&format!("use --keep-rest to copy what follows offset {at} ({bytes}) unchanged"))
        };
        if let (Some(broken), false) = (&broken, self.keep_rest)
            && let Err(error) = broken.load(&picklevm::Unpickler::new().resolver(picklevm::Symbolic))
        {
            return Err(keep(broken.failure(error), broken.offset, broken.data.len() as u64));
        }
        if let (Some(problem), false) = (contents.problem(), self.keep_rest) {
            let failure = input::failure(&called, problem);
            // The rest begins where the last pickle ends, not where it was found to be no pickle.
            let end = contents.pickles().last().map(|last| last.offset() + last.len()).or(problem.offset());
            return Err(match end {
                Some(at) => keep(failure, at, member.len().unwrap_or(at).saturating_sub(at)),
                None => failure,
            });
        }
        let mut new = change(&pickles)?;
        new.extend(broken.map(|broken| broken.data));
        Ok(new)
    }
}
