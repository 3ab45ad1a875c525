//! `picklevm diff`: what differs between two pickles, by path.

use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::AnsiColor;
use picklevm::{Difference, DifferenceKind, Graph, Unpickler, Value};
use serde_json::json;

use crate::contents::{self, Part};
use crate::failure::Failure;
use crate::input::{self, Choice};
use crate::output::Output;
use crate::pickles;
use crate::printable::Printable;
use crate::show;

/// Exit status if something differs.
const DIFFERENT: u8 = 1;

/// Print what differs between two pickles, by path
///
/// One line for each difference: `~ PATH: OLD -> NEW`, `- PATH: OLD` for what is gone, `+ PATH: NEW` for what came. Types
/// count, and so does which values are shared; the protocol and the order of keys do not. All pickles of a file are compared, and
/// the bytes that are no pickle. The exit status is 0 if nothing
/// differs, 1 if something does, and 2 if a file cannot be read.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm diff old.pkl new.pkl
  picklevm diff --json old.pkl new.pkl

For `git diff`, name the program in Git's settings and the files in .gitattributes:
  git config diff.pickle.command 'picklevm diff --git'
  echo '*.pkl diff=pickle' >> .gitattributes")]
pub(crate) struct Args {
    /// Compare these two files; with --git, the arguments that Git gives to a diff driver
    #[arg(value_name = "FILE", required = true, num_args = 2..=9)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    choice: Choice,
    /// Print one JSON object for each difference
    #[arg(long)]
    json: bool,
    /// Work as a diff driver of Git: print a heading, and end with status 0, also if a file is no pickle
    #[arg(long)]
    git: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let (heading, old, new) = match (&args.files[..], args.git) {
        ([old, new], false) => (None, old, new),
        ([path, old, _, _, new, ..], true) => (Some(path), old, new),
        _ => return Err(Failure::Usage("expected two files to compare (see --help for --git)".to_owned())),
    };
    // A status of 1 would say that they differ.
    let trouble = |failure| match failure {
        Failure::Data(message) => Failure::Usage(message),
        other => other,
    };
    let mut out = if args.git { Output::stdout() } else { Output::paged() };
    if let Some(path) = heading {
        writeln!(out, "diff --pickle {}", input::shown(path)).map_err(|error| out.failure(error))?;
    }
    let compared = compare(args, old, new, &mut out).map_err(trouble);
    let differs = match compared {
        // Git would end at a status, and show no file behind this one.
        Err(Failure::Usage(message)) if args.git => {
            writeln!(out, "{}", Printable(&message)).map_err(|error| out.failure(error))?;
            true
        }
        compared => compared?,
    };
    out.finish()?;
    if differs && !args.git { Err(Failure::Status(DIFFERENT)) } else { Ok(()) }
}

/// Prints what differs between two files, member by member. Returns whether anything does.
fn compare(args: &Args, old: &Path, new: &Path, out: &mut Output) -> Result<bool, Failure> {
    let [olds, news] = [parts(args, old)?, parts(args, new)?];
    let is_single = olds.len() <= 1 && news.len() <= 1;
    // The one pickle of an archive is that of another, whatever the two are called.
    let holders = |parts: &[Part]| parts.iter().filter(|part| !part.pickles.is_empty()).count();
    let are_lone = holders(&olds) <= 1 && holders(&news) <= 1;
    let are_pair = |old: &Part, new: &Part| {
        let are_holders = !old.pickles.is_empty() && !new.pickles.is_empty();
        if are_lone && are_holders { true } else { old.member == new.member }
    };
    let gone = olds.iter().map(|old| (Some(old), news.iter().find(|new| are_pair(old, new))));
    let come = news.iter().filter(|new| !olds.iter().any(|old| are_pair(old, new))).map(|new| (None, Some(new)));
    let mut differs = false;
    for (old, new) in gone.chain(come) {
        let member = old.or(new).filter(|_| !is_single).map(|part| part.member.as_str());
        let [olds, news] = [old, new].map(|part| part.map_or(&[][..], |part| &part.pickles));
        let count = olds.len().max(news.len());
        for at in 0..count {
            let place = Place { member, pickle: (count > 1).then_some(at + 1) };
            differs |= print(args, place, olds.get(at), news.get(at), out)?;
        }
        differs |= print_others(args, Place { member, pickle: None }, old, new, out)?;
    }
    Ok(differs)
}

/// What is in a file. What Git calls `/dev/null` is a file that is not there.
fn parts(args: &Args, path: &Path) -> Result<Vec<Part>, Failure> {
    if path == Path::new("/dev/null") { Ok(Vec::new()) } else { contents::parts(path, &args.choice) }
}

/// Which pickle of a file is compared, where there are several.
#[derive(Clone, Copy)]
struct Place<'a> {
    member: Option<&'a str>,
    /// Its number in the member, counted from 1.
    pickle: Option<usize>,
}

impl Place<'_> {
    /// The heading of its differences.
    fn heading(self) -> Option<String> {
        let member = self.member.map(|member| Printable(member).to_string());
        let pickle = self.pickle.map(|number| format!("pickle {number}"));
        let parts: Vec<_> = member.into_iter().chain(pickle).collect();
        (!parts.is_empty()).then(|| format!("# {}", parts.join(", ")))
    }

    /// The members that say in JSON which it is.
    fn json(self) -> String {
        let member = self.member.map(|member| format!(",\"member\":{}", json!(member)));
        let pickle = self.pickle.map(|number| format!(",\"pickle\":{number}"));
        member.unwrap_or_default() + &pickle.unwrap_or_default()
    }
}

/// Prints that the bytes of a member that are no pickle differ. Returns whether they do.
fn print_others(
    args: &Args,
    place: Place<'_>,
    old: Option<&Part>,
    new: Option<&Part>,
    out: &mut Output,
) -> Result<bool, Failure> {
    let none = Part::default();
    let [old, new] = [old, new].map(|part| part.unwrap_or(&none).others());
    let fails = |error: std::io::Error| Failure::Data(format!("cannot compare what is no pickle: {error}"));
    if contents::are_equal(old, new).map_err(fails)? {
        return Ok(false);
    }
    let line = match (args.json, place.heading()) {
        (true, _) => format!("{{\"change\":\"data\"{}}}", place.json()),
        (false, Some(heading)) => format!("{heading}\n~ bytes that are no pickle differ"),
        (false, None) => "~ bytes that are no pickle differ".to_owned(),
    };
    writeln!(out, "{line}").map_err(|error| out.failure(error))?;
    Ok(true)
}

fn print(
    args: &Args,
    place: Place<'_>,
    old: Option<&pickles::Pickle>,
    new: Option<&pickles::Pickle>,
    out: &mut Output,
) -> Result<bool, Failure> {
    let load = |pickle: &pickles::Pickle| -> Result<Graph, Failure> {
        pickle.load(&Unpickler::new()).map_err(|error| pickle.failure(error))
    };
    let [old, new] = [old.map(load).transpose()?, new.map(load).transpose()?];
    let found = match (&old, &new) {
        (Some(old), Some(new)) => picklevm::diff(old.root(), new.root()),
        _ => Vec::new(),
    };
    let whole = match (&old, &new) {
        (Some(old), None) => Some(DifferenceKind::Removed(old.root())),
        (None, Some(new)) => Some(DifferenceKind::Added(new.root())),
        _ => None,
    };
    let is_same = found.is_empty() && whole.is_none();
    if let (Some(heading), false, false) = (place.heading(), args.json, is_same) {
        writeln!(out, "{heading}").map_err(|error| out.failure(error))?;
    }
    let (root, color) = (picklevm::Path::root(), show::is_colored());
    let all =
        found.iter().map(|Difference { path, kind, .. }| (path, kind)).chain(whole.iter().map(|kind| (&root, kind)));
    for (path, kind) in all {
        let line = if args.json { json_line(place, path, *kind) } else { line(path, *kind, color) };
        writeln!(out, "{line}").map_err(|error| out.failure(error))?;
    }
    Ok(!is_same)
}

fn line(path: &picklevm::Path, kind: DifferenceKind<'_, '_>, color: bool) -> String {
    let path = if path.is_root() { ".".to_owned() } else { format!("{path:#}") };
    let path = Printable(&path);
    let short = |value| short(value, color);
    let mark = |mark: &str, color_of: AnsiColor| match color {
        true => format!("{style}{mark} {path}{style:#}", style = color_of.on_default()),
        false => format!("{mark} {path}"),
    };
    match kind {
        DifferenceKind::Changed(old, new) => {
            format!("{}: {} -> {}", mark("~", AnsiColor::Yellow), short(old), short(new))
        }
        DifferenceKind::Removed(old) => format!("{}: {}", mark("-", AnsiColor::Red), short(old)),
        DifferenceKind::Added(new) => format!("{}: {}", mark("+", AnsiColor::Green), short(new)),
        _ => format!("{}: one of the two is the same value as another", mark("~", AnsiColor::Yellow)),
    }
}

fn short(value: Value<'_>, color: bool) -> String {
    let pretty = show::readable(value.pretty()).max_depth(6).max_items(20).max_bytes(200).one_line();
    let mut text = Vec::new();
    // Writing to memory does not fail.
    match color && pretty.write_colored(&show::Colors, &mut text).is_ok() {
        true => String::from_utf8_lossy(&text).into_owned(),
        false => Printable(&pretty.to_string()).to_string(),
    }
}

fn json_line(place: Place<'_>, path: &picklevm::Path, kind: DifferenceKind<'_, '_>) -> String {
    let (change, old, new) = match kind {
        DifferenceKind::Changed(old, new) => ("changed", Some(old.pretty()), Some(new.pretty())),
        DifferenceKind::Removed(old) => ("removed", Some(old.pretty()), None),
        DifferenceKind::Added(new) => ("added", None, Some(new.pretty())),
        _ => ("sharing", None, None),
    };
    // The values are JSON of any depth already.
    let mut line = format!(
        "{{\"path\":{},\"pointer\":{},\"change\":\"{change}\"",
        json!(path.to_string()),
        json!(path.to_pointer())
    );
    for (name, value) in [("old", old), ("new", new)] {
        if let Some(value) = value {
            line += &format!(",\"{name}\":{}", value.json());
        }
    }
    line + &place.json() + "}"
}
