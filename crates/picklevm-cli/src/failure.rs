//! Failures that end a command, and its exit status.

use std::cell::RefCell;
use std::fmt::Display;
use std::io;

use crate::printable::Printable;
use crate::progress;

/// The exit status for bad data, or for output that cannot be written.
const BAD_DATA: u8 = 1;
/// The exit status for bad usage, as clap has it.
pub(crate) const BAD_USAGE: u8 = 2;

/// Why a command ends before its end.
pub(crate) enum Failure {
    /// Something is wrong with the data, or with the output: status 1.
    Data(String),
    /// Bad usage, such as a file that does not exist: status 2.
    Usage(String),
    /// The command has said what there is to say, and ends with this status.
    Status(u8),
    /// The reader of the output closed it: status 0.
    ClosedPipe,
}

impl Failure {
    /// Something is wrong with the data of the input `name`.
    pub(crate) fn data(name: &str, error: impl Display) -> Failure {
        Failure::Data(format!("{name}: {error}"))
    }

    /// The output `name` cannot be written.
    pub(crate) fn output(name: &str, error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::Data(format!("{name}: cannot write: {}", reason(error))),
        }
    }

    /// Adds a hint for the user.
    pub(crate) fn hint(self, remedy: &str) -> Failure {
        match self {
            Failure::Data(message) => Failure::Data(format!("{message}; {remedy}")),
            other => other,
        }
    }

    /// Prints the message on standard error, and returns the exit status.
    pub(crate) fn report(self) -> u8 {
        let (message, status) = match self {
            Failure::Data(message) => (message, BAD_DATA),
            Failure::Usage(message) => (message, BAD_USAGE),
            Failure::Status(status) => return status,
            Failure::ClosedPipe => return 0,
        };
        let red = anstyle::AnsiColor::Red.on_default().bold();
        progress::beside(|| anstream::eprintln!("{red}picklevm:{red:#} {}", printable(&message)));
        status
    }
}

thread_local! {
    /// The notes of a run that are collected and not printed.
    static NOTES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Runs a command, and returns its notes in place of printing them.
pub(crate) fn with_notes<T>(run: impl FnOnce() -> T) -> (T, Vec<String>) {
    NOTES.with(|notes| notes.replace(Some(Vec::new())));
    let result = run();
    (result, NOTES.with(RefCell::take).unwrap_or_default())
}

/// Prints a note on standard error, or adds it to those that are collected.
pub(crate) fn note(message: &str) {
    let is_collected = NOTES.with_borrow_mut(|notes| match notes {
        Some(notes) => {
            notes.push(message.to_owned());
            true
        }
        None => false,
    });
    if is_collected {
        return;
    }
    let yellow = anstyle::AnsiColor::Yellow.on_default().bold();
    progress::beside(|| anstream::eprintln!("{yellow}picklevm: note:{yellow:#} {}", printable(message)));
}

/// A message that may quote a file. It may have lines, but nothing else that moves the cursor.
fn printable(message: &str) -> String {
    message.split('\n').map(|line| Printable(line).to_string()).collect::<Vec<_>>().join("\n")
}

/// Why a file cannot be read or written, in plain words, or else in those of the system.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "expected a file, found a directory".to_owned(),
        _ => error.to_string(),
    }
}

/// The error of the output that made a write of ops or of a pickle fail, if one did.
pub(crate) fn io_error<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e io::Error> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}

/// A number with a noun: `1 byte`, `3,071,000 bytes`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Runs a command on each input. A failure of one is reported, and the next is processed.
///
/// # Errors
///
/// The worst status of all; at once if the output is closed.
pub(crate) fn each<T>(inputs: &[T], mut run: impl FnMut(&T) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut worst = 0;
    for input in inputs {
        match run(input) {
            Ok(()) => {}
            Err(Failure::ClosedPipe) => return Err(Failure::ClosedPipe),
            Err(failure) => worst = worst.max(failure.report()),
        }
    }
    if worst == 0 { Ok(()) } else { Err(Failure::Status(worst)) }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (3_071_000, "3,071,000 bytes")] {
            assert_eq!(count(number, "byte"), text);
        }
    }
}
