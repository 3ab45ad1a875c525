//! The pickles of a file and of the members in it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use picklevm::{Error, ErrorKind, Graph, Protocol, Unpickler};
use picklevm_files::{Contents, Entry, File, FileLimits, Member};

use crate::failure::{self, Failure, note};
use crate::input::{self, Choice};
use crate::printable::Printable;

/// Number of unreadable members of a file that are reported one by one.
const TOLD: usize = 3;
/// Errors up to this offset may be because the file is something else.
const NEAR_START: u64 = 16;

/// One pickle of a file.
pub(crate) struct Pickle {
    /// Name of its member in messages: FILE, or FILE: MEMBER.
    pub(crate) name: String,
    /// Where it begins, in bytes from the start of its member.
    pub(crate) offset: u64,
    /// Its bytes: to STOP, or to the end of the member where no STOP can be reached.
    pub(crate) data: Bytes,
    /// The protocol that it names, or where it names none the one of its newest opcode.
    pub(crate) protocol: Protocol,
    /// Whether it is the one that people mean, of several in its member.
    pub(crate) is_main: bool,
    /// How many pickles of its member come before it.
    pub(crate) index: usize,
    /// Why no STOP can be reached.
    problem: Option<String>,
    /// The description of a member that is not a pickle.
    explanation: Option<String>,
}

impl Pickle {
    /// A pickle that was found in a member.
    ///
    /// # Errors
    ///
    /// [`Failure::Data`] if its bytes cannot be read.
    pub(crate) fn new(name: &str, member: &Member, pickle: &picklevm_files::Pickle) -> Result<Pickle, Failure> {
        let data = pickle.bytes().map_err(|error| input::failure(name, &error))?;
        let is_certain = data.first() == Some(&0x80) || pickle.offset() > 0;
        let explanation = if is_certain { None } else { member.explain().ok().map(|error| error.to_string()) };
        Ok(Pickle {
            name: name.to_owned(),
            offset: pickle.offset(),
            data,
            protocol: Protocol::try_from(pickle.protocol()).unwrap_or_default(),
            is_main: pickle.is_main(),
            index: 0,
            problem: pickle.problem().map(ToString::to_string),
            explanation,
        })
    }

    /// The same pickle with other bytes.
    pub(crate) fn with_data(&self, data: Bytes) -> Pickle {
        let Pickle { offset, protocol, is_main, index, .. } = *self;
        let (name, problem, explanation) = (self.name.clone(), self.problem.clone(), self.explanation.clone());
        Pickle { name, offset, data, protocol, is_main, index, problem, explanation }
    }

    /// Whether its bytes end with STOP.
    pub(crate) fn is_whole(&self) -> bool {
        self.problem.is_none()
    }

    /// Loads it. The offset of an error counts from the start of its member.
    pub(crate) fn load(&self, unpickler: &Unpickler) -> picklevm::Result<Graph> {
        unpickler.load_bytes(self.data.clone()).map_err(|error| error.offset_by(self.offset))
    }

    /// Returns the failure for an error in this pickle. Its offset, if it has one, counts from the start of its member.
    pub(crate) fn failure(&self, error: impl Into<Error>) -> Failure {
        let error = error.into();
        let failure = match (error.kind(), &self.problem) {
            (ErrorKind::End | ErrorKind::Truncated, Some(problem)) if problem.contains("truncated") => {
                Failure::data(&self.name, format!("{problem} ({error})"))
            }
            (ErrorKind::End | ErrorKind::Truncated, _) => Failure::data(&self.name, format!("truncated: {error}")),
            _ if error.offset().is_none() && self.offset > 0 => {
                Failure::data(&self.name, format!("pickle at offset {}: {error}", self.offset))
            }
            _ => Failure::data(&self.name, &error),
        };
        match (&self.explanation, error.offset()) {
            (Some(explanation), Some(offset)) if offset <= NEAR_START => failure.hint(explanation),
            _ => failure,
        }
    }
}

/// The pickles of a file that a command prints together: those of one member, after decompression.
struct Group {
    member: Member,
    pickles: Vec<picklevm_files::Pickle>,
    /// Number of bytes after the first pickle, if the member consists of consecutive pickles.
    rest: Option<u64>,
    /// The NULs after the last pickle.
    padding: Option<Range<u64>>,
    problem: Option<picklevm_files::Error>,
}

impl Group {
    /// Which of its pickles people mean.
    fn main(&self) -> usize {
        self.pickles.iter().position(picklevm_files::Pickle::is_main).unwrap_or(0)
    }

    fn add(&mut self, contents: Contents) {
        let rest = match contents.pickles() {
            [first, others @ ..] if self.pickles.is_empty() && first.is_main() && first.arrays().is_empty() => {
                let len = self.member.len().unwrap_or_default();
                let rest = len.saturating_sub(first.offset() + first.len());
                // White space at the end of a text file is ordinary.
                let is_blank = others.is_empty() && contents.problem().is_none() && contents.padding().is_none();
                Some(if is_blank { 0 } else { rest })
            }
            _ => None,
        };
        self.rest = if self.pickles.is_empty() { rest } else { None };
        self.padding = contents.padding();
        self.pickles.extend_from_slice(contents.pickles());
        if self.problem.is_none() {
            self.problem = contents.into_problem();
        }
    }
}

/// The pickle files that a command prints, and how much of them.
#[derive(clap::Args)]
pub(crate) struct PickleFiles {
    /// Read these files [default: standard input, which is also `-`]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print every pickle of a file or member, not only the first
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    choice: Choice,
}

impl PickleFiles {
    /// Whether there are several files, so that the output of each needs a heading.
    fn are_several(&self) -> bool {
        self.files.len() > 1
    }

    /// The limits on what files expand to.
    pub(crate) fn limits(&self) -> FileLimits {
        self.choice.limits()
    }

    /// Runs a command on each selected pickle. With several files the first pickle of each has a heading, and with several
    /// members the first pickle of each: `FILE` or `FILE: MEMBER`. Reports what is not read.
    ///
    /// # Errors
    ///
    /// The worst failure of all files; immediately if the output is closed.
    pub(crate) fn each(
        &self,
        partial: bool,
        mut run: impl FnMut(&Pickle, Option<&str>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let opener = self.choice.opener().partial(partial);
        failure::each(&input::or_standard(&self.files)?, |path| {
            let name = input::name(path);
            let file = input::open(&opener, path)?;
            let (groups, unreadable) = self.groups(&file);
            if groups.is_empty() {
                return Err(self.nothing(&name, &file, unreadable));
            }
            let are_several = groups.len() > 1;
            let outcome = failure::each(&groups, |group| {
                let called = called(&name, group.member.path());
                let heading = match are_several {
                    true => Some(called.as_str()),
                    false => self.are_several().then_some(name.as_str()),
                };
                self.print(group, &called, heading, &mut run)
            });
            let told = tell_unreadable(&name, unreadable);
            outcome.and(told)
        })
    }

    /// Prints the pickles of a group that are asked for.
    fn print(
        &self,
        group: &Group,
        name: &str,
        mut heading: Option<&str>,
        run: &mut impl FnMut(&Pickle, Option<&str>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let main = group.main();
        for (index, pickle) in group.pickles.iter().enumerate() {
            if self.all || index == main {
                run(&Pickle { index, ..Pickle::new(name, &group.member, pickle)? }, heading.take())?;
            }
        }
        match (&group.problem, group.pickles.len(), group.rest) {
            (Some(problem), ..) if self.all || group.pickles.is_empty() => Err(input::failure(name, problem)),
            (None, ..) if self.all && group.padding.is_some() => {
                let Range { start, end } = group.padding.clone().unwrap_or_default();
                let bytes = failure::count(usize::try_from(end - start).unwrap_or(usize::MAX), "byte");
                Err(Failure::data(
                    name,
                    format!("offset {start}: expected another pickle or the end, found {bytes} of NULs"),
                ))
            }
            (.., Some(rest)) if rest > 0 && !self.all => {
                let end = group.pickles.first().map_or(0, |first| first.offset() + first.len());
                tell_rest(name, end, rest, "use --all to print every pickle");
                Ok(())
            }
            (_, 2.., None) if !self.all => {
                let others = failure::count(group.pickles.len() - 1, "more pickle");
                note(&format!("{name}: {others} not printed; use --all to print every pickle"));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The pickles of the members that were chosen, in order, and what could not be read.
    fn groups(&self, file: &File) -> (Vec<Group>, Vec<(Member, picklevm_files::Error)>) {
        let (mut groups, mut unreadable): (Vec<Group>, _) = (Vec::new(), Vec::new());
        for Entry { member, contents, .. } in file.walk().filter(|entry| self.choice.has(entry.member.path())) {
            match contents {
                Err(error) => unreadable.push((member, error)),
                Ok(contents) => {
                    let is_pickle = !contents.pickles().is_empty();
                    match groups.iter_mut().rfind(|group| group.member.path() == member.path()) {
                        Some(group) if is_pickle => group.add(contents),
                        None if is_pickle => {
                            let mut group =
                                Group { member, pickles: Vec::new(), rest: None, padding: None, problem: None };
                            group.add(contents);
                            groups.push(group);
                        }
                        // What is wrong with a container of pickles is wrong with the file.
                        _ if member.expects_pickle() => {
                            unreadable.extend(contents.into_problem().map(|error| (member, error)));
                        }
                        _ => {}
                    }
                }
            }
        }
        (groups, unreadable)
    }

    /// Why there is nothing to print of a file.
    fn nothing(&self, name: &str, file: &File, unreadable: Vec<(Member, picklevm_files::Error)>) -> Failure {
        if let Some((_, error)) = unreadable.into_iter().next() {
            return input::failure(name, &error);
        }
        let patterns = self.choice.patterns();
        let chosen = file.walk().find(|entry| !patterns.is_empty() && self.choice.has(entry.member.path()));
        match chosen {
            Some(entry) => match entry.member.explain() {
                Ok(error) | Err(error) => input::failure(name, &error),
            },
            None if !patterns.is_empty() => {
                Failure::Usage(format!("{name}: no member matches {patterns}; `picklevm list` prints all"))
            }
            None => no_pickle(name, file),
        }
    }
}

/// The name of a member in messages: FILE, or FILE: MEMBER.
pub(crate) fn called(name: &str, member: &str) -> String {
    if member.is_empty() { name.to_owned() } else { format!("{name}: {}", Printable(member)) }
}

/// Why a file without a pickle has none.
pub(crate) fn no_pickle(name: &str, file: &File) -> Failure {
    match file.pickles().find_map(Result::err) {
        Some(error) => input::failure(name, &error),
        None => Failure::data(name, "there is no pickle in it"),
    }
}

/// Reports the members that could not be read. A member that should be a pickle is a failure.
fn tell_unreadable(name: &str, unreadable: Vec<(Member, picklevm_files::Error)>) -> Result<(), Failure> {
    let (wanted, others): (Vec<_>, Vec<_>) = unreadable.into_iter().partition(|(member, _)| member.expects_pickle());
    for (_, error) in others.iter().take(TOLD) {
        note(&format!("{name}: {error}"));
    }
    if others.len() > TOLD {
        note(&format!("{name}: {} not readable either", failure::count(others.len() - TOLD, "more member")));
    }
    failure::each(&wanted, |(_, error)| Err(input::failure(name, error)))
}

/// Reports on standard error how many bytes after the first pickle were not read, and which option reads them.
fn tell_rest(name: &str, end: u64, rest: u64, remedy: &str) {
    let bytes = failure::count(usize::try_from(rest).unwrap_or(usize::MAX), "byte");
    note(&format!("{name}: {bytes} after the first pickle, from offset {end} on, not read; {remedy}"));
}

/// The pickle of a file that people mean, for a command that takes one alone. `remedy` says what else could be done with
/// what follows it.
///
/// # Errors
///
/// [`Failure`] if the file cannot be read, or if there is none.
pub(crate) fn main(path: &Path, choice: Choice, remedy: &str) -> Result<Pickle, Failure> {
    let name = input::name(path);
    let file = input::open(&choice.opener(), path)?;
    let files = PickleFiles { files: Vec::new(), all: false, choice };
    let (groups, unreadable) = files.groups(&file);
    let group = match &groups[..] {
        [] => return Err(files.nothing(&name, &file, unreadable)),
        [group] => group,
        _ => {
            let members: Vec<_> = groups.iter().map(|group| Printable(group.member.path()).to_string()).collect();
            let message = format!("{name}: several members hold pickles: {}", members.join(", "));
            return Err(Failure::Data(message).hint("use --member to choose one"));
        }
    };
    let pickle = Pickle::new(&name, &group.member, &group.pickles[group.main()])?;
    if let Some(rest) = group.rest.filter(|rest| *rest > 0) {
        let end = group.pickles.first().map_or(0, |first| first.offset() + first.len());
        tell_rest(&name, end, rest, remedy);
    }
    Ok(pickle)
}

/// Why there is no pickle in a file, or in the members that are chosen.
pub(crate) fn nothing(name: &str, file: &File, choice: &Choice) -> Failure {
    let files = PickleFiles { files: Vec::new(), all: false, choice: choice.clone() };
    let (_, unreadable) = files.groups(file);
    files.nothing(name, file, unreadable)
}
